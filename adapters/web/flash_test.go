package web_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// A link to a file leads a visitor to the page that offers the file, which starts the download.
func TestFilesAfterSignIn(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	require.Equal(t, http.StatusBadRequest, s.post(t, `[{"login":"x"}]`).status)
	uploaded := upload(t, b, "people.json", "["+person("boris", `"phone":"9000000001"`)+"]")
	b.Send(t, uploaded+"/start", waitFor(t, b, uploaded, "Checked, no one registered yet"), nil)
	waitFor(t, b, uploaded, "Done")
	for _, c := range []struct{ file, page string }{
		{"/useradd/export/xlsx?status=400&from=2026-01-01", "/profile?status=400&from=2026-01-01"},
		{"/useradd/export/rejected.csv?import=1", "/useradd/imports/1"},
		{uploaded + "/credentials.csv", uploaded},
		{"/useradd/templates/people.csv", "/useradd/upload"},
	} {
		t.Run(c.file, func(t *testing.T) {
			b := s.browser(t)
			login := b.Get(t, b.Get(t, c.file).Location())
			got := b.Send(t, "/login", login, map[string]string{"login": "anna", "psw": goodPassword})
			require.Equal(t, c.page, got.Location())
			page := b.Get(t, c.page)
			require.Equal(t, http.StatusOK, page.Status)
			require.Equal(t, "0; url="+c.file, page.Find("meta[http-equiv=refresh]").First().AttrOr("content", ""))
			require.Equal(t, c.file, page.Find("main [role=status] a[download]").AttrOr("href", ""))
			require.Contains(t, b.Get(t, c.file).Header.Get("Content-Disposition"), "attachment")
			require.Zero(t, b.Get(t, c.page).Find("head > meta[http-equiv=refresh]").Length(), "the download starts once")
			require.Equal(t, c.page, b.Get(t, "/login?next="+url.QueryEscape(c.file)).Location(), "signed in already")
		})
	}
}

// A cookie shows known notices only, and starts a download on the page that offers it only.
func TestForgedFlash(t *testing.T) {
	s := serve(t)
	s.registered(t)
	for _, c := range []struct{ name, flash string }{
		{"UnknownNotice", "notice=You+have+won"},
		{"Message", "notice=sign_in_first"},
		{"OtherSite", "file=https%3A%2F%2Fevil.example%2Fuseradd%2Fexport%2Fxlsx"},
		{"OtherSiteByPath", "file=%2F%2Fevil.example%2Fuseradd%2Fexport%2Fxlsx"},
		{"Page", "file=%2Flogout"},
		{"FileOfAnotherPage", "file=%2Fuseradd%2Ftemplates%2Fpeople.csv"},
		{"Broken", "%zz;"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := s.browser(t)
			b.SignIn(t, "anna", goodPassword)
			got := b.Get(t, "/profile", "Cookie", "session="+b.Cookie("session")+"; flash="+c.flash)
			require.Equal(t, http.StatusOK, got.Status)
			require.Zero(t, got.Find("main [role=status]").Length())
			require.Zero(t, got.Find("meta[http-equiv=refresh]").Length())
		})
	}
}
