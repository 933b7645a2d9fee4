package web_test

import (
	"fmt"
	"image"
	"image/draw"
	"slices"
	"strings"
	"testing"

	qr "github.com/piglig/go-qr"
	"github.com/stretchr/testify/require"

	"rollcall/test/visitor"
)

// imported uploads and imports a file, and returns the address of the upload.
func imported(t *testing.T, b *visitor.Browser, file string) string {
	t.Helper()
	address := upload(t, b, "people.ndjson", file)
	b.Send(t, address+"/start", waitFor(t, b, address, "Checked, no one registered yet"), nil)
	waitFor(t, b, address, "Done")
	return address
}

// pupil returns a line of a file.
func pupil(number int, login, group, last string) string {
	return fmt.Sprintf(`{"last_name":%q,"first_name":"Анна","patronymic":"Петровна","login":%q,"email":"p%d@example.com","group":%q}`+"\n",
		last, login, number, group)
}

// pupils returns a file of people with the logins p1, p2 and so on. Each group has a number of them.
func pupils(groups ...int) string {
	var file strings.Builder
	number := 0
	for group, people := range groups {
		for range people {
			number++
			file.WriteString(pupil(number, fmt.Sprintf("p%d", number), fmt.Sprintf("%dА", group+1), fmt.Sprintf("Ким-%c", 'А'+number%32)))
		}
	}
	return file.String()
}

func eachText(page *visitor.Page, selector string) (texts []string) {
	for _, found := range page.Find(selector).EachIter() {
		texts = append(texts, strings.Join(strings.Fields(found.Text()), " "))
	}
	return texts
}

// Slips come by group, then by name. Each group has its name above, and people without a group come last. A row has two slips.
func TestSlipsByGroup(t *testing.T) {
	s := serve(t, func(s *settings) { s.web.SiteName = "School № 5" })
	b := s.operator(t)
	address := imported(t, b, pupil(1, "zoe", "", "Ёлкина")+pupil(2, "anna-1", "10А", "Сомова")+pupil(3, "eva", "2б", "Ёжикова")+
		pupil(4, "ada", "2Б", "Жукова")+pupil(5, "ivan", "2Б", "Ежиков")+"7\n")
	got := b.Get(t, address+"/slips")
	require.Equal(t, []string{"2Б", "10А", "No group"}, eachText(got, "h2"))
	require.Equal(t, []string{"Ежиков Анна Петровна", "Ёжикова Анна Петровна", "Жукова Анна Петровна", "Сомова Анна Петровна", "Ёлкина Анна Петровна"}, eachText(got, "h3"))
	require.Equal(t, []string{"ivan", "eva", "ada", "anna-1", "zoe"}, eachText(got, ".typed div:first-child dd"))
	require.Equal(t, []string{"2Б", "10А", "No group"}, eachText(got, "nav a"))
	require.Equal(t, "10А", got.Text(got.Find("nav a").Eq(1).AttrOr("href", "")+" h2"))
	require.Equal(t, []string{"Print 2Б", "Print 10А", "Print No group"}, eachText(got, ".of-group [data-print][hidden]"))
	require.Equal(t, 2, got.Find(".of-group:first-of-type .row").Length())
	require.Equal(t, 2, got.Find(".of-group:first-of-type .row:nth-of-type(1) section").Length())
	require.Regexp(t, `^School № 5 Ежиков Анна Петровна Group 2Б Address http\S+/login Scan the code or open the address\. Sign in with this `+
		`temporary password by \d.*\. You'll then be asked to choose your own\. Login ivan Password password-\S+$`, eachText(got, "section")[0])
	require.Equal(t, "Slips to print — School № 5", got.Text("title"))
	got = b.Get(t, address+"/slips?lang=ru")
	require.Equal(t, []string{"2Б", "10А", "Без группы"}, eachText(got, "h2"))
	require.Regexp(t, `Отсканируйте код или откройте адрес\. Войдите с этим временным паролем не позже .* Логин ivan Пароль password-\S+$`, eachText(got, "section")[0])
}

// Pages name the service as the administrator does.
func TestSiteName(t *testing.T) {
	s := serve(t, func(s *settings) { s.web.SiteName = "School № 5 <b>" })
	got := s.browser(t).Get(t, "/")
	require.Equal(t, "School № 5 <b>", got.Text(".wordmark"))
	require.Equal(t, "School № 5 <b>", got.Find(".wordmark").AttrOr("aria-label", ""))
	require.Contains(t, got.Text(".hero .lead"), "School № 5 <b> registers people")
	require.Regexp(t, " — School № 5 <b>$", got.Text("title"))
	require.Contains(t, got.Text("footer"), "School № 5 <b>")
	require.Equal(t, "The response didn't come from School № 5 <b> (status {}).", got.Find("#unsent").AttrOr("data-foreign", ""))
	require.NotContains(t, got.HTML, "Rollcall")
}

// The code on a slip opens the page to sign in, with the login filled in and the focus on the password. It has no password.
func TestCodesOnSlips(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	logins := []string{"anna-1", "O'Neil+1&psw=x", strings.Repeat("longlogin", 7) + "x", strings.Repeat("ж", 64), strings.Repeat("王", 64), "محمد"}
	var file strings.Builder
	for i, login := range logins {
		file.WriteString(pupil(i, login, "", fmt.Sprintf("Ким-%c", 'А'+i)))
	}
	slips := b.Get(t, imported(t, b, file.String())+"/slips")
	visitor := s.browser(t)
	codes := slips.Find(".qr path")
	require.Equal(t, len(logins), codes.Length())
	for i, login := range logins {
		t.Run(login, func(t *testing.T) {
			address, err := qr.Decode(drawn(t, codes.Eq(i).AttrOr("d", "")))
			require.NoError(t, err)
			path, isOfServer := strings.CutPrefix(address, s.url)
			require.True(t, isOfServer, address)
			require.NotContains(t, path, "password-")
			form := visitor.Get(t, path)
			require.Equal(t, login, form.Find("#login").AttrOr("value", ""))
			require.Equal(t, "psw", form.Find("[autofocus]").AttrOr("id", ""))
			require.Equal(t, "?lang=ru&"+strings.TrimPrefix(path, "/login?"), form.Find(".languages a[lang=ru]").AttrOr("href", ""))
		})
	}
}

// drawn draws the rectangles of a path.
func drawn(t *testing.T, path string) image.Image {
	t.Helper()
	const scale, size = 4, 100
	picture := image.NewGray(image.Rect(0, 0, size*scale, size*scale))
	for i := range picture.Pix {
		picture.Pix[i] = 255
	}
	for _, rectangle := range strings.SplitAfter(path, "z") {
		var x, y, width, back int
		if rectangle == "" {
			continue
		}
		_, err := fmt.Sscanf(rectangle, "M%d %dh%dv1h-%dz", &x, &y, &width, &back)
		require.NoError(t, err)
		require.Equal(t, width, back)
		draw.Draw(picture, image.Rect(x*scale, y*scale, (x+width)*scale, (y+1)*scale), image.Black, image.Point{}, draw.Src)
	}
	return picture
}

// The page to sign in fills in a login that its address has, if it could be one.
func TestLoginFromAddress(t *testing.T) {
	s := serve(t)
	for _, c := range []struct{ query, want string }{
		{"login=anna", "anna"},
		{"login=anna%40example.com&next=/audit", "anna@example.com"},
		{"login=%22%3E%3Cscript%3E", `"><script>`},
		{"login=" + strings.Repeat("a", 254), strings.Repeat("a", 254)},
		{"login=" + strings.Repeat("a", 255), ""},
		{"login=a%00b", ""},
		{"login=a%0Ab", ""},
		{"login=%ff", ""},
		{"login=", ""},
	} {
		t.Run(c.query, func(t *testing.T) {
			got := s.browser(t).Get(t, "/login?"+c.query)
			require.Equal(t, 200, got.Status)
			require.Equal(t, c.want, got.Find("#login").AttrOr("value", ""))
			require.Equal(t, c.want != "", got.Find("#psw[autofocus]").Length() == 1)
			require.Zero(t, got.Find("script:not([src])").Length())
		})
	}
}

// More slips than a page has come in parts. A list says what each part holds, and one page has all.
func TestSlipsInParts(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	address := imported(t, b, pupils(8, 530, 2))
	list := b.Get(t, address+"/slips")
	require.Zero(t, list.Find("section").Length())
	require.Equal(t, []string{
		"Slips 1–8 of 540 1А",
		"Slips 9–508 of 540 2А: Ким-А Анна Петровна – Ким-Ю Анна Петровна",
		"Slips 509–540 of 540 2А: Ким-Ю Анна Петровна – Ким-Я Анна Петровна, 3А",
	}, eachText(list, ".parts li"))
	for _, c := range []struct {
		part   string
		slips  int
		groups []string
		links  string
	}{
		{"1", 8, []string{"1А"}, "All parts Slips 9–508 of 540 →"},
		{"2", 500, []string{"2А"}, "← Slips 1–8 of 540 All parts Slips 509–540 of 540 →"},
		{"3", 32, []string{"2А", "3А"}, "← Slips 9–508 of 540 All parts"},
	} {
		t.Run(c.part, func(t *testing.T) {
			got := b.Get(t, list.Find(".parts li:nth-child("+c.part+") a").AttrOr("href", "none"))
			require.Equal(t, c.slips, got.Find("section").Length())
			require.Equal(t, c.groups, eachText(got, "h2"))
			require.Equal(t, c.links, got.Text("nav:first-of-type"))
			require.Equal(t, got.Text("h1")+" — Rollcall", got.Text("title"))
		})
	}
	require.Equal(t, "All 540 slips on one page", list.Text(".whole"))
	all := b.Get(t, list.Find(".whole a").AttrOr("href", "none"))
	require.Equal(t, 540, all.Find("section").Length())
	require.Equal(t, "All parts", all.Text("nav:first-of-type"))
	require.Equal(t, []string{"1А", "2А", "3А"}, eachText(all, "h2"))
	for _, part := range []string{"0", "4", "-1", "x", "99999999999999999999"} {
		require.Equal(t, 404, b.Get(t, address+"/slips?part="+part).Status, part)
	}
	require.Equal(t, "Карточки 1–8 из 540", strings.ReplaceAll(b.Get(t, address+"/slips?part=1&lang=ru").Text("h1"), "\u00a0", " "))
}

// For a part of many groups, the list names the first and the last.
func TestPartOfManyGroups(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	list := b.Get(t, imported(t, b, pupils(slices.Repeat([]int{50}, 12)...))+"/slips")
	require.Equal(t, []string{"Slips 1–500 of 600 1А – 10А", "Slips 501–600 of 600 11А, 12А"}, eachText(list, ".parts li"))
}

// Up to 500 slips are on one page. Without groups it has no headings of groups.
func TestSlipsOnOnePage(t *testing.T) {
	for _, c := range []struct {
		slips int
		path  string
	}{
		{500, "/slips"},
		{2, "/slips?part=1"},
		{2, "/slips?part=all"},
	} {
		t.Run(fmt.Sprint(c.slips, c.path), func(t *testing.T) {
			b := serve(t).operator(t)
			address := imported(t, b, strings.ReplaceAll(pupils(c.slips), `"1А"`, `""`))
			got := b.Get(t, address+c.path)
			require.Equal(t, c.slips, got.Find("section").Length())
			require.Zero(t, got.Find("nav, h2").Length())
			require.Equal(t, 404, b.Get(t, address+"/slips?part=2").Status)
		})
	}
}
