package bulkfile

import (
	"errors"

	"rollcall/adapters/bulkfile/scan"
	"rollcall/domain"
)

// A builder makes candidates, one after another in the same memory. The texts of a candidate are parts of one string, which
// makes one allocation for a record.
type builder struct {
	candidate domain.Candidate
	texts     []byte // of all fields
	places    [domain.NumPersonFields]struct{ from, to int }
	given     [domain.NumPersonFields]bool
}

// begin begins a candidate.
func (b *builder) begin(number int, place domain.Place) {
	b.candidate = domain.Candidate{Place: place, Number: number}
	b.texts, b.places, b.given = b.texts[:0], [domain.NumPersonFields]struct{ from, to int }{}, [domain.NumPersonFields]bool{}
}

// add gives a field a value, whose text is in b.texts from a place on. The last of several values counts.
func (b *builder) add(field domain.PersonField, value domain.Given, from int) {
	value.Repeated = b.given[field]
	b.candidate.Given[field], b.given[field] = value, true
	b.places[field].from, b.places[field].to = from, len(b.texts)
}

// end returns the candidate, which is valid until the next begins.
func (b *builder) end(original []byte) *domain.Candidate {
	texts := string(b.texts)
	for field, place := range b.places {
		b.candidate.Given[field].Text = texts[place.from:place.to]
	}
	b.candidate.Original = original
	return &b.candidate
}

// unreadable returns the candidate as a broken record in a file that is not broken.
func (b *builder) unreadable(original []byte) *domain.Candidate {
	b.candidate = domain.Candidate{Place: b.candidate.Place, Number: b.candidate.Number, Unreadable: true, Original: original}
	return &b.candidate
}

// brokenFile returns the domain's error for a *scan.SyntaxError, and any other error unchanged. Record is 0 outside of records.
func brokenFile(err error, record int) error {
	if broken, ok := errors.AsType[*scan.SyntaxError](err); ok {
		return &domain.BrokenFileError{Offset: broken.Offset, Record: record, Reason: broken.Reason}
	}
	return err
}
