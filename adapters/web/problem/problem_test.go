package problem_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"rollcall/adapters/i18n"
	"rollcall/adapters/web/problem"
	"rollcall/domain"
	"rollcall/ports"
)

// Error pages show the messages of a code. For a missing message, the catalog returns its id.
func TestEveryCodeHasItsWords(t *testing.T) {
	catalog, err := i18n.New()
	require.NoError(t, err)
	for _, words := range catalog.All() {
		for _, cause := range append(problem.Errors(), errors.New("an error that is not in the table")) {
			p := problem.New("", cause)
			t.Run(words.Language()+" "+p.Code, func(t *testing.T) {
				for _, text := range []string{words.Text("error." + p.Code + ".title"), words.Text("error." + p.Code + ".detail")} {
					require.NotContains(t, text, "error.")
					require.NotEmpty(t, text)
				}
			})
		}
	}
}

// Problems and pages name each kind of file in a sentence of its own.
func TestEveryKindOfFileHasItsWords(t *testing.T) {
	catalog, err := i18n.New()
	require.NoError(t, err)
	for _, words := range catalog.All() {
		known := map[string]bool{}
		for _, kind := range domain.FileKinds() {
			t.Run(words.Language()+" "+string(kind), func(t *testing.T) {
				text := problem.New("", &domain.UnsupportedFileError{Kind: kind, Key: "users"}).Text(words)
				require.NotEqual(t, "file."+string(kind), text)
				require.False(t, known[text], text)
				require.Equal(t, kind == domain.FileWrappedArray, strings.Contains(text, "users"), text)
				known[text] = true
			})
		}
	}
}

func TestTableAnswersWithErrors(t *testing.T) {
	statuses := map[string]int{}
	for _, cause := range problem.Errors() {
		p := problem.New("id", fmt.Errorf("wrapped: %w", cause))
		t.Run(p.Code+" "+cause.Error(), func(t *testing.T) {
			require.False(t, p.IsInternal())
			require.GreaterOrEqual(t, p.Status, 400)
			require.Equal(t, http.StatusText(p.Status), p.Title)
			require.True(t, strings.HasSuffix(p.Detail, "."), p.Detail)
			if known, found := statuses[p.Code]; found {
				require.Equal(t, known, p.Status, "a code has one status")
			}
			statuses[p.Code] = p.Status
		})
	}
}

// The text of an error that is not in the table stays in the log.
func TestUnknownErrorDisclosesNothing(t *testing.T) {
	p := problem.New("id", errors.New("connect to 10.0.0.1: password authentication failed"))
	require.True(t, p.IsInternal())
	require.Equal(t, http.StatusInternalServerError, p.Status)
	require.NotContains(t, string(p.Encode()), "password")
	require.Contains(t, string(p.Encode()), `"request_id":"id"`)
}

type page struct{ err error }

func (p page) ShowProblem(c *fiber.Ctx, shown problem.Problem, _ error) error {
	if p.err != nil {
		return p.err
	}
	return c.SendString("page of " + shown.Code)
}

func TestAnswerTakesTheFormThatTheClientAccepts(t *testing.T) {
	catalog, err := i18n.New()
	require.NoError(t, err)
	rejected := &domain.RejectedError{Violations: domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeTaken}}}
	for _, c := range []struct {
		name, method, path, accept string
		err                        error
		page                       page
		status                     int
		body                       string
	}{
		{name: "plain text", accept: "*/*", err: ports.ErrNotFound, status: 404, body: "Not found."},
		{name: "problem", accept: "application/problem+json", err: ports.ErrNotFound, status: 404, body: `"code":"not_found"`},
		{name: "problem besides another type", accept: "text/csv, application/problem+json;q=0.5", err: ports.ErrNotFound, status: 404, body: `"code":"not_found"`},
		{name: "unwanted problem", accept: "application/problem+json;q=0, */*", err: ports.ErrNotFound, status: 404, body: "Not found."},
		{name: "problem with violations", accept: "application/problem+json", err: rejected, status: 422, body: `"violations":[{"field":"login","code":"taken","message":"Login belongs to another user."}]`},
		{name: "problem with a place in the file", accept: "application/problem+json", err: &domain.BrokenFileError{Reason: "it ends early"}, status: 400, body: "it ends early."},
		{name: "problem with the kind of the file", accept: "application/problem+json", err: &domain.UnsupportedFileError{Kind: domain.FilePDF}, status: 400, body: `"detail":"Это документ PDF.`},
		{name: "kind of the file in plain text", accept: "*/*", err: &domain.UnsupportedFileError{Kind: domain.FilePDF}, status: 400, body: domain.DescriptionBroken},
		{name: "page", accept: "text/html", err: ports.ErrNotFound, status: 404, body: "page of not_found"},
		{name: "page that fails", accept: "text/html", err: ports.ErrNotFound, page: page{errors.New("template")}, status: 404, body: "Not found."},
		{name: "useradd has no pages", method: http.MethodPost, path: "/useradd", accept: "text/html", err: problem.ErrNoneCreated, status: 400, body: domain.DescriptionNoneCreated},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := fiber.New()
			app.Use(func(ctx *fiber.Ctx) error {
				require.ErrorIs(t, problem.Answer(ctx, c.err, c.page, catalog.Choose("en", ""), catalog.Choose("ru", "")), c.err)
				return nil
			})
			got := httptest.NewRecorder()
			request := httptest.NewRequest(orElse(c.method, http.MethodGet), orElse(c.path, "/"), nil)
			request.Header.Set("Accept", c.accept)
			response, err := app.Test(request, -1)
			require.NoError(t, err)
			defer response.Body.Close()
			_, err = got.Body.ReadFrom(response.Body)
			require.NoError(t, err)
			require.Equal(t, c.status, response.StatusCode)
			require.Contains(t, got.Body.String(), c.body)
		})
	}
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"busy", ports.ErrBusy, "5"},
		{"running", ports.ErrKeyRunning, "5"},
		{"attempts", &domain.TooManyAttemptsError{Wait: 90*time.Second + 1}, "91"},
		{"not found", ports.ErrNotFound, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := fiber.New()
			app.Use(func(ctx *fiber.Ctx) error {
				problem.SetRetryAfter(ctx, problem.New("", c.err).Status, c.err)
				return nil
			})
			response, err := app.Test(httptest.NewRequest(http.MethodGet, "/", nil), -1)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, c.want, response.Header.Get("Retry-After"))
		})
	}
}
