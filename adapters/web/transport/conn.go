package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
)

const (
	// slowest is the rate, in bytes a second, at which a client may send or receive without a time limit.
	slowest = 1 << 10

	// lingerTime is the time for which the server reads what a client still sends after its answer.
	lingerTime = 5 * time.Second

	// handshakeTimeout bounds a TLS handshake.
	handshakeTimeout = 10 * time.Second

	// fileChunk is the number of bytes of a file that are sent between two extensions of the deadline.
	fileChunk = 64 << 10
)

// A conn is the connection of a client. Over TLS it carries the decrypted bytes.
type conn struct {
	net.Conn

	ended   atomic.Bool // nothing more can be read
	lingers atomic.Bool // after its last answer

	head     head
	watcher  *watcher
	closed   func() // called when the connection is closed
	patience time.Duration
	deadline atomic.Int64 // of the wait for a request, or of the request, in nanoseconds of Unix time; 0 for none
	received atomic.Int64 // bytes since deadline was set
}

// A tlsConn adds the methods by which fasthttp recognizes TLS.
type tlsConn struct {
	*conn

	tls *tls.Conn
	ctx context.Context //nolint:containedctx // of the handshake
}

// Handshake performs the TLS handshake. fasthttp calls it in the goroutine of the connection, so a slow one delays no other client.
func (c *tlsConn) Handshake() error {
	ctx, cancel := context.WithTimeout(c.ctx, handshakeTimeout)
	defer cancel()
	c.head = head{} // fasthttp sets a deadline for the handshake, too
	return c.tls.HandshakeContext(ctx)
}

// ConnectionState returns the result of the handshake.
func (c *tlsConn) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }

// connOf returns the connection of a request.
func connOf(c *fiber.Ctx) *conn { return ownConn(c.Context().Conn()) }

func ownConn(c net.Conn) *conn {
	switch own := c.(type) {
	case *conn:
		return own
	case *tlsConn:
		return own.conn
	}
	panic("the server's listener was not wrapped")
}

// Linger makes the connection of a request read what the client still sends after the last answer, for lingerTime.
func Linger(c *fiber.Ctx) { connOf(c).lingers.Store(true) }

// Read implements io.Reader. TLS may return the last bytes together with the end. Read then reports the end at the next call, so that
// a body which these bytes complete is not taken for one that was cut short.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.head.read(p[:n])
		c.extendDeadline(int64(n))
		return n, nil
	}
	if err != nil {
		c.ended.Store(true)
	}
	return n, err
}

// SetReadDeadline implements net.Conn. fasthttp calls it when it starts to wait for a request, and when a request starts.
func (c *conn) SetReadDeadline(t time.Time) error {
	deadline := int64(0)
	if !t.IsZero() {
		deadline = t.UnixNano()
	}
	c.deadline.Store(deadline)
	c.received.Store(0)
	c.head.await()
	return c.Conn.SetReadDeadline(t)
}

// extendDeadline gives a request another second for each slowest bytes received.
func (c *conn) extendDeadline(n int64) {
	deadline, received := c.deadline.Load(), c.received.Add(n)
	if deadline != 0 && received/slowest > (received-n)/slowest {
		_ = c.Conn.SetReadDeadline(time.Unix(0, deadline).Add(time.Duration(received/slowest) * time.Second))
	}
}

// Write implements io.Writer.
func (c *conn) Write(p []byte) (int, error) {
	c.extendWriting(len(p))
	return c.Conn.Write(p)
}

func (c *conn) extendWriting(bytes int) {
	_ = c.SetWriteDeadline(time.Now().Add(c.patience + time.Duration(bytes/slowest)*time.Second)) // a failure shows in the write
}

// ReadFrom implements io.ReaderFrom, so that the system can copy a file to the network.
func (c *conn) ReadFrom(r io.Reader) (int64, error) {
	for sent := int64(0); ; {
		c.extendWriting(fileChunk)
		n, err := io.CopyN(c.Conn, r, fileChunk)
		sent += n
		if errors.Is(err, io.EOF) {
			return sent, nil
		}
		if err != nil {
			return sent, err
		}
	}
}

// Close closes the connection. One that lingers first closes its sending side and reads what the client still sends: otherwise the
// client's system would meet a closed port and discard the answer unread.
func (c *conn) Close() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || !c.lingers.Swap(false) {
		return c.end()
	}
	err := half.CloseWrite()
	if err != nil {
		return c.end()
	}
	go func() {
		_ = c.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.Copy(io.Discard, c.Conn)
		_ = c.end()
	}()
	return nil
}

func (c *conn) end() error {
	defer c.closed()
	return c.Conn.Close()
}

// isClosedByClient reports whether the client has closed the connection, or its sending side, as far as the system knows.
func (c *conn) isClosedByClient() bool {
	inner := c.Conn
	if secured, ok := inner.(*tls.Conn); ok {
		inner = secured.NetConn()
	}
	socket, ok := inner.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return true
	}
	closed := false
	err = raw.Control(func(fd uintptr) { closed = isHungUp(fd) })
	return closed || err != nil
}
