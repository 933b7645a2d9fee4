package report

import (
	"bytes"
	"encoding/json"
	"io"
	"iter"
	"strconv"
	"unicode/utf8"

	"rollcall/domain"
	"rollcall/ports"
)

// RejectedJSON writes the refused objects of one import as they came, to be mended and sent again: an array, an object on
// each line. Each begins with its number, "object", and why it was refused, "reason"; these two keys of its own are left
// out. What was no object is the "value" of one, and of an object that is not kept there is the login, if it is known.
//
// It ranges over the rejections only.
type RejectedJSON struct{}

// RejectedCSV writes the refused objects of one import as CSV does, to be mended and sent again. Beside an object's number
// and why it was refused it has a column for each field of a person; keys that are unknown are left out. A number is its
// digits, null is empty, and what is neither text nor number is its JSON.
//
// It ranges over the rejections only.
type RejectedCSV struct{}

// Write implements ports.ReportWriter.
func (RejectedJSON) Write(w io.Writer, report ports.Report) error {
	o := newOutput(w)
	list := jsonList{output: o}
	list.begin()
	var original originalReader
	err := each("rejections", report.Rejections, func(r *domain.Rejection) error {
		list.next()
		o.buf = append(o.buf, `{"object":`...)
		o.buf = strconv.AppendInt(o.buf, int64(r.Record), 10)
		o.buf = append(o.buf, `,"reason":`...)
		o.buf = appendString(o.buf, r.Description)
		switch text := original.compact(r.Original); {
		case len(text) == 0:
			if r.Login != "" {
				o.buf = append(o.buf, `,"login":`...)
				o.buf = appendString(o.buf, r.Login)
			}
		case text[0] != '{':
			o.buf = append(o.buf, `,"value":`...)
			o.buf = append(o.buf, text...)
		default:
			for key, value := range members(text) {
				name := string(unquote(key))
				if name == "object" || name == "reason" {
					continue
				}
				o.buf = append(o.buf, ',')
				o.buf = append(o.buf, key...)
				o.buf = append(o.buf, ':')
				o.buf = append(o.buf, value...)
			}
		}
		o.buf = append(o.buf, '}')
		return o.rowEnds()
	})
	if err != nil {
		return err
	}
	list.end()
	o.buf = append(o.buf, '\n')
	return o.flush()
}

// Write implements ports.ReportWriter.
func (RejectedCSV) Write(w io.Writer, report ports.Report) error {
	return writeCSV(w, report.Language, rejected, func(o *csvOutput) error {
		var original originalReader
		return each("rejections", report.Rejections, func(r *domain.Rejection) error {
			o.number(int64(r.Record))
			addText(o, r.Description)
			person := original.person(r)
			for _, field := range domain.PersonColumns() {
				addText(o, person[field])
			}
			return o.rowEnds()
		})
	})
}

// person has the texts of a person's fields.
type person [domain.NumPersonFields][]byte

// originalReader reads originals. What it returns is valid until the next.
type originalReader struct{ text bytes.Buffer }

// compact returns an original without white space and in valid UTF-8, or nothing if it is not kept.
func (o *originalReader) compact(original []byte) []byte {
	if !utf8.Valid(original) {
		original = bytes.ToValidUTF8(original, []byte(string(utf8.RuneError)))
	}
	o.text.Reset()
	err := json.Compact(&o.text, original)
	if err != nil { // what is no JSON cannot be shown in JSON
		return nil
	}
	return o.text.Bytes()
}

// person returns the fields of a rejection. Of several with one key the last counts, as with most readers of JSON.
func (o *originalReader) person(r *domain.Rejection) (fields person) {
	text := o.compact(r.Original)
	if len(text) == 0 {
		fields[domain.PersonLogin] = []byte(r.Login)
		return fields
	}
	if text[0] != '{' {
		return fields
	}
	for key, value := range members(text) {
		field, known := domain.ParsePersonField(unquote(key))
		switch {
		case !known:
		case value[0] == '"':
			fields[field] = unquote(value)
		case value[0] == 'n':
			fields[field] = nil
		default:
			fields[field] = value
		}
	}
	return fields
}

// members yields the keys and values of an object in JSON that is compact and valid.
func members(object []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for at := 1; object[at] == '"'; {
			colon := valueEnd(object, at)
			end := valueEnd(object, colon+1)
			if !yield(object[at:colon], object[colon+1:end]) {
				return
			}
			at = end + 1
			if object[end] == '}' {
				return
			}
		}
	}
}

// valueEnd is where the value ends that begins at a place in an object.
func valueEnd(text []byte, at int) int {
	depth := 0
	for ; ; at++ {
		switch text[at] {
		case '"':
			at++
			for text[at] != '"' {
				if text[at] == '\\' {
					at++
				}
				at++
			}
			if depth == 0 {
				return at + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // the object's own, behind a number or a word
				return at
			}
			depth--
			if depth == 0 {
				return at + 1
			}
		case ',':
			if depth == 0 {
				return at
			}
		}
	}
}

// unquote returns the text that a string in JSON stands for.
func unquote(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var text string
	_ = json.Unmarshal(quoted, &text) // it is valid
	return []byte(text)
}
