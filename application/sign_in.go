package application

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"rollcall/domain"
	"rollcall/ports"
)

// SignIn implements ports.Authenticating. Whatever is asked of a known name is asked of an unknown one as well: neither the answer
// nor its time, nor from when on it is "too many attempts", tells whether there is such an account.
func (a *Auth) SignIn(ctx context.Context, attempt ports.Attempt) (*domain.User, error) {
	user, err := a.signIn(ctx, attempt)
	if err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	return user, nil
}

func (a *Auth) signIn(ctx context.Context, attempt ports.Attempt) (*domain.User, error) {
	identity := domain.NewIdentity(attempt.Name, a.with.Rules().Region)
	user, err := a.with.Accounts.Find(ctx, identity)
	if errors.Is(err, ports.ErrNotFound) {
		user, err = nobody, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find account: %w", err)
	}
	buckets := nameBuckets(identity, attempt.Name, attempt.Address)
	if mark, _ := a.markOf(user, attempt.Device); mark != "" {
		buckets = []ports.Bucket{deviceBucket(mark)}
	}
	turn := ports.Turn{Urgent: true, Who: attempt.Address}
	err = a.attempt(ctx, buckets, func() error { return a.verify(ctx, turn, user, attempt.Password) })
	if err != nil {
		return nil, err
	}
	a.restrict(user)
	if a.hasExpired(user) {
		return nil, domain.ErrPasswordExpired
	}
	if user.MustChangePassword {
		err = a.useOnce(ctx, user, attempt)
	}
	if err != nil {
		return nil, err
	}
	return user, nil
}

// useOnce lets a temporary password be used in the browser in which it was used first, so that a person whose password was
// intercepted learns of it, and one whose answer was lost can come back. The browser is known by what it keeps until it is
// closed, and then by the mark that it got with this password.
func (a *Auth) useOnce(ctx context.Context, user *domain.User, attempt ports.Attempt) error {
	browser := sha256.Sum256([]byte(attempt.Browser))
	if user.PasswordUsedBy == nil {
		err := a.with.Accounts.UsePassword(ctx, user.ID, user.Password.Hash, browser[:])
		if errors.Is(err, ports.ErrChanged) {
			return domain.ErrWrongCredentials // it was right a moment ago
		}
		return err
	}
	mark, made := a.markOf(user, attempt.Device)
	if bytes.Equal(user.PasswordUsedBy, browser[:]) || mark != "" && !made.Before(user.Password.Made) {
		return nil
	}
	return domain.ErrPasswordUsed
}

// nobody has no password: an empty hash matches none, and takes as long as another.
var nobody = &domain.User{}

// verify returns domain.ErrWrongCredentials unless the user has the password that was entered. Whatever was entered, it
// computes one hash.
func (a *Auth) verify(ctx context.Context, turn ports.Turn, user *domain.User, entered string) error {
	password, ok := domain.EnteredPassword(entered)
	if !ok {
		user = nobody
	}
	verdict, err := a.with.Hasher.Verify(ctx, turn, user.Password.Hash, password)
	switch {
	case err != nil:
		return fmt.Errorf("verify password: %w", err)
	case !verdict.Match:
		return domain.ErrWrongCredentials
	case verdict.Weak:
		return a.renew(ctx, turn, user, password)
	}
	return nil
}

// renew hashes a password as strongly as it is done today. It stays the same password: sessions go on.
func (a *Auth) renew(ctx context.Context, turn ports.Turn, user *domain.User, password domain.Password) error {
	hash, err := a.with.Hasher.Hash(ctx, turn, password)
	if err != nil {
		return fmt.Errorf("renew hash: %w", err)
	}
	err = a.with.Accounts.SetPassword(ctx, user.ID, user.Password.Hash, domain.StoredPassword{Hash: hash, Made: user.Password.Made})
	switch {
	case errors.Is(err, ports.ErrChanged): // another sign-in has renewed it
	case err != nil:
		return fmt.Errorf("renew hash: %w", err)
	default:
		user.Password.Hash = hash
	}
	return nil
}
