package application_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
)

func TestRegister(t *testing.T) {
	p := newPeople()
	user := p.anna(t)
	require.Equal(t, "Anna", user.Login)
	require.Equal(t, "Anna@example.com", user.Email)
	require.False(t, p.hasher.IsTemporary(user.Password.Hash))
	require.Equal(t, p.now, user.Password.Made)

	_, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("ANNA"), Password: chosen})
	require.Equal(t, domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeTaken}, {Field: domain.FieldEmail, Code: domain.CodeTaken}},
		violationsOf(t, err), "all of them together")
	_, err = p.register.Register(t.Context(), ports.RegistrationRequest{Person: &domain.Candidate{}})
	require.Len(t, violationsOf(t, err), 6)
	require.Len(t, p.store.Accounts(), 1)
}

// fasterOnce lets somebody else register between the look and the leap.
type fasterOnce struct {
	fake.Registrations

	faster func()
}

func (r *fasterOnce) Create(ctx context.Context, account domain.Account) (int64, error) {
	if r.faster != nil {
		r.faster()
		r.faster = nil
	}
	return r.Registrations.Create(ctx, account)
}

func TestRegisterTellsWhoWasSlower(t *testing.T) {
	p := newPeople()
	slower := p.registering(&fasterOnce{Registrations: fake.Registrations{Store: p.store}, faster: func() { p.anna(t) }})
	_, err := slower.Register(t.Context(), ports.RegistrationRequest{Person: candidate("anna"), Password: chosen})
	require.Equal(t, domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeTaken}, {Field: domain.FieldEmail, Code: domain.CodeTaken}}, violationsOf(t, err))
}

// looks counts how often is asked who has an account.
type looks struct {
	fake.Registrations

	count int
}

func (l *looks) Taken(ctx context.Context, registration *domain.Registration) (*domain.Taken, error) {
	l.count++
	return l.Registrations.Taken(ctx, registration)
}

func TestRegistrationsAreLimited(t *testing.T) {
	p := newPeople()
	database := &looks{Registrations: fake.Registrations{Store: p.store}}
	register := p.registering(database)
	people := 0
	from := func(address string) error {
		people++
		_, err := register.Register(t.Context(), ports.RegistrationRequest{
			Person: candidate(fmt.Sprintf("user%d", people)), Password: chosen, Address: address,
		})
		return err
	}
	for range 20 {
		require.NoError(t, from("192.0.2.1"))
	}
	hashed, looked := len(p.hasher.turns), database.count
	var tooMany *domain.TooManyAttemptsError
	require.ErrorAs(t, from("192.0.2.1"), &tooMany)
	require.Equal(t, time.Minute, tooMany.Wait)
	require.Len(t, p.hasher.turns, hashed, "no hash")
	require.Equal(t, looked, database.count, "no look at who has an account")
	require.NoError(t, from("192.0.2.2"), "somebody else")
	p.now = p.now.Add(time.Minute)
	require.NoError(t, from("192.0.2.1"))
	require.ErrorIs(t, from("192.0.2.1"), domain.ErrTooManyAttempts)
}

// Who has registered is found out at the same rate.
func TestLooksAtWhoHasRegisteredAreLimited(t *testing.T) {
	p := newPeople()
	p.anna(t)
	for range 20 {
		_, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("anna"), Password: chosen, Address: "192.0.2.1"})
		require.ErrorIs(t, err, domain.ErrRejected)
	}
	_, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("anna"), Password: chosen, Address: "192.0.2.1"})
	require.ErrorIs(t, err, domain.ErrTooManyAttempts)
}

// A form that breaks the rules may be mended for as long as it takes, and tells nothing of others.
func TestMendingAFormIsNotLimited(t *testing.T) {
	p := newPeople()
	p.anna(t)
	for range 100 {
		_, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("anna"), Password: "тайна", Address: "192.0.2.1"})
		require.Equal(t, domain.Violations{{Field: domain.FieldPassword, Code: domain.CodeTooShort, Limit: 8}}, violationsOf(t, err))
	}
	_, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("boris"), Password: chosen, Address: "192.0.2.1"})
	require.NoError(t, err)
}

// Whoever has a site's network has 65,536 of a client's.
func TestRegistrationsAreLimitedBySite(t *testing.T) {
	p := newPeople()
	from := func(n int, network string) error {
		_, err := p.register.Register(t.Context(), ports.RegistrationRequest{
			Person: candidate(fmt.Sprintf("user%d", n)), Password: chosen, Address: network,
		})
		return err
	}
	for i := range 100 {
		require.NoError(t, from(i, fmt.Sprintf("2001:db8:1:%x::/64", i)))
	}
	require.ErrorIs(t, from(100, "2001:db8:1:ffff::/64"), domain.ErrTooManyAttempts)
	require.NoError(t, from(101, "2001:db8:2::/64"))
}

func TestRegistrationsOfAllAreLimited(t *testing.T) {
	p := newPeople()
	from := func(n int) error {
		_, err := p.register.Register(t.Context(), ports.RegistrationRequest{
			Person: candidate(fmt.Sprintf("user%d", n)), Password: chosen, Address: fmt.Sprintf("198.51.%d.%d", n/200, n%200),
		})
		return err
	}
	for i := range 200 {
		require.NoError(t, from(i))
	}
	require.ErrorIs(t, from(200), domain.ErrTooManyAttempts)
	p.now = p.now.Add(time.Second)
	for i := range 10 {
		require.NoError(t, from(201+i))
	}
	require.ErrorIs(t, from(300), domain.ErrTooManyAttempts)
}

// Whoever has an account goes before those who want one, and addresses take turns.
func TestTurnsOfHashes(t *testing.T) {
	p := newPeople()
	user, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("Anna"), Password: chosen, Address: "192.0.2.1"})
	require.NoError(t, err)
	require.Equal(t, []ports.Turn{{Requester: "192.0.2.1"}}, p.hasher.turns)
	p.hasher.Strength, p.hasher.turns = 2, nil
	_, err = p.auth.SignIn(t.Context(), ports.Attempt{Name: "anna", Password: chosen, Address: "192.0.2.2"})
	require.NoError(t, err)
	urgent := ports.Turn{Urgent: true, Requester: "192.0.2.2"}
	require.Equal(t, []ports.Turn{urgent, urgent}, p.hasher.turns, "the second renews it")
	p.hasher.turns = nil
	_, err = p.auth.ChangePassword(t.Context(), ports.PasswordChange{
		User: user.ID, Made: user.Password.Made, Old: chosen, New: "a fine new password",
	})
	require.NoError(t, err)
	urgent.Requester = "user 1"
	require.Equal(t, []ports.Turn{urgent, urgent}, p.hasher.turns)
}

// Whoever is told that the server is busy may try again as often as before.
func TestBusyServerTakesNoAttempts(t *testing.T) {
	p := newPeople()
	p.anna(t)
	signIn := func() error {
		_, err := p.signIn(t, "anna", chosen)
		return err
	}
	register := func() error {
		_, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("boris"), Password: chosen, Address: "192.0.2.1"})
		return err
	}
	p.hasher.busy = ports.ErrBusy
	for range 30 {
		require.ErrorIs(t, signIn(), ports.ErrBusy)
		require.ErrorIs(t, register(), ports.ErrBusy)
	}
	p.hasher.busy = nil
	require.NoError(t, signIn())
	require.NoError(t, register())
}
