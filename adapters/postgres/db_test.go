package postgres_test

import (
	"io"
	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/pgtest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNoDatabase(t *testing.T) {
	db := open(t, "postgres://127.0.0.1:1/none?connect_timeout=1")
	require.ErrorIs(t, db.Ready(t.Context()), ports.ErrUnavailable)
	account := accountOf(t, 1)
	registrations, store, limits := postgres.NewRegistrations(db), postgres.NewAccounts(db), postgres.NewLimits(db)
	_, errTaken := registrations.Taken(t.Context(), &account.Registration)
	_, errCreate := registrations.Create(t.Context(), account)
	_, errFind := store.Find(t.Context(), domain.Identity{Login: "x"})
	_, errUser := store.User(t.Context(), 1)
	_, errTake := limits.Take(t.Context(), ports.Bucket{Key: "x", Size: 1, Refill: time.Hour})
	imports := postgres.NewImports(db, time.Now)
	_, errRefuse := imports.Reject(t.Context(), ports.RejectedImport{Status: 413, Description: "x", Sender: domain.Sender{}})
	_, errRecall := imports.Recall(t.Context(), domain.ImportKey{Value: "key"}, io.Discard)
	uploads, upload := postgres.NewFileUploads(db), ports.Upload{ID: "x", State: domain.UploadChecked}
	_, errUpload := uploads.Find(t.Context(), 1, "x")
	_, errUploads := uploads.Latest(t.Context(), 1, 1)
	tokens := postgres.NewAccessTokens(db)
	_, errTokens := tokens.All(t.Context())
	_, errUse := tokens.Use(t.Context(), []byte("x"), time.Now())
	_, errBeat := uploads.Beat(t.Context(), "x", "x", domain.Progress{})
	codes := postgres.NewSetupCodes(db)
	_, errCode := codes.Create(t.Context(), []byte("x"), time.Now())
	roles := postgres.NewRoles(db)
	var errList error
	for _, err := range roles.List(t.Context(), "") {
		errList = err
	}
	for _, err := range []error{
		errCode, codes.Check(t.Context(), []byte("x"), time.Now()), codes.Use(t.Context(), []byte("x"), time.Now(), 1), codes.Sweep(t.Context()),
		errList, roles.Grant(t.Context(), account.Registration.Login, domain.RoleOperator),
		errUpload, errUploads, errBeat,
		uploads.Create(t.Context(), &upload, ports.UploadShare{Uploads: 3}, strings.NewReader("x")),
		uploads.Change(t.Context(), &upload, &upload),
		uploads.Load(t.Context(), "x", io.Discard),
		uploads.Interrupt(t.Context(), "x", "x"),
		uploads.Sweep(t.Context(), time.Now()),
		errTokens, errUse,
		tokens.Create(t.Context(), &domain.AccessToken{Name: "x"}, []byte("x")),
		tokens.Revoke(t.Context(), "x", time.Now()),
		errTaken, errCreate, errFind, errUser, errTake,
		errRefuse, errRecall,
		store.SetPassword(t.Context(), 1, "x", domain.StoredPassword{Hash: "y", Made: time.Now()}),
		limits.Return(t.Context(), ports.Bucket{Key: "x"}),
		limits.Sweep(t.Context()),
		imports.Sweep(t.Context()),
	} {
		require.ErrorIs(t, err, ports.ErrUnavailable)
	}
	require.Error(t, postgres.Migrate(t.Context(), "postgres://127.0.0.1:1/none?connect_timeout=1"))
	_, err := postgres.Open(t.Context(), "postgres://:bad:/")
	require.ErrorContains(t, err, "parse database URL")
}

func TestReportsWithoutDatabase(t *testing.T) {
	store := postgres.NewReports(open(t, "postgres://127.0.0.1:1/none?connect_timeout=1"))
	_, errStatistics := store.Statistics(t.Context(), 20_000)
	_, errImports := store.Imports(t.Context(), ports.ImportQuery{Limit: 1})
	_, errRejections := store.Rejections(t.Context(), ports.RejectionQuery{Limit: 1})
	for _, err := range []error{
		errStatistics, errImports, errRejections,
		store.Read(t.Context(), ports.ReportQuery{}, func(ports.Report) error { return nil }),
		store.EraseOriginals(t.Context(), time.Now()),
		store.RollUp(t.Context()),
	} {
		require.ErrorIs(t, err, ports.ErrUnavailable)
	}
}

// Whatever time zone and style of dates the database has, times are the same.
func TestTimesAreInUTC(t *testing.T) {
	url := pgtest.New(t)
	pgtest.Query[struct{}](t, url, `do $$ begin
		execute format('alter database %I set timezone to ''Asia/Kolkata''', current_database());
		execute format('alter database %I set datestyle to ''German''', current_database()); end $$`)
	db := open(t, url)
	id, err := postgres.NewRegistrations(db).Create(t.Context(), accountOf(t, 1))
	require.NoError(t, err)
	store := postgres.NewAccounts(db)
	made := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	require.NoError(t, store.SetPassword(t.Context(), id, "x", domain.StoredPassword{Hash: "y", Made: made}))
	user, err := store.User(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, made, user.Password.Made)
	require.WithinDuration(t, time.Now(), user.Registered, time.Minute)
	require.Equal(t, time.UTC, user.Registered.Location())
	require.Equal(t, "2000-02-29", user.Birthday.Time().Format(time.DateOnly))
}
