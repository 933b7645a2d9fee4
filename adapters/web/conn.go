package web

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
)

const (
	// slowest is how many bytes a second a client may send, or receive, for as long as it likes.
	slowest = 1 << 10

	// lingerTime is how long a client that still sends is listened to after it was answered.
	lingerTime = 5 * time.Second

	// shortagePause is how long no connection is accepted when there is no room for one more.
	shortagePause = 50 * time.Millisecond

	// handshakeTimeout is how long a client may take to agree on TLS.
	handshakeTimeout = 10 * time.Second
)

// listener makes connections that know what fasthttp does not tell of them.
type listener struct {
	net.Listener

	tls      *tls.Config   // nil for connections without TLS
	patience time.Duration // with clients that are slower than slowest
	shares   *shares
	log      *slog.Logger
	tooMany  *sampler // of connections beyond an address's share

	handshakes context.Context //nolint:containedctx // which ends with the server
}

// Accept implements net.Listener. It closes connections of addresses that have their share.
func (l listener) Accept() (net.Conn, error) {
	for {
		c, err := l.accept()
		if err != nil {
			return nil, err
		}
		address, giveBack, ok := l.shares.take(c.RemoteAddr())
		if ok {
			return l.wrap(c, giveBack), nil
		}
		_ = c.Close()
		if leftOut, ok := l.tooMany.pass(); ok {
			l.log.Warn("connection closed: its address has its share of all connections",
				"address", address.Addr(), "share", l.shares.most, "left_out", leftOut)
		}
	}
}

// accept waits where the system lets the program open no more connections, until there is room again, and logs that it does:
// fasthttp would take the error for the listener's end.
func (l listener) accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	for isFull := false; err != nil && isShortage(err); c, err = l.Listener.Accept() {
		if !isFull {
			l.log.Error("connections wait, as the system lets the program open no more", "error", err)
		}
		isFull = true
		time.Sleep(shortagePause)
	}
	return c, err
}

func (l listener) wrap(c net.Conn, closed func()) net.Conn {
	if l.tls == nil {
		return &conn{Conn: c, patience: l.patience, closed: closed}
	}
	secured := tls.Server(c, l.tls)
	return &tlsConn{&conn{Conn: secured, patience: l.patience, closed: closed}, secured, l.handshakes}
}

// isShortage tells of an error that passes when others close what they have open.
func isShortage(err error) bool {
	for _, shortage := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, shortage) {
			return true
		}
	}
	return false
}

// conn is a connection. Over TLS it is what was decrypted: that is what a body is read from, and ends with.
type conn struct {
	net.Conn

	ended   atomic.Bool // nothing more can be read of it
	lingers atomic.Bool

	head     head
	closed   func() // called when it is
	patience time.Duration
	deadline atomic.Int64 // for the next request to begin, or to be there, in nanoseconds of Unix time; 0 for none
	received atomic.Int64 // bytes since it was set
}

// tlsConn has what fasthttp knows TLS by.
type tlsConn struct {
	*conn

	tls *tls.Conn
	ctx context.Context //nolint:containedctx // of the handshake
}

// Handshake agrees on TLS. fasthttp calls it where the connection is served, so that nobody else waits for it.
func (c *tlsConn) Handshake() error {
	ctx, cancel := context.WithTimeout(c.ctx, handshakeTimeout)
	defer cancel()
	c.head = head{} // fasthttp sets a deadline for this, too
	return c.tls.HandshakeContext(ctx)
}

// ConnectionState tells what was agreed on.
func (c *tlsConn) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }

// connOf returns the connection that a request came on.
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

// Read implements io.Reader. TLS may return the last bytes together with the end, which comes again when they are read: a
// body that they complete was not cut short.
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

// SetReadDeadline implements net.Conn. fasthttp calls it where it begins to wait for a request, and where one begins.
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

// extendDeadline gives a request another second for each slowest bytes of it that are there.
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
	_ = c.SetWriteDeadline(time.Now().Add(c.patience + time.Duration(bytes/slowest)*time.Second)) // whose error writing has, too
}

// ReadFrom implements io.ReaderFrom: a file goes from disk to network without a detour.
func (c *conn) ReadFrom(r io.Reader) (int64, error) {
	for sent := int64(0); ; {
		c.extendWriting(answerChunk)
		n, err := io.CopyN(c.Conn, r, answerChunk)
		sent += n
		if errors.Is(err, io.EOF) {
			return sent, nil
		}
		if err != nil {
			return sent, err
		}
	}
}

// Close of a connection that lingers ends what is written, and for a while takes in what the client still sends: else the
// client's system would meet a closed port, and throw the answer away unread.
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

// lookInterval is how often a connection is looked at while a long request is worked on.
const lookInterval = 250 * time.Millisecond

var errClientGone = errors.New("client closed the connection")

// whileOpen returns a context that ends with errClientGone when the client closes the connection, and a function that ends
// the watch. fasthttp reads nothing of a connection while a request is worked on, and so does not notice.
func (c *conn) whileOpen(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	watch := time.AfterFunc(lookInterval, func() { // most requests are answered before
		ticker := time.NewTicker(lookInterval)
		defer ticker.Stop()
		for !c.isClosedByClient() {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
		cancel(errClientGone)
	})
	return ctx, func() {
		watch.Stop()
		cancel(nil)
	}
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
