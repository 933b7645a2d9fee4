package web_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLanguageIsRemembered(t *testing.T) {
	s := serve(t)
	b := s.browser(t, "Accept-Language", "de, ru;q=0.8, en;q=0.5")
	home := b.Get(t, "/login?next=/account/password")
	require.Equal(t, "ru", home.Find("html").AttrOr("lang", ""))
	english := home.Find("a[hreflang=en]").AttrOr("href", "")
	got := b.Get(t, "/login"+english)
	require.Equal(t, "en", got.Find("html").AttrOr("lang", ""))
	require.Equal(t, "/account/password", got.Find("[name=next]").AttrOr("value", ""), "the language switch stays on the page")
	kept := b.Get(t, "/help?a=1&b=%D1%8F&lang=ru&a=2").Find("a[hreflang=en]").AttrOr("href", "")
	require.Equal(t, "?a=1&a=2&b=%D1%8F&lang=en", kept, "with the parameters of its address")
	require.Equal(t, "en", b.Get(t, "/register?lang=en").Find("html").AttrOr("lang", ""))
	require.Equal(t, "ru", b.Get(t, "/register?lang=ru").Find("html").AttrOr("lang", ""))
	require.Equal(t, "ru", b.Get(t, "/register?lang=xx").Find("html").AttrOr("lang", ""))
	rejected := b.Submit(t, "/register", map[string]string{"login": "два слова"})
	require.Equal(t, "ru", rejected.Find("html").AttrOr("lang", ""))
	require.Regexp(t, `[а-я]`, rejected.Text("#login-error"))
	api := s.post(t, "{}", "Accept-Language", "ru", "Cookie", "lang=ru")
	require.Equal(t, noneCreated, api.body, "answers of /useradd are in English")
}
