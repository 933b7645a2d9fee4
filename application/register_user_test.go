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

	_, _, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("ANNA"), Password: chosen})
	require.Equal(t, domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeTaken}, {Field: domain.FieldEmail, Code: domain.CodeTaken}},
		violationsOf(t, err), "every violation is reported")
	_, _, err = p.register.Register(t.Context(), ports.RegistrationRequest{Person: &domain.Candidate{}})
	require.Len(t, violationsOf(t, err), 6)
	require.Len(t, p.store.Accounts(), 1)
}

// A registration that is sent twice signs the person in, if all data and the password are the same.
func TestRegisterAgain(t *testing.T) {
	request := func(password string, change func(person *domain.Candidate)) ports.RegistrationRequest {
		person := candidate("Anna")
		person.Given[domain.PersonPhone], person.Given[domain.PersonBirthday] = domain.Entered("9123456789"), domain.Entered("28.02.1990")
		change(person)
		return ports.RegistrationRequest{Person: person, Password: password, Address: "192.0.2.1"}
	}
	same := func(*domain.Candidate) {}
	enters := func(field domain.PersonField, text string) func(*domain.Candidate) {
		return func(person *domain.Candidate) { person.Given[field] = domain.Entered(text) }
	}
	for _, c := range []struct {
		name     string
		password string
		change   func(*domain.Candidate)
		want     error // nil if the person is signed in
	}{
		{"Same", chosen, same, nil},
		{"SamePhoneWrittenDifferently", chosen, enters(domain.PersonPhone, "+7 (912) 345-67-89"), nil},
		{"WrongPassword", "another password", same, domain.ErrWrongCredentials},
		{"OtherLastName", chosen, enters(domain.PersonLastName, "Ли"), domain.ErrRejected},
		{"OtherFirstName", chosen, enters(domain.PersonFirstName, "Мария"), domain.ErrRejected},
		{"OtherPatronymic", chosen, enters(domain.PersonPatronymic, "Ивановна"), domain.ErrRejected},
		{"OtherBirthday", chosen, enters(domain.PersonBirthday, "01.03.1990"), domain.ErrRejected},
		{"NoBirthday", chosen, enters(domain.PersonBirthday, ""), domain.ErrRejected},
		{"OtherEmail", chosen, enters(domain.PersonEmail, "a@example.com"), domain.ErrRejected},
		{"NoPhone", chosen, enters(domain.PersonPhone, ""), domain.ErrRejected},
		{"OtherLogin", chosen, enters(domain.PersonLogin, "hanna"), domain.ErrWrongCredentials},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPeople()
			anna, isNew, err := p.register.Register(t.Context(), request(chosen, same))
			require.NoError(t, err)
			require.True(t, isNew)
			before := p.hasher.verified
			got, isNew, err := p.register.Register(t.Context(), request(c.password, c.change))
			require.False(t, isNew)
			require.Equal(t, before+1, p.hasher.verified, "every answer takes the time of one hash")
			require.Len(t, p.store.Accounts(), 1)
			if c.want == nil {
				require.NoError(t, err)
				require.Equal(t, anna, got)
				return
			}
			require.ErrorIs(t, err, c.want)
			for _, violation := range violationsOf(t, err) {
				require.Equal(t, domain.CodeTaken, violation.Code)
			}
		})
	}
}

// Registrations and sign-ins share the attempts to guess a password. Their limit changes no answer to a registration.
func TestRegistrationsDoNotGuessPasswords(t *testing.T) {
	p := newPeople()
	p.anna(t)
	register := func(login, password string) (domain.Violations, error) {
		_, _, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate(login), Password: password, Address: guesser})
		return violationsOf(t, err), err
	}
	taken, err := register("Anna", "another password")
	require.ErrorIs(t, err, domain.ErrWrongCredentials)
	for range 9 {
		_, err = register("Anna", "another password")
		require.ErrorIs(t, err, domain.ErrWrongCredentials)
	}
	_, err = p.signIn(t, "anna", chosen)
	require.ErrorIs(t, err, domain.ErrTooManyAttempts)
	verified := p.hasher.verified
	limited, err := register("Anna", chosen)
	require.Equal(t, taken, limited)
	require.NotErrorIs(t, err, domain.ErrTooManyAttempts)
	require.Equal(t, verified, p.hasher.verified, "the password is not tried")

	p.now = p.now.Add(time.Hour)
	p.hasher.busy = ports.ErrBusy
	_, _, err = p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("Anna"), Password: chosen, Address: guesser})
	require.ErrorIs(t, err, ports.ErrBusy)
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
	_, _, err := slower.Register(t.Context(), ports.RegistrationRequest{Person: candidate("anna"), Password: chosen})
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
		_, _, err := register.Register(t.Context(), ports.RegistrationRequest{
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
		_, _, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("anna"), Password: chosen, Address: "192.0.2.1"})
		require.ErrorIs(t, err, domain.ErrRejected)
	}
	_, _, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("anna"), Password: chosen, Address: "192.0.2.1"})
	require.ErrorIs(t, err, domain.ErrTooManyAttempts)
}

// Invalid values can be corrected without limit, and reveal no taken keys.
func TestInvalidValuesAreNotLimited(t *testing.T) {
	p := newPeople()
	p.anna(t)
	for range 100 {
		_, _, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("anna"), Password: "тайна", Address: "192.0.2.1"})
		require.Equal(t, domain.Violations{{Field: domain.FieldPassword, Code: domain.CodeTooShort, Limit: 8}}, violationsOf(t, err))
	}
	_, _, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("boris"), Password: chosen, Address: "192.0.2.1"})
	require.NoError(t, err)
}

// A site in IPv6 has 65,536 networks.
func TestRegistrationsAreLimitedBySite(t *testing.T) {
	p := newPeople()
	from := func(n int, network string) error {
		_, _, err := p.register.Register(t.Context(), ports.RegistrationRequest{
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
		_, _, err := p.register.Register(t.Context(), ports.RegistrationRequest{
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
	user, _, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("Anna"), Password: chosen, Address: "192.0.2.1"})
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
		_, _, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("boris"), Password: chosen, Address: "192.0.2.1"})
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
