package fake

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"rollcall/domain"
	"rollcall/ports"
)

// Hasher makes hashes without delay. They are not secure, but claim a strength. It also verifies the hashes of Passwords.
type Hasher struct {
	Strength int // hashes of less strength are weak

	hashed atomic.Int64
}

// Hash implements ports.Hasher.
func (h *Hasher) Hash(ctx context.Context, _ ports.Turn, password domain.Password) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("hash: %w", err)
	}
	return chosenHash(h.Strength, h.hashed.Add(1), password), nil
}

func chosenHash(strength int, salt int64, password domain.Password) string {
	return fmt.Sprintf("$fake$%d$%d$%x", strength, salt, sha256.Sum256([]byte(password.Secret())))
}

// Verify implements ports.Hasher.
func (h *Hasher) Verify(ctx context.Context, _ ports.Turn, hash string, password domain.Password) (ports.Verdict, error) {
	if err := ctx.Err(); err != nil {
		return ports.Verdict{}, fmt.Errorf("verify: %w", err)
	}
	if hash == "" {
		return ports.Verdict{}, nil
	}
	if number, found := strings.CutPrefix(hash, ports.TemporaryScheme+"hash-"); found {
		letters := strings.NewReplacer("-", "", "–", "", " ", "")
		entered := letters.Replace(strings.ToLower(password.Secret()))
		return ports.Verdict{Match: entered == letters.Replace("password-"+number)}, nil
	}
	var strength int
	var salt int64
	var sum string
	_, err := fmt.Sscanf(hash, "$fake$%d$%d$%s", &strength, &salt, &sum)
	if err != nil || len(sum) != 2*sha256.Size {
		return ports.Verdict{}, errors.New("verify: malformed hash")
	}
	return ports.Verdict{Match: hash == chosenHash(strength, salt, password), Weak: strength < h.Strength}, nil
}

// IsTemporary implements ports.Hasher.
func (*Hasher) IsTemporary(hash string) bool { return strings.HasPrefix(hash, ports.TemporaryScheme) }
