package faults_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// A visitor is a browser.
type visitor struct {
	server  *server
	client  http.Client
	address string // client address that a server with throughProxy sees
}

func (s *server) visitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &visitor{server: s, client: http.Client{
		Jar: jar, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// throughProxy makes a server take client addresses from X-Forwarded-For.
const throughProxy = "--trusted-proxy=127.0.0.1"

// addressOf returns the address of client n.
func addressOf(n int) string {
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}).String()
}

// A page is an answer to a browser.
type page struct {
	status int
	header http.Header
	html   string
}

// do sends a request, with fields as a form.
func (v *visitor) do(ctx context.Context, method, path string, fields url.Values) (page, error) {
	request, err := http.NewRequestWithContext(ctx, method, v.server.url+path, strings.NewReader(fields.Encode()))
	if err != nil {
		return page{}, err
	}
	if fields != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return v.send(request)
}

func (v *visitor) send(request *http.Request) (page, error) {
	request.Header.Set("Accept", "text/html")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	if v.address != "" {
		request.Header.Set("X-Forwarded-For", v.address)
	}
	response, err := v.client.Do(request)
	if err != nil {
		return page{}, err
	}
	defer response.Body.Close()
	html, err := io.ReadAll(response.Body)
	return page{response.StatusCode, response.Header, string(html)}, err
}

// grant gives a user the operator role.
func grant(t *testing.T, url, login string) {
	t.Helper()
	pgtest.Query[struct{ ID int64 }](t, url, "insert into roles select id, 'operator' from users where login = $1 returning user_id as id", login)
}

// signIn signs in, and returns the last answer.
func (v *visitor) signIn(ctx context.Context, c credential) (page, error) {
	form, err := v.do(ctx, http.MethodGet, "/login", nil)
	if err != nil || form.status != http.StatusOK {
		return form, err
	}
	return v.do(ctx, http.MethodPost, "/login", url.Values{"login": {c.Login}, "psw": {c.Password}})
}

// register registers person n with the form, and returns the last answer.
func (v *visitor) register(ctx context.Context, n int) (page, error) {
	form, err := v.do(ctx, http.MethodGet, "/register", nil)
	if err != nil || form.status != http.StatusOK {
		return form, err
	}
	return v.do(ctx, http.MethodPost, "/register", url.Values{
		"lname": {"Smirnov"}, "fname": {"Ivan"}, "patr": {"Petrovich"}, "login": {login(n)}, "phone": {fmt.Sprintf("+79%09d", n)},
		"psw": {"correct horse battery staple"},
	})
}

// PostgreSQL is restarted while clients register, sign in and read. Acknowledged registrations exist, other requests were
// answered with 503 and Retry-After, and service resumes without help.
func TestDatabaseIsRestarted(t *testing.T) {
	d := newDatabase(t)
	s := serve(t, d.url(), mayChange, throughProxy)
	const clients = 32
	people := s.sendUntilAnswered(t, crowd(0, clients), "")
	var served, next atomic.Int64
	var mu sync.Mutex
	var acknowledged []string
	ctx, end := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for i := range clients {
		acknowledge := func(logins ...string) {
			mu.Lock()
			defer mu.Unlock()
			acknowledged = append(acknowledged, logins...)
		}
		expect := func(got page, err error, want int) bool {
			switch {
			case ctx.Err() != nil:
				return false
			case err != nil:
				t.Error(err)
				return false
			case got.status == http.StatusServiceUnavailable:
				require.NotEmpty(t, got.header.Get("Retry-After"))
				require.Contains(t, got.html, "<h1")
				return false
			}
			served.Add(1)
			require.Equal(t, want, got.status, got.html)
			return true
		}
		group.Go(func() {
			for ctx.Err() == nil {
				created, err := s.send(ctx, []byte(person(int(1000+next.Add(1)))), "")
				switch {
				case err == nil:
					served.Add(1)
					acknowledge(created[0].Login)
				case ctx.Err() == nil:
					require.Contains(t, err.Error(), "503")
				}
				n := int(1000 + next.Add(1))
				v := s.visitor(t)
				v.address = addressOf(n)
				got, err := v.register(ctx, n)
				if got.status != http.StatusTooManyRequests && expect(got, err, http.StatusSeeOther) { // registrations have a global rate limit
					acknowledge(login(n))
				}
				v = s.visitor(t)
				got, err = v.signIn(ctx, people[i])
				if expect(got, err, http.StatusSeeOther) {
					got, err = v.do(ctx, http.MethodGet, "/profile", nil)
					expect(got, err, http.StatusOK)
				}
			}
		})
	}
	all := func() bool { return served.Load() > 3*clients }
	require.Eventually(t, all, time.Minute, 10*time.Millisecond)
	for range either(1, 10) {
		require.NoError(t, d.server.Stop(t.Context()))
		served.Store(0)
		d.start(t)
		began := time.Now()
		require.Eventually(t, all, time.Minute, 10*time.Millisecond)
		require.Less(t, time.Since(began), 20*time.Second, "time until all clients are served")
	}
	end()
	group.Wait()
	require.Zero(t, s.stop(t), "exit status")
	t.Logf("%d registrations acknowledged", len(acknowledged))
	isThere(t, d.url(), acknowledged)
	isConsistent(t, d.url())
	withForm := pgtest.Query[struct{ N int }](t, d.url(), "select count(*)::int from users where password_hash like '$argon2id%'")[0].N
	isWhole(t, d.url(), withForm)
}

// PostgreSQL accepts connections but does not answer, as on a stalled disk. Pages answer 503 in time, and service resumes with it.
func TestDatabaseIsSilent(t *testing.T) {
	t.Parallel() // most of its time is waiting
	d := newDatabase(t)
	s := serve(t, d.url(), mayChange)
	people := s.sendUntilAnswered(t, crowd(0, 2), "")
	v := s.visitor(t)
	got, err := v.signIn(t.Context(), people[0])
	require.NoError(t, err)
	require.Equal(t, http.StatusSeeOther, got.status)

	var several sync.WaitGroup
	for i := range 16 { // fills the connection pool
		several.Go(func() {
			_, err := s.send(t.Context(), []byte(person(100+i)), fmt.Sprintf("key-%d", i))
			require.NoError(t, err)
		})
	}
	several.Wait()
	t.Cleanup(func() { d.signal(t, syscall.SIGCONT) }) // a stopped process cannot shut down
	d.signal(t, syscall.SIGSTOP)
	var pages sync.WaitGroup
	answered := func(what string, want int, ask func() (page, error)) {
		pages.Go(func() {
			began := time.Now()
			got, err := ask()
			if err != nil {
				t.Error(what, err)
				return
			}
			require.Equal(t, want, got.status, what)
			require.Less(t, time.Since(began), 45*time.Second, what)
			require.Equal(t, want == http.StatusServiceUnavailable, got.header.Get("Retry-After") != "", what)
		})
	}
	visit := func(path string) func() (page, error) {
		return func() (page, error) { return v.do(t.Context(), http.MethodGet, path, nil) }
	}
	answered("/healthz", http.StatusOK, visit("/healthz"))
	answered("/readyz", http.StatusServiceUnavailable, visit("/readyz"))
	answered("profile of a signed-in user", http.StatusServiceUnavailable, visit("/profile"))
	answered("sign-in", http.StatusServiceUnavailable, func() (page, error) { return s.visitor(t).signIn(t.Context(), people[1]) })
	answered("registration", http.StatusServiceUnavailable, func() (page, error) { return s.visitor(t).register(t.Context(), 10) })
	imported := make(chan []credential, 1)
	go func() {
		all, _ := s.send(t.Context(), crowd(20, 2), "")
		imported <- all
	}()
	pages.Wait()

	d.signal(t, syscall.SIGCONT)
	require.Len(t, <-imported, 2, "an import waits for the database")
	s.isServed(t, 30)
	got, err = v.do(t.Context(), http.MethodGet, "/profile", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, got.status)
	isConsistent(t, d.url())
	isWhole(t, d.url(), 0)
}
