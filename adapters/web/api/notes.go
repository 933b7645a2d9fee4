package api

import (
	"bytes"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
	"rollcall/ports"
)

// notes are the parts of a file that an import has ignored, or that a person does not see, as JSON.
type notes struct {
	PassedOver     []string        `json:"passed_over,omitempty"`
	Ignored        []ignoredColumn `json:"ignored,omitempty"`
	Sheets         []sheet         `json:"sheets,omitempty"`
	HiddenRows     int             `json:"hidden_rows,omitempty"`
	AmbiguousDates int             `json:"ambiguous_dates,omitempty"`
	Cut            bool            `json:"cut,omitempty"` // lists do not have all of their values
}

type ignoredColumn struct {
	Column  string       `json:"column"`
	Like    domain.Field `json:"like,omitempty"`
	Instead string       `json:"instead,omitempty"`
}

type sheet struct {
	Sheet string `json:"sheet"`
	Rows  int    `json:"rows"`
	Read  bool   `json:"read"`
}

func newNotes(of *ports.FileNotes) notes {
	n := notes{PassedOver: of.PassedOver, HiddenRows: of.HiddenRows, AmbiguousDates: of.AmbiguousDates}
	for _, it := range of.Ignored {
		n.Ignored = append(n.Ignored, ignoredColumn{it.Header, it.Like, it.Instead})
	}
	for _, it := range of.Sheets {
		n.Sheets = append(n.Sheets, sheet{it.Name, it.Rows, it.Read})
	}
	return n
}

// encode returns the notes as JSON without braces. It is empty if there are none.
func (n notes) encode() []byte {
	return bytes.TrimSuffix(bytes.TrimPrefix(bytes.TrimSpace(encodeLine(n)), []byte("{")), []byte("}"))
}

const (
	headerNotes = "Import-Notes"

	// maxNotesHeader is the maximum length of the header. Many proxies accept 4 KiB for all headers of an answer.
	maxNotesHeader = 2 << 10
)

// setNotes sets the header with the notes, for answers that have no room for them.
func setNotes(c *fiber.Ctx, of *ports.FileNotes) {
	n := newNotes(of)
	text := n.encode()
	if len(text) == 0 {
		return
	}
	header := ascii(text)
	for len(header) > maxNotesHeader {
		n.PassedOver, n.Ignored, n.Sheets, n.Cut = firstHalf(n.PassedOver), firstHalf(n.Ignored), firstHalf(n.Sheets), true
		header = ascii(n.encode())
	}
	c.Set(headerNotes, "{"+header+"}")
}

func firstHalf[T any](list []T) []T { return list[:len(list)/2] }

// ascii returns a text in JSON with escapes for characters beyond ASCII.
func ascii(text []byte) string {
	var b []byte
	for _, r := range string(text) {
		if r < utf8.RuneSelf {
			b = append(b, byte(r))
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			b = fmt.Appendf(b, `\u%04x`, unit)
		}
	}
	return string(b)
}
