package bootstrap

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/idna"

	"rollcall/adapters/web"
	"rollcall/domain"
)

// registrationOpen is --registration where visitors may register.
const registrationOpen = "open"

// accessFlags say who gets to what, and how.
type accessFlags struct {
	UseraddAccess web.UseraddAccess    `env:"ROLLCALL_USERADD_ACCESS" enum:"open,token,session" default:"open" placeholder:"WHO" help:"Who may post to /useradd: 'open' is everybody, 'token' who has one of 'rollcall token create', 'session' also users who are signed in with a browser and see reports; with open registration, that is anyone who registers (${default})."`
	Registration  string               `env:"ROLLCALL_REGISTRATION" enum:"open,closed" default:"open" placeholder:"STATE" help:"Whether visitors may register at /register, open or closed (${default})."`
	ReportsAccess domain.ReportsAccess `env:"ROLLCALL_REPORTS_ACCESS" enum:"any,operators" default:"any" placeholder:"WHO" help:"Which signed-in users see the reports of imports: ${enum} (${default}). Uploads, their passwords and rejected records are always for operators."`

	TemporaryPasswords web.PasswordPolicy `env:"ROLLCALL_TEMPORARY_PASSWORDS" enum:"must-change,may-change" default:"must-change" placeholder:"POLICY" help:"What a user does who signs in with a temporary password: 'must-change' chooses another one before anything else, and uses the temporary one in one browser; 'may-change' signs in with it until it expires (${default})."`

	TLSCert string `name:"tls-cert" env:"ROLLCALL_TLS_CERT" type:"path" placeholder:"FILE" help:"Certificate to serve HTTPS with, in PEM, followed by those of its issuers. It is read again when it was renewed."`
	TLSKey  string `name:"tls-key" env:"ROLLCALL_TLS_KEY" type:"path" placeholder:"FILE" help:"Private key of the certificate, in PEM."`

	Hosts          []hostName `name:"host" env:"ROLLCALL_HOST" placeholder:"NAME" help:"Host name that the server answers to, such as people.example; repeat it for more. Requests for other names get 421. By default a server that listens on a loopback address answers to the names of loopback alone, and any other to every name."`
	TrustedProxies []network  `name:"trusted-proxy" env:"ROLLCALL_TRUSTED_PROXY" placeholder:"NETWORK" help:"Address or network (10.0.0.0/8) of a proxy whose X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host are believed; of others they are ignored."`

	warned sync.Once
}

func (f *accessFlags) check() error {
	if (f.TLSCert == "") != (f.TLSKey == "") {
		return errors.New("--tls-cert, --tls-key: one needs the other")
	}
	return nil
}

// warnOfProxy says what follows from a peer that forwards requests and is not trusted. A proxy makes the service reachable
// for others, whatever address it listens on.
func (f *accessFlags) warnOfProxy(peer netip.Addr, log *slog.Logger) {
	text := "ignored the X-Forwarded headers of a peer that is not a --trusted-proxy; if it is yours, name it: until then all clients behind it count as one address"
	if f.TLSCert == "" {
		text += ", and cookies are not Secure"
	}
	log.Warn(text, "peer", peer)
	f.warn(log)
}

func isLoopback(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// hosts returns the host names that a server on an address answers to. Those of loopback lead nowhere else, so they are safe there.
func (f *accessFlags) hosts(address net.Addr, log *slog.Logger) web.Hosts {
	hosts := web.Hosts{Loopback: isLoopback(address)}
	for _, name := range f.Hosts {
		hosts.Names = append(hosts.Names, string(name))
	}
	if !hosts.Loopback && hosts.Names == nil {
		log.Warn("requests for every host name are answered, so pages of other sites can reach this server by DNS rebinding; set --host to its names")
	}
	return hosts
}

// warn says, once, what the defaults, which are meant for this machine alone, permit to others who can reach the service.
func (f *accessFlags) warn(log *slog.Logger) {
	f.warned.Do(func() { f.warnOfOpenDoors(log) })
}

func (f *accessFlags) warnOfOpenDoors(log *slog.Logger) {
	if f.UseraddAccess == web.AccessOpen {
		log.Warn("everybody who can reach this address may post to /useradd; --useradd-access token asks them for a token")
	}
	if f.Registration == registrationOpen && f.ReportsAccess == domain.ReportsForAny {
		log.Warn("everybody who registers here sees the reports, with those who were refused; --reports-access operators keeps them out")
	}
}

// tls reads the certificate; nil is for HTTP without TLS.
func (f *accessFlags) tls(log *slog.Logger) (*tls.Config, error) {
	if f.TLSCert == "" {
		return nil, nil //nolint:nilnil // see above
	}
	certificate, err := web.NewCertificate(web.CertificateConfig{CertFile: f.TLSCert, KeyFile: f.TLSKey, Now: time.Now, Log: log})
	if err != nil {
		return nil, err
	}
	return certificate.Config(), nil
}

// scheme is what addresses of the service begin with.
func (f *accessFlags) scheme() string {
	if f.TLSCert == "" {
		return "http"
	}
	return "https"
}

// hostName is a host name on the command line, in the form of web.HostName.
type hostName string

var (
	hostNames = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false)) // names of containers may have underscores
	isHost    = regexp.MustCompile(`^[a-z0-9._-]{1,253}$`).MatchString
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *hostName) UnmarshalText(text []byte) error {
	address, err := netip.ParseAddr(strings.Trim(string(text), "[]"))
	if err == nil {
		*h = hostName(web.HostName(address.String()))
		return nil
	}
	name, err := hostNames.ToASCII(string(text))
	if err != nil || !isHost(name) {
		return fmt.Errorf("invalid host name %q: expected a name such as people.example, or an address, without scheme and port", text)
	}
	*h = hostName(web.HostName(name))
	return nil
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
