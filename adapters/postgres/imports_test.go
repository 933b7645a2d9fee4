package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/adapters/postgres/groupcommit"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/contract"
	"rollcall/test/fake"
	"rollcall/test/pgtest"
)

func TestImports(t *testing.T) {
	t.Parallel() // as its parts, it mostly waits for the server
	subject := func(as func(*testing.T, string) string, store func(*postgres.Imports) ports.ImportStore) func(*testing.T) contract.ImportsSubject {
		return func(t *testing.T) contract.ImportsSubject {
			t.Helper()
			url := pgtest.New(t)
			return contract.ImportsSubject{
				Store:    store(postgres.NewImports(open(t, as(t, url)), time.Now)),
				Accounts: func() []domain.Account { return storedAccounts(t, url) },
				Recorded: func() []fake.ImportRecord { return storedImports(t, url) },
			}
		}
	}
	single := func(store *postgres.Imports) ports.ImportStore { return store }
	t.Run("each in its own transaction", func(t *testing.T) {
		t.Parallel()
		contract.Imports(t, subject(owner, single))
	})
	t.Run("by a role that may not skip triggers", func(t *testing.T) {
		t.Parallel()
		contract.Imports(t, subject(withoutParameter, single))
	})
	t.Run("small ones in shared transactions", func(t *testing.T) {
		t.Parallel()
		contract.Imports(t, subject(owner, func(store *postgres.Imports) ports.ImportStore {
			return withoutLookUp(t, groupcommit.New(store))
		}))
	})
}

// withoutLookUp runs an import of one record that fails after its look-up. The store does not look up the keys of the next one.
func withoutLookUp(t *testing.T, store ports.ImportStore) ports.ImportStore {
	t.Helper()
	failed := errors.New("failed")
	_, err := store.Do(t.Context(), ports.ImportMode{Records: []domain.Record{contract.Record(t, 0)}}, func(context.Context, ports.ImportTx) error { return failed })
	require.ErrorIs(t, err, failed)
	return store
}

// storedAccounts returns the stored accounts as valid values.
func storedAccounts(t *testing.T, url string) []domain.Account {
	t.Helper()
	type row struct {
		Hash, Login, LoginKey   string
		Email, EmailKey, Phone  *string
		First, Last, Patronymic string
		Birthday                *time.Time
		Group                   *string
		RegDate                 time.Time
	}
	var all []domain.Account
	for _, r := range pgtest.Query[row](t, url, `
		select password_hash, login, login_key, email, email_key, phone, fname, lname, patr, birthday, group_name, reg_date
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
		if r.Group != nil {
			var violations domain.Violations
			reg.Group, violations = domain.NewGroup(*r.Group)
			require.Nil(t, violations)
		}
		require.WithinDuration(t, time.Now(), r.RegDate, time.Minute)
		all = append(all, a)
	}
	return all
}

func storedImports(t *testing.T, url string) []fake.ImportRecord {
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
		Sheet       *string
		Line        *int
		Login       *string
		Description string
		Violations  []byte
		Original    []byte
	}
	var all []fake.ImportRecord
	for _, c := range pgtest.Query[codeRow](t, url, `select id, code, method, date, description, created, refused, token, unkept, user_id from codes order by id`) {
		require.Equal(t, "POST", c.Method)
		require.WithinDuration(t, time.Now(), c.Date, time.Minute)
		record := fake.ImportRecord{ID: c.ID, Status: c.Code, Description: c.Description, Registered: c.Created, Rejected: c.Refused, Unkept: c.Unkept}
		if c.Token != nil {
			require.NotEmpty(t, *c.Token)
			record.Token = *c.Token
		}
		if c.UserID != nil {
			require.NotZero(t, *c.UserID)
			record.User = *c.UserID
		}
		for _, b := range pgtest.Query[badUserRow](t, url,
			`select object_id, sheet, line, login, description, violations::text, original::text from bad_users where code_id = $1 order by object_id`, c.ID) {
			rejection := domain.Rejection{Record: b.Object, Description: b.Description, Original: b.Original}
			if b.Sheet != nil {
				require.NotEmpty(t, *b.Sheet)
				rejection.Sheet = *b.Sheet
			}
			if b.Line != nil {
				require.NotZero(t, *b.Line)
				rejection.Line = *b.Line
			}
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

// An import whose connection is lost runs again.
func TestLostConnection(t *testing.T) {
	url := pgtest.New(t)
	store := postgres.NewImports(open(t, url), time.Now)
	runs := 0
	record := contract.Record(t, 1)
	id, err := store.Do(t.Context(), ports.ImportMode{Exclusive: true}, func(ctx context.Context, tx ports.ImportTx) error {
		runs++
		_, err := tx.Taken(ctx, []domain.Record{record})
		if err != nil {
			return err
		}
		if runs == 1 {
			pgtest.Query[struct{ OK bool }](t, url, `select pg_terminate_backend(pid) from pg_stat_activity
				where datname = current_database() and pid <> pg_backend_pid()`)
		}
		err = tx.Add(ctx, []domain.Account{{Registration: record.Registration, PasswordHash: "x"}}, nil)
		if err != nil {
			return err
		}
		return tx.Finish(ctx, domain.Tally{Records: 1, Registered: 1}, nil)
	})
	require.NoError(t, err)
	require.Equal(t, 2, runs)
	require.Len(t, storedAccounts(t, url), 1)
	require.Len(t, storedImports(t, url), 1)
	require.Equal(t, id, storedImports(t, url)[0].ID)
	require.Equal(t, []struct{ Imports int }{{1}}, pgtest.Query[struct{ Imports int }](t, url, `select count(*)::int as imports from audit`), "the undone run leaves no entry")
}

// An import that copies without looking up still finds users who are registered already, in any batch.
func TestTakenKeysInAnyBatch(t *testing.T) {
	url := pgtest.New(t)
	store := postgres.NewImports(open(t, url), time.Now)
	created := 0
	for range 2 {
		_, err := store.Do(t.Context(), ports.ImportMode{Exclusive: true}, func(ctx context.Context, tx ports.ImportTx) error {
			created = 0
			for batch := range 12 {
				records := []domain.Record{contract.Record(t, 2*batch), contract.Record(t, 2*batch+1), contract.Record(t, batch)}
				for clashed := true; clashed; {
					taken, err := tx.Taken(ctx, records)
					require.NoError(t, err)
					var admitted []domain.Account
					for i := range records {
						if taken.Admit(&records[i]) == nil {
							admitted = append(admitted, domain.Account{Registration: records[i].Registration, PasswordHash: "x"})
						}
					}
					err = tx.Add(ctx, admitted, nil)
					clashed = err != nil
					if clashed {
						require.ErrorIs(t, err, ports.ErrTaken)
						continue
					}
					created += len(admitted)
				}
			}
			return tx.Finish(ctx, domain.Tally{Records: 36, Registered: created, Rejected: 36 - created}, nil)
		})
		require.NoError(t, err)
		require.Len(t, storedAccounts(t, url), 24)
	}
	require.Zero(t, created)
}
