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

// MarkDevice implements ports.Auth.
func (a *Auth) MarkDevice(user *domain.User, device string) string {
	own := a.markOf(user, device)
	if own == "" {
		own = a.with.Devices.Mark(user.ID)
	}
	marks := []string{own}
	for mark, owner := range a.marks(device) {
		if owner != user.ID && len(marks) < maxMarks {
			marks = append(marks, mark)
		}
	}
	return strings.Join(marks, markSeparator)
}

// markOf returns a user's mark on a device, empty for none.
func (a *Auth) markOf(user *domain.User, device string) string {
	for mark, owner := range a.marks(device) {
		if owner == user.ID {
			return mark
		}
	}
	return ""
}

// marks yields the marks of a device with their owners, and nothing that is no mark.
func (a *Auth) marks(device string) iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for _, mark := range strings.SplitN(device, markSeparator, maxMarks+1) {
			if owner, ok := a.with.Devices.Owner(mark); ok && !yield(mark, owner) {
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
