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

// SignIn implements ports.Authenticating. It does the same work for known and unknown names. So neither the answer, nor its time, nor the
// start of a rate limit reveals whether there is such an account.
func (a *Auth) SignIn(ctx context.Context, attempt ports.Attempt) (*domain.User, error) {
	user, err := a.signIn(ctx, attempt)
	if err != nil {
		return nil, fmt.Errorf("sign in: %w", errors.Join(err, a.recordFailure(ctx, user, err)))
	}
	return user, nil
}

// signInFailures are the actions of failed attempts to sign in. Other errors are the server's.
var signInFailures = []struct {
	err    error
	action domain.Action
}{
	{domain.ErrWrongCredentials, domain.ActionSignInFailed},
	{domain.ErrTooManyAttempts, domain.ActionSignInLimited},
	{domain.ErrPasswordExpired, domain.ActionSignInPasswordExpired},
	{domain.ErrPasswordUsed, domain.ActionSignInPasswordUsed},
	{domain.ErrSuspended, domain.ActionSignInSuspended},
}

// recordFailure records a failed attempt to sign in as a user. The audit does not have the entered name, because users enter their
// passwords in its place.
func (a *Auth) recordFailure(ctx context.Context, user *domain.User, err error) error {
	for _, failure := range signInFailures {
		if errors.Is(err, failure.err) {
			return a.failed.record(ctx, domain.AuditEntry{Action: failure.action, User: user.ID})
		}
	}
	return nil
}

// signIn returns the user of an attempt, even after an error; unknownUser if there is none.
func (a *Auth) signIn(ctx context.Context, attempt ports.Attempt) (*domain.User, error) {
	identity := domain.NewIdentity(attempt.Name, a.cfg.Rules().Region)
	user, err := a.cfg.Accounts.Find(ctx, identity)
	if errors.Is(err, ports.ErrNotFound) {
		user, err = unknownUser, nil
	}
	if err != nil {
		return unknownUser, fmt.Errorf("find account: %w", err)
	}
	buckets := nameBuckets(identity, attempt.Name, attempt.Address)
	if mark, _ := a.markOf(user, attempt.Device); mark != "" {
		buckets = []ports.Bucket{deviceBucket(mark)}
	}
	turn := ports.Turn{Urgent: true, Requester: attempt.Address}
	err = a.attempt(ctx, buckets, func() error { return a.verify(ctx, turn, user, attempt.Password) })
	if err != nil {
		return user, err
	}
	a.restrict(user)
	if a.hasExpired(user) {
		return user, domain.ErrPasswordExpired
	}
	if user.IsSuspended() {
		return user, domain.ErrSuspended
	}
	if a.cfg.MustChange && !user.PasswordExpires.IsZero() {
		err = a.useOnce(ctx, user, attempt)
	}
	if err == nil {
		signIn := domain.NewSignIn(a.cfg.Now(), attempt.Address, attempt.UserAgent)
		err = a.cfg.Accounts.SignedIn(ports.WithActor(ctx, domain.UserActor(user.ID)), user.ID, user.Password.Hash, signIn)
	}
	if errors.Is(err, ports.ErrChanged) {
		err = domain.ErrWrongCredentials // the password was correct a moment ago
	}
	return user, err
}

// useOnce returns domain.ErrPasswordUsed unless a temporary password is used in the browser of its first use. So a user whose password
// was intercepted learns of it, and one whose response was lost can sign in again. A browser is recognised by its identifier until it is
// closed, and then by the mark that it got with this password.
func (a *Auth) useOnce(ctx context.Context, user *domain.User, attempt ports.Attempt) error {
	browser := sha256.Sum256([]byte(attempt.Browser))
	if user.PasswordUsedBy == nil {
		return a.cfg.Accounts.UsePassword(ctx, user.ID, user.Password.Hash, browser[:])
	}
	mark, made := a.markOf(user, attempt.Device)
	if bytes.Equal(user.PasswordUsedBy, browser[:]) || mark != "" && !made.Before(user.Password.Made) {
		return nil
	}
	return domain.ErrPasswordUsed
}

// unknownUser stands for a user who does not exist. No password matches its empty hash, and the comparison takes as long as any other.
var unknownUser = &domain.User{}

// verify returns domain.ErrWrongCredentials unless the user has the entered password. It computes one hash for any text.
func (a *Auth) verify(ctx context.Context, turn ports.Turn, user *domain.User, entered string) error {
	password, canBeChosen := domain.EnteredPassword(entered)
	verdict, err := a.cfg.Hasher.Verify(ctx, turn, user.Password.Hash, password)
	switch {
	case err != nil:
		return fmt.Errorf("verify password: %w", err)
	case !verdict.Match:
		return domain.ErrWrongCredentials
	case verdict.Weak && canBeChosen:
		return a.renew(ctx, turn, user, password)
	}
	return nil
}

// renew replaces a hash by one of today's strength. The password stays the same, so sessions continue.
func (a *Auth) renew(ctx context.Context, turn ports.Turn, user *domain.User, password domain.Password) error {
	hash, err := a.cfg.Hasher.Hash(ctx, turn, password)
	if err != nil {
		return fmt.Errorf("renew hash: %w", err)
	}
	err = a.cfg.Accounts.SetPassword(ctx, user.ID, user.Password.Hash, domain.StoredPassword{Hash: hash, Made: user.Password.Made})
	switch {
	case errors.Is(err, ports.ErrChanged): // a concurrent sign-in has renewed it
	case err != nil:
		return fmt.Errorf("renew hash: %w", err)
	default:
		user.Password.Hash = hash
	}
	return nil
}
