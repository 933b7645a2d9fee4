package application

import (
	"context"
	"fmt"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// Directory finds, shows and changes the accounts of users for operators.
type Directory struct{ cfg DirectoryConfig }

// DirectoryConfig configures Directory.
type DirectoryConfig struct {
	Accounts  ports.AccountStore
	Store     ports.DirectoryStore
	Users     ports.UserStore
	Passwords ports.Passwords
	Outcomes  ports.OutcomeStore
	Hasher    ports.Hasher
	Now       func() time.Time
	Rules     func() domain.Rules // returns the rules of the current day

	// TemporaryLifetime is the time for which a temporary password is valid.
	TemporaryLifetime time.Duration

	// KeepAnswers is the time for which the result of a change of many users is stored.
	KeepAnswers time.Duration
}

// NewDirectory returns the use cases.
func NewDirectory(cfg DirectoryConfig) *Directory { return &Directory{cfg} }

// Person implements ports.Directory.
func (d *Directory) Person(ctx context.Context, id int64) (*domain.Person, error) {
	user, err := d.cfg.Accounts.User(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read person: %w", err)
	}
	signIns, err := d.cfg.Store.SignIns(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read person: %w", err)
	}
	sessions, err := d.cfg.Store.Sessions(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read person: %w", err)
	}
	person := d.person(user, signIns)
	person.Sessions = sessions
	return &person, nil
}

// Edit implements ports.Directory.
func (d *Directory) Edit(
	ctx context.Context, id int64, expected ports.Expectation, person func(user *domain.User) *domain.Candidate,
) error {
	return d.change(ctx, "edit person", id, func(user *domain.User) (change ports.AccountChange, err error) {
		record := d.cfg.Rules().CheckEdit(user, person(user))
		if record.Violations == nil && record.Registration.Matches(user) {
			return change, nil
		}
		err = meets(expected, user)
		if err == nil && record.Violations != nil {
			err = &domain.RejectedError{Violations: record.Violations}
		}
		return ports.AccountChange{
			Action: domain.ActionAccountEdited, Fields: record.Registration.Differences(user), Person: &record.Registration,
		}, err
	})
}

// Salt implements ports.Directory.
func (d *Directory) Salt() []byte { return d.cfg.Passwords.Salt() }

// NewPassword implements ports.Directory.
func (d *Directory) NewPassword(
	ctx context.Context, id int64, expected ports.Expectation, salt []byte,
) (login, password string, err error) {
	issuer, err := d.cfg.Passwords.Issue(salt)
	if err != nil {
		return "", "", fmt.Errorf("derive temporary password: %w", err)
	}
	record := int(id) // so that a salt gives each user another password
	err = d.change(ctx, "replace password", id, func(user *domain.User) (change ports.AccountChange, err error) {
		login = user.Login
		hash := issuer.Hash(record)
		if user.Password.Hash == hash {
			return change, nil
		}
		return newPassword(user, hash, d.cfg.Now()), meets(expected, user)
	})
	return login, issuer.Password(record), err
}

// newPassword returns the change that replaces a user's password by a temporary one.
func newPassword(user *domain.User, hash string, now time.Time) ports.AccountChange {
	return ports.AccountChange{
		Action:   domain.ActionPasswordReplaced,
		Password: &domain.StoredPassword{Hash: hash, Made: passwordDate(now, user.Password.Made)},
	}
}

// passwordDate returns the date of a new password. If the clock went back, it is still later than the old password's, because an old
// session must not pass for a new one.
func passwordDate(now, old time.Time) time.Time {
	now = now.UTC().Truncate(time.Microsecond)
	if !now.After(old) {
		return old.Add(time.Microsecond)
	}
	return now
}

// Suspend implements ports.Directory.
func (d *Directory) Suspend(ctx context.Context, id int64, expected ports.Expectation) error {
	return d.set(ctx, "suspend user", id, expected, func(user *domain.User) ports.AccountChange { return suspension(user, d.cfg.Now()) })
}

// EndSessions implements ports.Directory.
func (d *Directory) EndSessions(ctx context.Context, id int64, expected ports.Expectation) error {
	return d.change(ctx, "end sessions", id, func(user *domain.User) (ports.AccountChange, error) {
		return ports.AccountChange{Action: domain.ActionSessionsEnded, EndsSessions: true}, meets(expected, user)
	})
}

// Restore implements ports.Directory.
func (d *Directory) Restore(ctx context.Context, id int64, expected ports.Expectation) error {
	return d.set(ctx, "restore user", id, expected, restoration)
}

// RequireChange implements ports.Directory.
func (d *Directory) RequireChange(ctx context.Context, id int64, expected ports.Expectation) error {
	return d.set(ctx, "require change of password", id, expected, requirement)
}

// Delete implements ports.Directory.
func (d *Directory) Delete(ctx context.Context, id int64, expected ports.Expectation) error {
	return d.set(ctx, "delete user", id, expected, func(*domain.User) ports.AccountChange { return deletion })
}

// suspension returns the change that suspends a user, or zero for a suspended user.
func suspension(user *domain.User, now time.Time) (change ports.AccountChange) {
	if user.IsSuspended() {
		return change
	}
	return ports.AccountChange{Action: domain.ActionSuspended, Suspended: now.UTC().Truncate(time.Microsecond), EndsSessions: true}
}

// restoration returns the change that ends a suspension, zero if there is none.
func restoration(user *domain.User) (change ports.AccountChange) {
	if !user.IsSuspended() {
		return change
	}
	return ports.AccountChange{Action: domain.ActionRestored, Restored: true}
}

// requirement returns the change that requires a new password, zero if one is required.
func requirement(user *domain.User) (change ports.AccountChange) {
	if user.ChangeRequired {
		return change
	}
	return ports.AccountChange{Action: domain.ActionChangeRequired, ChangeRequired: true, EndsSessions: true}
}

var deletion = ports.AccountChange{Action: domain.ActionDeleted, Deleted: true}

// set makes the change that decide returns for a user. Expectations are not checked if there is nothing to change.
func (d *Directory) set(
	ctx context.Context, operation string, id int64, expected ports.Expectation, decide func(*domain.User) ports.AccountChange,
) error {
	return d.change(ctx, operation, id, func(user *domain.User) (ports.AccountChange, error) {
		change := decide(user)
		if change.Action == "" {
			return change, nil
		}
		return change, meets(expected, user)
	})
}

func meets(expected ports.Expectation, user *domain.User) error {
	if expected == nil {
		return nil
	}
	return expected(user)
}

func (d *Directory) change(
	ctx context.Context, operation string, id int64, decide func(*domain.User) (ports.AccountChange, error),
) error {
	err := d.cfg.Store.Change(ctx, id, decide)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}
