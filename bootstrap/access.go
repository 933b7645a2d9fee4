package bootstrap

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"rollcall/adapters/tlscert"
	"rollcall/adapters/web/api"
	"rollcall/adapters/web/guard"
	"rollcall/domain"
)

// warnOfProxy warns about a peer that sends X-Forwarded headers and is not trusted. A proxy makes the server reachable from other
// machines, even if it listens on a loopback address.
func (cmd *serveCommand) warnOfProxy(peer netip.Addr, log *slog.Logger) {
	message := "ignored X-Forwarded headers of an untrusted peer; if it is your proxy, set --trusted-proxy, because all its clients count as one address"
	if cmd.TLSCert == "" {
		message += " and cookies lack the Secure attribute"
	}
	log.Warn(message, "peer", peer)
	cmd.warnOfOpenAccess(log)
}

func isLoopback(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// hosts returns the host names that a server on an address answers to. On a loopback address these include the names of loopback.
func (f *serverFlags) hosts(address net.Addr, log *slog.Logger) guard.Hosts {
	hosts := guard.Hosts{Loopback: isLoopback(address)}
	for _, name := range f.Hosts {
		hosts.Names = append(hosts.Names, string(name))
	}
	if !hosts.Loopback && hosts.Names == nil {
		log.Warn("the server answers to any host name, so pages of other sites can reach it by DNS rebinding; set --host to its names")
	}
	return hosts
}

// warnOfOpenAccess logs once what the current flags permit to anyone who can reach the server. Their defaults suit a server that
// only this machine can reach.
func (cmd *serveCommand) warnOfOpenAccess(log *slog.Logger) {
	cmd.warned.Do(func() {
		if cmd.UseraddAccess == api.AccessOpen {
			log.Warn("POST /useradd is open to anyone who can reach this address; set --useradd-access=token to require a token")
		}
		if cmd.Registration == registrationOpen && cmd.ReportsAccess == domain.ReportsForAny {
			log.Warn("anyone who registers may see reports, with the logins of rejected records; set --reports-access=operators to restrict them")
		}
	})
}

// tls loads the certificate. It returns nil for plain HTTP.
func (f *serverFlags) tls(log *slog.Logger) (*tls.Config, error) {
	if f.TLSCert == "" {
		return nil, nil //nolint:nilnil // nil means plain HTTP
	}
	certificate, err := tlscert.New(tlscert.Config{CertFile: f.TLSCert, KeyFile: f.TLSKey, Now: time.Now, Log: log})
	if err != nil {
		return nil, err
	}
	return certificate.TLS(), nil
}

// scheme returns the scheme of the server's URLs.
func (f *serverFlags) scheme() string {
	if f.TLSCert == "" {
		return "http"
	}
	return "https"
}

// A hostName is a host name on the command line, in the form of guard.HostName.
type hostName string

var (
	hostNames = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false)) // names of containers may contain underscores
	isHost    = regexp.MustCompile(`^[a-z0-9._-]{1,253}$`).MatchString
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *hostName) UnmarshalText(text []byte) error {
	address, err := netip.ParseAddr(strings.Trim(string(text), "[]"))
	if err == nil {
		*h = hostName(guard.HostName(address.String()))
		return nil
	}
	name, err := hostNames.ToASCII(string(text))
	if err != nil || !isHost(name) {
		return fmt.Errorf("invalid host name %q: expected a name such as people.example or an IP address, without scheme and port", text)
	}
	*h = hostName(guard.HostName(name))
	return nil
}

// A network is a network on the command line. An address stands for the network that contains only it.
type network netip.Prefix

// String implements fmt.Stringer.
func (n network) String() string { return netip.Prefix(n).String() }

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *network) UnmarshalText(text []byte) error {
	prefix, err := netip.ParsePrefix(string(text))
	if err != nil {
		address, failed := netip.ParseAddr(string(text))
		if failed != nil {
			return fmt.Errorf("invalid network %q: expected an address or a network such as 10.0.0.0/8", text)
		}
		address = address.Unmap().WithZone("")
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
