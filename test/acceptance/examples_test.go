package acceptance_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// An example is a line of expected.ndjson: the result that a file must have.
type example struct {
	File, Note  string
	Status      int
	Description string
	Created     []string
	Rejected    map[string][]string // "field code" of each violation, by the number of the record
}

// Every example has the result in its note when it is sent by `rollcall send` in alphabetical order to an empty database.
func TestExamples(t *testing.T) {
	const folder = "../json_examples"
	notes, err := os.ReadFile(filepath.Join(folder, "expected.ndjson"))
	require.NoError(t, err)
	var examples []example
	for line := range bytes.Lines(notes) {
		var e example
		require.NoError(t, json.Unmarshal(line, &e))
		examples = append(examples, e)
	}
	files, err := filepath.Glob(folder + "/*.json")
	require.NoError(t, err)
	require.Len(t, examples, len(files), "one line for each file")

	p := start(t)
	for i, e := range examples {
		file := filepath.Join(folder, e.File)
		require.Equal(t, filepath.Base(files[i]), e.File)
		users := p.count(t, "users")
		status, stdout, stderr := command(t, "", "send", "--server", p.url, file)
		require.Empty(t, stderr, e.File)
		require.Equal(t, e.Status != 200, status == 1, e.File)
		for _, login := range e.Created {
			require.Regexp(t, `(?m)^  \Q`+login+`\E +\S{27}$`, stdout, e.File)
		}
		require.Equal(t, len(e.Created), p.count(t, "users")-users, e.File)

		codes := p.codes(t)
		require.Equal(t, code{e.Status, "POST", e.Description}, codes[len(codes)-1], e.File)
		rejected := map[string][]string{}
		for _, r := range pgtest.Query[struct {
			Object, Description string
			Violations          []string
		}](t, p.database, `select object_id::text, description, array(select trim(concat(v->>'field', ' ', v->>'code'))
			from jsonb_array_elements(violations) v) from bad_users where code_id = (select max(id) from codes)`) {
			rejected[r.Object] = r.Violations
			require.Equal(t, len(r.Violations), strings.Count(r.Description+" ", ". "), "one sentence for each violation: %s", r.Description)
			if e.Status != 200 {
				require.Contains(t, stdout, r.Description, e.File)
			}
		}
		require.Equal(t, e.Rejected, rejected, e.File)
	}
}
