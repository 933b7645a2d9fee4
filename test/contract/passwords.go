package contract

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/ports"
)

// Passwords proves a ports.Passwords.
func Passwords(t *testing.T, passwords ports.Passwords) {
	seen := map[string]bool{}
	for range 2 {
		salt := passwords.Salt()
		issuer, err := passwords.Issue(salt)
		require.NoError(t, err)
		for record := 1; record <= 100; record++ {
			password, hash := issuer.Password(record), issuer.Hash(record)
			require.NotContains(t, hash, password)
			require.False(t, seen[password] || seen[hash], "every password and hash is unique")
			seen[password], seen[hash] = true, true
		}
		password, hash := issuer.Password(7), issuer.Hash(7)
		_, _ = issuer.Password(8), issuer.Hash(8)
		require.Equal(t, password, issuer.Password(7))
		require.Equal(t, hash, issuer.Hash(7))

		again, err := passwords.Issue(bytes.Clone(salt))
		require.NoError(t, err)
		require.Equal(t, password, again.Password(7))
		require.Equal(t, hash, again.Hash(7))
	}
	_, err := passwords.Issue([]byte("a salt of another server"))
	require.ErrorIs(t, err, ports.ErrOtherSecret)
}
