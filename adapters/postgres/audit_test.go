package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/contract"
	"rollcall/test/pgtest"
)

func TestAudit(t *testing.T) {
	contract.Audit(t, func(t *testing.T) ports.AuditStore {
		t.Helper()
		return postgres.NewAudit(open(t, pgtest.New(t)))
	})
}

// An entry of a transaction that commits late has a lower id than entries that were read before. It must not be missed.
func TestFollowFindsEntriesThatCommitLate(t *testing.T) {
	db := open(t, pgtest.New(t))
	audit := postgres.NewAudit(db)
	record := func(user int64) {
		t.Helper()
		require.NoError(t, audit.Record(t.Context(), domain.AuditEntry{Action: domain.ActionSignedIn, User: user}))
	}
	late := func(user int64) (commit func()) {
		t.Helper()
		tx, err := db.Pool().Begin(t.Context())
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), `insert into audit (actor, action, user_id) values ('system', 'sign_in.succeeded', $1)`, user)
		require.NoError(t, err)
		return func() { require.NoError(t, tx.Commit(t.Context())) }
	}
	record(1)
	commitFirst := late(2)
	record(3)
	var commitSecond func()
	steps := []func(){
		func() { commitSecond = late(4); record(5) },
		func() { commitFirst() },
		func() { record(6) },
		func() { commitSecond() },
		func() {},
	}
	var got []int64
	for entry, err := range audit.Follow(t.Context(), domain.AuditFilter{}) {
		require.NoError(t, err)
		if entry != nil {
			got = append(got, entry.User)
			continue
		}
		if len(steps) == 0 {
			break
		}
		steps[0]()
		steps = steps[1:]
	}
	require.Equal(t, []int64{1, 3, 5, 2, 6, 4}, got)
}

// Changes that the database undoes or rejects leave no entry.
func TestStoresRecordTheirChanges(t *testing.T) {
	url := pgtest.New(t)
	db := open(t, url)
	ctx := ports.WithOrigin(t.Context(), ports.Origin{Actor: domain.UserActor(99), Address: "192.0.2.1", Request: "r-1"})
	audit, account := postgres.NewAudit(db), accountOf(t, 1)
	registrations, accounts, roles := postgres.NewRegistrations(db), postgres.NewAccounts(db), postgres.NewRoles(db)
	tokens, codes := postgres.NewAccessTokens(db), postgres.NewSetupCodes(db)
	id, err := registrations.Create(ctx, account)
	require.NoError(t, err)
	_, err = registrations.Create(ctx, account)
	require.ErrorIs(t, err, ports.ErrTaken)

	user, err := accounts.User(ctx, id)
	require.NoError(t, err)
	renewed := domain.StoredPassword{Hash: "renewed", Made: user.Password.Made}
	require.NoError(t, accounts.SetPassword(ctx, id, user.Password.Hash, renewed), "the hash of the same password")
	require.NoError(t, accounts.SetPassword(ctx, id, "renewed", domain.StoredPassword{Hash: "new", Made: renewed.Made.Add(time.Second)}))
	require.ErrorIs(t, accounts.SetPassword(ctx, id, "renewed", renewed), ports.ErrChanged)

	require.NoError(t, accounts.SignedIn(ctx, id, "new", domain.SignIn{Time: time.Now()}))
	require.ErrorIs(t, accounts.SignedIn(ctx, id, "old", domain.SignIn{Time: time.Now()}), ports.ErrChanged)
	edited := accountOf(t, 3).Registration
	edited.Login = account.Registration.Login
	changeAccount(t, db, id, ports.AccountChange{Action: domain.ActionAccountEdited, Fields: []domain.Field{domain.FieldEmail}, Person: &edited})
	changeAccount(t, db, id, ports.AccountChange{})

	login, now := account.Registration.Login, time.Now()
	created, err := codes.Create(ctx, []byte("code"), now.Add(time.Hour))
	require.NoError(t, err)
	require.True(t, created)
	require.NoError(t, codes.Use(ctx, []byte("code"), now, id))
	require.ErrorIs(t, codes.Use(ctx, []byte("code"), now, id), ports.ErrNotFound)
	require.NoError(t, roles.Grant(ctx, login, domain.RoleOperator), "which the user has")
	require.ErrorIs(t, roles.Revoke(ctx, login, domain.RoleOperator), domain.ErrLastOperator)
	other, err := registrations.Create(ctx, accountOf(t, 2))
	require.NoError(t, err)
	require.NoError(t, roles.Grant(ctx, accountOf(t, 2).Registration.Login, domain.RoleOperator))
	require.NoError(t, roles.Revoke(ctx, login, domain.RoleOperator))

	token := &domain.AccessToken{Name: "crm", Scopes: []domain.Scope{domain.ScopeUsersRead}, Created: now, Expires: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
	require.NoError(t, tokens.Create(ctx, token, []byte("hash")))
	require.ErrorIs(t, tokens.Create(ctx, token, []byte("other")), ports.ErrTokenExists)
	require.NoError(t, tokens.Revoke(ctx, "crm", now))
	require.ErrorIs(t, tokens.Revoke(ctx, "crm", now), ports.ErrNotFound)
	all, err := tokens.All(ctx)
	require.NoError(t, err)

	logins := map[int64]string{id: login.String(), other: accountOf(t, 2).Registration.Login.String()}
	entry := func(action domain.Action, user int64, before, after map[string]any) domain.AuditEntry {
		return domain.AuditEntry{
			Actor: domain.UserActor(99), Address: "192.0.2.1", Request: "r-1", Action: action, User: user, Login: logins[user], Before: before, After: after,
		}
	}
	operator, tokenID := map[string]any{"role": "operator"}, float64(all[0].ID)
	var got []domain.AuditEntry
	for entry, err := range audit.Follow(t.Context(), domain.AuditFilter{}) {
		require.NoError(t, err)
		if entry == nil {
			break
		}
		entry.ID, entry.Time = 0, time.Time{}
		got = append(got, *entry)
	}
	require.Equal(t, []domain.AuditEntry{
		entry(domain.ActionRegistered, id, nil, nil),
		entry(domain.ActionPasswordChanged, id, nil, nil),
		entry(domain.ActionSignedIn, id, nil, nil),
		entry(domain.ActionAccountEdited, id, nil, map[string]any{"fields": []any{"email"}}),
		entry(domain.ActionRoleGranted, id, nil, operator),
		entry(domain.ActionRegistered, other, nil, nil),
		entry(domain.ActionRoleGranted, other, nil, operator),
		entry(domain.ActionRoleRevoked, id, operator, nil),
		entry(domain.ActionTokenCreated, 0, nil, map[string]any{"token": tokenID, "name": "crm", "scopes": []any{"users:read"}, "expires": "2027-01-01T00:00:00Z"}),
		entry(domain.ActionTokenRevoked, 0, nil, map[string]any{"token": tokenID, "name": "crm"}),
	}, got)
}

func TestAuditIsSwept(t *testing.T) {
	db := open(t, pgtest.New(t))
	audit := postgres.NewAudit(db)
	for range 2 {
		require.NoError(t, audit.Record(t.Context(), domain.AuditEntry{Action: domain.ActionExported}))
	}
	_, err := db.Pool().Exec(t.Context(), `update audit set at = at - interval '2 hours' where id = 1`)
	require.NoError(t, err)
	require.NoError(t, audit.Sweep(t.Context(), time.Now().Add(-time.Hour)))
	page, err := audit.Entries(t.Context(), ports.AuditQuery{Limit: 10})
	require.NoError(t, err)
	require.Len(t, page.Entries, 1)
	require.EqualValues(t, 2, page.Entries[0].ID)
}

// The audit begins with the migration. Users of before can act and be acted on.
func TestMigrationOfAudit(t *testing.T) {
	db := open(t, pgtest.New(t))
	migrateOver(t, db, "20261126000090", `insert into users (login, login_key, password_hash, email, email_key) values ('anna', 'anna', 'x', 'a@example.com', 'a@example.com')`)
	login := domain.RestoreLogin("anna")
	require.NoError(t, postgres.NewRoles(db).Grant(t.Context(), login, domain.RoleOperator))
	page, err := postgres.NewAudit(db).Entries(t.Context(), ports.AuditQuery{Limit: 10})
	require.NoError(t, err)
	require.Len(t, page.Entries, 1)
	require.Equal(t, "anna", page.Entries[0].Login)
}

// largeAudit is the number of entries of a large audit. fewEntries bounds what a page of it reads: a page reads up to as many entries of
// each action as it has, and the logins.
const (
	largeAudit = 200_000
	fewEntries = 1200
)

// No page of the audit reads a whole table, whatever its filter selects.
func TestPagesOfLargeAudit(t *testing.T) {
	url := pgtest.New(t)
	names := make([]string, len(domain.Actions()))
	for i, action := range domain.Actions() {
		names[i] = "'" + string(action) + "'"
	}
	for _, sql := range []string{
		`create table marker ()`,
		fmt.Sprintf(`insert into audit (at, actor, action, user_id)
			select timestamptz '2026-01-01' + n * interval '1 second',
				case when n %% 50000 = 1 then 'token:3' when n %% 3 = 0 then 'user:' || n %% 1000 else 'visitor' end,
				(array[%s])[case when n %% 70000 = 2 then 8 else 1 + n %% 2 end], case when n %% 5 = 0 then n %% 1000 when n %% 2 = 0 then 7 end
			from generate_series(1, %d) n`, strings.Join(names, ", "), largeAudit),
		`analyze`,
	} {
		pgtest.Query[struct{}](t, url, sql)
	}
	at := func(n int) time.Time { return time.Date(2026, 1, 1, 0, 0, n, 0, time.UTC) }
	visitor, rare := domain.Actor{Kind: domain.ActorVisitor}, []domain.Action{domain.ActionPasswordChangeFailed}
	for _, filter := range []domain.AuditFilter{
		{},
		{User: 7},
		{User: 10},
		{User: 9999},
		{Actor: visitor},
		{Actor: domain.Actor{Kind: domain.ActorToken, ID: 3}},
		{Actor: domain.UserActor(9)},
		{Actions: []domain.Action{domain.ActionSignedIn}},
		{Actions: rare},
		{Actions: []domain.Action{domain.ActionExported}},
		{User: 7, Actor: visitor},
		{User: 7, Actor: domain.Actor{Kind: domain.ActorToken, ID: 3}},
		{User: 7, Actions: rare},
		{Actor: visitor, Actions: rare},
		{User: 7, Actor: visitor, Actions: rare},
		{From: at(150_000)},
		{Until: at(50_000)},
		{From: at(90_000), Until: at(90_900)},
		{From: at(300_000)},
		{Until: at(-1)},
		{User: 7, Until: at(50_000)},
		{Actor: visitor, From: at(150_000)},
		{Actions: rare, From: at(10), Until: at(190_000)},
	} {
		t.Run(fmt.Sprintf("%+v", filter), func(t *testing.T) {
			const limit, times = 50, 7 // more often than the server makes plans for the arguments
			pages := 0
			got := costOf(t, url, "'audit', 'users'", func(db *postgres.DB) {
				for range times {
					for _, after := range []int64{0, 100_000, 50} {
						page, err := postgres.NewAudit(db).Entries(t.Context(), ports.AuditQuery{Filter: filter, After: after, Limit: limit})
						require.NoError(t, err)
						require.LessOrEqual(t, len(page.Entries), limit)
						pages++
					}
				}
			})
			require.Zero(t, got.Scans)
			require.Less(t, got.Rows/pages, fewEntries)
			require.Less(t, got.Blocks/pages, 3*fewEntries)
		})
	}
}
