package passhash_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/passhash"
	"rollcall/domain"
	"rollcall/ports"
)

const (
	scryptHash = "scrypt:32768:8:1$k3QzWm9TtR1xYb7a$56a6b943bcab57c06aa0f03842beeb44fb7d4a40ee893ab0aeddbe9e1f68202b03ad4fc8e24c0d94895289f779a5fcb0d4a97fe9c7a1de55724ac3487ce469b5"
	pbkdf2Hash = "pbkdf2:sha256:600000$k3QzWm9TtR1xYb7a$896dc2729c2819d3b74f862243ec2f4529aaaad33302f6db70f077864f6bf8ef"
)

// The hashes were made by the standard library of Python. Each that matches is weak, so that a sign-in renews it. The slow ones are compared
// with one other password.
func TestHashesOfTheFirstServiceAreVerified(t *testing.T) {
	hasher := passhash.NewHasher(passhash.Config{Params: tiny()})
	for _, c := range []struct {
		hash, password string
		others         []string
	}{
		{scryptHash, "four green pines", []string{"FOUR GREEN PINES"}},
		{pbkdf2Hash, "four green pines", []string{"four green pines "}},
		{"pbkdf2:sha256:1000$salt$964f083dc9c23a96fb62a49113434edf7ad0d0a3f5d47c3369c38dbc71208ed1", "two\twords", []string{"two\twords ", "TWO\tWORDS", ""}},
		{"pbkdf2:sha512:1000$salt$afe6c5530785b6cc6b1c6453384731bd5ee432ee549fd42fb6695779ad8a1c5bf59de69c48f774efc4007d5298f9033c0241d5ab69305e7b64eceeb8d834cfec", "password", []string{"password ", "PASSWORD", ""}},
	} {
		t.Run(c.hash, func(t *testing.T) {
			require.True(t, passhash.IsFirstService(c.hash))
			require.False(t, hasher.IsTemporary(c.hash))
			for _, entered := range append(c.others, c.password) {
				p, _ := domain.EnteredPassword(entered)
				verdict, err := hasher.Verify(t.Context(), ports.Turn{}, c.hash, p)
				require.NoError(t, err)
				require.Equal(t, ports.Verdict{Match: entered == c.password, Weak: true}, verdict)
			}
		})
	}
}

// A password that is not prepared is not changed before the comparison, and the empty one matches nothing.
func TestFirstServiceHashedPasswordsAsEntered(t *testing.T) {
	hasher := passhash.NewHasher(passhash.Config{Params: tiny()})
	p, ok := domain.EnteredPassword("")
	require.False(t, ok)
	verdict, err := hasher.Verify(t.Context(), ports.Turn{}, "pbkdf2:sha256:1$salt$f135c27993baf98773c5cdb40a5706ce6a345cde61b000a67858650cd6a324d7", p)
	require.NoError(t, err)
	require.False(t, verdict.Match)
}

func TestHostileHashesOfTheFirstServiceAreRejected(t *testing.T) {
	hasher := passhash.NewHasher(passhash.Config{Params: tiny()})
	sum := strings.Repeat("ab", 32)
	for _, hash := range []string{
		"", "pbkdf2", "pbkdf2:sha256:1", "pbkdf2:sha256:1$salt", "pbkdf2:sha256:1$$" + sum, "pbkdf2:sha256:1$salt$" + sum + "$",
		"pbkdf2:sha256$salt$" + sum, "pbkdf2:md5:1$salt$" + sum, "pbkdf2:sha1:1$salt$" + sum[:40], "pbkdf2:sha256:1$salt$" + sum[2:], "pbkdf2:sha256:1$salt$zz" + sum[2:],
		"pbkdf2:sha256:0$salt$" + sum, "pbkdf2:sha256:-1$salt$" + sum, "pbkdf2:sha256:01$salt$" + sum, "pbkdf2:sha256:2000001$salt$" + sum,
		"pbkdf2:sha256:99999999999999999999$salt$" + sum, "pbkdf2:sha256:1$" + strings.Repeat("s", 65) + "$" + sum,
		"scrypt:32768:8$salt$" + sum + sum, "scrypt:32767:8:1$salt$" + sum + sum, "scrypt:1:8:1$salt$" + sum + sum, "scrypt:0:8:1$salt$" + sum + sum,
		"scrypt:262144:8:1$salt$" + sum + sum, "scrypt:32768:33:1$salt$" + sum + sum, "scrypt:32768:8:5$salt$" + sum + sum, "scrypt:32768:8:0$salt$" + sum + sum,
		"scrypt:32768:8:1$salt$" + sum, "sha256$salt$" + sum, "plain$$x",
	} {
		t.Run(hash, func(t *testing.T) {
			require.False(t, passhash.IsFirstService(hash))
			if hash != "" {
				_, err := hasher.Verify(t.Context(), ports.Turn{}, hash, password(t, "x"))
				require.ErrorContains(t, err, "malformed or out of bounds")
			}
		})
	}
	for _, hash := range []string{"pbkdf2:sha256:2000000$salt$" + sum, "scrypt:131072:8:4$salt$" + sum + sum, "scrypt:2:1:1$salt$" + sum + sum} {
		t.Run(hash, func(t *testing.T) { require.True(t, passhash.IsFirstService(hash), "at the bounds") })
	}
}
