package acceptance_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/content"
	"github.com/pb33f/libopenapi-validator/schema_validation"
	"github.com/pb33f/libopenapi/datamodel/high/base"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"rollcall/adapters/localpg"
	"rollcall/test/pgtest"
	"rollcall/test/visitor"
	"rollcall/views"
)

const (
	mediaXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

// api is the OpenAPI document.
type api struct {
	*v3.Document

	validator validator.Validator
}

func readAPI(t *testing.T) *api {
	t.Helper()
	text, err := views.Files.ReadFile("openapi.yaml")
	require.NoError(t, err)
	document, err := libopenapi.NewDocument(text)
	require.NoError(t, err)
	model, err := document.BuildV3Model()
	require.NoError(t, err)
	asText := content.DecoderFunc(func(input *content.DecodeInput) (any, error) {
		body, err := io.ReadAll(input.Body)
		return string(body), err
	})
	checks, errs := validator.NewValidator(document, config.WithFormatAssertions(), config.WithBodyDecoder(mediaLines, asText))
	require.Empty(t, errs)
	return &api{&model.Model, checks}
}

// An apiExample is an example of a request in the document, with its answer.
type apiExample struct {
	name      string
	path      string
	method    string
	operation *v3.Operation
	status    string
	answer    *v3.Response
	media     string // media type of the answer
	want      any
}

func (a *api) examples(t *testing.T) (all []apiExample) {
	t.Helper()
	for path, item := range a.Paths.PathItems.FromOldest() {
		for method, operation := range item.GetOperations().FromOldest() {
			answered := map[string]bool{}
			for status, answer := range operation.Responses.Codes.FromOldest() {
				for media, body := range answer.Content.FromOldest() {
					for name, want := range body.Examples.FromOldest() {
						answered[name] = true
						all = append(all, apiExample{name, path, strings.ToUpper(method), operation, status, answer, media, value(t, want)})
					}
				}
			}
			if operation.RequestBody == nil {
				continue
			}
			for _, body := range operation.RequestBody.Content.FromOldest() {
				for name := range body.Examples.FromOldest() {
					require.True(t, answered[name], "%s %s: example %q has no answer", method, path, name)
				}
			}
		}
	}
	return all
}

// value returns the value of an example: a string, or decoded JSON.
func value(t *testing.T, shown *base.Example) (v any) {
	t.Helper()
	require.NotNil(t, shown.Value)
	require.NoError(t, shown.Value.Decode(&v))
	return v
}

// A situation has the conditions of an example, and the defects of its request that the example does not show.
type situation struct {
	flags  []string // flags of the server
	query  string
	header map[string]string
	host   string
	pad    int  // bytes of white space after the body
	stalls bool // the last byte of the body is not sent

	// before creates the situation, and returns the function that ends it. again sends the same request to a program.
	before func(t *testing.T, p *program, again func(*program) answer) (after func())
}

var situations = map[string]situation{
	"token_required": {flags: []string{"--useradd-access", "token"}},
	"token_invalid": {
		flags:  []string{"--useradd-access", "token"},
		header: map[string]string{"Authorization": "Bearer rollcall_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
	},
	"cross_site":       {header: map[string]string{"Origin": "https://evil.example"}},
	"misdirected":      {host: "evil.example"},
	"parameter":        {query: "dry_run=perhaps"},
	"key_invalid":      {header: map[string]string{"Idempotency-Key": "two words"}},
	"content_encoding": {header: map[string]string{"Content-Encoding": "br"}},
	"timeout":          {flags: []string{"--client-timeout", "100ms"}, stalls: true},
	"too_large":        {flags: []string{"--max-body", "100B"}},
	"too_many_objects": {flags: []string{"--max-records", "1"}},
	"too_compressed":   {header: map[string]string{"Content-Encoding": "gzip"}, pad: 1 << 20},
	"too_slow":         {flags: []string{"--max-import-time", "100ms"}, before: held},
	"busy":             {flags: []string{"--max-imports", "1"}, pad: 1 << 20, before: running},
	"key_running":      {before: running},
	"repeated": {before: func(t *testing.T, p *program, again func(*program) answer) func() {
		require.Equal(t, 200, again(p).status)
		return func() {}
	}},
	"key_reused": {before: func(t *testing.T, p *program, _ func(*program) answer) func() {
		got := p.post(t, person("boris", `"phone":"9000000001"`), "Idempotency-Key", "58e1f7a4-7c3e-4b0c-8f3d-0c6a5a1f2b9d")
		require.Equal(t, 200, got.status)
		return func() {}
	}},
	"answer_deleted": {before: func(t *testing.T, p *program, again func(*program) answer) func() {
		require.Equal(t, 200, again(p).status)
		anna := pgtest.Query[struct{ ID int64 }](t, p.database, "select id from users")[0].ID
		token := p.token(t, fmt.Sprint("writer", anna), "--scope", "users:write")
		require.Equal(t, http.StatusNoContent, p.do(t, http.MethodDelete, fmt.Sprint("/users/", anna), nil, "Authorization", "Bearer "+token).status)
		return func() {}
	}},
	"other_secret": {before: func(t *testing.T, p *program, again func(*program) answer) func() {
		other := &program{database: p.database}
		other.run(t, "serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--database-url", p.database)
		require.Equal(t, 200, again(other).status)
		return func() {}
	}},
}

// held blocks the writes of imports.
func held(t *testing.T, p *program, _ func(*program) answer) func() {
	conn, err := pgx.Connect(t.Context(), p.database)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "begin; lock table users in share mode")
	require.NoError(t, err)
	return func() { require.NoError(t, conn.Close(t.Context())) }
}

// running starts the same request, which stays in flight.
func running(t *testing.T, p *program, again func(*program) answer) func() {
	release := held(t, p, again)
	ended := make(chan struct{})
	go func() { defer close(ended); again(p) }()
	require.Eventually(t, func() bool { return p.isHeld(t, "users") }, patience, 10*time.Millisecond)
	return func() { release(); <-ended }
}

func TestOpenAPIIsValid(t *testing.T) {
	_, errs := readAPI(t).validator.ValidateDocument()
	for _, err := range errs {
		t.Error(err)
	}
}

func TestOpenAPIIsServed(t *testing.T) {
	want, err := views.Files.ReadFile("openapi.yaml")
	require.NoError(t, err)
	got := start(t).do(t, http.MethodGet, "/openapi.yaml", nil)
	require.Equal(t, 200, got.status)
	require.Equal(t, "application/yaml", got.header.Get("Content-Type"))
	require.Equal(t, string(want), got.body)
}

// Every example of the document gets the answer that it shows.
func TestOpenAPIExamples(t *testing.T) {
	document := readAPI(t)
	fresh, operator := start(t), start(t, "--time-zone", "UTC").withImport(t, document)
	away := sync.OnceValue(func() *program { return withoutDatabase(t) })
	withFlags := map[string]*program{} // by flags
	parent := t                        // whose programs outlive an example
	for _, e := range document.examples(t) {
		t.Run(strings.Join([]string{e.method, e.path, e.name, e.media}, " "), func(t *testing.T) {
			situation := situations[e.name]
			p, client := operator.p, &operator.Client
			switch {
			case e.name == "unavailable":
				p = away()
			case e.name == "password_change_required":
				p = start(t, "--useradd-access", "session")
				visitor := p.browser(t)
				visitor.SignIn(t, "boris", p.temporaryPassword(t, "boris", "Authorization", "Bearer "+p.token(t, "crm")))
				client = &visitor.Client
			case e.name == "unauthorized":
				client = http.DefaultClient
			case situation.flags != nil:
				flags := strings.Join(situation.flags, " ")
				if withFlags[flags] == nil {
					withFlags[flags] = start(parent, situation.flags...)
				}
				p = withFlags[flags]
				p.empty(t)
			case e.method == http.MethodPost:
				p = fresh
				p.empty(t)
			}
			if situation.before != nil {
				after := situation.before(t, p, func(p *program) answer { return e.send(t, document, p, client) })
				defer after()
			}
			got := e.send(t, document, p, client)
			require.Equal(t, e.status, strconv.Itoa(got.status), got.body)
			media, _, err := mime.ParseMediaType(got.header.Get("Content-Type"))
			require.NoError(t, err)
			require.Equal(t, e.media, media)
			e.compareHeaders(t, got.header)
			e.compareBody(t, got.body)
			if schema := e.answer.Content.GetOrZero(e.media).Schema.Schema(); schema.ContentSchema != nil {
				for line := range strings.Lines(got.body) {
					valid(t, schema.ContentSchema.Schema(), line)
				}
			}
		})
	}
}

// Examples of schemas show lines that only long imports send.
func TestOpenAPISchemasHaveValidExamples(t *testing.T) {
	examples := 0
	for _, schema := range readAPI(t).Components.Schemas.FromOldest() {
		for _, shown := range schema.Schema().Examples {
			var v any
			require.NoError(t, shown.Decode(&v))
			text, err := json.Marshal(v)
			require.NoError(t, err)
			valid(t, schema.Schema(), string(text))
			examples++
		}
	}
	require.Positive(t, examples)
}

func valid(t *testing.T, schema *base.Schema, text string) {
	t.Helper()
	_, errs := schema_validation.NewSchemaValidator().ValidateSchemaString(schema, text)
	for _, err := range errs {
		t.Errorf("%s: %v", text, err)
	}
}

// withImport returns the browser of an operator, after one import.
func (p *program) withImport(t *testing.T, document *api) *browser {
	t.Helper()
	b := p.browser(t)
	got := b.Submit(t, "/register", with(anna(), "login", "operator", "email", "operator@example.com", "phone", ""))
	require.Equal(t, 303, got.Status)
	p.grant(t, "operator")
	several, err := json.Marshal(value(t, document.Components.Examples.GetOrZero("Several")))
	require.NoError(t, err)
	require.Equal(t, 200, p.post(t, string(several)).status)
	return b
}

// empty removes all rows from the database.
func (p *program) empty(t *testing.T) {
	t.Helper()
	pgtest.Empty(t, p.database)
}

// withoutDatabase returns a program whose database has stopped.
func withoutDatabase(t *testing.T) *program {
	t.Helper()
	server := pgtest.Start(t, pgtest.Dir(t)+"/postgres")
	p := &program{database: server.URL(localpg.Database)}
	p.run(t, "serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--database-url", p.database)
	require.NoError(t, server.Stop(t.Context()))
	return p
}

// send sends the request, and checks the answer against the schemas of the document.
func (e *apiExample) send(t *testing.T, document *api, p *program, client *http.Client) answer {
	request := e.request(t, p)
	response, err := client.Do(request)
	if err != nil {
		t.Error(err) // the caller may be another goroutine than the test's
		return answer{}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	_, errs := document.validator.ValidateHttpResponse(request, response)
	for _, err := range errs {
		t.Errorf("%v\n%s", err, body)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

func (e *apiExample) request(t *testing.T, p *program) *http.Request {
	path, query := e.path, url.Values{}
	situation := situations[e.name]
	header := http.Header{"Accept": {e.media}}
	if e.media == "text/plain" {
		header.Set("Accept", "*/*")
	}
	for _, parameter := range e.operation.Parameters {
		shown := parameter.Examples.GetOrZero(e.name)
		if shown == nil {
			continue
		}
		v := value(t, shown)
		if list, ok := v.([]any); ok {
			for _, it := range list {
				query.Add(parameter.Name, fmt.Sprint(it))
			}
			continue
		}
		text := fmt.Sprint(v)
		switch parameter.In {
		case "query":
			query.Set(parameter.Name, text)
		case "path":
			path = strings.ReplaceAll(path, "{"+parameter.Name+"}", text)
		case "header":
			header.Set(parameter.Name, text)
		}
	}
	for name, text := range situation.header {
		header.Set(name, text)
	}
	if situation.query != "" {
		path += "?" + situation.query
	} else if len(query) > 0 {
		path += "?" + query.Encode()
	}
	body := ""
	if e.operation.RequestBody != nil {
		var media string
		media, body = e.requestBody(t)
		header.Set("Content-Type", media)
		body += strings.Repeat(" ", situation.pad)
		switch header.Get("Content-Encoding") {
		case "gzip":
			body = visitor.Gzip(t, body)
		case "zstd":
			body = visitor.Zstd(t, body)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), e.method, p.url+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header, request.Host = header, situation.host
	if situation.stalls {
		last, _ := io.Pipe()
		request.Body = io.NopCloser(io.MultiReader(strings.NewReader(body[:len(body)-1]), last))
		t.Cleanup(func() { last.Close() })
	}
	return request
}

// requestBody returns the body with the example's name, and its media type.
func (e *apiExample) requestBody(t *testing.T) (media, body string) {
	for media, described := range e.operation.RequestBody.Content.FromOldest() {
		shown := described.Examples.GetOrZero(e.name)
		if shown == nil {
			continue
		}
		v := value(t, shown)
		switch media {
		case "application/json":
			text, err := json.Marshal(v)
			require.NoError(t, err)
			return media, string(text)
		case "multipart/form-data":
			var b strings.Builder
			form := multipart.NewWriter(&b)
			for field, text := range v.(map[string]any) {
				part, err := form.CreateFormFile(field, "people")
				require.NoError(t, err)
				_, err = io.WriteString(part, text.(string))
				require.NoError(t, err)
			}
			require.NoError(t, form.Close())
			return form.FormDataContentType(), b.String()
		case mediaXLSX:
			return media, workbook(t, v.(map[string]any))
		}
		return media, v.(string)
	}
	require.Fail(t, "the example has no request")
	return "", ""
}

// compareHeaders compares the headers that have examples. A header without an example of this name must be absent.
func (e *apiExample) compareHeaders(t *testing.T, header http.Header) {
	t.Helper()
	for name, described := range e.answer.Headers.FromOldest() {
		if described.Examples.Len() == 0 {
			continue
		}
		want := ""
		if shown := described.Examples.GetOrZero(e.name); shown != nil {
			want = fmt.Sprint(value(t, shown))
		}
		require.Equal(t, known(want), known(header.Get(name)), name)
	}
	for _, name := range []string{"Location", "Retry-After", "Preference-Applied", "Idempotent-Replayed", "Content-Disposition"} {
		if header.Get(name) != "" {
			require.NotNil(t, e.answer.Headers.GetOrZero(name), "%s is not described", name)
		}
	}
}

func (e *apiExample) compareBody(t *testing.T, body string) {
	t.Helper()
	want, isText := e.want.(string)
	if isText {
		if e.media == "text/plain" { // the lines of the document end as on Unix
			body = strings.ReplaceAll(body, "\r\n", "\n")
		}
		require.Equal(t, known(want), known(body))
		return
	}
	if e.media == mediaXLSX {
		body = sheets(t, body)
	}
	shown, err := json.Marshal(e.want)
	require.NoError(t, err)
	require.JSONEq(t, known(string(shown)), known(body))
}

// generated matches values that differ from run to run: passwords, IDs of requests and imports, and dates.
var generated = regexp.MustCompile(`[a-kmnp-z2-9]{6}(-[a-kmnp-z2-9]{6}){3}|` +
	`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|` +
	`"import":\d+|/imports/\d+|` +
	`\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?Z?`)

// known replaces generated values.
func known(text string) string { return generated.ReplaceAllString(text, "?") }

// workbook returns a workbook with the cells of sheets.
func workbook(t *testing.T, sheets map[string]any) string {
	t.Helper()
	book := excelize.NewFile()
	defer book.Close()
	for name, rows := range sheets {
		require.NoError(t, book.SetSheetName(book.GetSheetName(0), name))
		for i, row := range rows.([]any) {
			cells := row.([]any)
			require.NoError(t, book.SetSheetRow(name, "A"+strconv.Itoa(i+1), &cells))
		}
	}
	file, err := book.WriteToBuffer()
	require.NoError(t, err)
	return file.String()
}

// sheets returns the cells of a workbook as JSON, by the names of its sheets.
func sheets(t *testing.T, file string) string {
	t.Helper()
	book, err := excelize.OpenReader(strings.NewReader(file))
	require.NoError(t, err)
	defer book.Close()
	all := map[string][][]string{}
	for _, name := range book.GetSheetList() {
		all[name], err = book.GetRows(name)
		require.NoError(t, err)
	}
	text, err := json.Marshal(all)
	require.NoError(t, err)
	return string(text)
}
