package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// directory measures new temporary passwords for many people, against UPDATE of the same rows in psql.
func (b *bench) directory(ctx context.Context) error {
	fmt.Printf("\n%d users:\n", b.changed)
	return b.crowd(ctx, b.changed, func(server *server) error { return b.newPasswords(ctx, server) })
}

func (b *bench) newPasswords(ctx context.Context, server *server) error {
	operator, err := b.operator(ctx, server)
	if err != nil {
		return err
	}
	var imported int64
	err = b.conn.QueryRow(ctx, "select max(id) from codes where created > 1").Scan(&imported)
	if err != nil {
		return err
	}
	address := fmt.Sprintf("%s/users/change/password?import=%d", server.url, imported)
	var updates, changes []time.Duration
	for range b.runs {
		const hash = "'$sha256$' || substr(md5(u.id::text), 1, 22) || '$' || substr(repeat(md5(u.id::text), 2), 1, 43)"
		update := fmt.Sprintf("update users u set password_hash = %s, password_date = clock_timestamp() where code_id = %d", hash, imported)
		for _, it := range []struct {
			times   *[]time.Duration
			measure func() error
		}{
			{&updates, func() error { return b.psql(ctx, update) }},
			{&changes, func() error { return b.change(ctx, operator, server.url, address) }},
		} {
			err = b.psql(ctx, "vacuum analyze users", "vacuum analyze directory")
			if err != nil {
				return err
			}
			began := time.Now()
			err = it.measure()
			if err != nil {
				return err
			}
			*it.times = append(*it.times, time.Since(began))
		}
	}
	update, change := median(updates), median(changes)
	fmt.Printf("  new passwords %.2f s, UPDATE of the same rows in psql %.2f s, ratio %.2f (bound: 3.00)\n",
		change.Seconds(), update.Seconds(), change.Seconds()/update.Seconds())
	return nil
}

// change makes a change of all people, and waits until it is done.
func (b *bench) change(ctx context.Context, operator *http.Client, server, address string) error {
	form := url.Values{"users": {strconv.Itoa(b.changed)}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	response, err := operator.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	job := response.Request.URL.Path // to which the client was redirected
	if !strings.HasPrefix(job, "/useradd/uploads/") {
		return fmt.Errorf("answer to the change: %s", response.Status)
	}
	for {
		request, err = http.NewRequestWithContext(ctx, http.MethodGet, server+job+"/progress", http.NoBody)
		if err != nil {
			return err
		}
		response, err = operator.Do(request)
		if err != nil {
			return err
		}
		progress, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		switch text := string(progress); {
		case err != nil:
			return err
		case strings.Contains(text, `"state":"imported"`):
			return nil
		case !strings.Contains(text, `"state":"importing"`):
			return errors.New("the change failed: " + text)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
