package faults_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// from returns a browser at an address in 127.0.0.0/8.
func (s *server) from(t *testing.T, address string) *visitor {
	t.Helper()
	v := s.visitor(t)
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	v.client.Transport = &http.Transport{DialContext: dialer.DialContext}
	t.Cleanup(v.client.CloseIdleConnections)
	return v
}

// A flood is many connections, each of which sends registrations one after another.
type flood struct {
	server *server
	head   string       // head of each request
	next   atomic.Int64 // number of the last person

	mu      sync.Mutex
	answers map[string]int // count by status; "" for connections that ended without an answer
	stopped atomic.Bool
	group   sync.WaitGroup
}

// flood starts connections, spread over a number of addresses. The returned function ends them, and returns the number of
// answers by status.
func (s *server) flood(t *testing.T, connections, addresses int) (stop func() map[string]int) {
	t.Helper()
	host := strings.TrimPrefix(s.url, "http://")
	f := &flood{server: s, answers: map[string]int{}, head: "POST /register HTTP/1.1\r\nHost: " + host + "\r\n" +
		"Accept: text/html\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: "}
	for i := range connections {
		dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, byte(i%addresses>>8), byte(i%addresses))}, Timeout: time.Minute}
		f.group.Go(func() {
			for !f.stopped.Load() {
				c, err := dialer.Dial("tcp", host)
				if err != nil {
					f.count("")
					time.Sleep(100 * time.Millisecond)
					continue
				}
				f.send(c)
				_ = c.Close()
			}
		})
	}
	return func() map[string]int {
		f.stopped.Store(true)
		f.group.Wait()
		return f.answers
	}
}

func (f *flood) count(status string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[status]++
}

// send sends registrations on a connection until the connection ends.
func (f *flood) send(c net.Conn) {
	go func() { // so that the flood ends without waiting for the last answers
		for !f.stopped.Load() {
			time.Sleep(100 * time.Millisecond)
		}
		_ = c.SetDeadline(time.Now())
	}()
	answers := bufio.NewReader(c)
	for {
		n := f.next.Add(1)
		form := url.Values{
			"lname": {"Smirnov"}, "fname": {"Ivan"}, "patr": {"Petrovich"}, "login": {fmt.Sprintf("flood%d", n)},
			"email": {fmt.Sprintf("flood%d@example.com", n)}, "psw": {"correct horse battery staple"},
		}.Encode()
		_, err := io.WriteString(c, f.head+strconv.Itoa(len(form))+"\r\n\r\n"+form)
		if err != nil {
			return
		}
		status, err := skipAnswer(answers)
		if err != nil {
			if !f.stopped.Load() {
				f.count("")
			}
			return
		}
		f.count(status)
	}
}

// skipAnswer reads an answer, and returns its status. It is cheap, because the flood shares the server's processors.
func skipAnswer(r *bufio.Reader) (status string, err error) {
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return "", err
		}
		switch text := string(line); {
		case status == "":
			status, _, _ = strings.Cut(strings.TrimPrefix(text, "HTTP/1.1 "), " ")
		case text == "\r\n":
			_, err = r.Discard(length)
			return status, err
		default:
			if value, found := strings.CutPrefix(strings.ToLower(text), "content-length: "); found {
				length, err = strconv.Atoi(strings.TrimSpace(value))
				if err != nil {
					return "", err
				}
			}
		}
	}
}

// signIns signs in with each of the credentials, with pauses, and returns the durations.
func (v *visitor) signIns(ctx context.Context, credentials []credential) (times []time.Duration, err error) {
	for _, c := range credentials {
		time.Sleep(time.Duration(either(0, 100)) * time.Millisecond)
		v.client.Jar, _ = cookiejar.New(nil) // never fails
		began := time.Now()
		got, failed := v.do(ctx, http.MethodPost, "/login", url.Values{"login": {c.Login}, "psw": {c.Password}})
		if failed != nil {
			return nil, failed
		}
		times = append(times, time.Since(began))
		if got.status != http.StatusSeeOther {
			err = errors.Join(err, fmt.Errorf("sign-in of %s: %d", c.Login, got.status))
		}
	}
	return times, err
}

// Users sign in while others flood the server with registrations, from one address and from many.
func TestRegistrationsFlood(t *testing.T) {
	for _, addresses := range []int{1, 50, 1100} {
		t.Run(fmt.Sprintf("addresses=%d", addresses), func(t *testing.T) { signInUnderFlood(t, either(60, 1100), addresses) })
	}
}

func signInUnderFlood(t *testing.T, connections, addresses int) {
	t.Helper()
	s := serve(t, pgtest.New(t))
	owner, imported := s.from(t, "127.2.0.1"), s.from(t, "127.2.0.2")
	registered, err := owner.register(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, http.StatusSeeOther, registered.status)
	each := either(5, 150)
	chosen := slices.Repeat([]credential{{login(1), "correct horse battery staple"}}, each)
	temporary := slices.Chunk(s.sendUntilAnswered(t, crowd(2, 3*each), ""), each) // credentials for first sign-ins
	next, end := iter.Pull(temporary)
	defer end()
	measure := func() (took [2][]time.Duration) {
		first, _ := next()
		var both sync.WaitGroup
		for i, who := range []*visitor{owner, imported} {
			both.Go(func() {
				var err error
				took[i], err = who.signIns(t.Context(), [][]credential{chosen, first}[i])
				require.NoError(t, err)
			})
		}
		both.Wait()
		return took
	}
	before := measure()
	stop := s.flood(t, connections, addresses)
	during := measure()
	answers := stop()
	after := measure()
	for i, kind := range []string{"chosen", "temporary"} {
		idle := slices.Sorted(slices.Values(slices.Concat(before[i], after[i]))) // idle is measured twice: other processes may disturb one of them
		flooded := slices.Sorted(slices.Values(during[i]))
		if len(idle) == 0 || len(flooded) == 0 {
			continue // the measurement has failed
		}
		ms := func(times []time.Duration, percent int) float64 {
			return float64(times[(len(times)-1)*percent/100].Microseconds()) / 1000
		}
		ratio := ms(flooded, 50) / ms(idle, 50)
		t.Logf("sign-in with a %s password: median %.1f ms, %.1f times idle (%.1f); 90th percentile %.1f (%.1f), worst %.1f (%.1f)",
			kind, ms(flooded, 50), ratio, ms(idle, 50), ms(flooded, 90), ms(idle, 90), ms(flooded, 100), ms(idle, 100))
		if *long {
			require.LessOrEqual(t, ratio, []float64{5, 2}[i], kind)
		}
	}
	for _, status := range slices.Sorted(maps.Keys(answers)) {
		t.Logf("%d connections: status %q %d times", connections, status, answers[status])
	}
}
