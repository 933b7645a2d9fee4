package ports

import (
	"context"

	"rollcall/domain"
)

// A Verdict is the result of comparing a password with a hash.
type Verdict struct {
	Match bool
	Weak  bool // the hash is weaker than those that the server makes now; always false for a temporary password
}

// A Turn decides when a hash is computed while others wait.
type Turn struct {
	Urgent    bool   // computed before every hash that is not urgent; a user with an account waits for it
	Requester string // an address, as in Attempt, or a user; requesters take turns, so that many requests of one delay only that one
}

// Hasher hashes the passwords that people choose, and verifies chosen and temporary passwords. It computes few hashes at a time,
// and the others wait, so that no number of requests exhausts memory or processors.
type Hasher interface {
	// Hash returns the hash under which a password is stored. It returns ErrBusy when too many hashes wait, or the error of the
	// context, which is also ErrBusy if the deadline passed during the wait.
	Hash(ctx context.Context, turn Turn, password domain.Password) (string, error)

	// Verify compares a password with a hash. A temporary password matches without regard to case, dashes and blanks, and is
	// confirmed immediately. A password that does
	// not match takes the same time for every hash: of a chosen or temporary password, or empty for an account that does not
	// exist. Only a hash with other parameters than today's takes its own time. Verify returns the errors of Hash, or an error
	// for a hash that it cannot parse or whose parameters are out of bounds.
	Verify(ctx context.Context, turn Turn, hash string, password domain.Password) (Verdict, error)

	// IsTemporary reports whether a hash is that of a temporary password.
	IsTemporary(hash string) bool
}
