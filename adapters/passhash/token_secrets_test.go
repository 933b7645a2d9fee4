package passhash_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/passhash"
	"rollcall/test/contract"
)

func TestSecrets(t *testing.T) {
	for _, c := range []struct {
		name    string
		secrets passhash.Secrets
		want    string
	}{
		{"AccessToken", passhash.TokenSecrets, `^rollcall_[\w-]{43}$`},
		{"SetupCode", passhash.SetupCodes, `^[\w-]{43}$`},
	} {
		t.Run(c.name, func(t *testing.T) {
			contract.Secrets(t, c.secrets)
			require.Regexp(t, c.want, c.secrets.New(), "256 bits")
		})
	}
	_, ok := passhash.TokenSecrets.Hash("ROLLCALL_" + passhash.SetupCodes.New())
	require.False(t, ok, "the prefix is case-sensitive")
}
