package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"rollcall/adapters/passhash"
	"rollcall/domain"
	"rollcall/ports"
)

const chosenPassword = "корабль на рейде"

// signIns measures the memory of the server during many concurrent sign-ins, and the pages of other clients meanwhile.
func (b *bench) signIns(ctx context.Context) error {
	err := b.clear(ctx)
	if err != nil {
		return err
	}
	server, err := b.start(ctx)
	if err != nil {
		return err
	}
	defer server.stop()
	err = b.peopleWithPasswords(ctx, server, b.visitors)
	if err != nil {
		return err
	}
	before, err := server.peakMemory()
	if err != nil {
		return err
	}
	const probes = 200
	quiet, err := server.slowest(ctx, probes, make(chan struct{}))
	if err != nil {
		return err
	}
	visitor := newVisitor()
	group, groupCtx := errgroup.WithContext(ctx)
	began := time.Now()
	for i := range b.visitors {
		group.Go(func() error {
			return server.signIn(groupCtx, visitor, fmt.Sprintf("user%07d", i), chosenPassword, http.StatusSeeOther)
		})
	}
	ended := make(chan struct{})
	go func() { _ = group.Wait(); close(ended) }()
	busy, err := server.slowest(ctx, 1<<30, ended)
	if err != nil {
		return err
	}
	err = group.Wait()
	if err != nil {
		return err
	}
	took := time.Since(began)
	after, err := server.peakMemory()
	if err != nil {
		return err
	}
	fmt.Printf(`
%d concurrent sign-ins, each with argon2id of 19 MiB: %.1f s
  peak memory of the server   %d MiB (%d MiB before)
  slowest page meanwhile      %.0f ms (%.0f ms without sign-ins)
`, b.visitors, took.Seconds(), after>>10, before>>10, milliseconds(busy), milliseconds(quiet))
	for _, name := range []string{"user", "nobody"} { // the time must not reveal which account exists
		times := make([]time.Duration, b.visitors/4)
		for i := range times {
			began := time.Now()
			err = server.signIn(ctx, visitor, fmt.Sprintf("%s%07d", name, i), "a guess", http.StatusUnauthorized)
			if err != nil {
				return err
			}
			times[i] = time.Since(began)
		}
		fmt.Printf("  a guess at %-16s %.1f ms\n", name+"0000000", milliseconds(median(times)))
	}
	return nil
}

// peopleWithPasswords registers people who all have the same password.
func (b *bench) peopleWithPasswords(ctx context.Context, server *server, count int) error {
	return b.peopleFrom(ctx, server, 0, count)
}

// peopleFrom returns people beginning with that of a number.
func (b *bench) peopleFrom(ctx context.Context, server *server, first, count int) error {
	objects := make([]string, count)
	for i := range objects {
		objects[i] = object(first + i)
	}
	_, err := server.post(ctx, strings.NewReader("["+strings.Join(objects, ",")+"]"))
	if err != nil {
		return err
	}
	entered, _ := domain.EnteredPassword(chosenPassword)
	hash, err := passhash.NewHasher(passhash.Config{}).Hash(ctx, ports.Turn{}, entered)
	if err != nil {
		return err
	}
	_, err = b.conn.Exec(ctx, "update users set password_hash = $1", hash)
	return err
}

// newVisitor returns a browser without cookies: with a session, its next sign-in would end the previous one.
func newVisitor() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (s *server) signIn(ctx context.Context, visitor *http.Client, login, password string, want int) error {
	response, err := s.sendSignIn(ctx, visitor, login, password)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != want {
		return fmt.Errorf("sign-in of %s failed: %s", login, response.Status)
	}
	return nil
}

func (s *server) sendSignIn(ctx context.Context, visitor *http.Client, login, password string) (*http.Response, error) {
	form := url.Values{"login": {login}, "psw": {password}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return visitor.Do(request)
}

// slowest requests a page a number of times or until done, and returns the longest time.
func (s *server) slowest(ctx context.Context, times int, done <-chan struct{}) (time.Duration, error) {
	var slowest time.Duration
	for range times {
		select {
		case <-done:
			return slowest, nil
		default:
		}
		took, err := get(ctx, &client, s.url+"/register")
		if err != nil {
			return 0, err
		}
		slowest = max(slowest, took)
	}
	return slowest, nil
}

// get requests a page, reads it to its end, and returns the time.
func get(ctx context.Context, client *http.Client, address string) (time.Duration, error) {
	began := time.Now()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("unexpected status %s", response.Status)
	}
	return time.Since(began), err
}

// loop registers people as simple services do: argon2id, then one INSERT into each of two tables.
func (b *bench) loop(ctx context.Context, people int) (time.Duration, error) {
	err := b.clear(ctx)
	if err != nil {
		return 0, err
	}
	hasher := passhash.NewHasher(passhash.Config{})
	entered, _ := domain.EnteredPassword(chosenPassword)
	began := time.Now()
	for i := range people {
		hash, err := hasher.Hash(ctx, ports.Turn{}, entered)
		if err != nil {
			return 0, err
		}
		row := row(i)
		_, err = b.conn.Exec(ctx, `
			with registered as (
				insert into users (login, login_key, password_hash, email, email_key, phone) values ($1, $1, $2, $3, $3, $4) returning id)
			insert into profiles (fname, lname, patr, user_id) select $5, $6, $7, id from registered`,
			row[3], hash, row[4], row[5], row[0], row[1], row[2])
		if err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}
