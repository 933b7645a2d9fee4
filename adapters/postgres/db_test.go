package postgres_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/pgtest"
)

const unreachable = "postgres://127.0.0.1:1/none?connect_timeout=1"

func TestOpenRejectsInvalidURL(t *testing.T) {
	_, err := postgres.Open(t.Context(), "postgres://:bad:/")
	require.ErrorContains(t, err, "parse database URL")
}

func TestMigrateWithoutDatabase(t *testing.T) {
	require.Error(t, postgres.Migrate(t.Context(), unreachable))
}

// Every method reports a database that is unreachable.
func TestUnreachableDatabase(t *testing.T) {
	db := open(t, unreachable)
	accounts, registrations, roles := postgres.NewAccounts(db), postgres.NewRegistrations(db), postgres.NewRoles(db)
	imports, reports, uploads := postgres.NewImports(db, time.Now), postgres.NewReports(db), postgres.NewFileUploads(db)
	tokens, codes, limits := postgres.NewAccessTokens(db), postgres.NewSetupCodes(db), postgres.NewLimits(db)
	directory, sessions := postgres.NewDirectory(db), postgres.NewSessions(db)
	account := accountOf(t, 1)
	upload := ports.Upload{ID: "x", State: domain.UploadChecked}
	for _, c := range []struct {
		name string
		call func(context.Context) error
	}{
		{"Ready", db.Ready},
		{"Accounts.Find", func(ctx context.Context) error { return second(accounts.Find(ctx, domain.Identity{Login: "x"})) }},
		{"Accounts.User", func(ctx context.Context) error { return second(accounts.User(ctx, 1)) }},
		{"Accounts.UsePassword", func(ctx context.Context) error { return accounts.UsePassword(ctx, 1, "x", []byte("x")) }},
		{"Accounts.SetPassword", func(ctx context.Context) error {
			return accounts.SetPassword(ctx, 1, "x", domain.StoredPassword{Hash: "y", Made: time.Now()})
		}},
		{"Registrations.Taken", func(ctx context.Context) error { return second(registrations.Taken(ctx, &account.Registration)) }},
		{"Registrations.Create", func(ctx context.Context) error { return second(registrations.Create(ctx, account)) }},
		{"Directory.Sessions", func(ctx context.Context) error { return second(directory.Sessions(ctx, 1)) }},
		{"Sessions.Describe", func(ctx context.Context) error { return sessions.Describe(ctx, "x", &domain.Session{}) }},
		{"Roles.Grant", func(ctx context.Context) error {
			return roles.Grant(ctx, account.Registration.Login, domain.RoleOperator)
		}},
		{"Roles.List", func(ctx context.Context) (last error) {
			for _, err := range roles.List(ctx, "") {
				last = err
			}
			return last
		}},
		{"Imports.Reject", func(ctx context.Context) error {
			return second(imports.Reject(ctx, ports.RejectedImport{Status: 413, Description: "x"}))
		}},
		{"Imports.Recall", func(ctx context.Context) error {
			return second(imports.Recall(ctx, domain.ImportKey{Value: "key"}, io.Discard))
		}},
		{"Imports.Sweep", imports.Sweep},
		{"Reports.Statistics", func(ctx context.Context) error { return second(reports.Statistics(ctx, 20_000)) }},
		{"Reports.Imports", func(ctx context.Context) error { return second(reports.Imports(ctx, ports.ImportQuery{Limit: 1})) }},
		{"Reports.Imports of a period", func(ctx context.Context) error {
			return second(reports.Imports(ctx, ports.ImportQuery{Filter: domain.ReportFilter{From: time.Now()}, Limit: 1}))
		}},
		{"Reports.Rejections", func(ctx context.Context) error {
			return second(reports.Rejections(ctx, ports.RejectionQuery{Limit: 1}))
		}},
		{"Reports.Read", func(ctx context.Context) error {
			return reports.Read(ctx, ports.ReportQuery{}, func(ports.Report) error { return nil })
		}},
		{"Reports.EraseOriginals", func(ctx context.Context) error { return reports.EraseOriginals(ctx, time.Now()) }},
		{"Reports.RollUp", reports.RollUp},
		{"FileUploads.Create", func(ctx context.Context) error {
			return uploads.Create(ctx, &upload, ports.UploadShare{Uploads: 3}, strings.NewReader("x"))
		}},
		{"FileUploads.Find", func(ctx context.Context) error { return second(uploads.Find(ctx, 1, "x")) }},
		{"FileUploads.Latest", func(ctx context.Context) error { return second(uploads.Latest(ctx, 1, 1)) }},
		{"FileUploads.Change", func(ctx context.Context) error { return uploads.Change(ctx, &upload, &upload) }},
		{"FileUploads.Load", func(ctx context.Context) error { return uploads.Load(ctx, "x", io.Discard) }},
		{"FileUploads.Beat", func(ctx context.Context) error { return second(uploads.Beat(ctx, "x", "x", domain.Progress{})) }},
		{"FileUploads.Interrupt", func(ctx context.Context) error { return uploads.Interrupt(ctx, "x", "x") }},
		{"FileUploads.Sweep", func(ctx context.Context) error { return uploads.Sweep(ctx, time.Now()) }},
		{"AccessTokens.All", func(ctx context.Context) error { return second(tokens.All(ctx)) }},
		{"AccessTokens.Use", func(ctx context.Context) error { return second(tokens.Use(ctx, []byte("x"), time.Now())) }},
		{"AccessTokens.Create", func(ctx context.Context) error {
			return tokens.Create(ctx, &domain.AccessToken{Name: "x"}, []byte("x"))
		}},
		{"AccessTokens.Revoke", func(ctx context.Context) error { return tokens.Revoke(ctx, "x", time.Now()) }},
		{"SetupCodes.Create", func(ctx context.Context) error { return second(codes.Create(ctx, []byte("x"), time.Now())) }},
		{"SetupCodes.Check", func(ctx context.Context) error { return codes.Check(ctx, []byte("x"), time.Now()) }},
		{"SetupCodes.Use", func(ctx context.Context) error { return codes.Use(ctx, []byte("x"), time.Now(), 1) }},
		{"SetupCodes.Sweep", codes.Sweep},
		{"Limits.Take", func(ctx context.Context) error {
			return second(limits.Take(ctx, ports.Bucket{Key: "x", Size: 1, Refill: time.Hour}))
		}},
		{"Limits.Return", func(ctx context.Context) error { return limits.Return(ctx, ports.Bucket{Key: "x"}) }},
		{"Limits.Sweep", limits.Sweep},
	} {
		t.Run(c.name, func(t *testing.T) { require.ErrorIs(t, c.call(t.Context()), ports.ErrUnavailable) })
	}
}

// second returns the error of a call with another result.
func second[T any](_ T, err error) error { return err }

// Times do not depend on the time zone and the date style of the database.
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

func TestIsBusy(t *testing.T) {
	db := open(t, pgtest.New(t))
	isBusy, err := db.IsBusy(t.Context())
	require.NoError(t, err)
	require.False(t, isBusy)
	tx, err := db.Pool().Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(context.Background())) }()
	isBusy, err = db.IsBusy(t.Context())
	require.NoError(t, err)
	require.True(t, isBusy)
}
