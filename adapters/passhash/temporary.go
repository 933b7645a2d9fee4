// Package passhash makes and hashes passwords.
package passhash

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"slices"
	"strings"
	"unicode"

	"rollcall/ports"
)

// A temporary password is a look-up secret, not a chosen one: it has 120 random bits, so it cannot be guessed from its hash, however fast
// the hash is. From 112 bits on, NIST SP 800-63B (rev. 3, 5.1.2.2) and OWASP ASVS 5.0 (6.5.2) require only a salted approved hash. Hence
// SHA-256, which takes a microsecond where argon2id takes 20 ms. One import makes a million of them. In return such a password must expire
// (ASVS 6.4.1).
const (
	passwordBytes = 15
	saltBytes     = 16

	// alphabet has 32 characters of 5 bits each. It has neither o, 0, l and 1 nor capitals, so that no character can be mistaken for
	// another.
	alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
	group    = 6 // letters between hyphens
)

// Temporary derives temporary passwords from a secret key, the salt of an import and the number of a record. So they can be answered after
// the commit, and again, without being stored. Once the salt is deleted, they cannot be derived any more.
type Temporary struct {
	secret []byte
	id     []byte // distinguishes the secret from others, and reveals nothing about it
}

const (
	randomBytes = 16 // of a salt, before the id of the secret
	idBytes     = 8
)

// NewTemporary returns a source of passwords with a key of random bytes.
func NewTemporary(secret []byte) *Temporary {
	return &Temporary{secret, derived(secret, "id")[:idBytes]}
}

// derived returns a key that is derived from another for a purpose.
func derived(secret []byte, purpose string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}

// Pseudonyms returns a function that returns the pseudonym of a name: 16 hexadecimal digits, always the same. Without the key the name
// cannot be found out, not even by trying common names.
func Pseudonyms(secret []byte) func(name string) string {
	key := derived(secret, "pseudonym")
	return func(name string) string { return hex.EncodeToString(derived(key, name)[:8]) }
}

// Salt implements ports.Passwords.
func (t *Temporary) Salt() []byte {
	salt := make([]byte, randomBytes, randomBytes+idBytes)
	_, _ = rand.Read(salt) // never fails: it ends the program instead
	return append(salt, t.id...)
}

// Issue implements ports.Passwords.
func (t *Temporary) Issue(salt []byte) (ports.Issuer, error) {
	if !bytes.HasSuffix(salt, t.id) {
		return nil, ports.ErrOtherSecret
	}
	return &issuer{mac: hmac.New(sha256.New, derived(t.secret, "import "+string(salt)))}, nil
}

// issuer is not safe for concurrent use.
type issuer struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

// Password implements ports.Issuer: 24 letters and digits in groups of six.
func (i *issuer) Password(record int) string {
	password, _ := i.derive(record)
	return string(password[:])
}

// Hash implements ports.Issuer: $sha256$salt$hash, both in base64 without padding. The hash is that of the salt's bytes followed by the
// password's.
func (i *issuer) Hash(record int) string {
	password, salt := i.derive(record)
	var salted [saltBytes + len(password)]byte
	copy(salted[copy(salted[:], salt):], password[:])
	sum := sha256.Sum256(salted[:])

	b := make([]byte, 0, len(ports.TemporaryScheme)+22+1+43)
	b = append(b, ports.TemporaryScheme...)
	b = base64.RawStdEncoding.AppendEncode(b, salt)
	b = append(b, '$')
	b = base64.RawStdEncoding.AppendEncode(b, sum[:])
	return string(b)
}

// typed returns the temporary password that a user has typed in another way: with capitals, with other dashes or none, and with blanks.
// It returns any other text unchanged.
func typed(text string) string {
	letters := strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Pd, unicode.Zs) || r == '−' {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
	if len(letters) != passwordBytes*8/5 || strings.Trim(letters, alphabet) != "" {
		return text
	}
	groups := slices.Collect(slices.Chunk([]byte(letters), group))
	return string(bytes.Join(groups, []byte("-")))
}

// derive returns the password and the salt of a record, from separate parts of one pseudo-random output.
func (i *issuer) derive(record int) (password [27]byte, salt []byte) {
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(record))
	i.mac.Reset()
	i.mac.Write(number[:])
	sum := i.mac.Sum(i.sum[:0])

	at := 0
	for letter := range passwordBytes * 8 / 5 {
		if letter > 0 && letter%group == 0 {
			password[at] = '-'
			at++
		}
		bit := letter * 5
		pair := binary.BigEndian.Uint16(sum[bit/8:]) >> (11 - bit%8)
		password[at] = alphabet[pair&31]
		at++
	}
	return password, sum[passwordBytes : passwordBytes+saltBytes]
}
