package fake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync/atomic"

	"rollcall/domain"
	"rollcall/ports"
)

// Spools keeps spools in memory, and counts those that are open.
type Spools struct{ open atomic.Int64 }

// Open is how many spools were not closed.
func (s *Spools) Open() int64 { return s.open.Load() }

// New implements ports.SpoolStore.
func (s *Spools) New() ports.Spool {
	s.open.Add(1)
	return &spool{owner: s}
}

type spool struct {
	bytes.Buffer

	owner *Spools
}

func (s *spool) Reader() *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(s.Bytes()), 0, s.Size())
}
func (s *spool) Size() int64  { return int64(s.Len()) }
func (s *spool) Close() error { s.owner.open.Add(-1); return nil }

// Decoder reads JSON with the standard library, all at once.
type Decoder struct{}

// Layout implements ports.Decoder.
func (Decoder) Layout(*io.SectionReader, ports.FileHint) (ports.FileLayout, error) {
	return ports.FileLayout{Format: ports.FormatJSON, Encoding: "utf-8"}, nil
}

// Candidates implements ports.Decoder.
func (Decoder) Candidates(r *io.SectionReader, _ ports.FileHint) iter.Seq2[*domain.Candidate, error] {
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

// Passwords makes passwords that tell what they were made for. Hasher knows their hashes.
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

func (i issuer) Password(object int) string { return fmt.Sprintf("password-%d-%d", i, object) }
func (i issuer) Hash(object int) string {
	return fmt.Sprintf("%shash-%d-%d", temporaryScheme, i, object)
}

// Sentences says violations by their codes.
type Sentences struct{}

// Describe implements ports.Sentences.
func (Sentences) Describe(violations domain.Violations) string {
	sentences := make([]string, len(violations))
	for i, v := range violations {
		sentences[i] = strings.TrimSpace(fmt.Sprintf("%s %s", v.Field, v.Code)) + "."
	}
	return strings.Join(sentences, " ")
}
