package application_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

func TestGuessesAreLimited(t *testing.T) {
	p := newPeople()
	p.anna(t)
	attempt := func(name, password, address string) error {
		_, err := p.auth.SignIn(t.Context(), ports.Attempt{Name: name, Password: password, Address: address})
		return err
	}
	for _, name := range []string{"anna", "unknown"} {
		for range 10 {
			require.ErrorIs(t, attempt(name, "a guess", "192.0.2.1"), domain.ErrWrongCredentials)
		}
		verified := p.hasher.verified
		var tooMany *domain.TooManyAttemptsError
		require.ErrorAs(t, attempt(name, chosen, "192.0.2.1"), &tooMany)
		require.Equal(t, time.Minute, tooMany.Wait)
		require.Equal(t, verified, p.hasher.verified, "a rejected attempt takes no hash")
	}
	require.NoError(t, attempt("anna", chosen, "192.0.2.2"), "the user at another address is not affected")
	p.now = p.now.Add(time.Minute)
	require.NoError(t, attempt("anna", chosen, "192.0.2.1"))

	for i := range 100 { // from many addresses
		_ = attempt("anna", "a guess", strconv.Itoa(i%25))
	}
	require.ErrorIs(t, attempt("anna", chosen, "192.0.2.2"), domain.ErrTooManyAttempts)
	p.now = p.now.Add(6 * time.Second)
	require.NoError(t, attempt("anna", chosen, "192.0.2.2"), "the user is not locked out after the guesses end")
}

// guesser is the address of an attacker.
const guesser = "192.0.2.1"

// guess guesses at a name several times, and returns the error of each attempt.
func (p *people) guess(t *testing.T, name string, times int) (answers []string) {
	t.Helper()
	for range times {
		_, err := p.auth.SignIn(t.Context(), ports.Attempt{Name: name, Password: "a guess", Address: guesser})
		require.Error(t, err)
		answers = append(answers, err.Error())
	}
	return answers
}

// Rate limits reveal neither whether a name is registered nor whether two names belong to one user.
func TestLimitsRevealNothing(t *testing.T) {
	const address = "192.0.2.1"
	empty, p := newPeople(), newPeople()
	person := candidate("Anna")
	person.Given[domain.PersonPhone] = domain.Entered("9123456789")
	_, _, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: person, Password: chosen})
	require.NoError(t, err)
	for _, name := range []string{"anna", "Anna@example.com", "8 912 345 67 89", "79123456789", "ANNA", "no name of any kind", "no@thing", ""} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, empty.guess(t, name, 7), p.guess(t, name, 7))
		})
	}
	for _, c := range []struct{ unknown, known string }{
		{"boris", "anna"}, {"boris@example.com", "anna@example.com"}, {"8 999 345 67 89", "8 912 345 67 89"},
	} {
		t.Run(c.unknown, func(t *testing.T) {
			fresh := newPeople()
			_, _, err := fresh.register.Register(t.Context(), ports.RegistrationRequest{Person: person, Password: chosen})
			require.NoError(t, err)
			require.Equal(t, fresh.guess(t, c.unknown, 12), fresh.guess(t, c.known, 12))
		})
	}
	fresh := newPeople()
	_, _, err = fresh.register.Register(t.Context(), ports.RegistrationRequest{Person: person, Password: chosen})
	require.NoError(t, err)
	fresh.guess(t, "anna", 20)
	for _, name := range []string{"anna@example.com", "8 912 345 67 89"} {
		_, err := fresh.auth.SignIn(t.Context(), ports.Attempt{Name: name, Password: "a guess", Address: address})
		require.ErrorIs(t, err, domain.ErrWrongCredentials, "%s after too many attempts at another name of the user", name)
	}
}

// All spellings of a name share one limit.
func TestSpellingsShareALimit(t *testing.T) {
	p := newPeople()
	person := candidate("Anna")
	person.Given[domain.PersonPhone] = domain.Entered("9123456789")
	_, _, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: person, Password: chosen})
	require.NoError(t, err)
	before := p.hasher.verified
	for i := range 50 {
		for _, name := range []string{
			"anna", "ANNA", " Anna", "ａｎｎａ", "anna@example.com", "ANNA@EXAMPLE.COM", "Anna@example.com ",
			"89123456789", "+79123456789", "8 (912) 345-67-89", "8.912.345.67.89", "#89123456789", "８９１２３４５６７８９", "9123456789"[:i%2+9],
		} {
			_, err := p.signIn(t, name, "a guess")
			require.Error(t, err)
		}
	}
	const others = 10 // at 912345678, which is not the user's phone
	require.LessOrEqual(t, p.hasher.verified-before, 3*10+others)
}

func TestAddressesHaveLimits(t *testing.T) {
	p := newPeople()
	guess := func(i int, address string) error {
		_, err := p.auth.SignIn(t.Context(), ports.Attempt{Name: "name" + strconv.Itoa(i), Password: "a guess", Address: address})
		return err
	}
	for i := range 300 {
		require.ErrorIs(t, guess(i, "2001:db8:1::/64"), domain.ErrWrongCredentials)
	}
	require.ErrorIs(t, guess(300, "2001:db8:1::/64"), domain.ErrTooManyAttempts)
	for i := range 2700 {
		require.ErrorIs(t, guess(i, "2001:db8:1:"+strconv.Itoa(1+i%25)+"::/64"), domain.ErrWrongCredentials, "a rejected attempt takes nothing from other buckets")
	}
	require.ErrorIs(t, guess(0, "2001:db8:1:ffff::/64"), domain.ErrTooManyAttempts, "the limit of the /48 is exceeded")
	require.ErrorIs(t, guess(0, "2001:db8:2::/64"), domain.ErrWrongCredentials)
}

// A signed-in user has a bucket that strangers cannot use up.
func TestPasswordChangesAreLimited(t *testing.T) {
	p := newPeople()
	anna := p.anna(t)
	change := func(old string) error {
		_, err := p.auth.ChangePassword(t.Context(), ports.PasswordChange{User: anna.ID, Made: anna.Password.Made, Old: old, New: "a fine new password"})
		return err
	}
	p.guess(t, "anna", 20)
	for range 10 {
		require.ErrorIs(t, change("a guess"), domain.ErrRejected)
	}
	require.ErrorIs(t, change(chosen), domain.ErrTooManyAttempts)
	_, err := p.auth.SignIn(t.Context(), ports.Attempt{Name: "anna", Password: chosen, Address: "192.0.2.2"})
	require.NoError(t, err)
	p.now = p.now.Add(time.Minute)
	require.NoError(t, change(chosen))
}

func TestAttemptTakesTwoRoundTrips(t *testing.T) {
	p := newPeople()
	p.anna(t)
	require.Equal(t, 1, p.limits.calls, "a registration is not returned")
	p.limits.calls = 0
	_, err := p.signIn(t, "anna@example.com", chosen)
	require.NoError(t, err)
	require.Equal(t, 2, p.limits.calls, "in addition to the lookup of the account")
}
