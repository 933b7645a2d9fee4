package fake

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// Uploads stores uploads in memory.
type Uploads struct {
	Now func() time.Time // nil for time.Now

	mu  sync.Mutex
	all []*upload
}

type upload struct {
	ports.Upload

	file           []byte
	cancelled      bool
	started, heard time.Time
}

func (s *Uploads) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// Create implements ports.UploadStore.
func (s *Uploads) Create(ctx context.Context, it *ports.Upload, share ports.UploadShare, file io.Reader) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	content, err := io.ReadAll(file)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := &upload{Upload: clone(it), file: content, started: s.now(), heard: s.now()}
	kept.Created = s.now().UTC().Truncate(time.Microsecond)
	s.all = append(s.all, kept)
	undecided, bytes := 0, int64(0)
	for _, other := range slices.Backward(s.all) {
		if other.User != it.User || !other.State.IsUndecided() {
			continue
		}
		undecided++
		bytes += other.Size
		if undecided > 1 && (undecided > share.Uploads || bytes > share.Bytes) {
			other.State, other.Failure, other.Job, other.file = domain.UploadCancelled, domain.UploadReplaced, "", nil
		}
	}
	return nil
}

func clone(it *ports.Upload) ports.Upload {
	copied := *it
	copied.Layout.Columns = slices.Clone(it.Layout.Columns)
	copied.Layout.Rows = slices.Clone(it.Layout.Rows)
	copied.Rejections = slices.Clone(it.Rejections)
	return copied
}

func (s *Uploads) find(id string) *upload {
	for _, it := range s.all {
		if it.ID == id {
			return it
		}
	}
	return nil
}

func (s *Uploads) read(it *upload) ports.Upload {
	read := clone(&it.Upload)
	read.Done.Size = it.Size
	read.Silent, read.Worked = s.now().Sub(it.heard), it.heard.Sub(it.started)
	if it.Job != "" {
		read.Worked = s.now().Sub(it.started)
	}
	return read
}

// Find implements ports.UploadReading.
func (s *Uploads) Find(ctx context.Context, user int64, id string) (*ports.Upload, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("find: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	it := s.find(id)
	if it == nil || it.User != user {
		return nil, ports.ErrNotFound
	}
	read := s.read(it)
	return &read, nil
}

// Latest implements ports.UploadReading.
func (s *Uploads) Latest(ctx context.Context, user int64, limit int) ([]ports.Upload, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []ports.Upload
	for _, it := range slices.Backward(s.all) {
		if it.User != user {
			continue
		}
		limit--
		if limit >= 0 || !it.State.IsOver() {
			read := s.read(it)
			read.Layout, read.Rejections = ports.FileLayout{Notes: read.Layout.Notes}, nil
			found = append(found, read)
		}
	}
	return found, nil
}

// Change implements ports.UploadStore.
func (s *Uploads) Change(ctx context.Context, was, is *ports.Upload) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("change: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	it := s.find(was.ID)
	if it == nil || it.State != was.State || it.Job != was.Job {
		return ports.ErrChanged
	}
	changed := clone(is)
	it.State, it.Strict, it.Job, it.Done, it.Import = changed.State, changed.Strict, changed.Job, changed.Done, changed.Import
	it.Hint, it.Layout = changed.Hint, changed.Layout
	it.Failure, it.Detail, it.Rejections = changed.Failure, changed.Detail, changed.Rejections
	it.cancelled, it.heard = false, s.now()
	if it.Job != "" {
		it.started = s.now()
	}
	if is.State.IsOver() {
		it.file = nil
	}
	return nil
}

// Load implements ports.UploadJobStore.
func (s *Uploads) Load(ctx context.Context, id string, w io.Writer) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	s.mu.Lock()
	it := s.find(id)
	if it == nil || it.file == nil {
		s.mu.Unlock()
		return ports.ErrNotFound
	}
	file := it.file
	s.mu.Unlock()
	_, err := w.Write(file)
	if err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	return nil
}

// Beat implements ports.UploadJobStore.
func (s *Uploads) Beat(ctx context.Context, id, job string, done domain.Progress) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("beat: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	it := s.find(id)
	if it == nil || it.Job != job {
		return false, ports.ErrChanged
	}
	it.Done, it.heard = done, s.now()
	return it.cancelled, nil
}

// Interrupt implements ports.UploadStore.
func (s *Uploads) Interrupt(ctx context.Context, id, job string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("interrupt: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	it := s.find(id)
	if it == nil || it.Job != job {
		return ports.ErrChanged
	}
	it.cancelled = true
	return nil
}
