package contract

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/ports"
)

// An ExportsSubject is an empty store with room for some small files.
type ExportsSubject struct {
	Store ports.ExportStore
	Names func() []string // of the stored files, in any order
}

// Exports proves a ports.ExportStore.
func Exports(t *testing.T, subject func(*testing.T) ExportsSubject) {
	for _, c := range []struct {
		name string
		test func(*testing.T, ExportsSubject)
	}{
		{"MakesACompleteFile", makesCompleteFile},
		{"ShowsNoIncompleteFile", showsNoIncompleteFile},
		{"LeavesNothingAfterAFailure", leavesNothingAfterFailure},
		{"KeepsTheNewestOfAKind", keepsNewestOfKind},
		{"ReadsAReplacedFile", readsReplacedFile},
		{"MakesFilesOfOneNameConcurrently", makesOneNameConcurrently},
		{"MakesAFileDuringAnother", makesFileDuringAnother},
		{"KeepsTheFileBeforeAFailure", keepsFileBeforeFailure},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, subject(t)) })
	}
}

func xlsx(detail string) ports.ExportName {
	return ports.ExportName{Kind: "rollcall", Detail: detail, Extension: "xlsx"}
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func (s ExportsSubject) make(t *testing.T, name ports.ExportName, content string) *ports.ExportFile {
	t.Helper()
	file, err := s.Store.Make(name, text(content))
	require.NoError(t, err)
	t.Cleanup(func() { file.Close() })
	return file
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	content, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(content)
}

func makesCompleteFile(t *testing.T, s ExportsSubject) {
	large := strings.Repeat("0123456789abcdef", 100_000)
	for _, c := range []struct {
		content string
		name    ports.ExportName
	}{
		{"", ports.ExportName{Kind: "empty", Detail: "2026-11-23", Extension: "txt"}},
		{"x", ports.ExportName{Kind: "rollcall-bad_users", Detail: "2026-11-23", Extension: "csv"}},
		{large, ports.ExportName{Kind: "rollcall-rejected", Detail: "2026-11-23-import-7", Extension: "json"}},
	} {
		t.Run(c.name.Kind, func(t *testing.T) {
			file, err := s.Store.Make(c.name, func(w io.Writer) error {
				for rest := c.content; rest != ""; {
					n, err := io.WriteString(w, rest[:min(len(rest), 70_001)])
					if err != nil {
						return err
					}
					rest = rest[n:]
				}
				return nil
			})
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("%s-%s.%s", c.name.Kind, c.name.Detail, c.name.Extension), file.Name)
			require.EqualValues(t, len(c.content), file.Size)
			isSame := c.content == readAll(t, file) // a diff would be too long
			require.True(t, isSame)
			require.NoError(t, file.Close())
		})
	}
}

func showsNoIncompleteFile(t *testing.T, s ExportsSubject) {
	file, err := s.Store.Make(xlsx("1"), func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Repeat("x", 1<<20))
		require.Empty(t, s.Names())
		return err
	})
	require.NoError(t, err)
	require.NoError(t, file.Close())
	require.Equal(t, []string{"rollcall-1.xlsx"}, s.Names())
}

func leavesNothingAfterFailure(t *testing.T, s ExportsSubject) {
	failure := errors.New("failure")
	for _, size := range []int{0, 1, 1 << 20} {
		file, err := s.Store.Make(xlsx("1"), func(w io.Writer) error {
			_, err := io.WriteString(w, strings.Repeat("x", size))
			require.NoError(t, err)
			return failure
		})
		require.ErrorIs(t, err, failure)
		require.NotErrorIs(t, err, ports.ErrUnavailable)
		require.Nil(t, file)
		require.Empty(t, s.Names())
	}
}

func keepsNewestOfKind(t *testing.T, s ExportsSubject) {
	s.make(t, xlsx("2026-11-22"), "old")
	s.make(t, xlsx("2026-11-23"), "older")
	file := s.make(t, xlsx("2026-11-23"), "new")
	require.Equal(t, "new", readAll(t, file))
	require.Equal(t, []string{"rollcall-2026-11-23.xlsx"}, s.Names())

	want := []string{"rollcall-2026-11-23.xlsx"}
	for _, name := range []ports.ExportName{
		{Kind: "rollcall", Detail: "2026-11-23", Extension: "txt"},
		{Kind: "rollcall-codes", Detail: "2026-11-23", Extension: "xlsx"},
		{Kind: "rollcall-rejected", Detail: "2026-11-23-import-7", Extension: "xlsx"},
		{Kind: "roll", Detail: "2026-11-23", Extension: "xlsx"},
	} {
		want = append(want, s.make(t, name, "other").Name)
		require.ElementsMatch(t, want, s.Names())
	}
	s.make(t, ports.ExportName{Kind: "rollcall-rejected", Detail: "2026-11-23-import-8", Extension: "xlsx"}, "newer")
	want[3] = "rollcall-rejected-2026-11-23-import-8.xlsx"
	s.make(t, xlsx("2026-11-21"), "the newest, whatever its name")
	want[0] = "rollcall-2026-11-21.xlsx"
	require.ElementsMatch(t, want, s.Names())
}

func readsReplacedFile(t *testing.T, s ExportsSubject) {
	first := s.make(t, xlsx("1"), "first")
	start := make([]byte, 2)
	_, err := io.ReadFull(first, start)
	require.NoError(t, err)
	same, other := s.make(t, xlsx("1"), "same"), s.make(t, xlsx("2"), "other")
	require.Equal(t, "rst", readAll(t, first))
	require.Equal(t, "same", readAll(t, same))
	require.Equal(t, "other", readAll(t, other))
}

func makesOneNameConcurrently(t *testing.T, s ExportsSubject) {
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			want := strings.Repeat(fmt.Sprint(i, " "), 1000)
			file, err := s.Store.Make(xlsx(strconv.Itoa(i%2)), text(want))
			if err != nil {
				t.Error(err)
				return
			}
			defer file.Close()
			got, err := io.ReadAll(file)
			if err != nil {
				t.Error(err)
			}
			require.Equal(t, want, string(got))
		})
	}
	all.Wait()
	require.Len(t, s.Names(), 1)
}

// makesFileDuringAnother proves that the file that was completed last is kept.
func makesFileDuringAnother(t *testing.T, s ExportsSubject) {
	var inner *ports.ExportFile
	outer, err := s.Store.Make(xlsx("1"), func(w io.Writer) error {
		inner = s.make(t, xlsx("2"), "inner")
		return text("outer")(w)
	})
	require.NoError(t, err)
	defer outer.Close()
	require.Equal(t, "inner", readAll(t, inner))
	require.Equal(t, "outer", readAll(t, outer))
	require.Equal(t, []string{"rollcall-1.xlsx"}, s.Names())
}

func keepsFileBeforeFailure(t *testing.T, s ExportsSubject) {
	s.make(t, xlsx("1"), "first")
	failure := errors.New("failure")
	_, err := s.Store.Make(xlsx("1"), func(io.Writer) error { return failure })
	require.ErrorIs(t, err, failure)
	require.Equal(t, []string{"rollcall-1.xlsx"}, s.Names())
}
