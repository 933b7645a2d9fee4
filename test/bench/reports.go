package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/xuri/excelize/v2"
	"golang.org/x/sync/errgroup"
)

// reports measures pages and exports of many imports, against pages of few imports, and against command-line tools with the same rows.
func (b *bench) reports(ctx context.Context) error {
	const few = 100
	quick, err := b.pages(ctx, few, few*b.requests/100_000)
	if err != nil {
		return err
	}
	slow, err := b.pages(ctx, b.requests, b.refused)
	if err != nil {
		return err
	}
	fmt.Printf("\n%d imports with %d rejected records in all:\n", b.requests, b.refused)
	for _, page := range []string{"", "?sort=oldest", "?status=400", "?reason=login:taken", "?login=user0000001", "?open=1"} {
		fmt.Printf("  /profile%-20s %5.1f ms, %.2f times as long as with %d imports (bound: 2.00)\n",
			page, milliseconds(slow[page]), float64(slow[page])/float64(quick[page]), few)
	}
	return b.exports(ctx)
}

// pages fills the tables and returns the time of each page.
func (b *bench) pages(ctx context.Context, requests, refused int) (map[string]time.Duration, error) {
	err := b.fill(ctx, requests, refused)
	if err != nil {
		return nil, err
	}
	server, err := b.start(ctx)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	err = b.peopleWithPasswords(ctx, server, 1)
	if err != nil {
		return nil, err
	}
	operator, err := b.operator(ctx, server)
	if err != nil {
		return nil, err
	}
	costs := map[string]time.Duration{}
	for _, page := range []string{"", "?sort=oldest", "?status=400", "?reason=login:taken", "?login=user0000001", "?open=1"} {
		const warmUp, times = 20, 100
		var all []time.Duration
		for i := range warmUp + times {
			took, err := get(ctx, operator, server.url+"/profile"+page)
			if err != nil {
				return nil, err
			}
			if i >= warmUp {
				all = append(all, took)
			}
		}
		costs[page] = median(all)
	}
	return costs, nil
}

// fill adds imports of the last year with rejected records: most of them to the first import, the others spread over all.
func (b *bench) fill(ctx context.Context, requests, refused int) error {
	err := b.clear(ctx)
	if err != nil {
		return err
	}
	for _, sql := range []string{
		fmt.Sprintf(`insert into codes (code, date, description, created, refused)
			select case when n %% 10 = 0 then 400 else 200 end, now() - (%d - n) * interval '1 year' / %d,
				'Not all users have been created (created by 9 of 13 users)', 9, %d from generate_series(1, %d) n`,
			requests, requests, refused/max(requests, 1), requests),
		fmt.Sprintf(`insert into bad_users (code_id, object_id, login, login_key, description, violations, original)
			select case when n %% 2 = 0 then 1 else 1 + n %% %d end, n, 'user' || lpad(n::text, 7, '0'), 'user' || lpad(n::text, 7, '0'),
				'The login is taken.', '[{"field":"login","code":"taken"}]', jsonb_build_object('login', n, 'last_name', 'Иванов')
			from generate_series(1, %d) n`, requests, refused),
		`insert into code_reasons select 'login', 'taken', code_id, count(*) from bad_users group by code_id`,
		`insert into statistics select date::date, -1, count(*), sum(created), sum(refused) from codes group by 1, 2`,
		`insert into reason_statistics select date::date, -1, 'login', 'taken', sum(refused) from codes group by 1, 2`,
		"vacuum analyze",
	} {
		_, err := b.conn.Exec(ctx, sql)
		if err != nil {
			return err
		}
	}
	return nil
}

// operator returns a client that is signed in as an operator.
func (b *bench) operator(ctx context.Context, server *server) (*http.Client, error) {
	session, err := server.session(ctx)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: withCookie{&http.Transport{}, session}}, nil
}

type withCookie struct {
	http.RoundTripper

	cookie *http.Cookie
}

// RoundTrip implements http.RoundTripper.
func (w withCookie) RoundTrip(request *http.Request) (*http.Response, error) {
	request.AddCookie(w.cookie)
	return w.RoundTripper.RoundTrip(request)
}

// exports measures each export and its rival.
func (b *bench) exports(ctx context.Context) error {
	reference, err := b.excelize(ctx)
	if err != nil {
		return err
	}
	took, peak, err := b.export(ctx, 1, "xlsx")
	if err != nil {
		return err
	}
	fmt.Printf("  xlsx                 %5.2f s, excelize's StreamWriter from memory %5.2f s, ratio %.2f (bound: 1.50); peak memory of the server %d MiB (bound: 200)\n",
		took.Seconds(), reference.Seconds(), took.Seconds()/reference.Seconds(), peak>>10)

	const (
		copyCodes   = `\copy (select id, code, method, date, description from codes order by id) to 'codes.copy'`
		copyRefused = `\copy (select code_id, object_id, login, description from bad_users order by code_id, object_id) to 'bad_users.copy'`
	)
	for _, c := range []struct {
		format string
		copies []string
	}{
		{"txt", []string{copyCodes, copyRefused}},
		{"csv?table=codes", []string{copyCodes}},
		{"csv?table=bad_users", []string{copyRefused}},
		{"json", []string{copyCodes, copyRefused}},
	} {
		var references, exports []time.Duration
		peak := 0
		for range b.runs {
			began := time.Now()
			err = b.psql(ctx, c.copies...)
			if err != nil {
				return err
			}
			references = append(references, time.Since(began))
			took, memory, err := b.export(ctx, 1, c.format)
			if err != nil {
				return err
			}
			exports, peak = append(exports, took), max(peak, memory)
		}
		took, reference := median(exports), median(references)
		fmt.Printf("  %-20s %5.2f s, \\copy of the rows %5.2f s, ratio %.2f (bound but for json: 1.50); peak memory %d MiB\n",
			c.format, took.Seconds(), reference.Seconds(), took.Seconds()/reference.Seconds(), peak>>10)
	}
	const many = 10
	took, peak, err = b.export(ctx, many, "xlsx")
	if err != nil {
		return err
	}
	fmt.Printf("  xlsx, %d concurrent  %5.2f s; peak memory of the server %d MiB (bound: 200)\n", many, took.Seconds(), peak>>10)
	return nil
}

// excelize reads the rows into memory and returns the time that excelize takes to write them.
func (b *bench) excelize(ctx context.Context) (time.Duration, error) {
	codes, refused, err := b.rows(ctx)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = streamWriter(filepath.Join(b.dir, "reference.xlsx"), codes, refused)
	return time.Since(began), err
}

// export requests a file from a new server, several times concurrently. It returns the time and the server's peak memory in KiB. A
// busy server may answer 503.
func (b *bench) export(ctx context.Context, atOnce int, format string) (time.Duration, int, error) {
	server, err := b.start(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer server.stop()
	operator, err := b.operator(ctx, server)
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	var group errgroup.Group
	for range atOnce {
		group.Go(func() error {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.url+"/useradd/export/"+format, nil)
			if err != nil {
				return err
			}
			response, err := operator.Do(request)
			if err != nil {
				return err
			}
			defer response.Body.Close()
			isBusy := atOnce > 1 && response.StatusCode == http.StatusServiceUnavailable
			if response.StatusCode != http.StatusOK && !isBusy {
				return fmt.Errorf("export failed: %s", response.Status)
			}
			_, err = io.Copy(io.Discard, response.Body)
			return err
		})
	}
	err = group.Wait()
	if err != nil {
		return 0, 0, err
	}
	took := time.Since(began)
	peak, err := server.peakMemory()
	return took, peak, err
}

// rows reads both tables into memory.
func (b *bench) rows(ctx context.Context) (codes, refused [][]any, err error) {
	read := func(sql string) ([][]any, error) {
		rows, err := b.conn.Query(ctx, sql)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
	}
	codes, err = read("select id, code, method, date, description from codes order by id")
	if err != nil {
		return nil, nil, err
	}
	refused, err = read("select code_id, object_id, login, description from bad_users order by code_id, object_id")
	return codes, refused, err
}

// streamWriter writes rows as excelize's documentation does.
func streamWriter(name string, codes, refused [][]any) error {
	file := excelize.NewFile()
	defer file.Close()
	for sheet, rows := range map[string][][]any{"Response status codes": codes, "Bad request users": refused} {
		_, err := file.NewSheet(sheet)
		if err != nil {
			return err
		}
		writer, err := file.NewStreamWriter(sheet)
		if err != nil {
			return err
		}
		for i, row := range rows {
			cell, err := excelize.CoordinatesToCellName(1, i+1)
			if err != nil {
				return err
			}
			err = writer.SetRow(cell, row)
			if err != nil {
				return err
			}
		}
		err = writer.Flush()
		if err != nil {
			return err
		}
	}
	err := file.SaveAs(name)
	if err != nil {
		return err
	}
	return os.Remove(name)
}

// session signs in the first user.
func (s *server) session(ctx context.Context) (*http.Cookie, error) {
	response, err := s.sendSignIn(ctx, newVisitor(), "user0000000", chosenPassword)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	for _, cookie := range response.Cookies() {
		if strings.Contains(cookie.Name, "session") {
			return cookie, nil
		}
	}
	return nil, fmt.Errorf("sign-in failed: %s without a session", response.Status)
}
