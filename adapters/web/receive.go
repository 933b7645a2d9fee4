package web

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

	"rollcall/ports"
)

const (
	// receiveChunk is how many bytes of a body are received at once. Each connection has as much memory for as long as it takes.
	receiveChunk = 16 << 10

	// maxWindow bounds how much memory a body compressed by zstd asks for. Its levels up to 19 need 8 MiB.
	maxWindow = 32 << 20
)

// maxRatio is how many times its size a compressed body may inflate to. Files of people inflate to 5 to 20 times; a bomb of
// gzip to 1,000.
const maxRatio = 200

var (
	errRatio    = errors.New("body inflates to too many times its size")
	errEncoding = errors.New("content encoding is not supported")
	errBroken   = errors.New("body is broken")
	errNoFile   = errors.New("form has no file")
)

// receiver takes in the files of requests.
type receiver struct {
	spools ports.SpoolStore
	limit  int64 // bytes that a body may have, and what it inflates to

	// inflating has room for those bodies that are inflated at once: what that takes in memory, a few bytes can ask for.
	inflating chan struct{}
}

func newReceiver(spools ports.SpoolStore, limit int64) *receiver {
	return &receiver{spools, limit, make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1))}
}

// receive spools the file of a request, so that a slow client holds no transaction. A form tells what its file is.
func (r *receiver) receive(c *fiber.Ctx, request *ports.ImportRequest) error {
	hint, sent, err := r.spool(c, request.File)
	if hint != nil {
		request.Hint = *hint
	}
	request.Sent = sent
	return err
}

// spool returns what a form tells of its file, and how many bytes were sent.
func (r *receiver) spool(c *fiber.Ctx, file ports.Spool) (*ports.FileHint, int64, error) {
	length := int64(c.Request().Header.ContentLength()) // negative when the body comes in chunks
	inflate, known := inflaters[strings.ToLower(c.Get(fiber.HeaderContentEncoding))]
	stream := c.Context().RequestBodyStream()
	switch {
	case length > r.limit:
		return nil, 0, errTooLarge
	case !known:
		return nil, 0, errEncoding
	case stream == nil:
		return nil, 0, nil // nothing is a file, and says nothing of itself
	}
	body := &body{stream: stream, conn: connOf(c), length: length, limit: r.limit}
	if inflate != nil {
		hint, err := r.receiveCompressed(c, body, inflate, file)
		return hint, body.read, err
	}
	hint, err := spoolFile(c, file, body, length)
	if err != nil {
		return nil, 0, body.explain(err)
	}
	bodyWasRead(c)
	return hint, body.read, nil
}

// receiveCompressed inflates a body when it is there, and not while it comes: a slow client holds no decoder.
func (r *receiver) receiveCompressed(c *fiber.Ctx, body *body, inflate inflater, file ports.Spool) (*ports.FileHint, error) {
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
	limited := &limitedReader{plain, r.limit, errTooLarge}
	if most := maxRatio * compressed.Size(); most < r.limit {
		limited = &limitedReader{plain, most, errRatio}
	}
	hint, err := spoolFile(c, file, limited, -1)
	if err != nil {
		return nil, explain(err)
	}
	return hint, nil
}

// spoolFile spools a file of a length that is likely, or negative, or the one of a form, and reads on to the end.
func spoolFile(c *fiber.Ctx, file ports.Spool, r io.Reader, length int64) (*ports.FileHint, error) {
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

// explain tells of what is in a body that it is broken, unless it is something else.
func explain(err error) error {
	if errors.Is(err, ports.ErrUnavailable) || errors.Is(err, errTooLarge) || errors.Is(err, errRatio) || errors.Is(err, errNoFile) {
		return err
	}
	return fmt.Errorf("%w: %w", errBroken, err)
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
