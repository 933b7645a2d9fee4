package application

import (
	"iter"
	"strings"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// A browser stores the marks of up to maxMarks users, the last one to sign in first: a family may share it.
const (
	maxMarks      = 4
	markSeparator = "."
)

// MarkDevice implements ports.Authenticating. A mark, and so its bucket, stays the same until the user changes the password.
func (a *Auth) MarkDevice(user *domain.User, device string) string {
	own, made := a.markOf(user, device)
	if own == "" || made.Before(user.Password.Made) {
		own = a.cfg.Devices.Sign(ports.Mark{User: user.ID, Made: a.cfg.Now()})
	}
	marks := []string{own}
	for text, mark := range a.marks(device) {
		if mark.User != user.ID && len(marks) < maxMarks {
			marks = append(marks, text)
		}
	}
	return strings.Join(marks, markSeparator)
}

// markOf returns a user's mark on a device and the time at which it was made, or zero values for none.
func (a *Auth) markOf(user *domain.User, device string) (string, time.Time) {
	for text, mark := range a.marks(device) {
		if mark.User == user.ID {
			return text, mark.Made
		}
	}
	return "", time.Time{}
}

// marks yields the valid marks of a device with their texts.
func (a *Auth) marks(device string) iter.Seq2[string, ports.Mark] {
	return func(yield func(string, ports.Mark) bool) {
		for _, text := range strings.SplitN(device, markSeparator, maxMarks+1) {
			if mark, ok := a.cfg.Devices.Verify(text); ok && !yield(text, mark) {
				return
			}
		}
	}
}

// deviceBucket returns the bucket of a browser in which the user has signed in before. Unlike those of names and addresses, strangers
// cannot use it up. A thief of the mark has no more attempts than a stranger. The idea is OWASP's ("Slow Down Online Guessing Attacks with
// Device Cookies").
func deviceBucket(mark string) ports.Bucket {
	return ports.Bucket{Key: "device " + mark, Size: 10, Refill: time.Minute}
}
