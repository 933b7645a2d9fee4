package postgres_test

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/pgtest"
)

func changeAccount(t *testing.T, db *postgres.DB, id int64, change ports.AccountChange) {
	t.Helper()
	ctx := ports.WithOrigin(t.Context(), ports.Origin{Actor: domain.UserActor(99), Address: "192.0.2.1", Request: "r-1"})
	require.NoError(t, postgres.NewDirectory(db).Change(ctx, id, func(*domain.User) (ports.AccountChange, error) { return change, nil }))
}

// What names a deleted person goes: kept answers, the records that were rejected with the login as they came. Those of others stay.
func TestDeletionForgetsThePerson(t *testing.T) {
	url := pgtest.New(t)
	db := open(t, url)
	_, err := db.Pool().Exec(t.Context(), `
		insert into codes (code, description) values (200, 'x'), (200, 'x');
		insert into users (login, login_key, password_hash, phone, code_id) values ('Anna', 'anna', 'x', '1', 1), ('boris', 'boris', 'x', '2', 2);
		insert into profiles (fname, lname, patr, user_id) values ('x', 'x', 'x', 1), ('x', 'x', 'x', 2);
		insert into idempotency_keys (key, code_id, objects, fingerprint, salt, expires)
			select sha256(id::text::bytea), id, 1, 'x', 'x', now() + interval '1 day' from codes;
		insert into outcomes (key, part, outcomes) select key, 1, 'x' from idempotency_keys;
		insert into bad_users (code_id, object_id, login, login_key, description, violations, original) values
			(1, 1, 'ANNA', 'anna', 'x', '[]', '{"login":"ANNA"}'), (2, 1, 'boris', 'boris', 'x', '[]', '{"login":"boris"}');
		insert into sign_ins (user_id, at, address, browser) values (1, now(), 'x', 'x')`)
	require.NoError(t, err)
	changeAccount(t, db, 1, ports.AccountChange{Action: domain.ActionDeleted, Deleted: true})
	left := pgtest.Query[struct {
		Keys, Outcomes, Profiles, SignIns, Originals, Rejections int64
		Whose                                                    string
	}](t, url, `
		select (select count(*) from idempotency_keys), (select count(*) from outcomes), (select count(*) from profiles),
			(select count(*) from sign_ins), (select count(original) from bad_users), (select count(*) from bad_users),
			(select string_agg(login, ' ') from bad_users where original is not null)`)
	require.Len(t, left, 1)
	require.Equal(t, []int64{2, 1, 1, 0, 1, 2}, []int64{left[0].Keys, left[0].Outcomes, left[0].Profiles, left[0].SignIns, left[0].Originals, left[0].Rejections})
	require.Equal(t, "boris", left[0].Whose)
}

// A change does not wait for one of many people, which may take minutes.
func TestChangeOfLockedAccount(t *testing.T) {
	url := pgtest.New(t)
	db := open(t, url)
	_, err := db.Pool().Exec(t.Context(), `
		insert into users (login, login_key, password_hash, phone) values ('anna', 'anna', 'x', '1');
		insert into profiles (fname, lname, patr, user_id) values ('x', 'x', 'x', 1)`)
	require.NoError(t, err)
	tx, err := db.Pool().Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(context.Background())) }()
	_, err = tx.Exec(t.Context(), "select from users for update")
	require.NoError(t, err)
	err = postgres.NewDirectory(db).Change(t.Context(), 1, func(*domain.User) (ports.AccountChange, error) {
		return ports.AccountChange{Action: domain.ActionRestored}, nil
	})
	require.ErrorIs(t, err, ports.ErrLocked)
	require.ErrorIs(t, err, ports.ErrUnavailable)
}

// A change of many people in several batches needs one connection, and uses two if they are free.
func TestChangeManyInBatches(t *testing.T) {
	const people, batches = 10_000, 6
	for _, connections := range []int{1, 16} {
		t.Run(strconv.Itoa(connections), func(t *testing.T) {
			url := pgtest.New(t)
			db := open(t, fmt.Sprint(url, "&pool_max_conns=", connections))
			pgtest.Query[struct{}](t, url, fmt.Sprintf(`
				insert into users (login, login_key, password_hash, phone) select 'U' || n, 'u' || n, 'old ' || n, '7' || n from generate_series(1, %d) n`, people))
			mode := ports.BulkMode{Selection: ports.UserSelection{IDs: []int64{}}, Key: domain.ImportKey{Upload: "one"}}
			for n := range people {
				mode.Selection.IDs = append(mode.Selection.IDs, int64(people-n))
			}
			got := 0
			require.NoError(t, postgres.NewDirectory(db).ChangeMany(t.Context(), mode, func(ctx context.Context, tx ports.BulkTx) error {
				last := int64(0)
				users, err := tx.Next(ctx)
				for ; len(users) > 0; users, err = tx.Next(ctx) {
					got++
					changes := make([]ports.AccountChange, len(users))
					for i, selected := range users {
						last++
						require.Equal(t, last, selected.User.ID)
						made := domain.StoredPassword{Hash: "new " + selected.User.Password.Hash, Made: time.Now()}
						changes[i] = ports.AccountChange{Action: domain.ActionPasswordReplaced, Password: &made}
					}
					require.NoError(t, tx.Change(ctx, changes))
				}
				require.NoError(t, err)
				require.EqualValues(t, people, last)
				return tx.Finish(ctx, domain.Tally{}, &ports.Answer{Expires: time.Now(), Outcomes: strings.NewReader("")}, domain.AuditEntry{Action: domain.ActionManyChanged})
			}))
			require.Equal(t, batches, got)
			changed := pgtest.Query[struct{ Users, Entries int64 }](t, url, `
				select (select count(*) from users where password_hash = 'new old ' || id),
					(select count(distinct user_id) from audit where action = 'account.password_replaced')`)[0]
			require.EqualValues(t, people, changed.Users)
			require.EqualValues(t, people, changed.Entries)
		})
	}
}

func TestSuspensionEndsUploads(t *testing.T) {
	url := pgtest.New(t)
	store, anna, boris := uploadStore(t, url)
	db := open(t, url)
	for id, upload := range map[string]ports.Upload{
		"waits": {User: anna, State: domain.UploadChecked}, "works": {User: anna, State: domain.UploadChecking, Job: "job"},
		"imported": {User: anna, State: domain.UploadImported}, "of Boris": {User: boris, State: domain.UploadChecked},
	} {
		upload.ID, upload.Size = id, 1
		require.NoError(t, store.Create(t.Context(), &upload, ports.UploadShare{Uploads: 100, Bytes: 1 << 20}, strings.NewReader("x")))
	}
	changeAccount(t, db, anna, ports.AccountChange{Suspended: time.Now()})
	_, err := store.Find(t.Context(), anna, "waits")
	require.ErrorIs(t, err, ports.ErrNotFound)
	require.ErrorIs(t, store.Load(t.Context(), "waits", io.Discard), ports.ErrNotFound)
	isCancelled, err := store.Beat(t.Context(), "works", "job", domain.Progress{})
	require.NoError(t, err)
	require.True(t, isCancelled)
	_, err = store.Find(t.Context(), anna, "imported")
	require.NoError(t, err)
	_, err = store.Find(t.Context(), boris, "of Boris")
	require.NoError(t, err)
}

// Accounts from before the migration may have come by an import or by the form. The previous version, which runs beside this one, leaves
// that open, too.
func TestMigrationOfDirectory(t *testing.T) {
	const insert = `insert into users (login, login_key, password_hash, phone) values ('x', 'x', 'x', '1')`
	db := open(t, pgtest.New(t))
	migrateOver(t, db, "20261126000100", insert)
	user, err := postgres.NewAccounts(db).User(t.Context(), 1)
	require.NoError(t, err)
	require.Zero(t, user.Import)
	require.False(t, user.Self)
	require.False(t, user.IsSuspended())
	require.False(t, user.ChangeRequired)
	_, err = db.Pool().Exec(t.Context(), strings.ReplaceAll(insert, "'x', 'x', 'x', '1'", "'y', 'y', 'x', '2'"))
	require.NoError(t, err)
	user, err = postgres.NewAccounts(db).User(t.Context(), 2)
	require.NoError(t, err)
	require.False(t, user.Self)
}

// Sessions from before the migration are not listed until they are extended. So are those that the previous version begins beside this one.
func TestMigrationOfSessions(t *testing.T) {
	db := open(t, pgtest.New(t))
	const session = `insert into sessions (k, v, e) values ('%s', 'x', extract(epoch from now())::bigint + 60);`
	migrateOver(t, db, "20261126000130", `insert into users (login, login_key, password_hash, phone) values ('x', 'x', 'x', '1');`+fmt.Sprintf(session, "before"))
	_, err := db.Pool().Exec(t.Context(), fmt.Sprintf(session, "beside"))
	require.NoError(t, err)
	directory := postgres.NewDirectory(db)
	listed, err := directory.Sessions(t.Context(), 1)
	require.NoError(t, err)
	require.Empty(t, listed)
	user, err := postgres.NewAccounts(db).User(t.Context(), 1)
	require.NoError(t, err)
	described := domain.NewSession(1, user.Password.Made, time.Now(), time.Now(), "192.0.2.1", "Firefox")
	require.NoError(t, postgres.NewSessions(db).Describe(t.Context(), "before", described))
	listed, err = directory.Sessions(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, []domain.Session{*described}, listed)
}

// The previous version, which runs beside this one, stores answers of imports without what bulk changes need, and uploads without changes.
func TestMigrationOfBulkChanges(t *testing.T) {
	const insert = `
		insert into users (login, login_key, password_hash, phone) values ('x', 'x', 'x', '1');
		insert into codes (id, code, description, created, refused) values (7, 200, 'x', 2, 1);
		insert into idempotency_keys (key, code_id, objects, fingerprint, salt, expires)
			values (sha256('upload a'), 7, 3, 'x', 'salt', now() + interval '1 day');
		insert into uploads (id, user_id, name, hint, size, layout, state, strict) values ('a', 1, 'x', '{}', 1, '{}', 'imported', false)`
	db := open(t, pgtest.New(t))
	migrateOver(t, db, "20261126000120", insert)
	answer, err := postgres.NewImports(db, time.Now).Recall(t.Context(), domain.ImportKey{Upload: "a"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, domain.Tally{Records: 3, Registered: 2, Rejected: 1}, answer.Tally)
	require.EqualValues(t, 7, answer.Import)
	upload, err := postgres.NewFileUploads(db).Find(t.Context(), 1, "a")
	require.NoError(t, err)
	require.Nil(t, upload.Change)
}

// Each user of a bulk change has an entry, and so has the change.
func TestBulkChangeIsInTheAudit(t *testing.T) {
	url := pgtest.New(t)
	db := open(t, url)
	_, err := db.Pool().Exec(t.Context(), `
		insert into users (login, login_key, password_hash, phone) select 'u' || n, 'u' || n, 'x', n::text from generate_series(1, 3) n`)
	require.NoError(t, err)
	ctx := ports.WithOrigin(t.Context(), ports.Origin{Actor: domain.UserActor(99), Address: "192.0.2.1", Request: "r-1"})
	mode := ports.BulkMode{Selection: ports.UserSelection{IDs: []int64{3, 1}}, Key: domain.ImportKey{Upload: "a"}}
	require.NoError(t, postgres.NewDirectory(db).ChangeMany(ctx, mode, func(ctx context.Context, tx ports.BulkTx) error {
		users, err := tx.Next(ctx)
		require.NoError(t, err)
		require.Len(t, users, 2)
		suspended := ports.AccountChange{Action: domain.ActionSuspended, Suspended: time.Now()}
		require.NoError(t, tx.Change(ctx, []ports.AccountChange{suspended, suspended}))
		entry := domain.AuditEntry{Action: domain.ActionManyChanged, After: map[string]any{"selected": 2}}
		return tx.Finish(ctx, domain.Tally{}, &ports.Answer{Expires: time.Now().Add(time.Hour), Outcomes: strings.NewReader("")}, entry)
	}))
	page, err := postgres.NewAudit(db).Entries(t.Context(), ports.AuditQuery{Limit: 10})
	require.NoError(t, err)
	require.Len(t, page.Entries, 3)
	for i, want := range []domain.AuditEntry{
		{Action: domain.ActionManyChanged, After: map[string]any{"selected": 2.0}},
		{Action: domain.ActionSuspended, User: 3, Login: "u3"},
		{Action: domain.ActionSuspended, User: 1, Login: "u1"},
	} {
		got := page.Entries[i]
		require.Equal(t, "user:99", got.Actor.Key())
		require.Equal(t, "r-1", got.Request)
		want.ID, want.Time, want.Actor, want.Address, want.Request = got.ID, got.Time, got.Actor, "192.0.2.1", "r-1"
		require.Equal(t, want, got)
	}
}
