package fake

import (
	"fmt"
	"sync/atomic"

	"rollcall/ports"
)

// Passwords makes passwords that say what they were made for. Hasher verifies their hashes.
type Passwords struct{ issued atomic.Int64 }

// Salt implements ports.Passwords.
func (p *Passwords) Salt() []byte { return fmt.Appendf(nil, "salt %d", p.issued.Add(1)) }

// Issue implements ports.Passwords.
func (p *Passwords) Issue(salt []byte) (ports.Issuer, error) {
	var n int64
	_, err := fmt.Sscanf(string(salt), "salt %d", &n)
	if err != nil {
		return nil, ports.ErrOtherSecret
	}
	return issuer(n), nil
}

type issuer int64

// Password implements ports.Issuer.
func (i issuer) Password(record int) string { return fmt.Sprintf("password-%d-%d", i, record) }

// Hash implements ports.Issuer.
func (i issuer) Hash(record int) string {
	return fmt.Sprintf("%shash-%d-%d", ports.TemporaryScheme, i, record)
}
