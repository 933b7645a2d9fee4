package intake

import (
	"cmp"
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

// maxFiles is the maximum number of files of a form.
const maxFiles = 100

// A File is a file of a form.
type File struct {
	ports.Spool

	Hint ports.FileHint
	Err  error // why the file cannot be read; nil if it can
}

// ReceiveForm reads the files of a form into spools, which the caller closes. Together they may have as many bytes as the file of any other
// request.
func (r *Receiver) ReceiveForm(c *fiber.Ctx) ([]File, error) {
	media, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || media != fiber.MIMEMultipartForm || c.Get(fiber.HeaderContentEncoding) != "" {
		return nil, problem.ErrFormType
	}
	body, err := transport.NewBody(c, r.limit+maxForm)
	switch {
	case err != nil:
		return nil, err
	case body == nil:
		return nil, problem.ErrNoFile
	}
	var files []File
	hints, err := spoolForm(newParts(body, params["boundary"]), func() (io.Writer, error) {
		if len(files) == maxFiles {
			return nil, problem.ErrSeveralFiles
		}
		files = append(files, File{Spool: r.spools.New()})
		return files[len(files)-1].Spool, nil
	})
	if err != nil {
		return nil, errors.Join(explain(body, err), closeAll(files))
	}
	left := r.limit
	for i := range files {
		file := &files[i]
		file.Hint = hints[i]
		if isGzip(file.Spool) {
			file.Spool, err = r.inflate(c, file.Spool, left, gunzip, spoolFile)
			if err != nil {
				file.Err = explain(body, err)
			}
		}
		left -= file.Size()
	}
	return files, nil
}

func closeAll(files []File) (err error) {
	for _, file := range files {
		err = errors.Join(err, file.Close())
	}
	return err
}

// spoolForm copies each file of a form to a writer that open returns, and reads the form to its end. Its other fields are options of the
// files. A form is rejected if open returns an error, or another field has a value: nothing is passed over.
func spoolForm(form *parts, open func() (io.Writer, error)) ([]ports.FileHint, error) {
	var hints []ports.FileHint
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
		if part.FileName() == "" {
			to = &value
		} else if file, err := open(); err != nil {
			rejected = err
		} else {
			_, params, _ := mime.ParseMediaType(part.Header.Get(fiber.HeaderContentType))
			hints, to = append(hints, ports.FileHint{Name: part.FileName(), Charset: params["charset"]}), file
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
	case hints == nil:
		err = fmt.Errorf("%w: %w", problem.ErrNoFile, &domain.BrokenFileError{Reason: "the form has no file; send one as a part with a file name"})
	}
	for i := range hints {
		err = cmp.Or(err, SetOptions(&hints[i], options))
	}
	return hints, err
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
