package contract

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

// UploadStore is every port of uploads.
type UploadStore interface {
	ports.UploadStore
	ports.UploadReading
	ports.UploadJobStore
}

// An UploadsSubject is an empty store, and the ids of two users.
type UploadsSubject struct {
	Store       UploadStore
	Anna, Boris int64
	Pass        func(time.Duration) // since the last heartbeat and the start of jobs
}

// Uploads proves an UploadStore.
func Uploads(t *testing.T, subject func(*testing.T) UploadsSubject) {
	for _, c := range []struct {
		name string
		test func(*testing.T, UploadsSubject)
	}{
		{"StoresAWholeUpload", storesWholeUpload},
		{"StoresFilesOfAnySize", storesFilesOfAnySize},
		{"StoresNothingOfABrokenFile", storesNothingOfBrokenFile},
		{"ShowsUploadsToTheirUserOnly", showsUploadsToTheirUserOnly},
		{"ListsTheLatestUploads", listsLatestUploads},
		{"ChangesAnUnchangedUpload", changesUnchangedUpload},
		{"StartsOneJob", startsOneJob},
		{"CancelsUploadsBeyondTheShare", cancelsUploadsBeyondShare},
		{"DeletesUnusedFiles", deletesUnusedFiles},
		{"RecordsHeartbeats", recordsHeartbeats},
		{"PassesOnCancellations", passesOnCancellations},
		{"StopsWithItsContext", uploadsStopWithContext},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, subject(t)) })
	}
}

// wide is a share that no test exceeds.
var wide = ports.UploadShare{Uploads: 100, Bytes: 1 << 30}

func uploadOf(user int64, id string) *ports.Upload {
	return &ports.Upload{
		ID: id, User: user, Name: "люди.csv", Size: 3, State: domain.UploadChecking, Job: "job of " + id,
		Hint: ports.FileHint{Format: ports.FormatCSV, Name: "люди.csv", Charset: "windows-1251"},
		Layout: ports.FileLayout{
			Format: ports.FormatCSV, Encoding: "utf-8", Delimiter: ';',
			Columns: []ports.FileColumn{{Header: "Логин", Field: domain.FieldLogin}, {Header: "x"}},
			Rows:    [][]string{{"anna", `"'<\`}},
			Notes:   ports.FileNotes{PassedOver: []string{"Школа № 7"}, HiddenRows: 1},
		},
	}
}

func createUpload(t *testing.T, s UploadsSubject, upload *ports.Upload) {
	t.Helper()
	require.NoError(t, s.Store.Create(t.Context(), upload, wide, strings.NewReader("abc")))
}

func findUpload(t *testing.T, s UploadsSubject, want *ports.Upload) *ports.Upload {
	t.Helper()
	got, err := s.Store.Find(t.Context(), want.User, want.ID)
	require.NoError(t, err)
	return got
}

// sameUpload compares uploads except for their times.
func sameUpload(t *testing.T, want, got *ports.Upload) {
	t.Helper()
	w, g := *want, *got
	w.Created, w.Worked, w.Silent = g.Created, g.Worked, g.Silent
	w.Done.Size = w.Size
	require.Equal(t, w, g)
}

func load(t *testing.T, s UploadsSubject, id string) string {
	t.Helper()
	var file bytes.Buffer
	require.NoError(t, s.Store.Load(t.Context(), id, &file))
	return file.String()
}

func storesWholeUpload(t *testing.T, s UploadsSubject) {
	upload := uploadOf(s.Anna, "one")
	createUpload(t, s, upload)
	got := findUpload(t, s, upload)
	sameUpload(t, upload, got)
	require.WithinDuration(t, time.Now(), got.Created, time.Minute)
	require.Equal(t, got.Created.UTC().Truncate(time.Microsecond), got.Created)
	require.Less(t, got.Silent, time.Minute)
	require.Equal(t, "abc", load(t, s, "one"))
	upload.Layout.Columns[0].Header = "changed by the caller"
	got = findUpload(t, s, upload)
	require.Equal(t, "Логин", got.Layout.Columns[0].Header)
}

func storesFilesOfAnySize(t *testing.T, s UploadsSubject) {
	const size = 2<<20 + 7
	content := bytes.Repeat([]byte("0123456789\x00"), size/11+1)[:size]
	upload := uploadOf(s.Anna, "large")
	upload.Size = size
	require.NoError(t, s.Store.Create(t.Context(), upload, wide, iotest.HalfReader(bytes.NewReader(content))))
	require.Equal(t, sha256.Sum256(content), sha256.Sum256([]byte(load(t, s, "large"))), "the file is unchanged")
	empty := uploadOf(s.Anna, "empty")
	require.NoError(t, s.Store.Create(t.Context(), empty, wide, strings.NewReader("")))
	require.Empty(t, load(t, s, "empty"))
	full := errors.New("no room")
	require.ErrorIs(t, s.Store.Load(t.Context(), "large", failingWriter{full}), full)
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func storesNothingOfBrokenFile(t *testing.T, s UploadsSubject) {
	broken := errors.New("broken")
	file := io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken))
	require.ErrorIs(t, s.Store.Create(t.Context(), uploadOf(s.Anna, "one"), wide, file), broken)
	_, err := s.Store.Find(t.Context(), s.Anna, "one")
	require.ErrorIs(t, err, ports.ErrNotFound)
	require.ErrorIs(t, s.Store.Load(t.Context(), "one", io.Discard), ports.ErrNotFound)
}

func showsUploadsToTheirUserOnly(t *testing.T, s UploadsSubject) {
	createUpload(t, s, uploadOf(s.Anna, "one"))
	_, err := s.Store.Find(t.Context(), s.Boris, "one")
	require.ErrorIs(t, err, ports.ErrNotFound)
	for _, id := range []string{"", "none", "ONE", "one\x00", "\xff", "'"} {
		t.Run(id, func(t *testing.T) {
			_, err = s.Store.Find(t.Context(), s.Anna, id)
			require.ErrorIs(t, err, ports.ErrNotFound, "%q", id)
		})
	}
	latest, err := s.Store.Latest(t.Context(), s.Boris, 10)
	require.NoError(t, err)
	require.Empty(t, latest)
}

func listsLatestUploads(t *testing.T, s UploadsSubject) {
	for _, id := range []string{"b", "a", "c"} {
		t.Run(id, func(t *testing.T) {
			createUpload(t, s, uploadOf(s.Anna, id))
		})
	}
	createUpload(t, s, uploadOf(s.Boris, "d"))
	ids := func(limit int) (all []string) {
		latest, err := s.Store.Latest(t.Context(), s.Anna, limit)
		require.NoError(t, err)
		for _, it := range latest {
			require.Equal(t, "люди.csv", it.Name)
			require.Equal(t, ports.FileLayout{Notes: uploadOf(s.Anna, it.ID).Layout.Notes}, it.Layout)
			all = append(all, it.ID)
		}
		return all
	}
	require.Equal(t, []string{"c", "a", "b"}, ids(2), "those that are not over, too")
	for _, id := range []string{"a", "b", "c"} {
		was := uploadOf(s.Anna, id)
		is := *was
		is.State, is.Job = domain.UploadCancelled, ""
		require.NoError(t, s.Store.Change(t.Context(), was, &is))
	}
	require.Equal(t, []string{"c", "a"}, ids(2))
}

// The oldest undecided uploads of a user are cancelled, by number and by size. Uploads that are being imported stay, as do those of other
// users.
func cancelsUploadsBeyondShare(t *testing.T, s UploadsSubject) {
	state := func(id string, user int64) domain.UploadState {
		upload, err := s.Store.Find(t.Context(), user, id)
		require.NoError(t, err)
		return upload.State
	}
	createUpload(t, s, uploadOf(s.Boris, "boris"))
	importing := uploadOf(s.Anna, "importing")
	createUpload(t, s, importing)
	is := *importing
	is.State = domain.UploadImporting
	require.NoError(t, s.Store.Change(t.Context(), importing, &is))
	share := ports.UploadShare{Uploads: 2, Bytes: 10}
	for _, id := range []string{"one", "two", "three"} {
		t.Run(id, func(t *testing.T) { // of 3 bytes each
			require.NoError(t, s.Store.Create(t.Context(), uploadOf(s.Anna, id), share, strings.NewReader("abc")))
		})
	}
	require.Equal(t, domain.UploadCancelled, state("one", s.Anna))
	one, err := s.Store.Find(t.Context(), s.Anna, "one")
	require.NoError(t, err)
	require.Equal(t, domain.UploadReplaced, one.Failure)
	require.ErrorIs(t, s.Store.Load(t.Context(), "one", io.Discard), ports.ErrNotFound, "its file is deleted")
	_, err = s.Store.Beat(t.Context(), "one", "job of one", domain.Progress{})
	require.ErrorIs(t, err, ports.ErrChanged, "its job is replaced")
	require.Equal(t, domain.UploadChecking, state("two", s.Anna))

	large := uploadOf(s.Anna, "large")
	large.Size = 100 // more than all of the share
	require.NoError(t, s.Store.Create(t.Context(), large, share, strings.NewReader("abc")))
	require.Equal(t, domain.UploadChecking, state("large", s.Anna), "the newest upload always fits")
	for _, id := range []string{"two", "three"} {
		require.Equal(t, domain.UploadCancelled, state(id, s.Anna))
	}
	require.Equal(t, domain.UploadImporting, state("importing", s.Anna))
	require.Equal(t, domain.UploadChecking, state("boris", s.Boris))
}

func changesUnchangedUpload(t *testing.T, s UploadsSubject) {
	was := uploadOf(s.Anna, "one")
	createUpload(t, s, was)
	is := *was
	is.State, is.Job = domain.UploadChecked, ""
	is.Hint.Charset, is.Hint.Chosen, is.Layout.Encoding = "koi8-r", true, "koi8-r"
	is.Done = domain.Progress{Tally: domain.Tally{Records: 3, Registered: 1, Rejected: 2}, Bytes: 3, Size: 3}
	is.Rejections = []domain.Rejection{{Place: domain.Place{Sheet: "5А", Line: 3}, Record: 2, Login: "b<", Violations: domain.Violations{
		{Field: domain.FieldLogin, Code: domain.CodeTooLong, Limit: 50}, {Code: domain.CodeContactRequired},
	}}}
	require.NoError(t, s.Store.Change(t.Context(), was, &is))
	sameUpload(t, &is, findUpload(t, s, was))
	require.ErrorIs(t, s.Store.Change(t.Context(), was, &is), ports.ErrChanged, "the state has changed")

	importing := is
	importing.State, importing.Job, importing.Strict, importing.Done = domain.UploadImporting, "another", true, domain.Progress{}
	require.NoError(t, s.Store.Change(t.Context(), &is, &importing))
	sameUpload(t, &importing, findUpload(t, s, was))
	stale := importing
	stale.Job = "not this"
	require.ErrorIs(t, s.Store.Change(t.Context(), &stale, &is), ports.ErrChanged, "the job has changed")
	none := importing
	none.ID = "none"
	require.ErrorIs(t, s.Store.Change(t.Context(), &none, &is), ports.ErrChanged)

	failed := importing
	failed.State, failed.Job, failed.Failure, failed.Detail, failed.Import = domain.UploadFailed, "", domain.UploadBroken, "at byte 3", 12
	require.NoError(t, s.Store.Change(t.Context(), &importing, &failed))
	sameUpload(t, &failed, findUpload(t, s, was))
}

func startsOneJob(t *testing.T, s UploadsSubject) {
	was := uploadOf(s.Anna, "one")
	was.State, was.Job = domain.UploadChecked, ""
	createUpload(t, s, was)
	var started, late atomic.Int64
	var all sync.WaitGroup
	for i := range 20 {
		is := *was
		is.State, is.Job = domain.UploadImporting, string(rune('a'+i))
		all.Go(func() {
			switch err := s.Store.Change(t.Context(), was, &is); {
			case err == nil:
				started.Add(1)
			case errors.Is(err, ports.ErrChanged):
				late.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, started.Load())
	require.EqualValues(t, 19, late.Load())
}

func deletesUnusedFiles(t *testing.T, s UploadsSubject) {
	createUpload(t, s, uploadOf(s.Anna, "other"))
	for _, state := range []domain.UploadState{
		domain.UploadUnclear, domain.UploadChecked, domain.UploadImporting, domain.UploadImported, domain.UploadFailed, domain.UploadCancelled,
	} {
		was := uploadOf(s.Anna, string(state))
		createUpload(t, s, was)
		is := *was
		is.State, is.Job = state, ""
		require.NoError(t, s.Store.Change(t.Context(), was, &is))
		err := s.Store.Load(t.Context(), is.ID, io.Discard)
		if is.State.IsOver() {
			require.ErrorIs(t, err, ports.ErrNotFound, state)
		} else {
			require.NoError(t, err, state)
		}
	}
	require.Equal(t, "abc", load(t, s, "other"))
}

func recordsHeartbeats(t *testing.T, s UploadsSubject) {
	upload := uploadOf(s.Anna, "one")
	createUpload(t, s, upload)
	s.Pass(time.Minute)
	got := findUpload(t, s, upload)
	require.InDelta(t, time.Minute, got.Silent, float64(20*time.Second))
	require.True(t, got.IsInterrupted())
	done := domain.Progress{Tally: domain.Tally{Records: 7, Registered: 4, Rejected: 3}, Bytes: 2, Size: 3}
	cancelled, err := s.Store.Beat(t.Context(), "one", upload.Job, done)
	require.NoError(t, err)
	require.False(t, cancelled)
	got = findUpload(t, s, upload)
	require.Equal(t, done, got.Done)
	require.False(t, got.IsInterrupted())
	require.InDelta(t, time.Minute, got.Worked, float64(20*time.Second))
	for _, job := range []string{"", "another"} {
		_, err = s.Store.Beat(t.Context(), "one", job, done)
		require.ErrorIs(t, err, ports.ErrChanged)
	}
	is := *upload
	is.Job = ""
	require.NoError(t, s.Store.Change(t.Context(), upload, &is))
	_, err = s.Store.Beat(t.Context(), "one", upload.Job, done)
	require.ErrorIs(t, err, ports.ErrChanged)
	got = findUpload(t, s, upload)
	require.True(t, got.IsInterrupted(), "it has no job")
	s.Pass(time.Minute)
	require.InDelta(t, got.Worked, findUpload(t, s, upload).Worked, float64(time.Millisecond), "the time of work stands still without a job")

	is.Job = "new"
	require.NoError(t, s.Store.Change(t.Context(), &ports.Upload{ID: "one", State: is.State}, &is))
	require.Less(t, findUpload(t, s, upload).Worked, 30*time.Second, "each job has its own time")
}

func passesOnCancellations(t *testing.T, s UploadsSubject) {
	was := uploadOf(s.Anna, "one")
	createUpload(t, s, was)
	require.ErrorIs(t, s.Store.Interrupt(t.Context(), "one", "another"), ports.ErrChanged)
	require.ErrorIs(t, s.Store.Interrupt(t.Context(), "none", was.Job), ports.ErrChanged)
	require.NoError(t, s.Store.Interrupt(t.Context(), "one", was.Job))
	cancelled, err := s.Store.Beat(t.Context(), "one", was.Job, domain.Progress{})
	require.NoError(t, err)
	require.True(t, cancelled)
	is := *was
	is.Job = "another"
	require.NoError(t, s.Store.Change(t.Context(), was, &is))
	cancelled, err = s.Store.Beat(t.Context(), "one", is.Job, domain.Progress{})
	require.NoError(t, err)
	require.False(t, cancelled, "the request was for the previous job")
}

func uploadsStopWithContext(t *testing.T, s UploadsSubject) {
	was := uploadOf(s.Anna, "one")
	createUpload(t, s, was)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	is := *was
	is.State = domain.UploadCancelled
	_, errFind := s.Store.Find(ctx, s.Anna, "one")
	_, errLatest := s.Store.Latest(ctx, s.Anna, 1)
	_, errBeat := s.Store.Beat(ctx, "one", was.Job, domain.Progress{Bytes: 1})
	for _, err := range []error{
		errFind, errLatest, errBeat, s.Store.Create(ctx, uploadOf(s.Anna, "two"), wide, strings.NewReader("x")), s.Store.Change(ctx, was, &is),
		s.Store.Load(ctx, "one", io.Discard), s.Store.Interrupt(ctx, "one", was.Job),
	} {
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, ports.ErrUnavailable)
	}
	sameUpload(t, was, findUpload(t, s, was))
	_, err := s.Store.Find(t.Context(), s.Anna, "two")
	require.ErrorIs(t, err, ports.ErrNotFound)
}
