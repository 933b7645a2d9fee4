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
		violationsOf(t, err), "every violation is reported")
	_, err = p.register.Register(t.Context(), ports.RegistrationRequest{Person: &domain.Candidate{}})
	require.Len(t, violationsOf(t, err), 6)
	require.Len(t, p.store.Accounts(), 1)
}

// racedOnce lets another person register between Taken and the first Create.
type racedOnce struct {
	fake.Registrations

	register func()
}

func (r *racedOnce) Create(ctx context.Context, account domain.Account) (int64, error) {
	if r.register != nil {
		r.register()
		r.register = nil
	}
	return r.Registrations.Create(ctx, account)
}

func TestRegisterReportsKeysTakenConcurrently(t *testing.T) {
	p := newPeople()
	slower := p.registering(&racedOnce{Registrations: fake.Registrations{Store: p.store}, register: func() { p.anna(t) }})
	_, err := slower.Register(t.Context(), ports.RegistrationRequest{Person: candidate("anna"), Password: chosen})
	require.Equal(t, domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeTaken}, {Field: domain.FieldEmail, Code: domain.CodeTaken}}, violationsOf(t, err))
}

// countingLookups counts the lookups of taken keys.
type countingLookups struct {
	fake.Registrations

	count int
}

func (l *countingLookups) Taken(ctx context.Context, registration *domain.Registration) (*domain.Taken, error) {
	l.count++
	return l.Registrations.Taken(ctx, registration)
}

func TestRegistrationsAreLimited(t *testing.T) {
	p := newPeople()
	database := &countingLookups{Registrations: fake.Registrations{Store: p.store}}
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
	hashed, lookups := len(p.hasher.turns), database.count
	var tooMany *domain.TooManyAttemptsError
	require.ErrorAs(t, from("192.0.2.1"), &tooMany)
	require.Equal(t, time.Minute, tooMany.Wait)
	require.Len(t, p.hasher.turns, hashed, "a rejected registration takes no hash")
	require.Equal(t, lookups, database.count, "a rejected registration reveals no taken key")
	require.NoError(t, from("192.0.2.2"), "another address is not affected")
	p.now = p.now.Add(time.Minute)
	require.NoError(t, from("192.0.2.1"))
	require.ErrorIs(t, from("192.0.2.1"), domain.ErrTooManyAttempts)
}

// Registered keys can be found out only at the same rate.
func TestRejectedRegistrationsAreLimited(t *testing.T) {
	p := newPeople()
	p.anna(t)
	for range 20 {
		_, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("anna"), Password: chosen, Address: "192.0.2.1"})
		require.ErrorIs(t, err, domain.ErrRejected)
	}
	_, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("anna"), Password: chosen, Address: "192.0.2.1"})
	require.ErrorIs(t, err, domain.ErrTooManyAttempts)
}

// Invalid values can be corrected without limit, and reveal no taken keys.
func TestInvalidValuesAreNotLimited(t *testing.T) {
	p := newPeople()
	p.anna(t)
	for range 100 {
		_, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("anna"), Password: "тайна", Address: "192.0.2.1"})
		require.Equal(t, domain.Violations{{Field: domain.FieldPassword, Code: domain.CodeTooShort, Limit: 8}}, violationsOf(t, err))
	}
	_, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("boris"), Password: chosen, Address: "192.0.2.1"})
	require.NoError(t, err)
}

// A site in IPv6 has 65,536 networks.
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

func TestRegistrationsOfAllAddressesAreLimited(t *testing.T) {
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

// Hashes of users precede those of people who register, and addresses take turns.
func TestTurnsOfHashes(t *testing.T) {
	p := newPeople()
	user, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("Anna"), Password: chosen, Address: "192.0.2.1"})
	require.NoError(t, err)
	require.Equal(t, []ports.Turn{{Requester: "192.0.2.1"}}, p.hasher.turns)
	p.hasher.Strength, p.hasher.turns = 2, nil
	_, err = p.auth.SignIn(t.Context(), ports.Attempt{Name: "anna", Password: chosen, Address: "192.0.2.2"})
	require.NoError(t, err)
	urgent := ports.Turn{Urgent: true, Requester: "192.0.2.2"}
	require.Equal(t, []ports.Turn{urgent, urgent}, p.hasher.turns, "the second one renews the hash")
	p.hasher.turns = nil
	_, err = p.auth.ChangePassword(t.Context(), ports.PasswordChange{
		User: user.ID, Made: user.Password.Made, Old: chosen, New: "a fine new password",
	})
	require.NoError(t, err)
	urgent.Requester = "user 1"
	require.Equal(t, []ports.Turn{urgent, urgent}, p.hasher.turns)
}

// An attempt that a busy server rejects does not count.
func TestBusyServerCountsNoAttempts(t *testing.T) {
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
