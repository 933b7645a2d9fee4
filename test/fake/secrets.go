package fake

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync/atomic"
)

// Secrets makes numbered secrets.
type Secrets struct{ issued atomic.Int64 }

const secretPrefix = "secret-"

// New implements ports.Secrets.
func (s *Secrets) New() string { return fmt.Sprintf("%s%016d", secretPrefix, s.issued.Add(1)) }

// Hash implements ports.Secrets.
func (s *Secrets) Hash(secret string) ([]byte, bool) {
	if len(secret) != len(secretPrefix)+16 || !strings.HasPrefix(secret, secretPrefix) {
		return nil, false
	}
	sum := sha256.Sum256([]byte(secret))
	return sum[:], true
}
