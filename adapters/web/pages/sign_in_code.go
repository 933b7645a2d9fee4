package pages

import (
	"fmt"
	"net/url"

	qr "github.com/piglig/go-qr"
)

// quietZone is the width of a QR code's light border in modules. Scanners need it.
const quietZone = 4

// signInCode is the view of a QR code that opens the page to sign in, with the login filled in.
type signInCode struct {
	Size int    // in modules
	Path string // of SVG, with a rectangle for each run of dark modules in a row; browsers print it twice as fast as an outline
}

// newSignInCode returns the code of a login, nil if the address of the page is too long for one.
func newSignInCode(address, login string) *signInCode {
	segments, err := signInSegments(address+"?login=", url.QueryEscape(login))
	if err != nil {
		return nil
	}
	const anyMask, strengthens = -1, true // with more error correction if it fits into the same size
	code, err := qr.EncodeSegments(segments, qr.Low, qr.MinVersion, qr.MaxVersion, anyMask, strengthens)
	if err != nil {
		return nil
	}
	var path []byte
	for y := range code.Size() {
		run := 0
		for x := range code.Size() + 1 {
			switch {
			case x < code.Size() && code.Module(x, y):
				run++
			case run > 0:
				path = fmt.Appendf(path, "M%d %dh%dv1h-%[3]dz", x-run+quietZone, y+quietZone, run)
				run = 0
			}
		}
	}
	return &signInCode{code.Size() + 2*quietZone, string(path)}
}

// signInSegments returns the parts of an address for a QR code. In the alphanumeric mode, an escaped login takes two thirds of the room. That
// mode has no small letters.
func signInSegments(address, login string) ([]*qr.QrSegment, error) {
	first, err := qr.MakeBytes([]byte(address))
	if err != nil {
		return nil, err
	}
	second, err := qr.MakeAlphanumeric(login)
	if err != nil {
		second, err = qr.MakeBytes([]byte(login))
	}
	return []*qr.QrSegment{first, second}, err
}
