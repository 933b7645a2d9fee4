package domain_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestZoneName(t *testing.T) {
	for _, c := range []struct{ zone, winter, summer string }{
		{"UTC", "UTC", "UTC"},
		{"Europe/Moscow", "MSK (UTC+3)", "MSK (UTC+3)"},
		{"Europe/Berlin", "CET (UTC+1)", "CEST (UTC+2)"},
		{"America/St_Johns", "NST (UTC-3:30)", "NDT (UTC-2:30)"},
		{"Asia/Almaty", "UTC+5", "UTC+5"},
		{"Asia/Kathmandu", "UTC+5:45", "UTC+5:45"},
	} {
		t.Run(c.zone, func(t *testing.T) {
			location, err := time.LoadLocation(c.zone)
			require.NoError(t, err)
			require.Equal(t, c.winter, domain.ZoneName(time.Date(2026, 1, 15, 12, 0, 0, 0, location)))
			require.Equal(t, c.summer, domain.ZoneName(time.Date(2026, 7, 15, 12, 0, 0, 0, location)))
		})
	}
}

// The first moment of a day belongs to the day, and the moment before it to the day before.
func TestDateStart(t *testing.T) {
	for _, c := range []struct{ name, zone, day, start string }{
		{"without a change", "Europe/Moscow", "2026-11-26", "2026-11-26T00:00:00+03:00"},
		{"clocks go forward at 2", "Europe/Berlin", "2026-03-29", "2026-03-29T00:00:00+01:00"},
		{"clocks go back at 3", "Europe/Berlin", "2026-10-25", "2026-10-25T00:00:00+02:00"},
		{"clocks go forward at midnight", "Asia/Beirut", "2026-03-29", "2026-03-29T01:00:00+03:00"},
		{"clocks go back at midnight", "Asia/Beirut", "2026-10-25", "2026-10-25T00:00:00+02:00"},
		{"midnight comes twice", "America/Havana", "2026-11-01", "2026-11-01T00:00:00-04:00"},
		{"zone without changes", "Etc/GMT+12", "2026-11-26", "2026-11-26T00:00:00-12:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			location, err := time.LoadLocation(c.zone)
			require.NoError(t, err)
			date, err := time.Parse(time.DateOnly, c.day)
			require.NoError(t, err)
			day := domain.DateOf(date)
			start := day.Start(location)
			require.Equal(t, c.start, start.Format(time.RFC3339))
			require.Equal(t, day, domain.DateOf(start))
			require.Equal(t, day-1, domain.DateOf(start.Add(-time.Nanosecond)))
		})
	}
}
