package intake

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/transport"
	"rollcall/domain"
	"rollcall/ports"
)

// ReceiveForm reads the file of a form into a spool, which the caller closes.
func (r *Receiver) ReceiveForm(c *fiber.Ctx) (ports.Spool, *ports.FileHint, error) {
	media, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || media != fiber.MIMEMultipartForm || c.Get(fiber.HeaderContentEncoding) != "" {
		return nil, nil, problem.ErrFormType
	}
	body, err := transport.NewBody(c, r.limit+maxForm)
	switch {
	case err != nil:
		return nil, nil, err
	case body == nil:
		return nil, nil, problem.ErrNoFile
	}
	return r.spool(c, body)
}

// spoolForm copies the file of a form into a spool, and reads the form to its end. Its other fields are options of the file. A form with
// another file, or with a value in another field, is rejected: neither is passed over.
func spoolForm(form *parts, file ports.Spool) (*ports.FileHint, error) {
	var hint *ports.FileHint
	var rejected error
	options := url.Values{}
	for {
		part, err := form.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read form: %w", err)
		}
		to := io.Discard
		var value option
		switch {
		case part.FileName() != "" && hint == nil:
			_, params, _ := mime.ParseMediaType(part.Header.Get(fiber.HeaderContentType))
			hint, to = &ports.FileHint{Name: part.FileName(), Charset: params["charset"]}, file
		case part.FileName() != "":
			rejected = problem.ErrSeveralFiles
		default:
			to = &value
		}
		err = spoolAll(to, part, -1)
		if err != nil {
			return nil, fmt.Errorf("read part of form: %w", err)
		}
		switch name := part.FormName(); {
		case len(value) == 0: // browsers send such fields, too
		case !isOption(name):
			rejected = problem.ErrField
		case len(options[name]) <= ports.MaxSheets:
			options.Add(name, string(value))
		}
	}
	_, err := io.Copy(io.Discard, form.body) // bytes after the last part
	switch {
	case err != nil:
	case rejected != nil:
		err = rejected
	case hint == nil:
		err = fmt.Errorf("%w: %w", problem.ErrNoFile, &domain.BrokenFileError{Reason: "the form has no file; send one as a part with a file name"})
	}
	if err == nil {
		err = SetOptions(hint, options)
	}
	return hint, err
}

// parts reads the parts of a form. It bounds the header of a part, of which mime/multipart keeps up to 10 MiB in memory.
type parts struct {
	form *multipart.Reader
	body io.Reader

	unread int // bytes of the body received since a part was read
}

// part is a part of a form.
type part struct {
	*multipart.Part

	parts *parts
}

// maxUnread is the maximum size of the header of a part, in bytes.
const maxUnread = 64 << 10

var errPartHeader = errors.New("header of a part is too large")

func newParts(body io.Reader, boundary string) *parts {
	p := &parts{body: body}
	p.form = multipart.NewReader(p, boundary)
	return p
}

// next returns the next part, or io.EOF.
func (p *parts) next() (part, error) {
	next, err := p.form.NextPart()
	return part{next, p}, err
}

// Read implements io.Reader for mime/multipart, which reads the form from it.
func (p *parts) Read(b []byte) (int, error) {
	if p.unread > maxUnread {
		return 0, errPartHeader
	}
	n, err := p.body.Read(b)
	p.unread += n
	return n, err
}

// Read implements io.Reader.
func (p part) Read(b []byte) (int, error) {
	p.parts.unread = 0
	return p.Part.Read(b)
}
