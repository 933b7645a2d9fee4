package web_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/ports"
	"rollcall/test/visitor"
)

func TestRegisteredUserIsSignedIn(t *testing.T) {
	s := serve(t)
	b := s.browser(t)
	got := b.Submit(t, "/register", anna("birthday", "28.02.1990"))
	require.Equal(t, "/profile", got.Location(), got.Text("main"))
	require.Empty(t, b.Get(t, got.Location(), "X-Requested-With", "fetch").Text("[role=status]"), "a script of another page")
	profile := b.Get(t, got.Location())
	require.Equal(t, "You're registered and signed in.", profile.Text("[role=status]"))
	require.Empty(t, b.Get(t, got.Location()).Text("[role=status]"), "a notice is shown once")
	for _, own := range []string{"Ким", "Анна", "Петровна", "28 February 1990", "anna@example.com", "+79123456789"} {
		require.Contains(t, profile.Text("dl"), own)
	}
	require.Equal(t, http.StatusSeeOther, b.Get(t, "/register").Status)
	require.Equal(t, http.StatusSeeOther, b.Get(t, "/login").Status)
	b.SignOut(t)
	require.False(t, b.IsSignedIn(t))
	require.Equal(t, "/profile", b.SignIn(t, "anna", goodPassword).Location())
	require.NotContains(t, s.log.String(), "anna@")
}

func TestErrorPages(t *testing.T) {
	s := serve(t)
	b, russian := s.registered(t), s.browser(t, "Accept-Language", "ru")
	require.Equal(t, http.StatusSeeOther, russian.SignIn(t, "anna", goodPassword).Status)
	for _, c := range []struct {
		name, method, path string
		status             int
		english, russian   string
	}{
		{"unknown address", http.MethodGet, "/nowhere", http.StatusNotFound, "Page not found", "Страница не найдена"},
		{"unknown page of the manual", http.MethodGet, "/help/nowhere", http.StatusNotFound, "Page not found", "Страница не найдена"},
		{"page for operators", http.MethodGet, "/useradd/upload", http.StatusForbidden, "This page is for operators", "Эта страница для операторов"},
		{"another method", http.MethodDelete, "/profile", http.StatusMethodNotAllowed, "Action not supported", "Действие не поддерживается"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := b.Do(t, c.method, c.path, "")
			require.Equal(t, c.status, got.Status)
			require.Equal(t, c.english, got.Text("h1"))
			require.NotEmpty(t, got.Text(".request code"))
			require.Equal(t, c.russian, russian.Do(t, c.method, c.path, "").Text("h1"))
		})
	}
}

// Programs get no pages and no redirects to the sign-in page.
func TestProgramsGetErrors(t *testing.T) {
	s := serve(t)
	for _, path := range []string{"/profile", "/account/password", "/useradd/upload", "/useradd/imports/1", "/useradd/export/xlsx"} {
		t.Run(path, func(t *testing.T) {
			got := s.do(t, http.MethodGet, path, "")
			require.Equal(t, http.StatusUnauthorized, got.status)
			require.Equal(t, "Sign in first.", got.body)
			got = s.do(t, http.MethodGet, path, "", "Accept", "application/problem+json")
			require.Equal(t, http.StatusUnauthorized, got.status)
			require.Contains(t, got.body, `"code":"unauthorized"`)
		})
	}
}

func TestManual(t *testing.T) {
	s := serve(t)
	b := s.browser(t)
	require.Equal(t, "/help", b.Get(t, "/").Find("footer a").AttrOr("href", ""))
	contents := b.Get(t, "/help")
	require.Equal(t, http.StatusOK, contents.Status)
	links := contents.Find("article a[href^='/help/']")
	require.NotZero(t, links.Length())
	for _, link := range links.EachIter() {
		path := link.AttrOr("href", "")
		t.Run(path, func(t *testing.T) {
			page := b.Get(t, path)
			require.Equal(t, http.StatusOK, page.Status)
			require.Equal(t, link.Text(), page.Text("h1"))
			require.Equal(t, link.Text()+" — Rollcall", page.Text("title"))
			require.Equal(t, path, page.Find("nav.contents [aria-current=page]").AttrOr("href", ""))
			require.NotEqual(t, page.Text("article"), b.Get(t, path, "Accept-Language", "ru").Text("article"))
		})
	}
}

// uploadForm returns a multipart form with a file.
func uploadForm(t *testing.T, name, content string) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", name)
	require.NoError(t, err)
	_, err = part.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String(), w.FormDataContentType()
}

// upload uploads a file, and returns the address of its page.
func upload(t *testing.T, b *visitor.Browser, name, content string) string {
	t.Helper()
	body, contentType := uploadForm(t, name, content)
	got := b.Do(t, http.MethodPost, "/useradd/upload", body, "Content-Type", contentType)
	require.Equal(t, http.StatusSeeOther, got.Status, got.Text("main"))
	return got.Location()
}

// waitFor gets a page until it has a heading.
func waitFor(t *testing.T, b *visitor.Browser, path, heading string) (got *visitor.Page) {
	t.Helper()
	require.Eventually(t, func() bool {
		got = b.Get(t, path)
		return got.Text("h1") == heading
	}, 20*time.Second, 5*time.Millisecond, heading)
	return got
}

// The page of an upload shows each of its states.
func TestUpload(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	rejected := `{"login":"x"}`
	address := upload(t, b, "people.json", "["+person("boris", `"phone":"9000000001"`)+","+rejected+"]")
	checked := waitFor(t, b, address, "Checked, no one registered yet")
	require.Equal(t, "Records2 Can be registered1 Will be rejected1", checked.Text(".tally"))
	require.Contains(t, checked.Text(".rejections"), "Last name is required.")
	require.Len(t, s.store.Accounts(), 1)

	require.Equal(t, address, b.Send(t, address+"/start", checked, nil).Location())
	imported := waitFor(t, b, address, "Done")
	require.Equal(t, "Records2 Registered1 Rejected1", imported.Text(".tally"))
	require.Len(t, s.store.Accounts(), 2)
	for _, file := range []string{"/credentials.csv", "/slips"} {
		got := b.Get(t, address+file)
		require.Equal(t, http.StatusOK, got.Status)
		require.Contains(t, got.HTML, "boris", file)
	}
	require.Equal(t, http.StatusOK, b.Get(t, imported.Find(".more a").First().AttrOr("href", "")).Status)

	address = upload(t, b, "people.json", "["+person("clara", `"phone":"9000000002"`)+"]")
	waitFor(t, b, address, "Checked, no one registered yet")
	require.Equal(t, address, b.Do(t, http.MethodPost, address+"/cancel", "", "Content-Type", mediaForm).Location())
	waitFor(t, b, address, "Cancelled, no one registered")
	require.Len(t, s.store.Accounts(), 2)
}

func TestReport(t *testing.T) {
	s := serve(t)
	b := s.registered(t)
	require.Contains(t, b.Get(t, "/profile").Text("#report"), "curl "+s.url)
	require.Equal(t, http.StatusOK, s.post(t, "["+person("boris", `"phone":"9000000001"`)+","+person("two words", `"phone":"9000000002"`)+"]").status)
	profile := b.Get(t, "/profile")
	require.Contains(t, profile.Text(".imports"), "created by 1 of 2 users")
	opened := b.Get(t, profile.Find(".opens a").AttrOr("href", ""))
	require.Contains(t, opened.Text(".rejections"), "two words")
	for _, path := range []string{"/useradd/imports/1", "/useradd/export/json", "/useradd/export/txt", "/useradd/export/xlsx", "/useradd/export/csv"} {
		require.Equal(t, http.StatusOK, b.Get(t, path).Status, path)
	}
	require.Equal(t, http.StatusForbidden, b.Get(t, "/useradd/export/rejected.json?import=1").Status)
	s.grant(t, "anna")
	require.Contains(t, b.Get(t, "/useradd/export/rejected.json?import=1").HTML, "two words")
}

// The passwords of an import cannot be derived again after the secret key has changed.
func TestPageAfterChangeOfSecretKey(t *testing.T) {
	var passwords *changingPasswords
	s := serve(t, func(use *settings) {
		passwords = &changingPasswords{Passwords: use.imports.Passwords}
		use.imports.Passwords = passwords
	})
	b := s.operator(t)
	address := upload(t, b, "people.json", "["+person("boris", `"phone":"9000000001"`)+"]")
	b.Send(t, address+"/start", waitFor(t, b, address, "Checked, no one registered yet"), nil)
	waitFor(t, b, address, "Done")
	passwords.changed.Store(true)
	got := b.Get(t, address+"/credentials.csv")
	require.Equal(t, http.StatusInternalServerError, got.Status)
	require.Equal(t, "The passwords are no longer available", got.Text("h1"))
}

// changingPasswords are derived from a secret key that can change.
type changingPasswords struct {
	ports.Passwords

	changed atomic.Bool
}

func (p *changingPasswords) Issue(salt []byte) (ports.Issuer, error) {
	if p.changed.Load() {
		return nil, ports.ErrOtherSecret
	}
	return p.Passwords.Issue(salt)
}

func TestExportsNeedASession(t *testing.T) {
	s := serve(t)
	for _, format := range []string{"xlsx", "txt", "csv", "json", "rejected.json"} {
		path := "/useradd/export/" + format + "?status=200"
		got := s.browser(t).Get(t, path)
		require.Equal(t, 303, got.Status)
		require.Equal(t, "/login?next=%2Fuseradd%2Fexport%2F"+format+"%3Fstatus%3D200", got.Location())
		require.Equal(t, 401, s.do(t, http.MethodGet, path, "").status)
	}
}
