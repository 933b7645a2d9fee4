package postgres_test

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/contract"
	"rollcall/test/fake"
	"rollcall/test/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

func open(t *testing.T, url string) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func TestImports(t *testing.T) {
	contract.Imports(t, func(t *testing.T) contract.ImportsSubject {
		t.Helper()
		url := pgtest.New(t)
		return contract.ImportsSubject{
			Store:    postgres.NewImports(open(t, url), time.Now),
			Accounts: func() []domain.Account { return accounts(t, url) },
			Records:  func() []fake.Record { return records(t, url) },
		}
	})
}

// accounts makes what is stored valid values again.
func accounts(t *testing.T, url string) []domain.Account {
	t.Helper()
	type row struct {
		Hash, Login, LoginKey   string
		Email, EmailKey, Phone  *string
		First, Last, Patronymic string
		Birthday                *time.Time
		RegDate                 time.Time
	}
	var all []domain.Account
	for _, r := range pgtest.Query[row](t, url, `
		select password_hash, login, login_key, email, email_key, phone, fname, lname, patr, birthday, reg_date
		from users join profiles on profiles.user_id = users.id order by users.id`) {
		var a domain.Account
		var vs [6]domain.Violations
		a.PasswordHash = r.Hash
		reg := &a.Registration
		reg.Login, vs[0] = domain.NewLogin(r.Login)
		reg.Name.First, vs[1] = domain.NewFirstName(r.First)
		reg.Name.Last, vs[2] = domain.NewLastName(r.Last)
		reg.Name.Patronymic, vs[3] = domain.NewPatronymic(r.Patronymic)
		require.Equal(t, reg.Login.Key(), r.LoginKey)
		if r.Email != nil {
			reg.Email, vs[4] = domain.NewEmail(*r.Email)
			require.Equal(t, reg.Email.Key(), *r.EmailKey)
		}
		if r.Phone != nil {
			reg.Phone, vs[5] = domain.NewPhone("+"+*r.Phone, "US")
			require.Equal(t, reg.Phone.String(), *r.Phone)
		}
		require.Equal(t, [6]domain.Violations{}, vs)
		if r.Birthday != nil {
			var violations domain.Violations
			reg.Birthday, violations = domain.NewBirthday(r.Birthday.Format(time.DateOnly), domain.DateOf(time.Now()))
			require.Nil(t, violations)
		}
		require.WithinDuration(t, time.Now(), r.RegDate, time.Minute)
		all = append(all, a)
	}
	return all
}

func records(t *testing.T, url string) []fake.Record {
	t.Helper()
	type codeRow struct {
		ID               int64
		Code             int
		Method           string
		Date             time.Time
		Description      string
		Created, Refused int
		Token            *string
		Unkept           int
		UserID           *int64
	}
	type badUserRow struct {
		Object      int
		Login       *string
		Description string
		Violations  []byte
		Original    []byte
	}
	var all []fake.Record
	for _, c := range pgtest.Query[codeRow](t, url, `select id, code, method, date, description, created, refused, token, unkept, user_id from codes order by id`) {
		require.Equal(t, "POST", c.Method)
		require.WithinDuration(t, time.Now(), c.Date, time.Minute)
		record := fake.Record{ID: c.ID, Status: c.Code, Description: c.Description, Created: c.Created, Refused: c.Refused, Unkept: c.Unkept}
		if c.Token != nil {
			require.NotEmpty(t, *c.Token)
			record.Token = *c.Token
		}
		if c.UserID != nil {
			require.NotZero(t, *c.UserID)
			record.User = *c.UserID
		}
		for _, b := range pgtest.Query[badUserRow](t, url,
			`select object_id, login, description, violations::text, original::text from bad_users where code_id = $1 order by object_id`, c.ID) {
			rejection := domain.Rejection{Record: b.Object, Description: b.Description, Original: b.Original}
			if b.Login != nil {
				rejection.Login = *b.Login
			}
			require.NoError(t, json.Unmarshal(b.Violations, &rejection.Violations))
			if len(rejection.Violations) == 0 {
				rejection.Violations = nil
			}
			record.Rejections = append(record.Rejections, rejection)
		}
		all = append(all, record)
	}
	return all
}

func TestMigrateTakesTurns(t *testing.T) {
	url := pgtest.New(t)
	pgtest.Query[struct{}](t, url, `drop schema public cascade`)
	pgtest.Query[struct{}](t, url, `create schema public`)
	db := open(t, url)
	require.ErrorIs(t, db.Ready(t.Context()), ports.ErrUnavailable)
	var all sync.WaitGroup
	for range 4 { // instances that start at once
		all.Go(func() { require.NoError(t, postgres.Migrate(t.Context(), url)) })
	}
	all.Wait()
	require.NoError(t, db.Ready(t.Context()))
	tables := pgtest.Query[struct{ Name string }](t, url, `
		select table_name::text from information_schema.tables where table_schema = 'public' and table_name not like 'bun_%' order by 1`)
	require.Equal(t, []struct{ Name string }{
		{"access_tokens"},
		{"bad_users"},
		{"code_reasons"},
		{"codes"},
		{"idempotency_keys"},
		{"limits"},
		{"outcomes"},
		{"profiles"},
		{"reason_statistics"},
		{"roles"},
		{"sessions"},
		{"setup_codes"},
		{"statistics"},
		{"upload_parts"},
		{"uploads"},
		{"users"},
	}, tables)
}

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

// An import whose connection is cut begins again by itself.
func TestLostConnection(t *testing.T) {
	url := pgtest.New(t)
	store := postgres.NewImports(open(t, url), time.Now)
	runs := 0
	object := contract.Record(t, 1)
	id, err := store.Do(t.Context(), ports.ImportMode{Exclusive: true}, func(ctx context.Context, tx ports.ImportTx) error {
		runs++
		_, err := tx.Taken(ctx, []domain.Record{object})
		if err != nil {
			return err
		}
		if runs == 1 {
			pgtest.Query[struct{ OK bool }](t, url, `select pg_terminate_backend(pid) from pg_stat_activity
				where datname = current_database() and pid <> pg_backend_pid()`)
		}
		err = tx.Add(ctx, []domain.Account{{Registration: object.Registration, PasswordHash: "x"}}, nil)
		if err != nil {
			return err
		}
		return tx.Finish(ctx, domain.Tally{Records: 1, Registered: 1}, nil)
	})
	require.NoError(t, err)
	require.Equal(t, 2, runs)
	require.Len(t, accounts(t, url), 1)
	require.Len(t, records(t, url), 1)
	require.Equal(t, id, records(t, url)[0].ID)
}

// A hopeful import finds those who are registered already, however late they come.
func TestManyBatches(t *testing.T) {
	url := pgtest.New(t)
	store := postgres.NewImports(open(t, url), time.Now)
	created := 0
	for range 2 {
		_, err := store.Do(t.Context(), ports.ImportMode{Exclusive: true}, func(ctx context.Context, tx ports.ImportTx) error {
			created = 0
			for batch := range 12 {
				objects := []domain.Record{contract.Record(t, 2*batch), contract.Record(t, 2*batch+1), contract.Record(t, batch)}
				for again := true; again; {
					taken, err := tx.Taken(ctx, objects)
					require.NoError(t, err)
					var admitted []domain.Account
					for i := range objects {
						if taken.Admit(&objects[i]) == nil {
							admitted = append(admitted, domain.Account{Registration: objects[i].Registration, PasswordHash: "x"})
						}
					}
					err = tx.Add(ctx, admitted, nil)
					again = err != nil
					if again {
						require.ErrorIs(t, err, ports.ErrTaken)
						continue
					}
					created += len(admitted)
				}
			}
			return tx.Finish(ctx, domain.Tally{Records: 36, Registered: created, Rejected: 36 - created}, nil)
		})
		require.NoError(t, err)
		require.Len(t, accounts(t, url), 24)
	}
	require.Zero(t, created)
}
