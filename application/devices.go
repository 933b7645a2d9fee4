package application

import (
	"iter"
	"strings"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// A browser keeps the marks of this many users who have signed in there, the last one first: a family may share it.
const (
	maxMarks      = 4
	markSeparator = "."
)

// MarkDevice implements ports.Authenticating. A mark stays the same until the user has another password, and with it what was taken
// from its bucket.
func (a *Auth) MarkDevice(user *domain.User, device string) string {
	own, made := a.markOf(user, device)
	if own == "" || made.Before(user.Password.Made) {
		own = a.with.Devices.Sign(ports.Mark{User: user.ID, Made: a.with.Now()})
	}
	marks := []string{own}
	for text, mark := range a.marks(device) {
		if mark.User != user.ID && len(marks) < maxMarks {
			marks = append(marks, text)
		}
	}
	return strings.Join(marks, markSeparator)
}

// markOf returns a user's mark on a device and when it was made; nothing for none.
func (a *Auth) markOf(user *domain.User, device string) (string, time.Time) {
	for text, mark := range a.marks(device) {
		if mark.User == user.ID {
			return text, mark.Made
		}
	}
	return "", time.Time{}
}

// marks yields the marks of a device as they are written, and nothing that is none.
func (a *Auth) marks(device string) iter.Seq2[string, ports.Mark] {
	return func(yield func(string, ports.Mark) bool) {
		for _, text := range strings.SplitN(device, markSeparator, maxMarks+1) {
			if mark, ok := a.with.Devices.Verify(text); ok && !yield(text, mark) {
				return
			}
		}
	}
}

// deviceBucket is of attempts by a browser in which the user has signed in before. Nobody else can use them up, as they
// can those of names and addresses, and whoever has stolen the mark has no more of them than a stranger. The idea is OWASP's
// ("Slow Down Online Guessing Attacks with Device Cookies").
func deviceBucket(mark string) ports.Bucket {
	return ports.Bucket{Key: "device " + mark, Size: 10, Refill: time.Minute}
}
