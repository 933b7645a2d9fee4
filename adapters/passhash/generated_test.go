package passhash_test

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rollcall/adapters/passhash"
	"rollcall/test/contract"
)

func TestGenerated(t *testing.T) { contract.Passwords(t, passhash.Generated{}) }

func TestPasswordsAreEasyToTypeAndHardToGuess(t *testing.T) {
	issuer := passhash.Generated{}.Issue()
	letters := map[rune]int{}
	const many = 2000
	for object := range many {
		password := issuer.Password(object)
		require.Regexp(t, `^([a-km-np-z2-9]{6}-){3}[a-km-np-z2-9]{6}$`, password)
		for _, letter := range strings.ReplaceAll(password, "-", "") {
			letters[letter]++
		}
	}
	assert.Len(t, letters, 32, "5 bits a letter, 24 letters: 120 bits")
	for letter, n := range letters {
		assert.InDelta(t, many*24/32, n, many*24/32/4, "letter %c", letter)
	}
}

func TestHashIsSaltedSHA256(t *testing.T) {
	issuer := passhash.Generated{}.Issue()
	parts := strings.Split(issuer.Hash(3), "$")
	require.Len(t, parts, 4)
	assert.Equal(t, "sha256", parts[1])
	salt, err := base64.RawStdEncoding.DecodeString(parts[2])
	require.NoError(t, err)
	assert.Len(t, salt, 16)
	sum := sha256.Sum256(append(salt, issuer.Password(3)...))
	assert.Equal(t, base64.RawStdEncoding.EncodeToString(sum[:]), parts[3])
}
