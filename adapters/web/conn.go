package web

import (
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
)

// lingerTime is how long a client that still sends is listened to after it was answered.
const lingerTime = 5 * time.Second

// listener makes connections that know what fasthttp does not tell of them.
type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

type conn struct {
	net.Conn

	ended   atomic.Bool // nothing more can be read of it
	lingers atomic.Bool
}

// connOf returns the connection that a request came on.
func connOf(c *fiber.Ctx) *conn {
	own, ok := c.Context().Conn().(*conn)
	if !ok {
		panic("the server's listener was not wrapped")
	}
	return own
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		c.ended.Store(true)
	}
	return n, err
}

// ReadFrom implements io.ReaderFrom: a file goes from disk to network without a detour.
func (c *conn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// Close of a connection that lingers ends what is written, and for a while takes in what the client still sends: else the
// client's system would meet a closed port, and throw the answer away unread.
func (c *conn) Close() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || !c.lingers.Swap(false) {
		return c.Conn.Close()
	}
	err := half.CloseWrite()
	if err != nil {
		return c.Conn.Close()
	}
	go func() {
		_ = c.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.Copy(io.Discard, c.Conn)
		_ = c.Conn.Close()
	}()
	return nil
}
