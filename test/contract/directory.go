package contract

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

// Directory proves a ports.DirectoryStore, and the methods of ports.AccountStore that it affects.
func Directory(t *testing.T, subject func(*testing.T) AccountsSubject) {
	for _, c := range append([]struct {
		name string
		test func(*testing.T, AccountsSubject)
	}{
		{"KnowsTheOriginOfAccounts", knowsOrigin},
		{"KeepsTheLatestSignIns", keepsSignIns},
		{"RecordsNoSignInOfAnotherAccount", recordsNoOtherSignIn},
		{"ListsSessions", listsSessions},
		{"EndsSessions", endsSessions},
		{"ReplacesAPerson", replacesPerson},
		{"RejectsKeysOfOthers", rejectsKeysOfOthers},
		{"LeavesAnAccountAfterAnError", leavesAccountAfterError},
		{"ReplacesAPassword", replacesPassword},
		{"SuspendsAndRestores", suspendsAndRestores},
		{"RequiresAChange", requiresChange},
		{"DeletesAnAccount", deletesAccount},
		{"KeepsAnOperatorWhoCanSignIn", keepsOperator},
		{"KeepsAnOperatorOfConcurrentChanges", keepsOperatorConcurrently},
		{"ChangesOneAfterAnother", changesOneAfterAnother},
		{"EndsSignInsThatASuspensionMeets", suspensionMeetsSignIns},
		{"DeletesDuringEdits", deletesDuringEdits},
		{"DeletesDuringImports", deletesDuringImports},
		{"StopsWithItsContext", directoryStopsWithContext},
	}, bulkCases...) {
		t.Run(c.name, func(t *testing.T) { c.test(t, subject(t)) })
	}
}

// change makes a change.
func change(t *testing.T, s AccountsSubject, id int64, made ports.AccountChange) error {
	t.Helper()
	return s.Directory.Change(t.Context(), id, func(*domain.User) (ports.AccountChange, error) { return made, nil })
}

func userOf(t *testing.T, s AccountsSubject, id int64) *domain.User {
	t.Helper()
	user, err := s.Accounts.User(t.Context(), id)
	require.NoError(t, err)
	return user
}

func signInsOf(t *testing.T, s AccountsSubject, id int64) []domain.SignIn {
	t.Helper()
	all, err := s.Directory.SignIns(t.Context(), id)
	require.NoError(t, err)
	return all
}

var moment = time.Date(2031, 2, 3, 4, 5, 6, 789_012_000, time.UTC)

func knowsOrigin(t *testing.T, s AccountsSubject) {
	user := create(t, s, Record(t, 1))
	require.True(t, user.Self)
	require.Zero(t, user.Import)
	for n, exclusive := range []bool{false, true} {
		person := Record(t, n+2)
		id, err := s.Imports.Do(t.Context(), ports.ImportMode{Exclusive: exclusive}, func(ctx context.Context, tx ports.ImportTx) error {
			_, err := tx.Taken(ctx, []domain.Record{person})
			require.NoError(t, err)
			require.NoError(t, tx.Add(ctx, []domain.Account{account(person)}, nil))
			return tx.Finish(ctx, domain.Tally{Records: 1, Registered: 1}, nil)
		})
		require.NoError(t, err)
		user, err = s.Accounts.Find(t.Context(), domain.Identity{Login: fmt.Sprint("user", n+2)})
		require.NoError(t, err)
		require.Equal(t, id, user.Import)
		require.False(t, user.Self)
	}
}

func keepsSignIns(t *testing.T, s AccountsSubject) {
	user, other := create(t, s, Record(t, 1)), create(t, s, Record(t, 2))
	require.Empty(t, signInsOf(t, s, user.ID))
	var want []domain.SignIn
	for n := range domain.KeptSignIns + 3 {
		signIn := domain.SignIn{Time: moment.Add(time.Duration(n) * time.Microsecond), Address: fmt.Sprint("10.0.0.", n), Browser: "Браузер"}
		want = slices.Insert(want, 0, signIn)
		require.NoError(t, s.Accounts.SignedIn(t.Context(), user.ID, user.Password.Hash, signIn))
		require.Equal(t, want[:min(len(want), domain.KeptSignIns)], signInsOf(t, s, user.ID))
	}
	require.Empty(t, signInsOf(t, s, other.ID))
	require.Equal(t, user, userOf(t, s, user.ID))
}

func recordsNoOtherSignIn(t *testing.T, s AccountsSubject) {
	user := create(t, s, Record(t, 1))
	require.ErrorIs(t, s.Accounts.SignedIn(t.Context(), user.ID, "another hash", domain.SignIn{Time: moment}), ports.ErrChanged)
	require.ErrorIs(t, s.Accounts.SignedIn(t.Context(), 1<<40, user.Password.Hash, domain.SignIn{Time: moment}), ports.ErrChanged)
	require.Empty(t, signInsOf(t, s, user.ID))
}

// session returns a session of a user that was used n seconds after moment.
func session(user *domain.User, n int) *domain.Session {
	return domain.NewSession(user.ID, user.Password.Made, moment, moment.Add(time.Duration(n)*time.Second), fmt.Sprint("10.0.0.", n), "Браузер")
}

func sessionsOf(t *testing.T, s AccountsSubject, id int64) []domain.Session {
	t.Helper()
	all, err := s.Directory.Sessions(t.Context(), id)
	require.NoError(t, err)
	return all
}

// begin begins a session of a user.
func begin(t *testing.T, s AccountsSubject, key string, session *domain.Session) {
	t.Helper()
	s.SaveSession(t, key, time.Hour)
	require.NoError(t, s.Sessions.Describe(t.Context(), key, session))
}

func listsSessions(t *testing.T, s AccountsSubject) {
	user, other := create(t, s, Record(t, 1)), create(t, s, Record(t, 2))
	require.Empty(t, sessionsOf(t, s, user.ID))
	begin(t, s, "one", session(user, 1))
	begin(t, s, "two", session(user, 2))
	s.SaveSession(t, "over", -time.Hour)
	require.NoError(t, s.Sessions.Describe(t.Context(), "over", session(user, 3)))
	s.SaveSession(t, "not described", time.Hour)
	require.NoError(t, s.Sessions.Describe(t.Context(), "unknown", session(user, 4)))
	require.Equal(t, []domain.Session{*session(user, 2), *session(user, 1)}, sessionsOf(t, s, user.ID))
	require.NoError(t, s.Sessions.Describe(t.Context(), "one", session(user, 5)))
	require.Equal(t, []domain.Session{*session(user, 5), *session(user, 2)}, sessionsOf(t, s, user.ID))
	require.Empty(t, sessionsOf(t, s, other.ID))
	for n := range domain.ListedSessions {
		begin(t, s, fmt.Sprint("further ", n), session(user, 6+n))
	}
	require.Len(t, sessionsOf(t, s, user.ID), domain.ListedSessions)
}

func endsSessions(t *testing.T, s AccountsSubject) {
	other := create(t, s, Record(t, 9))
	begin(t, s, "other", session(other, 1))
	for n, made := range []ports.AccountChange{
		{EndsSessions: true}, {Password: &domain.StoredPassword{Hash: "new", Made: moment}}, {Suspended: moment}, {Deleted: true},
	} {
		user := create(t, s, Record(t, n+1))
		begin(t, s, fmt.Sprint("key ", n), session(user, 1))
		require.Len(t, sessionsOf(t, s, user.ID), 1)
		require.NoError(t, change(t, s, user.ID, made))
		require.Empty(t, sessionsOf(t, s, user.ID))
	}
	user := create(t, s, Record(t, 5))
	begin(t, s, "changed", session(user, 1))
	password := domain.StoredPassword{Hash: "other", Made: user.Password.Made.Add(time.Second)}
	require.NoError(t, s.Accounts.SetPassword(t.Context(), user.ID, user.Password.Hash, password))
	require.Empty(t, sessionsOf(t, s, user.ID), "the user has changed the password")
	require.Len(t, sessionsOf(t, s, other.ID), 1)
}

func replacesPerson(t *testing.T, s AccountsSubject) {
	user, other := create(t, s, Record(t, 1)), create(t, s, Record(t, 2))
	person := record(t, 1, "Новый", "", "+79123456789").Registration
	person.Birthday = domain.Birthday{}
	require.NoError(t, change(t, s, user.ID, ports.AccountChange{Person: &person}))
	got := userOf(t, s, user.ID)
	require.True(t, person.Matches(got), "%+v", got)
	require.Nil(t, got.Birthday)
	require.Equal(t, user.Password, got.Password, "the password and the sessions stay")
	require.Equal(t, user.Registered, got.Registered)
	require.Equal(t, other, userOf(t, s, other.ID))
	require.Equal(t, got.ID, findID(t, s, domain.Identity{Login: "новый"}))
	_, err := s.Accounts.Find(t.Context(), domain.Identity{Login: "user1"})
	require.ErrorIs(t, err, ports.ErrNotFound)
	create(t, s, Record(t, 1)) // the old login and email are free

	sameLogin := record(t, 1, "НОВЫЙ", "", "+79123456789").Registration
	require.NoError(t, change(t, s, user.ID, ports.AccountChange{Person: &sameLogin}), "an account does not clash with itself")
	require.ErrorIs(t, change(t, s, 1<<40, ports.AccountChange{Person: &person}), ports.ErrNotFound)
}

func findID(t *testing.T, s AccountsSubject, identity domain.Identity) int64 {
	t.Helper()
	user, err := s.Accounts.Find(t.Context(), identity)
	require.NoError(t, err)
	return user.ID
}

func rejectsKeysOfOthers(t *testing.T, s AccountsSubject) {
	user := create(t, s, record(t, 1, "ivan", "i@example.com", "9123456789"))
	create(t, s, record(t, 2, "anna", "a@example.com", ""))
	create(t, s, record(t, 3, "boris", "", "9000000001"))
	for _, c := range []struct {
		name                string
		login, email, phone string
		taken               []domain.Field
	}{
		{"Login", "ANNA", "i@example.com", "", []domain.Field{domain.FieldLogin}},
		{"Email", "ivan", "A@Example.com", "", []domain.Field{domain.FieldEmail}},
		{"Phone", "ivan", "", "9000000001", []domain.Field{domain.FieldPhone}},
		{"KeysOfTwo", "Boris", "a@example.com", "9123456789", []domain.Field{domain.FieldLogin, domain.FieldEmail}},
	} {
		t.Run(c.name, func(t *testing.T) {
			person := record(t, 1, c.login, c.email, c.phone).Registration
			err := change(t, s, user.ID, ports.AccountChange{Person: &person})
			rejected, ok := errors.AsType[*domain.RejectedError](err)
			require.True(t, ok, "%v", err)
			var taken []domain.Field
			for _, violation := range rejected.Violations {
				require.Equal(t, domain.CodeTaken, violation.Code)
				taken = append(taken, violation.Field)
			}
			require.Equal(t, c.taken, taken)
			require.Equal(t, user, userOf(t, s, user.ID))
		})
	}
}

func leavesAccountAfterError(t *testing.T, s AccountsSubject) {
	user := create(t, s, Record(t, 1))
	err := s.Directory.Change(t.Context(), user.ID, func(read *domain.User) (ports.AccountChange, error) {
		require.Equal(t, user, read)
		return ports.AccountChange{Deleted: true}, ports.ErrChanged
	})
	require.ErrorIs(t, err, ports.ErrChanged)
	require.NoError(t, change(t, s, user.ID, ports.AccountChange{}), "which changes nothing")
	require.Equal(t, user, userOf(t, s, user.ID))
}

func replacesPassword(t *testing.T, s AccountsSubject) {
	user := create(t, s, Record(t, 1))
	require.NoError(t, s.Accounts.UsePassword(t.Context(), user.ID, user.Password.Hash, []byte("browser")))
	require.NoError(t, change(t, s, user.ID, ports.AccountChange{ChangeRequired: true}))
	require.NoError(t, change(t, s, user.ID, ports.AccountChange{Password: &domain.StoredPassword{Hash: "new", Made: moment.In(time.FixedZone("", 3600))}}))
	want := *user
	want.Password = domain.StoredPassword{Hash: "new", Made: moment}
	require.Equal(t, &want, userOf(t, s, user.ID))
}

func suspendsAndRestores(t *testing.T, s AccountsSubject) {
	user := create(t, s, Record(t, 1))
	require.NoError(t, change(t, s, user.ID, ports.AccountChange{Suspended: moment, EndsSessions: true}))
	want := *user
	want.Suspended, want.Password.Made = moment, user.Password.Made.Add(time.Microsecond)
	require.Equal(t, &want, userOf(t, s, user.ID))
	require.ErrorIs(t, s.Accounts.SignedIn(t.Context(), user.ID, user.Password.Hash, domain.SignIn{Time: moment}), ports.ErrChanged)
	_, err := s.Registrations.Create(t.Context(), account(Record(t, 1)))
	require.ErrorIs(t, err, ports.ErrTaken, "the account is still taken")

	require.NoError(t, change(t, s, user.ID, ports.AccountChange{Restored: true}))
	want.Suspended = time.Time{}
	require.Equal(t, &want, userOf(t, s, user.ID), "sessions from before the suspension stay over")
	require.NoError(t, s.Accounts.SignedIn(t.Context(), user.ID, user.Password.Hash, domain.SignIn{Time: moment}))
}

func requiresChange(t *testing.T, s AccountsSubject) {
	ctx := t.Context()
	user := create(t, s, Record(t, 1))
	require.NoError(t, change(t, s, user.ID, ports.AccountChange{ChangeRequired: true}))
	require.True(t, userOf(t, s, user.ID).ChangeRequired)
	renewed := domain.StoredPassword{Hash: "same password", Made: user.Password.Made}
	require.NoError(t, s.Accounts.SetPassword(ctx, user.ID, user.Password.Hash, renewed))
	require.True(t, userOf(t, s, user.ID).ChangeRequired, "a stronger hash of the same password is no change")
	require.NoError(t, s.Accounts.SetPassword(ctx, user.ID, renewed.Hash, domain.StoredPassword{Hash: "other", Made: moment}))
	require.False(t, userOf(t, s, user.ID).ChangeRequired)
}

func deletesAccount(t *testing.T, s AccountsSubject) {
	ctx := t.Context()
	user, other := create(t, s, Record(t, 1)), create(t, s, Record(t, 2))
	require.NoError(t, s.Accounts.SignedIn(ctx, user.ID, user.Password.Hash, domain.SignIn{Time: moment}))
	require.NoError(t, s.Roles.Grant(ctx, login(t, user.Login), domain.RoleOperator))
	require.NoError(t, s.Roles.Grant(ctx, login(t, other.Login), domain.RoleOperator))
	require.NoError(t, change(t, s, user.ID, ports.AccountChange{Deleted: true}))
	_, err := s.Accounts.User(ctx, user.ID)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = s.Accounts.Find(ctx, domain.Identity{Login: "user1"})
	require.ErrorIs(t, err, ports.ErrNotFound)
	require.Empty(t, signInsOf(t, s, user.ID))
	require.ErrorIs(t, change(t, s, user.ID, ports.AccountChange{Deleted: true}), ports.ErrNotFound)
	for listed, err := range s.Roles.List(ctx, "") {
		require.NoError(t, err)
		require.NotEqual(t, user.Login, listed.Login)
	}
	again := create(t, s, Record(t, 1))
	require.NotEqual(t, user.ID, again.ID, "ids are not reused")
	require.Empty(t, again.Roles)
}

func keepsOperator(t *testing.T, s AccountsSubject) {
	ctx := t.Context()
	user, other := create(t, s, Record(t, 1)), create(t, s, Record(t, 2))
	require.NoError(t, s.Roles.Grant(ctx, login(t, user.Login), domain.RoleOperator))
	before := userOf(t, s, user.ID)
	for _, made := range []ports.AccountChange{{Deleted: true}, {Suspended: moment}} {
		require.ErrorIs(t, change(t, s, user.ID, made), domain.ErrLastOperator)
		require.Equal(t, before, userOf(t, s, user.ID))
	}
	require.NoError(t, s.Roles.Grant(ctx, login(t, other.Login), domain.RoleOperator))
	require.NoError(t, change(t, s, other.ID, ports.AccountChange{Suspended: moment}))
	require.ErrorIs(t, change(t, s, user.ID, ports.AccountChange{Deleted: true}), domain.ErrLastOperator, "the other one cannot sign in")
	require.ErrorIs(t, s.Roles.Revoke(ctx, login(t, user.Login), domain.RoleOperator), domain.ErrLastOperator)
	require.NoError(t, s.Roles.Revoke(ctx, login(t, other.Login), domain.RoleOperator))
}

func keepsOperatorConcurrently(t *testing.T, s AccountsSubject) {
	var users []*domain.User
	for n := range 6 {
		user := create(t, s, Record(t, n+1))
		require.NoError(t, s.Roles.Grant(t.Context(), login(t, user.Login), domain.RoleOperator))
		users = append(users, user)
	}
	var left atomic.Int64
	var all sync.WaitGroup
	for n, user := range users {
		made := []ports.AccountChange{{Deleted: true}, {Suspended: moment}}[n%2]
		all.Go(func() {
			err := change(t, s, user.ID, made)
			if errors.Is(err, domain.ErrLastOperator) {
				left.Add(1)
				return
			}
			require.NoError(t, err)
		})
	}
	all.Wait()
	require.EqualValues(t, 1, left.Load())
}

func changesOneAfterAnother(t *testing.T, s AccountsSubject) {
	user := create(t, s, Record(t, 1))
	const many = 10
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			require.NoError(t, s.Directory.Change(t.Context(), user.ID, func(read *domain.User) (ports.AccountChange, error) {
				return ports.AccountChange{Password: &domain.StoredPassword{Hash: "x", Made: read.Password.Made.Add(time.Second)}}, nil
			}))
		})
	}
	all.Wait()
	require.Equal(t, user.Password.Made.Add(many*time.Second), userOf(t, s, user.ID).Password.Made)
}

// A sign-in that meets a suspension comes before it or fails, so that no session begins after it.
func suspensionMeetsSignIns(t *testing.T, s AccountsSubject) {
	user := create(t, s, Record(t, 1))
	var signedIn atomic.Int64
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			err := s.Accounts.SignedIn(t.Context(), user.ID, user.Password.Hash, domain.SignIn{Time: moment})
			if err == nil {
				signedIn.Add(1)
				return
			}
			require.ErrorIs(t, err, ports.ErrChanged)
		})
	}
	require.NoError(t, change(t, s, user.ID, ports.AccountChange{Suspended: moment, EndsSessions: true}))
	before := len(signInsOf(t, s, user.ID))
	all.Wait()
	require.Len(t, signInsOf(t, s, user.ID), before, "none was recorded after the suspension")
	require.EqualValues(t, before, signedIn.Load())
}

// An edit that meets a deletion comes before it or finds no account.
func deletesDuringEdits(t *testing.T, s AccountsSubject) {
	user := create(t, s, Record(t, 1))
	person := record(t, 1, "other", "", "+79123456789").Registration
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			err := change(t, s, user.ID, ports.AccountChange{Person: &person})
			if err != nil {
				require.ErrorIs(t, err, ports.ErrNotFound)
			}
		})
	}
	require.NoError(t, change(t, s, user.ID, ports.AccountChange{Deleted: true}))
	all.Wait()
	_, err := s.Accounts.User(t.Context(), user.ID)
	require.ErrorIs(t, err, ports.ErrNotFound)
	create(t, s, record(t, 2, "other", "user1@example.com", "+79123456789"))
}

// An import that meets the deletion of a login comes before it, and is told that the login is taken, or comes after it, and registers the
// login anew.
func deletesDuringImports(t *testing.T, s AccountsSubject) {
	for n := range 10 {
		person := Record(t, n+1)
		old := create(t, s, person)
		var registered int
		var both sync.WaitGroup
		both.Go(func() {
			var err error
			registered, err = register(t.Context(), s.Imports, false, person)
			require.NoError(t, err)
		})
		both.Go(func() { require.NoError(t, change(t, s, old.ID, ports.AccountChange{Deleted: true})) })
		both.Wait()
		_, err := s.Accounts.User(t.Context(), old.ID)
		require.ErrorIs(t, err, ports.ErrNotFound)
		found, err := s.Accounts.Find(t.Context(), domain.Identity{Login: fmt.Sprint("user", n+1)})
		if registered == 0 {
			require.ErrorIs(t, err, ports.ErrNotFound)
			continue
		}
		require.NoError(t, err)
		require.NotEqual(t, old.ID, found.ID)
	}
}

func directoryStopsWithContext(t *testing.T, s AccountsSubject) {
	user := create(t, s, Record(t, 1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, errRead := s.Directory.SignIns(ctx, user.ID)
	errChange := s.Directory.Change(ctx, user.ID, func(*domain.User) (ports.AccountChange, error) { return ports.AccountChange{Deleted: true}, nil })
	errSignIn := s.Accounts.SignedIn(ctx, user.ID, user.Password.Hash, domain.SignIn{Time: moment})
	for _, err := range []error{errRead, errChange, errSignIn} {
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, ports.ErrUnavailable)
	}
	require.Equal(t, user, userOf(t, s, user.ID))
}
