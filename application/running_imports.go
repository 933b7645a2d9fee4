package application

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// beatTimeout bounds a heartbeat of an import, which the answer may wait for.
const beatTimeout = time.Second

// showProgress records the progress of an import until stop is called, so that the report shows that it is running. An import that ends
// before its first heartbeat, or that is small, needs none.
func (u *ImportUsers) showProgress(ctx context.Context, request *ports.ImportRequest) (stop func()) {
	if u.cfg.Running == nil || request.DryRun || sizeOf(request.File) == few {
		return func() {}
	}
	run := ports.RunningImport{ID: rand.Text(), Started: u.cfg.Now(), Done: domain.Progress{Size: request.File.Size()}}
	var mu sync.Mutex
	report := request.Progress
	request.Progress = func(done domain.Progress) {
		mu.Lock()
		run.Done = done
		mu.Unlock()
		if report != nil {
			report(done)
		}
	}
	ending := make(chan struct{})
	ended := make(chan struct{})
	// A failure only keeps the import out of the report until it ends.
	within := func(work func(context.Context)) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), beatTimeout)
		defer cancel()
		work(ctx)
	}
	go func() {
		defer close(ended)
		for begun := false; ; begun = true {
			select {
			case <-time.After(u.cfg.Beat):
				mu.Lock()
				now := run
				mu.Unlock()
				within(func(ctx context.Context) { _ = u.cfg.Running.Beat(ctx, now) })
			case <-ending:
				if begun {
					within(func(ctx context.Context) { _ = u.cfg.Running.End(ctx, run.ID) })
				}
				return
			}
		}
	}()
	return func() {
		close(ending)
		<-ended
	}
}
