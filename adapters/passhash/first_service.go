package passhash

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"math/bits"
	"strconv"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// A firstServiceHash is a hash of the first service, as Werkzeug writes it: method$salt$key, with the key in hexadecimal. The method is
// pbkdf2:DIGEST:ITERATIONS or scrypt:N:R:P. Users sign in with such a hash once, and the server replaces it.
type firstServiceHash struct {
	derive func(secret string) ([]byte, error)
	key    []byte
}

// The bounds of parameters. Werkzeug's own defaults are up to 1,000,000 iterations, and scrypt:32768:8:1, which takes 32 MiB. At the
// bounds a hash takes as much memory as parseChosen permits.
const (
	maxIterations   = 2_000_000
	maxScryptMemory = 128 << 20
	maxScryptP      = 4
	maxSalt         = 64
	scryptKey       = 64 // bytes
)

// digests are the digests of pbkdf2, of which Werkzeug uses the first unless it is told otherwise. SHA-1 is not approved.
var digests = map[string]func() hash.Hash{"sha256": sha256.New, "sha512": sha512.New}

// IsFirstService reports whether a text is a hash of the first service that Verify can compare with a password.
func IsFirstService(text string) bool {
	_, ok := parseFirstService(text)
	return ok
}

func parseFirstService(text string) (*firstServiceHash, bool) {
	if len(text) > maxHash {
		return nil, false
	}
	parts := strings.Split(text, "$")
	if len(parts) != 3 || parts[1] == "" || len(parts[1]) > maxSalt {
		return nil, false
	}
	key, err := hex.DecodeString(parts[2])
	if err != nil {
		return nil, false
	}
	salt := []byte(parts[1])
	switch method := strings.Split(parts[0], ":"); {
	case method[0] == "pbkdf2" && len(method) == 3:
		digest, known := digests[method[1]]
		iterations, ok := parameter(method[2], maxIterations)
		if !known || !ok || len(key) != digest().Size() {
			return nil, false
		}
		return &firstServiceHash{func(secret string) ([]byte, error) {
			return pbkdf2.Key(digest, secret, salt, iterations, len(key))
		}, key}, true
	case method[0] == "scrypt" && len(method) == 4:
		n, okN := parameter(method[1], maxScryptMemory)
		r, okR := parameter(method[2], maxScryptMemory)
		p, okP := parameter(method[3], maxScryptP)
		if !okN || !okR || !okP || bits.OnesCount(uint(n)) != 1 || n == 1 || uint64(n)*uint64(r) > maxScryptMemory/128 || len(key) != scryptKey {
			return nil, false
		}
		return &firstServiceHash{func(secret string) ([]byte, error) {
			return scrypt.Key([]byte(secret), salt, n, r, p, len(key))
		}, key}, true
	}
	return nil, false
}

// parameter returns a number from 1 to limit, written as Werkzeug writes it.
func parameter(text string, limit int) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && strconv.Itoa(n) == text && 1 <= n && n <= limit
}

// matches compares the hash with a password as it was entered, because the first service did not prepare passwords. An empty password
// matches no hash.
func (f *firstServiceHash) matches(entered string) bool {
	key, err := f.derive(entered)
	return err == nil && entered != "" && subtle.ConstantTimeCompare(key, f.key) == 1
}
