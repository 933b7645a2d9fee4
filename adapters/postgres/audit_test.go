package postgres_test

import (
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
