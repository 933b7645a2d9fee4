package fake

import (
	"fmt"
	"sync"
)

// Devices remembers which marks it has made.
type Devices struct {
	mu     sync.Mutex
	owners map[string]int64
}

// Mark implements ports.Devices.
func (d *Devices) Mark(user int64) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.owners == nil {
		d.owners = map[string]int64{}
	}
	mark := fmt.Sprintf("mark-%d-of-%d", len(d.owners), user)
	d.owners[mark] = user
	return mark
}

// Owner implements ports.Devices.
func (d *Devices) Owner(mark string) (user int64, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	user, ok = d.owners[mark]
	return user, ok
}
