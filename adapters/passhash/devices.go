package passhash

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"rollcall/ports"
)

// The text of a mark is the user's id, the time in microseconds, random bytes and a MAC of these, in base64. The number of bytes is a
// multiple of three, so that a mark has exactly one text.
const (
	markRandom = 16
	markMAC    = 16
	markSigned = 8 + 8 + markRandom
	markBytes  = markSigned + markMAC
)

// Devices signs marks of browsers with a secret key. It stores nothing.
type Devices struct{ key []byte }

// NewDevices returns a signer with a key of random bytes.
func NewDevices(secret []byte) *Devices { return &Devices{derived(secret, "device")} }

// Sign implements ports.DeviceSigner.
func (d *Devices) Sign(mark ports.Mark) string {
	b := make([]byte, markSigned, markBytes)
	binary.BigEndian.PutUint64(b, uint64(mark.User))
	binary.BigEndian.PutUint64(b[8:], uint64(mark.Made.UnixMicro()))
	_, _ = rand.Read(b[16:]) // never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(append(b, d.mac(b)...))
}

// Verify implements ports.DeviceSigner.
func (d *Devices) Verify(text string) (mark ports.Mark, ok bool) {
	if len(text) != base64.RawURLEncoding.EncodedLen(markBytes) {
		return ports.Mark{}, false
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != markBytes { // the decoder skips line breaks
		return ports.Mark{}, false
	}
	if !hmac.Equal(b[markSigned:], d.mac(b[:markSigned])) {
		return ports.Mark{}, false
	}
	made := time.UnixMicro(int64(binary.BigEndian.Uint64(b[8:]))).UTC()
	return ports.Mark{User: int64(binary.BigEndian.Uint64(b)), Made: made}, true
}

func (d *Devices) mac(signed []byte) []byte {
	mac := hmac.New(sha256.New, d.key)
	mac.Write(signed)
	return mac.Sum(nil)[:markMAC]
}
