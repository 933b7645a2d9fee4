// Package intake reads the file of a request into a spool, so that a slow client keeps no transaction open.
package intake

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"runtime"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/zstd"

	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/transport"
	"rollcall/domain"
	"rollcall/ports"
)

const (
	// chunk is the number of bytes of a body that are read at a time. Each connection needs that memory while its body arrives.
	chunk = 16 << 10

	// maxWindow bounds the memory, in bytes, that a zstd body may require. Levels up to 19 require 8 MiB.
	maxWindow = 32 << 20

	// maxRatio is the maximum ratio of a file's size to that of its compressed body. Files of people have ratios of 5 to 20, a gzip
	// bomb has 1,000.
	maxRatio = 200
)

// A Receiver receives the files of requests.
type Receiver struct {
	spools ports.SpoolStore
	limit  int64 // bytes of a body, and of the file that it inflates to

	// inflating bounds the bodies that are decompressed concurrently: a few bytes can require much memory.
	inflating chan struct{}
}

// NewReceiver returns a receiver of files of up to limit bytes.
func NewReceiver(spools ports.SpoolStore, limit int64) *Receiver {
	return &Receiver{spools, limit, make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1))}
}

// Limit returns the maximum size of a file, in bytes.
func (r *Receiver) Limit() int64 { return r.limit }

// Receive reads the file of a request into a spool, which the caller closes. It returns the number of bytes received, and the hint of a form,
// nil if the body is no form.
func (r *Receiver) Receive(c *fiber.Ctx) (file ports.Spool, hint *ports.FileHint, received int64, err error) {
	inflate, known := inflaters[strings.ToLower(c.Get(fiber.HeaderContentEncoding))]
	body, err := transport.NewBody(c, r.limit)
	switch {
	case err != nil:
		return nil, nil, 0, err
	case !known:
		return nil, nil, 0, problem.ErrEncoding
	case body == nil:
		return r.spools.New(), nil, 0, nil // an empty file, without a hint
	}
	if inflate == nil {
		file, hint, err = r.spool(c, body)
		return file, hint, body.Received(), err
	}
	file = r.spools.New()
	err = spoolAll(file, body, body.Length())
	if err == nil {
		file, err = r.inflate(c, file, r.limit, inflate, func(to ports.Spool, plain io.Reader) (err error) {
			hint, err = spoolBody(c, to, plain, -1)
			return err
		})
	}
	if err != nil {
		return nil, nil, 0, errors.Join(explain(body, err), file.Close())
	}
	return file, hint, body.Received(), nil
}

// spool reads a body that has no Content-Encoding. If its file is in gzip, the spool has the file that it inflates to.
func (r *Receiver) spool(c *fiber.Ctx, body *transport.Body) (ports.Spool, *ports.FileHint, error) {
	file := r.spools.New()
	hint, err := spoolBody(c, file, body, body.Length())
	if err == nil && isGzip(file) {
		file, err = r.inflate(c, file, r.limit, gunzip, spoolFile)
	}
	if err != nil {
		return nil, nil, errors.Join(explain(body, err), file.Close())
	}
	return file, hint, nil
}

// isGzip reports whether a file is in gzip.
func isGzip(file ports.Spool) bool {
	const signature = "\x1f\x8b\x08"
	head := make([]byte, len(signature))
	_, _ = file.Reader().Read(head) // a shorter file is in another format
	return string(head) == signature
}

// inflate replaces a spool with one that read fills with the file of up to limit bytes that it inflates to. It runs after the body has
// arrived, so that a slow client occupies no decoder.
func (r *Receiver) inflate(c *fiber.Ctx, compressed ports.Spool, limit int64, inflate inflater, read func(to ports.Spool, plain io.Reader) error) (ports.Spool, error) {
	select {
	case r.inflating <- struct{}{}:
		defer func() { <-r.inflating }()
	case <-c.UserContext().Done():
		return compressed, fmt.Errorf("inflate body: %w", c.UserContext().Err())
	}
	plain, err := inflate(compressed.Reader())
	if err != nil {
		return compressed, errDamaged(err)
	}
	defer plain.Close()
	limited := &limitedReader{plain, limit, transport.ErrTooLarge}
	if most := maxRatio * compressed.Size(); most < limit {
		limited = &limitedReader{plain, most, problem.ErrRatio}
	}
	file := r.spools.New()
	err = errors.Join(read(file, limited), compressed.Close())
	return file, err
}

// errDamaged returns the error of a file whose compressed data cannot be read.
func errDamaged(err error) error {
	return fmt.Errorf("%w: %w", &domain.BrokenFileError{Reason: "the compressed file is damaged or cut short; compress it again, or send it uncompressed"}, err)
}

// spoolBody copies a body, or the one file of a form, into a spool, and reads to the end. A negative length is unknown.
func spoolBody(c *fiber.Ctx, file ports.Spool, r io.Reader, length int64) (*ports.FileHint, error) {
	media, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || media != fiber.MIMEMultipartForm {
		return nil, spoolAll(file, r, length)
	}
	opened := false
	hints, err := spoolForm(newParts(r, params["boundary"]), func() (io.Writer, error) {
		if opened {
			return nil, problem.ErrSeveralFiles
		}
		opened = true
		return file, nil
	})
	if err != nil {
		return nil, err
	}
	return &hints[0], nil
}

// spoolFile copies a file into a spool.
func spoolFile(to ports.Spool, file io.Reader) error { return spoolAll(to, file, -1) }

// spoolAll copies a reader. A negative length is unknown.
func spoolAll(file io.Writer, r io.Reader, length int64) error {
	size := int64(chunk)
	if length > 0 {
		size = min(size, length)
	}
	_, err := io.CopyBuffer(file, struct{ io.Reader }{r}, make([]byte, size))
	return err
}

// explain returns the error that ended a body. If its end was proper, it returns the error of its content as problem.ErrBroken, unless
// that error has an answer of its own.
func explain(body *transport.Body, err error) error {
	if ended := body.Err(); ended != nil {
		return ended
	}
	for _, known := range []error{
		ports.ErrUnavailable, transport.ErrTooLarge, problem.ErrRatio, problem.ErrNoFile, problem.ErrSeveralFiles, problem.ErrField,
		problem.ErrDates, problem.ErrSheets, domain.ErrBrokenFile,
	} {
		if errors.Is(err, known) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", problem.ErrBroken, err)
}

// A limitedReader reads an inflated file. It returns the error beyond after left bytes.
type limitedReader struct {
	io.Reader

	left   int64
	beyond error
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, l.beyond
	}
	n, err := l.Reader.Read(p[:min(int64(len(p)), l.left+1)])
	l.left -= int64(n)
	switch {
	case l.left < 0:
		return n, l.beyond
	case err != nil && !errors.Is(err, io.EOF):
		return n, errDamaged(err)
	}
	return n, err
}

// An inflater undoes a Content-Encoding.
type inflater func(io.Reader) (io.ReadCloser, error)

// inflaters are the supported codings. Nil leaves the body unchanged.
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
