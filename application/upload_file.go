package application

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

const (
	// latestUploads is how many of a user's uploads are listed.
	latestUploads = 10

	// undecidedUploads is how many uploads of a user may wait for a decision; userJobs is how many jobs the user may have, of
	// which one works.
	undecidedUploads = 3
	userJobs         = undecidedUploads + 1

	// endTimeout bounds how long a job that has ended tries to say so.
	endTimeout = 10 * time.Second
)

var (
	errCancelled = errors.New("its user has cancelled it")
	errReplaced  = errors.New("another job works on it")
)

// UploadFile has files imported that users upload: checked first, and then, when they say so, for good. It works on them in
// the background, and keeps nothing of its own: any instance goes on where another one was interrupted.
type UploadFile struct {
	with   UploadConfig
	queue  chan struct{} // a place for each job that works or waits
	places chan struct{} // for those that work
	jobs   chan job      // to Run

	mu    sync.Mutex
	users map[int64]*jobsOfUser
}

// jobsOfUser are the jobs of one user. They take turns.
type jobsOfUser struct {
	jobs int
	turn chan struct{}
}

// UploadConfig is what uploads work with.
type UploadConfig struct {
	Uploads      ports.Uploads
	Jobs         ports.UploadJobs
	Registration ports.Registration
	Decoder      ports.Decoder
	Spools       ports.Spools
	Log          *slog.Logger
	Room         func() error // as in ImportConfig
	MaxUser      int64        // bytes of the uploads that a user has not decided on

	AtOnce int           // how many jobs work at once
	Queue  int           // how many there may be, those included that wait
	Beat   time.Duration // how often a job lets be known how far it is
}

// job is an upload to be worked on, as it is stored.
type job struct{ upload domain.Upload }

// NewUploadFile makes the use case. Nothing is worked on before Run.
func NewUploadFile(with UploadConfig) *UploadFile {
	return &UploadFile{
		with: with, queue: make(chan struct{}, with.Queue), places: make(chan struct{}, with.AtOnce), jobs: make(chan job, with.Queue),
		users: map[int64]*jobsOfUser{},
	}
}

// Run works on uploads until ctx ends. Those that it was at can be started again then.
func (u *UploadFile) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-u.jobs:
			all.Go(func() {
				defer u.leave(j.upload.User)
				u.work(ctx, &j.upload)
			})
		}
	}
}

// enter takes a place in the queue. It returns ports.ErrBusy when there is none, or the user has their share.
func (u *UploadFile) enter(user int64) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	own := u.users[user]
	if own == nil {
		own = &jobsOfUser{turn: make(chan struct{}, 1)}
	}
	if own.jobs == userJobs {
		return ports.ErrBusy
	}
	select {
	case u.queue <- struct{}{}:
		own.jobs++
		u.users[user] = own
		return nil
	default:
		return ports.ErrBusy
	}
}

func (u *UploadFile) leave(user int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	own := u.users[user]
	own.jobs--
	if own.jobs == 0 {
		delete(u.users, user)
	}
	<-u.queue
}

// turnOf is what a job of a user fills while it works.
func (u *UploadFile) turnOf(user int64) chan struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.users[user].turn
}

// Receive implements ports.Uploading.
func (u *UploadFile) Receive(ctx context.Context, user int64, hint domain.FileHint, file ports.Spool) (string, error) {
	layout, err := u.with.Decoder.Layout(file.Reader(), hint)
	if err != nil {
		return "", fmt.Errorf("find out layout: %w", err)
	}
	if u.with.Room != nil {
		err = u.with.Room()
		if err != nil {
			return "", fmt.Errorf("keep upload: %w", err)
		}
	}
	err = u.enter(user)
	if err != nil {
		return "", err
	}
	hint.Name = domain.FileName(hint.Name)
	upload := domain.Upload{
		ID: rand.Text(), User: user, Name: hint.Name, Hint: hint, Size: file.Size(), Layout: layout.Shown(), State: domain.UploadChecking,
		Job: rand.Text(),
	}
	err = u.with.Uploads.Create(ctx, &upload, ports.UploadShare{Uploads: undecidedUploads, Bytes: u.with.MaxUser}, file.Reader())
	if err != nil {
		u.leave(user)
		return "", fmt.Errorf("keep upload: %w", err)
	}
	u.jobs <- job{upload} // has room for as many as there are places in the queue
	return upload.ID, nil
}

// Upload implements ports.Uploading.
func (u *UploadFile) Upload(ctx context.Context, user int64, id string) (*domain.Upload, error) {
	return u.with.Uploads.Find(ctx, user, id)
}

// Uploads implements ports.UploadResults.
func (u *UploadFile) Uploads(ctx context.Context, user int64) ([]domain.Upload, error) {
	return u.with.Uploads.Latest(ctx, user, latestUploads)
}

// Result implements ports.UploadResults.
func (u *UploadFile) Result(ctx context.Context, user int64, id string) (*ports.ImportResult, error) {
	upload, err := u.with.Uploads.Find(ctx, user, id)
	if err != nil {
		return nil, err
	}
	return u.with.Registration.Recall(ctx, upload.Key())
}

// Start implements ports.Uploading.
func (u *UploadFile) Start(ctx context.Context, user int64, id string, strict bool) error {
	was, err := u.with.Uploads.Find(ctx, user, id)
	if err != nil {
		return err
	}
	is := *was
	switch {
	case was.State == domain.UploadChecked:
		is.State, is.Strict = domain.UploadImporting, strict
	case !was.IsInterrupted():
		return ports.ErrChanged
	}
	err = u.enter(user)
	if err != nil {
		return err
	}
	is.Job, is.Done = rand.Text(), domain.Progress{}
	err = u.with.Uploads.Change(ctx, was, &is)
	if err != nil {
		u.leave(user)
		return fmt.Errorf("start upload: %w", err)
	}
	u.jobs <- job{is}
	return nil
}

// Cancel implements ports.Uploading.
func (u *UploadFile) Cancel(ctx context.Context, user int64, id string) error {
	was, err := u.with.Uploads.Find(ctx, user, id)
	switch {
	case err != nil:
		return err
	case was.IsOver():
		return ports.ErrChanged
	case was.IsWorkedOn() && !was.IsInterrupted():
		return u.with.Jobs.Interrupt(ctx, id, was.Job)
	}
	is := *was
	is.Job, is.State = "", domain.UploadCancelled
	if was.State == domain.UploadImporting {
		err = u.recall(ctx, &is)
		if err != nil {
			return err
		}
	}
	return u.with.Uploads.Change(ctx, was, &is)
}

// recall makes an upload imported if it was: its job may have been interrupted before it could say so.
func (u *UploadFile) recall(ctx context.Context, upload *domain.Upload) error {
	result, err := u.with.Registration.Recall(ctx, upload.Key())
	switch {
	case errors.Is(err, ports.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("recall import of upload: %w", err)
	}
	imported(upload, result)
	return result.Close()
}

func imported(upload *domain.Upload, result *ports.ImportResult) {
	upload.State, upload.Import = domain.UploadImported, result.ID
	upload.Done = domain.Progress{Tally: result.Tally, Bytes: upload.Size, Size: upload.Size}
}

// work does what is to be done with an upload, and says what came of it.
func (u *UploadFile) work(ctx context.Context, was *domain.Upload) {
	working, stop := context.WithCancelCause(ctx)
	var done atomic.Pointer[domain.Progress]
	var beats sync.WaitGroup
	beats.Go(func() { u.beat(working, stop, was, &done) })
	is := *was
	is.Job = ""
	err := u.do(working, &is, func(p domain.Progress) { done.Store(&p) })
	cause := context.Cause(working)
	stop(nil)
	beats.Wait()
	if errors.Is(cause, errReplaced) {
		return
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	if err == nil && is.State == domain.UploadChecked {
		cancelled, _ := u.with.Jobs.Beat(ending, is.ID, was.Job, is.Done) // whose error Change meets as well
		if cancelled {
			is.State, is.Rejections = domain.UploadCancelled, nil
		}
	}
	switch {
	case err == nil:
	case errors.Is(cause, errCancelled):
		is.State = domain.UploadCancelled
		err = u.recall(ending, &is) // in the last moment it may have been done
	case ctx.Err() != nil, errors.Is(err, ports.ErrUnavailable):
		err = nil // interrupted
	default:
		err = fail(&is, err)
	}
	err = errors.Join(err, u.with.Uploads.Change(ending, was, &is))
	if err != nil {
		u.with.Log.ErrorContext(ctx, "an upload was not worked on as it should", "upload", was.ID, "error", err)
	}
}

// fail notes why an upload has failed. It returns the error where that is ours.
func fail(upload *domain.Upload, err error) error {
	upload.State = domain.UploadFailed
	switch {
	case errors.Is(err, domain.ErrBrokenFile):
		upload.Failure = domain.UploadBroken
		if broken, ok := errors.AsType[*domain.BrokenFileError](err); ok {
			upload.Detail = broken.Error()
		}
	case errors.Is(err, domain.ErrTooManyRecords):
		upload.Failure = domain.UploadTooManyRecords
	case errors.Is(err, domain.ErrTooSlow):
		upload.Failure = domain.UploadTooSlow
	default:
		upload.Failure = domain.UploadInternal
		return err
	}
	return nil
}

// beat lets be known now and then that a job works, until ctx ends, and stops it when it is to end.
func (u *UploadFile) beat(ctx context.Context, stop context.CancelCauseFunc, upload *domain.Upload, done *atomic.Pointer[domain.Progress]) {
	ticker := time.NewTicker(u.with.Beat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		var progress domain.Progress
		if known := done.Load(); known != nil {
			progress = *known
		}
		cancelled, err := u.with.Jobs.Beat(ctx, upload.ID, upload.Job, progress)
		switch {
		case cancelled:
			stop(errCancelled)
		case errors.Is(err, ports.ErrChanged):
			stop(errReplaced)
		}
	}
}

// do checks or imports an upload, and notes what came of it. What panics here would end the program.
func (u *UploadFile) do(ctx context.Context, upload *domain.Upload, report func(domain.Progress)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	for _, place := range []chan struct{}{u.turnOf(upload.User), u.places} {
		select {
		case place <- struct{}{}:
			defer func() { <-place }()
		case <-ctx.Done():
			return fmt.Errorf("wait for other uploads: %w", ctx.Err())
		}
	}
	file := u.with.Spools.New()
	defer func() { err = errors.Join(err, file.Close()) }()
	err = u.with.Jobs.Load(ctx, upload.ID, file)
	if err != nil {
		return fmt.Errorf("load file of upload: %w", err)
	}
	request := ports.ImportRequest{
		File: file, Hint: upload.Hint, Sender: domain.Sender{User: upload.User}, Strict: upload.Strict, Progress: report,
	}
	if upload.State == domain.UploadChecking {
		request.DryRun = true
	} else {
		request.Key = upload.Key()
	}
	result, err := u.importPatiently(ctx, request)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, result.Close()) }()
	if request.DryRun {
		return checked(upload, result)
	}
	imported(upload, result)
	return nil
}

// importPatiently waits while others are in the way: large imports, or the same one, which was interrupted and has not ended
// yet.
func (u *UploadFile) importPatiently(ctx context.Context, request ports.ImportRequest) (*ports.ImportResult, error) {
	for {
		result, err := u.with.Registration.Import(ctx, request)
		if !errors.Is(err, ports.ErrBusy) && !errors.Is(err, ports.ErrKeyRunning) {
			return result, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for other imports: %w", ctx.Err())
		case <-time.After(u.with.Beat):
		}
	}
}

// checked notes what a dry run has found.
func checked(upload *domain.Upload, result *ports.ImportResult) error {
	for outcome, err := range result.Outcomes {
		if err != nil {
			return fmt.Errorf("read outcomes: %w", err)
		}
		if outcome.Violations != nil {
			upload.Rejections = append(upload.Rejections, domain.Rejection{
				Object: outcome.Object, Login: outcome.Login, Violations: outcome.Violations,
			})
		}
		if len(upload.Rejections) == domain.MaxRejectionsShown {
			break
		}
	}
	upload.State = domain.UploadChecked
	upload.Done = domain.Progress{Tally: result.Tally, Bytes: upload.Size, Size: upload.Size}
	return nil
}
