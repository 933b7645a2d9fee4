package ports

import (
	"context"

	"rollcall/domain"
)

// AccountStore stores the accounts of users. Every method returns ErrUnavailable if the database is unreachable.
type AccountStore interface {
	// Find returns the account that an identity belongs to: the one with the email, else the one with the phone, else the one
	// with the login. Only logins older than the rule against it can read as the contact of another user. The contact counts
	// then, so its owner can sign in by it. Find returns ErrNotFound if there is no account.
	Find(ctx context.Context, identity domain.Identity) (*domain.User, error)

	// Owners returns the id of the account that each identity belongs to, as Find does, and 0 for none.
	Owners(ctx context.Context, identities []domain.Identity) ([]int64, error)

	// User returns an account. It returns ErrNotFound.
	User(ctx context.Context, id int64) (*domain.User, error)

	// UsePassword records the first browser that a temporary password is used in. The password is given by its hash, the
	// browser by a hash of its identifier. Of several concurrent browsers one wins. It returns domain.ErrPasswordUsed for any
	// other browser, and ErrChanged if the account has another password or is deleted.
	UsePassword(ctx context.Context, id int64, hash string, browser []byte) error

	// SignedIn records a sign-in with the password that has a hash. It keeps the latest domain.KeptSignIns. It returns
	// ErrChanged if the account has another password, is suspended or deleted: no session begins after a change that ends sessions.
	SignedIn(ctx context.Context, id int64, hash string, signIn domain.SignIn) error

	// SetPassword replaces the password whose hash is oldHash by one that no browser has used. It returns ErrChanged if the
	// account has another password or is deleted. A new password has a new time. The new hash of the same password has the old time, and
	// is not recorded in the audit.
	// A new password ends the requirement to choose one.
	SetPassword(ctx context.Context, id int64, oldHash string, password domain.StoredPassword) error
}
