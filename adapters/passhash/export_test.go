package passhash

// Occupy takes a turn until it is told to end it.
func (h *Hasher) Occupy() (end func()) {
	h.admitted <- struct{}{}
	h.running <- struct{}{}
	return func() { <-h.running; <-h.admitted }
}

// Admitted is how many run and wait.
func (h *Hasher) Admitted() int { return len(h.admitted) }
