package domain

import (
	"fmt"
	"strings"
	"time"
)

// ZoneName returns the name of the zone of t with its offset from UTC, such as "MSK (UTC+3)". A zone without an abbreviation has the
// offset only.
func ZoneName(t time.Time) string {
	name, seconds := t.Zone()
	if name == "UTC" {
		return name
	}
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	offset := fmt.Sprintf("UTC%c%d", sign, seconds/3600)
	if minutes := seconds / 60 % 60; minutes > 0 {
		offset += fmt.Sprintf(":%02d", minutes)
	}
	if strings.ContainsAny(name, "+-") {
		return offset
	}
	return name + " (" + offset + ")"
}

// Start returns the first moment of the day in a location. It is not midnight where the clocks go forward at midnight.
func (d Date) Start(location *time.Location) time.Time {
	year, month, day := d.Time().Date()
	midnight := func(t time.Time) time.Time { // with the offset of t
		_, offset := t.Zone()
		return time.Unix(int64(d)*secondsADay-int64(offset), 0).In(location)
	}
	noon := time.Date(year, month, day, 12, 0, 0, 0, location)
	start := midnight(noon)
	change, _ := noon.ZoneBounds()
	if change.IsZero() || change.Before(start) {
		return start
	}
	earlier := midnight(change.Add(-time.Second))
	if earlier.Before(change) {
		return earlier
	}
	return change
}
