package contract

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

// HasherSubject is a hasher, one that makes stronger hashes, and the maker of generated passwords that both know.
type HasherSubject struct {
	Hasher, Stronger ports.Hasher
	Passwords        ports.Passwords
}

// Hasher proves a ports.Hasher.
func Hasher(t *testing.T, s HasherSubject) {
	for name, test := range map[string]func(*testing.T, HasherSubject){
		"verifies chosen passwords":    verifiesChosen,
		"verifies generated passwords": verifiesGenerated,
		"verifies nobody's password":   verifiesNobody,
		"tells weak hashes":            tellsWeak,
		"refuses malformed hashes":     refusesMalformed,
		"ends when its context does":   hasherEndsWithContext,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

func password(t *testing.T, s string) domain.Password {
	t.Helper()
	p, ok := domain.EnteredPassword(s)
	require.True(t, ok)
	return p
}

func verifiesChosen(t *testing.T, s HasherSubject) {
	for _, secret := range []string{"correct horse", "пароль 密码 🙂", strings.Repeat("ы", domain.MaxPassword), "$argon2id$x"} {
		hash, err := s.Hasher.Hash(t.Context(), ports.Turn{}, password(t, secret))
		require.NoError(t, err)
		again, err := s.Hasher.Hash(t.Context(), ports.Turn{}, password(t, secret))
		require.NoError(t, err)
		require.NotEqual(t, hash, again, "it is salted")
		require.NotContains(t, hash, secret)
		require.False(t, s.Hasher.IsTemporary(hash))
		for entered, match := range map[string]bool{secret: true, secret[1:] + "x": false, strings.ToUpper(secret) + "!": false} {
			entered, ok := domain.EnteredPassword(entered)
			if !ok {
				continue
			}
			verdict, err := s.Hasher.Verify(t.Context(), ports.Turn{}, hash, entered)
			require.NoError(t, err)
			require.Equal(t, ports.Verdict{Match: match}, verdict)
		}
	}
}

func verifiesGenerated(t *testing.T, s HasherSubject) {
	issuer, err := s.Passwords.Issue(s.Passwords.Salt())
	require.NoError(t, err)
	other, err := s.Passwords.Issue(s.Passwords.Salt())
	require.NoError(t, err)
	hash := issuer.Hash(7)
	require.True(t, s.Hasher.IsTemporary(hash))
	for entered, match := range map[string]bool{
		issuer.Password(7): true, issuer.Password(8): false, other.Password(7): false, "x": false, hash: false,
	} {
		for _, hasher := range []ports.Hasher{s.Hasher, s.Stronger} {
			verdict, err := hasher.Verify(t.Context(), ports.Turn{}, hash, password(t, entered))
			require.NoError(t, err)
			require.Equal(t, ports.Verdict{Match: match}, verdict)
		}
	}
}

func verifiesNobody(t *testing.T, s HasherSubject) {
	for _, nobody := range []domain.Password{password(t, "x"), {}} {
		verdict, err := s.Hasher.Verify(t.Context(), ports.Turn{}, "", nobody)
		require.NoError(t, err)
		require.Equal(t, ports.Verdict{}, verdict)
	}
}

func tellsWeak(t *testing.T, s HasherSubject) {
	p := password(t, "correct horse")
	weak, err := s.Hasher.Hash(t.Context(), ports.Turn{}, p)
	require.NoError(t, err)
	strong, err := s.Stronger.Hash(t.Context(), ports.Turn{}, p)
	require.NoError(t, err)
	for _, c := range []struct {
		hasher ports.Hasher
		hash   string
		weak   bool
	}{
		{s.Stronger, weak, true},
		{s.Stronger, strong, false},
		{s.Hasher, strong, false},
	} {
		verdict, err := c.hasher.Verify(t.Context(), ports.Turn{}, c.hash, p)
		require.NoError(t, err)
		require.Equal(t, ports.Verdict{Match: true, Weak: c.weak}, verdict)
	}
}

func refusesMalformed(t *testing.T, s HasherSubject) {
	p := password(t, "correct horse")
	chosen, err := s.Hasher.Hash(t.Context(), ports.Turn{}, p)
	require.NoError(t, err)
	for _, hash := range []string{"x", "$", "correct horse", "$sha256$", "$sha256$x$y", "$argon2id$", chosen[:len(chosen)/2], chosen[1:], chosen + "$"} {
		verdict, err := s.Hasher.Verify(t.Context(), ports.Turn{}, hash, p)
		require.Error(t, err, hash)
		require.NotErrorIs(t, err, ports.ErrBusy)
		require.Zero(t, verdict)
		require.NotContains(t, err.Error(), p.Secret())
	}
}

func hasherEndsWithContext(t *testing.T, s HasherSubject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // a hasher that is free must not begin by chance
		_, err := s.Hasher.Hash(ctx, ports.Turn{}, password(t, "correct horse"))
		require.ErrorIs(t, err, context.Canceled)
		_, err = s.Hasher.Verify(ctx, ports.Turn{}, "", password(t, "correct horse"))
		require.ErrorIs(t, err, context.Canceled)
	}
}
