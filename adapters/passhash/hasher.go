package passhash

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/argon2"

	"rollcall/domain"
	"rollcall/ports"
)

// Config says how passwords are hashed. Zero values stand for the defaults.
type Config struct {
	Params  *argon2id.Params // OWASP's: 19 MiB, 2 passes, 1 thread
	AtOnce  int              // how many are hashed at once: all processors but one
	MayWait int              // how many more may wait: 1000
}

// Hasher hashes chosen passwords with argon2id.
type Hasher struct {
	params  *argon2id.Params
	running chan struct{}
	waiting chan struct{}
}

// NewHasher makes a hasher.
func NewHasher(cfg Config) *Hasher {
	if cfg.Params == nil {
		cfg.Params = &argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	}
	if cfg.AtOnce == 0 {
		cfg.AtOnce = max(1, runtime.GOMAXPROCS(0)-1)
	}
	if cfg.MayWait == 0 {
		cfg.MayWait = 1000
	}
	return &Hasher{cfg.Params, make(chan struct{}, cfg.AtOnce), make(chan struct{}, cfg.AtOnce+cfg.MayWait)}
}

// bounded runs work when it is its turn.
func (h *Hasher) bounded(ctx context.Context, work func() error) error {
	select {
	case h.waiting <- struct{}{}:
		defer func() { <-h.waiting }()
	default:
		return fmt.Errorf("%w: too many passwords to hash", ports.ErrUnavailable)
	}
	select {
	case h.running <- struct{}{}:
		defer func() { <-h.running }()
	case <-ctx.Done():
		return fmt.Errorf("wait to hash: %w", ctx.Err())
	}
	return work()
}

// Hash implements ports.Hasher.
func (h *Hasher) Hash(ctx context.Context, password domain.Password) (hash string, err error) {
	err = h.bounded(ctx, func() error {
		hash, err = argon2id.CreateHash(password.Secret(), h.params)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

// Verify implements ports.Hasher.
func (h *Hasher) Verify(ctx context.Context, hash string, password domain.Password) (verdict ports.Verdict, err error) {
	err = h.bounded(ctx, func() error {
		switch {
		case strings.HasPrefix(hash, domain.GeneratedScheme):
			verdict.Generated = true
			verdict.Match, err = matchesGenerated(hash, password.Secret())
		case hash != "":
			verdict, err = h.matchesChosen(hash, password.Secret())
			if err == nil {
				return nil
			}
		}
		if !verdict.Match {
			_, _ = argon2id.CreateHash(password.Secret(), h.params) // for the time that it takes
		}
		return err
	})
	if err != nil {
		return ports.Verdict{}, fmt.Errorf("verify password: %w", err)
	}
	return verdict, nil
}

var errHash = errors.New("hash is malformed or out of bounds")

func (h *Hasher) matchesChosen(hash, secret string) (ports.Verdict, error) {
	if len(hash) > 512 {
		return ports.Verdict{}, errHash
	}
	p, salt, key, err := argon2id.DecodeHash(hash)
	if err != nil {
		return ports.Verdict{}, fmt.Errorf("%w: %w", errHash, err)
	}
	if p.Memory < 8 || p.Memory > 128<<10 || p.Iterations < 1 || p.Iterations > 10 || p.Parallelism < 1 || p.Parallelism > 4 ||
		len(salt) < 8 || len(salt) > 64 || len(key) < 16 || len(key) > 64 {
		return ports.Verdict{}, errHash
	}
	got := argon2.IDKey([]byte(secret), salt, p.Iterations, p.Memory, p.Parallelism, p.KeyLength)
	return ports.Verdict{
		Match: subtle.ConstantTimeCompare(got, key) == 1,
		Weak:  p.Memory < h.params.Memory || p.Iterations < h.params.Iterations || p.SaltLength < h.params.SaltLength || p.KeyLength < h.params.KeyLength,
	}, nil
}

func matchesGenerated(hash, secret string) (bool, error) {
	salt64, sum64, _ := strings.Cut(strings.TrimPrefix(hash, domain.GeneratedScheme), "$")
	salt, err := base64.RawStdEncoding.DecodeString(salt64)
	if err != nil || len(salt) < 8 || len(salt) > 64 {
		return false, errHash
	}
	want, err := base64.RawStdEncoding.DecodeString(sum64)
	if err != nil || len(want) != sha256.Size {
		return false, errHash
	}
	sum := sha256.Sum256(append(salt, secret...))
	return subtle.ConstantTimeCompare(sum[:], want) == 1, nil
}
