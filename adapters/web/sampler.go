package web

import (
	"sync"
	"time"
)

// A sampler keeps the log bounded under a flood: it lets an event be logged if none was for some time.
type sampler struct {
	every time.Duration
	now   func() time.Time

	mu      sync.Mutex
	next    time.Time
	leftOut int
}

// pass reports whether to log an event, and how many were left out since the one before.
func (s *sampler) pass() (leftOut int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if now.Before(s.next) {
		s.leftOut++
		return 0, false
	}
	leftOut, s.leftOut = s.leftOut, 0
	s.next = now.Add(s.every)
	return leftOut, true
}
