package faults_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// at returns the same visitor at another instance.
func (v *visitor) at(s *server) *visitor {
	return &visitor{server: s, client: v.client, address: v.address}
}

// upload uploads a file.
func (v *visitor) upload(t *testing.T, file []byte) page {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("file", "people.json")
	require.NoError(t, err)
	_, err = part.Write(file)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, v.server.url+"/useradd/upload", &body)
	require.NoError(t, err)
	request.Header.Set("Content-Type", w.FormDataContentType())
	got, err := v.send(request)
	require.NoError(t, err)
	return got
}

// Instances share sessions, limits, idempotency keys and uploads.
func TestTwoInstances(t *testing.T) {
	d := newDatabase(t)
	secret := hex.EncodeToString(bytes.Repeat([]byte{7}, 32))
	one, two := serve(t, d.url(), "--secret-key", secret, mayChange), serve(t, d.url(), "--secret-key", secret, mayChange)
	file := crowd(0, 2)
	people := one.sendUntilAnswered(t, file, "key")
	require.Equal(t, people, two.sendUntilAnswered(t, file, "key"), "idempotency key")

	grant(t, d.url(), people[0].Login)
	v := one.visitor(t)
	got, err := v.signIn(t.Context(), people[0])
	require.NoError(t, err)
	require.Equal(t, http.StatusSeeOther, got.status, got.html)
	got, err = v.at(two).do(t.Context(), http.MethodGet, "/profile", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, got.status, "session")

	guesser := one.visitor(t)
	for range 10 {
		got, err = guesser.signIn(t.Context(), credential{people[1].Login, "a wrong guess"})
		require.NoError(t, err)
		require.Equal(t, http.StatusUnauthorized, got.status)
	}
	got, err = guesser.at(two).signIn(t.Context(), credential{people[1].Login, "a wrong guess"})
	require.NoError(t, err)
	require.Equal(t, http.StatusTooManyRequests, got.status, "limit")

	got = v.upload(t, crowd(1000, either(1_000, 100_000)))
	require.Equal(t, http.StatusSeeOther, got.status, got.html)
	address := got.header.Get("Location")
	headed := func(v *visitor, heading string) {
		t.Helper()
		require.Eventually(t, func() bool {
			got, err = v.do(t.Context(), http.MethodGet, address, nil)
			return err == nil && strings.Contains(got.html, heading)
		}, time.Minute, 20*time.Millisecond, heading)
	}
	headed(v.at(two), "Checked, no one registered yet")
	held := d.hold(t)
	got, err = v.at(two).do(t.Context(), http.MethodPost, address+"/start", url.Values{})
	require.NoError(t, err)
	require.Equal(t, http.StatusSeeOther, got.status)
	headed(v, "Registering")
	large := append(crowd(500, 1), bytes.Repeat([]byte(" "), 1<<20)...)
	answered := make(chan []credential, 1)
	go func() {
		for t.Context().Err() == nil {
			all, err := one.send(t.Context(), large, "another-key")
			if err == nil {
				answered <- all
				return
			}
		}
	}()
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // the first request gets the key
		defer cancel()
		_, err := two.send(ctx, large, "another-key")
		return err != nil && strings.Contains(err.Error(), "409")
	}, time.Minute, 20*time.Millisecond, "the key of a running import")
	held()
	require.Len(t, <-answered, 1)
	headed(v, "Done")
	headed(v.at(two), "Done")
	isConsistent(t, d.url())
	isWhole(t, d.url(), 0)
}

// hold blocks the writes of imports until release is called.
func (d *database) hold(t *testing.T) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.url())
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "begin; lock table users in share mode")
	require.NoError(t, err)
	return func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) }
}
