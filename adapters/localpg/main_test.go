package localpg_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/localpg"
)

// runDir is the variable that makes this test binary a program that runs the server of a folder until it is killed.
const runDir = "LOCALPG_TEST_RUN"

// askURL is the variable that makes this test binary a client of a database, for another user.
const askURL = "LOCALPG_TEST_URL"

func TestMain(m *testing.M) {
	if dir := os.Getenv(runDir); dir != "" {
		runProgram(dir)
	}
	if url := os.Getenv(askURL); url != "" {
		runClient(url)
	}
	code := m.Run()
	_ = os.RemoveAll(template)
	os.Exit(code)
}

// template is a folder with a cluster, empty before makeTemplate.
var template string

var makeTemplate = sync.OnceValue(func() (err error) {
	template, err = os.MkdirTemp("", "")
	if err == nil {
		err = os.Chmod(template, 0o755)
	}
	if err != nil {
		return err
	}
	s, err := localpg.Start(context.Background(), config(template))
	if err != nil {
		return err
	}
	return s.Stop(context.Background())
})

// clusterDir returns a new folder with a copy of the template's cluster, because creating a cluster takes a second.
func clusterDir(t *testing.T) string {
	t.Helper()
	require.NoError(t, makeTemplate())
	dir := openDir(t)
	output, err := exec.Command("cp", "-a", filepath.Join(template, "data"), dir).CombinedOutput()
	require.NoError(t, err, string(output))
	return dir
}

// runProgram runs a server until the process is killed.
func runProgram(dir string) {
	s, err := localpg.Start(context.Background(), config(dir))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(s.URL(localpg.Database))
	select {}
}

// runClient prints the result of a query and exits.
func runClient(url string) {
	c, err := dial(url)
	var rows []string
	if err == nil {
		rows, err = c.query("select 1")
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(strings.Join(rows, "\n"))
	os.Exit(0)
}

// startProgram starts a program with a server. firstLine waits for the server and returns its connection string.
func startProgram(t *testing.T, dir string, change ...func(*exec.Cmd)) (program *exec.Cmd, firstLine func() string) {
	t.Helper()
	program = exec.Command(os.Args[0])
	program.Env = append(os.Environ(), runDir+"="+dir)
	program.Stderr = os.Stderr
	for _, change := range change {
		change(program)
	}
	out, err := program.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())
	t.Cleanup(func() { kill(program) })
	return program, func() string {
		line, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		return strings.TrimSpace(line)
	}
}

// config returns the configuration of a server that need not survive a power failure.
func config(dir string) localpg.Config {
	return localpg.Config{Dir: dir, Settings: map[string]string{"fsync": "off", "shared_buffers": "16MB"}}
}

// start starts a server that stops when the test ends.
func start(t *testing.T, cfg localpg.Config) *localpg.Server {
	t.Helper()
	s, err := localpg.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t *testing.T, s *localpg.Server) {
	t.Helper()
	require.NoError(t, s.Stop(context.Background()))
}

// kill kills a program and waits for its end, which releases its lock.
func kill(program *exec.Cmd) {
	_ = program.Process.Kill()
	_ = program.Wait()
}

// privateDir returns a new folder that only its owner may enter. Its path is short.
func privateDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "") //nolint:usetesting // the path of t.TempDir has the test's name
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// openDir returns a new folder that every user may enter. Its path is short.
func openDir(t *testing.T) string {
	t.Helper()
	dir := privateDir(t)
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}
