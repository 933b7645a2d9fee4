package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"rollcall/adapters/localpg"
	"rollcall/test/pgtest"
)

// firstServicePeople fills the first service's tables with people. Like its own data, these have names in Cyrillic and a pbkdf2 hash.
const firstServicePeople = `
	insert into users (id, login, password_hash, email, phone, reg_date)
	select i, 'user' || lpad(i::text, 7, '0'), 'pbkdf2:sha256:260000$' || substr(md5(i::text), 1, 16) || '$' || md5('a' || i) || md5('b' || i),
		'user' || i || '@example.com', 9000000000 + i, timestamp '2024-01-01' + i * interval '1 second'
	from generate_series(1, %[1]d) i;
	insert into profiles (id, fname, lname, patr, birthday, user_id)
	select i, 'Мария', 'Кузнецова', 'Сергеевна', date '1950-01-01' + i %% 20000, i
	from generate_series(1, %[1]d) i`

// takeover measures the takeover of a database of the first service, and copies the resulting rows, by turns.
func (b *bench) takeover(ctx context.Context) error {
	var takeovers, copies []time.Duration
	for run := range b.runs {
		took, err := b.takeOverOnce(ctx, run == 0)
		if err != nil {
			return err
		}
		takeovers = append(takeovers, took)
		copied, err := b.copyOnce(ctx)
		if err != nil {
			return fmt.Errorf("copy: %w", err)
		}
		copies = append(copies, copied)
		fmt.Printf("run %d: takeover %.2f s, \\copy %.2f s\n", run+1, took.Seconds(), copied.Seconds())
	}
	fmt.Printf("\n%d users of the first service taken over: %.2f s, \\copy of the rows: %.2f s, ratio %.2f (bound: 1.50)\n", b.objects,
		median(takeovers).Seconds(), median(copies).Seconds(), median(takeovers).Seconds()/median(copies).Seconds())
	return nil
}

// takeOverOnce takes over a new database of the first service. The first time it writes the resulting rows to files.
func (b *bench) takeOverOnce(ctx context.Context, writes bool) (took time.Duration, err error) {
	const name = "first_service"
	superuser, err := pgx.Connect(ctx, b.database.SuperuserURL(localpg.Database))
	if err != nil {
		return 0, err
	}
	defer superuser.Close(context.Background())
	_, err = superuser.Exec(ctx, "create database "+name+" owner "+localpg.Database)
	if err != nil {
		return 0, err
	}
	defer func() {
		_, failed := superuser.Exec(context.Background(), "drop database "+name+" with (force)")
		err = firstOf(err, failed)
	}()
	url := b.database.URL(name)
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.Background())
	err = pgtest.RestoreFirstService(ctx, conn)
	if err != nil {
		return 0, err
	}
	_, err = conn.Exec(ctx, "set search_path = public; truncate users, profiles, codes, bad_users; "+fmt.Sprintf(firstServicePeople, b.objects)+"; analyze")
	if err == nil {
		_, err = superuser.Exec(ctx, "checkpoint")
	}
	if err != nil {
		return 0, err
	}
	list, err := os.Create(filepath.Join(b.dir, "takeover.txt"))
	if err != nil {
		return 0, err
	}
	defer list.Close()
	cmd := exec.CommandContext(ctx, b.program, "migrate", "--database-url", url, "--data-dir", filepath.Join(b.dir, "data"))
	cmd.Stdout, cmd.Stderr = list, os.Stderr
	began := time.Now()
	err = cmd.Run()
	took = time.Since(began)
	if err != nil || !writes {
		return took, err
	}
	for _, table := range []string{"users", "profiles"} {
		file, err := os.Create(filepath.Join(b.dir, table+".copy"))
		if err != nil {
			return 0, err
		}
		_, err = conn.PgConn().CopyTo(ctx, file, "copy (select * from "+table+" order by id) to stdout")
		err = firstOf(err, file.Close())
		if err != nil {
			return 0, err
		}
	}
	return took, nil
}
