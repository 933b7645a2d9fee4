package faults_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A balancer spreads requests over the servers that are ready. It never sends a request twice.
type balancer struct {
	servers   []*server
	ready     []atomic.Bool
	next      atomic.Int64
	transport http.Transport
}

// balance probes the servers for readiness until the test ends.
func balance(t *testing.T, interval time.Duration, servers ...*server) *balancer {
	t.Helper()
	b := &balancer{servers: servers, ready: make([]atomic.Bool, len(servers))}
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	for i, s := range servers {
		group.Go(func() {
			for ctx.Err() == nil {
				b.ready[i].Store(s.isReady(ctx))
				select {
				case <-ctx.Done():
				case <-time.After(interval):
				}
			}
		})
	}
	t.Cleanup(func() { cancel(); group.Wait() })
	return b
}

// isReady probes a server for readiness.
func (s *server) isReady(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// waitReady waits until server i passes its probe.
func (b *balancer) waitReady(t *testing.T, i int) {
	t.Helper()
	require.Eventually(t, b.ready[i].Load, time.Minute, 10*time.Millisecond)
}

// RoundTrip implements http.RoundTripper.
func (b *balancer) RoundTrip(request *http.Request) (*http.Response, error) {
	err := errors.New("no server is ready")
	first := int(b.next.Add(1))
	for n := range b.servers {
		i := (first + n) % len(b.servers)
		if !b.ready[i].Load() {
			continue
		}
		target := request.Clone(request.Context())
		target.URL.Host = strings.TrimPrefix(b.servers[i].url, "http://")
		target.Host = ""
		target.GetBody = nil // without GetBody, net/http does not retry a request that has a body
		if target.Body == nil {
			target.Body = io.NopCloser(strings.NewReader(""))
		}
		var response *http.Response
		response, err = b.transport.RoundTrip(target)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return response, err
		}
	}
	return nil, err
}

// Instances are restarted one after the other under load, and no request fails.
func TestRollingRestart(t *testing.T) {
	const clients, interval = 16, 50 * time.Millisecond
	d := newDatabase(t)
	secret := "--secret-key=" + hex.EncodeToString([]byte("the secret key of both instances"))
	drain := "--drain-time=" + (20 * interval).String() // a probe may be delayed under load
	servers := []*server{serve(t, d.url(), secret, drain, mayChange), serve(t, d.url(), secret, drain, mayChange)}
	b := balance(t, interval, servers...)
	for i := range servers {
		b.waitReady(t, i)
	}
	people := servers[0].sendUntilAnswered(t, crowd(0, clients), "")
	var next, served atomic.Int64
	next.Store(1000)
	var ended atomic.Bool
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			for !ended.Load() && !t.Failed() {
				v := (&server{url: "http://balancer"}).visitor(t)
				v.client.Transport = b
				err := v.visit(t.Context(), people[i], &next)
				require.True(t, err == nil, "%v, after %d visits", err, served.Load()) //nolint:testifylint // require is not for goroutines
				served.Add(1)
			}
		})
	}
	for range either(1, 20) {
		for i, s := range servers {
			before := served.Load()
			require.Zero(t, s.stop(t), "exit status")
			s.start(t)
			b.waitReady(t, i)
			require.Eventually(t, func() bool { return served.Load() > before+clients || t.Failed() }, time.Minute, 10*time.Millisecond)
		}
	}
	ended.Store(true)
	group.Wait()
	t.Logf("%d visits", served.Load())
	isConsistent(t, d.url())
	isWhole(t, d.url(), 0)
}

// visit opens pages, imports new people and signs in.
func (v *visitor) visit(ctx context.Context, who credential, next *atomic.Int64) error {
	expect := func(what string, want, status int, err error) error {
		if err == nil && status != want {
			err = fmt.Errorf("status %d", status)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	}
	for _, page := range []struct {
		path   string
		status int
	}{{"/", http.StatusOK}, {"/healthz", http.StatusOK}, {"/register", http.StatusOK}, {"/profile", http.StatusSeeOther}} {
		got, err := v.do(ctx, http.MethodGet, page.path, nil)
		if err = expect(page.path, page.status, got.status, err); err != nil {
			return err
		}
	}
	for _, many := range []int{1, 2000} {
		file := crowd(int(next.Add(int64(many)))-many, many)
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, v.server.url+"/useradd", bytes.NewReader(file))
		if err != nil {
			return err
		}
		response, err := v.client.Do(request)
		if err != nil {
			return fmt.Errorf("import: %w", err)
		}
		_, err = io.Copy(io.Discard, response.Body)
		err = expect("import", http.StatusOK, response.StatusCode, errors.Join(err, response.Body.Close()))
		if err != nil {
			return err
		}
	}
	got, err := v.signIn(ctx, who)
	if err = expect("sign in", http.StatusSeeOther, got.status, err); err != nil {
		return err
	}
	got, err = v.do(ctx, http.MethodGet, "/profile", nil)
	return expect("profile", http.StatusOK, got.status, err)
}
