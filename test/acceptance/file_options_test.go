package acceptance_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// caseFile returns the file of a case.
func caseFile(t *testing.T, name string) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata/cases", name))
	require.NoError(t, err)
	return file
}

// The answer names the sheets with people, and the numbers of hidden rows and of dates that can be read in two ways. A plain answer, which has
// room for credentials only, has them in a header, and a repeated answer has the same.
func TestNotes(t *testing.T) {
	p := start(t)
	for name, c := range map[string]struct{ file, notes, header string }{
		"Sheets": {
			"E03-sheet-per-class/people.xlsx", `"sheets":[{"sheet":"5А","rows":1,"read":true},{"sheet":"5Б","rows":1,"read":false}]`,
			`{"sheets":[{"sheet":"5\u0410","rows":1,"read":true},{"sheet":"5\u0411","rows":1,"read":false}]}`,
		},
		"HiddenRows": {"E04-hidden-rows/people.xlsx", `"hidden_rows":1`, ``},
		"Dates":      {"month-first/people.csv", `"ambiguous_dates":2`, `{"ambiguous_dates":2}`},
	} {
		t.Run(name, func(t *testing.T) {
			file := caseFile(t, c.file)
			got := p.do(t, "POST", "/useradd?dry_run=true", bytes.NewReader(file), "Accept", "application/x-ndjson")
			require.Equal(t, 200, got.status, got.body)
			require.Contains(t, got.body, c.notes)
			for range 2 {
				plain := p.do(t, "POST", "/useradd", bytes.NewReader(file), "Idempotency-Key", name)
				require.Equal(t, 200, plain.status, plain.body)
				if c.header != "" {
					require.Equal(t, c.header, plain.header.Get("Import-Notes"))
				}
				lines := p.do(t, "POST", "/useradd", bytes.NewReader(file), "Accept", "application/x-ndjson", "Idempotency-Key", name)
				require.Equal(t, "true", lines.header.Get("Idempotent-Replayed"))
				require.Contains(t, lines.body, c.notes)
				require.Empty(t, lines.header.Get("Import-Notes"))
			}
		})
	}

	var long strings.Builder
	long.WriteString(`{"login":"anna","email":"a@example.com","first_name":"А","last_name":"Б","patronymic":"В"`)
	for i := range 40 {
		fmt.Fprintf(&long, `,"%d%s":1`, i, strings.Repeat("я", 100))
	}
	got := p.post(t, long.String()+"}")
	require.Equal(t, 200, got.status, got.body)
	header := got.header.Get("Import-Notes")
	require.Less(t, len(header), 4<<10, "many proxies accept no more")
	require.Contains(t, header, `"cut":true`)
}

// The options of a file are parameters, or fields of a form. The parameters override the fields.
func TestFileOptions(t *testing.T) {
	p := start(t)
	school := caseFile(t, "E03-sheet-per-class/people.xlsx")
	send := func(query url.Values, file []byte, fields ...string) answer {
		t.Helper()
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for i := 0; i < len(fields); i += 2 {
			require.NoError(t, form.WriteField(fields[i], fields[i+1]))
		}
		part, err := form.CreateFormFile("file", "people")
		require.NoError(t, err)
		_, err = part.Write(file)
		require.NoError(t, err)
		require.NoError(t, form.Close())
		query.Set("dry_run", "true")
		return p.do(t, "POST", "/useradd?"+query.Encode(), &body, "Content-Type", form.FormDataContentType(), "Accept", "application/x-ndjson, application/problem+json")
	}
	sheets := func(names ...string) url.Values { return url.Values{"sheet": names} }
	many := make([]string, 10_000)
	for i := range many {
		many[i] = "sheet"
	}
	for name, c := range map[string]struct {
		got    answer
		status int
		want   string
	}{
		"Field":           {send(url.Values{}, school, "sheet", "5Б"), 200, `"login":"e03b"`},
		"Fields":          {send(url.Values{}, school, "sheet", "5Б", "sheet", "5А"), 200, `"object_id":2,"status":"created","login":"e03a"`},
		"NoValues":        {send(url.Values{}, school, "sheet", "", "dates", "", "charset", ""), 200, `"login":"e03a"`},
		"Parameter":       {send(sheets("5А"), school, "sheet", "5Б"), 200, `"login":"e03a"`},
		"UnknownField":    {send(url.Values{}, school, "sheet", "5В"), 400, `"sheet_names":["5А","5Б"]`},
		"EmptyParameter":  {send(sheets(""), school), 400, `"sheet_names":["5А","5Б"]`},
		"Blanks":          {send(sheets(" "), school), 400, `"code":"sheet_unknown"`},
		"LongName":        {send(url.Values{}, school, "sheet", strings.Repeat("5А", 1<<19)), 400, `"code":"sheet_unknown"`},
		"NoText":          {send(sheets("\xff\x00"), school), 400, `"code":"sheet_unknown"`},
		"ManyFields":      {send(url.Values{}, school, withName("sheet", many)...), 400, `"code":"parameter"`},
		"ManyParameters":  {send(sheets(many[:257]...), school), 400, `"code":"parameter"`},
		"SheetOfJSON":     {send(sheets("5А"), []byte(person("anna", ""))), 400, `It is not a workbook, so it has no sheet \"5А\".`},
		"Dates":           {send(url.Values{}, caseFile(t, "month-first/people.csv"), "dates", "mdy"), 200, `"created":7,"rejected":1`},
		"DatesOfJSON":     {send(url.Values{"dates": {"mdy"}}, []byte(person("anna", `"email":"a@example.com","birthday":"12/31/1990"`))), 200, `"created":1`},
		"DatesOfWorkbook": {send(url.Values{"dates": {"mdy"}}, school), 200, `"created":1`},
		"UnknownDates":    {send(url.Values{}, school, "dates", "MDY"), 400, `The value of dates is invalid. Use dmy or mdy.`},
		"NoDates":         {send(url.Values{"dates": {""}}, school), 400, `"code":"parameter"`},
		"TwoOrders":       {send(url.Values{"dates": {"dmy", "mdy"}}, school), 400, `"code":"parameter"`},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.status, c.got.status, c.got.body)
			require.Contains(t, c.got.body, c.want)
		})
	}
	got := p.do(t, "POST", "/useradd?"+sheets(many...).Encode(), bytes.NewReader(school))
	require.Equal(t, 431, got.status, "the address is too long")
}

// withName returns the values, each after a name.
func withName(name string, values []string) []string {
	pairs := make([]string, 0, 2*len(values))
	for _, value := range values {
		pairs = append(pairs, name, value)
	}
	return pairs
}

// The options belong to the request that a key stands for.
func TestKeyOfFileOptions(t *testing.T) {
	p := start(t)
	school := caseFile(t, "E03-sheet-per-class/people.xlsx")
	send := func(query string) answer {
		return p.do(t, "POST", "/useradd"+query, bytes.NewReader(school), "Idempotency-Key", "school", "Accept", "application/json, application/problem+json")
	}
	first := send("?sheet=5%D0%91")
	require.Equal(t, 200, first.status, first.body)
	require.Equal(t, first.body, send("?sheet=5%D0%91").body)
	for _, other := range []string{"", "?sheet=5%D0%90", "?sheet=5%D0%91&dates=dmy", "?sheet=5%D0%91&sheet=5%D0%90"} {
		got := send(other)
		require.Equal(t, 422, got.status, other)
		require.Contains(t, got.body, `"code":"key_reused"`)
	}
}
