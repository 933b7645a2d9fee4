package contract

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

// A HasherSubject is a hasher, another one that makes stronger hashes, and a source of temporary passwords whose hashes both can read.
type HasherSubject struct {
	Hasher, Stronger ports.Hasher
	Passwords        ports.Passwords
}

// Hasher proves a ports.Hasher.
func Hasher(t *testing.T, s HasherSubject) {
	for _, c := range []struct {
		name string
		test func(*testing.T, HasherSubject)
	}{
		{"VerifiesChosenPasswords", verifiesChosenPasswords},
		{"VerifiesTemporaryPasswords", verifiesTemporaryPasswords},
		{"MatchesNothingWithAnEmptyHash", matchesNothingWithEmptyHash},
		{"ReportsWeakHashes", reportsWeakHashes},
		{"RejectsMalformedHashes", rejectsMalformedHashes},
		{"StopsWithItsContext", hasherStopsWithContext},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, s) })
	}
}

func password(t *testing.T, s string) domain.Password {
	t.Helper()
	p, ok := domain.EnteredPassword(s)
	require.True(t, ok)
	return p
}

func verifiesChosenPasswords(t *testing.T, s HasherSubject) {
	for _, secret := range []string{"correct horse", "пароль 密码 🙂", strings.Repeat("ы", domain.MaxPassword), "$argon2id$x"} {
		t.Run(secret, func(t *testing.T) {
			hash, err := s.Hasher.Hash(t.Context(), ports.Turn{}, password(t, secret))
			require.NoError(t, err)
			again, err := s.Hasher.Hash(t.Context(), ports.Turn{}, password(t, secret))
			require.NoError(t, err)
			require.NotEqual(t, hash, again, "hashes are salted")
			require.NotContains(t, hash, secret)
			require.False(t, s.Hasher.IsTemporary(hash))
			for _, c := range []struct {
				name, entered string
				match         bool
			}{
				{"Same", secret, true},
				{"Other", secret[1:] + "x", false},
				{"UpperCase", strings.ToUpper(secret) + "!", false},
			} {
				t.Run(c.name, func(t *testing.T) {
					entered, ok := domain.EnteredPassword(c.entered)
					if !ok {
						return // the text is invalid, or too long
					}
					verdict, err := s.Hasher.Verify(t.Context(), ports.Turn{}, hash, entered)
					require.NoError(t, err)
					require.Equal(t, ports.Verdict{Match: c.match}, verdict)
				})
			}
		})
	}
}

func verifiesTemporaryPasswords(t *testing.T, s HasherSubject) {
	issuer, err := s.Passwords.Issue(s.Passwords.Salt())
	require.NoError(t, err)
	other, err := s.Passwords.Issue(s.Passwords.Salt())
	require.NoError(t, err)
	hash := issuer.Hash(7)
	require.True(t, s.Hasher.IsTemporary(hash))
	for _, c := range []struct {
		name, entered string
		match         bool
	}{
		{"Same", issuer.Password(7), true},
		{"Capitals", strings.ToUpper(issuer.Password(7)), true},
		{"OtherDashes", strings.ReplaceAll(issuer.Password(7), "-", "–"), true},
		{"NoDashes", strings.ReplaceAll(issuer.Password(7), "-", ""), true},
		{"BlanksWithinAndAround", " " + strings.ReplaceAll(issuer.Password(7), "-", " - ") + " ", true},
		{"Cut", issuer.Password(7)[1:], false},
		{"OfAnotherRecord", issuer.Password(8), false},
		{"OfAnotherImport", other.Password(7), false},
		{"Short", "x", false},
		{"Hash", hash, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, hasher := range []ports.Hasher{s.Hasher, s.Stronger} {
				verdict, err := hasher.Verify(t.Context(), ports.Turn{}, hash, password(t, c.entered))
				require.NoError(t, err)
				require.Equal(t, ports.Verdict{Match: c.match}, verdict)
			}
		})
	}
}

func matchesNothingWithEmptyHash(t *testing.T, s HasherSubject) {
	for _, entered := range []domain.Password{password(t, "x"), {}} {
		verdict, err := s.Hasher.Verify(t.Context(), ports.Turn{}, "", entered)
		require.NoError(t, err)
		require.Equal(t, ports.Verdict{}, verdict)
	}
}

func reportsWeakHashes(t *testing.T, s HasherSubject) {
	p := password(t, "correct horse")
	weak, err := s.Hasher.Hash(t.Context(), ports.Turn{}, p)
	require.NoError(t, err)
	strong, err := s.Stronger.Hash(t.Context(), ports.Turn{}, p)
	require.NoError(t, err)
	for _, c := range []struct {
		name   string
		hasher ports.Hasher
		hash   string
		weak   bool
	}{
		{"Weaker", s.Stronger, weak, true},
		{"SameStrength", s.Stronger, strong, false},
		{"Stronger", s.Hasher, strong, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			verdict, err := c.hasher.Verify(t.Context(), ports.Turn{}, c.hash, p)
			require.NoError(t, err)
			require.Equal(t, ports.Verdict{Match: true, Weak: c.weak}, verdict)
		})
	}
}

func rejectsMalformedHashes(t *testing.T, s HasherSubject) {
	p := password(t, "correct horse")
	chosen, err := s.Hasher.Hash(t.Context(), ports.Turn{}, p)
	require.NoError(t, err)
	for _, hash := range []string{"x", "$", "correct horse", "$sha256$", "$sha256$x$y", "$argon2id$", chosen[:len(chosen)/2], chosen[1:], chosen + "$"} {
		t.Run(hash, func(t *testing.T) {
			verdict, err := s.Hasher.Verify(t.Context(), ports.Turn{}, hash, p)
			require.Error(t, err)
			require.NotErrorIs(t, err, ports.ErrBusy)
			require.Zero(t, verdict)
			require.NotContains(t, err.Error(), p.Secret())
		})
	}
}

func hasherStopsWithContext(t *testing.T, s HasherSubject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // also if the hasher is idle
		_, err := s.Hasher.Hash(ctx, ports.Turn{}, password(t, "correct horse"))
		require.ErrorIs(t, err, context.Canceled)
		_, err = s.Hasher.Verify(ctx, ports.Turn{}, "", password(t, "correct horse"))
		require.ErrorIs(t, err, context.Canceled)
	}
}
