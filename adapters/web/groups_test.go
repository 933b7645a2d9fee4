package web_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The group of a person is on the page of the upload, on the slip and on the person's own page, in both languages.
func TestGroupsOnPages(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	address := upload(t, b, "класс.csv", "Фамилия;Имя;Отчество;Логин;Эл. почта;Класс\n"+
		"Ли;Ян;Олегович;yan;yan@example.com;\"7  «Б»\"\nЛи;Ева;Олеговна;eva;eva@example.com;\nЛи;Ада;Олеговна;ada;ada@example.com;🙂\n")
	checked := waitFor(t, b, address, "Checked, no one registered yet")
	require.Contains(t, checked.Text(".preview"), "Класс")
	require.Contains(t, checked.Text(".rejections"), "Group is not valid: it needs a letter or a digit.")
	require.NotContains(t, checked.Text("main"), "is ignored")
	b.Send(t, address+"/start", checked, nil)
	waitFor(t, b, address, "Done")
	slips := b.Get(t, address+"/slips")
	require.Equal(t, "Group 7 «Б»", slips.Text(".of-group:first-of-type dl:first-of-type div:first-child"))
	require.Equal(t, "7 «Б»", slips.Text(".of-group:first-of-type dd [dir=auto]"))
	require.Equal(t, "No group", slips.Text(".of-group:last-of-type h2"))
	require.NotContains(t, slips.Text(".of-group:last-of-type section"), "Group")
	require.Equal(t, "Группа 7 «Б»", b.Get(t, address+"/slips?lang=ru").Text(".of-group:first-of-type dl:first-of-type div:first-child"))

	yan := s.browser(t)
	password := slips.Text(".of-group:first-of-type .password")
	require.Equal(t, "/account/password", yan.SignIn(t, "yan", password).Location())
	require.Equal(t, "/profile", yan.Submit(t, "/account/password", map[string]string{"old": password, "psw": goodPassword}).Location())
	require.Contains(t, yan.Get(t, "/profile").Text(".data"), "Group7 «Б»")
	require.Contains(t, yan.Get(t, "/profile?lang=ru").Text(".data"), "Группа7 «Б»")
}

// A visitor who registers chooses no group.
func TestVisitorsChooseNoGroup(t *testing.T) {
	s := serve(t)
	b := s.browser(t)
	require.Zero(t, b.Get(t, "/register").Find("[name=group]").Length())
	require.Equal(t, "/profile", b.Submit(t, "/register", anna("group", "7А")).Location())
	require.NotContains(t, b.Get(t, "/profile").Text(".data"), "Group")
}
