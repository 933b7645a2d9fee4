package web_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
)

// Neither a repeated request nor a running import reads like a failed import, and the page says what it does not list.
func TestRowsOfTheReport(t *testing.T) {
	began := time.Date(2026, 11, 26, 11, 59, 0, 0, time.UTC)
	s := serveAt(t, began.Add(time.Minute))
	b := s.operator(t)
	run := ports.RunningImport{ID: "a", Started: began, Done: domain.Progress{Size: 1000}}
	require.NoError(t, fake.RunningImports{Store: s.store}.Beat(t.Context(), run))
	page := b.Get(t, "/profile")
	require.Equal(t, 1, page.Find(".imports .running").Length(), "the first import of all")
	require.Contains(t, page.Text(".running .what"), "Running: Waiting in the queue…")

	run.Done = domain.Progress{Tally: domain.Tally{Records: 4096}, Bytes: 250, Size: 1000}
	require.NoError(t, fake.RunningImports{Store: s.store}.Beat(t.Context(), run))
	s.post(t, person("boris", `"phone":"9161000007"`))
	s.post(t, person("boris", `"phone":"9161000007"`))
	id, err := s.store.Reject(t.Context(), ports.RejectedImport{Status: http.StatusConflict, Description: domain.DescriptionNoneCreated})
	require.NoError(t, err)
	page = b.Get(t, "/profile")
	require.Contains(t, page.Text(".running .what"), "Running: 4,096 records")
	require.Equal(t, "0.25", page.Find(".running progress").AttrOr("value", ""))
	require.Equal(t, "26 November 2026, 11:59 UTC", page.Text(".running time"))
	require.Equal(t, 1, page.Find(".status.failed").Length(), "only the import that registered no one")
	repeated := page.Find("#import-3")
	require.Equal(t, "409", repeated.Find(".status").Text())
	require.Contains(t, repeated.Find(".what").Text(), "A repeated request")
	require.NotContains(t, repeated.Text(), "Bad request")
	require.NotContains(t, b.Get(t, "/useradd/imports/3").Text("main"), "Bad request")
	require.EqualValues(t, 3, id)
	require.Contains(t, page.Text("#report"), "Dry runs aren't listed")
	require.Zero(t, b.Get(t, "/profile?status=200").Find(".running").Length(), "with a filter")
	require.Contains(t, b.Get(t, "/profile?lang=ru").Text(".running .what"), "Выполняется: 4 096 записей")

	require.NoError(t, fake.RunningImports{Store: s.store}.End(t.Context(), "a"))
	require.Zero(t, b.Get(t, "/profile").Find(".running").Length())
}
