// Package transport adds to fasthttp what net/http has: timeouts for slow clients, contexts that end with the connection, strict checks of
// heads and bodies, and the addresses of clients behind proxies. It does not depend on the domain.
package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"syscall"
	"time"
)

const (
	// shortagePause is the time between two attempts to accept a connection while the system has no room for one more.
	shortagePause = 50 * time.Millisecond

	// crowdedInterval is the minimal time between two log lines about addresses that have their share of all connections.
	crowdedInterval = time.Minute
)

// Config describes the connections of a server.
type Config struct {
	TLS            *tls.Config   // nil for plain HTTP
	ClientTimeout  time.Duration // for a request to arrive, plus a second for each KiB sent or received
	MaxConnections int           // one address may have a tenth, unless it is a trusted proxy's
	Proxies        Proxies

	// UntrustedProxy is called once, with the address of the first peer that sends X-Forwarded headers and is not a trusted proxy.
	UntrustedProxy func(peer netip.Addr)
}

// A listener accepts connections that record what fasthttp does not report: the state of the head, and the end of the client's bytes.
type listener struct {
	net.Listener

	cfg     Config
	shares  *shares
	watcher *watcher
	log     *slog.Logger
	crowded *Sampler

	handshakes context.Context //nolint:containedctx // of TLS; it ends with the server
}

// Listen returns a listener that accepts the connections of l for a server. TLS handshakes fail when ctx ends.
func Listen(ctx context.Context, l net.Listener, cfg Config, log *slog.Logger) net.Listener {
	return listener{l, cfg, newShares(cfg.MaxConnections, cfg.Proxies), newWatcher(), log, NewSampler(crowdedInterval, time.Now), ctx}
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
		if leftOut, ok := l.crowded.Pass(); ok {
			l.log.Warn("connection closed: its address has its share of all connections",
				"address", address.Addr(), "share", l.shares.limit, "left_out", leftOut)
		}
	}
}

// accept waits while the system does not let the program open another connection. fasthttp would take that error for the end of the
// listener.
func (l listener) accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	for isFull := false; err != nil && isShortage(err); c, err = l.Listener.Accept() {
		if !isFull {
			l.log.Error("accepting connections failed; waiting until the system has room", "error", err)
		}
		isFull = true
		time.Sleep(shortagePause)
	}
	return c, err
}

func (l listener) wrap(c net.Conn, closed func()) net.Conn {
	if l.cfg.TLS == nil {
		return &conn{Conn: c, watcher: l.watcher, patience: l.cfg.ClientTimeout, closed: closed}
	}
	secured := tls.Server(c, l.cfg.TLS)
	return &tlsConn{&conn{Conn: secured, watcher: l.watcher, patience: l.cfg.ClientTimeout, closed: closed}, secured, l.handshakes}
}

// isShortage reports whether an error passes when other files and connections are closed.
func isShortage(err error) bool {
	for _, shortage := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, shortage) {
			return true
		}
	}
	return false
}
