package application

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// maxRegisterRuns bounds how often a person's keys are looked up. A second lookup is needed only if another person registered with one of
// them after the first.
const maxRegisterRuns = 3

// RegisterUser registers one person, who chooses a password.
type RegisterUser struct{ cfg RegisterConfig }

// RegisterConfig configures RegisterUser.
type RegisterConfig struct {
	Registrations ports.RegistrationStore
	Accounts      ports.AccountStore
	Limits        ports.LimitStore
	Hasher        ports.Hasher
	SignIn        func(ctx context.Context, attempt ports.Attempt) (*domain.User, error) // as in ports.Authenticating
	Now           func() time.Time
	Rules         func() domain.Rules // returns the rules of the current day
}

// NewRegisterUser returns the use case.
func NewRegisterUser(cfg RegisterConfig) *RegisterUser { return &RegisterUser{cfg} }

// registrationBuckets returns the buckets from which a registration is taken. A school class can register from one address. A program that
// registers people by the thousand exhausts neither the processors nor the names.
func registrationBuckets(address string) []ports.Bucket {
	buckets := []ports.Bucket{
		{Key: "registrations", Size: 200, Refill: 100 * time.Millisecond},
		{Key: "registrations from " + address, Size: 20, Refill: time.Minute},
	}
	if site, ok := siteOf(address); ok {
		buckets = append(buckets, ports.Bucket{Key: "registrations from " + site, Size: 100, Refill: 12 * time.Second})
	}
	return buckets
}

// Register implements ports.Registering. Values that the rules reject cost neither an attempt nor a query, so a person can correct a form
// without limit. An attempt counts even if a key is taken, so that a program cannot find out by the thousand who has an account.
func (u *RegisterUser) Register(ctx context.Context, request ports.RegistrationRequest) (user *domain.User, isNew bool, err error) {
	person := u.cfg.Rules().Check(request.Person)
	chosen, unfit := domain.NewPassword(request.Password, person.Registration.Login)
	if violations := slices.Concat(person.Violations, unfit); violations != nil {
		return nil, false, &domain.RejectedError{Violations: violations}
	}
	buckets := registrationBuckets(request.Address)
	wait, err := u.cfg.Limits.Take(ctx, buckets...)
	if err != nil {
		return nil, false, fmt.Errorf("register: count attempt: %w", err)
	}
	if wait > 0 {
		return nil, false, fmt.Errorf("register: %w", &domain.TooManyAttemptsError{Wait: wait})
	}
	account := domain.Account{Registration: person.Registration}
	for range maxRegisterRuns {
		taken, err := u.cfg.Registrations.Taken(ctx, &person.Registration)
		if err != nil {
			return nil, false, fmt.Errorf("register: look up taken keys: %w", err)
		}
		if violations := taken.Admit(&person); violations != nil {
			user, err = u.findRegistered(ctx, &person.Registration, request, violations)
			return user, false, err
		}
		if account.PasswordHash == "" {
			account.PasswordHash, err = u.cfg.Hasher.Hash(ctx, ports.Turn{Requester: request.Address}, chosen)
			if errors.Is(err, ports.ErrBusy) { // the person did not cause this
				err = errors.Join(err, u.cfg.Limits.Return(ctx, buckets...))
			}
			if err != nil {
				return nil, false, fmt.Errorf("register: %w", err)
			}
		}
		id, err := u.cfg.Registrations.Create(ctx, account)
		if errors.Is(err, ports.ErrTaken) {
			continue
		}
		if err != nil {
			return nil, false, fmt.Errorf("register: %w", err)
		}
		user, err := u.cfg.Accounts.User(ctx, id)
		if err != nil {
			return nil, false, fmt.Errorf("register: read account: %w", err)
		}
		signIn := domain.NewSignIn(u.cfg.Now(), request.Address, request.UserAgent)
		err = u.cfg.Accounts.SignedIn(ports.WithActor(ctx, domain.UserActor(id)), id, user.Password.Hash, signIn)
		if err != nil && !errors.Is(err, ports.ErrChanged) { // an operator has been quicker, and the session is over before it begins
			return nil, false, fmt.Errorf("register: %w", err)
		}
		return user, true, nil
	}
	return nil, false, fmt.Errorf("register: %w: other people keep registering with the same keys", ports.ErrUnavailable)
}

// findRegistered returns the account of a person who has already registered with the same data and password, else the violations. It
// tries to sign in with every login that is entered with a taken value. So it takes the time of one hash and an attempt from the buckets
// of sign-ins, and its answer reveals no more than theirs.
func (u *RegisterUser) findRegistered(
	ctx context.Context, person *domain.Registration, request ports.RegistrationRequest, taken domain.Violations,
) (*domain.User, error) {
	user, err := u.cfg.SignIn(ctx, ports.Attempt{
		Name: person.Login.String(), Password: request.Password, Address: request.Address, Device: request.Device, Browser: request.Browser,
		UserAgent: request.UserAgent,
	})
	rejected := &domain.RejectedError{Violations: taken}
	switch {
	case errors.Is(err, domain.ErrWrongCredentials):
		return nil, fmt.Errorf("register: %w: %w", rejected, err)
	case errors.Is(err, domain.ErrTooManyAttempts), errors.Is(err, domain.ErrPasswordExpired), errors.Is(err, domain.ErrPasswordUsed),
		errors.Is(err, domain.ErrSuspended):
		return nil, rejected
	case err != nil:
		return nil, fmt.Errorf("register: %w", err)
	case !person.Matches(user):
		return nil, rejected
	}
	return user, nil
}
