package ports

import (
	"context"

	"rollcall/domain"
)

// Verdict is what came of comparing a password with a hash.
type Verdict struct {
	Match bool
	Weak  bool // the hash is of less strength than the server makes now; never so for a generated one
}

// Turn decides when a hash is computed where others wait.
type Turn struct {
	Urgent bool   // computed before every hash that is not: a person who has an account waits for it
	Who    string // an address, as in Attempt, or a user: they take turns, so that many requests of one delay only that one
}

// Hasher hashes the passwords that people choose, and verifies those and generated ones. It computes few hashes at a time
// and lets the others wait, so that no number of requests takes the memory and the processors from the rest.
type Hasher interface {
	// Hash returns what is stored of a password. It returns ErrBusy when too many wait, or the context's error, which is
	// also ErrBusy if the deadline passed while it waited.
	Hash(ctx context.Context, turn Turn, password domain.Password) (string, error)

	// Verify compares a password with a hash. It compares a generated password that matches immediately. A password that
	// does not match takes as long whatever the hash is, be it of a generated password, or empty for an account that does
	// not exist; only a hash of other parameters than today's takes its own time. It returns the errors of Hash, or an
	// error for a hash that it cannot read or whose parameters are out of bounds.
	Verify(ctx context.Context, turn Turn, hash string, password domain.Password) (Verdict, error)
}
