package web_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/test/visitor"
)

// A form that a browser without scripts sends twice does what it does once. The browser drops the first answer, and may not have its
// cookies when it sends the form again.
func TestFormsSentTwice(t *testing.T) {
	for _, withCookies := range []bool{true, false} {
		name := map[bool]string{true: "CookiesOfTheFirstAnswer", false: "CookiesBefore"}[withCookies]
		// twice sends a form twice, and returns the second answer.
		twice := func(t *testing.T, b *visitor.Browser, path string, page *visitor.Page, fields map[string]string) *visitor.Page {
			t.Helper()
			send := func() *visitor.Page { return b.Send(t, path, page, fields) }
			if withCookies {
				send()
				return send()
			}
			before := b.Clone(t)
			send()
			got := before.Send(t, path, page, fields)
			b.Client.Jar = before.Client.Jar
			return got
		}
		t.Run("Registration/"+name, func(t *testing.T) {
			s := serve(t)
			b := s.browser(t)
			got := twice(t, b, "/register", b.Get(t, "/register"), anna())
			require.Equal(t, "/profile", got.Location(), got.Text("main"))
			require.Equal(t, "You're registered and signed in.", b.Get(t, "/profile").Text("[role=status]"))
			require.Len(t, s.store.Accounts(), 1)
			require.Contains(t, s.log.String(), "event=sign_in outcome=succeeded")
			for _, other := range []map[string]string{anna("psw", "another password"), anna("fname", "Мария")} {
				got = s.browser(t).Submit(t, "/register", other)
				require.Equal(t, http.StatusUnprocessableEntity, got.Status)
				require.Equal(t, "Login belongs to another user.", got.Text("#login-error"))
			}
			require.Contains(t, s.log.String(), "event=sign_in outcome=failed")
		})
		t.Run("SignIn/"+name, func(t *testing.T) {
			s := serve(t)
			s.registered(t)
			b := s.browser(t)
			got := twice(t, b, "/login", b.Get(t, "/login"), map[string]string{"login": "anna", "psw": goodPassword})
			require.Equal(t, "/profile", got.Location(), got.Text("main"))
			require.True(t, b.IsSignedIn(t))
		})
		t.Run("ChangeOfPassword/"+name, func(t *testing.T) {
			s := serve(t)
			b := s.registered(t)
			got := twice(t, b, "/account/password", b.Get(t, "/account/password?next=/help"), map[string]string{"old": goodPassword, "psw": "another password"})
			require.Equal(t, "/help", got.Location(), got.Text("main"))
			require.Equal(t, "Your password has been changed.", b.Get(t, "/profile").Text("[role=status]"))
			require.Equal(t, http.StatusSeeOther, s.browser(t).SignIn(t, "anna", "another password").Status)
		})
		t.Run("SignOut/"+name, func(t *testing.T) {
			s := serve(t)
			b := s.registered(t)
			got := twice(t, b, "/logout", b.Get(t, "/logout"), nil)
			require.Equal(t, "/login", got.Location(), got.Text("main"))
			require.Equal(t, "You're signed out.", b.Get(t, "/login").Text("[role=status]"))
		})
		t.Run("Setup/"+name, func(t *testing.T) {
			s := serve(t)
			b := s.registered(t)
			code, err := s.setup.NewCode(t.Context())
			require.NoError(t, err)
			b.Get(t, "/setup?code="+code)
			got := twice(t, b, "/setup", b.Get(t, "/setup"), nil)
			require.Equal(t, "/profile", got.Location(), got.Text("main"))
			require.Equal(t, "You're now an operator.", b.Get(t, "/profile").Text("[role=status]"))
		})
		t.Run("FirstOperator/"+name, func(t *testing.T) {
			s := serve(t, func(use *settings) { use.web.Account.RegistrationClosed = true })
			b := s.browser(t)
			code, err := s.setup.NewCode(t.Context())
			require.NoError(t, err)
			b.Get(t, "/setup?code="+code)
			got := twice(t, b, "/register", b.Get(t, "/register"), anna())
			if withCookies { // the browser has signed in, and has no setup link any more
				require.Equal(t, http.StatusForbidden, got.Status)
			} else {
				require.Equal(t, "/profile", got.Location(), got.Text("main"))
			}
			require.Equal(t, http.StatusOK, b.Get(t, "/useradd/upload").Status)
		})
		t.Run("Upload/"+name, func(t *testing.T) {
			s := serve(t)
			b := s.operator(t)
			address := upload(t, b, "people.json", "["+person("boris", `"phone":"9000000001"`)+"]")
			checked := waitFor(t, b, address, "Checked, no one registered yet")
			require.Equal(t, address, twice(t, b, address+"/start", checked, nil).Location())
			waitFor(t, b, address, "Done")
			require.Len(t, s.store.Accounts(), 2)
			address = upload(t, b, "people.json", "["+person("clara", `"phone":"9000000002"`)+"]")
			waitFor(t, b, address, "Checked, no one registered yet")
			for range 2 {
				require.Equal(t, address, b.Do(t, http.MethodPost, address+"/cancel", "", "Content-Type", mediaForm).Location())
			}
			waitFor(t, b, address, "Cancelled, no one registered")
		})
	}
}
