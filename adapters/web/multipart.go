package web

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"

	"rollcall/ports"
)

// receiveForm spools the first file of a form.
func receiveForm(form *parts, file ports.Spool) (*ports.FileHint, error) {
	var hint *ports.FileHint
	for {
		part, err := form.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read form: %w", err)
		}
		to := io.Discard
		if part.FileName() != "" && hint == nil {
			hint, to = &ports.FileHint{Name: part.FileName()}, file
		}
		err = spoolAll(to, part, -1)
		if err != nil {
			return nil, fmt.Errorf("read part of form: %w", err)
		}
	}
	if hint == nil {
		return nil, errNoFile
	}
	return hint, nil
}

// parts are those of a form. mime/multipart keeps the header of a part in memory, however slowly it comes, and takes 10 MiB of it.
type parts struct {
	form *multipart.Reader
	body io.Reader

	unread int // bytes of the body that came since a part was read
}

// part is one of a form.
type part struct {
	*multipart.Part

	of *parts
}

// maxUnread bounds the header of a part, in bytes.
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

// Read implements io.Reader: it is what the form is read from.
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
	p.of.unread = 0
	return p.Part.Read(b)
}
