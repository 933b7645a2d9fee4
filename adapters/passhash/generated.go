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

	"rollcall/ports"
)

// A generated password is a look-up secret, not a chosen one: it has 120 random bits, so nobody can guess it from its
// hash, however fast the hash is. NIST SP 800-63B (rev. 3, 5.1.2.2) and OWASP ASVS 5.0 (6.5.2) ask for a salted approved
// hash and no more from 112 bits on. Hence SHA-256, which takes a microsecond where argon2id takes 20 ms; a million of
// them are made in one import. What such a password owes in return is that it expires (ASVS 6.4.1).
const (
	passwordBytes = 15
	saltBytes     = 16

	// alphabet has 32 letters and digits, 5 bits each: without o and 0, l and 1, and without capitals, so that none is
	// taken for another, read or typed.
	alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
	group    = 6 // letters between hyphens
)

// Temporary makes passwords from a secret key, the salt of an import, and the object's number. So they need not be kept
// anywhere to be told after the commit, or once more; and when the salt is gone, nobody can make them again.
type Temporary struct {
	secret []byte
	id     []byte // tells the secret from others, and nothing else of it
}

const (
	randomBytes = 16 // of an import's salt, in front of the secret's id
	idBytes     = 8
)

// NewTemporary makes a maker of passwords with a secret key of random bytes.
func NewTemporary(secret []byte) *Temporary {
	return &Temporary{secret, derived(secret, "id")[:idBytes]}
}

// derived is a key that is made of another for a purpose.
func derived(secret []byte, purpose string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}

// Pseudonyms returns a function that makes pseudonyms with a secret key: 16 hexadecimal digits, the same for the same name.
// Without the key nobody finds out the name, not even by trying the names that people have.
func Pseudonyms(secret []byte) func(name string) string {
	key := derived(secret, "pseudonym")
	return func(name string) string { return hex.EncodeToString(derived(key, name)[:8]) }
}

// Salt implements ports.Passwords.
func (g *Temporary) Salt() []byte {
	salt := make([]byte, randomBytes, randomBytes+idBytes)
	_, _ = rand.Read(salt) // never fails: it ends the program instead
	return append(salt, g.id...)
}

// Issue implements ports.Passwords.
func (g *Temporary) Issue(salt []byte) (ports.Issuer, error) {
	if !bytes.HasSuffix(salt, g.id) {
		return nil, ports.ErrOtherSecret
	}
	return &issuer{mac: hmac.New(sha256.New, derived(g.secret, "import "+string(salt)))}, nil
}

// issuer is for one goroutine at a time.
type issuer struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

// Password implements ports.Issuer: 24 letters and digits in groups of six.
func (i *issuer) Password(object int) string {
	password, _ := i.derive(object)
	return string(password[:])
}

// Hash implements ports.Issuer: $sha256$salt$hash, both in base64 without padding, the hash being that of the salt's
// bytes followed by the password's.
func (i *issuer) Hash(object int) string {
	password, salt := i.derive(object)
	var salted [saltBytes + len(password)]byte
	copy(salted[copy(salted[:], salt):], password[:])
	sum := sha256.Sum256(salted[:])

	b := make([]byte, 0, len(temporaryScheme)+22+1+43)
	b = append(b, temporaryScheme...)
	b = base64.RawStdEncoding.AppendEncode(b, salt)
	b = append(b, '$')
	b = base64.RawStdEncoding.AppendEncode(b, sum[:])
	return string(b)
}

// derive makes the password and the salt of an object from separate parts of one pseudo-random output.
func (i *issuer) derive(object int) (password [27]byte, salt []byte) {
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(object))
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
