package fake

import (
	"fmt"
	"sync"
	"time"

	"rollcall/ports"
)

// Devices stores the marks that it has signed.
type Devices struct {
	mu    sync.Mutex
	marks map[string]ports.Mark
}

// Sign implements ports.DeviceSigner.
func (d *Devices) Sign(mark ports.Mark) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.marks == nil {
		d.marks = map[string]ports.Mark{}
	}
	text := fmt.Sprintf("mark-%d-of-%d", len(d.marks), mark.User)
	mark.Made = mark.Made.UTC().Truncate(time.Microsecond)
	d.marks[text] = mark
	return text
}

// Verify implements ports.DeviceSigner.
func (d *Devices) Verify(text string) (mark ports.Mark, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	mark, ok = d.marks[text]
	return mark, ok
}
