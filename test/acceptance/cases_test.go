package acceptance_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// A fileCase is a file as people have it, how it is sent, and the result that it must have: testdata/cases/NAME/case.json, beside the file.
type fileCase struct {
	Name string `json:"-"` // of the folder

	File        string            // name in the folder
	ContentType string            `json:"content_type"` // of the body, or of the part of a form; empty for none
	Form        bool              // sent as the file of a form, not as the body
	Query       string            // such as dates=mdy; empty for none
	Headers     map[string]string // other headers; nil for none
	Flags       []string          // of serve; nil for the defaults

	Status  int    // of the answer; 0 stands for 200
	Problem string // code of the problem; empty if a record was registered
	Words   string // part of the answer; empty for any

	// Registered are the people that the database has afterwards, in the order of the file: last name, first name, patronymic, login,
	// email, phone (digits of E.164) and birthday (YYYY-MM-DD). A value is empty for none. Count is their number; 0 stands for len(Registered),
	// and a larger one allows more people after these.
	Registered [][]string
	Count      int

	// Rejected has "field code" of each violation, by the number of the record.
	Rejected map[string][]string

	// Places has the line of each rejected record of a table or of NDJSON, by its number: "7", or in a workbook "5А, row 7".
	Places map[string]string

	// Told has the remarks of the last line of NDJSON about columns, rows, dates and sheets; nil for none.
	Told map[string]any
}

func fileCases(t *testing.T) []fileCase {
	t.Helper()
	files, err := filepath.Glob("testdata/cases/*/case.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	cases := make([]fileCase, len(files))
	for i, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		decoder := json.NewDecoder(bytes.NewReader(content))
		decoder.DisallowUnknownFields()
		require.NoError(t, decoder.Decode(&cases[i]), file)
		cases[i].Name = filepath.Base(filepath.Dir(file))
	}
	return cases
}

// Every case has the result in its case.json when it is sent to an empty database.
func TestCases(t *testing.T) {
	programs := map[string]*program{}
	for _, c := range fileCases(t) {
		flags := strings.Join(c.Flags, " ")
		p := programs[flags]
		if p == nil {
			p = start(t, c.Flags...)
			programs[flags] = p
		}
		t.Run(c.Name, func(t *testing.T) { c.check(t, p) })
	}
}

func (c *fileCase) check(t *testing.T, p *program) {
	t.Helper()
	p.empty(t)
	got := c.send(t, p, "application/json, application/problem+json")
	if c.Status == 0 {
		c.Status = http.StatusOK
	}
	require.Equal(t, c.Status, got.status, got.body)
	var problem struct{ Code string }
	if got.status != http.StatusOK {
		require.NoError(t, json.Unmarshal([]byte(got.body), &problem), got.body)
	}
	require.Equal(t, c.Problem, problem.Code, got.body)
	require.Contains(t, got.body, c.Words)

	var registered [][]string
	for _, r := range pgtest.Query[struct{ Fields []string }](t, p.database, `select array[lname, fname, patr, login, coalesce(email, ''), coalesce(phone, ''),
		coalesce(to_char(birthday, 'YYYY-MM-DD'), '')] from users join profiles on user_id = users.id order by users.id`) {
		registered = append(registered, r.Fields)
	}
	rejected, places := map[string][]string{}, map[string]string{}
	for _, r := range pgtest.Query[struct {
		Object     string
		Place      string
		Violations []string
	}](t, p.database, `select object_id::text, coalesce(sheet || ', row ', '') || coalesce(line::text, ''),
		array(select trim(concat(v->>'field', ' ', v->>'code')) from jsonb_array_elements(violations) v) from bad_users`) {
		rejected[r.Object] = r.Violations
		if r.Place != "" {
			places[r.Object] = r.Place
		}
	}
	require.Len(t, registered, max(c.Count, len(c.Registered)))
	require.Equal(t, c.Registered, registered[:len(c.Registered):len(c.Registered)])
	require.Len(t, rejected, len(c.Rejected))
	for object, violations := range c.Rejected {
		require.Equal(t, violations, rejected[object], "record %s", object)
	}
	require.Equal(t, fmt.Sprint(c.Places), fmt.Sprint(places)) // a missing map prints as an empty one does

	if c.Status != http.StatusOK && c.Problem != "none_created" {
		return
	}
	lines := strings.Split(strings.TrimSpace(c.send(t, p, "application/x-ndjson").body), "\n")
	told := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &told))
	for _, result := range []string{"status", "import", "code", "objects", "created", "rejected", "description"} {
		delete(told, result)
	}
	require.Equal(t, fmt.Sprint(c.Told), fmt.Sprint(told))
}

func (c *fileCase) send(t *testing.T, p *program, accept string) answer {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata/cases", c.Name, c.File))
	require.NoError(t, err)
	body, contentType := io.Reader(bytes.NewReader(content)), c.ContentType
	if c.Form {
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		header := textproto.MIMEHeader{"Content-Disposition": {multipart.FileContentDisposition("file", c.File)}}
		if c.ContentType != "" {
			header.Set("Content-Type", c.ContentType)
		}
		part, err := w.CreatePart(header)
		require.NoError(t, err)
		_, err = part.Write(content)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		body, contentType = &form, w.FormDataContentType()
	}
	headers := []string{"Accept", accept}
	if contentType != "" {
		headers = append(headers, "Content-Type", contentType)
	}
	for name, value := range c.Headers {
		headers = append(headers, name, value)
	}
	path := "/useradd"
	if c.Query != "" {
		path += "?" + c.Query
	}
	return p.do(t, "POST", path, body, headers...)
}
