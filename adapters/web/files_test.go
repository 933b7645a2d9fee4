package web_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/test/fake"
	"rollcall/test/visitor"
)

// formOf returns a form with parts, given as names, file names and contents. A part without a file name is a field.
func formOf(t *testing.T, parts ...string) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(parts); i += 3 {
		part, err := w.CreateFormField(parts[i])
		if parts[i+1] != "" {
			part, err = w.CreateFormFile(parts[i], parts[i+1])
		}
		require.NoError(t, err)
		_, err = io.WriteString(part, parts[i+2])
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.String(), w.FormDataContentType()
}

// A file in gzip is read, as a body and in a form, within the limits of a body with a Content-Encoding. It is inflated once.
func TestFilesInGzip(t *testing.T) {
	table := "login;last_name;first_name;patronymic;phone\nanna;Ким;Анна;Петровна;9161000006\n"
	lines := person("anna", `"phone":"9161000006"`) + "\n" + person("boris", `"phone":"9161000007"`) + "\n"
	whole := visitor.Gzip(t, table)
	incompressible := table + strings.Repeat("x", 100)
	for _, c := range []struct {
		name, file string
		encoding   string // of the body
		accounts   int
		status     int
		words      string // of the problem
	}{
		{name: "Table", file: whole, accounts: 1, status: 200},
		{name: "Lines", file: visitor.Gzip(t, lines), accounts: 2, status: 200},
		{name: "Members", file: visitor.Gzip(t, incompressible[:40]) + visitor.Gzip(t, incompressible[40:]), accounts: 1, status: 200},
		{name: "ContentEncoding", file: whole, encoding: "gzip", accounts: 1, status: 200},
		{name: "Empty", file: visitor.Gzip(t, ""), status: 400, words: "the file is empty"},
		{name: "CutShort", file: whole[:len(whole)-9], status: 400, words: "the compressed file is damaged or cut short"},
		{name: "CutInHeader", file: whole[:5], status: 400, words: "the compressed file is damaged or cut short"},
		{name: "CutShortContentEncoding", file: whole[:len(whole)-9], encoding: "gzip", status: 400, words: "the compressed file is damaged or cut short"},
		{name: "Damaged", file: whole[:20] + "\xff" + whole[21:], status: 400, words: "the compressed file is damaged or cut short"},
		{name: "GarbageAfterIt", file: whole + "login", status: 400, words: "the compressed file is damaged or cut short"},
		{name: "InGzip", file: visitor.Gzip(t, whole), status: 400, words: "This is an archive. Unpack it"},
		{name: "InContentEncoding", file: visitor.Gzip(t, whole), encoding: "gzip", status: 400, words: "This is an archive. Unpack it"},
		{name: "Bomb", file: visitor.Gzip(t, table+strings.Repeat("\n", 1<<20)), status: 413, words: "more than 200 times its size"},
		{name: "TooLarge", file: strings.Repeat(visitor.Gzip(t, incompressible), 8000), status: 413, words: "larger than this server accepts"},
		{name: "TwoBytes", file: whole[:2], status: 400, words: "no known columns"},
	} {
		form, formType := formOf(t, "file", "people.csv.gz", c.file)
		for _, sent := range []struct{ name, body, contentType string }{{"Body", c.file, "application/gzip"}, {"Form", form, formType}} {
			if sent.name == "Form" && c.encoding != "" {
				continue
			}
			t.Run(c.name+sent.name, func(t *testing.T) {
				var spools *fake.Spools
				s := serve(t, func(use *settings) { spools, _ = use.web.Spools.(*fake.Spools) })
				got := s.post(t, sent.body, "Content-Type", sent.contentType, "Content-Encoding", c.encoding, "Accept", "application/json, application/problem+json")
				require.Equal(t, c.status, got.status, got.body)
				require.Contains(t, got.body, c.words)
				require.Len(t, s.store.Accounts(), c.accounts)
				require.Len(t, s.store.Recorded(), 1)
				require.Zero(t, spools.Open())
			})
		}
	}
}

// A form to /useradd has one file. Neither a second one nor a field that is not known is passed over, because its sender would rely on it.
// The upload page takes several files.
func TestForms(t *testing.T) {
	file, second := person("anna", `"phone":"9161000006"`), person("boris", `"phone":"9161000007"`)
	for _, c := range []struct {
		name   string
		parts  []string
		status int
		words  string // of the problem
		alert  string // of the page
	}{
		{"OneFile", []string{"file", "a.json", file}, 200, "", ""},
		{"AnyName", []string{"upload", "a.json", file}, 200, "", ""},
		{"Charset", []string{"charset", "", "utf-8", "file", "a.json", file}, 200, "", ""},
		{"EmptyField", []string{"note", "", "", "file", "a.json", file, "other", "", ""}, 200, "", ""},
		{"SecondFile", []string{"file", "a.json", file, "file", "b.json", second}, 400, `"code":"several_files"`, ""},
		{"SecondFileOfAnotherField", []string{"a", "a.json", file, "b", "b.json", second}, 400, `"code":"several_files"`, ""},
		{"EmptySecondFile", []string{"file", "a.json", file, "file", "b.json", ""}, 400, `"code":"several_files"`, "Some files weren't accepted:"},
		{"DryRun", []string{"dry_run", "", "true", "file", "a.json", file}, 400, `"code":"form_field"`, "The form has a field that the server doesn't know."},
		{"FieldAfterFile", []string{"file", "a.json", file, "dry_run", "", "true"}, 400, `"code":"form_field"`, "The form has a field that the server doesn't know."},
		{"FileWithoutName", []string{"file", "", file}, 400, `"code":"form_field"`, "The form has a field that the server doesn't know."},
		{"NoFile", []string{"charset", "", "utf-8"}, 400, "the form has no file; send one as a part with a file name", "Choose a file first."},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t)
			body, contentType := formOf(t, c.parts...)
			got := s.post(t, body, "Content-Type", contentType, "Accept", "application/json, application/problem+json")
			require.Equal(t, c.status, got.status, got.body)
			require.Contains(t, got.body, c.words)
			require.Equal(t, c.status == 200, len(s.store.Accounts()) == 1)
			require.Len(t, s.store.Recorded(), 1)
			if c.alert != "" {
				page := s.operator(t).Do(t, "POST", "/useradd/upload", body, "Content-Type", contentType)
				require.Equal(t, c.status, page.Status)
				require.Contains(t, page.Text(".message.bad[role=alert]:not([hidden])"), c.alert)
			}
		})
	}
}

// The sentence on a file of another kind is in the language of the client, and on the page in that of the reader.
func TestKindsOfFilesInLanguages(t *testing.T) {
	s := serve(t)
	for _, c := range []struct{ language, want string }{
		{"", "This is a PDF document. Ask for the table itself, as .xlsx or CSV."},
		{"ru-RU,ru;q=0.9", "Это документ PDF. Попросите саму таблицу в формате .xlsx или CSV."},
	} {
		t.Run(c.language, func(t *testing.T) {
			var it struct{ Code, Kind, Detail string }
			got := s.post(t, "%PDF-1.4\n", "Accept", "application/problem+json", "Accept-Language", c.language)
			require.NoError(t, json.Unmarshal([]byte(got.body), &it))
			require.Equal(t, struct{ Code, Kind, Detail string }{"unsupported_file", "pdf", c.want}, it)
			require.Equal(t, broken, s.post(t, "%PDF-1.4\n", "Accept-Language", c.language).body, "the contract's answer")
		})
	}
	b := s.operator(t)
	body, contentType := uploadForm(t, "people.xlsx", "%PDF-1.4\n")
	got := b.Do(t, "POST", "/useradd/upload", body, "Content-Type", contentType)
	require.Equal(t, 400, got.Status)
	require.Equal(t, "This is a PDF document. Ask for the table itself, as .xlsx or CSV.", got.Text(".message.bad[role=alert]:not([hidden])"))
	bomb, bombType := uploadForm(t, "people.csv.gz", visitor.Gzip(t, strings.Repeat("\n", 1<<20)))
	got = b.Do(t, "POST", "/useradd/upload", bomb, "Content-Type", bombType)
	require.Equal(t, 413, got.Status)
	require.Contains(t, got.Text(".message.bad[role=alert]:not([hidden])"), "more than 200 times its size")
	got = b.Do(t, "POST", "/useradd/upload", body, "Content-Type", contentType, "Accept-Language", "ru")
	require.Equal(t, "Это документ PDF. Попросите саму таблицу в формате .xlsx или CSV.", got.Text(".message.bad[role=alert]:not([hidden])"))
}
