package passhash

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// A mark is a user's id, random bytes and a MAC of both, in base64. It has a multiple of three bytes: then each mark is
// written in one way only, and who holds one has no other.
const (
	markID     = 8
	markRandom = 16
	markMAC    = 18
	markBytes  = markID + markRandom + markMAC
)

// Devices marks browsers with a secret key. Nothing is stored of a mark.
type Devices struct{ key []byte }

// NewDevices makes a maker of marks with a secret key of random bytes.
func NewDevices(secret []byte) *Devices { return &Devices{derived(secret, "device")} }

// Mark implements ports.Devices.
func (d *Devices) Mark(user int64) string {
	mark := make([]byte, markID+markRandom, markBytes)
	binary.BigEndian.PutUint64(mark, uint64(user))
	_, _ = rand.Read(mark[markID:]) // never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(append(mark, d.mac(mark)...))
}

// Owner implements ports.Devices.
func (d *Devices) Owner(mark string) (user int64, ok bool) {
	if len(mark) != base64.RawURLEncoding.EncodedLen(markBytes) {
		return 0, false
	}
	decoded, err := base64.RawURLEncoding.DecodeString(mark)
	if err != nil || len(decoded) != markBytes { // which passes over line breaks
		return 0, false
	}
	signed, mac := decoded[:markID+markRandom], decoded[markID+markRandom:]
	if !hmac.Equal(mac, d.mac(signed)) {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(signed)), true
}

func (d *Devices) mac(signed []byte) []byte {
	mac := hmac.New(sha256.New, d.key)
	mac.Write(signed)
	return mac.Sum(nil)[:markMAC]
}
