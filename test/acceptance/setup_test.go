package acceptance_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/test/visitor"
)

var setupLink = regexp.MustCompile(`level=INFO msg="no operator yet[^"]*" url="http://127\.0\.0\.1:\d+(/setup\?code=[\w-]{43})"`)

// setupLink returns the path of the setup link in the program's log.
func (p *program) setupLink(t *testing.T) string {
	t.Helper()
	found := setupLink.FindAllStringSubmatch(p.logged(), -1)
	require.Len(t, found, 1, p.logged())
	return found[0][1]
}

// follow opens a setup link, and returns the page after the redirect.
func (b *browser) follow(t *testing.T, link string) *visitor.Page {
	t.Helper()
	got := b.Get(t, link)
	require.Equal(t, 303, got.Status, got.Text("main"))
	require.Equal(t, "/setup", got.Location(), "the address has no code")
	return b.Get(t, "/setup")
}

func (b *browser) isOperator(t *testing.T) bool {
	t.Helper()
	return b.Get(t, "/useradd/upload").Status == 200
}

func TestSetupByRegistration(t *testing.T) {
	p := start(t)
	link := p.setupLink(t)
	for _, method := range []string{http.MethodHead, http.MethodGet} { // link scanners do not use the link up
		require.Equal(t, 303, p.browser(t).Do(t, method, link, "").Status)
	}
	b := p.browser(t)
	got := b.Get(t, link)
	cookie := got.Cookies[0]
	require.Equal(t, "setup", cookie.Name)
	require.True(t, cookie.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	require.Equal(t, "no-store", b.Get(t, "/setup").Header.Get("Cache-Control"))
	page := b.follow(t, link)
	require.Equal(t, "Become the first operator", page.Text("h1"))
	require.NotContains(t, page.HTML, link[len("/setup?code="):])
	require.Equal(t, "Станьте первым оператором", b.Get(t, "/setup", "Accept-Language", "ru").Text("h1"))
	for _, way := range []string{"/register", "/login"} {
		require.NotZero(t, page.Find(`main a[href="`+way+`"]`).Length(), way)
	}

	got = b.Submit(t, "/register", anna())
	require.Equal(t, 303, got.Status, got.Text("main"))
	require.Equal(t, "You're now an operator.", b.Get(t, got.Location()).Text("[role=status]"))
	require.True(t, b.isOperator(t))
	require.Empty(t, b.Cookie("setup"))
	require.Zero(t, p.count(t, "setup_codes"))

	other := p.browser(t)
	for _, path := range []string{link, "/setup", "/setup?code="} {
		got := other.Get(t, path)
		require.Equal(t, 404, got.Status, path)
		require.Equal(t, "This link doesn't work", got.Text("h1"), path)
		require.Contains(t, got.Text("main"), "rollcall user grant LOGIN operator")
	}
	require.Equal(t, "Ссылка не действует", other.Get(t, link, "Accept-Language", "ru").Text("h1"))
	require.Contains(t, p.do(t, http.MethodGet, link, nil, "Accept", "application/problem+json").body, `"code":"setup_code"`)
	require.Equal(t, 303, other.Submit(t, "/register", with(anna(), "login", "other", "email", "", "phone", "9000000001")).Status)
	require.False(t, other.isOperator(t))
	require.Equal(t, 1, strings.Count(p.logged(), link[len("/setup?code="):]), "the log has the code in one line only")
}

// Of two visitors with the same link, the first to sign in becomes the operator. The other is signed in.
func TestSetupBySignIn(t *testing.T) {
	p := start(t)
	p.registered(t)
	boris := p.temporaryPassword(t, "boris")
	first, second := p.browser(t), p.browser(t)
	first.follow(t, p.setupLink(t))
	second.follow(t, p.setupLink(t))
	got := first.Submit(t, "/login", map[string]string{"login": "anna", "psw": goodPassword, "next": "/account/password"})
	require.Equal(t, "/profile", got.Location())
	require.True(t, first.isOperator(t))
	second.signInFirst(t, "boris", boris)
	require.False(t, second.isOperator(t))
	require.Empty(t, second.Cookie("setup"))
	require.Equal(t, 404, second.Get(t, "/setup").Status)
}

// A user with a temporary password becomes the operator after changing it.
func TestSetupWithTemporaryPassword(t *testing.T) {
	p := start(t)
	password := p.temporaryPassword(t, "boris")
	b := p.browser(t)
	b.follow(t, p.setupLink(t))
	require.Equal(t, "/account/password", b.SignIn(t, "boris", password).Location())
	require.Zero(t, p.count(t, "roles"))
	got := b.Submit(t, "/account/password", map[string]string{"old": password, "psw": goodPassword})
	require.Equal(t, "/profile", got.Location())
	require.True(t, b.isOperator(t))
}

func TestSetupOfSignedInUser(t *testing.T) {
	p := start(t)
	b := p.registered(t)
	typed := []string{"Content-Type", "application/x-www-form-urlencoded"}
	page := b.follow(t, p.setupLink(t))
	require.Contains(t, page.Text("main"), "You are signed in as Anna.")
	require.False(t, b.isOperator(t), "a link alone grants nothing")
	require.Equal(t, 403, b.Do(t, http.MethodPost, "/setup", "", append(typed, "Origin", "https://evil.example")...).Status)
	require.Equal(t, 403, b.Send(t, "/setup", page, nil, "Sec-Fetch-Site", "cross-site").Status)
	require.Equal(t, "/login?next=%2Fsetup", p.browser(t).Do(t, http.MethodPost, "/setup", "", typed...).Location())
	require.False(t, b.isOperator(t))
	other := p.browser(t)
	require.Equal(t, 303, other.Submit(t, "/register", with(anna(), "login", "other", "email", "", "phone", "9000000001")).Status)
	require.Equal(t, 404, other.Do(t, http.MethodPost, "/setup", "", typed...).Status, "without a link")
	require.False(t, other.isOperator(t))
	require.Equal(t, "/profile", b.Send(t, "/setup", page, nil).Location())
	require.True(t, b.isOperator(t))
}

// The first operator can register even if registration is closed.
func TestSetupWhereRegistrationIsClosed(t *testing.T) {
	p := start(t, "--registration", "closed")
	b := p.browser(t)
	require.Equal(t, 403, b.Get(t, "/register").Status)
	b.follow(t, p.setupLink(t))
	require.Equal(t, 403, p.browser(t).Get(t, "/register").Status)
	late := p.browser(t)
	late.follow(t, p.setupLink(t))
	form := late.Get(t, "/register")
	require.Equal(t, 303, b.Submit(t, "/register", anna()).Status)
	require.True(t, b.isOperator(t))
	got := late.Send(t, "/register", form, with(anna(), "login", "late", "email", "", "phone", "9000000001"))
	require.Equal(t, 403, got.Status)
	require.Contains(t, got.Text("[role=alert]"), "Registration is closed.")
	require.Equal(t, 1, p.count(t, "users"))
}

// Each start logs a new link until there is an operator.
func TestSetupLinkOfEachStart(t *testing.T) {
	p := start(t)
	again := func() *program {
		next := &program{database: p.database}
		next.run(t, "serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--exports-dir", t.TempDir(), "--database-url", p.database)
		return next
	}
	second := again()
	require.NotEqual(t, p.setupLink(t), second.setupLink(t))
	for _, link := range []string{p.setupLink(t), second.setupLink(t)} {
		p.browser(t).follow(t, link)
	}
	p.set(t, "update setup_codes set expires = clock_timestamp()")
	require.Equal(t, 404, p.browser(t).Get(t, p.setupLink(t)).Status, "the link has expired")

	b := p.registered(t)
	status, _, stderr := p.user(t, "grant", "anna", "operator")
	require.Zero(t, status, stderr)
	require.True(t, b.isOperator(t))
	require.Equal(t, 404, p.browser(t).Get(t, second.setupLink(t)).Status)
	require.NotContains(t, again().logged(), "/setup")
}
