package faults_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/passhash"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/pgtest"
)

func login(n int) string { return fmt.Sprintf("user%d", n) }

// person returns the JSON of a person whose login, email and phone are derived from n.
func person(n int) string {
	return fmt.Sprintf(`{"last_name":"Smirnov","first_name":"Ivan","patronymic":"Petrovich","login":%q,"email":"u%d@example.com","phone":"+79%09d"}`, login(n), n, n)
}

// crowd returns a file of consecutive people, beginning with number first.
func crowd(first, many int) []byte {
	return people(many, func(i int) int { return first + i })
}

// people returns a file of people. number returns the number of the person at index i.
func people(many int, number func(i int) int) []byte {
	var b bytes.Buffer
	for i := range many {
		b.WriteString([]string{"[", ",\n"}[min(i, 1)])
		b.WriteString(person(number(i)))
	}
	b.WriteString("]")
	return b.Bytes()
}

type credential struct{ Login, Password string }

// mayChange allows users to sign in repeatedly, from several browsers, with their temporary passwords.
const mayChange = "--temporary-passwords=may-change"

// errAgain means that the client should retry: the answer asked for it, or there was none.
var errAgain = errors.New("retry")

// send posts a file once.
func (s *server) send(ctx context.Context, file []byte, key string) ([]credential, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/useradd", bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errAgain, err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusConflict || response.StatusCode >= 500 {
		problem, err := io.ReadAll(response.Body)
		return nil, errors.Join(fmt.Errorf("%w: %s: %s", errAgain, response.Status, problem), err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answer: %s", response.Status)
	}
	var all []credential
	err = json.NewDecoder(response.Body).Decode(&all)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errAgain, err)
	}
	return all, nil
}

// client uses a new connection for each request, because the server may have been killed.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// sendUntilAnswered posts a file, with retries, until it is answered.
func (s *server) sendUntilAnswered(t *testing.T, file []byte, key string) []credential {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		all, err := s.send(ctx, file, key)
		if err == nil {
			return all
		}
		require.ErrorIs(t, err, errAgain)
		select {
		case <-ctx.Done():
			require.NoError(t, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// matchPasswords checks passwords against the hashes in the database.
func matchPasswords(t *testing.T, url string, credentials []credential) {
	t.Helper()
	logins := make([]string, len(credentials))
	for i, c := range credentials {
		logins[i] = c.Login
	}
	hashes := map[string]string{}
	for _, user := range pgtest.Query[struct{ Login, Hash string }](t, url, "select login, password_hash from users where login = any($1)", logins) {
		hashes[user.Login] = user.Hash
	}
	hasher := passhash.NewHasher(passhash.Config{})
	for _, c := range credentials {
		entered, _ := domain.EnteredPassword(c.Password)
		verdict, err := hasher.Verify(t.Context(), ports.Turn{}, hashes[c.Login], entered)
		require.NoError(t, err)
		require.True(t, verdict.Match, c.Login)
	}
}
