package contract

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

// An AccountsSubject is several views of one empty store.
type AccountsSubject struct {
	Registrations ports.RegistrationStore
	Accounts      ports.AccountStore
	Imports       ports.ImportStore
	Roles         ports.RoleStore
	Directory     ports.DirectoryStore
	Users         ports.UserStore
	Sessions      ports.SessionStore

	// SaveSession saves a session by a key in the storage of sessions.
	SaveSession func(t *testing.T, key string, lifetime time.Duration)
}

// Registrations proves a ports.RegistrationStore.
func Registrations(t *testing.T, subject func(*testing.T) AccountsSubject) {
	for _, c := range []struct {
		name string
		test func(*testing.T, AccountsSubject)
	}{
		{"StoresAWholeAccount", storesWholeAccount},
		{"FindsTakenKeys", registrationFindsTakenKeys},
		{"RejectsTakenKeys", rejectsTakenKeys},
		{"RegistersALoginOnce", registersLoginOnce},
		{"SharesAccountsWithImports", sharesAccountsWithImports},
		{"StopsWithItsContext", registrationStopsWithContext},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, subject(t)) })
	}
}

// Accounts proves a ports.AccountStore.
func Accounts(t *testing.T, subject func(*testing.T) AccountsSubject) {
	for _, c := range []struct {
		name string
		test func(*testing.T, AccountsSubject)
	}{
		{"FindsAccountsByEveryName", findsByEveryName},
		{"PrefersTheOwnerOfAContact", prefersOwnerOfContact},
		{"FindsNoUnknownName", findsNoUnknownName},
		{"RecordsTheFirstBrowserOfAPassword", recordsFirstBrowser},
		{"SetsAPassword", setsPassword},
		{"SetsAPasswordOnce", setsPasswordOnce},
		{"CopiesTheCallersMemory", accountsCopyMemory},
		{"StopsWithItsContext", accountsStopWithContext},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, subject(t)) })
	}
}

// create registers a person, and returns the account.
func create(t *testing.T, s AccountsSubject, person domain.Record) *domain.User {
	t.Helper()
	id, err := s.Registrations.Create(t.Context(), account(person))
	require.NoError(t, err)
	user, err := s.Accounts.User(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, id, user.ID)
	return user
}

func storesWholeAccount(t *testing.T, s AccountsSubject) {
	day := domain.DateOf(time.Date(2000, 2, 29, 0, 0, 0, 0, time.UTC))
	whole := domain.User{
		Login: "Ivan", FirstName: "Анна", LastName: "Ким", Patronymic: "Петровна", Email: "I@Example.com", Phone: "79123456789",
		Birthday: &day, Group: "7 «Б»", Password: domain.StoredPassword{Hash: "hash of Ivan"},
	}
	byEmail, byPhone, oldest := whole, whole, whole
	byEmail.Login, byEmail.Email, byEmail.Phone, byEmail.Password.Hash = "名字", "o@example.com", "", "hash of 名字"
	byPhone.Login, byPhone.Email, byPhone.Phone, byPhone.Password.Hash = `o'";--\`, "", "4930901820", `hash of o'";--\`
	oldest.Login, oldest.Email, oldest.Phone, oldest.Password.Hash = "oldest", "old@example.com", "", "hash of oldest"
	first := domain.DateOf(time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC))
	byPhone.Birthday, oldest.Birthday = nil, &first
	byPhone.Group = ""
	for _, want := range []domain.User{whole, byEmail, byPhone, oldest} {
		phone := want.Phone
		if phone != "" {
			phone = "+" + phone
		}
		person := record(t, 1, want.Login, want.Email, phone)
		person.Registration.Birthday, person.Registration.Group = domain.Birthday{}, domain.RestoreGroup(want.Group)
		if want.Birthday != nil {
			person.Registration.Birthday = domain.RestoreBirthday(*want.Birthday)
		}
		got := create(t, s, person)
		for _, moment := range []time.Time{got.Registered, got.Password.Made} {
			require.WithinDuration(t, time.Now(), moment, time.Minute)
			require.Equal(t, moment.UTC().Truncate(time.Microsecond), moment)
		}
		want.ID, want.Registered, want.Self, want.Password.Made = got.ID, got.Registered, true, got.Password.Made
		require.Equal(t, &want, got)
	}
}

func registrationFindsTakenKeys(t *testing.T, s AccountsSubject) {
	create(t, s, record(t, 1, "Ivan", "I@example.com", "9123456789"))
	create(t, s, record(t, 2, "noemail", "", "9000000001"))
	create(t, s, record(t, 3, "nophone", "x@example.com", ""))
	login := domain.Violation{Field: domain.FieldLogin, Code: domain.CodeTaken}
	email := domain.Violation{Field: domain.FieldEmail, Code: domain.CodeTaken}
	phone := domain.Violation{Field: domain.FieldPhone, Code: domain.CodeTaken}
	for _, c := range []struct {
		name   string
		record domain.Record
		want   domain.Violations
	}{
		{"Login", record(t, 1, "iVAN", "other@example.com", ""), domain.Violations{login}},
		{"Email", record(t, 2, "other", "i@EXAMPLE.com", ""), domain.Violations{email}},
		{"Phone", record(t, 3, "other", "", "89123456789"), domain.Violations{phone}},
		{"KeysOfSeveralAccounts", record(t, 4, "NOEMAIL", "X@example.com", "9123456789"), domain.Violations{login, email, phone}},
		{"FreeKeys", record(t, 5, "other", "other@example.com", "9000000002"), nil},
		{"NoKeys", domain.Record{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			taken, err := s.Registrations.Taken(t.Context(), &c.record.Registration)
			require.NoError(t, err)
			require.Equal(t, c.want, taken.Admit(&c.record))
		})
	}
}

func rejectsTakenKeys(t *testing.T, s AccountsSubject) {
	create(t, s, record(t, 1, "Ivan", "I@example.com", "9123456789"))
	for _, it := range []domain.Record{
		record(t, 1, "iVAN", "free@example.com", "9000000001"),
		record(t, 2, "free", "i@EXAMPLE.com", "9000000001"),
		record(t, 3, "free", "free@example.com", "9123456789"),
	} {
		_, err := s.Registrations.Create(t.Context(), account(it))
		require.ErrorIs(t, err, ports.ErrTaken, "record %d", it.Number)
	}
	create(t, s, record(t, 4, "free", "free@example.com", "9000000001")) // a rejected registration takes nothing
}

func registersLoginOnce(t *testing.T, s AccountsSubject) {
	const many = 20
	var created, taken atomic.Int64
	var all sync.WaitGroup
	for i := range many {
		person := record(t, 1, []string{"ivan", "IVAN"}[i%2], fmt.Sprintf("u%d@example.com", i), "")
		all.Go(func() {
			_, err := s.Registrations.Create(t.Context(), account(person))
			switch {
			case err == nil:
				created.Add(1)
			case errors.Is(err, ports.ErrTaken):
				taken.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, created.Load())
	require.EqualValues(t, many-1, taken.Load())
}

func sharesAccountsWithImports(t *testing.T, s AccountsSubject) {
	_, err := register(t.Context(), s.Imports, false, Record(t, 1))
	require.NoError(t, err)
	_, err = s.Registrations.Create(t.Context(), account(Record(t, 1)))
	require.ErrorIs(t, err, ports.ErrTaken)
	imported, err := s.Accounts.Find(t.Context(), domain.NewIdentity("user1", "RU"))
	require.NoError(t, err)
	require.Equal(t, "hash of user1", imported.Password.Hash)
	require.WithinDuration(t, time.Now(), imported.Password.Made, time.Minute)

	user := create(t, s, Record(t, 2))
	require.NotEqual(t, imported.ID, user.ID)
	created, err := register(t.Context(), s.Imports, true, Record(t, 2), Record(t, 3))
	require.NoError(t, err)
	require.Equal(t, 1, created)
}

func registrationStopsWithContext(t *testing.T, s AccountsSubject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	person := Record(t, 1)
	_, err := s.Registrations.Create(ctx, account(person))
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Registrations.Taken(ctx, &person.Registration)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ports.ErrUnavailable)
	taken, err := s.Registrations.Taken(t.Context(), &person.Registration)
	require.NoError(t, err)
	require.Nil(t, taken.Admit(&person), "nothing was stored")
}

// find returns the login of the account that a name belongs to.
func find(t *testing.T, s AccountsSubject, identity domain.Identity) string {
	t.Helper()
	user, err := s.Accounts.Find(t.Context(), identity)
	require.NoError(t, err)
	same, err := s.Accounts.User(t.Context(), user.ID)
	require.NoError(t, err)
	require.Equal(t, same, user)
	owners, err := s.Accounts.Owners(t.Context(), []domain.Identity{{}, identity, {Login: "nobody", Email: "nobody@example.com", Phone: "70000000000"}})
	require.NoError(t, err)
	require.Equal(t, []int64{0, user.ID, 0}, owners)
	return user.Login
}

func findsByEveryName(t *testing.T, s AccountsSubject) {
	create(t, s, record(t, 1, "Ivan", "I@example.com", "9123456789"))
	create(t, s, record(t, 2, "other", "other@example.com", ""))
	for _, name := range []string{"Ivan", " iVAN ", "i@EXAMPLE.com", "I@example.com", "+7 912 345-67-89", "89123456789"} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, "Ivan", find(t, s, domain.NewIdentity(name, "RU")))
		})
	}
}

func prefersOwnerOfContact(t *testing.T, s AccountsSubject) {
	create(t, s, record(t, 1, "login", "", "9000000001")) // neither ids nor names are in the order of preference
	create(t, s, record(t, 2, "by-phone", "", "9123456789"))
	create(t, s, record(t, 3, "a-by-email", "x@example.com", ""))
	create(t, s, record(t, 4, "all", "all@example.com", "9000000002"))
	email, phone := "x@example.com", "79123456789"
	for _, c := range []struct {
		name     string
		identity domain.Identity
		want     string
	}{
		{"EmailBeforeLogin", domain.Identity{Login: "login", Email: email}, "a-by-email"},
		{"PhoneBeforeLogin", domain.Identity{Login: "login", Phone: phone}, "by-phone"},
		{"EmailBeforePhone", domain.Identity{Login: "login", Email: email, Phone: phone}, "a-by-email"},
		{"LoginWithUnknownContacts", domain.Identity{Login: "login", Email: "unknown@example.com", Phone: "79999999999"}, "login"},
		{"ContactsOfOneAccount", domain.Identity{Login: "login", Email: "all@example.com", Phone: "79000000002"}, "all"},
		{"EveryKeyOfOneAccount", domain.Identity{Login: "all", Email: "all@example.com", Phone: "79000000002"}, "all"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, find(t, s, c.identity)) })
	}
	// logins that are older than the rule against them
	for _, phone := range []string{"89123456789", "89990000000"} {
		old := record(t, 5, "login5", phone+"@example.com", "")
		old.Registration.Login = login(t, phone)
		create(t, s, old)
	}
	require.Equal(t, "by-phone", find(t, s, domain.NewIdentity("89123456789", "RU")))
	require.Equal(t, "89123456789", find(t, s, domain.NewIdentity("89123456789@example.com", "RU")))
	require.Equal(t, "89990000000", find(t, s, domain.NewIdentity("89990000000", "RU")), "no other account has the phone")
}

func findsNoUnknownName(t *testing.T, s AccountsSubject) {
	create(t, s, record(t, 1, "noemail", "", "9000000001"))
	create(t, s, record(t, 2, "nophone", "x@example.com", ""))
	for _, name := range []string{"", "unknown", "un known", "un\x00known", "noemail\x00", "%", "unknown@example.com", "9000000009"} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Accounts.Find(t.Context(), domain.NewIdentity(name, "RU"))
			require.ErrorIs(t, err, ports.ErrNotFound)
		})
	}
	for _, id := range []int64{-1, 0, 1 << 40} {
		_, err := s.Accounts.User(t.Context(), id)
		require.ErrorIs(t, err, ports.ErrNotFound)
	}
}

func setsPassword(t *testing.T, s AccountsSubject) {
	ctx := t.Context()
	user := create(t, s, Record(t, 1))
	other := create(t, s, Record(t, 2))
	made := time.Date(2031, 2, 3, 4, 5, 6, 789_012_000, time.FixedZone("", -3*60*60))
	require.NoError(t, s.Accounts.SetPassword(ctx, user.ID, user.Password.Hash, domain.StoredPassword{Hash: "new", Made: made}))

	want := *user
	want.Password = domain.StoredPassword{Hash: "new", Made: made.UTC()}
	got, err := s.Accounts.User(ctx, user.ID)
	require.NoError(t, err)
	require.Equal(t, &want, got)

	stale := domain.StoredPassword{Hash: "newer", Made: made}
	require.ErrorIs(t, s.Accounts.SetPassword(ctx, user.ID, user.Password.Hash, stale), ports.ErrChanged)
	require.ErrorIs(t, s.Accounts.SetPassword(ctx, 1<<40, "new", stale), ports.ErrChanged)
	for _, want := range []*domain.User{&want, other} {
		got, err := s.Accounts.User(ctx, want.ID)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func recordsFirstBrowser(t *testing.T, s AccountsSubject) {
	ctx := t.Context()
	user, other := create(t, s, Record(t, 1)), create(t, s, Record(t, 2))
	require.Nil(t, user.PasswordUsedBy)
	const many = 20
	var first atomic.Value
	var all sync.WaitGroup
	for i := range many {
		browser := []byte{0, byte(i)}
		all.Go(func() {
			err := s.Accounts.UsePassword(ctx, user.ID, user.Password.Hash, browser)
			if err == nil {
				require.True(t, first.CompareAndSwap(nil, string(browser)), "one browser wins")
				return
			}
			require.ErrorIs(t, err, domain.ErrPasswordUsed)
		})
	}
	all.Wait()
	got, err := s.Accounts.User(ctx, user.ID)
	require.NoError(t, err)
	require.Equal(t, first.Load(), string(got.PasswordUsedBy))
	require.NoError(t, s.Accounts.UsePassword(ctx, user.ID, user.Password.Hash, got.PasswordUsedBy), "the same browser can use it repeatedly")
	require.ErrorIs(t, s.Accounts.UsePassword(ctx, user.ID, "another hash", got.PasswordUsedBy), ports.ErrChanged)
	require.ErrorIs(t, s.Accounts.UsePassword(ctx, 1<<40, user.Password.Hash, got.PasswordUsedBy), ports.ErrChanged)
	got, err = s.Accounts.User(ctx, other.ID)
	require.NoError(t, err)
	require.Equal(t, other, got)

	require.NoError(t, s.Accounts.SetPassword(ctx, user.ID, user.Password.Hash, domain.StoredPassword{Hash: "new", Made: user.Password.Made}))
	got, err = s.Accounts.User(ctx, user.ID)
	require.NoError(t, err)
	require.Nil(t, got.PasswordUsedBy, "a new password is unused")
	require.NoError(t, s.Accounts.UsePassword(ctx, user.ID, "new", []byte("browser")))
	found, err := s.Accounts.Find(ctx, domain.Identity{Login: "user1"})
	require.NoError(t, err)
	require.Equal(t, []byte("browser"), found.PasswordUsedBy)
}

func setsPasswordOnce(t *testing.T, s AccountsSubject) {
	const many = 20
	user := create(t, s, Record(t, 1))
	var set atomic.Int64
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			password := domain.StoredPassword{Hash: fmt.Sprintf("new %d", i), Made: user.Password.Made}
			err := s.Accounts.SetPassword(t.Context(), user.ID, user.Password.Hash, password)
			if err == nil {
				set.Add(1)
				return
			}
			require.ErrorIs(t, err, ports.ErrChanged)
		})
	}
	all.Wait()
	require.EqualValues(t, 1, set.Load())
}

func accountsCopyMemory(t *testing.T, s AccountsSubject) {
	user := create(t, s, Record(t, 1))
	want := *user
	birthday := *user.Birthday
	user.Login, user.Password.Hash, *user.Birthday = "other", "other", 7
	want.Birthday = &birthday
	for range 2 {
		found, err := s.Accounts.Find(t.Context(), domain.Identity{Login: "user1"})
		require.NoError(t, err)
		require.Equal(t, &want, found)
		*found.Birthday, found.Password.Hash = 8, "another"
	}
}

func accountsStopWithContext(t *testing.T, s AccountsSubject) {
	user := create(t, s, Record(t, 1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, errFind := s.Accounts.Find(ctx, domain.Identity{Login: user.Login})
	_, errUser := s.Accounts.User(ctx, user.ID)
	_, errOwners := s.Accounts.Owners(ctx, []domain.Identity{{Login: user.Login}})
	errSet := s.Accounts.SetPassword(ctx, user.ID, user.Password.Hash, domain.StoredPassword{Hash: "x", Made: user.Password.Made})
	errUse := s.Accounts.UsePassword(ctx, user.ID, user.Password.Hash, []byte("x"))
	for _, err := range []error{errFind, errUser, errOwners, errSet, errUse} {
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, ports.ErrUnavailable)
	}
	got, err := s.Accounts.User(t.Context(), user.ID)
	require.NoError(t, err)
	require.Equal(t, user, got)
}
