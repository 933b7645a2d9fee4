package application_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/application"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
)

const (
	anna  = 1
	boris = 2

	twoOfThree = `[{"last_name":"A","first_name":"B","patronymic":"C","login":"one","email":"one@example.com"},
		7,
		{"last_name":"A","first_name":"B","patronymic":"C","login":"two","email":"two@example.com"}]`
)

// uploadFixture runs the use case in a synctest bubble.
type uploadFixture struct {
	*fixture

	config    application.UploadConfig
	worker    application.UploadWorkerConfig
	importing ports.Importing
	store     *fake.Uploads
	use       *application.UploadFile
	failed    []string      // the errors that the worker reported
	resume    chan struct{} // resumes a hanging import
	stop      context.CancelFunc
}

// uploads calls test with a running use case. importing wraps the use case of imports.
func uploads(t *testing.T, importing func(*uploadFixture, ports.Importing) ports.Importing, test func(*testing.T, *uploadFixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &uploadFixture{fixture: newFixture(), store: &fake.Uploads{}, resume: make(chan struct{}, 1)}
		f.fixture.config.KeepAnswers = time.Hour
		f.importing = application.NewImportUsers(f.fixture.config)
		if importing != nil {
			f.importing = importing(f, f.importing)
		}
		f.worker = application.UploadWorkerConfig{
			Jobs: f.store, Importing: f.importing, Spools: f.spools, Decoder: fake.Decoder{},
			Failed: func(_ string, err error) { f.failed = append(f.failed, err.Error()) }, Concurrency: 1, Queue: 3, Beat: time.Second,
		}
		f.config = application.UploadConfig{Uploads: f.store, Importing: f.importing, Decoder: fake.Decoder{}, MaxUser: 1 << 20}
		f.run()
		test(t, f)
		f.stop()
		synctest.Wait()
		require.Zero(t, f.spools.Open(), "spools that were not closed")
	})
}

// run starts an instance of the worker.
func (f *uploadFixture) run() {
	worker := application.NewUploadWorker(f.worker)
	f.config.Worker = worker
	f.use = application.NewUploadFile(f.config)
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	go worker.Run(ctx)
}

func (f *uploadFixture) receive(t *testing.T, content string) (id string, err error) {
	t.Helper()
	return f.receiveFrom(t, anna, content)
}

func (f *uploadFixture) receiveFrom(t *testing.T, user int64, content string) (id string, err error) {
	t.Helper()
	file := f.spools.New()
	defer file.Close()
	_, err = io.WriteString(file, content)
	require.NoError(t, err)
	return f.use.Receive(t.Context(), user, ports.FileHint{Name: `C:\lists\people.json`}, file)
}

func (f *uploadFixture) upload(t *testing.T, id string) *ports.Upload {
	t.Helper()
	synctest.Wait()
	upload, err := f.store.Find(t.Context(), anna, id)
	require.NoError(t, err)
	return upload
}

func (f *uploadFixture) checked(t *testing.T) string {
	t.Helper()
	id, err := f.receive(t, twoOfThree)
	require.NoError(t, err)
	require.Equal(t, domain.UploadChecked, f.upload(t, id).State)
	return id
}

func TestUploadIsImportedAfterADryRun(t *testing.T) {
	uploads(t, nil, func(t *testing.T, f *uploadFixture) {
		id := f.checked(t)
		got := f.upload(t, id)
		require.Equal(t, "people.json", got.Name)
		require.Equal(t, domain.Tally{Records: 3, Registered: 2, Rejected: 1}, got.Done.Tally)
		require.Equal(t, []domain.Rejection{{Record: 2, Violations: domain.Violations{{Code: domain.CodeNotObject}}}}, got.Rejections)
		require.Empty(t, f.fixture.store.Accounts(), "no record is registered yet")
		require.Empty(t, f.fixture.store.Recorded())
		_, err := f.importing.Recall(t.Context(), got.Key())
		require.ErrorIs(t, err, ports.ErrNotFound)

		require.NoError(t, f.use.Start(t.Context(), anna, id, false))
		got = f.upload(t, id)
		require.Equal(t, domain.UploadImported, got.State)
		require.Equal(t, domain.Tally{Records: 3, Registered: 2, Rejected: 1}, got.Done.Tally)
		require.EqualValues(t, 1, got.Import)
		require.Len(t, f.fixture.store.Accounts(), 2)
		require.EqualValues(t, anna, f.fixture.store.Recorded()[0].User)

		for range 2 { // the result can be had again
			result, err := f.importing.Recall(t.Context(), got.Key())
			require.NoError(t, err)
			var logins []string
			for outcome, err := range result.Outcomes {
				require.NoError(t, err)
				if outcome.Password != "" {
					logins = append(logins, outcome.Login)
				}
			}
			require.Equal(t, []string{"one", "two"}, logins)
			require.NoError(t, result.Close())
		}
		require.ErrorIs(t, f.use.Start(t.Context(), anna, id, false), ports.ErrChanged, "an upload is imported once")
		require.ErrorIs(t, f.use.Cancel(t.Context(), anna, id), ports.ErrChanged, "the upload is over")
		latest, err := f.store.Latest(t.Context(), anna, 10)
		require.NoError(t, err)
		require.Len(t, latest, 1)
	})
}

func TestStrictUploadRegistersNoOne(t *testing.T) {
	uploads(t, nil, func(t *testing.T, f *uploadFixture) {
		id := f.checked(t)
		require.NoError(t, f.use.Start(t.Context(), anna, id, true))
		got := f.upload(t, id)
		require.Equal(t, domain.UploadImported, got.State)
		require.Equal(t, domain.Tally{Records: 3, Rejected: 1}, got.Done.Tally)
		require.Empty(t, f.fixture.store.Accounts())
		require.Len(t, f.fixture.store.Recorded(), 1)
	})
}

func TestUploadBelongsToItsUser(t *testing.T) {
	uploads(t, nil, func(t *testing.T, f *uploadFixture) {
		id := f.checked(t)
		_, errFind := f.store.Find(t.Context(), boris, id)
		for _, err := range []error{
			errFind, f.use.Start(t.Context(), boris, id, false), f.use.Cancel(t.Context(), boris, id),
		} {
			require.ErrorIs(t, err, ports.ErrNotFound)
		}
		latest, err := f.store.Latest(t.Context(), boris, 10)
		require.NoError(t, err)
		require.Empty(t, latest)
		require.Equal(t, domain.UploadChecked, f.upload(t, id).State)
	})
}

func TestUploadOfABrokenFile(t *testing.T) {
	uploads(t, nil, func(t *testing.T, f *uploadFixture) {
		id, err := f.receive(t, `[{"login":`)
		require.NoError(t, err)
		got := f.upload(t, id)
		require.Equal(t, domain.UploadFailed, got.State)
		require.Equal(t, domain.UploadBroken, got.Failure)
		require.ErrorIs(t, f.use.Start(t.Context(), anna, id, false), ports.ErrChanged)
		require.Empty(t, f.failed, "a broken file is no failure of the server")

		f.config.Decoder = brokenLayout{}
		f.stop()
		f.run()
		_, err = f.receive(t, "x")
		require.ErrorIs(t, err, domain.ErrBrokenFile)
	})
}

type brokenLayout struct{ fake.Decoder }

func (brokenLayout) Layout(*io.SectionReader, ports.FileHint) (ports.FileLayout, error) {
	return ports.FileLayout{}, &domain.BrokenFileError{Reason: "not a file of people"}
}

// interceptedImports calls begin before each import, and fails with its error.
type interceptedImports struct {
	ports.Importing

	begin func(context.Context, ports.ImportRequest) error
}

func (s interceptedImports) Import(ctx context.Context, request ports.ImportRequest) (*ports.ImportResult, error) {
	err := s.begin(ctx, request)
	if err != nil {
		return nil, err
	}
	return s.Importing.Import(ctx, request)
}

// hanging returns imports that report progress, and then wait for f.resume.
func hanging(f *uploadFixture, r ports.Importing) ports.Importing {
	return interceptedImports{r, func(ctx context.Context, request ports.ImportRequest) error {
		if request.DryRun {
			return nil
		}
		request.Progress(domain.Progress{Tally: domain.Tally{Records: 2, Registered: 2}, Bytes: 5})
		select {
		case <-f.resume:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
}

func TestUploadReportsProgress(t *testing.T) {
	uploads(t, hanging, func(t *testing.T, f *uploadFixture) {
		id := f.checked(t)
		require.NoError(t, f.use.Start(t.Context(), anna, id, false))
		time.Sleep(40 * time.Second)
		got := f.upload(t, id)
		require.Equal(t, domain.UploadImporting, got.State)
		require.False(t, got.IsInterrupted(), "the job sends heartbeats")
		require.Equal(t, 2, got.Done.Records)
		require.InDelta(t, 40*time.Second, got.Worked, float64(time.Second))
		require.ErrorIs(t, f.use.Start(t.Context(), anna, id, false), ports.ErrChanged, "the job is running")
		f.resume <- struct{}{}
		require.Equal(t, domain.UploadImported, f.upload(t, id).State)
	})
}

func TestCancelledUploadRegistersNoOne(t *testing.T) {
	uploads(t, hanging, func(t *testing.T, f *uploadFixture) {
		id := f.checked(t)
		require.NoError(t, f.use.Start(t.Context(), anna, id, false))
		synctest.Wait()
		require.NoError(t, f.use.Cancel(t.Context(), anna, id))
		time.Sleep(2 * time.Second)
		require.Equal(t, domain.UploadCancelled, f.upload(t, id).State)
		require.Empty(t, f.fixture.store.Accounts())
		require.ErrorIs(t, f.store.Load(t.Context(), id, io.Discard), ports.ErrNotFound, "the file is deleted")

		id = f.checked(t)
		require.NoError(t, f.use.Cancel(t.Context(), anna, id))
		require.Equal(t, domain.UploadCancelled, f.upload(t, id).State)
		require.ErrorIs(t, f.use.Start(t.Context(), anna, id, false), ports.ErrChanged)
	})
}

// A cancellation at the end of a dry run takes effect.
func TestDryRunIsCancelledAsItEnds(t *testing.T) {
	uploads(t, func(f *uploadFixture, r ports.Importing) ports.Importing {
		return interceptedImports{r, func(context.Context, ports.ImportRequest) error {
			<-f.resume
			return nil
		}}
	}, func(t *testing.T, f *uploadFixture) {
		id, err := f.receive(t, twoOfThree)
		require.NoError(t, err)
		synctest.Wait()
		require.NoError(t, f.use.Cancel(t.Context(), anna, id))
		f.resume <- struct{}{}
		require.Equal(t, domain.UploadCancelled, f.upload(t, id).State)
	})
}

func TestInterruptedUploadContinues(t *testing.T) {
	uploads(t, hanging, func(t *testing.T, f *uploadFixture) {
		id, other := f.checked(t), f.checked(t)
		require.NoError(t, f.use.Start(t.Context(), anna, id, true))
		require.NoError(t, f.use.Start(t.Context(), anna, other, false))
		synctest.Wait()
		f.stop() // as on shutdown
		for _, id := range []string{id, other} {
			got := f.upload(t, id)
			require.Equal(t, domain.UploadImporting, got.State)
			require.True(t, got.IsInterrupted())
		}
		require.Empty(t, f.fixture.store.Accounts())
		require.Empty(t, f.failed)

		f.run()
		f.resume <- struct{}{}
		require.NoError(t, f.use.Start(t.Context(), anna, id, false))
		got := f.upload(t, id)
		require.Equal(t, domain.UploadImported, got.State)
		require.True(t, got.Strict, "the earlier decision stays")
		require.NoError(t, f.use.Cancel(t.Context(), anna, other))
		require.Equal(t, domain.UploadCancelled, f.upload(t, other).State)
	})
}

// The import of an instance that died after the commit is neither repeated nor cancelled.
func TestUploadOfDeadInstanceIsRecalled(t *testing.T) {
	for _, cancel := range []bool{false, true} {
		uploads(t, nil, func(t *testing.T, f *uploadFixture) {
			id := f.checked(t)
			was := f.upload(t, id)
			is := *was
			is.State, is.Job = domain.UploadImporting, "of a dead instance"
			require.NoError(t, f.store.Change(t.Context(), was, &is))
			_, err := f.request(t, twoOfThree, ports.ImportRequest{Key: is.Key(), Hint: is.Hint})
			require.NoError(t, err)
			require.ErrorIs(t, f.use.Start(t.Context(), anna, id, false), ports.ErrChanged, "the other instance may be alive")
			time.Sleep(ports.HeartbeatPatience + time.Second)
			require.True(t, f.upload(t, id).IsInterrupted())
			if cancel {
				require.NoError(t, f.use.Cancel(t.Context(), anna, id))
			} else {
				require.NoError(t, f.use.Start(t.Context(), anna, id, false))
			}
			got := f.upload(t, id)
			require.Equal(t, domain.UploadImported, got.State)
			require.EqualValues(t, 1, got.Import)
			require.Len(t, f.fixture.store.Accounts(), 2)
		})
	}
}

// A job whose upload was taken over after missing heartbeats ends without changing the upload.
func TestReplacedJobEnds(t *testing.T) {
	uploads(t, hanging, func(t *testing.T, f *uploadFixture) {
		id := f.checked(t)
		require.NoError(t, f.use.Start(t.Context(), anna, id, false))
		was := f.upload(t, id)
		is := *was
		is.Job = "another"
		require.NoError(t, f.store.Change(t.Context(), was, &is))
		time.Sleep(2 * time.Second)
		got := f.upload(t, id)
		require.Equal(t, "another", got.Job)
		require.Equal(t, domain.UploadImporting, got.State)
		require.Zero(t, f.spools.Open(), "the job has ended")
		require.Empty(t, f.failed)
	})
}

// removed stores uploads whose files newer ones have replaced.
type removed struct{ *fake.Uploads }

func (removed) Load(context.Context, string, io.Writer) error { return ports.ErrNotFound }

func (removed) Change(context.Context, *ports.Upload, *ports.Upload) error { return ports.ErrChanged }

func TestJobOfAReplacedFileEnds(t *testing.T) {
	uploads(t, nil, func(t *testing.T, f *uploadFixture) {
		f.stop()
		f.worker.Jobs = removed{f.store}
		f.run()
		_, err := f.receive(t, twoOfThree)
		require.NoError(t, err)
		synctest.Wait()
		require.Empty(t, f.failed, "it is no failure of the server")
	})
}

func TestUploadsTakeTurns(t *testing.T) {
	uploads(t, hanging, func(t *testing.T, f *uploadFixture) {
		ids := []string{f.checked(t), f.checked(t), f.checked(t)}
		others, err := f.receiveFrom(t, boris, twoOfThree)
		require.NoError(t, err)
		synctest.Wait()
		for _, id := range ids {
			require.NoError(t, f.use.Start(t.Context(), anna, id, false))
		}
		require.ErrorIs(t, f.use.Start(t.Context(), boris, others, false), ports.ErrBusy)
		_, err = f.receive(t, twoOfThree)
		require.ErrorIs(t, err, ports.ErrBusy)
		upload, err := f.store.Find(t.Context(), boris, others)
		require.NoError(t, err)
		require.Equal(t, domain.UploadChecked, upload.State, "it can be started later")
		time.Sleep(time.Minute)
		for _, id := range ids {
			require.False(t, f.upload(t, id).IsInterrupted(), "waiting jobs send heartbeats")
		}
		for range ids {
			f.resume <- struct{}{}
			synctest.Wait()
		}
		for _, id := range ids {
			require.Equal(t, domain.UploadImported, f.upload(t, id).State)
		}
		require.NoError(t, f.use.Start(t.Context(), boris, others, false))
		f.resume <- struct{}{}
	})
}

// One job of a user runs and a few wait, however many slots are free. Jobs of other users run concurrently.
func TestJobsOfAUserAreLimited(t *testing.T) {
	uploads(t, hanging, func(t *testing.T, f *uploadFixture) {
		f.stop()
		f.worker.Concurrency, f.worker.Queue = 4, 64
		f.run()
		var ids []string
		for range 3 {
			ids = append(ids, f.checked(t))
		}
		for _, id := range ids {
			require.NoError(t, f.use.Start(t.Context(), anna, id, false))
		}
		_, err := f.receive(t, twoOfThree)
		require.NoError(t, err)
		_, err = f.receive(t, twoOfThree)
		require.ErrorIs(t, err, ports.ErrBusy, "the limit of jobs")
		others, err := f.receiveFrom(t, boris, twoOfThree)
		require.NoError(t, err)
		synctest.Wait()
		upload, err := f.store.Find(t.Context(), boris, others)
		require.NoError(t, err)
		require.Equal(t, domain.UploadChecked, upload.State, "another user does not wait")
		for done := range ids {
			f.resume <- struct{}{}
			synctest.Wait()
			imported := 0
			for _, id := range ids {
				if f.upload(t, id).State == domain.UploadImported {
					imported++
				}
			}
			require.Equal(t, done+1, imported, "jobs of a user run one at a time")
		}
	})
}

func TestUploadWaitsForOtherImports(t *testing.T) {
	attempts := []error{ports.ErrBusy, ports.ErrKeyRunning, ports.ErrBusy}
	uploads(t, func(_ *uploadFixture, r ports.Importing) ports.Importing {
		return interceptedImports{r, func(context.Context, ports.ImportRequest) (err error) {
			if len(attempts) > 0 {
				err, attempts = attempts[0], attempts[1:]
			}
			return err
		}}
	}, func(t *testing.T, f *uploadFixture) {
		id, err := f.receive(t, twoOfThree)
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		require.Equal(t, domain.UploadChecked, f.upload(t, id).State)
		require.Empty(t, attempts)
	})
}

func TestUploadFails(t *testing.T) {
	for _, c := range []struct {
		name     string
		begin    func() error
		want     domain.UploadState
		failure  domain.UploadFailure
		reported string
	}{
		{"TooManyRecords", func() error { return domain.ErrTooManyRecords }, domain.UploadFailed, domain.UploadTooManyRecords, ""},
		{"TooSlow", func() error { return domain.ErrTooSlow }, domain.UploadFailed, domain.UploadTooSlow, ""},
		{"Bug", func() error { return errors.New("a bug") }, domain.UploadFailed, domain.UploadInternal, "a bug"},
		{"Panic", func() error { panic("a bug") }, domain.UploadFailed, domain.UploadInternal, "a bug"},
		{"DatabaseIsUnreachable", func() error { return ports.ErrUnavailable }, domain.UploadChecking, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			uploads(t, func(_ *uploadFixture, r ports.Importing) ports.Importing {
				return interceptedImports{r, func(context.Context, ports.ImportRequest) error { return c.begin() }}
			}, func(t *testing.T, f *uploadFixture) {
				id, err := f.receive(t, twoOfThree)
				require.NoError(t, err)
				got := f.upload(t, id)
				require.Equal(t, c.want, got.State)
				require.Equal(t, c.failure, got.Failure)
				require.Equal(t, c.want == domain.UploadChecking, got.IsInterrupted())
				if c.reported == "" {
					require.Empty(t, f.failed)
				} else {
					require.Len(t, f.failed, 1)
					require.Contains(t, f.failed[0], c.reported)
				}
			})
		})
	}
}

func TestFewRejectionsAreStored(t *testing.T) {
	uploads(t, nil, func(t *testing.T, f *uploadFixture) {
		id, err := f.receive(t, "["+strings.Repeat("7,", 99)+"7]")
		require.NoError(t, err)
		got := f.upload(t, id)
		require.Len(t, got.Rejections, ports.MaxRejectionsShown)
		require.Equal(t, 100, got.Done.Rejected)
	})
}

// class is a decoder of JSON that pretends to read sheets of a workbook.
type class struct{ fake.Decoder }

func (class) Layout(_ *io.SectionReader, hint ports.FileHint) (ports.FileLayout, error) {
	return ports.FileLayout{Format: ports.FormatXLSX, Columns: []ports.FileColumn{{Header: strings.Join(hint.Sheets, "+")}}}, nil
}

func (c class) Candidates(r *io.SectionReader, hint ports.FileHint, notes *ports.FileNotes) iter.Seq2[*domain.Candidate, error] {
	for _, name := range []string{"5А", "5Б"} {
		notes.AddSheet(name, 3, slices.Contains(hint.Sheets, name))
	}
	return rows{c.Decoder}.Candidates(r, hint, notes)
}

// After a dry run the user can choose sheets and the order of dates, and gets another one.
func TestUploadIsReadInAnotherWay(t *testing.T) {
	asClass := func(f *uploadFixture, _ ports.Importing) ports.Importing {
		f.fixture.config.Decoder = class{}
		return application.NewImportUsers(f.fixture.config)
	}
	const file = `[{"last_name":"A","first_name":"B","patronymic":"C","login":"one","email":"one@example.com","birthday":"12/31/1990"},
		{"last_name":"A","first_name":"B","patronymic":"C","login":"two","email":"two@example.com","birthday":"01/02/1990"}, 7]`
	uploads(t, asClass, func(t *testing.T, f *uploadFixture) {
		f.stop()
		f.worker.Decoder, f.config.Decoder = class{}, class{}
		f.run()
		id, err := f.receive(t, file)
		require.NoError(t, err)
		got := f.upload(t, id)
		require.Equal(t, domain.UploadChecked, got.State)
		require.Equal(t, domain.Tally{Records: 3, Registered: 1, Rejected: 2}, got.Done.Tally)
		require.Equal(t, ports.FileNotes{Sheets: []ports.SheetNote{{Name: "5А", Rows: 3}, {Name: "5Б", Rows: 3}}, AmbiguousDates: 1}, got.Layout.Notes)

		require.ErrorIs(t, f.use.Choose(t.Context(), anna, id, ports.FileHint{Sheets: []string{"5А", "5В"}}), ports.ErrChanged, "a sheet that is not there")
		require.ErrorIs(t, f.use.Choose(t.Context(), boris, id, ports.FileHint{}), ports.ErrNotFound)
		require.NoError(t, f.use.Choose(t.Context(), anna, id, ports.FileHint{Sheets: []string{"5Б"}, Dates: domain.MonthFirst, Charset: "koi8-r"}))
		got = f.upload(t, id)
		require.Equal(t, domain.UploadChecked, got.State)
		require.Equal(t, ports.FileHint{Name: "people.json", Sheets: []string{"5Б"}, Dates: domain.MonthFirst}, got.Hint, "the encoding was clear")
		require.Equal(t, domain.Tally{Records: 3, Registered: 2, Rejected: 1}, got.Done.Tally)
		require.Len(t, got.Rejections, 1, "those of the first dry run are gone")
		require.Equal(t, "5Б", got.Layout.Columns[0].Header)
		require.Equal(t, ports.FileNotes{Sheets: []ports.SheetNote{{Name: "5А", Rows: 3}, {Name: "5Б", Rows: 3, Read: true}}}, got.Layout.Notes)

		require.NoError(t, f.use.Start(t.Context(), anna, id, false))
		got = f.upload(t, id)
		require.Equal(t, domain.UploadImported, got.State)
		require.Equal(t, 2, got.Done.Registered)
		require.ErrorIs(t, f.use.Choose(t.Context(), anna, id, ports.FileHint{}), ports.ErrChanged, "it is over")
	})
}
