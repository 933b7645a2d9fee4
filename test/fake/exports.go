package fake

import (
	"bytes"
	"io"
	"maps"
	"slices"
	"sync"

	"rollcall/ports"
)

// Exports stores the newest file of each kind in memory.
type Exports struct {
	mu    sync.Mutex
	files map[kind]string
}

type kind struct{ name, extension string }

// Names returns the names of the stored files, in ascending order.
func (e *Exports) Names() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(maps.Values(e.files))
}

// Make implements ports.ExportStore.
func (e *Exports) Make(name ports.ExportName, write func(io.Writer) error) (*ports.ExportFile, error) {
	var content bytes.Buffer
	err := write(&content)
	if err != nil {
		return nil, err
	}
	file := name.String()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.files == nil {
		e.files = map[kind]string{}
	}
	e.files[kind{name.Kind, name.Extension}] = file
	return &ports.ExportFile{ReadCloser: io.NopCloser(&content), Name: file, Size: int64(content.Len())}, nil
}
