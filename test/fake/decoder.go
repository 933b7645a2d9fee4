package fake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"

	"rollcall/domain"
	"rollcall/ports"
)

// Decoder reads JSON with the standard library, a whole file at a time.
type Decoder struct{}

// Layout implements ports.Decoder.
func (Decoder) Layout(*io.SectionReader, ports.FileHint) (ports.FileLayout, error) {
	return ports.FileLayout{Format: ports.FormatJSON, Encoding: "utf-8"}, nil
}

// Candidates implements ports.Decoder.
func (Decoder) Candidates(r *io.SectionReader, _ ports.FileHint, _ *ports.FileNotes) iter.Seq2[*domain.Candidate, error] {
	return func(yield func(*domain.Candidate, error) bool) {
		file, err := io.ReadAll(r)
		if err != nil {
			yield(nil, fmt.Errorf("read: %w", err))
			return
		}
		var elements []json.RawMessage
		if bytes.HasPrefix(bytes.TrimSpace(file), []byte("{")) {
			file = slices.Concat([]byte("["), file, []byte("]"))
		}
		err = json.Unmarshal(file, &elements)
		if err != nil || len(elements) == 0 {
			yield(nil, domain.ErrBrokenFile)
			return
		}
		for i, element := range elements {
			if !yield(decode(i+1, element), nil) {
				return
			}
		}
	}
}

func decode(number int, element json.RawMessage) *domain.Candidate {
	c := &domain.Candidate{Number: number}
	if len(element) <= ports.MaxOriginal {
		c.Original = element
	}
	var fields map[string]any
	decoder := json.NewDecoder(bytes.NewReader(element))
	decoder.UseNumber()
	if decoder.Decode(&fields) != nil || fields == nil {
		c.NotRecord = true
		return c
	}
	for f := range domain.PersonField(domain.NumPersonFields) {
		switch v := fields[string(f.Name())].(type) {
		case nil:
		case string:
			c.Given[f] = domain.Given{Text: v, Kind: domain.KindText}
		case json.Number:
			c.Given[f] = domain.Given{Text: v.String(), Kind: domain.KindNumber}
		default:
			c.Given[f] = domain.Given{Kind: domain.KindOther}
		}
	}
	return c
}
