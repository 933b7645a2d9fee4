package browser_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

func TestLanguageChoice(t *testing.T) {
	p := start(t)
	for _, c := range []struct{ asked, own, other string }{{"ru", "ru", "en"}, {"en", "en", "ru"}, {"en-GB,ru;q=0.5", "en", "ru"}} {
		t.Run(c.asked, func(t *testing.T) {
			v := visit(t, p.url, look{language: c.asked})
			v.open("/")
			require.Equal(t, c.own, v.language(), "the language of the browser")
			before := v.text("h1")

			v.load(http.StatusOK, click(`a[hreflang="`+c.other+`"]`))
			require.Equal(t, c.other, v.language(), "after the click")
			require.True(t, v.has(`a[hreflang="`+c.other+`"][aria-current]`))
			require.NotEqual(t, before, v.text("h1"))
			v.load(http.StatusOK, click(`header a[href="/register"]`))
			require.Equal(t, c.other, v.language(), "on the next page")
			v.load(http.StatusOK, chromedp.Reload())
			require.Equal(t, c.other, v.language(), "after a reload")

			v.load(http.StatusOK, click(`a[hreflang="`+c.own+`"]`))
			require.Equal(t, "/register", v.path(), "the page is the same")
			require.Equal(t, c.own, v.language(), "after the click back")
			v.open("/")
			require.Equal(t, before, v.text("h1"))
		})
	}
}

// A change of language during the sign-in keeps the requested page.
func TestLanguageSwitchKeepsTheDestination(t *testing.T) {
	p := start(t)
	made := p.useradd(t, "lebedeva")
	v := p.visit(t)
	v.open("/account/password")
	v.load(http.StatusOK, click(`a[hreflang=ru]`))
	require.Equal(t, "/login", v.path())
	v.signIn(made.Login, made.Password)
	require.Equal(t, "/account/password", v.path())
	require.Equal(t, "ru", v.language())
}
