package web_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// numberedPeople returns a JSON file of people with the logins p1, p2 and so on, and a record that is rejected after each thousand.
func numberedPeople(many int) string {
	var file strings.Builder
	for i := 1; i <= many; i++ {
		file.WriteString(person(fmt.Sprintf("p%d", i), fmt.Sprintf(`"email":"p%d@example.com"`, i)) + "\n")
		if i%1000 == 0 {
			file.WriteString("7\n")
		}
	}
	return file.String()
}

// More slips than a page has come in parts, and a list says what each part holds.
func TestSlipsInParts(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	imported := func(many int) (address string) {
		address = upload(t, b, "people.ndjson", numberedPeople(many))
		b.Send(t, address+"/start", waitFor(t, b, address, "Checked, no one registered yet"), nil)
		waitFor(t, b, address, "Done")
		return address
	}
	address := imported(1201)
	list := b.Get(t, address+"/slips")
	require.Zero(t, list.Find("section").Length())
	require.Equal(t, "Slips 1–500 of 1,201 Ким Анна Петровна – Ким Анна Петровна", list.Text(".parts li:first-child"))
	require.Equal(t, 3, list.Find(".parts a").Length())
	for _, c := range []struct {
		part, first, last string
		slips             int
		links             string
	}{
		{"1", "p1", "p500", 500, "All parts Slips 501–1,000 of 1,201 →"},
		{"2", "p501", "p1000", 500, "← Slips 1–500 of 1,201 All parts Slips 1,001–1,201 of 1,201 →"},
		{"3", "p1001", "p1201", 201, "← Slips 501–1,000 of 1,201 All parts"},
	} {
		t.Run(c.part, func(t *testing.T) {
			got := b.Get(t, list.Find(".parts li:nth-child("+c.part+") a").AttrOr("href", "none"))
			require.Equal(t, c.slips, got.Find("section").Length())
			require.Equal(t, c.slips, got.Find("section p:contains('Sign in with this temporary password by')").Length())
			require.Equal(t, c.first, got.Text("section:first-of-type div:nth-child(2) dd"))
			require.Equal(t, c.last, got.Text("section:last-of-type div:nth-child(2) dd"))
			require.Equal(t, c.links, got.Text("nav"))
			require.Equal(t, got.Text("h1")+" — Rollcall", got.Text("title"))
		})
	}
	for _, part := range []string{"0", "4", "-1", "x", "99999999999999999999"} {
		require.Equal(t, 404, b.Get(t, address+"/slips?part="+part).Status, part)
	}
	require.Equal(t, "Карточки 501–1 000 из 1 201", strings.ReplaceAll(b.Get(t, address+"/slips?part=2&lang=ru").Text("h1"), "\u00a0", " "))
}

// Up to 500 slips are on one page.
func TestSlipsOnOnePage(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	address := upload(t, b, "people.ndjson", numberedPeople(500))
	b.Send(t, address+"/start", waitFor(t, b, address, "Checked, no one registered yet"), nil)
	waitFor(t, b, address, "Done")
	for _, path := range []string{"/slips", "/slips?part=1"} {
		got := b.Get(t, address+path)
		require.Equal(t, 500, got.Find("section").Length())
		require.Zero(t, got.Find("nav").Length())
	}
	require.Equal(t, 404, b.Get(t, address+"/slips?part=2").Status)
}
