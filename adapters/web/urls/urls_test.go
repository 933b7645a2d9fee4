package urls_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/web/urls"
)

// Browsers drop tabs and line breaks from an address, and take a backslash for a slash.
func TestLocal(t *testing.T) {
	for _, c := range []struct{ next, want string }{
		{"/", "/"},
		{"/useradd/uploads/x?a=b#c", "/useradd/uploads/x?a=b#c"},
		{"/help//x", "/help//x"},
		{"", "/profile"},
		{"profile", "/profile"},
		{"https://evil.example/", "/profile"},
		{"//evil.example", "/profile"},
		{"///evil.example", "/profile"},
		{`/\evil.example`, "/profile"},
		{"/\t/evil.example", "/profile"},
		{"/\n/evil.example", "/profile"},
		{" //evil.example", "/profile"},
		{"javascript:alert(1)", "/profile"},
		{"mailto:a@b", "/profile"},
		{"/%zz", "/profile"},
		{"/имя", "/profile"},
	} {
		t.Run(c.next, func(t *testing.T) {
			require.Equal(t, c.want, urls.Local(c.next))
		})
	}
}

func TestAddresses(t *testing.T) {
	require.Equal(t, "/useradd/imports/7", urls.Import(7))
	require.Equal(t, "/login?next=%2Fprofile%3Fa%3Db", urls.SignIn("/profile?a=b"))
	require.Equal(t, "/account/password?next=%2Fuseradd%2Fupload", urls.ChangePassword(urls.Upload))
	require.Equal(t, urls.Password, urls.ChangePassword(urls.Profile))
	require.Equal(t, urls.Password, urls.ChangePassword(urls.Password))
}
