package transport

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gofiber/fiber/v2"
)

// The errors of a body.
var (
	ErrTooLarge = errors.New("body is too large")
	ErrCutShort = errors.New("connection ended inside the body")
	ErrTimeout  = errors.New("body took too long to arrive")
)

// A Body reads the body of a request. It ends with io.EOF only if the client completed it.
type Body struct {
	stream        io.Reader
	request       *fiber.Ctx
	length, limit int64 // in bytes; a negative length is unknown
	read          int64 // bytes
	err           error // that ended it
}

// NewBody returns the body of a request, nil if it has none. It returns ErrTooLarge if the announced length exceeds limit, in bytes.
func NewBody(c *fiber.Ctx, limit int64) (*Body, error) {
	length := int64(c.Request().Header.ContentLength()) // negative when the body arrives in chunks
	if length > limit {
		return nil, ErrTooLarge
	}
	stream := c.Context().RequestBodyStream()
	if stream == nil {
		return nil, nil //nolint:nilnil // a request without a body is valid
	}
	return &Body{stream: stream, request: c, length: length, limit: limit}, nil
}

// Length returns the number of bytes that the client announced, negative if it announced none.
func (b *Body) Length() int64 { return b.length }

// Received returns the number of bytes read so far.
func (b *Body) Received() int64 { return b.read }

// Err returns the error that ended the body. It is nil while the body is being read, and after a proper end.
func (b *Body) Err() error {
	if errors.Is(b.err, io.EOF) {
		return nil
	}
	return b.err
}

// Read implements io.Reader. fasthttp reports a connection that ends inside the body as an end of the body. A body of known length is
// then too short, and a chunked one lacks its last chunk, after which nothing more is read from the connection.
func (b *Body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.stream.Read(p)
	b.read += int64(n)
	switch {
	case b.read > b.limit:
		b.err = ErrTooLarge
	case err == nil:
		return n, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.err = ErrTimeout
	case !errors.Is(err, io.EOF):
		b.err = fmt.Errorf("%w: %w", ErrCutShort, err)
	case b.read < b.length, b.length < 0 && connOf(b.request).ended.Load():
		b.err = ErrCutShort
	default:
		b.err = io.EOF
		b.request.Locals(bodyReadKey, true)
	}
	return n, b.err
}

const bodyReadKey = "body_read"

// CloseAfterRest closes the connection after a request whose body was not read to its end: the server would take the rest for the
// next request. It does the same after trailers, because fasthttp accepts malformed lines in them.
func CloseAfterRest(c *fiber.Ctx) error {
	err := c.Next()
	const chunked = -1
	length, trailers := c.Request().Header.ContentLength(), c.Request().Header.PeekTrailerKeys()
	if (length > 0 || length == chunked) && c.Locals(bodyReadKey) == nil || len(trailers) > 0 {
		c.Context().SetConnectionClose()
		Linger(c)
	}
	return err
}
