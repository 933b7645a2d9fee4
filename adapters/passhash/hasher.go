package passhash

import (
	"cmp"
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

// Config configures a Hasher. Zero values stand for the defaults.
type Config struct {
	Params      *argon2id.Params // by default OWASP's: 19 MiB, 2 passes, 1 thread, a salt of 16 bytes and a key of 32
	Concurrency int              // hashes that are computed concurrently; by default one less than the processors, and at least one
	Urgent      int              // urgent hashes that may wait; by default 1000, which a processor computes in half a minute
	Others      int              // other hashes that may wait; by default 200
}

// Hasher hashes chosen passwords with argon2id.
type Hasher struct {
	params *argon2id.Params
	turns  *turns
}

// NewHasher returns a hasher.
func NewHasher(cfg Config) *Hasher {
	if cfg.Params == nil {
		cfg.Params = &argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	}
	concurrency := cmp.Or(cfg.Concurrency, max(1, runtime.GOMAXPROCS(0)-1))
	return &Hasher{cfg.Params, newTurns(concurrency, cmp.Or(cfg.Urgent, 1000), cmp.Or(cfg.Others, 200))}
}

// inTurn runs work after waiting for its turn.
func (h *Hasher) inTurn(ctx context.Context, turn ports.Turn, work func() error) error {
	err := h.turns.acquire(ctx, turn)
	switch {
	case errors.Is(err, context.DeadlineExceeded): // the wait was too long
		return fmt.Errorf("%w: wait for turn: %w", ports.ErrBusy, err)
	case err != nil:
		return fmt.Errorf("wait for turn: %w", err)
	}
	defer h.turns.release()
	return work()
}

// Hash implements ports.Hasher: the hash is in PHC form.
func (h *Hasher) Hash(ctx context.Context, turn ports.Turn, password domain.Password) (hash string, err error) {
	err = h.inTurn(ctx, turn, func() (err error) {
		hash, err = argon2id.CreateHash(password.Secret(), h.params)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

// IsTemporary implements ports.Hasher.
func (*Hasher) IsTemporary(hash string) bool { return strings.HasPrefix(hash, ports.TemporaryScheme) }

// Verify implements ports.Hasher. Only a hash with earlier parameters or of the first service takes another time, until its user signs in
// and it is renewed. A temporary password that matches needs no turn, because its comparison takes a microsecond. That time reveals only
// to a client with the right password that it is right.
func (h *Hasher) Verify(ctx context.Context, turn ports.Turn, hash string, password domain.Password) (verdict ports.Verdict, err error) {
	work := func() error {
		_, _ = argon2id.CreateHash(password.Secret(), h.params) // takes the time of a comparison
		return nil
	}
	switch {
	case hash == "":
	case h.IsTemporary(hash):
		verdict.Match, err = matchesTemporary(hash, typed(password.Secret()))
		if verdict.Match {
			return verdict, nil
		}
	default:
		if first, ok := parseFirstService(hash); ok {
			work = func() error {
				verdict = ports.Verdict{Match: first.matches(password.Entered()), Weak: true}
				return nil
			}
			break
		}
		var chosen *chosenHash
		chosen, err = parseChosen(hash)
		if err == nil {
			work = func() error {
				verdict = ports.Verdict{Match: chosen.matches(password.Secret()), Weak: chosen.isWeaker(h.params)}
				return nil
			}
		}
	}
	err = cmp.Or(h.inTurn(ctx, turn, work), err)
	if err != nil {
		return ports.Verdict{}, fmt.Errorf("verify password: %w", err)
	}
	return verdict, nil
}

// errHash does not contain the hash, so that no log does.
var errHash = errors.New("hash is malformed or out of bounds")

// A chosenHash is an argon2id hash with parameters within bounds.
type chosenHash struct {
	params    *argon2id.Params
	salt, key []byte
}

// maxHash exceeds the length of a hash with the longest salt and key.
const maxHash = 256

func parseChosen(hash string) (*chosenHash, error) {
	if len(hash) > maxHash {
		return nil, errHash
	}
	p, salt, key, err := argon2id.DecodeHash(hash)
	if err != nil {
		return nil, errHash
	}
	// the decoder ignores text after a number
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

// matchesTemporary compares a secret with a hash of issuer.Hash.
func matchesTemporary(hash, secret string) (bool, error) {
	salt64, sum64, _ := strings.Cut(strings.TrimPrefix(hash, ports.TemporaryScheme), "$")
	salt, errSalt := base64.RawStdEncoding.DecodeString(salt64)
	want, errSum := base64.RawStdEncoding.DecodeString(sum64)
	if errSalt != nil || errSum != nil || len(salt) != saltBytes || len(want) != sha256.Size {
		return false, errHash
	}
	got := sha256.Sum256(append(salt, secret...))
	return subtle.ConstantTimeCompare(got[:], want) == 1, nil
}
