package transport

import (
	"sync"
	"time"
)

// A Sampler bounds the log during a flood: it passes at most one event in each interval, and counts the others.
type Sampler struct {
	interval time.Duration
	now      func() time.Time

	mu      sync.Mutex
	next    time.Time
	leftOut int
}

// NewSampler returns a sampler that reads a clock.
func NewSampler(interval time.Duration, now func() time.Time) *Sampler {
	return &Sampler{interval: interval, now: now}
}

// Pass reports whether to log an event, and how many were left out since the last one that was logged.
func (s *Sampler) Pass() (leftOut int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if now.Before(s.next) {
		s.leftOut++
		return 0, false
	}
	leftOut, s.leftOut = s.leftOut, 0
	s.next = now.Add(s.interval)
	return leftOut, true
}
