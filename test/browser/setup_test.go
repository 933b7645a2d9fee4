package browser_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// The setup link makes a visitor who registers an operator.
func TestSetupIsAccessible(t *testing.T) {
	for _, language := range []string{"en", "ru"} {
		p := start(t)
		looks := []look{{language: language, phone: true, dark: language == "en"}, {language: language, dark: language == "ru"}}
		v := visit(t, p.url, looks[0])
		check := func(state string) {
			t.Helper()
			for _, as := range looks {
				v.look(as)
				v.isAccessible(state + " " + as.String())
				if as.phone {
					v.fits(state)
				}
			}
			v.look(looks[0])
		}
		link := setupLink.FindStringSubmatch(p.logged())[1]
		v.open(link)
		require.Equal(t, "/setup", v.address(), "the address has no code")
		check("setup of a visitor")
		v.register(anna())
		require.True(t, v.has(`#report a[href="/useradd/upload"]`))
		check("profile of an operator")

		v.load(http.StatusNotFound, v.to(link))
		check("setup link that was used")
	}
}

func TestSetupOfSignedInUser(t *testing.T) {
	for _, language := range []string{"en", "ru"} {
		p := start(t)
		v := visit(t, p.url, look{language: language, phone: true})
		v.register(anna())
		require.False(t, v.has(`a[href="/useradd/upload"]`))
		v.open(setupLink.FindStringSubmatch(p.logged())[1])
		for _, as := range []look{{language: language, phone: true}, {language: language}} {
			v.look(as)
			v.isAccessible("setup " + as.String())
		}
		v.load(http.StatusOK, click("main form button"))
		require.Equal(t, "/profile", v.address(), "the address has no notice")
		require.True(t, v.has(`a[href="/useradd/upload"]`))
	}
}
