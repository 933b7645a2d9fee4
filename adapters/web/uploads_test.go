package web_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRejectedUploads(t *testing.T) {
	s := serve(t, func(use *settings) { use.web.MaxBody = 64 << 10 })
	b := s.operator(t)
	for _, c := range []struct {
		name          string
		file, content string
		status        int
		alert         string
	}{
		{"no file", "", "", 400, "Choose a file first."},
		{"too large", "a.json", strings.Repeat(" ", 128<<10), 413, "The file is too large."},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, contentType := uploadForm(t, c.file, c.content)
			got := b.Do(t, "POST", "/useradd/upload", body, "Content-Type", contentType)
			require.Equal(t, c.status, got.Status)
			require.Equal(t, c.alert, got.Text(".message.bad[role=alert]:not([hidden])"))
		})
	}
	body, contentType := uploadForm(t, "a.json", "{}")
	require.Equal(t, 403, b.Do(t, "POST", "/useradd/upload", body, "Content-Type", contentType, "Sec-Fetch-Site", "cross-site").Status)
	require.Equal(t, 415, b.Do(t, "POST", "/useradd/upload", "login=a", "Content-Type", mediaForm).Status)
	require.Equal(t, 401, s.browser(t).Do(t, "POST", "/useradd/upload", body, "Content-Type", contentType, "Accept", "*/*").Status)
	require.Zero(t, b.Get(t, "/useradd/upload").Find(".latest").Length(), "no upload is stored")

	for _, file := range []string{"", "[", `{"login":`} { // recognized by their beginning
		body, contentType := uploadForm(t, "a.json", file)
		got := b.Do(t, "POST", "/useradd/upload", body, "Content-Type", contentType)
		require.Equal(t, 400, got.Status, file)
		require.Contains(t, got.Text(".message.bad[role=alert]"), "The file is empty, damaged", file)
	}
	address := upload(t, b, "a.json", "["+strings.Repeat("1,", 20))
	got := waitFor(t, b, address, "Failed, no one registered")
	require.Contains(t, got.Text("main"), "The file is empty, damaged")
	require.Zero(t, got.Find(`form[action^="`+address+`"]`).Length())
	address = upload(t, b, "a.json", "[1,2]")
	got = waitFor(t, b, address, "Checked, no one registered yet")
	require.Contains(t, got.Text("main"), "No record in this file can be registered.")
	require.Zero(t, got.Find("button:contains('Register them')").Length())
	require.Empty(t, s.store.Recorded(), "no import is stored")
}

// An operator chooses the encoding of a file whose letters fit several.
func TestUploadInUnclearEncoding(t *testing.T) {
	s := serve(t)
	b := s.operator(t)
	address := upload(t, b, "a.csv", "last_name,first_name,patronymic,login,email\nMarcian\xf2,Rosa,Anna,rosa,rosa@example.org\n")
	got := b.Get(t, address)
	require.Equal(t, "Choose the encoding", got.Text("h1"))
	require.Contains(t, got.Text(".encodings tr:contains('Windows-1252')"), "Marcianò")
	require.Contains(t, got.Text(".encodings tr:contains('Windows-1250')"), "Marcianň")
	require.Equal(t, 1, got.Find(".encodings button[value='windows-1252']").Length())

	b.Send(t, address+"/start", got, map[string]string{"charset": "ansi"})
	require.Equal(t, "Choose the encoding", b.Get(t, address).Text("h1"), "an encoding that was not offered")
	b.Send(t, address+"/start", got, map[string]string{"charset": "windows-1252"})
	got = waitFor(t, b, address, "Checked, no one registered yet")
	require.Contains(t, got.Text(".preview"), "Marcianò")
	require.Contains(t, got.Text(".understood .data"), "Windows-1252, as you said")
	b.Send(t, address+"/start", got, nil)
	waitFor(t, b, address, "Done")

	address = upload(t, b, "b.csv", "login,last_name\nrosa,Marcian\xf2\n")
	b.Do(t, "POST", address+"/cancel", "", "Content-Type", mediaForm)
	require.Equal(t, "Cancelled, no one registered", b.Get(t, address).Text("h1"))
}
