package faults_test

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// A powered database loses, when its power fails, everything that was written but not synced.
type powered struct {
	*database

	kept string // folder of the synced contents; see testdata/power.c
}

func newPowered(t *testing.T) *powered {
	t.Helper()
	p := &powered{database: newDatabase(t), kept: filepath.Join(pgtest.MemoryDir(t), "kept")}
	require.NoError(t, p.server.Stop(t.Context()))
	programs := t.TempDir()
	library := filepath.Join(programs, "power.so")
	compile := cmp.Or(os.Getenv("CC"), "cc") + ` -shared -fPIC -O2 -Wall -Wextra -Werror -o "$0" testdata/power.c`
	output, err := exec.CommandContext(t.Context(), "sh", "-c", compile, library).CombinedOutput()
	require.NoError(t, err, "%s", output)
	script := fmt.Sprintf("#!/bin/sh\nDATA='%s' KEPT='%s' LD_PRELOAD='%s' exec '%s' \"$@\"\n",
		p.data(), p.kept, library, p.server.Bin("postgres"))
	require.NoError(t, os.WriteFile(filepath.Join(programs, "postgres"), []byte(script), 0o755))
	require.NoError(t, os.Symlink(p.server.Bin("initdb"), filepath.Join(programs, "initdb")))
	t.Setenv("PATH", programs+string(os.PathListSeparator)+os.Getenv("PATH"))
	p.makeFolder(t, p.kept)
	p.start(t)
	return p
}

// loseWrites kills PostgreSQL and resets its folder to the synced contents. It returns the number of files that changed.
func (p *powered) loseWrites(t *testing.T) (lost int) {
	t.Helper()
	p.kill(t)
	left := p.data() + ".left"
	tree, err := os.ReadFile(filepath.Join(p.kept, "tree"))
	require.NoError(t, err)
	for line := range strings.Lines(string(tree)) {
		path, key, isFile := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		again := left + strings.TrimPrefix(path, p.data())
		if !isFile {
			p.makeFolder(t, again)
			continue
		}
		synced, err := os.ReadFile(filepath.Join(p.kept, key))
		if !os.IsNotExist(err) { // a file that was never synced is empty
			require.NoError(t, err)
		}
		written, _ := os.ReadFile(path) // the file may have been removed
		if !bytes.Equal(written, synced) {
			lost++
		}
		require.NoError(t, os.WriteFile(again, synced, 0o600))
		p.give(t, again)
	}
	for _, dir := range []string{p.data(), p.kept} {
		require.NoError(t, os.RemoveAll(dir))
	}
	require.NoError(t, os.Rename(left, p.data()))
	p.makeFolder(t, p.kept)
	return lost
}

// makeFolder creates a folder that PostgreSQL owns.
func (p *powered) makeFolder(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, os.Mkdir(dir, 0o700))
	p.give(t, dir)
}

// give makes PostgreSQL the owner of a file.
func (p *powered) give(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(filepath.Join(p.dir, "postgres.log"))
	require.NoError(t, err)
	owner, ok := info.Sys().(*syscall.Stat_t)
	require.True(t, ok)
	require.NoError(t, os.Lchown(path, int(owner.Uid), int(owner.Gid)))
}
