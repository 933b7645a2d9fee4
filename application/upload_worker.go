package application

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// endTimeout bounds the update of an upload after its job.
const endTimeout = 10 * time.Second

var (
	errCancelled = errors.New("the user has cancelled the upload")
	errReplaced  = errors.New("another job has taken over the upload")
)

// An UploadWorker runs the jobs of uploads in the background.
type UploadWorker struct {
	cfg     UploadWorkerConfig
	queue   chan struct{} // a slot for each job that runs or waits
	running chan struct{} // a slot for each job that runs
	jobs    chan uploadJob

	mu    sync.Mutex
	users map[int64]*userJobs
}

// uploadJob is a job that runs or waits, with the origin of the request that began it.
type uploadJob struct {
	upload ports.Upload
	origin ports.Origin
}

// userJobs counts the jobs of one user.
type userJobs struct {
	jobs    int
	running chan struct{} // a slot for the one that runs
}

// UploadWorkerConfig configures an UploadWorker.
type UploadWorkerConfig struct {
	Jobs      ports.UploadJobStore
	Importing ports.Importing
	Directory *Directory
	Spools    ports.SpoolStore
	Decoder   ports.Decoder

	// Failed is called with the id of an upload whose job failed for a reason other than its file.
	Failed func(upload string, err error)

	Concurrency int           // number of jobs that run concurrently
	Queue       int           // number of jobs that run or wait
	Beat        time.Duration // interval of heartbeats
}

// NewUploadWorker returns a worker. No job starts before Run.
func NewUploadWorker(cfg UploadWorkerConfig) *UploadWorker {
	return &UploadWorker{
		cfg: cfg, queue: make(chan struct{}, cfg.Queue), running: make(chan struct{}, cfg.Concurrency), jobs: make(chan uploadJob, cfg.Queue),
		users: map[int64]*userJobs{},
	}
}

// Run runs jobs until ctx ends. Uploads whose jobs are still running then are interrupted, and can be started again.
func (w *UploadWorker) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case job := <-w.jobs:
			all.Go(func() {
				defer w.release(job.upload.User)
				w.work(ports.WithOrigin(ctx, job.origin), &job.upload)
			})
		}
	}
}

// reserve takes a slot in the queue for a job of a user. It returns ports.ErrBusy if there is none, or the user has the maximum
// number of jobs.
func (w *UploadWorker) reserve(user int64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	own := w.users[user]
	if own == nil {
		own = &userJobs{running: make(chan struct{}, 1)}
	}
	if own.jobs == ports.MaxUploadJobs {
		return ports.ErrBusy
	}
	select {
	case w.queue <- struct{}{}:
		own.jobs++
		w.users[user] = own
		return nil
	default:
		return ports.ErrBusy
	}
}

// release returns the slot that reserve took.
func (w *UploadWorker) release(user int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	own := w.users[user]
	own.jobs--
	if own.jobs == 0 {
		delete(w.users, user)
	}
	<-w.queue
}

// enqueue adds the job of an upload, for which there is a reserved slot. It never blocks: there is room for a job per slot.
func (w *UploadWorker) enqueue(ctx context.Context, upload ports.Upload) {
	w.jobs <- uploadJob{upload, ports.OriginOf(ctx)}
}

// runningOf returns the channel that a user's running job fills.
func (w *UploadWorker) runningOf(user int64) chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.users[user].running
}

// work runs an upload's job, and stores its result.
func (w *UploadWorker) work(ctx context.Context, was *ports.Upload) {
	working, stop := context.WithCancelCause(ctx)
	var done atomic.Pointer[domain.Progress]
	var beats sync.WaitGroup
	beats.Go(func() { w.beat(working, stop, was, &done) })
	is := *was
	is.Job = ""
	err := w.do(working, &is, func(p domain.Progress) { done.Store(&p) })
	cause := context.Cause(working)
	stop(nil)
	beats.Wait()
	if errors.Is(cause, errReplaced) {
		return
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	if err == nil && is.State == domain.UploadChecked {
		cancelled, _ := w.cfg.Jobs.Beat(ending, is.ID, was.Job, is.Done) // Change returns the same error
		if cancelled {
			is.State, is.Rejections = domain.UploadCancelled, nil
		}
	}
	switch {
	case err == nil:
	case errors.Is(cause, errCancelled):
		is.State = domain.UploadCancelled
		err = recallUpload(ending, w.cfg.Importing, &is) // the commit may have preceded the cancellation
	case ctx.Err() != nil, errors.Is(err, ports.ErrUnavailable):
		err = nil // the upload is interrupted
	default:
		err = markFailed(&is, err)
	}
	changed := w.cfg.Jobs.Change(ending, was, &is)
	if errors.Is(err, ports.ErrNotFound) && errors.Is(changed, ports.ErrChanged) { // newer files took the place of this one
		return
	}
	err = errors.Join(err, changed)
	if err != nil {
		w.cfg.Failed(was.ID, err)
	}
}

// markFailed records why an upload has failed. It returns the error if the file is not the reason.
func markFailed(upload *ports.Upload, err error) error {
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
	case errors.Is(err, domain.ErrSelectionChanged):
		upload.Failure = domain.UploadSelectionChanged
	default:
		upload.Failure = domain.UploadInternal
		return err
	}
	return nil
}

// beat sends the heartbeats of a job until ctx ends. It stops the job if cancellation was requested, or if another job has taken
// over.
func (w *UploadWorker) beat(ctx context.Context, stop context.CancelCauseFunc, upload *ports.Upload, done *atomic.Pointer[domain.Progress]) {
	ticker := time.NewTicker(w.cfg.Beat)
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
		cancelled, err := w.cfg.Jobs.Beat(ctx, upload.ID, upload.Job, progress)
		switch {
		case cancelled:
			stop(errCancelled)
		case errors.Is(err, ports.ErrChanged):
			stop(errReplaced)
		}
	}
}

// do runs the dry run or the import of an upload, and notes the result in it. It recovers from panics, which would end the
// program here.
func (w *UploadWorker) do(ctx context.Context, upload *ports.Upload, report func(domain.Progress)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	for _, slot := range []chan struct{}{w.runningOf(upload.User), w.running} {
		select {
		case slot <- struct{}{}:
			defer func() { <-slot }()
		case <-ctx.Done():
			return fmt.Errorf("wait for other uploads: %w", ctx.Err())
		}
	}
	if upload.Change != nil {
		return w.changeMany(ctx, upload, report)
	}
	file := w.cfg.Spools.New()
	defer func() { err = errors.Join(err, file.Close()) }()
	err = w.cfg.Jobs.Load(ctx, upload.ID, file)
	if err != nil {
		return fmt.Errorf("load file of upload: %w", err)
	}
	if upload.State == domain.UploadChecking && upload.Layout.Columns == nil { // the user has chosen how the file is read
		var layout ports.FileLayout
		layout, err = w.cfg.Decoder.Layout(file.Reader(), upload.Hint)
		if err != nil {
			return fmt.Errorf("detect layout: %w", err)
		}
		upload.Layout = layout.Shown()
	}
	request := ports.ImportRequest{
		File: file, Hint: upload.Hint, Sender: domain.Sender{User: upload.User}, Strict: upload.Strict, Progress: report,
	}
	if upload.State == domain.UploadChecking {
		request.DryRun = true
	} else {
		request.Key = upload.Key()
	}
	result, err := w.patiently(ctx, func() (*ports.ImportResult, error) { return w.cfg.Importing.Import(ctx, request) })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, result.Close()) }()
	if request.DryRun {
		return markChecked(upload, result)
	}
	markImported(upload, result)
	return nil
}

// changeMany makes the bulk change of an upload.
func (w *UploadWorker) changeMany(ctx context.Context, upload *ports.Upload, report func(domain.Progress)) error {
	result, err := w.patiently(ctx, func() (*ports.ImportResult, error) {
		result, err := w.cfg.Directory.ChangeMany(ctx, upload.User, upload.Key(), upload.Change, report)
		if errors.Is(err, ports.ErrKeyUsed) { // a job before this one was interrupted after its commit
			return w.cfg.Importing.Recall(ctx, upload.Key())
		}
		return result, err
	})
	if err != nil {
		return err
	}
	markImported(upload, result)
	return result.Close()
}

// patiently runs an import or a change, and waits while other imports block it: large ones, or an interrupted one of the same upload that
// is still ending.
func (w *UploadWorker) patiently(ctx context.Context, run func() (*ports.ImportResult, error)) (*ports.ImportResult, error) {
	for {
		result, err := run()
		if !errors.Is(err, ports.ErrBusy) && !errors.Is(err, ports.ErrKeyRunning) {
			return result, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for other imports: %w", ctx.Err())
		case <-time.After(w.cfg.Beat):
		}
	}
}

// markChecked records the result of a dry run.
func markChecked(upload *ports.Upload, result *ports.ImportResult) error {
	for outcome, err := range result.Outcomes {
		if err != nil {
			return fmt.Errorf("read outcomes: %w", err)
		}
		if outcome.Violations != nil {
			upload.Rejections = append(upload.Rejections, domain.Rejection{
				Place: outcome.Place, Record: outcome.Record, Login: outcome.Login, Violations: outcome.Violations,
			})
		}
		if len(upload.Rejections) == ports.MaxRejectionsShown {
			break
		}
	}
	upload.State, upload.Layout.Notes = domain.UploadChecked, result.Notes
	upload.Done = domain.Progress{Tally: result.Tally, Bytes: upload.Size, Size: upload.Size}
	return nil
}
