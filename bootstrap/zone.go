package bootstrap

import (
	"fmt"
	"time"
	_ "time/tzdata" // for machines without time zones

	"rollcall/domain"
)

// zoneFlags say in which time zone a day begins, and times are shown.
type zoneFlags struct {
	TimeZone location `env:"ROLLCALL_TIME_ZONE" placeholder:"ZONE" help:"Time zone of days and times, such as Europe/Moscow or UTC. All instances need the same one. Defaults to the zone of the system."`
}

// now returns the time in the time zone.
func (f *zoneFlags) now() time.Time {
	if f.TimeZone.Location == nil {
		return time.Now()
	}
	return time.Now().In(f.TimeZone.Location)
}

// minute formats a time in the time zone, to the minute. The zero time is "never".
func (f *zoneFlags) minute(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	t = t.In(f.now().Location())
	return t.Format("2006-01-02 15:04 ") + domain.ZoneName(t)
}

// A location is a time zone on the command line.
type location struct{ *time.Location }

// UnmarshalText implements encoding.TextUnmarshaler. An empty text stands for the zone of the system.
func (l *location) UnmarshalText(name []byte) (err error) {
	if len(name) == 0 {
		return nil
	}
	l.Location, err = time.LoadLocation(string(name))
	if err != nil {
		return fmt.Errorf("invalid time zone %q: expected a name of the IANA database, such as Europe/Moscow or UTC", name)
	}
	return nil
}
