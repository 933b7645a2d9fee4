package application

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"rollcall/domain"
	"rollcall/ports"
)

// UploadFile imports files that users upload: first a dry run, then, after the user's decision, the import. A worker runs both
// in the background. All state is in the stores, so any instance continues what another one began.
type UploadFile struct{ cfg UploadConfig }

// UploadConfig configures UploadFile.
type UploadConfig struct {
	Uploads   ports.UploadStore
	Worker    *UploadWorker
	Importing ports.Importing
	Decoder   ports.Decoder
	Room      func() error // as in ImportConfig
	MaxUser   int64        // bytes of a user's undecided uploads
}

// NewUploadFile returns the use case.
func NewUploadFile(cfg UploadConfig) *UploadFile { return &UploadFile{cfg} }

// Receive implements ports.Uploading.
func (u *UploadFile) Receive(ctx context.Context, user int64, hint ports.FileHint, file ports.Spool) (string, error) {
	layout, err := u.cfg.Decoder.Layout(file.Reader(), hint)
	if err != nil {
		return "", fmt.Errorf("detect layout: %w", err)
	}
	if u.cfg.Room != nil {
		err = u.cfg.Room()
		if err != nil {
			return "", fmt.Errorf("store upload: %w", err)
		}
	}
	isClear := layout.Encodings == nil
	if isClear {
		err = u.cfg.Worker.reserve(user)
		if err != nil {
			return "", err
		}
	}
	hint.Name = ports.FileName(hint.Name)
	upload := ports.Upload{
		ID: rand.Text(), User: user, Name: hint.Name, Hint: hint, Size: file.Size(), Layout: layout.Shown(), State: domain.UploadUnclear,
	}
	if isClear {
		upload.State, upload.Job = domain.UploadChecking, rand.Text()
	}
	err = u.cfg.Uploads.Create(ctx, &upload, u.share(), file.Reader())
	if err != nil {
		if isClear {
			u.cfg.Worker.release(user)
		}
		return "", fmt.Errorf("store upload: %w", err)
	}
	if isClear {
		u.cfg.Worker.enqueue(ctx, upload)
	}
	return upload.ID, nil
}

// ChangeUsers implements ports.BulkChanging.
func (u *UploadFile) ChangeUsers(ctx context.Context, operator int64, change ports.BulkChange) (string, error) {
	err := u.cfg.Worker.reserve(operator)
	if err != nil {
		return "", err
	}
	upload := ports.Upload{
		ID: rand.Text(), User: operator, Size: int64(change.Users), State: domain.UploadImporting, Job: rand.Text(), Change: &change,
	}
	err = u.cfg.Uploads.Create(ctx, &upload, u.share(), strings.NewReader(""))
	if err != nil {
		u.cfg.Worker.release(operator)
		return "", fmt.Errorf("store bulk change: %w", err)
	}
	u.cfg.Worker.enqueue(ctx, upload)
	return upload.ID, nil
}

// share returns the share of each user.
func (u *UploadFile) share() ports.UploadShare {
	return ports.UploadShare{Uploads: ports.MaxUndecidedUploads, Bytes: u.cfg.MaxUser}
}

// Choose implements ports.Uploading.
func (u *UploadFile) Choose(ctx context.Context, user int64, id string, chosen ports.FileHint) error {
	was, err := u.cfg.Uploads.Find(ctx, user, id)
	if err != nil {
		return err
	}
	is := *was
	is.State = domain.UploadChecking
	switch {
	case was.State == domain.UploadUnclear && was.Layout.HasEncoding(chosen.Charset):
		is.Hint.Charset, is.Hint.Chosen = chosen.Charset, true
	case was.State == domain.UploadChecked && was.Layout.Notes.HaveSheets(chosen.Sheets):
		is.Hint.Sheets, is.Hint.Dates = chosen.Sheets, chosen.Dates
		is.Layout, is.Rejections = ports.FileLayout{Format: was.Layout.Format}, nil
	default:
		return ports.ErrChanged
	}
	return u.begin(ctx, was, &is)
}

// Start implements ports.Uploading.
func (u *UploadFile) Start(ctx context.Context, user int64, id string, strict bool) error {
	was, err := u.cfg.Uploads.Find(ctx, user, id)
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
	return u.begin(ctx, was, &is)
}

// begin begins the job of an upload that changes.
func (u *UploadFile) begin(ctx context.Context, was, is *ports.Upload) error {
	err := u.cfg.Worker.reserve(was.User)
	if err != nil {
		return err
	}
	is.Job, is.Done = rand.Text(), domain.Progress{}
	err = u.cfg.Uploads.Change(ctx, was, is)
	if err != nil {
		u.cfg.Worker.release(was.User)
		return fmt.Errorf("start upload: %w", err)
	}
	u.cfg.Worker.enqueue(ctx, *is)
	return nil
}

// Cancel implements ports.Uploading.
func (u *UploadFile) Cancel(ctx context.Context, user int64, id string) error {
	was, err := u.cfg.Uploads.Find(ctx, user, id)
	switch {
	case err != nil:
		return err
	case was.State.IsOver():
		return ports.ErrChanged
	case was.State.NeedsJob() && !was.IsInterrupted():
		return u.cfg.Uploads.Interrupt(ctx, id, was.Job)
	}
	is := *was
	is.Job, is.State = "", domain.UploadCancelled
	if was.State == domain.UploadImporting {
		err = recallUpload(ctx, u.cfg.Importing, &is)
		if err != nil {
			return err
		}
	}
	return u.cfg.Uploads.Change(ctx, was, &is)
}

// recallUpload marks an upload as imported if its import was committed. A job can be interrupted between the commit and the
// update of its upload.
func recallUpload(ctx context.Context, importing ports.Importing, upload *ports.Upload) error {
	result, err := importing.Recall(ctx, upload.Key())
	switch {
	case errors.Is(err, ports.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("recall import of upload: %w", err)
	}
	markImported(upload, result)
	return result.Close()
}

func markImported(upload *ports.Upload, result *ports.ImportResult) {
	upload.State, upload.Import = domain.UploadImported, result.ID
	upload.Done = domain.Progress{Tally: result.Tally, Bytes: upload.Size, Size: upload.Size}
}
