package postgres

import (
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// connectTimeout is how long one server of the URL may take to let a connection in before the next is tried, unless the URL
	// says so (connect_timeout). What lost its power refuses nothing: it is silent.
	connectTimeout = 3 * time.Second

	// goneAfter is how long the other side may be silent where it ought to answer. The system's own patience is a quarter of an
	// hour with a server that is gone in the middle of a request, and two hours with a client that holds locks.
	goneAfter = 20 * time.Second

	probeAfter, probes = 10 * time.Second, 3
	probeInterval      = (goneAfter - probeAfter) / probes
)

// noticeLoss has both sides notice when the other is gone without a word, as a machine is that lost its power or its network.
func noticeLoss(config *pgx.ConnConfig) {
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	dialer := &net.Dialer{
		Control:         boundSilence,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: probeAfter, Interval: probeInterval, Count: probes},
	}
	config.DialFunc = dialer.DialContext
	for name, value := range map[string]int64{
		"tcp_keepalives_idle": int64(probeAfter.Seconds()), "tcp_keepalives_interval": int64(probeInterval.Seconds()), "tcp_keepalives_count": probes,
		"tcp_user_timeout": goneAfter.Milliseconds(),
	} {
		if _, said := config.RuntimeParams[name]; !said {
			config.RuntimeParams[name] = strconv.FormatInt(value, 10)
		}
	}
}
