package bootstrap

import (
	"fmt"
	"net/netip"

	sessions "github.com/gofiber/storage/postgres/v3"

	"rollcall/adapters/postgres"
)

// newSessions opens the table of sessions. The storage removes those that have expired. Its constructor panics where
// others return an error.
func newSessions(db *postgres.DB) (storage *sessions.Storage, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("open sessions: %v", p)
		}
	}()
	return sessions.New(sessions.Config{DB: db.Pool(), Table: "sessions", GCInterval: sweepInterval}), nil
}

// network is an address or a network, on the command line.
type network netip.Prefix

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *network) UnmarshalText(text []byte) error {
	prefix, err := netip.ParsePrefix(string(text))
	if err != nil {
		address, failed := netip.ParseAddr(string(text))
		if failed != nil {
			return fmt.Errorf("%q is neither an address nor a network like 10.0.0.0/8", text)
		}
		prefix = netip.PrefixFrom(address, address.BitLen())
	}
	*n = network(prefix)
	return nil
}

func prefixes(networks []network) []netip.Prefix {
	all := make([]netip.Prefix, len(networks))
	for i, n := range networks {
		all[i] = netip.Prefix(n)
	}
	return all
}
