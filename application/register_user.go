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

// maxRegisterRuns bounds how often a person's keys are looked up. Once more than the first is needed only when somebody
// else has registered with one of them meanwhile.
const maxRegisterRuns = 3

// RegisterUser registers one person, who chooses a password.
type RegisterUser struct{ with RegisterConfig }

// RegisterConfig is what registrations work with.
type RegisterConfig struct {
	Registrations ports.RegistrationStore
	Accounts      ports.AccountStore
	Limits        ports.LimitStore
	Hasher        ports.Hasher
	Rules         func() domain.Rules // returns the rules of the current day
}

// NewRegisterUser makes the use case.
func NewRegisterUser(with RegisterConfig) *RegisterUser { return &RegisterUser{with} }

// registrationBuckets returns the buckets that a registration is taken from. A school class behind one address gets in; a
// program that registers people by the thousand takes neither the processors nor the names.
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

// Register implements ports.Registering. What the rules reject costs neither an attempt nor a look into the database, so a
// person may mend a form at leisure. An attempt counts even when a key turns out to be taken, so that nobody finds out by
// the thousand who has an account.
func (u *RegisterUser) Register(ctx context.Context, request ports.RegistrationRequest) (*domain.User, error) {
	object := u.with.Rules().Check(request.Person)
	chosen, unfit := domain.NewPassword(request.Password, object.Registration.Login)
	if violations := slices.Concat(object.Violations, unfit); violations != nil {
		return nil, &domain.RejectedError{Violations: violations}
	}
	buckets := registrationBuckets(request.Address)
	wait, err := u.with.Limits.Take(ctx, buckets...)
	if err != nil {
		return nil, fmt.Errorf("register: count: %w", err)
	}
	if wait > 0 {
		return nil, fmt.Errorf("register: %w", &domain.TooManyAttemptsError{Wait: wait})
	}
	account := domain.Account{Registration: object.Registration}
	for range maxRegisterRuns {
		taken, err := u.with.Registrations.Taken(ctx, &object.Registration)
		if err != nil {
			return nil, fmt.Errorf("register: ask what is taken: %w", err)
		}
		if violations := taken.Admit(&object); violations != nil {
			return nil, &domain.RejectedError{Violations: violations}
		}
		if account.PasswordHash == "" {
			account.PasswordHash, err = u.with.Hasher.Hash(ctx, ports.Turn{Who: request.Address}, chosen)
			if errors.Is(err, ports.ErrBusy) { // which is no fault of the person's
				err = errors.Join(err, u.with.Limits.Return(ctx, buckets...))
			}
			if err != nil {
				return nil, fmt.Errorf("register: %w", err)
			}
		}
		id, err := u.with.Registrations.Create(ctx, account)
		if errors.Is(err, ports.ErrTaken) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("register: %w", err)
		}
		user, err := u.with.Accounts.User(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("register: read: %w", err)
		}
		return user, nil
	}
	return nil, fmt.Errorf("register: %w: others came and went with the same keys", ports.ErrUnavailable)
}
