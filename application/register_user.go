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
	Registrations ports.Registrations
	Accounts      ports.Accounts
	Hasher        ports.Hasher
	Now           func() time.Time // whose location decides what day it is
	Region        string           // of phones without a country code
}

// NewRegisterUser makes the use case.
func NewRegisterUser(with RegisterConfig) *RegisterUser { return &RegisterUser{with} }

// Register implements ports.Registration.
func (u *RegisterUser) Register(ctx context.Context, person *domain.Candidate, password string) (*domain.User, error) {
	rules := domain.Rules{Region: u.with.Region, Today: domain.DateOf(u.with.Now())}
	object := rules.Check(person)
	chosen, unfit := domain.NewPassword(password, object.Registration.Login)
	account := domain.Account{Registration: object.Registration}
	for range maxRegisterRuns {
		taken, err := u.with.Registrations.Taken(ctx, &object.Registration)
		if err != nil {
			return nil, fmt.Errorf("register: ask what is taken: %w", err)
		}
		if violations := slices.Concat(taken.Admit(&object), unfit); violations != nil {
			return nil, &domain.RefusedError{Violations: violations}
		}
		if account.PasswordHash == "" {
			account.PasswordHash, err = u.with.Hasher.Hash(ctx, chosen)
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
