package pgtest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"rollcall/adapters/localpg"
	"rollcall/test/pgtest"
)

// abandoned is the folder of a test process that was killed.
var abandoned string

func TestMain(m *testing.M) {
	killed := exec.Command("true")
	err := killed.Run()
	if err == nil {
		abandoned, err = os.MkdirTemp("", fmt.Sprintf("pgtest-%d-", killed.Process.Pid))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(pgtest.Run(m))
}

func TestAbandonedFoldersAreRemoved(t *testing.T) {
	t.Parallel()
	pgtest.New(t)
	require.NoDirExists(t, abandoned)
	var inUse []string
	for _, parent := range []string{os.TempDir(), "/dev/shm"} {
		folders, err := filepath.Glob(filepath.Join(parent, fmt.Sprintf("pgtest-%d-*", os.Getpid())))
		require.NoError(t, err)
		inUse = append(inUse, folders...)
	}
	require.Len(t, inUse, 1)
}

func TestEachTestHasItsOwnMigratedDatabase(t *testing.T) {
	t.Parallel()
	for i := range 10 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			url := pgtest.New(t)
			require.Equal(t, []count{{0}}, pgtest.Query[count](t, url, "select count(*) from codes"))
			pgtest.Query[struct{}](t, url, "create table own (n int)")
		})
	}
}

type count struct{ N int }

func TestDatabaseEndsWithItsTest(t *testing.T) {
	var url string
	t.Run("with an open connection", func(t *testing.T) {
		url = pgtest.New(t)
		_, err := pgx.Connect(t.Context(), url)
		require.NoError(t, err)
	})
	_, err := pgx.Connect(t.Context(), url)
	require.ErrorContains(t, err, "3D000", "the database still exists")
}

// pgx parses the connection string correctly for every folder and environment.
func TestPGXReadsURLs(t *testing.T) {
	t.Setenv("PGPORT", "1")
	t.Setenv("PGHOST", "/nowhere")
	t.Setenv("PGSSLMODE", "verify-full")
	for _, name := range []string{"plain", "a b+c&d=e%f?g", "a,b"} {
		t.Run(name, func(t *testing.T) {
			s := pgtest.Start(t, filepath.Join(pgtest.Dir(t), name))
			require.Equal(t, []count{{1}}, pgtest.Query[count](t, s.URL(localpg.Database), "select 1"))
		})
	}
}

func TestServerKeepsItsData(t *testing.T) {
	t.Parallel()
	dir := pgtest.Dir(t)
	s := pgtest.Start(t, dir)
	pgtest.Query[struct{}](t, s.URL(localpg.Database), "create table kept (n int)")
	require.NoError(t, s.Stop(t.Context()))
	_, err := pgx.Connect(t.Context(), s.URL(localpg.Database))
	require.Error(t, err)

	s = pgtest.Start(t, dir)
	require.Equal(t, []count{{0}}, pgtest.Query[count](t, s.URL(localpg.Database), "select count(*) from kept"))
}
