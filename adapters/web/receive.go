package web

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"os"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/zstd"

	"rollcall/domain"
	"rollcall/ports"
)

const (
	// receiveChunk is how many bytes of a body are received at once.
	receiveChunk = 64 << 10

	// maxWindow bounds how much memory a body compressed by zstd asks for. Its levels up to 19 need 8 MiB.
	maxWindow = 32 << 20
)

var (
	errTooLarge    = errors.New("body is too large")
	errCutShort    = errors.New("connection ended inside of the body")
	errEncoding    = errors.New("content encoding is not supported")
	errCompression = errors.New("compressed body is broken")
	errNoFile      = errors.New("form has no file")
)

// receive spools the file of a request, so that a slow client holds no transaction. A form tells what its file is.
func receive(c *fiber.Ctx, file ports.Spool, limit int64) (*domain.FileHint, error) {
	length := int64(c.Request().Header.ContentLength()) // negative when the body comes in chunks
	if length > limit {
		return nil, errTooLarge
	}
	stream := c.Context().RequestBodyStream()
	if stream == nil {
		return nil, nil //nolint:nilnil // nothing is a file, and says nothing of itself
	}
	body := &body{stream: stream, conn: connOf(c), length: length, limit: limit}
	plain, err := inflate(body, c.Get(fiber.HeaderContentEncoding))
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	limited := &limitedReader{plain, limit}
	var hint *domain.FileHint
	if media, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType)); err == nil && media == fiber.MIMEMultipartForm {
		hint, err = receiveForm(multipart.NewReader(limited, params["boundary"]), file)
		if err != nil {
			return nil, body.explain(err)
		}
	} else if err := spoolAll(file, limited, length); err != nil {
		return nil, body.explain(err)
	}
	_, err = io.Copy(io.Discard, limited) // what stands behind a form
	if err == nil {
		_, err = io.Copy(io.Discard, body) // what stands behind a compressed file
	}
	if err != nil {
		return nil, body.explain(err)
	}
	bodyWasRead(c)
	return hint, nil
}

// spoolAll copies a file of a length that is likely, or negative.
func spoolAll(file ports.Spool, r io.Reader, length int64) error {
	size := int64(receiveChunk)
	if length > 0 {
		size = min(size, length)
	}
	_, err := io.CopyBuffer(file, struct{ io.Reader }{r}, make([]byte, size))
	return err
}

// receiveForm spools the first file of a form.
func receiveForm(form *multipart.Reader, file ports.Spool) (*domain.FileHint, error) {
	var hint *domain.FileHint
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read form: %w", err)
		}
		if part.FileName() == "" || hint != nil {
			continue
		}
		hint = &domain.FileHint{Name: part.FileName()}
		err = spoolAll(file, part, -1)
		if err != nil {
			return nil, fmt.Errorf("read file of form: %w", err)
		}
	}
	if hint == nil {
		return nil, errNoFile
	}
	return hint, nil
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
	switch {
	case b.err != nil && !errors.Is(b.err, io.EOF):
		return b.err
	case errors.Is(err, ports.ErrUnavailable), errors.Is(err, errTooLarge), errors.Is(err, errNoFile):
		return err
	}
	return fmt.Errorf("%w: %w", errCompression, err)
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

// inflate undoes a Content-Encoding.
func inflate(body io.Reader, encoding string) (io.ReadCloser, error) {
	switch strings.ToLower(encoding) {
	case "", "identity":
		return io.NopCloser(body), nil
	case "gzip", "x-gzip":
		r, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errCompression, err)
		}
		return r, nil
	case "zstd":
		r, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errCompression, err)
		}
		return r.IOReadCloser(), nil
	}
	return nil, errEncoding
}
