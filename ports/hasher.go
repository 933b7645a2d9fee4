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

// Hasher hashes the passwords that people choose, and verifies those and generated ones. It does few at a time, and lets
// the others wait, so that however many come at once neither memory nor the processors are taken from the rest.
type Hasher interface {
	// Hash returns what is stored of a password. It returns ErrUnavailable when too many wait, or the context's error.
	Hash(ctx context.Context, password domain.Password) (string, error)

	// Verify compares a password with a hash. What does not match takes as long whatever the hash is, be it of a
	// generated password, or empty for an account that does not exist; only a hash of other parameters than today's
	// takes its own time. It returns ErrUnavailable when too many wait, the
	// context's error, or an error for a hash that it cannot read or whose parameters are out of bounds.
	Verify(ctx context.Context, hash string, password domain.Password) (Verdict, error)
}
