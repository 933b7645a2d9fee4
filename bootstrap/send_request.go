package bootstrap

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// newClient makes a client that follows no redirect: it would come as a GET, without the file. It asks no proxy for what does not
// leave this machine.
func newClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is net/http's own
	transport.Proxy = func(request *http.Request) (*url.URL, error) {
		if isThisMachine(request.URL.Hostname()) {
			return nil, nil //nolint:nilnil // for no proxy
		}
		return http.ProxyFromEnvironment(request)
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// isThisMachine reports whether a host is this machine, by its name (RFC 6761) or address.
func isThisMachine(host string) bool {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	address, err := netip.ParseAddr(name)
	if err == nil {
		return address.Unmap().IsLoopback()
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// key returns the Idempotency-Key of a request: the same whenever the same user asks the same of the same server. Whoever else
// has the file must not get the answer with its passwords. A dry run has none.
func (s *sender) key(file *input) (string, error) {
	if s.DryRun || s.Key != "" {
		return s.Key, nil
	}
	secret, err := userSecret()
	if err != nil {
		return "", fmt.Errorf("%w; give any --key, and the same one to try again", err)
	}
	hash := hmac.New(sha256.New, secret)
	fmt.Fprintf(hash, "%q %q %q %t\n", s.address, file.mediaType, file.encoding, s.Strict)
	_, err = io.Copy(hash, file.reader())
	if err != nil {
		return "", fmt.Errorf("read: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// userSecret is made when there is none.
func userSecret() ([]byte, error) {
	dir, err := os.UserConfigDir()
	if err == nil {
		dir = filepath.Join(dir, "rollcall")
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return nil, fmt.Errorf("there is no folder for a secret, which HOME would name (%w)", err)
	}
	return secretKey(nil).load(dir)
}

// post sends a file once. It returns a temporaryError where another attempt may come to more.
func (s *sender) post(ctx context.Context, name string, file *input, key string, credentials *credentialsFile) (*answer, error) {
	shown := newProgress(s.std.err, name)
	defer shown.end()
	body := &sentFile{file: shown.sending(file.reader())}
	defer body.end()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	request.ContentLength = file.size
	request.Header.Set("Accept", mimeLines+", "+mimeProblem+";q=0.9, "+mimeJSON+";q=0.5")
	request.Header.Set("Content-Type", file.mediaType)
	if file.encoding != "" {
		request.Header.Set("Content-Encoding", file.encoding)
	}
	if s.Token != "" {
		request.Header.Set("Authorization", "Bearer "+s.Token)
	}
	if s.Strict {
		request.Header.Set("Prefer", "handling=strict")
	}
	if s.DryRun {
		request.URL.RawQuery = "dry_run=true"
	} else {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := s.client.Do(request)
	if err != nil {
		err = fmt.Errorf("send: %w", withoutURL(err))
		if isForGood(err) {
			return nil, err
		}
		return nil, &temporaryError{cause: err}
	}
	defer response.Body.Close()
	err = credentials.restart()
	if err != nil {
		return nil, err
	}
	got := newAnswer(response)
	err = s.read(response, got, credentials, shown)
	if again, ok := errors.AsType[*temporaryError](err); ok {
		again.after = retryAfter(response.Header.Get("Retry-After"), s.clock.now())
	}
	return got, err
}

// sentFile is the file of one request. Where the answer comes early, the client goes on reading it for a while: until its end,
// after which the file may be closed.
type sentFile struct {
	mu   sync.Mutex
	file io.Reader // nil after the end
}

// Read implements io.Reader.
func (f *sentFile) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return 0, fs.ErrClosed
	}
	return f.file.Read(p)
}

func (f *sentFile) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.file = nil
}

// withoutURL takes the method and the address, which the user knows, away from a client's error.
func withoutURL(err error) error {
	if it, ok := errors.AsType[*url.Error](err); ok {
		return it.Err
	}
	return err
}

// isForGood tells of errors that are of the address: no attempt will be luckier.
func isForGood(err error) bool {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.IsNotFound
	}
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	return untrusted || errors.Is(err, http.ErrSchemeMismatch)
}
