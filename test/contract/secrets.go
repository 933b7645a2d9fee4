package contract

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/ports"
)

// Secrets proves a ports.Secrets.
func Secrets(t *testing.T, secrets ports.Secrets) {
	one, other := secrets.New(), secrets.New()
	hash, ok := secrets.Hash(one)
	t.Run("MakesDifferentSecrets", func(t *testing.T) {
		require.NotEqual(t, one, other)
		require.True(t, ok)
		otherHash, ok := secrets.Hash(other)
		require.True(t, ok)
		require.NotEqual(t, hash, otherHash)
	})
	t.Run("HashesASecretTheSameWayEachTime", func(t *testing.T) {
		again, ok := secrets.Hash(strings.Clone(one))
		require.True(t, ok)
		require.Equal(t, hash, again)
		require.NotContains(t, string(hash), one)
	})
	sum := sha256.Sum256([]byte(one))
	for _, c := range []struct{ name, text string }{
		{"Empty", ""},
		{"Short", one[:len(one)-1]},
		{"Long", one + "A"},
		{"TrailingBlank", one + " "},
		{"Hash", string(sum[:])},
		{"Huge", strings.Repeat(one, 2000)},
	} {
		t.Run("RejectsText/"+c.name, func(t *testing.T) {
			hash, ok := secrets.Hash(c.text)
			require.False(t, ok)
			require.Nil(t, hash)
		})
	}
}
