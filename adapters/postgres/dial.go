package postgres

import (
	"net"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// connectTimeout is the time that one server of the URL has to accept a connection before the next is tried, unless the URL sets
	// connect_timeout. A server without power does not refuse connections: it stays silent.
	connectTimeout = 3 * time.Second

	// silenceTimeout is the time after which a peer that should answer and does not is given up. The system's own timeouts are a
	// quarter of an hour for a server that vanishes during a request, and two hours for a client that vanishes while it holds locks.
	silenceTimeout = 20 * time.Second

	// Keepalive probes find a peer that vanished while it had nothing to answer.
	probeAfter, probes = 10 * time.Second, 3
	probeInterval      = (silenceTimeout - probeAfter) / probes
)

// detectLoss makes both sides of a connection notice within silenceTimeout that the other one lost its power or its network.
func detectLoss(config *pgx.ConnConfig) {
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	dialer := &net.Dialer{
		Control:         setSilenceTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: probeAfter, Interval: probeInterval, Count: probes},
	}
	config.DialFunc = dialer.DialContext
	for name, value := range map[string]int64{
		"tcp_keepalives_idle": int64(probeAfter.Seconds()), "tcp_keepalives_interval": int64(probeInterval.Seconds()), "tcp_keepalives_count": probes,
		"tcp_user_timeout": silenceTimeout.Milliseconds(),
	} {
		if _, isSet := config.RuntimeParams[name]; !isSet {
			config.RuntimeParams[name] = strconv.FormatInt(value, 10)
		}
	}
}

// setSilenceTimeout bounds the time that sent data may stay unacknowledged. Only Linux can.
func setSilenceTimeout(network, _ string, c syscall.RawConn) (err error) {
	const tcpUserTimeout = 18 // of linux/tcp.h; package syscall does not have it
	if runtime.GOOS != "linux" || !strings.HasPrefix(network, "tcp") {
		return nil
	}
	controlErr := c.Control(func(socket uintptr) {
		err = syscall.SetsockoptInt(int(socket), syscall.IPPROTO_TCP, tcpUserTimeout, int(silenceTimeout.Milliseconds()))
	})
	if controlErr != nil {
		return controlErr
	}
	return err
}
