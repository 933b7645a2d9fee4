package bulkfile

import (
	"bytes"
	"io"
	"iter"

	"rollcall/adapters/bulkfile/scan"
	"rollcall/adapters/bulkfile/scan/json"
	"rollcall/domain"
	"rollcall/ports"
)

// JSON reads an array of objects, one object, or several objects one after another. A string with malformed UTF-8 is marked in its
// candidate, and does not affect other records.
type JSON struct{}

// Candidates yields the records of a file in UTF-8, with or without a byte order mark, and adds to notes the keys that it ignores.
func (JSON) Candidates(r io.Reader, notes *ports.FileNotes) iter.Seq2[*domain.Candidate, error] {
	return func(yield func(*domain.Candidate, error) bool) {
		buf := scan.NewBuffer()
		defer scan.PutBuffer(buf)
		reader := objectReader{json: json.NewScanner(r, buf[:], ports.MaxOriginal), notes: notes}
		err := reader.file(func(c *domain.Candidate) bool { return yield(c, nil) })
		if err != nil {
			yield(nil, err)
		}
	}
}

// An objectReader makes candidates of objects in JSON.
type objectReader struct {
	builder

	json  *json.Scanner
	notes *ports.FileNotes
	keys  map[string]bool // in notes

	// Of the values of a record's keys that are not known: how many fields of a person an object has at most, and the objects in an array; the
	// key of that array; and whether another key looks like that of a field.
	inside, listed int
	array          string
	isSpelt        bool
}

// An object inside a record without fields is taken for the person if it has minInside fields, and objects in an array for the people of the
// file if they have minListed, or no key of the record looks like that of a field.
const minInside, minListed = 3, 2

// file reads a whole file, until yield returns false.
func (r *objectReader) file(yield func(*domain.Candidate) bool) error {
	r.json.SkipByteOrderMark()
	r.json.Line() // counts from here on
	record, stopped, isWrapped := 0, false, false
	kind := r.json.Peek()
	read := func(number int) bool {
		var place domain.Place
		if kind == json.Object {
			place.Line = r.json.Line()
		}
		r.record(number, place)
		if r.json.Err() != nil {
			record = number
			return false
		}
		isWrapped = kind == json.Object && number == 1 && r.isWrapped()
		if kind == json.Object && number == 1 && r.json.Peek() != json.Object { // the only one
			r.candidate.Place = domain.Place{}
		}
		stopped = isWrapped || !yield(r.end(bytes.TrimSpace(r.json.Raw())))
		return !stopped
	}
	switch kind {
	case json.Object:
		for number := 1; r.json.Peek() == json.Object && read(number); number++ {
			continue
		}
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
		r.json.Fail("expected a JSON object or an array of JSON objects")
	}
	switch {
	case isWrapped:
		return &domain.UnsupportedFileError{Kind: domain.FileWrappedArray, Key: domain.Line(r.array, maxWordShown)}
	case stopped:
		return nil
	case !r.json.AtEnd():
		r.json.Fail("unexpected data after the end of the JSON value")
	}
	return brokenFile(r.json.Err(), record)
}

// record reads the value in the place of a record.
func (r *objectReader) record(number int, place domain.Place) {
	r.begin(number, place)
	r.inside, r.listed, r.array, r.isSpelt = 0, 0, "", false
	r.candidate.NotRecord = r.json.Peek() != json.Object
	r.json.StartRaw()
	if r.candidate.NotRecord {
		r.json.Skip()
		return
	}
	for key := range r.json.Members {
		field, known := domain.ParsePersonField(key)
		if !known {
			r.skip(key)
			continue
		}
		from := len(r.texts)
		var value json.Value
		r.texts, value = r.json.Value(r.texts, domain.MaxValue)
		r.add(field, domain.Given{Kind: kinds[value.Kind], Cut: value.Cut, Malformed: value.Malformed}, from)
	}
	r.candidate.IsNested = max(r.inside, r.listed) >= minInside && !r.hasFields()
}

// isWrapped reports whether the record has an array of records inside.
func (r *objectReader) isWrapped() bool {
	return r.array != "" && r.inside < minInside && (r.listed >= minListed || !r.isSpelt) && !r.hasFields()
}

// hasFields reports whether the record has a field of a person other than one that an organization assigns, which a list of people has, too.
func (r *objectReader) hasFields() bool {
	for f, given := range r.given {
		if given && !domain.PersonField(f).IsAssigned() {
			return true
		}
	}
	return false
}

// skip reads the value of a key that is not known. While the record has no field, it looks for people inside.
func (r *objectReader) skip(key []byte) {
	kind := r.json.Peek()
	isNested := kind == json.Array || kind == json.Object
	r.ignore(key, !isNested)
	if !isNested || r.hasFields() {
		r.json.Skip()
		return
	}
	outer := string(scan.TrimPartialRune(key))
	var inside, listed [domain.NumPersonFields]bool
	hasList := false
	r.json.SkipInside(func(key []byte, inArray bool) {
		hasList = hasList || inArray
		if field, known := domain.ParsePersonField(key); known {
			inside[field], listed[field] = inside[field] || !inArray, listed[field] || inArray
		}
	})
	if n := count(listed); hasList && (n > r.listed || r.array == "") {
		r.array, r.listed = outer, n
	}
	r.inside = max(r.inside, count(inside))
}

func count(fields [domain.NumPersonFields]bool) (n int) {
	for _, has := range fields {
		if has {
			n++
		}
	}
	return n
}

// ignore notes a key that is not known. Only one that may be a field has a text or a number.
func (r *objectReader) ignore(key []byte, mayBeField bool) {
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
	it := ports.IgnoredColumn{Header: string(scan.TrimPartialRune(key))}
	if mayBeField {
		it.Like = likelyField(it.Header)
		r.isSpelt = r.isSpelt || it.Like != domain.FieldRecord
	}
	r.notes.Ignore(it)
}

// kinds are the kinds of values that fields may have.
var kinds = [...]domain.Kind{
	json.Bool: domain.KindOther, json.Number: domain.KindNumber, json.String: domain.KindText, json.Array: domain.KindOther, json.Object: domain.KindOther,
}
