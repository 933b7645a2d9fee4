package browser_test

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// caseFile returns the path of a file of the acceptance tests.
func caseFile(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../acceptance/testdata/cases", name))
	require.NoError(t, err)
	require.FileExists(t, path)
	return path
}

// Where a file can be read in several ways, an operator sees them and chooses.
func TestUploadChoices(t *testing.T) {
	const checked = "Checked, no one registered yet"
	p := start(t)
	v := p.visit(t)
	p.registerOperator(v, anna())
	check := func(state string) {
		v.t.Helper()
		for _, as := range []look{{phone: true}, {dark: true}, {}} {
			v.look(as)
			v.isAccessible(state + " " + as.String())
			if as.phone {
				v.fits(state)
			}
		}
	}
	v.run("Encoding", func(t *testing.T) {
		v.upload(caseFile(t, "A30-encoding-unclear/people.csv"))
		v.headed("Choose the encoding")
		check("unclear encoding")
		require.Contains(t, v.text(".encodings"), "Windows-1252 Kõri")
		v.load(http.StatusOK, click(`.encodings button[value="windows-1252"]`))
		v.headed(checked)
		require.Contains(t, v.text(".preview"), "Kõri")
		require.Contains(t, v.text(".understood"), "Windows-1252, as you said")
	})
	v.run("Sheet", func(t *testing.T) {
		v.upload(caseFile(t, "E03-sheet-per-class/people.xlsx"))
		v.headed(checked)
		check("sheets")
		require.Equal(t, []string{"5А (1 row)", "5Б (1 row)"}, v.texts(".choices label"))
		require.Contains(t, v.text(".preview"), "e03a")
		v.load(http.StatusOK, click("#sheet-0"), click("#sheet-1"), click(".choices button"))
		v.headed(checked)
		require.Contains(t, v.text(".preview"), "e03b")
		require.Equal(t, []string{"Sheet not read: 5А (1 row)", "Sheet read: 5Б (1 row)"}, v.texts(".notes li"))
	})
	v.run("Dates", func(t *testing.T) {
		v.upload(caseFile(t, "month-first/people.csv"))
		v.headed(checked)
		check("order of dates")
		require.Equal(t, "Records 8 Can be registered 6 Will be rejected 2", v.text(".tally"))
		v.load(http.StatusOK, click("#dates-mdy"), click(".choices button"))
		v.headed(checked)
		require.Equal(t, "Records 8 Can be registered 7 Will be rejected 1", v.text(".tally"))
		v.load(http.StatusOK, click(`form:not(.choices) .submit button`))
		v.headed("Done")
		require.Equal(t, "Records 8 Registered 7 Rejected 1", v.text(".tally"))
	})
}
