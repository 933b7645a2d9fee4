package passhash_test

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/passhash"
	"rollcall/ports"
	"rollcall/test/contract"
)

func temporary() *passhash.Temporary {
	return passhash.NewTemporary([]byte("a secret key of 32 bytes or more"))
}

// issuer returns the issuer of a new import.
func issuer() ports.Issuer {
	temporary := temporary()
	issuer, _ := temporary.Issue(temporary.Salt())
	return issuer
}

// With another secret key a salt is rejected, or gives other passwords.
func TestPasswordsDependOnTheSecretKey(t *testing.T) {
	salt := temporary().Salt()
	other := passhash.NewTemporary([]byte("another secret key of the length"))
	_, err := other.Issue(salt)
	require.ErrorIs(t, err, ports.ErrOtherSecret)
	stolen, err := other.Issue(append(salt[:16:16], other.Salt()[16:]...))
	require.NoError(t, err)
	right, err := temporary().Issue(salt)
	require.NoError(t, err)
	require.NotEqual(t, right.Password(1), stolen.Password(1))
}

func TestTemporary(t *testing.T) { contract.Passwords(t, temporary()) }

func TestPasswordsAreEasyToTypeAndHardToGuess(t *testing.T) {
	issuer := issuer()
	letters := map[rune]int{}
	const many = 2000
	for record := range many {
		password := issuer.Password(record)
		require.Regexp(t, `^([a-km-np-z2-9]{6}-){3}[a-km-np-z2-9]{6}$`, password)
		for _, letter := range strings.ReplaceAll(password, "-", "") {
			letters[letter]++
		}
	}
	require.Len(t, letters, 32, "5 bits a letter, 24 letters: 120 bits")
	for letter, n := range letters {
		require.InDelta(t, many*24/32, n, many*24/32/4, "letter %c", letter)
	}
}

func TestHashIsSaltedSHA256(t *testing.T) {
	issuer := issuer()
	parts := strings.Split(issuer.Hash(3), "$")
	require.Len(t, parts, 4)
	require.Equal(t, "sha256", parts[1])
	salt, err := base64.RawStdEncoding.DecodeString(parts[2])
	require.NoError(t, err)
	require.Len(t, salt, 16)
	sum := sha256.Sum256(append(salt, issuer.Password(3)...))
	require.Equal(t, base64.RawStdEncoding.EncodeToString(sum[:]), parts[3])
}
