package application

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// ChangePassword implements ports.Authenticating.
func (a *Auth) ChangePassword(ctx context.Context, change ports.PasswordChange) (*domain.User, error) {
	user, err := a.changePassword(ports.WithActor(ctx, domain.UserActor(change.User)), change)
	if err != nil {
		return nil, fmt.Errorf("change password: %w", err)
	}
	return user, nil
}

func (a *Auth) changePassword(ctx context.Context, change ports.PasswordChange) (*domain.User, error) {
	user, err := a.User(ctx, change.User, change.Made)
	if err != nil {
		return nil, err
	}
	chosen, violations := domain.NewPassword(change.New, domain.RestoreLogin(user.Login))
	if change.Old == "" {
		violations = append(domain.Violations{{Field: domain.FieldOldPassword, Code: domain.CodeRequired}}, violations...)
		return nil, &domain.RejectedError{Violations: violations}
	}
	turn := ports.Turn{Urgent: true, Requester: "user " + strconv.FormatInt(user.ID, 10)}
	err = a.attempt(ctx, []ports.Bucket{ownBucket(user)}, func() error { return a.verify(ctx, turn, user, change.Old) })
	if errors.Is(err, domain.ErrWrongCredentials) {
		if violations == nil && a.hasJustChosen(ctx, turn, user, change.New) {
			return user, nil
		}
		err = a.failed.record(ctx, domain.AuditEntry{Action: domain.ActionPasswordChangeFailed, User: user.ID})
		if err != nil {
			return nil, err
		}
		violations = append(domain.Violations{{Field: domain.FieldOldPassword, Code: domain.CodeWrong}}, violations...)
		return nil, &domain.RejectedError{Violations: violations}
	}
	if err != nil {
		return nil, err
	}
	isCurrent := false
	if violations == nil {
		isCurrent, err = a.isCurrent(ctx, turn, user, change.Old, chosen)
	}
	switch {
	case err != nil:
		return nil, err
	case isCurrent:
		violations = domain.Violations{{Field: domain.FieldPassword, Code: domain.CodeSame}}
	}
	if violations != nil {
		return nil, &domain.RejectedError{Violations: violations}
	}
	hash, err := a.cfg.Hasher.Hash(ctx, turn, chosen)
	if err != nil {
		return nil, err
	}
	old := user.Password
	user.Password = domain.StoredPassword{Hash: hash, Made: passwordDate(a.cfg.Now(), old.Made)}
	user.PasswordExpires, user.ChangeRequired, user.MustChangePassword, user.PasswordUsedBy = time.Time{}, false, false, nil
	err = a.cfg.Accounts.SetPassword(ctx, user.ID, old.Hash, user.Password)
	if errors.Is(err, ports.ErrChanged) {
		return nil, domain.ErrSignedOut
	}
	return user, err
}

// repeatTime is the time in which a change of password that is sent again succeeds again. It is short, because a wrong old password and
// the new one are then two guesses for one attempt.
const repeatTime = time.Minute

// hasJustChosen reports whether a user has this password because the same change was sent before.
func (a *Auth) hasJustChosen(ctx context.Context, turn ports.Turn, user *domain.User, chosen string) bool {
	return a.cfg.Now().Sub(user.Password.Made) < repeatTime && !a.cfg.Hasher.IsTemporary(user.Password.Hash) &&
		a.verify(ctx, turn, user, chosen) == nil
}

// isCurrent reports whether a chosen password is the current one. A temporary password has several spellings.
func (a *Auth) isCurrent(ctx context.Context, turn ports.Turn, user *domain.User, old string, chosen domain.Password) (bool, error) {
	entered, _ := domain.EnteredPassword(old)
	isSame := entered.Secret() == chosen.Secret()
	if isSame || !a.cfg.Hasher.IsTemporary(user.Password.Hash) {
		return isSame, nil
	}
	verdict, err := a.cfg.Hasher.Verify(ctx, turn, user.Password.Hash, chosen)
	if err != nil {
		return false, fmt.Errorf("compare passwords: %w", err)
	}
	return verdict.Match, nil
}
