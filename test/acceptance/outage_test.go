package acceptance_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"rollcall/adapters/localpg"
	"rollcall/test/pgtest"
)

// While the database is down the program answers 503, and it resumes without help when the database is back.
func TestDatabaseOutage(t *testing.T) {
	t.Parallel() // most of its time is waiting
	config := localpg.Config{Dir: pgtest.Dir(t) + "/postgres"}
	server, err := localpg.Start(t.Context(), config)
	require.NoError(t, err)
	p := &program{database: server.URL(localpg.Database)}
	p.run(t, "serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--database-url", p.database)
	require.Equal(t, 200, p.do(t, http.MethodGet, "/readyz", nil).status)

	b := p.registered(t)

	require.NoError(t, server.Stop(context.Background()))
	away := b.Get(t, "/profile")
	require.Equal(t, 503, away.Status)
	require.NotEmpty(t, away.Header.Get("Retry-After"))
	require.NotEmpty(t, away.Text("h1"))
	visitor := p.browser(t)
	kept := visitor.Submit(t, "/register", with(anna(), "login", "Boris", "email", "", "phone", "9000000002"))
	require.Equal(t, 503, kept.Status)
	require.NotEmpty(t, kept.Text("[role=alert]"))
	require.Equal(t, "Boris", kept.Find("#login").AttrOr("value", ""), "the form keeps its values")
	got := p.post(t, person("vera", `"phone":"9000000001"`))
	require.Equal(t, 503, got.status)
	require.NotEmpty(t, got.header.Get("Retry-After"))
	require.Equal(t, "The service is unavailable. Try again in a few seconds.", got.body)
	ready := p.do(t, http.MethodGet, "/readyz", nil)
	require.Equal(t, 503, ready.status)
	require.Equal(t, got.body, ready.body, "the reason is in the log only")
	require.Contains(t, p.logged(), "status=503")
	require.Equal(t, 200, p.do(t, http.MethodGet, "/healthz", nil).status)

	server, err = localpg.Start(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	require.Equal(t, 200, p.post(t, person("vera", `"phone":"9000000001"`)).status)
	require.Equal(t, []code{{200, "POST", "All users have been created (1 of 1 users)"}}, p.codes(t))
	require.True(t, b.IsSignedIn(t), "the session continues")
}

// A request that does not end within --shutdown-timeout is cut off, and leaves nothing behind.
func TestShutdownTimeout(t *testing.T) {
	t.Parallel() // most of its time is waiting
	p := start(t, "--shutdown-timeout", "200ms")
	p.status = 1
	holder, err := pgx.Connect(t.Context(), p.database)
	require.NoError(t, err)
	defer holder.Close(context.Background())
	_, err = holder.Exec(t.Context(), "begin; lock table profiles") // which no sweep reads while there are no users
	require.NoError(t, err)

	answered := make(chan int)
	go func() { answered <- p.post(t, person("vera", `"phone":"9000000001"`)).status }()
	require.Eventually(t, func() bool { return p.isHeld(t, "profiles") }, time.Minute, 10*time.Millisecond)
	p.stop()
	require.Contains(t, p.logged(), "requests were cut off")
	require.Equal(t, 503, <-answered)
	_, err = holder.Exec(t.Context(), "rollback")
	require.NoError(t, err)
	require.Zero(t, p.count(t, "codes"))
	require.Zero(t, p.count(t, "users"))
}

// The reason of an internal error is in the log, not on the page.
func TestInternalErrorPage(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	conn, err := pgx.Connect(t.Context(), p.database)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), "alter table profiles rename to elsewhere")
	require.NoError(t, err)
	got := b.Get(t, "/profile")
	require.Equal(t, 500, got.Status)
	require.Contains(t, got.Text("main"), got.Header.Get("X-Request-Id"))
	require.NotContains(t, got.HTML, "profiles")
	require.Contains(t, p.logged(), got.Header.Get("X-Request-Id"))
	require.Equal(t, 404, b.Get(t, "/nowhere").Status, "an error page needs no user data")
}
