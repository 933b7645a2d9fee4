package ports

import (
	"context"
	"io"

	"rollcall/domain"
)

// Uploading is what a user may ask for to have a file looked at, and then imported. An upload is its user's alone: for
// anybody else every method returns ErrNotFound. Every method returns ErrUnavailable when the database cannot be reached.
type Uploading interface {
	// Receive keeps a file, begins its dry run, and returns the upload's id. It returns a domain.ErrBrokenFile when the file
	// cannot be read as one of people, ErrBusy when too many files are being worked on.
	Receive(ctx context.Context, user int64, hint domain.FileHint, file Spool) (id string, err error)

	// Upload returns an upload, or ErrNotFound.
	Upload(ctx context.Context, user int64, id string) (*domain.Upload, error)

	// Start has the people of a file registered that was checked: everybody or nobody, where it is strict. One that was
	// interrupted goes on with what it was at, as it was. It returns ErrChanged when there is nothing to be started, ErrBusy
	// when too many files are being worked on.
	Start(ctx context.Context, user int64, id string, strict bool) error

	// Cancel sees to it that nobody is registered, or nobody more is looked at. What runs ends soon, which Upload tells. It
	// returns ErrChanged when it is too late.
	Cancel(ctx context.Context, user int64, id string) error
}

// UploadResults is what a user may ask for to know what became of their files.
type UploadResults interface {
	// Uploads returns the user's latest uploads, the latest first. It returns ErrUnavailable.
	Uploads(ctx context.Context, user int64) ([]domain.Upload, error)

	// Result returns what came of an upload's import, passwords included. It returns ErrNotFound when nothing did, or it is
	// not kept any longer, ErrOtherSecret, ErrUnavailable.
	Result(ctx context.Context, user int64, id string) (*ImportResult, error)
}

// Uploads keeps uploads. Every method returns ErrUnavailable when the database cannot be reached.
type Uploads interface {
	// Create keeps an upload with its file, which it reads to its end. Of the user's undecided uploads the oldest are cancelled
	// that exceed the share. It returns the error of the file.
	Create(ctx context.Context, upload *domain.Upload, share UploadShare, file io.Reader) error

	// Find returns a user's upload, or ErrNotFound.
	Find(ctx context.Context, user int64, id string) (*domain.Upload, error)

	// Latest returns a user's latest uploads, the latest first, without their layouts and refusals.
	Latest(ctx context.Context, user int64, limit int) ([]domain.Upload, error)

	// Change makes an upload what it is to be. What it is made of at first stays (its file, user and layout). It returns
	// ErrChanged when its state or job is not any more what it was. With the job it has, the wish that this be cancelled
	// goes. When the upload is over, so is its file.
	Change(ctx context.Context, was, is *domain.Upload) error
}

// UploadShare is how much a user may have of uploads that are checked or to be checked. The newest upload is always within.
type UploadShare struct {
	Uploads int
	Bytes   int64
}

// UploadJobs is what jobs that work on uploads need, and those who follow them. Every method returns ErrUnavailable when the
// database cannot be reached.
type UploadJobs interface {
	// Load writes an upload's file to w. It returns ErrNotFound when there is none, the error of w.
	Load(ctx context.Context, id string, w io.Writer) error

	// Beat lets be known that a job works, and how far it is. It tells whether it is wished to be cancelled. It returns
	// ErrChanged when the upload has another job, or none.
	Beat(ctx context.Context, id, job string, done domain.Progress) (cancelled bool, err error)

	// Interrupt wishes that an upload's job be cancelled. It returns ErrChanged when it has another, or none.
	Interrupt(ctx context.Context, id, job string) error
}

// TemplateWriter writes a file for people to be filled in.
type TemplateWriter interface {
	// Write writes a file with the headers of a language. It returns the error of w, wrapped.
	Write(w io.Writer, words Words) error
}
