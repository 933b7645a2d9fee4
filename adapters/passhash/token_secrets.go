package passhash

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// Secrets makes secrets of 256 random bits, in base64 after a prefix.
type Secrets struct{ prefix string }

var (
	// TokenSecrets are the secrets of access tokens. Their prefix lets people and secret scanners recognise a leaked one.
	TokenSecrets = Secrets{"rollcall_"}

	// SetupCodes are the codes for the first operator.
	SetupCodes = Secrets{}
)

const secretBytes = 32

// New implements ports.Secrets.
func (s Secrets) New() string {
	random := make([]byte, secretBytes)
	_, _ = rand.Read(random) // never fails: it ends the program instead
	return s.prefix + base64.RawURLEncoding.EncodeToString(random)
}

// Hash implements ports.Secrets. 256 random bits cannot be guessed however fast the hash is, and no two secrets are equal. So
// neither a salt nor a slow hash adds anything (NIST SP 800-63B rev. 3, 5.1.2.2). Only hashes are compared, so the time of a
// comparison reveals nothing about a secret.
func (s Secrets) Hash(secret string) ([]byte, bool) {
	if len(secret) != len(s.prefix)+base64.RawURLEncoding.EncodedLen(secretBytes) || !strings.HasPrefix(secret, s.prefix) {
		return nil, false
	}
	sum := sha256.Sum256([]byte(secret))
	return sum[:], true
}
