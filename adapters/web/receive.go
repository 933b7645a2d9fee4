package web

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"os"
	"runtime"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/zstd"

	"rollcall/domain"
	"rollcall/ports"
)

const (
	// receiveChunk is how many bytes of a body are received at once. Each connection has as much memory for as long as it takes.
	receiveChunk = 16 << 10

	// maxWindow bounds how much memory a body compressed by zstd asks for. Its levels up to 19 need 8 MiB.
	maxWindow = 32 << 20
)

var (
	errTooLarge = errors.New("body is too large")
	errCutShort = errors.New("connection ended inside of the body")
	errEncoding = errors.New("content encoding is not supported")
	errBroken   = errors.New("body is broken")
	errNoFile   = errors.New("form has no file")
)

// receiver takes in the files of requests.
type receiver struct {
	spools ports.Spools
	limit  int64 // bytes that a body may have, and what it inflates to

	// inflating has room for those bodies that are inflated at once: what that takes in memory, a few bytes can ask for.
	inflating chan struct{}
}

func newReceiver(spools ports.Spools, limit int64) *receiver {
	return &receiver{spools, limit, make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// receive spools the file of a request, so that a slow client holds no transaction. A form tells what its file is.
func (r *receiver) receive(c *fiber.Ctx, file ports.Spool) (*domain.FileHint, error) {
	length := int64(c.Request().Header.ContentLength()) // negative when the body comes in chunks
	inflate, known := inflaters[strings.ToLower(c.Get(fiber.HeaderContentEncoding))]
	stream := c.Context().RequestBodyStream()
	switch {
	case length > r.limit:
		return nil, errTooLarge
	case !known:
		return nil, errEncoding
	case stream == nil:
		return nil, nil //nolint:nilnil // nothing is a file, and says nothing of itself
	}
	body := &body{stream: stream, conn: connOf(c), length: length, limit: r.limit}
	if inflate != nil {
		return r.receiveCompressed(c, body, inflate, file)
	}
	hint, err := spoolFile(c, file, body, length)
	if err != nil {
		return nil, body.explain(err)
	}
	bodyWasRead(c)
	return hint, nil
}

// receiveCompressed inflates a body when it is there, and not while it comes: a slow client holds no decoder.
func (r *receiver) receiveCompressed(c *fiber.Ctx, body *body, inflate inflater, file ports.Spool) (*domain.FileHint, error) {
	compressed := r.spools.New()
	defer compressed.Close()
	err := spoolAll(compressed, body, body.length)
	if err != nil {
		return nil, body.explain(err)
	}
	bodyWasRead(c)
	select {
	case r.inflating <- struct{}{}:
		defer func() { <-r.inflating }()
	case <-c.UserContext().Done():
		return nil, fmt.Errorf("inflate body: %w", c.UserContext().Err())
	}
	plain, err := inflate(compressed.Reader())
	if err != nil {
		return nil, explain(err)
	}
	defer plain.Close()
	hint, err := spoolFile(c, file, &limitedReader{plain, r.limit}, -1)
	if err != nil {
		return nil, explain(err)
	}
	return hint, nil
}

// spoolFile spools a file of a length that is likely, or negative, or the one of a form, and reads on to the end.
func spoolFile(c *fiber.Ctx, file ports.Spool, r io.Reader, length int64) (*domain.FileHint, error) {
	media, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || media != fiber.MIMEMultipartForm {
		return nil, spoolAll(file, r, length)
	}
	hint, err := receiveForm(newParts(r, params["boundary"]), file)
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	return hint, err
}

// spoolAll copies a file of a length that is likely, or negative.
func spoolAll(file io.Writer, r io.Reader, length int64) error {
	size := int64(receiveChunk)
	if length > 0 {
		size = min(size, length)
	}
	_, err := io.CopyBuffer(file, struct{ io.Reader }{r}, make([]byte, size))
	return err
}

// receiveForm spools the first file of a form.
func receiveForm(form *parts, file ports.Spool) (*domain.FileHint, error) {
	var hint *domain.FileHint
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
			hint, to = &domain.FileHint{Name: part.FileName()}, file
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

// body is the body of a request. It ends with io.EOF only where the client has ended it.
type body struct {
	stream        io.Reader
	conn          *conn
	length, limit int64 // a negative length is not known
	read          int64
	err           error // what it ended with
}

// Read implements io.Reader. A connection that ends inside of the body reads as an end of the body: of a known length too
// little came then, and of chunks the last, after which nothing more is read, did not come.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.stream.Read(p)
	b.read += int64(n)
	switch {
	case b.read > b.limit:
		b.err = errTooLarge
	case err == nil:
		return n, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.err = fiber.ErrRequestTimeout
	case !errors.Is(err, io.EOF):
		b.err = fmt.Errorf("%w: %w", errCutShort, err)
	case b.read < b.length, b.length < 0 && b.conn.ended.Load():
		b.err = errCutShort
	default:
		b.err = io.EOF
	}
	return n, b.err
}

// explain returns what the body itself ended with, rather than what came of that.
func (b *body) explain(err error) error {
	if b.err != nil && !errors.Is(b.err, io.EOF) {
		return b.err
	}
	return explain(err)
}

// explain tells of what is in a body that it is broken, unless it is something else.
func explain(err error) error {
	if errors.Is(err, ports.ErrUnavailable) || errors.Is(err, errTooLarge) || errors.Is(err, errNoFile) {
		return err
	}
	return fmt.Errorf("%w: %w", errBroken, err)
}

// limitedReader ends with errTooLarge behind as many bytes.
type limitedReader struct {
	io.Reader

	left int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, errTooLarge
	}
	n, err := l.Reader.Read(p[:min(int64(len(p)), l.left+1)])
	l.left -= int64(n)
	if l.left < 0 {
		return n, errTooLarge
	}
	return n, err
}

// inflater undoes a Content-Encoding.
type inflater func(io.Reader) (io.ReadCloser, error)

// inflaters are those of the codings that are known, nil for none.
var inflaters = map[string]inflater{
	"": nil, "identity": nil, "gzip": gunzip, "x-gzip": gunzip, "zstd": unzstd,
}

func gunzip(body io.Reader) (io.ReadCloser, error) { return gzip.NewReader(body) }

func unzstd(body io.Reader) (io.ReadCloser, error) {
	r, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return r.IOReadCloser(), nil
}
