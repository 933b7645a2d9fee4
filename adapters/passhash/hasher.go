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
	Params  *argon2id.Params // OWASP's: 19 MiB, 2 passes, 1 thread, a salt of 16 bytes and a key of 32
	AtOnce  int              // how many are hashed at once: all processors but one, and at least one
	MayWait int              // how many more may wait: 1000
}

// Hasher hashes chosen passwords with argon2id.
type Hasher struct {
	params   *argon2id.Params
	running  chan struct{}
	admitted chan struct{} // those that run and those that wait
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

// inTurn runs work when it is its turn.
func (h *Hasher) inTurn(ctx context.Context, work func() error) error {
	select {
	case h.admitted <- struct{}{}:
		defer func() { <-h.admitted }()
	default:
		return fmt.Errorf("%w: too many passwords wait to be hashed", ports.ErrUnavailable)
	}
	select {
	case h.running <- struct{}{}:
		defer func() { <-h.running }()
	case <-ctx.Done():
	}
	if ctx.Err() != nil { // also when it ended with the wait: the work would be for nobody
		return fmt.Errorf("wait to be hashed: %w", ctx.Err())
	}
	return work()
}

// Hash implements ports.Hasher: the hash is in PHC form.
func (h *Hasher) Hash(ctx context.Context, password domain.Password) (hash string, err error) {
	err = h.inTurn(ctx, func() (err error) {
		hash, err = argon2id.CreateHash(password.Secret(), h.params)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

// Verify implements ports.Hasher. Only a hash with parameters of another day takes its own time, until its owner signs
// in and it is renewed.
func (h *Hasher) Verify(ctx context.Context, hash string, password domain.Password) (verdict ports.Verdict, err error) {
	err = h.inTurn(ctx, func() (err error) {
		verdict, err = h.compare(hash, password.Secret())
		return err
	})
	if err != nil {
		return ports.Verdict{}, fmt.Errorf("verify password: %w", err)
	}
	return verdict, nil
}

func (h *Hasher) compare(hash, secret string) (verdict ports.Verdict, err error) {
	switch {
	case hash == "":
	case strings.HasPrefix(hash, domain.GeneratedScheme):
		verdict.Match, err = matchesGenerated(hash, secret)
	default:
		var chosen *chosenHash
		chosen, err = parseChosen(hash)
		if err == nil {
			return ports.Verdict{Match: chosen.matches(secret), Weak: chosen.isWeaker(h.params)}, nil
		}
	}
	if !verdict.Match {
		_, _ = argon2id.CreateHash(secret, h.params) // for the time that it takes
	}
	return verdict, err
}

// errHash says nothing of the hash, which stays out of logs.
var errHash = errors.New("hash is malformed or out of bounds")

// chosenHash is an argon2id hash whose parameters are within bounds.
type chosenHash struct {
	params    *argon2id.Params
	salt, key []byte
}

// maxHash is how long a hash is whose salt and key are as long as they may be.
const maxHash = 256

func parseChosen(hash string) (*chosenHash, error) {
	if len(hash) > maxHash {
		return nil, errHash
	}
	p, salt, key, err := argon2id.DecodeHash(hash)
	if err != nil {
		return nil, errHash
	}
	// it reads past what follows a number
	exact := fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.Memory, p.Iterations, p.Parallelism,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
	if hash != exact ||
		!within(p.Memory, 8, 128<<10) || !within(p.Iterations, 1, 10) || !within(uint32(p.Parallelism), 1, 4) ||
		!within(p.SaltLength, 8, 64) || !within(p.KeyLength, 16, 64) {
		return nil, errHash
	}
	return &chosenHash{p, salt, key}, nil
}

func within(n, low, high uint32) bool { return low <= n && n <= high }

func (c *chosenHash) matches(secret string) bool {
	key := argon2.IDKey([]byte(secret), c.salt, c.params.Iterations, c.params.Memory, c.params.Parallelism, c.params.KeyLength)
	return subtle.ConstantTimeCompare(key, c.key) == 1
}

func (c *chosenHash) isWeaker(today *argon2id.Params) bool {
	return c.params.Memory < today.Memory || c.params.Iterations < today.Iterations ||
		c.params.SaltLength < today.SaltLength || c.params.KeyLength < today.KeyLength
}

// matchesGenerated reads what issuer.Hash has written.
func matchesGenerated(hash, secret string) (bool, error) {
	salt64, sum64, _ := strings.Cut(strings.TrimPrefix(hash, domain.GeneratedScheme), "$")
	salt, errSalt := base64.RawStdEncoding.DecodeString(salt64)
	want, errSum := base64.RawStdEncoding.DecodeString(sum64)
	if errSalt != nil || errSum != nil || len(salt) != saltBytes || len(want) != sha256.Size {
		return false, errHash
	}
	got := sha256.Sum256(append(salt, secret...))
	return subtle.ConstantTimeCompare(got[:], want) == 1, nil
}
