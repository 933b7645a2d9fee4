package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// userConditions are conditions of every kind, some of which few users meet.
var userConditions = []string{
	"q=смирнов", "q=иван+смирнов", "q=ив+см", "q=user0000", "q=8+900+000", "q=nobody",
	"status=never_signed_in", "status=temporary_password", "status=temporary_password_expired", "status=active", "status=suspended",
	"import=2", "group=7", "registered_from=2026-01-01", "registered_to=2026-01-01", "signed_in_before=2030-01-01",
}

// userPages returns the pages under every condition, alone and in pairs, in every order.
func userPages() (pages []string) {
	filters := append([]string{""}, userConditions...)
	for i, one := range userConditions {
		for _, other := range userConditions[i+1:] {
			nameOfOne, _, _ := strings.Cut(one, "=")
			if !strings.HasPrefix(other, nameOfOne+"=") {
				filters = append(filters, one+"&"+other)
			}
		}
	}
	for _, order := range []string{"name", "-registered", "-last_sign_in"} {
		for _, filter := range filters {
			pages = append(pages, "?sort="+order+"&"+filter)
		}
	}
	return pages
}

// users measures pages of many users against pages of few, how long new users take to be found, and the export of all.
func (b *bench) users(ctx context.Context) error {
	const few = 1000
	var times [2]map[string]time.Duration
	for i, users := range []int{few, b.objects} {
		fmt.Printf("\n%d users:\n", users)
		err := b.crowd(ctx, users, func(server *server) (err error) {
			times[i], err = b.timeUserPages(ctx, server)
			if err == nil && users == b.objects {
				err = b.exportUsers(ctx, server)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	pages := userPages()
	ratio := func(page string) float64 { return float64(times[1][page]) / float64(times[0][page]) }
	slices.SortFunc(pages, func(a, b string) int { return cmp.Compare(ratio(b), ratio(a)) })
	for i, page := range pages {
		const shown = 10
		if i < shown || i == len(pages)/2 || i == len(pages)-1 {
			fmt.Printf("  %3d of %d: %5.1f ms, %.2f times as long as with %d users (bound: 2.00)  /users%s\n",
				i+1, len(pages), milliseconds(times[1][page]), ratio(page), few, page)
		}
	}
	return nil
}

// crowd registers an operator and imports users, waits until all of them are found, and calls work.
func (b *bench) crowd(ctx context.Context, users int, work func(*server) error) error {
	err := b.clear(ctx)
	if err != nil {
		return err
	}
	server, err := b.start(ctx)
	if err != nil {
		return err
	}
	defer server.stop()
	err = b.peopleWithPasswords(ctx, server, 1)
	if err == nil {
		_, err = b.conn.Exec(ctx, "insert into roles (user_id, role) select id, 'operator' from users")
	}
	if err != nil {
		return err
	}
	name := filepath.Join(b.dir, "objects")
	err = writeFile(name, 1+users, writeJSON) // the first record is the operator's and is rejected
	if err != nil {
		return err
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	created, err := server.post(ctx, file)
	if err != nil {
		return err
	}
	if created != users {
		return fmt.Errorf("%d of %d users were registered", created, users)
	}
	began := time.Now()
	for unlisted := 1; unlisted > 0 && err == nil; time.Sleep(100 * time.Millisecond) {
		err = b.conn.QueryRow(ctx, "select count(*) from codes where unlisted_until is not null").Scan(&unlisted)
	}
	if err != nil {
		return err
	}
	var size int
	err = b.conn.QueryRow(ctx, "select pg_total_relation_size('directory')").Scan(&size)
	if err != nil {
		return err
	}
	fmt.Printf("  all are found %.1f s after their import; the table has %d MiB\n", time.Since(began).Seconds(), size>>20)
	_, err = b.conn.Exec(ctx, "vacuum analyze")
	if err != nil {
		return err
	}
	return work(server)
}

// timeUserPages returns the median time of each page.
func (b *bench) timeUserPages(ctx context.Context, server *server) (map[string]time.Duration, error) {
	operator, err := b.operator(ctx, server)
	if err != nil {
		return nil, err
	}
	costs := map[string]time.Duration{}
	for _, page := range userPages() {
		const warmUp, times = 3, 15
		var all []time.Duration
		for i := range warmUp + times {
			took, err := get(ctx, operator, server.url+"/users"+page)
			if err != nil {
				return nil, fmt.Errorf("/users%s: %w", page, err)
			}
			if i >= warmUp {
				all = append(all, took)
			}
		}
		costs[page] = median(all)
	}
	return costs, nil
}

// exportUsers measures the export of all users as CSV.
func (b *bench) exportUsers(ctx context.Context, server *server) error {
	operator, err := b.operator(ctx, server)
	if err != nil {
		return err
	}
	var exports, copies []time.Duration
	for range b.runs {
		took, err := get(ctx, operator, server.url+"/users/export/csv")
		if err != nil {
			return err
		}
		exports = append(exports, took)
		began := time.Now()
		err = b.psql(ctx, strings.ReplaceAll(`\copy (select u.id, login, lname, fname, patr, email, phone, birthday, group_name, suspended_at, reg_date, last_sign_in, code_id
			from directory d join users u on u.id = d.user_id join profiles p on p.user_id = u.id order by name_key, u.id) to 'users.csv' csv`, "\n", " "))
		if err != nil {
			return err
		}
		copies = append(copies, time.Since(began))
	}
	fmt.Printf("  export of all as CSV %.1f s, \\copy of the rows %.1f s, ratio %.2f (bound: 1.50)\n",
		median(exports).Seconds(), median(copies).Seconds(), median(exports).Seconds()/median(copies).Seconds())
	return nil
}
