// Package passhash makes and hashes passwords.
package passhash

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"

	"rollcall/domain"
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

// Generated makes passwords with random bits of the operating system.
type Generated struct{}

// Issue implements ports.Passwords. The issuer derives each password from a random key of its import and the object's
// number, so that it need not be kept anywhere to be told after the commit.
func (Generated) Issue() ports.Issuer {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails: it ends the program instead
	return &issuer{mac: hmac.New(sha256.New, key)}
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

	b := make([]byte, 0, len(domain.GeneratedScheme)+22+1+43)
	b = append(b, domain.GeneratedScheme...)
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
