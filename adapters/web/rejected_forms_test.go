package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/web"
	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/transport"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/visitor"
)

// failing implements the ports of accounts. It fails with an error.
type failing struct {
	*recorder

	err error
}

func (f *failing) Register(context.Context, ports.RegistrationRequest) (*domain.User, bool, error) {
	return nil, false, f.err
}

func (f *failing) SignIn(_ context.Context, attempt ports.Attempt) (*domain.User, error) {
	if attempt.Password == goodPassword {
		return &f.user, nil
	}
	return nil, f.err
}

func (f *failing) ChangePassword(context.Context, ports.PasswordChange) (*domain.User, error) {
	return nil, f.err
}

func (f *failing) UseCode(context.Context, string, int64) error { return f.err }

func (f *failing) Start(context.Context, int64, string, bool) error { return f.err }

func (f *failing) Cancel(context.Context, int64, string) error { return f.err }

// serveFailing serves forms that fail with an error.
func serveFailing(t *testing.T) (*failing, *visitor.Browser) {
	t.Helper()
	f := &failing{}
	r, _ := serveRecorder(t, func(cfg *web.Config) {
		f.recorder, _ = cfg.Account.Auth.(*recorder)
		cfg.Account.Auth, cfg.Account.Registering, cfg.Account.Setup, cfg.Uploads.Uploading = f, f, f, f
	})
	return f, visitor.New(t, r.url)
}

// A form that the server rejects comes back filled in, without its passwords, with the reason and a button that sends it again.
func TestRejectedFormsComeBack(t *testing.T) {
	f, b := serveFailing(t)
	const secret = "what was typed"
	russian := []string{"Accept-Language", "ru"}
	require.Equal(t, http.StatusSeeOther, b.SignIn(t, "anna", goodPassword).Status)
	stranger := visitor.New(t, f.url)
	for _, form := range []struct {
		path    string
		browser *visitor.Browser
		fields  map[string]string
		keeps   []string // selectors of fields with their values
	}{
		{"/register", stranger, anna("psw", secret), []string{"#lname[value='Ким']", "#birthday[value='1990-02-28']", "#login[value=anna]", "#phone"}},
		{"/login", stranger, map[string]string{"login": "anna", "psw": secret, "next": "/help"}, []string{"#login[value=anna]", "[name=next][value='/help']"}},
		{"/account/password", b, map[string]string{"login": "anna", "old": secret, "psw": secret, "next": "/help"}, []string{"#old", "#psw", "[name=next][value='/help']"}},
		{"/setup", b, map[string]string{"login": "anna"}, []string{"[name=login][value=anna]"}},
		{"/useradd/uploads/x/start", b, map[string]string{"strict": "1", "sheet": "5А"}, []string{"[name=strict][value='1']", "[name=sheet][value='5А']"}},
		{"/useradd/uploads/x/cancel", b, nil, nil},
	} {
		for _, c := range []struct {
			name   string
			err    error
			status int
			alert  string
		}{
			{"forbidden", domain.ErrNotOperator, 403, "This page is for operators"},
			{"too slow", transport.ErrTimeout, 408, "The request timed out"},
			{"too many attempts", &domain.TooManyAttemptsError{Wait: time.Minute}, 429, "Too many attempts"},
			{"internal error", errors.New("a bug"), 500, "Something went wrong on our side"},
			{"busy", ports.ErrBusy, 503, "The server is busy"},
			{"unavailable", ports.ErrUnavailable, 503, "The service is unavailable"},
		} {
			t.Run(form.path+" "+c.name, func(t *testing.T) {
				f.err = c.err
				entered := url.Values{}
				for name, value := range form.fields {
					entered.Set(name, value)
				}
				post := func(headers ...string) *visitor.Page {
					return form.browser.Do(t, http.MethodPost, form.path, entered.Encode(), append(headers, "Content-Type", mediaForm, "Cookie", "setup=code")...)
				}
				got := post()
				require.Equal(t, c.status, got.Status)
				require.Contains(t, got.Text("main"), c.alert)
				require.Equal(t, 1, got.Find("main [role=alert][autofocus]").Length())
				require.Regexp(t, "^Error: ", got.Text("title"))
				for _, selector := range form.keeps {
					require.Equal(t, 1, got.Find("main form "+selector).Length(), selector)
				}
				require.NotContains(t, got.HTML, secret)
				require.Equal(t, entered.Has("psw"), got.Text("[data-retype]") == "The server doesn't send passwords back. Enter yours again.")
				require.Equal(t, "Send again", got.Text(`main form[action="`+form.path+`"] button[type=submit]`))
				require.Equal(t, "Отправить ещё раз", post(russian...).Text("main form button[type=submit]"))
				if c.status == 500 {
					require.NotEmpty(t, got.Text("main .request code"))
				}
			})
		}
	}
}

// A form that did not arrive whole keeps the fields that did.
func TestFormsThatAreTooLargeComeBack(t *testing.T) {
	s := serve(t)
	form := func(size int) string {
		return "lname=Ким&fname=Анна&psw=secret-text&login=" + strings.Repeat("a", size) + "&email=anna%40example.com"
	}
	for _, c := range []struct {
		name  string
		size  int
		email string
	}{
		{"Large", 20 << 10, "anna@example.com"},
		{"Larger", 1 << 20, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := s.browser(t).Do(t, http.MethodPost, "/register", form(c.size), "Content-Type", mediaForm)
			require.Equal(t, http.StatusRequestEntityTooLarge, got.Status)
			require.Contains(t, got.Text("[role=alert]"), "The request is larger than this server accepts.")
			require.Equal(t, "Анна", got.Find("#fname").AttrOr("value", ""))
			require.Equal(t, c.email, got.Find("#email").AttrOr("value", ""))
			require.NotContains(t, got.HTML, "secret-text")
		})
	}
}

// A page cannot send a file again, and a form whose address does not exist stays rejected.
func TestFormsThatCannotBeSentAgain(t *testing.T) {
	f, b := serveFailing(t)
	require.Equal(t, http.StatusSeeOther, b.SignIn(t, "anna", goodPassword).Status)
	f.err = errors.New("a bug")
	file, contentType := uploadForm(t, "people.json", "[]")
	for _, c := range []struct {
		path, body, contentType string
		err                     error
		status                  int
	}{
		{"/useradd/uploads/x/start", file, contentType, f.err, 415},
		{"/nowhere", "strict=1", mediaForm, nil, 404},
		{"/help", "strict=1", mediaForm, nil, 405},
	} {
		t.Run(c.path, func(t *testing.T) {
			f.err = c.err
			got := b.Do(t, http.MethodPost, c.path, c.body, "Content-Type", c.contentType, "Cookie", "setup=code")
			require.Equal(t, c.status, got.Status)
			require.Zero(t, got.Find("main form").Length())
		})
	}
}

// The choices of an upload are still there after its user has signed in again.
func TestChoicesOutliveTheSession(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	address := upload(t, b, "school.xlsx", caseFile(t, "E03-sheet-per-class/people.xlsx"))
	checked := waitFor(t, b, address, "Checked, no one registered yet")
	b.SignOut(t)
	got := b.Send(t, address+"/start", checked, map[string]string{"choose": "1", "sheet": "5Б"})
	require.Equal(t, http.StatusUnauthorized, got.Status)
	require.Equal(t, "Your session has ended. Sign in, then send the form again.", got.Text("[role=alert] p:first-child"))
	link := got.Find("main a[target=_blank]").AttrOr("href", "")
	require.Equal(t, address, b.Send(t, "/login", b.Get(t, link), map[string]string{"login": "anna", "psw": goodPassword}).Location())
	require.Equal(t, address, b.Send(t, address+"/start", got, nil).Location())
	require.Contains(t, waitFor(t, b, address, "Checked, no one registered yet").Text(".preview"), "e03b")
}

// A form without scripts that arrives after its session comes back with a button, unless it has a password or a file. Then the sign-in page
// says that it was not accepted.
func TestFormsAfterTheSession(t *testing.T) {
	b := serve(t).operator(t)
	password := b.Get(t, "/account/password")
	b.SignOut(t)
	got := b.Do(t, http.MethodPost, "/useradd/uploads", "start=one&start=two", "Content-Type", mediaForm)
	require.Equal(t, http.StatusUnauthorized, got.Status)
	require.Equal(t, []string{"one", "two"}, values(got, "main form[action='/useradd/uploads'] [name=start]"))
	require.Equal(t, "/login?next=%2Fuseradd%2Fuploads", got.Find("main a[target=_blank]").AttrOr("href", ""))
	for next, send := range map[string]func() *visitor.Page{
		"/account/password": func() *visitor.Page {
			return b.Send(t, "/account/password", password, map[string]string{"old": "a guess", "psw": "another guess"})
		},
		"/useradd/upload": func() *visitor.Page { return uploadSeveral(t, b, "one.json", "[]") },
	} {
		t.Run(next, func(t *testing.T) {
			address := send().Location()
			require.Equal(t, "/login?next="+url.QueryEscape(next), address)
			got := b.Get(t, address)
			require.Equal(t, "Your session had ended, so the form wasn't accepted. Sign in, then fill it in again.", got.Text("[role=alert] p:first-child"))
			require.Zero(t, got.Find("[role=status]").Length())
			require.Equal(t, "Sign in to see this page.", b.Get(t, address).Text("[role=status]"))
		})
	}
}

// What a page of another site sends does not appear in a form of this one.
func TestForgedFormsDoNotComeBack(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	for _, path := range forms {
		t.Run(path, func(t *testing.T) {
			got := b.Do(t, http.MethodPost, path, "login=planted&strict=planted", "Content-Type", mediaForm, "Sec-Fetch-Site", "cross-site")
			require.Equal(t, http.StatusForbidden, got.Status)
			require.NotContains(t, got.HTML, "planted")
			require.Zero(t, got.Find("main form").Length())
		})
	}
}

// A browser without scripts sends the form to switch the language.
func TestLanguageSwitchKeepsFields(t *testing.T) {
	s := serve(t)
	registered := s.registered(t)
	for _, c := range []struct {
		path    string
		browser *visitor.Browser
		fields  map[string]string
		keeps   string
	}{
		{"/register", s.browser(t), anna("lname", "Неизвестная"), "#lname[value='Неизвестная']"},
		{"/login", s.browser(t), map[string]string{"login": "Anna K", "psw": goodPassword}, "#login[value='Anna K']"},
		{"/account/password", registered, map[string]string{"psw": goodPassword, "next": "/help"}, "[name=next][value='/help']"},
	} {
		t.Run(c.path, func(t *testing.T) {
			require.Contains(t, c.browser.Get(t, c.path).HTML, `<button class="plain" type="submit" form="form" formaction="?lang=ru" lang="ru"`)
			entered := url.Values{}
			for name, value := range c.fields {
				entered.Set(name, value)
			}
			got := c.browser.Do(t, http.MethodPost, c.path+"?lang=ru", entered.Encode(), "Content-Type", mediaForm)
			require.Equal(t, http.StatusOK, got.Status)
			require.Equal(t, "ru", got.Find("html").AttrOr("lang", ""))
			require.Equal(t, 1, got.Find("main form "+c.keeps).Length())
			require.NotContains(t, got.HTML, goodPassword)
			require.Equal(t, "Сервер не возвращает пароли. Введите пароль ещё раз.", got.Text("#psw-retype"))
			require.Equal(t, "ru", c.browser.Get(t, "/help").Find("html").AttrOr("lang", ""))
		})
	}
	require.Len(t, s.store.Accounts(), 1)
}

// A browser without scripts gets the page again with an unsent filter, or with unsent choices of how a file is read.
func TestLanguageSwitchKeepsFiltersAndChoices(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	s.imported(t)
	for path, query := range map[string]string{"/profile": "login=boris", "/audit": "actor=anna", "/users": "group=7А"} {
		t.Run(path, func(t *testing.T) {
			const button = `<button class="plain" type="submit" form="filter" formmethod="get" formaction="?" name="lang" value="ru"`
			page := b.Get(t, path+"?lang=en")
			require.Contains(t, page.HTML, button)
			require.Equal(t, path, strings.Split(page.Find("#filter[method=get]").AttrOr("action", ""), "#")[0])
			name, value, _ := strings.Cut(query, "=")
			got := b.Get(t, path+"?"+name+"="+url.QueryEscape(value)+"&lang=ru")
			require.Equal(t, "ru", got.Find("html").AttrOr("lang", ""))
			require.Equal(t, value, got.Find("#"+name).AttrOr("value", ""))
		})
	}
	address := upload(t, b, "school.xlsx", caseFile(t, "E03-sheet-per-class/people.xlsx"))
	b.Get(t, "/?lang=en")
	page := waitFor(t, b, address, "Checked, no one registered yet")
	require.Contains(t, page.HTML, `<button class="visually-hidden" type="submit" form="choices" name="choose" value="1"`, "the Enter key starts no import")
	require.NotEqual(t, []string{"5Б"}, values(page, ".choices [checked]"))
	got := b.Get(t, address+"?lang=ru&sheet="+url.QueryEscape("5Б"))
	require.Equal(t, []string{"5Б"}, values(got, ".choices [checked]"))
}

// The script of a form gets the address to go to, and stays on its page if the session is over.
func TestAnswersToScripts(t *testing.T) {
	s := serve(t)
	b := s.browser(t)
	script := []string{"X-Requested-With", "fetch"}
	got := b.Submit(t, "/register", anna(), script...)
	require.Equal(t, http.StatusNoContent, got.Status)
	require.Equal(t, "/profile", got.Location())
	require.Equal(t, "You're registered and signed in.", b.Get(t, "/profile").Text("[role=status]"))
	form := b.Get(t, "/account/password")
	b.SignOut(t)
	got = b.Send(t, "/account/password", form, map[string]string{"old": goodPassword, "psw": "another password"}, script...)
	require.Equal(t, http.StatusUnauthorized, got.Status)
	require.Zero(t, got.Find("main form").Length())
	got = b.Send(t, "/account/password", form, map[string]string{"old": goodPassword, "psw": "another password"})
	require.Equal(t, "/login?next=%2Faccount%2Fpassword", got.Location())
}

// A form does not act for a user who has signed in since the page was opened.
func TestFormOfAnotherUser(t *testing.T) {
	s := serve(t)
	b := s.registered(t)
	require.Equal(t, http.StatusSeeOther, s.browser(t).Submit(t, "/register", anna("login", "boris", "email", "", "phone", "9000000001")).Status)
	code, err := s.setup.NewCode(t.Context())
	require.NoError(t, err)
	require.Equal(t, "/setup", b.Get(t, "/setup?code="+code).Location())
	setup, password := b.Get(t, "/setup"), b.Get(t, "/account/password")
	b.SignOut(t)
	require.Equal(t, http.StatusOK, b.Get(t, "/login").Status)
	elsewhere := s.browser(t)
	require.Equal(t, http.StatusSeeOther, elsewhere.SignIn(t, "boris", goodPassword).Status)
	require.Equal(t, "/setup", elsewhere.Get(t, "/setup?code="+code).Location())
	for path, page := range map[string]*visitor.Page{"/setup": setup, "/account/password": password} {
		got := elsewhere.Send(t, path, page, map[string]string{"old": goodPassword, "psw": "another password"})
		require.Equal(t, problem.New("", problem.ErrOtherUser).Status, got.Status, path)
		require.Contains(t, got.Text("[role=alert]"), "You're signed in as another user.")
		require.Equal(t, "boris", got.Find("main [name=login]").AttrOr("value", ""), "the form is the new user's")
	}
	require.Zero(t, elsewhere.Get(t, "/profile").Find("a[href='/useradd/upload']").Length(), "no one has become an operator")
}
