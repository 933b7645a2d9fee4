package client

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
)

// probeTimeout bounds a look at what a server speaks.
const probeTimeout = 5 * time.Second

// newHTTPClient returns a client that follows no redirect, because a redirect would repeat the request as a GET without the file.
// The client uses no proxy for requests to this machine. It trusts the authorities of the system and those in caFile, if it is not empty.
func newHTTPClient(caFile string) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is net/http's own
	transport.Proxy = func(request *http.Request) (*url.URL, error) {
		if isThisMachine(request.URL.Hostname()) {
			return nil, nil //nolint:nilnil // nil means no proxy
		}
		return http.ProxyFromEnvironment(request)
	}
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("--ca-file: %w", err)
		}
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("invalid --ca-file %q: expected certificates in PEM", caFile)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// explain adds to an error of a request what to try. It returns a temporaryError if a retry can succeed.
func (c *Client) explain(ctx context.Context, err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // without the method and the address
	}
	op, _ := errors.AsType[*net.OpError](err)
	dns, isDNS := errors.AsType[*net.DNSError](err)
	network, isNetwork := errors.AsType[net.Error](err)
	_, isUntrusted := errors.AsType[x509.UnknownAuthorityError](err)
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case isUntrusted:
		return fmt.Errorf("%w: if you trust the server, add the certificate of its authority with --ca-file", err)
	case isCertificate:
		return fmt.Errorf("%w: check the name in --server and the clock of this machine", err)
	case errors.Is(err, http.ErrSchemeMismatch):
		return c.schemeError("HTTP", "HTTPS")
	case op != nil && op.Op == "proxyconnect":
		err = fmt.Errorf("%w: check the proxy in HTTP_PROXY or HTTPS_PROXY, or add the server to NO_PROXY", err)
	case isDNS && dns.IsNotFound:
		return fmt.Errorf("no server has the name %q: check --server", c.server.Hostname())
	case isDNS:
		err = fmt.Errorf("%w: check the network, and the name in --server", err)
	case errors.Is(err, syscall.ECONNREFUSED):
		err = fmt.Errorf("no server listens on %s (connection refused): check that the server runs, and the port in --server", c.server.Host)
	case isNetwork && network.Timeout():
		err = fmt.Errorf("%s does not answer (%w): check --server, the network and its firewalls", c.server.Host, err)
	case op != nil && op.Op == "dial":
		err = fmt.Errorf("%w: check --server and the network", err)
	case c.speaksTLS(ctx):
		return c.schemeError("HTTPS", "HTTP")
	default:
		err = fmt.Errorf("send: %w", err)
	}
	return &temporaryError{cause: err}
}

// explainResponse adds to the error of a response that is not from Rollcall what to try.
func (c *Client) explainResponse(ctx context.Context, response *http.Response, err error) error {
	if !errors.Is(err, errNotRollcall) {
		return err
	}
	location, noLocation := response.Location()
	switch {
	case noLocation == nil && strings.HasSuffix(location.Path, "/useradd"):
		location.RawQuery = ""
		return fmt.Errorf("%s: the server has moved: use --server %s", response.Status, strings.TrimSuffix(location.String(), "/useradd"))
	case response.StatusCode == http.StatusBadRequest && c.speaksTLS(ctx): // some servers answer HTTP on a port for HTTPS
		return c.schemeError("HTTPS", "HTTP")
	}
	return err
}

// speaksTLS reports whether a server with an address for HTTP speaks TLS.
func (c *Client) speaksTLS(ctx context.Context) bool {
	if c.server.Scheme != "http" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(c.server.Hostname(), cmp.Or(c.server.Port(), "80")))
	if err == nil {
		_ = conn.Close()
	}
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	return err == nil || isCertificate
}

// schemeError returns the error of an address with the other scheme. It names the right address.
func (c *Client) schemeError(is, isNot string) error {
	other := *c.server
	other.Scheme = strings.ToLower(is)
	return fmt.Errorf("%s speaks %s, not %s: use --server %s", c.server.Host, is, isNot, other.Redacted())
}
