package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Names are shown as people write them, in either direction, wherever a page, a slip or a file has them.
func TestNamesOfEveryScript(t *testing.T) {
	s := serve(t)
	b := s.browser(t)
	got := b.Submit(t, "/register", anna("lname", "الخوري", "fname", "سارة", "patr", "جورج", "login", "سارة"))
	require.Equal(t, 303, got.Status, got.Text("main"))
	s.grant(t, "سارة")
	profile := b.Get(t, "/profile")
	require.Equal(t, "الخوري سارة جورج", profile.Text("h1 [dir=auto]"))
	require.Equal(t, "سارة", profile.Text(".who[dir=auto]"))
	require.Equal(t, 5, profile.Find(".data [dir=auto]").Length(), "login, names and email")
	require.Equal(t, 4, b.Do(t, "POST", "/register", "", "Content-Type", mediaForm).Find("input[type=text][dir=auto]").Length(), "fields of names and the login")

	people := [][]string{
		{"רוזן", "דנה", "אורי", "dana"},
		{"میرزا\u200cزاده", "علی\u200cرضا", "حسین", "alireza"},
		{"王", "秀英", "無", "wang"},
		{"葛\U000e0100城", "さくら", "無", "sakura"},
	}
	var file strings.Builder
	file.WriteString("last_name,first_name,patronymic,login,email\n")
	for _, person := range people {
		file.WriteString(strings.Join(person, ",") + "," + person[3] + "@example.com\n")
	}
	file.WriteString("کاظمی,مینا,رضا,مینا\u200cکاظمی و,nowhere\n")

	const name = "\u200fفهرست می\u200cها \"7\".csv"
	address := upload(t, b, name, file.String())
	checked := waitFor(t, b, address, "Checked, no one registered yet")
	shown := strings.TrimPrefix(name, "\u200f")
	require.Equal(t, shown, checked.Text(".sheet-head [dir=auto]"))
	require.Equal(t, "مینا\u200cکاظمی و", checked.Text(".rejections td [dir=auto]"))
	require.Equal(t, people[1][1], checked.Text(".preview tr:nth-child(2) td:nth-child(2) [dir=auto]"))
	b.Send(t, address+"/start", checked, nil)
	done := waitFor(t, b, address, "Done")
	require.Equal(t, shown, b.Get(t, "/useradd/upload").Text(".latest [dir=auto]"))

	slips, sheet := b.Get(t, address+"/slips"), b.Get(t, address+"/credentials.csv")
	for _, person := range people {
		require.Contains(t, slips.Text("h3 [dir=auto]"), strings.Join(person[:3], " "))
		require.Contains(t, sheet.HTML, person[0])
	}
	require.Equal(t, `attachment; filename="7 credentials.csv"; filename*=UTF-8''`+
		strings.ReplaceAll(url.QueryEscape(strings.TrimSuffix(shown, ".csv")+" credentials.csv"), "+", "%20"), sheet.Header.Get("Content-Disposition"))
	stored := b.Get(t, done.Find(".more a[href^='/useradd/imports']").AttrOr("href", ""))
	require.Contains(t, stored.Text("main"), "\u2068سارة\u2069", "a sentence isolates a name")
	require.Contains(t, b.Get(t, "/profile?login="+url.QueryEscape("مینا\u200cکاظمی و")).Text(".imports"), "created by 4 of 5")
	for _, export := range []string{"json", "txt", "csv?table=bad_users", "rejected.csv?import=1"} {
		require.Contains(t, b.Get(t, "/useradd/export/"+export).HTML, "مینا\u200cکاظمی و", export)
	}
}
