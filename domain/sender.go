package domain

import (
	"errors"
	"strings"
)

// A Sender is the client or user that sent an import. Its zero value is an anonymous client.
type Sender struct {
	Token     int64  // id of the access token; 0 for none
	TokenName string // name of the access token; another token can get it after a revocation
	User      int64  // id of the user; 0 for none
}

// ErrImportKey is returned for a text that cannot be an idempotency key.
var ErrImportKey = errors.New("invalid idempotency key: expected 1 to 255 visible ASCII characters")

const maxImportKey = 255 // bytes

// An ImportKey is the key under which the answer to an import is stored. Its zero value stores none.
//
// A client that has a key and the file gets the passwords. So a key belongs to its sender by an id, which no other token or
// user ever gets. Senders without an id cannot be distinguished, and share their keys. The import of an upload has a key that
// no sender can choose.
type ImportKey struct {
	Token, User int64  // ids as in Sender
	Value       string // that the sender chose
	Upload      string // id of an upload; then the other fields are zero
}

// IsZero reports whether no answer is kept.
func (k ImportKey) IsZero() bool { return k == ImportKey{} }

// NewImportKey returns the key of a value that a sender chose. It returns ErrImportKey.
func NewImportKey(sender Sender, value string) (ImportKey, error) {
	isVisible := !strings.ContainsFunc(value, func(r rune) bool { return r < '!' || r > '~' })
	if value == "" || len(value) > maxImportKey || !isVisible {
		return ImportKey{}, ErrImportKey
	}
	return ImportKey{Token: sender.Token, User: sender.User, Value: value}, nil
}
