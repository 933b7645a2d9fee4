package spool_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/spool"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/contract"
)

func TestSpools(t *testing.T) { contract.Spools(t, spool.New(t.TempDir())) }

func TestOutcomes(t *testing.T) { contract.Outcomes(t, spool.New(t.TempDir())) }

func TestLargeSpoolLeavesNoName(t *testing.T) {
	dir := t.TempDir()
	s := spool.New(dir).New()
	_, err := s.Write(make([]byte, 2<<20))
	require.NoError(t, err)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries, "the file has a name, and would outlive a crash")
	require.NoError(t, s.Close())
}

func TestMissingFolder(t *testing.T) {
	s := spool.New(filepath.Join(t.TempDir(), "none")).New()
	_, err := s.Write(make([]byte, 1<<20))
	require.NoError(t, err, "1 MiB fits into memory")
	_, err = s.Write([]byte("x"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NotErrorIs(t, err, ports.ErrUnavailable, "a retry does not help")
}

// All spools together keep at most 32 MiB in memory. Until one is closed, the next needs the folder, which is missing here.
func TestMemoryOfAllSpoolsIsBounded(t *testing.T) {
	spools := spool.New(filepath.Join(t.TempDir(), "none"))
	var open []ports.Spool
	for range 32 {
		s := spools.New()
		_, err := s.Write(make([]byte, 1<<20))
		require.NoError(t, err)
		open = append(open, s)
	}
	next := spools.New()
	_, err := next.Write([]byte("x"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, open[0].Close())
	require.NoError(t, open[0].Close(), "closed twice")
	_, err = next.Write(make([]byte, 1<<20))
	require.NoError(t, err)
	_, err = spools.New().Write([]byte("x"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A process removes the folders of processes that have ended, and no others.
func TestFolders(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there")
	names := func() []string {
		t.Helper()
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		names := make([]string, len(entries))
		for i, entry := range entries {
			names[i] = entry.Name()
		}
		return names
	}
	one, err := spool.Open(dir)
	require.NoError(t, err)
	killed := filepath.Join(dir, "process-killed")
	require.NoError(t, os.MkdirAll(filepath.Join(killed, "xlsx-1", "sheet"), 0o700))
	others := filepath.Join(dir, "others")
	require.NoError(t, os.WriteFile(others, nil, 0o600))
	two, err := spool.Open(dir)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{filepath.Base(one.Dir()), filepath.Base(two.Dir()), "others"}, names())

	large := one.New()
	_, err = large.Write(make([]byte, 2<<20))
	require.NoError(t, err)
	require.NoError(t, one.Close())
	require.ElementsMatch(t, []string{filepath.Base(two.Dir()), "others"}, names())
	_, err = large.Write([]byte("x"))
	require.NoError(t, err, "an open spool can still be used")
	require.NoError(t, large.Close())
	require.NoError(t, two.Close())
}

// Answers in the format outlive an upgrade.
func TestFormatOfOutcomesIsStable(t *testing.T) {
	log := spool.New(t.TempDir()).NewLog()
	name := domain.RestoreFullName(domain.NameTexts{Last: "Lee", First: "Ann", Patronymic: "P"})
	for _, outcome := range []domain.Outcome{
		{Login: "ann", Name: name},
		{Login: "bob", Name: name, Skipped: true},
		{Login: "x", Violations: domain.Violations{{Field: "login", Code: "too_long", Limit: 300}, {Code: "type"}}},
		{Login: "cid", Name: name, Group: domain.RestoreGroup("7B")},
		{Place: domain.Place{Sheet: "5", Line: 300}, Violations: domain.Violations{{Code: "type"}}},
	} {
		require.NoError(t, log.Append(outcome))
	}
	require.NoError(t, log.Flush())
	content, err := io.ReadAll(log.Reader())
	require.NoError(t, err)
	require.Equal(t, "\x00\x03ann\x03Lee\x03Ann\x01P"+"\x01\x03bob\x03Lee\x03Ann\x01P"+"\x03\x01x\x05login\x08too_long\xac\x02\x00\x04type\x00"+"\x00\x03cid\x03Lee\x03Ann\x04P\t7B"+"\x03\x00\x00\x04type\x00\x015\x00\xac\x02", string(content))
	require.NoError(t, log.Close())
}
