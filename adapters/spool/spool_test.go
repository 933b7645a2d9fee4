package spool_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rollcall/adapters/spool"
	"rollcall/ports"
	"rollcall/test/contract"
)

func TestSpools(t *testing.T) { contract.Spools(t, spool.New(t.TempDir())) }

func TestLargeSpoolLeavesNoName(t *testing.T) {
	dir := t.TempDir()
	s := spool.New(dir).New()
	_, err := s.Write(make([]byte, 2<<20))
	require.NoError(t, err)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries, "a file with a name would outlive a crash")
	require.NoError(t, s.Close())
}

func TestMissingFolder(t *testing.T) {
	s := spool.New(filepath.Join(t.TempDir(), "none")).New()
	_, err := s.Write(make([]byte, 1<<20))
	require.NoError(t, err, "what fits into memory needs no folder")
	_, err = s.Write([]byte("x"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NotErrorIs(t, err, ports.ErrUnavailable, "it will not be better later")
}
