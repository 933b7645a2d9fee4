package web

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gofiber/fiber/v2"
)

var (
	errTooLarge = errors.New("body is too large")
	errCutShort = errors.New("connection ended inside of the body")
)

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

// limitedReader returns an error after as many bytes.
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
	if l.left < 0 {
		return n, l.beyond
	}
	return n, err
}

const bodyReadKey = "body_read"

// bodyWasRead notes that a handler has read the request's body to its end.
func bodyWasRead(c *fiber.Ctx) { c.Locals(bodyReadKey, true) }

// closeAfterRest ends the connection after a request whose body nobody has read to its end: on it the rest would be
// taken for the next request. It does so after trailers too: fasthttp takes lax lines in them.
func closeAfterRest(c *fiber.Ctx) error {
	err := c.Next()
	const chunked = -1
	length, trailers := c.Request().Header.ContentLength(), c.Request().Header.PeekTrailerKeys()
	if (length > 0 || length == chunked) && c.Locals(bodyReadKey) == nil || len(trailers) > 0 {
		c.Context().SetConnectionClose()
		connOf(c).lingers.Store(true)
	}
	return err
}
