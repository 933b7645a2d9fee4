package acceptance_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/passhash"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/pgtest"
)

// processVariable makes the test's executable run the program, as a process that can be killed.
const processVariable = "ROLLCALL_TEST_PROCESS"

// process runs the program as a separate process, and returns its URL.
func process(t *testing.T, args ...string) (*os.Process, string) {
	t.Helper()
	executable, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), executable, args...)
	cmd.Env = append(os.Environ(), processVariable+"=1")
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	logged := bufio.NewScanner(stderr)
	for logged.Scan() {
		if match := listening.FindStringSubmatch(logged.Text()); match != nil {
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return cmd.Process, match[1]
		}
	}
	t.Fatal("the program ended")
	return nil, ""
}

// A server killed between the commit and the answer returns every password on a retry, and they match the accounts.
func TestKilledBetweenCommitAndAnswer(t *testing.T) {
	const records = 10_000
	database, dir := pgtest.New(t), t.TempDir()
	serve := func() (*os.Process, string) {
		return process(t, "serve", "--listen", "127.0.0.1:0", "--data-dir", dir, "--exports-dir", dir, "--database-url", database)
	}
	people := make([]string, records)
	for i := range people {
		people[i] = person(fmt.Sprintf("user%d", i), fmt.Sprintf(`"email":"u%d@example.com"`, i))
	}
	file := "[" + strings.Join(people, ",") + "]"
	send := func(url string) (*http.Response, error) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/useradd", strings.NewReader(file))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Idempotency-Key", "key")
		return http.DefaultClient.Do(request)
	}

	server, url := serve()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		response, err := send(url)
		if err == nil { // the server may have answered before the kill
			response.Body.Close()
		}
	}()
	require.Eventually(t, func() bool {
		return pgtest.Query[struct{ N int }](t, database, "select count(*)::int from idempotency_keys")[0].N == 1
	}, time.Minute, time.Millisecond)
	require.NoError(t, server.Kill())
	<-answered

	_, url = serve()
	response, err := send(url)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, "true", response.Header.Get("Idempotent-Replayed"))
	var credentials []struct{ Login, Password string }
	require.NoError(t, json.NewDecoder(response.Body).Decode(&credentials))
	require.Len(t, credentials, records)
	hashes := map[string]string{}
	for _, user := range pgtest.Query[struct{ Login, Hash string }](t, database, "select login, password_hash from users") {
		hashes[user.Login] = user.Hash
	}
	require.Len(t, hashes, records)
	hasher := passhash.NewHasher(passhash.Config{})
	for _, c := range credentials {
		entered, _ := domain.EnteredPassword(c.Password)
		verdict, err := hasher.Verify(t.Context(), ports.Turn{}, hashes[c.Login], entered)
		require.NoError(t, err)
		require.True(t, verdict.Match, c.Login)
	}
	b := (&program{url: url}).browser(t)
	b.signInFirst(t, credentials[records-1].Login, credentials[records-1].Password)
	require.True(t, b.IsSignedIn(t))
}
