// Command bench measures imports against a bare COPY of the same rows into the same tables, with a private PostgreSQL, and prints the
// ratios. Compare figures of one run only, not of two machines.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"

	"rollcall/adapters/localpg"
	"rollcall/adapters/postgres"
)

func main() {
	var b bench
	flag.IntVar(&b.objects, "objects", 1_000_000, "records of a large import")
	flag.StringVar(&b.formats, "formats", "json,keyed,ndjson,csv,xlsx", "formats of large imports")
	flag.IntVar(&b.singles, "singles", 10_000, "imports of one record")
	flag.IntVar(&b.visitors, "sign-ins", 200, "concurrent sign-ins")
	flag.IntVar(&b.requests, "requests", 100_000, "imports in a report")
	flag.IntVar(&b.refused, "refused", 1_000_000, "rejected records in a report")
	flag.IntVar(&b.changed, "changed", 100_000, "people of a change")
	flag.StringVar(&b.only, "only", "", "the part to measure: large, hostile, small, thousand, fair, sign-ins, reports, takeover, directory or users")
	flag.IntVar(&b.runs, "runs", 3, "runs of each measurement; the median counts")
	flag.StringVar(&b.program, "program", "bin/rollcall", "path of the program to measure")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := b.run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // only stop is deferred
	}
}

type bench struct {
	objects, singles, visitors, requests, refused, changed, runs int
	program, only, formats                                       string

	dir      string
	database *localpg.Server
	conn     *pgx.Conn
}

func (b *bench) run(ctx context.Context) (err error) {
	b.dir, err = os.MkdirTemp("", "rollcall-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	err = os.Chmod(b.dir, 0o711) // PostgreSQL's account must enter it
	if err != nil {
		return err
	}
	b.database, err = localpg.Start(ctx, localpg.Config{Dir: filepath.Join(b.dir, "postgres"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { err = firstOf(err, b.database.Stop(context.Background())) }()
	url := b.database.URL(localpg.Database)
	err = postgres.Migrate(ctx, url)
	if err != nil {
		return err
	}
	b.conn, err = pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer b.conn.Close(context.Background())
	if _, err := os.Stat(b.database.Bin("psql")); err != nil {
		return fmt.Errorf("the bare COPY needs psql: %w", err)
	}
	fmt.Printf("%d processors, %s, %s\n\n", runtime.NumCPU(), runtime.Version(), b.version(ctx))
	for _, part := range []struct {
		name    string
		measure func(context.Context) error
	}{
		{"large", b.large},
		{"hostile", b.hostile},
		{"small", b.small},
		{"thousand", b.thousand},
		{"fair", b.fair},
		{"sign-ins", b.signIns},
		{"reports", b.reports},
		{"directory", b.directory},
		{"users", b.users},
		{"takeover", b.takeover},
	} {
		if b.only != "" && b.only != part.name {
			continue
		}
		err = part.measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) version(ctx context.Context) string {
	var version string
	_ = b.conn.QueryRow(ctx, "select 'PostgreSQL ' || current_setting('server_version')").Scan(&version)
	return version
}

// small measures the processor time of the server for imports of one record. With one client it includes the time that Go's scheduler
// spends to sleep and wake up twice for each import; with many clients it is the work alone.
func (b *bench) small(ctx context.Context) error {
	err := b.clear(ctx)
	if err != nil {
		return err
	}
	server, err := b.start(ctx)
	if err != nil {
		return err
	}
	defer server.stop()
	const warmUp = 200
	err = b.singlesBy(ctx, server, 1, 0, warmUp)
	if err != nil {
		return err
	}
	fmt.Printf("\n%d imports of one record each:\n", b.singles)
	measure := func(clients, first int) (perSecond float64, err error) {
		before, err := server.processorTime()
		if err != nil {
			return 0, err
		}
		began := time.Now()
		err = b.singlesBy(ctx, server, clients, first, b.singles)
		if err != nil {
			return 0, err
		}
		took := time.Since(began)
		after, err := server.processorTime()
		if err != nil {
			return 0, err
		}
		perSecond = float64(b.singles) / took.Seconds()
		fmt.Printf("  concurrent clients: %2d  processor time of the server: %.3f ms each (bound for one client: 0.300)  %4.0f imports a second\n",
			clients, milliseconds(after-before)/float64(b.singles), perSecond)
		return perSecond, nil
	}
	_, err = measure(1, warmUp)
	if err != nil {
		return err
	}
	var ratios []float64
	for range b.runs {
		err = b.clear(ctx)
		if err != nil {
			return err
		}
		perSecond, err := measure(benchClients, 0)
		if err != nil {
			return err
		}
		bare, err := b.pgbench(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("  pgbench with the same statements: %35.0f a second\n", bare)
		ratios = append(ratios, perSecond/bare)
	}
	slices.Sort(ratios)
	fmt.Printf("  imports are %.2f of pgbench, the median of %d runs (bound: 0.80)\n", ratios[len(ratios)/2], b.runs)
	return nil
}

// benchClients is the number of concurrent clients in the comparison with pgbench.
const benchClients = 32

// pgbenchScript holds the statements of an import of one record, in as many round trips.
const pgbenchScript = `
\set n random(1, 1000000000000)
\startpipeline
begin;
select nextval('codes_id_seq'), clock_timestamp(), pg_current_xact_id()::text, coalesce(pg_sequence_last_value('users_id_seq'), 0)
	from set_config('lock_timeout', '500ms', true) a, set_config('enable_seqscan', 'off', true) b, set_config('plan_cache_mode', 'force_generic_plan', true) c;
select 'login', login_key from users where login_key = any(array['user' || :n]) union all
	select 'email', email_key from users where email_key = any(array[:n || '@example.com']) union all
	select 'phone', phone from users where phone = any(array['7' || :n]);
\endpipeline
\startpipeline
insert into users (login, login_key, password_hash, email, email_key, phone, code_id)
	select 'user' || n, 'user' || n, '$sha256$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', n || '@example.com', n || '@example.com', '7' || n, 1
	from unnest(array[:n]::bigint[]) u (n);
insert into profiles (fname, lname, patr, birthday, group_name, user_id)
	select 'Иван', 'Смирнов', 'Иванович', date '1970-01-01', nullif('', ''), (select id from users where login_key = 'user' || n) from unnest(array[:n]::bigint[]) u (n);
insert into codes (id, date, code, description, created, refused, originals, uncounted_day, unlisted_after, unlisted_until)
	values (coalesce(null, nextval('codes_id_seq')), clock_timestamp(), 200, 'All users have been created (1 of 1 users)', 1, 0, false, date '2026-01-01', 0, currval('users_id_seq'));
insert into audit (actor, actor_name, action, address, request, after, import_id)
	select 'visitor', nullif('', ''), 'import.succeeded', '127.0.0.1', 'b0f1c2d3-0000-4000-8000-000000000000',
		'{"records":1,"registered":1,"rejected":0,"status":200}'::jsonb, n from unnest(array[:n]::bigint[]) u (n);
commit;
\endpipeline
`

var pgbenchRate = regexp.MustCompile(`tps = ([0-9.]+)`)

// pgbench returns the number of such imports that the database alone does in a second for 32 clients.
func (b *bench) pgbench(ctx context.Context) (float64, error) {
	err := b.clear(ctx)
	if err != nil {
		return 0, err
	}
	script := filepath.Join(b.dir, "import.sql")
	err = os.WriteFile(script, []byte(pgbenchScript), 0o600)
	if err != nil {
		return 0, err
	}
	const threads = 2
	cmd := exec.CommandContext(ctx, b.database.Bin("pgbench"), "-n", "-M", "prepared", "-f", script, "-c", strconv.Itoa(benchClients),
		"-j", strconv.Itoa(threads), "-t", strconv.Itoa(max(b.singles/benchClients, 1)), b.database.URL(localpg.Database))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("pgbench: %w", err)
	}
	match := pgbenchRate.FindSubmatch(out)
	if match == nil {
		return 0, fmt.Errorf("pgbench printed %q", out)
	}
	return strconv.ParseFloat(string(match[1]), 64)
}

// singlesBy sends imports of one record each, beginning with the record of a number. Its client is a light one, because it shares the
// processors with the server, as pgbench does.
func (b *bench) singlesBy(ctx context.Context, server *server, clients, first, count int) error {
	client := fasthttp.HostClient{Addr: strings.TrimPrefix(server.url, "http://"), MaxConns: clients}
	group, ctx := errgroup.WithContext(ctx)
	for number := range clients {
		group.Go(func() error {
			var request fasthttp.Request
			var response fasthttp.Response
			request.Header.SetMethod(fasthttp.MethodPost)
			request.SetRequestURI(server.url + "/useradd")
			for i := number; i < count && ctx.Err() == nil; i += clients {
				request.SetBodyString(object(first + i))
				err := client.Do(&request, &response)
				if err != nil {
					return err
				}
				if response.StatusCode() != fasthttp.StatusOK {
					return fmt.Errorf("answer: %s", response.Body())
				}
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// clear empties the tables and writes a checkpoint.
func (b *bench) clear(ctx context.Context) error {
	_, err := b.conn.Exec(ctx, `
		truncate users, profiles, directory, codes, bad_users, code_reasons, statistics, reason_statistics, idempotency_keys, outcomes
		restart identity cascade`)
	if err != nil {
		return err
	}
	superuser, err := pgx.Connect(ctx, b.database.SuperuserURL(localpg.Database))
	if err != nil {
		return err
	}
	defer superuser.Close(context.Background())
	_, err = superuser.Exec(ctx, "checkpoint")
	return err
}

func (b *bench) psql(ctx context.Context, commands ...string) error {
	args := []string{"-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", b.database.URL(localpg.Database)}
	for _, command := range commands {
		args = append(args, "-c", command)
	}
	cmd := exec.CommandContext(ctx, b.database.Bin("psql"), args...)
	cmd.Dir, cmd.Stderr = b.dir, os.Stderr
	return cmd.Run()
}

func median(times []time.Duration) time.Duration {
	times = slices.Sorted(slices.Values(times))
	return times[len(times)/2]
}

// client keeps a connection for each concurrent sender.
var client = http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}

// A server is a running program.
type server struct {
	cmd *exec.Cmd
	url string
}

func (b *bench) start(ctx context.Context) (*server, error) {
	cmd := exec.CommandContext(ctx, b.program, "serve", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(b.dir, "data"),
		"--exports-dir", filepath.Join(b.dir, "uploads"), "--max-body", "4GiB") // ten million records take 2 GiB
	cmd.Env = append(os.Environ(), "DATABASE_URL="+b.database.URL(localpg.Database))
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	err = cmd.Start()
	if err != nil {
		return nil, err
	}
	listening := regexp.MustCompile(`msg=listening url=(\S+)`)
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if match := listening.FindStringSubmatch(lines.Text()); match != nil {
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return &server{cmd, match[1]}, nil
		}
		fmt.Fprintln(os.Stderr, lines.Text())
	}
	return nil, fmt.Errorf("%s exited: %w", b.program, cmd.Wait())
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
}

// post sends a file and returns the number of registered users.
func (s *server) post(ctx context.Context, body io.Reader, headers ...string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/useradd", body)
	if err != nil {
		return 0, err
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.Header.Get("Content-Type") == lines {
		return createdInLines(response.Body)
	}
	created, buf := 0, make([]byte, 64<<10)
	for {
		n, err := response.Body.Read(buf)
		created += strings.Count(string(buf[:n]), "{") // in the array of the contract
		if err == io.EOF {
			return created, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// createdInLines returns the number of registered users in the last line.
func createdInLines(body io.Reader) (int, error) {
	var last struct {
		Status, Error string
		Created       int
	}
	all := bufio.NewScanner(body)
	for all.Scan() {
		if text := all.Bytes(); !bytes.HasPrefix(text, []byte(`{"object_id"`)) {
			err := json.Unmarshal(text, &last)
			if err != nil {
				return 0, err
			}
		}
	}
	if all.Err() == nil && last.Status != "done" {
		return 0, fmt.Errorf("the answer ended with %+v", last)
	}
	return last.Created, all.Err()
}

// peakMemory returns the maximum resident memory, in KiB.
func (s *server) peakMemory() (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	return strconv.Atoi(strings.Fields(rest)[0])
}

// processorTime returns the processor time of the server, in user and kernel mode.
func (s *server) processorTime() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	const tick = time.Second / 100 // USER_HZ, the same on every Linux
	fields := strings.Fields(string(stat)[strings.LastIndex(string(stat), ")"):])
	user, err := strconv.Atoi(fields[12])
	if err != nil {
		return 0, err
	}
	kernel, err := strconv.Atoi(fields[13])
	return time.Duration(user+kernel) * tick, err
}
