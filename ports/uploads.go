package ports

import (
	"context"
	"io"
	"path"
	"strings"
	"time"

	"rollcall/domain"
)

// Uploading imports a file after its user has confirmed the result of a dry run. An upload belongs to one user: for any other
// user every method returns ErrNotFound. Every method returns ErrUnavailable if the database is unreachable.
type Uploading interface {
	// Receive stores a file, starts its dry run, and returns the id of the upload. It returns a domain.ErrBrokenFile if the file
	// cannot be read as one of people, ErrBusy when too many uploads are running or waiting.
	Receive(ctx context.Context, user int64, hint FileHint, file Spool) (id string, err error)

	// Choose sets how the file of an upload is read, and starts its dry run: the encoding if it is unclear, else, after a dry run, the
	// sheets and the order of dates. It returns ErrChanged if the upload is in any other state, or does not offer the choice; ErrBusy
	// when too many uploads are running or waiting.
	Choose(ctx context.Context, user int64, id string, chosen FileHint) error

	// Start imports a file after its dry run; if strict, every record or none. An interrupted upload continues with the step
	// that was interrupted, and with its earlier options. Start returns ErrChanged if the upload is in any other state, ErrBusy
	// when too many uploads are running or waiting.
	Start(ctx context.Context, user int64, id string, strict bool) error

	// Cancel cancels an upload, or requests cancellation if a job is running; the upload's state shows when that has ended. It
	// returns ErrChanged if the upload is over.
	Cancel(ctx context.Context, user int64, id string) error
}

// An Upload is a file that a user has uploaded, with the state of its import; or a bulk change, which has no file. A change has the state of
// an import whose registered records are the changed users, and whose rejected records are those left out.
type Upload struct {
	ID     string // cannot be guessed
	User   int64
	Name   string // of the file, fit to show
	Hint   FileHint
	Size   int64       // bytes, or number of selected users
	Change *BulkChange // nil for a file

	Layout     FileLayout
	State      domain.UploadState
	Strict     bool   // registers every record or none
	Job        string // id of the running job; empty for none
	Done       domain.Progress
	Import     int64                // id of its record; 0 for none
	Failure    domain.UploadFailure // why it failed or was cancelled by the server; empty if neither
	Detail     string               // where and how the file is broken, in English; empty if it is not
	Rejections []domain.Rejection   // the first ones of the dry run, at most MaxRejectionsShown

	Created time.Time
	Worked  time.Duration // since the job began
	Silent  time.Duration // since the last heartbeat of the job
}

const (
	// MaxUndecidedUploads is the number of a user's uploads that may wait for a dry run or a decision.
	MaxUndecidedUploads = 3

	// MaxUploadJobs is the number of a user's jobs that may run or wait. One of them runs at a time.
	MaxUploadJobs = MaxUndecidedUploads + 1

	// MaxRejectionsShown is the number of rejections of a dry run that are stored, to be shown.
	MaxRejectionsShown = 20

	maxFileName = 100 // characters
)

// Key returns the key under which the answer to the upload's import is stored.
func (u *Upload) Key() domain.ImportKey { return domain.ImportKey{Upload: u.ID} }

// IsInterrupted reports whether the upload needs a job and has none that is alive. It can be started again.
func (u *Upload) IsInterrupted() bool {
	return u.State.NeedsJob() && (u.Job == "" || u.Silent > HeartbeatPatience)
}

// FileName returns the name of a file made fit to show: without folders, on one line, and of bounded length.
func FileName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, "\uFFFD"), `\`, "/"))
	name = domain.Line(name, maxFileName)
	switch strings.TrimSpace(name) {
	case "", ".", "..", "/":
		return ""
	}
	return name
}

// UploadReading reads uploads. Pages read the store directly, because no rule of a use case stands between them. Every method
// returns ErrUnavailable if the database is unreachable.
type UploadReading interface {
	// Find returns a user's upload. It returns ErrNotFound.
	Find(ctx context.Context, user int64, id string) (*Upload, error)

	// Latest returns a user's latest uploads and all that are not over, newest first, without their rejections, and of their layouts only
	// with the notes.
	Latest(ctx context.Context, user int64, limit int) ([]Upload, error)
}

// UploadStore stores the uploads of users with their files. Every method returns ErrUnavailable if the database is unreachable.
type UploadStore interface {
	// Find returns a user's upload. It returns ErrNotFound.
	Find(ctx context.Context, user int64, id string) (*Upload, error)

	// Create stores an upload with its file, which it reads to its end. Then it cancels the oldest undecided uploads of the user
	// that exceed the share. It returns the error of the file.
	Create(ctx context.Context, upload *Upload, share UploadShare, file io.Reader) error

	// Change updates an upload if its state and job still match was; otherwise it returns ErrChanged. File and user never
	// change. A pending cancellation is cleared. The file of an upload that is over is deleted.
	Change(ctx context.Context, was, is *Upload) error

	// Interrupt requests the cancellation of an upload's job. It returns ErrChanged if the upload has another job, or none.
	Interrupt(ctx context.Context, id, job string) error
}

// An UploadShare bounds the uploads of a user that are waiting for a dry run or a decision. The newest upload always fits.
type UploadShare struct {
	Uploads int
	Bytes   int64
}

// Left returns what a user may upload besides these uploads before the oldest one gives way, or must wait for a job.
func (s UploadShare) Left(uploads []Upload) UploadShare {
	jobs := MaxUploadJobs
	for i := range uploads {
		if uploads[i].State.IsUndecided() {
			s.Uploads--
			s.Bytes -= uploads[i].Size
		}
		if uploads[i].State.NeedsJob() && !uploads[i].IsInterrupted() {
			jobs--
		}
	}
	return UploadShare{max(0, min(s.Uploads, jobs)), max(0, s.Bytes)}
}

// UploadJobStore stores the state of jobs that run uploads. Every method returns ErrUnavailable if the database is unreachable.
type UploadJobStore interface {
	// Load writes an upload's file to w. It returns ErrNotFound if there is none, or the error of w.
	Load(ctx context.Context, id string, w io.Writer) error

	// Beat records a heartbeat and the progress of a job, and reports whether cancellation was requested. It returns ErrChanged
	// if the upload has another job, or none.
	Beat(ctx context.Context, id, job string, done domain.Progress) (cancelled bool, err error)

	// Change is as in UploadStore.
	Change(ctx context.Context, was, is *Upload) error
}

// TemplateWriter writes an empty file of people for users to fill in.
type TemplateWriter interface {
	// Write writes a file with the headers of a language. It returns the error of w, wrapped.
	Write(w io.Writer, words Words) error
}
