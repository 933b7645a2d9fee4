package bulkfile

import (
	"io"
	"iter"

	"rollcall/adapters/bulkfile/scan"
	"rollcall/adapters/bulkfile/scan/json"
	"rollcall/domain"
	"rollcall/ports"
)

// JSON reads one object, or an array of objects. A string with malformed UTF-8 is marked in its candidate, and does not affect other
// records.
type JSON struct{}

// Candidates yields the records of a file in UTF-8, with or without a byte order mark, and adds to notes the keys that it ignores.
func (JSON) Candidates(r io.Reader, notes *ports.FileNotes) iter.Seq2[*domain.Candidate, error] {
	return func(yield func(*domain.Candidate, error) bool) {
		buf := scan.NewBuffer()
		defer scan.PutBuffer(buf)
		reader := objectReader{json: json.NewScanner(r, buf[:], ports.MaxOriginal), notes: notes}
		record, stopped := reader.file(func(c *domain.Candidate) bool { return yield(c, nil) })
		if err := reader.json.Err(); err != nil && !stopped {
			yield(nil, brokenFile(err, record))
		}
	}
}

// An objectReader makes candidates of objects in JSON.
type objectReader struct {
	builder

	json  *json.Scanner
	notes *ports.FileNotes
	keys  map[string]bool // in notes
}

// file reads a whole file. It returns the number of the record in which the file breaks, and whether yield ended the reading.
func (r *objectReader) file(yield func(*domain.Candidate) bool) (record int, stopped bool) {
	r.json.SkipByteOrderMark()
	read := func(number int) bool {
		r.record(number, domain.Place{})
		if r.json.Err() != nil {
			record = number
			return false
		}
		stopped = !yield(r.end(r.json.Raw()))
		return !stopped
	}
	switch r.json.Peek() {
	case json.Object:
		read(1)
	case json.Array:
		empty := true
		for number := range r.json.Elements {
			empty = false
			if !read(number) {
				break
			}
		}
		if empty {
			r.json.Fail("the array is empty")
		}
	default:
		if r.json.AtEnd() {
			r.json.Fail("the file is empty")
		}
		r.json.Fail("expected an object or an array of objects")
	}
	if !stopped && !r.json.AtEnd() {
		r.json.Fail("unexpected data after the end of the JSON value")
	}
	return record, stopped
}

// record reads the value in the place of a record.
func (r *objectReader) record(number int, place domain.Place) {
	r.begin(number, place)
	r.candidate.NotRecord = r.json.Peek() != json.Object
	r.json.StartRaw()
	if r.candidate.NotRecord {
		r.json.Skip()
		return
	}
	for key := range r.json.Members {
		field, known := domain.ParsePersonField(key)
		if !known {
			r.ignore(key)
			r.json.Skip()
			continue
		}
		from := len(r.texts)
		var value json.Value
		r.texts, value = r.json.Value(r.texts, domain.MaxValue)
		r.add(field, domain.Given{Kind: kinds[value.Kind], Cut: value.Cut, Malformed: value.Malformed}, from)
	}
}

// ignore notes a key that is not known.
func (r *objectReader) ignore(key []byte) {
	if r.keys[string(key)] || r.notes.IsFull() {
		return
	}
	if r.keys == nil {
		r.keys = map[string]bool{}
	}
	r.keys[string(key)] = true
	if r.keys[firstOwnColumn] && ownColumns[string(key)] {
		return
	}
	header := string(domain.TrimPartialRune(key))
	r.notes.Ignore(ports.IgnoredColumn{Header: header, Like: likelyField(header)})
}

// kinds are the kinds of values that fields may have.
var kinds = [...]domain.Kind{
	json.Bool: domain.KindOther, json.Number: domain.KindNumber, json.String: domain.KindText, json.Array: domain.KindOther, json.Object: domain.KindOther,
}
