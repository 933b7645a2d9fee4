// Command bench measures imports against a bare COPY of the same rows into the same tables, on a PostgreSQL of its own,
// and prints the ratios. Figures of one run can be compared; those of two machines cannot.
package main

import (
	"bufio"
	"context"
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
	"golang.org/x/sync/errgroup"

	"rollcall/adapters/localpg"
	"rollcall/adapters/postgres"
)

func main() {
	var b bench
	flag.IntVar(&b.objects, "objects", 1_000_000, "objects of the large import")
	flag.IntVar(&b.singles, "singles", 3_000, "imports of one object")
	flag.IntVar(&b.visitors, "sign-ins", 200, "sign-ins at once")
	flag.IntVar(&b.requests, "requests", 100_000, "requests in a report")
	flag.IntVar(&b.refused, "refused", 1_000_000, "refused objects in a report")
	flag.StringVar(&b.only, "only", "", "the one thing to measure: large, small, sign-ins or reports")
	flag.IntVar(&b.runs, "runs", 3, "how often each is run; the median counts")
	flag.StringVar(&b.program, "program", "bin/rollcall", "the program to measure")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := b.run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to be deferred but stop
	}
}

type bench struct {
	objects, singles, visitors, requests, refused, runs int
	program, only                                       string

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
		return fmt.Errorf("the bare COPY is psql's: %w", err)
	}
	fmt.Printf("%d processors, %s, %s\n\n", runtime.NumCPU(), runtime.Version(), b.version(ctx))
	for _, part := range []struct {
		name    string
		measure func(context.Context) error
	}{{"large", b.large}, {"small", b.small}, {"sign-ins", b.signIns}, {"reports", b.reports}} {
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

// large imports the objects, and copies what came of them, by turns.
func (b *bench) large(ctx context.Context) error {
	file := filepath.Join(b.dir, "objects.json")
	size, err := b.generate(file)
	if err != nil {
		return err
	}
	var imports, copies []time.Duration
	var peak int
	for run := range b.runs {
		took, memory, err := b.importOnce(ctx, file)
		if err != nil {
			return fmt.Errorf("import: %w", err)
		}
		imports, peak = append(imports, took), max(peak, memory)
		if run == 0 {
			err = b.psql(ctx, `\copy (select * from users order by id) to 'users.copy'`, `\copy (select * from profiles order by id) to 'profiles.copy'`)
			if err != nil {
				return err
			}
		}
		took, err = b.copyOnce(ctx)
		if err != nil {
			return fmt.Errorf("copy: %w", err)
		}
		copies = append(copies, took)
		fmt.Printf("run %d: import %.2f s, COPY %.2f s\n", run+1, imports[run].Seconds(), copies[run].Seconds())
	}
	fmt.Printf(`
%d objects in one array of %d MB, from the first byte sent to the last received:
  import               %6.2f s   (%.0f users a second)
  \copy of the rows    %6.2f s
  ratio                %6.2f     (bound: 1.30)
  peak memory, server  %6d MiB (bound: 150)
`, b.objects, size/1_000_000, median(imports).Seconds(), float64(b.objects)/median(imports).Seconds(), median(copies).Seconds(),
		median(imports).Seconds()/median(copies).Seconds(), peak>>10)
	return nil
}

// importOnce sends the file to a new server, and returns its peak memory in KiB as well.
func (b *bench) importOnce(ctx context.Context, name string) (time.Duration, int, error) {
	err := b.clear(ctx)
	if err != nil {
		return 0, 0, err
	}
	server, err := b.start(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer server.stop()
	file, err := os.Open(name)
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()
	began := time.Now()
	created, err := server.post(ctx, file)
	took := time.Since(began)
	if err != nil {
		return 0, 0, err
	}
	if created != b.objects {
		return 0, 0, fmt.Errorf("%d of %d users were created", created, b.objects)
	}
	memory, err := server.peakMemory()
	return took, memory, err
}

func (b *bench) copyOnce(ctx context.Context) (time.Duration, error) {
	err := b.clear(ctx)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = b.psql(ctx, `\copy users from 'users.copy'`, `\copy profiles from 'profiles.copy'`)
	return time.Since(began), err
}

// small measures the processor time of the server for imports of one object: by one client, where it holds what Go's
// scheduler spends on going to sleep and waking up three times for each, and by many, where it is the work alone.
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
	fmt.Printf("\n%d imports of one object each:\n", b.singles)
	for i, clients := range []int{1, 16} {
		before, err := server.processorTime()
		if err != nil {
			return err
		}
		began := time.Now()
		err = b.singlesBy(ctx, server, clients, warmUp+i*b.singles, b.singles)
		if err != nil {
			return err
		}
		took := time.Since(began)
		after, err := server.processorTime()
		if err != nil {
			return err
		}
		fmt.Printf("  clients at once: %2d  processor time of the server: %.3f ms each (bound for one client: 0.300)  %4.0f imports a second\n",
			clients, milliseconds(after-before)/float64(b.singles), float64(b.singles)/took.Seconds())
	}
	return nil
}

// singlesBy sends as many imports of one object each, from the object with this number on.
func (b *bench) singlesBy(ctx context.Context, server *server, clients, first, count int) error {
	group, ctx := errgroup.WithContext(ctx)
	for client := range clients {
		group.Go(func() error {
			for i := client; i < count; i += clients {
				_, err := server.post(ctx, strings.NewReader(object(first+i)))
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// clear empties the tables, and has what they were written.
func (b *bench) clear(ctx context.Context) error {
	_, err := b.conn.Exec(ctx, "truncate users, profiles, codes, bad_users, code_reasons, statistics, reason_statistics restart identity")
	if err != nil {
		return err
	}
	_, err = b.conn.Exec(ctx, "checkpoint")
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

func (b *bench) generate(name string) (size int64, err error) {
	file, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer func() { err = firstOf(err, file.Close()) }()
	w := bufio.NewWriter(file)
	for i := range b.objects {
		_, _ = w.WriteString([]string{"[\n", ",\n"}[min(i, 1)])
		_, _ = w.WriteString(object(i))
	}
	_, _ = w.WriteString("\n]\n")
	err = w.Flush()
	if err != nil {
		return 0, err
	}
	return file.Seek(0, io.SeekCurrent)
}

// object is a person like many: about 200 bytes.
func object(i int) string {
	first := []string{"Иван", "Мария", "Пётр", "Анна", "Сергей", "Ольга", "John"}
	last := []string{"Смирнов", "Кузнецова", "Попов", "Васильева", "Smith"}
	patronymic := []string{"Иванович", "Петровна", "Сергеевич"}
	return fmt.Sprintf(`{"first_name": %q, "last_name": %q, "patronymic": %q, "login": "user%07d", "email": "user%07d@example.com", "phone": "+79%09d", "birthday": "%02d/%02d/%d"}`,
		first[i%len(first)], last[i%len(last)], patronymic[i%len(patronymic)], i, i, i, i%28+1, i%12+1, 1950+i%60)
}

func median(times []time.Duration) time.Duration {
	times = slices.Sorted(slices.Values(times))
	return times[len(times)/2]
}

// client keeps the connections of as many senders as measured at once.
var client = http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

// server is the program, running.
type server struct {
	cmd *exec.Cmd
	url string
}

func (b *bench) start(ctx context.Context) (*server, error) {
	cmd := exec.CommandContext(ctx, b.program, "serve", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(b.dir, "data"),
		"--uploads-dir", filepath.Join(b.dir, "uploads"))
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
	return nil, fmt.Errorf("%s has ended: %w", b.program, cmd.Wait())
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
}

// post returns how many users were created, by the opening braces of the answer.
func (s *server) post(ctx context.Context, body io.Reader) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/useradd", body)
	if err != nil {
		return 0, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("answered with %s", response.Status)
	}
	created, buf := 0, make([]byte, 64<<10)
	for {
		n, err := response.Body.Read(buf)
		created += strings.Count(string(buf[:n]), "{")
		if err == io.EOF {
			return created, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// peakMemory is the most that was resident, in KiB.
func (s *server) peakMemory() (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	return strconv.Atoi(strings.Fields(rest)[0])
}

// processorTime is what the server has used, in user and kernel mode.
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
