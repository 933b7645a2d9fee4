package passhash_test

import (
	"context"
	"encoding/base64"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"

	"rollcall/adapters/passhash"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/contract"
)

// tiny returns parameters of hashes that take little time.
func tiny() *argon2id.Params {
	return &argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 8, KeyLength: 16}
}

func password(t testing.TB, s string) domain.Password {
	t.Helper()
	p, ok := domain.EnteredPassword(s)
	require.True(t, ok)
	return p
}

func TestHasher(t *testing.T) {
	contract.Hasher(t, contract.HasherSubject{
		Hasher:    passhash.NewHasher(passhash.Config{Params: tiny()}),
		Stronger:  passhash.NewHasher(passhash.Config{}),
		Passwords: temporary(),
	})
}

func TestHashIsInPHCFormWithOWASPsParameters(t *testing.T) {
	hash, err := passhash.NewHasher(passhash.Config{}).Hash(t.Context(), ports.Turn{}, password(t, "correct horse"))
	require.NoError(t, err)
	require.Regexp(t, `^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`, hash)
}

// A hash is weak if one parameter is less than today's, whatever the others are.
func TestWeakHashes(t *testing.T) {
	today := argon2id.Params{Memory: 64, Iterations: 3, Parallelism: 2, SaltLength: 16, KeyLength: 32}
	hasher := passhash.NewHasher(passhash.Config{Params: &today})
	for _, c := range []struct {
		name   string
		change func(*argon2id.Params)
		weak   bool
	}{
		{"Same", func(*argon2id.Params) {}, false},
		{"LessMemory", func(p *argon2id.Params) { p.Memory, p.Iterations = 63, 10 }, true},
		{"FewerIterations", func(p *argon2id.Params) { p.Iterations, p.Memory = 2, 1024 }, true},
		{"ShorterSalt", func(p *argon2id.Params) { p.SaltLength, p.KeyLength = 15, 64 }, true},
		{"ShorterKey", func(p *argon2id.Params) { p.KeyLength, p.SaltLength = 31, 64 }, true},
		{"FewerThreads", func(p *argon2id.Params) { p.Parallelism = 1 }, false},
		{"MoreOfEverything", func(p *argon2id.Params) {
			*p = argon2id.Params{Memory: 65, Iterations: 4, Parallelism: 3, SaltLength: 17, KeyLength: 33}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			params := today
			c.change(&params)
			hash, err := argon2id.CreateHash("correct horse", &params)
			require.NoError(t, err)
			verdict, err := hasher.Verify(t.Context(), ports.Turn{}, hash, password(t, "correct horse"))
			require.NoError(t, err)
			require.Equal(t, ports.Verdict{Match: true, Weak: c.weak}, verdict)
		})
	}
}

func phc(parameters string, salt, key int) string {
	encode := base64.RawStdEncoding.EncodeToString
	return "$argon2id$" + parameters + "$" + encode(make([]byte, salt)) + "$" + encode(make([]byte, key))
}

func TestHashesAtTheBoundsAreParsed(t *testing.T) {
	hasher := passhash.NewHasher(passhash.Config{Params: tiny()})
	for _, hash := range []string{
		phc("v=19$m=8,t=1,p=1", 8, 16), phc("v=19$m=131072,t=1,p=4", 64, 64), phc("v=19$m=8,t=10,p=4", 8, 64),
	} {
		t.Run(hash, func(t *testing.T) {
			verdict, err := hasher.Verify(t.Context(), ports.Turn{}, hash, password(t, "x"))
			require.NoError(t, err)
			require.False(t, verdict.Match)
		})
	}
}

// hostile returns hashes that are out of bounds or malformed.
func hostile() []string {
	all := []string{
		"$", "$$$$$", "$argon2id", "$argon2id$$$$", "argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
		phc("v=19$m=8,t=1,p=1", 7, 16), phc("v=19$m=8,t=1,p=1", 65, 16), phc("v=19$m=8,t=1,p=1", 8, 15), phc("v=19$m=8,t=1,p=1", 8, 65),
		phc("v=19$m=8,t=1,p=1", 0, 0), phc("v=19$m=8,t=1,p=1", 8, 0), phc("v=19$m=8,t=1,p=1", 1<<20, 16),
		phc("v=19$m=8,t=1,p=1", 8, 16) + "$", phc("v=19$m=8,t=1,p=1", 8, 16) + "\n", phc("v=19$m=8,t=1,p=1", 8, 16) + "=",
		strings.Replace(phc("v=19$m=8,t=1,p=1", 8, 16), "$argon2id", "$argon2i", 1),
		strings.Replace(phc("v=19$m=8,t=1,p=1", 8, 16), "AAAA", "AAA\n", 1),
		"$sha256", "$sha256$$", "$sha256$AAAA", "$sha256$!$!", "$sha256$AAAAAAAAAAAAAAAAAAAAAA$AAAA", "$sha256$" + strings.Repeat("A", 1<<20),
		"$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
	}
	for _, parameters := range []string{
		"v=18$m=8,t=1,p=1", "v=0x13$m=8,t=1,p=1", "v=19x$m=8,t=1,p=1", "v=$m=8,t=1,p=1", "v=19$", "v=19$m=8,t=1", "v=19$t=1,m=8,p=1",
		"v=19$m=7,t=1,p=1", "v=19$m=131073,t=1,p=1", "v=19$m=4294967295,t=1,p=1", "v=19$m=4294967304,t=1,p=1", "v=19$m=-8,t=1,p=1",
		"v=19$m=8,t=0,p=1", "v=19$m=8,t=11,p=1", "v=19$m=8,t=4294967295,p=1", "v=19$m=8,t=1,p=0", "v=19$m=8,t=1,p=5", "v=19$m=8,t=1,p=257",
		"v=19$m=8,t=1,p=1,x=1", "v=19$m=8,t=1,p=1 ", "v=19$m=+8,t=1,p=1", "v=19$m=08,t=1,p=1", "v=19$m= 8,t=1,p=1", "v=19$m=8,t=1,p=1x",
	} {
		all = append(all, phc(parameters, 8, 16))
	}
	return all
}

func TestHostileHashesAreRejected(t *testing.T) {
	hasher := passhash.NewHasher(passhash.Config{Params: tiny()})
	for _, hash := range hostile() {
		verdict, err := hasher.Verify(t.Context(), ports.Turn{}, hash, password(t, "x"))
		require.ErrorContains(t, err, "malformed or out of bounds", "%.100q", hash)
		require.Zero(t, verdict)
	}
}

// A wrong password takes the same time for a temporary password, a malformed hash, an unknown user and a chosen password. The test
// measures the work by the memory that it fills, which is the same on every machine.
func TestMismatchTakesTheWorkOfAHash(t *testing.T) {
	const memory = 8 << 20
	params := &argon2id.Params{Memory: memory >> 10, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	hasher := passhash.NewHasher(passhash.Config{Params: params})
	chosen, err := hasher.Hash(t.Context(), ports.Turn{}, password(t, "correct horse"))
	require.NoError(t, err)
	issuer := issuer()
	filled := func(hash string, entered domain.Password) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = hasher.Verify(t.Context(), ports.Turn{}, hash, entered)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	for _, hash := range []string{chosen, "", issuer.Hash(1), "malformed", phc("v=19$m=131073,t=1,p=1", 8, 16), "$sha256$"} {
		t.Run(hash, func(t *testing.T) {
			require.InEpsilon(t, memory, filled(hash, password(t, "wrong")), 0.1)
		})
	}
	require.Less(t, filled(issuer.Hash(1), password(t, issuer.Password(1))), uint64(memory)/2, "a match takes little work")
}

func TestConcurrentHashesAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hasher := passhash.NewHasher(passhash.Config{Params: tiny(), Concurrency: 2, Urgent: 1, Others: 1})
		p, signIn, registration := password(t, "correct horse"), ports.Turn{Urgent: true}, ports.Turn{}
		for range 2 {
			require.NoError(t, hasher.Turns().Acquire(t.Context(), signIn))
		}
		results := make(chan error, 2)
		go func() {
			_, err := hasher.Hash(t.Context(), registration, p)
			results <- err
		}()
		go func() {
			_, err := hasher.Verify(t.Context(), signIn, "", p)
			results <- err
		}()
		synctest.Wait()
		_, err := hasher.Hash(t.Context(), registration, p)
		require.ErrorIs(t, err, ports.ErrBusy)
		_, err = hasher.Verify(t.Context(), signIn, "", p)
		require.ErrorIs(t, err, ports.ErrBusy)
		hasher.Turns().Release()
		require.NoError(t, <-results)
		require.NoError(t, <-results)
	})
}

// A wait until the deadline is reported as a busy server.
func TestNoTurnBeforeTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hasher := passhash.NewHasher(passhash.Config{Params: tiny(), Concurrency: 1})
		require.NoError(t, hasher.Turns().Acquire(t.Context(), ports.Turn{}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := hasher.Hash(ctx, ports.Turn{}, password(t, "correct horse"))
		require.ErrorIs(t, err, ports.ErrBusy)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// A temporary password signs in under any load. A wrong guess at it waits like any other.
func TestTemporaryPasswordsNeedNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hasher := passhash.NewHasher(passhash.Config{Params: tiny(), Concurrency: 1, Urgent: 1})
		require.NoError(t, hasher.Turns().Acquire(t.Context(), ports.Turn{}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		issuer := issuer()
		verdict, err := hasher.Verify(ctx, ports.Turn{Urgent: true}, issuer.Hash(1), password(t, issuer.Password(1)))
		require.NoError(t, err)
		require.Equal(t, ports.Verdict{Match: true}, verdict)
		_, err = hasher.Verify(ctx, ports.Turn{Urgent: true}, issuer.Hash(1), password(t, issuer.Password(2)))
		require.ErrorIs(t, err, ports.ErrBusy)
	})
}

func FuzzVerify(f *testing.F) {
	for _, hash := range hostile() {
		f.Add(hash, "x")
	}
	f.Add(phc("v=19$m=8,t=1,p=1", 8, 16), "x")
	f.Add(issuer().Hash(1), "x")
	hasher := passhash.NewHasher(passhash.Config{Params: tiny()})
	f.Fuzz(func(t *testing.T, hash, entered string) {
		p, ok := domain.EnteredPassword(entered)
		if !ok {
			return
		}
		verdict, err := hasher.Verify(t.Context(), ports.Turn{}, hash, p)
		require.NotErrorIs(t, err, ports.ErrBusy)
		if err != nil {
			require.Zero(t, verdict)
			return
		}
		if verdict.Match && !hasher.IsTemporary(hash) {
			params, salt, key, err := argon2id.DecodeHash(hash)
			require.NoError(t, err)
			require.Equal(t, key, argon2.IDKey([]byte(p.Secret()), salt, params.Iterations, params.Memory, params.Parallelism, params.KeyLength))
		}
	})
}
