package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"rollcall/domain"
	"rollcall/ports"
)

// uploadPart is the number of bytes of a file in a row.
const uploadPart = 1 << 20

// FileUploads stores the files that users upload, and their results.
type FileUploads struct{ db *DB }

// NewFileUploads returns the store in db.
func NewFileUploads(db *DB) *FileUploads { return &FileUploads{db} }

// Create implements ports.UploadStore.
func (u *FileUploads) Create(ctx context.Context, upload *ports.Upload, share ports.UploadShare, file io.Reader) error {
	hint, layout, err := encodeUpload(upload)
	if err != nil {
		return err
	}
	tx, err := u.db.imports.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", unavailable(err))
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // after the commit there is nothing to undo
	_, err = tx.Exec(ctx, `
		insert into uploads (id, user_id, name, hint, size, layout, state, strict, job, change)
		values ($1, $2, $3, $4, $5, $6, $7, $8, nullif($9, ''), $10)`,
		upload.ID, upload.User, upload.Name, hint, upload.Size, layout, upload.State, upload.Strict, upload.Job, upload.Change)
	if err != nil {
		return fmt.Errorf("insert into uploads: %w", unavailable(err))
	}
	buf := make([]byte, uploadPart)
	for part := 0; ; part++ {
		n, err := io.ReadFull(file, buf)
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !ended {
			return fmt.Errorf("read file: %w", err)
		}
		if n > 0 || part == 0 { // an empty file has a part, too
			_, err = tx.Exec(ctx, "insert into upload_parts (upload_id, part, data) values ($1, $2, $3)", upload.ID, part, buf[:n])
			if err != nil {
				return fmt.Errorf("insert into upload_parts: %w", unavailable(err))
			}
		}
		if ended {
			break
		}
	}
	err = cancelBeyondShare(ctx, tx, upload.User, share)
	if err != nil {
		return err
	}
	err = tx.Commit(ctx)
	if err != nil {
		return fmt.Errorf("commit upload: %w", unavailable(err))
	}
	return nil
}

// cancelBeyondShare cancels the oldest undecided uploads that exceed a user's share. Concurrent uploads of one user take turns by locking
// the user, so that each counts the others.
func cancelBeyondShare(ctx context.Context, tx pgx.Tx, user int64, share ports.UploadShare) error {
	var batch pgx.Batch
	batch.Queue("select from users where id = $1 for no key update", user)
	batch.Queue(`
		with undecided as (
			select id, row_number() over latest as place, (sum(size) over latest)::bigint as total
			from uploads where user_id = $1 and state in ($4, $5, $7)
			window latest as (order by created_at desc, id)),
		cancelled as (
			update uploads set state = $6, failure = $8, job = null, updated_at = clock_timestamp() from undecided
			where uploads.id = undecided.id and place > 1 and (place > $2 or total > $3) returning uploads.id)
		delete from upload_parts using cancelled where upload_id = cancelled.id`,
		user, share.Uploads, share.Bytes, domain.UploadChecking, domain.UploadChecked, domain.UploadCancelled, domain.UploadUnclear,
		domain.UploadReplaced)
	err := tx.SendBatch(ctx, &batch).Close()
	if err != nil {
		return fmt.Errorf("cancel oldest uploads: %w", unavailable(err))
	}
	return nil
}

func encodeUpload(upload *ports.Upload) (hint, layout []byte, err error) {
	hint, err = json.Marshal(upload.Hint)
	if err != nil {
		return nil, nil, fmt.Errorf("encode hint: %w", err)
	}
	layout, err = json.Marshal(upload.Layout)
	if err != nil {
		return nil, nil, fmt.Errorf("encode layout: %w", err)
	}
	return hint, layout, nil
}

// uploadColumns are the columns of every upload. A clock that was set back must not make durations negative.
const uploadColumns = `
	id, user_id, name, size, state, strict, coalesce(job, ''), objects, created, refused, bytes, coalesce(code_id, 0),
	failure, detail, created_at, change,
	greatest(0, extract(epoch from case when job is null then updated_at else clock_timestamp() end - started_at))::float8,
	greatest(0, extract(epoch from clock_timestamp() - updated_at))::float8`

func scanUpload(row pgx.CollectableRow, more ...any) (upload ports.Upload, err error) {
	var worked, silent float64
	err = row.Scan(append([]any{
		&upload.ID, &upload.User, &upload.Name, &upload.Size, &upload.State, &upload.Strict, &upload.Job,
		&upload.Done.Records, &upload.Done.Registered, &upload.Done.Rejected, &upload.Done.Bytes, &upload.Import,
		&upload.Failure, &upload.Detail, &upload.Created, &upload.Change, &worked, &silent,
	}, more...)...)
	upload.Created, upload.Done.Size = upload.Created.UTC(), upload.Size
	upload.Worked, upload.Silent = seconds(worked), seconds(silent)
	return upload, err
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// Find implements ports.UploadReading.
func (u *FileUploads) Find(ctx context.Context, user int64, id string) (*ports.Upload, error) {
	if !utf8.ValidString(id) || strings.ContainsRune(id, 0) {
		return nil, ports.ErrNotFound // PostgreSQL has no such text
	}
	rows, err := u.db.pool.Query(ctx, "select "+uploadColumns+", hint, layout, refusals from uploads where id = $1 and user_id = $2", id, user)
	if err != nil {
		return nil, fmt.Errorf("read upload: %w", unavailable(err))
	}
	upload, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (ports.Upload, error) {
		var hint, layout, refusals []byte
		upload, err := scanUpload(row, &hint, &layout, &refusals)
		if err != nil {
			return upload, err
		}
		return upload, errors.Join(
			json.Unmarshal(hint, &upload.Hint), json.Unmarshal(layout, &upload.Layout), json.Unmarshal(refusals, &upload.Rejections))
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ports.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read upload: %w", unavailable(err))
	}
	return &upload, nil
}

// Latest implements ports.UploadReading.
func (u *FileUploads) Latest(ctx context.Context, user int64, limit int) ([]ports.Upload, error) {
	rows, err := u.db.pool.Query(ctx, "select "+uploadColumns+`, coalesce(layout->'Notes', 'null') from uploads
		where user_id = $1 and (state not in ($3, $4, $5) or id in (select id from uploads where user_id = $1 order by created_at desc limit $2))
		order by created_at desc`, user, limit, domain.UploadImported, domain.UploadFailed, domain.UploadCancelled)
	if err != nil {
		return nil, fmt.Errorf("list uploads: %w", unavailable(err))
	}
	uploads, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ports.Upload, error) {
		var notes []byte
		upload, err := scanUpload(row, &notes)
		if err != nil {
			return upload, err
		}
		return upload, json.Unmarshal(notes, &upload.Layout.Notes)
	})
	if err != nil {
		return nil, fmt.Errorf("list uploads: %w", unavailable(err))
	}
	return uploads, nil
}

// Change implements ports.UploadStore.
func (u *FileUploads) Change(ctx context.Context, was, is *ports.Upload) error {
	refusals, err := json.Marshal(is.Rejections)
	if err != nil {
		return fmt.Errorf("encode rejections: %w", err)
	}
	hint, layout, err := encodeUpload(is)
	if err != nil {
		return err
	}
	var changed int64
	var batch pgx.Batch // one transaction
	batch.Queue(`
		update uploads set state = $4, job = nullif($5, ''), strict = $6, objects = $7, created = $8, refused = $9, bytes = $10,
			code_id = nullif($11::bigint, 0), failure = $12, detail = $13, refusals = $14, hint = $15, layout = $16, cancelled = false, updated_at = clock_timestamp(),
			started_at = case when $5 = '' then started_at else clock_timestamp() end
		where id = $1 and state = $2 and coalesce(job, '') = $3`,
		was.ID, was.State, was.Job, is.State, is.Job, is.Strict, is.Done.Records, is.Done.Registered, is.Done.Rejected, is.Done.Bytes,
		is.Import, is.Failure, is.Detail, refusals, hint, layout).
		Exec(func(tag pgconn.CommandTag) error {
			changed = tag.RowsAffected()
			return nil
		})
	if is.State.IsOver() {
		batch.Queue("delete from upload_parts using uploads where id = upload_id and id = $1 and state = $2", was.ID, is.State)
	}
	err = u.db.pool.SendBatch(ctx, &batch).Close()
	if err != nil {
		return fmt.Errorf("change upload: %w", unavailable(err))
	}
	if changed == 0 {
		return ports.ErrChanged
	}
	return nil
}

// Load implements ports.UploadJobStore.
func (u *FileUploads) Load(ctx context.Context, id string, w io.Writer) error {
	rows, err := u.db.imports.Query(ctx, "select data from upload_parts where upload_id = $1 order by part", id)
	if err != nil {
		return fmt.Errorf("load upload: %w", unavailable(err))
	}
	defer rows.Close()
	found := false
	for rows.Next() {
		found = true
		_, err = w.Write(rows.RawValues()[0])
		if err != nil {
			return fmt.Errorf("copy upload: %w", err)
		}
	}
	err = rows.Err()
	if err != nil {
		return fmt.Errorf("load upload: %w", unavailable(err))
	}
	if !found {
		return ports.ErrNotFound
	}
	return nil
}

// Beat implements ports.UploadJobStore.
func (u *FileUploads) Beat(ctx context.Context, id, job string, done domain.Progress) (cancelled bool, err error) {
	err = u.db.pool.QueryRow(ctx, `
		update uploads set objects = $3, created = $4, refused = $5, bytes = $6, updated_at = clock_timestamp()
		where id = $1 and job = $2 returning cancelled`,
		id, job, done.Records, done.Registered, done.Rejected, done.Bytes).Scan(&cancelled)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, ports.ErrChanged
	}
	if err != nil {
		return false, fmt.Errorf("record progress of upload: %w", unavailable(err))
	}
	return cancelled, nil
}

// Interrupt implements ports.UploadStore.
func (u *FileUploads) Interrupt(ctx context.Context, id, job string) error {
	tag, err := u.db.pool.Exec(ctx, "update uploads set cancelled = true where id = $1 and job = $2", id, job)
	if err != nil {
		return fmt.Errorf("cancel upload: %w", unavailable(err))
	}
	if tag.RowsAffected() == 0 {
		return ports.ErrChanged
	}
	return nil
}

// keepImported is the additional time that an imported upload stays. Until then its page says that the credentials are no longer
// available.
const keepImported = "interval '7 days'"

// Sweep removes the uploads that did not change since a time; imported ones a week later.
func (u *FileUploads) Sweep(ctx context.Context, before time.Time) error {
	_, err := u.db.pool.Exec(ctx,
		"delete from uploads where updated_at < $1 and (state <> $2 or updated_at < $1 - "+keepImported+")", before, domain.UploadImported)
	if err != nil {
		return fmt.Errorf("sweep uploads: %w", unavailable(err))
	}
	return nil
}
