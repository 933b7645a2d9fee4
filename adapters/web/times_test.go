package web_test

import (
	"io/fs"
	"path"
	"regexp"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"

	"rollcall/test/fake"
	"rollcall/views"
)

// serveAt serves a site whose clock stands still.
func serveAt(t *testing.T, now time.Time) *site {
	t.Helper()
	return serve(t, func(s *settings) {
		clock := func() time.Time { return now }
		s.web.Now = clock
		s.imports.Imports.(*fake.Imports).Now = clock
	})
}

// At 00:15 in Moscow a server in UTC has the day before. Figures, the chart, the filter, files and pages agree on the day.
func TestDaysAndTimesAreThoseOfTheZone(t *testing.T) {
	location, err := time.LoadLocation("Europe/Moscow")
	require.NoError(t, err)
	moment := time.Date(2026, 11, 25, 21, 15, 0, 0, time.UTC)
	for _, c := range []struct {
		name, day, before, text, datetime, zone, inFiles string
		now                                              time.Time
	}{
		{
			"UTC", "2026-11-25", "2026-11-24", "25 November 2026, 21:15 UTC", "2026-11-25T21:15:00Z", "UTC",
			`"2026-11-25 21:15:00","UTC"`, moment,
		},
		{
			"Moscow", "2026-11-26", "2026-11-25", "26 November 2026, 00:15 MSK (UTC+3)", "2026-11-26T00:15:00+03:00", "MSK (UTC+3)",
			`"2026-11-26 00:15:00","MSK (UTC+3)"`, moment.In(location),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveAt(t, c.now)
			b := s.operator(t)
			s.post(t, person("boris", `"phone":"9161000007"`))

			page := b.Get(t, "/profile?from="+c.day+"&until="+c.day)
			require.Contains(t, page.Text("#report > .sheet-head"), c.zone)
			require.Equal(t, "1", page.Text(".figures section:first-child .registered dd"))
			last := page.Find("[data-chart=days] tbody tr:last-child")
			require.Equal(t, c.day, last.Find("th").AttrOr("data-value", ""))
			require.Equal(t, "1", last.Find("td").First().Text())
			require.Contains(t, page.Text("[data-chart=days] thead th"), c.zone)
			require.Equal(t, c.text, page.Text(".imports time"))
			require.Equal(t, c.datetime, page.Find(".imports time").AttrOr("datetime", ""))
			require.Equal(t, c.datetime, page.Find(".profile .data time").AttrOr("datetime", ""), "of the registration")
			require.Empty(t, b.Get(t, "/profile?until="+c.before).Find(".imports time").Nodes)
			require.Equal(t, c.datetime, b.Get(t, "/useradd/imports/1").Find("time").AttrOr("datetime", ""))

			require.Contains(t, b.Get(t, "/useradd/export/csv?from="+c.day).HTML, c.inFiles)
			require.NotContains(t, b.Get(t, "/useradd/export/csv?until="+c.before).HTML, "POST")
			require.Contains(t, b.Get(t, "/useradd/export/json").HTML, `"2026-11-25T21:15:00Z"`)
		})
	}
}

func TestTimesInRussian(t *testing.T) {
	s := serveAt(t, time.Date(2026, 7, 1, 12, 0, 0, 0, time.FixedZone("MSK", 3*60*60)))
	b := s.operator(t)
	require.Equal(t, "1 июля 2026 г., 12:00 МСК (UTC+3)", b.Get(t, "/profile?lang=ru").Text(".profile .data time"))
}

// Only a birthday is a day without a zone. All other times are those of one partial, which a script translates.
func TestViewsNameTheZoneOfTimes(t *testing.T) {
	of := regexp.MustCompile(`<time|\.T\.Date [^}]*`)
	found := map[string]string{}
	require.NoError(t, fs.WalkDir(views.Files, ".", func(file string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(file) != ".html" {
			return err
		}
		content, err := fs.ReadFile(views.Files, file)
		for _, match := range of.FindAllString(string(content), -1) {
			found[file] += match
		}
		return err
	}))
	require.Equal(t, map[string]string{"partials/time.html": "<time", "pages/profile.html": ".T.Date .Time"}, found)
}
