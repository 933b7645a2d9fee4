package application_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
)

func TestSignIn(t *testing.T) {
	p := newPeople()
	anna := p.anna(t)
	for _, name := range []string{"anna", "ANNA@example.com", " Anna "} {
		t.Run(name, func(t *testing.T) {
			user, err := p.signIn(t, name, chosen)
			require.NoError(t, err)
			require.Equal(t, anna, user)
		})
	}
	for _, c := range []struct{ what, name, password string }{
		{"WrongPassword", "anna", "wrong"},
		{"UnknownName", "hanna", chosen},
		{"Nothing", "", ""},
		{"NoPassword", "anna", ""},
		{"LongPassword", "anna", strings.Repeat("x", 1000)},
		{"ControlCharacter", "\x00", chosen},
	} {
		t.Run(c.what, func(t *testing.T) {
			before := p.hasher.verified
			_, err := p.signIn(t, c.name, c.password)
			require.ErrorIs(t, err, domain.ErrWrongCredentials)
			require.Equal(t, before+1, p.hasher.verified, "every attempt takes the time of one hash")
			p.now = p.now.Add(time.Hour)
		})
	}
}

// A login older than the rule against other people's contacts may be another user's phone. The phone counts, and every attempt still takes
// one hash.
func TestOldLoginThatIsThePhoneOfAnotherUser(t *testing.T) {
	p := newPeople()
	person := candidate("Anna")
	person.Given[domain.PersonPhone] = domain.Entered("9123456789")
	anna, _, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: person, Password: chosen})
	require.NoError(t, err)
	other := domain.Rules{Region: "RU", Today: domain.DateOf(p.now)}.Check(candidate("89123456789"))
	require.Equal(t, domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeIsContact}}, other.Violations)
	hash, err := p.hasher.Hash(t.Context(), ports.Turn{}, enteredPassword(t, "another password"))
	require.NoError(t, err)
	_, err = fake.Registrations{Store: p.store}.Create(t.Context(), domain.Account{Registration: other.Registration, PasswordHash: hash})
	require.NoError(t, err)

	for _, c := range []struct {
		what, name, password string
		user                 string
	}{
		{"PasswordOfThePhone", "89123456789", chosen, anna.Login},
		{"PasswordOfTheLogin", "89123456789", "another password", ""},
		{"WrongPassword", "89123456789", "a guess", ""},
		{"EmailOfTheOtherUser", "89123456789@example.com", "another password", "89123456789"},
	} {
		t.Run(c.what, func(t *testing.T) {
			before := p.hasher.verified
			user, err := p.signIn(t, c.name, c.password)
			require.Equal(t, before+1, p.hasher.verified)
			if c.user == "" {
				require.ErrorIs(t, err, domain.ErrWrongCredentials)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.user, user.Login)
		})
	}
}

func TestWeakHashIsRenewedAtSignIn(t *testing.T) {
	p := newPeople()
	anna := p.anna(t)
	p.hasher.Strength = 2
	p.now = p.now.Add(day)
	user, err := p.signIn(t, "anna", chosen)
	require.NoError(t, err)
	stored, err := fake.Accounts{Store: p.store}.User(t.Context(), anna.ID)
	require.NoError(t, err)
	require.NotEqual(t, anna.Password.Hash, stored.Password.Hash)
	require.Equal(t, anna.Password.Made, stored.Password.Made, "the password is the same, so sessions continue")
	require.Equal(t, stored, user)
	_, err = p.auth.User(t.Context(), anna.ID, anna.Password.Made)
	require.NoError(t, err)
}

// A temporary password that must be changed works in one browser, and its sessions end when it expires.
func TestTemporaryPasswordThatMustBeChanged(t *testing.T) {
	p := newPeopleWith(true)
	password := p.importBoris(t)
	attempt := func(browser, device string) (*domain.User, error) {
		return p.auth.SignIn(t.Context(), ports.Attempt{Name: "boris", Password: password, Address: "192.0.2.1", Browser: browser, Device: device})
	}
	before := p.auth.MarkDevice(&domain.User{ID: 1}, "")
	p.now = p.now.Add(time.Second)
	made := p.now
	require.NoError(t, fake.Accounts{Store: p.store}.SetPassword(t.Context(), 1, p.store.Accounts()[0].PasswordHash,
		domain.StoredPassword{Hash: p.store.Accounts()[0].PasswordHash, Made: made})) // as if it was issued again
	user, err := attempt("one", "")
	require.NoError(t, err)
	require.True(t, user.MustChangePassword)
	mark := p.auth.MarkDevice(user, before)
	require.NotEqual(t, before, mark)
	for _, c := range []struct {
		name, browser, device string
		want                  error
	}{
		{"SameBrowser", "one", "", nil},
		{"RestartedBrowser", "another", mark, nil},
		{"OtherBrowser", "another", "", domain.ErrPasswordUsed},
		{"BrowserOfAnEarlierPassword", "another", before, domain.ErrPasswordUsed},
		{"BrowserOfAnotherUser", "another", p.auth.MarkDevice(&domain.User{ID: 2}, ""), domain.ErrPasswordUsed},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := attempt(c.browser, c.device)
			require.ErrorIs(t, err, c.want)
		})
	}
	_, err = p.auth.User(t.Context(), user.ID, user.Password.Made)
	require.NoError(t, err)
	p.now = made.Add(lifetime)
	_, err = attempt("one", mark)
	require.ErrorIs(t, err, domain.ErrPasswordExpired)
	_, err = p.auth.User(t.Context(), user.ID, user.Password.Made)
	require.ErrorIs(t, err, domain.ErrSignedOut, "the session ends when the password expires")
	_, err = p.auth.ChangePassword(t.Context(), ports.PasswordChange{User: user.ID, Made: user.Password.Made, Old: password, New: chosen})
	require.ErrorIs(t, err, domain.ErrSignedOut)

	p.now = made.Add(lifetime - time.Second)
	changed, err := p.auth.ChangePassword(t.Context(), ports.PasswordChange{User: user.ID, Made: user.Password.Made, Old: password, New: chosen})
	require.NoError(t, err)
	require.False(t, changed.MustChangePassword)
	password = chosen
	for _, browser := range []string{"one", "another"} {
		user, err := attempt(browser, "")
		require.NoError(t, err)
		require.Equal(t, changed, user)
	}
	p.now = made.Add(10 * lifetime)
	_, err = p.auth.User(t.Context(), changed.ID, changed.Password.Made)
	require.NoError(t, err)
}

func TestTemporaryPasswordExpires(t *testing.T) {
	p := newPeople()
	password := p.importBoris(t)
	p.now = p.now.Add(lifetime - time.Second)
	user, err := p.signIn(t, "boris", password)
	require.NoError(t, err)
	require.Equal(t, p.now.Add(time.Second), user.PasswordExpires)
	p.now = p.now.Add(time.Second)
	_, err = p.signIn(t, "boris", password)
	require.ErrorIs(t, err, domain.ErrPasswordExpired)
	_, err = p.signIn(t, "boris", "x"+password)
	require.ErrorIs(t, err, domain.ErrWrongCredentials)

	user, err = p.auth.ChangePassword(t.Context(), ports.PasswordChange{User: user.ID, Made: user.Password.Made, Old: password, New: chosen})
	require.NoError(t, err, "a signed-in user can still change it")
	require.True(t, user.PasswordExpires.IsZero())
	_, err = p.signIn(t, "boris", chosen)
	require.NoError(t, err)
}

// An account with a login of mixed scripts, which NewLogin rejects today, works as before.
func TestLoginThatIsInvalidToday(t *testing.T) {
	const login = "Аnna" // the first letter is Cyrillic
	p := newPeople()
	_, _, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate(login), Password: chosen})
	require.Contains(t, violationsOf(t, err), domain.Violation{Field: domain.FieldLogin, Code: domain.CodeMixedScripts})

	person := domain.Rules{Region: "RU"}.Check(candidate("Anna"))
	var vs domain.Violations
	person.Registration.Login, vs = domain.ParseLogin(login)
	require.Nil(t, vs)
	password, vs := domain.NewPassword(chosen, person.Registration.Login)
	require.Nil(t, vs)
	hash, err := p.hasher.Hash(t.Context(), ports.Turn{}, password)
	require.NoError(t, err)
	id, err := fake.Registrations{Store: p.store}.Create(t.Context(), domain.Account{Registration: person.Registration, PasswordHash: hash})
	require.NoError(t, err)

	user, err := p.signIn(t, strings.ToUpper(login), chosen)
	require.NoError(t, err)
	require.Equal(t, id, user.ID)
	_, err = p.auth.ChangePassword(t.Context(), ports.PasswordChange{User: id, Made: user.Password.Made, Old: chosen, New: "другой корабль"})
	require.NoError(t, err)
	roles := fake.Roles{Store: p.store}
	require.NoError(t, roles.Grant(t.Context(), person.Registration.Login, domain.RoleOperator))
	require.ErrorIs(t, roles.Revoke(t.Context(), person.Registration.Login, domain.RoleOperator), domain.ErrLastOperator)
}
