package report

import (
	"bytes"
	"encoding/json"
	"io"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"

	"rollcall/adapters/internal/jsontext"
	"rollcall/domain"
	"rollcall/ports"
)

// RejectedJSON writes the rejected records of one import as they arrived, to be corrected and sent again: an array with an object on
// each line. An object begins with the number of the record, "object", its place in the file, "line" and "sheet", where it has one, and
// the reason of its rejection, "reason". Keys of the record with these names are left out. A record that is not an object is the "value" of one. For a record that is not stored the object has
// the login, if it is known. RejectedJSON does not read the imports.
type RejectedJSON struct{}

// Write implements ports.ReportWriter.
func (RejectedJSON) Write(w io.Writer, report ports.Report) error {
	o := newOutput(w)
	list := jsonList{output: o}
	list.begin()
	var compactor compactor
	err := each("rejections", report.Rejections, func(r *domain.Rejection) error {
		list.next()
		o.buf = append(o.buf, `{"object":`...)
		o.buf = strconv.AppendInt(o.buf, int64(r.Record), 10)
		o.appendPlace(r.Place)
		o.buf = append(o.buf, `,"reason":`...)
		o.buf = jsontext.AppendString(o.buf, r.Description)
		switch original := compactor.compact(r.Original); {
		case original == "":
			if r.Login != "" {
				o.buf = append(o.buf, `,"login":`...)
				o.buf = jsontext.AppendString(o.buf, r.Login)
			}
		case original[0] != '{':
			o.buf = append(o.buf, `,"value":`...)
			o.buf = append(o.buf, original...)
		default:
			for key, value := range members(original) {
				switch unquote(key) {
				case "object", "line", "sheet", "reason":
					continue
				}
				o.buf = append(o.buf, ',')
				o.buf = append(o.buf, key...)
				o.buf = append(o.buf, ':')
				o.buf = append(o.buf, value...)
			}
		}
		o.buf = append(o.buf, '}')
		return o.endRow()
	})
	if err != nil {
		return err
	}
	list.end()
	o.buf = append(o.buf, '\n')
	return o.flush()
}

// A rejectedRecord is a rejection with the texts of the record's fields.
type rejectedRecord struct {
	*domain.Rejection

	fields *[domain.NumPersonFields]string
}

// rejectedRecords yields rejections with the texts of their fields. A record is valid until the next is read.
func rejectedRecords(rejections iter.Seq2[domain.Rejection, error]) iter.Seq2[rejectedRecord, error] {
	return func(yield func(rejectedRecord, error) bool) {
		var compactor compactor
		var current domain.Rejection
		var fields [domain.NumPersonFields]string
		for r, err := range rejections {
			current, fields = r, fieldsOf(&r, compactor.compact(r.Original))
			if !yield(rejectedRecord{&current, &fields}, err) {
				return
			}
		}
	}
}

// fieldsOf returns the texts of the fields of a rejected record. A record that is not stored has its login only. If a key is
// repeated, the last value counts, as for most decoders of JSON.
func fieldsOf(r *domain.Rejection, original string) (fields [domain.NumPersonFields]string) {
	if original == "" {
		fields[domain.PersonLogin] = r.Login
		return fields
	}
	if original[0] != '{' {
		return fields
	}
	for key, value := range members(original) {
		field, known := domain.ParsePersonField(unquote(key))
		switch {
		case !known:
		case value[0] == '"':
			fields[field] = unquote(value)
		case value[0] == 'n':
			fields[field] = ""
		default:
			fields[field] = value
		}
	}
	return fields
}

// A compactor compacts JSON.
type compactor struct{ text bytes.Buffer }

// compact returns JSON without white space and in valid UTF-8. For a text that is not JSON, which a file in JSON cannot hold, it
// returns an empty text.
func (c *compactor) compact(original []byte) string {
	if !utf8.Valid(original) {
		original = bytes.ToValidUTF8(original, []byte(string(utf8.RuneError)))
	}
	c.text.Reset()
	err := json.Compact(&c.text, original)
	if err != nil {
		return ""
	}
	return c.text.String()
}

// members yields the keys and values of an object in compact, valid JSON.
func members(object string) iter.Seq2[string, string] {
	return func(yield func(key, value string) bool) {
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

// valueEnd returns the end of the value that begins at a place in an object.
func valueEnd(text string, at int) int {
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
			if depth == 0 { // the end of the object, after a number or a word
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

// unquote returns the text of a valid string in JSON.
func unquote(quoted string) string {
	if strings.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var text string
	_ = json.Unmarshal([]byte(quoted), &text)
	return text
}
