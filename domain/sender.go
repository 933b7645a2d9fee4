package domain

import (
	"errors"
	"strings"
)

// Sender is who sent an import, as far as the server knows. Its zero value is anyone who can reach the server.
type Sender struct {
	Token     int64  // id of the access token; 0 for none
	TokenName string // as the import's record has it; after a revocation another token can have it
	User      int64  // id of the user; 0 for none
}

// ErrImportKey is returned for a text that cannot be an idempotency key.
var ErrImportKey = errors.New("invalid idempotency key: expected 1 to 255 visible ASCII characters")

const maxImportKey = 255 // bytes

// ImportKey finds the answer that is kept of an import. Its zero value keeps none.
//
// A client that has a key and the file gets the passwords. So a key belongs to its sender by an id, which no other token or
// user ever gets. Senders without an id cannot be told apart, and share their keys.
type ImportKey struct {
	Token, User int64 // ids as in Sender
	Value       string
}

// IsZero reports whether no answer is kept.
func (k ImportKey) IsZero() bool { return k == ImportKey{} }

// NewImportKey returns the key of a value that a sender chose. It returns ErrImportKey.
func NewImportKey(sender Sender, value string) (ImportKey, error) {
	isVisible := !strings.ContainsFunc(value, func(r rune) bool { return r < '!' || r > '~' })
	if value == "" || len(value) > maxImportKey || !isVisible {
		return ImportKey{}, ErrImportKey
	}
	return ImportKey{sender.Token, sender.User, value}, nil
}
