package faults_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/report"
	"rollcall/domain"
	"rollcall/ports"
)

// separators are the characters at which spreadsheets split a CSV file, by their user's settings.
const separators = ",;\t|"

// Spreadsheets never compute names that are formulas, wherever they split the file. Every test run splits the files itself; 'make
// faults' also opens them with LibreOffice.
func TestSpreadsheetsComputeNothing(t *testing.T) {
	dir := t.TempDir()
	names := hostileNames()
	harmful := filepath.Join(dir, "harmful.csv") // proves that formulas are found
	require.NoError(t, os.WriteFile(harmful, []byte("name\r\n"+strings.Join(names, "\r\n")+"\r\n"), 0o600))
	var files []string
	for _, language := range []string{"en", "ru"} {
		for name, file := range tables(t, language, names) {
			files = append(files, filepath.Join(dir, language+"_"+name+".csv"))
			require.NoError(t, os.WriteFile(files[len(files)-1], file, 0o600))
		}
	}
	for _, separator := range separators {
		require.NotEmpty(t, cellsOfFormulas(t, harmful, separator))
		for _, file := range files {
			require.Empty(t, cellsOfFormulas(t, file, separator), "%s, split at %q", filepath.Base(file), separator)
		}
	}
	if *long {
		for _, separator := range separators {
			opened := openWithLibreOffice(t, separator, append(files, harmful)...)
			require.Contains(t, opened[harmful], "table:formula=")
			for _, file := range files {
				require.NotContains(t, opened[file], "table:formula=", "%s, split at %q", filepath.Base(file), separator)
			}
		}
	}
}

// hostileNames returns names with a formula at the beginning and after everything that may end a cell.
func hostileNames() (all []string) {
	for _, before := range append([]string{"", "x\n", "x\r\n", "x\r"}, strings.Split(separators, "")...) {
		for _, drop := range []string{"", "'", `"`, " ", "\u00a0", "''", `";`, `"",`} {
			for _, formula := range []string{"=6*7", "+6*7", "-6*-7", "@SUM(42)", "＝6*7"} {
				all = append(all, before+drop+formula, before+drop+formula+before+`"`)
			}
		}
	}
	return all
}

// tables writes every kind of CSV file with the names, for a language.
func tables(t *testing.T, language string, names []string) map[string][]byte {
	t.Helper()
	rejections := func(yield func(domain.Rejection, error) bool) {
		for i, name := range names {
			original, err := json.Marshal(map[string]string{"last_name": name, "login": name, "email": name})
			require.NoError(t, err)
			if !yield(domain.Rejection{Place: domain.Place{Sheet: name, Line: i + 2}, Record: i + 1, Login: name, Description: name, Original: original}, nil) {
				return
			}
		}
	}
	outcomes := func(yield func(domain.Outcome, error) bool) {
		for i, name := range names {
			if !yield(domain.Outcome{Record: i + 1, Name: domain.RestoreFullName(domain.NameTexts{Last: name, First: name, Patronymic: name}), Login: name, Password: "abcdef"}, nil) {
				return
			}
		}
	}
	files := map[string]*bytes.Buffer{"bad_users": {}, "rejected": {}, "credentials": {}}
	r := ports.Report{Language: language, Rejections: rejections}
	require.NoError(t, report.BadUsersCSV{}.Write(files["bad_users"], r))
	require.NoError(t, report.RejectedCSV{}.Write(files["rejected"], r))
	require.NoError(t, report.CredentialsCSV{Language: language}.Write(files["credentials"], outcomes))
	all := map[string][]byte{}
	for name, file := range files {
		all[name] = file.Bytes()
	}
	return all
}

// cellsOfFormulas returns the cells of a file that begin like formulas. It reads as the crudest spreadsheet does: it splits at
// separators and line breaks even inside quotes, and drops quotes and blanks.
func cellsOfFormulas(t *testing.T, file string, separator rune) (found []string) {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, cell := range strings.FieldsFunc(string(content), func(r rune) bool { return r == separator || r == '\r' || r == '\n' }) {
		shown := strings.TrimLeftFunc(cell, func(r rune) bool { return r == '"' || unicode.IsSpace(r) || !unicode.IsGraphic(r) })
		if strings.IndexFunc(shown, func(r rune) bool { return strings.ContainsRune("=+-@＝", r) }) == 0 {
			found = append(found, cell)
		}
	}
	return found
}

// openWithLibreOffice opens CSV files with a list separator, which evaluates formulas, and returns them as LibreOffice reads them.
func openWithLibreOffice(t *testing.T, separator rune, files ...string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	const quote, utf8 = '"', 76
	args := append([]string{
		"--headless", "-env:UserInstallation=file://" + filepath.Join(dir, "profile"),
		"--convert-to", "fods", fmt.Sprintf("--infilter=CSV:%d,%d,%d", separator, quote, utf8), "--outdir", dir,
	}, files...)
	out, err := exec.CommandContext(t.Context(), "soffice", args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	opened := map[string]string{}
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(dir, strings.TrimSuffix(filepath.Base(file), ".csv")+".fods"))
		require.NoError(t, err, "%s", out)
		opened[file] = string(content)
	}
	return opened
}
