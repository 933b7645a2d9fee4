package application_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/application"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
)

const (
	chosen   = "корабль на рейде"
	day      = 24 * time.Hour
	lifetime = 30 * day
)

// people wires the use cases about users to fakes, with one clock.
type people struct {
	now      time.Time
	hasher   *countingHasher
	store    *fake.Imports
	limits   *countingLimits
	register *application.RegisterUser
	auth     *application.Auth
	audit    *fake.Audit
}

// countingLimits counts the round trips to the database.
type countingLimits struct {
	fake.Limits

	calls int
}

func (l *countingLimits) Take(ctx context.Context, buckets ...ports.Bucket) (time.Duration, error) {
	l.calls++
	return l.Limits.Take(ctx, buckets...)
}

func (l *countingLimits) Return(ctx context.Context, buckets ...ports.Bucket) error {
	l.calls++
	return l.Limits.Return(ctx, buckets...)
}

// countingHasher counts the work of a hasher.
type countingHasher struct {
	fake.Hasher

	verified int
	busy     error        // returned instead of hashing; nil to hash
	turns    []ports.Turn // of all hashes
}

func (h *countingHasher) Verify(ctx context.Context, turn ports.Turn, hash string, password domain.Password) (ports.Verdict, error) {
	h.verified++
	if h.busy != nil {
		return ports.Verdict{}, h.busy
	}
	h.turns = append(h.turns, turn)
	return h.Hasher.Verify(ctx, turn, hash, password)
}

func (h *countingHasher) Hash(ctx context.Context, turn ports.Turn, password domain.Password) (string, error) {
	if h.busy != nil {
		return "", h.busy
	}
	h.turns = append(h.turns, turn)
	return h.Hasher.Hash(ctx, turn, password)
}

// newPeople returns people who may keep a temporary password.
func newPeople() *people { return newPeopleWith(false) }

func newPeopleWith(mustChange bool) *people {
	p := &people{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), hasher: &countingHasher{}, audit: &fake.Audit{}}
	clock := func() time.Time { return p.now }
	p.store, p.limits = &fake.Imports{Now: clock}, &countingLimits{Limits: fake.Limits{Now: clock}}
	p.register = p.registering(fake.Registrations{Store: p.store})
	p.auth = p.authWith(p.audit, mustChange)
	return p
}

// authWith returns the use case over an audit.
func (p *people) authWith(audit ports.Auditing, mustChange bool) *application.Auth {
	return application.NewAuth(application.AuthConfig{
		Accounts: fake.Accounts{Store: p.store}, Limits: p.limits, Hasher: p.hasher, Devices: &fake.Devices{}, Audit: audit,
		Now: func() time.Time { return p.now }, Rules: p.rules, TemporaryLifetime: lifetime, MustChange: mustChange,
	})
}

func (p *people) rules() domain.Rules { return domain.Rules{Region: "RU", Today: domain.DateOf(p.now)} }

// registering returns the use case over a store.
func (p *people) registering(store ports.RegistrationStore) *application.RegisterUser {
	return application.NewRegisterUser(application.RegisterConfig{
		Registrations: store, Accounts: fake.Accounts{Store: p.store}, Limits: p.limits, Hasher: p.hasher,
		SignIn: func(ctx context.Context, attempt ports.Attempt) (*domain.User, error) {
			return p.auth.SignIn(ctx, attempt)
		},
		Now: func() time.Time { return p.now }, Rules: p.rules,
	})
}

func candidate(login string) *domain.Candidate {
	return &domain.Candidate{Given: [domain.NumPersonFields]domain.Given{
		domain.PersonFirstName: domain.Entered("Анна"), domain.PersonLastName: domain.Entered("Ким"),
		domain.PersonPatronymic: domain.Entered("Петровна"), domain.PersonLogin: domain.Entered(login),
		domain.PersonEmail: domain.Entered(login + "@example.com"),
	}}
}

func (p *people) anna(t *testing.T) *domain.User {
	t.Helper()
	user, _, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("Anna"), Password: chosen})
	require.NoError(t, err)
	return user
}

// importBoris imports Boris, and returns his temporary password.
func (p *people) importBoris(t *testing.T) string {
	t.Helper()
	f := newFixture()
	f.store, f.config.Imports = p.store, p.store
	got, err := f.send(t, `{"first_name":"Б","last_name":"Б","patronymic":"Б","login":"boris","email":"b@example.com"}`)
	require.NoError(t, err)
	return got.outcomes[0].Password
}

func (p *people) signIn(t *testing.T, name, password string) (*domain.User, error) {
	t.Helper()
	return p.auth.SignIn(t.Context(), ports.Attempt{Name: name, Password: password, Address: "192.0.2.1"})
}

func enteredPassword(t *testing.T, s string) domain.Password {
	t.Helper()
	password, ok := domain.EnteredPassword(s)
	require.True(t, ok)
	return password
}

func violationsOf(t *testing.T, err error) domain.Violations {
	t.Helper()
	var rejected *domain.RejectedError
	require.ErrorAs(t, err, &rejected)
	return rejected.Violations
}
