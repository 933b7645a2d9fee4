package bulkfile_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"

	"rollcall/domain"
	"rollcall/ports"
)

// The charset depends on the whole file, not on its beginning.
func TestCharsetOfWholeFile(t *testing.T) {
	rows := strings.Repeat("anna,1\n", 100_000)
	late, err := charmap.Windows1251.NewEncoder().String("login,phone\n" + rows + "Жанна,2\n")
	require.NoError(t, err)
	got, err := candidatesOf(late, ports.FileHint{})
	require.NoError(t, err)
	require.Equal(t, "Жанна", got[len(got)-1].Given[domain.PersonLogin].Text)
	for cut := range 4 { // characters that two reads divide
		file := "login,phone\n" + strings.Repeat("x", 64<<10-14+cut) + "ЖЖ🙂🙂,1\n"
		got, err := candidatesOf(file, ports.FileHint{Format: "csv"})
		require.NoError(t, err)
		require.False(t, got[0].Given[domain.PersonLogin].Malformed)
		layout, err := files().Layout(sectionOf(file), ports.FileHint{Format: "csv"})
		require.NoError(t, err)
		require.Equal(t, "utf-8", layout.Encoding)
	}
	got, err = candidatesOf("login,phone\na\xffb,1\n", ports.FileHint{Format: "csv", Charset: "utf-8"})
	require.NoError(t, err)
	require.Equal(t, domain.Given{Kind: domain.KindText, Text: "a\ufffdb", Malformed: true}, got[0].Given[domain.PersonLogin])
}
