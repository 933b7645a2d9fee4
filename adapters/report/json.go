package report

import (
	"io"
	"strconv"
	"time"
	"unicode/utf8"

	"rollcall/domain"
	"rollcall/ports"
)

// JSON writes a report as an object, {"codes":[...],"bad_users":[...]}, a row on each line. Dates are in UTC. A login that
// is unknown is null, and a violation has a limit only where its rule has one.
type JSON struct{}

// Write implements ports.ReportWriter.
func (JSON) Write(w io.Writer, report ports.Report) error {
	o := newOutput(w)
	list := jsonList{output: o}
	o.buf = append(o.buf, `{"codes":`...)
	list.begin()
	err := each("imports", report.Imports, func(i *domain.Import) error {
		list.next()
		o.buf = append(o.buf, `{"id":`...)
		o.buf = strconv.AppendInt(o.buf, i.ID, 10)
		o.buf = append(o.buf, `,"code":`...)
		o.buf = strconv.AppendInt(o.buf, int64(i.Status), 10)
		o.buf = append(o.buf, `,"method":`...)
		o.buf = appendString(o.buf, i.Method)
		o.buf = append(o.buf, `,"date":"`...)
		o.buf = i.Date.UTC().AppendFormat(o.buf, time.RFC3339Nano)
		o.buf = append(o.buf, `","description":`...)
		o.buf = appendString(o.buf, i.Description)
		o.buf = append(o.buf, `,"created":`...)
		o.buf = strconv.AppendInt(o.buf, int64(i.Registered), 10)
		o.buf = append(o.buf, `,"refused":`...)
		o.buf = strconv.AppendInt(o.buf, int64(i.Rejected), 10)
		o.buf = append(o.buf, '}')
		return o.rowEnds()
	})
	if err != nil {
		return err
	}
	list.end()
	o.buf = append(o.buf, `,"bad_users":`...)
	list.begin()
	err = each("rejections", report.Rejections, func(r *domain.Rejection) error {
		list.next()
		o.buf = append(o.buf, `{"code_id":`...)
		o.buf = strconv.AppendInt(o.buf, r.Import, 10)
		o.buf = append(o.buf, `,"object_id":`...)
		o.buf = strconv.AppendInt(o.buf, int64(r.Record), 10)
		o.buf = append(o.buf, `,"login":`...)
		if r.Login == "" {
			o.buf = append(o.buf, "null"...)
		} else {
			o.buf = appendString(o.buf, r.Login)
		}
		o.buf = append(o.buf, `,"description":`...)
		o.buf = appendString(o.buf, r.Description)
		o.buf = append(o.buf, `,"violations":`...)
		o.buf = appendViolations(o.buf, r.Violations)
		o.buf = append(o.buf, '}')
		return o.rowEnds()
	})
	if err != nil {
		return err
	}
	list.end()
	o.buf = append(o.buf, "}\n"...)
	return o.flush()
}

// jsonList writes a list, an element on each line.
type jsonList struct {
	*output

	empty bool
}

func (l *jsonList) begin() {
	l.buf = append(l.buf, '[')
	l.empty = true
}

func (l *jsonList) next() {
	if !l.empty {
		l.buf = append(l.buf, ',')
	}
	l.buf = append(l.buf, '\n')
	l.empty = false
}

func (l *jsonList) end() {
	if !l.empty {
		l.buf = append(l.buf, '\n')
	}
	l.buf = append(l.buf, ']')
}

func appendViolations(dst []byte, violations domain.Violations) []byte {
	dst = append(dst, '[')
	for i, violation := range violations {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"field":`...)
		dst = appendString(dst, string(violation.Field))
		dst = append(dst, `,"code":`...)
		dst = appendString(dst, string(violation.Code))
		if violation.Limit != 0 {
			dst = append(dst, `,"limit":`...)
			dst = strconv.AppendInt(dst, int64(violation.Limit), 10)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// appendString appends a text as JSON, with U+FFFD for what is no UTF-8. Of a million rows encoding/json would take
// most of the time.
func appendString(dst []byte, text string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, text[from:i]...)
				dst = utf8.AppendRune(dst, r)
				from = i + 1
			}
			i += size
			continue
		}
		if c < ' ' || c == '"' || c == '\\' {
			dst = append(dst, text[from:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, `\n`...)
			case '\r':
				dst = append(dst, `\r`...)
			case '\t':
				dst = append(dst, `\t`...)
			default:
				dst = append(dst, `\u00`...)
				dst = append(dst, hex[c>>4], hex[c&0xf])
			}
			from = i + 1
		}
		i++
	}
	dst = append(dst, text[from:]...)
	return append(dst, '"')
}
