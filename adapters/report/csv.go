package report

import (
	"io"
	"strconv"
	"strings"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// Table names a table of a report, for formats whose files have only one.
type Table int

// The tables of a report.
const (
	Codes    Table = iota // what imports were answered with
	BadUsers              // the objects that they refused
)

// CSV writes one table of a report by RFC 4180, with a byte order mark and dates as Excel expects them. Of a report it
// ranges over what its table needs.
//
// Some programs take a text for a formula and run it. A text that begins as formulas do gets an apostrophe in front, and
// so does one that begins with apostrophes before such a beginning: whoever takes an apostrophe away from a text that
// has one there has the text as it was.
type CSV struct {
	Table    Table
	Location *time.Location // of dates, nil for UTC
}

const (
	byteOrderMark = "\ufeff"
	endOfLine     = "\r\n"
)

// Write implements ports.ReportWriter.
func (c CSV) Write(w io.Writer, report ports.Report) error {
	o := newOutput(w)
	var err error
	if c.Table == BadUsers {
		o.buf = appendHeader(o.buf, badUsers)
		err = each("rejections", report.Rejections, func(r *domain.Rejection) error {
			o.buf = strconv.AppendInt(o.buf, r.Import, 10)
			o.buf = append(o.buf, ',')
			o.buf = strconv.AppendInt(o.buf, int64(r.Object), 10)
			o.buf = append(o.buf, ',')
			o.buf = appendField(o.buf, r.Login)
			o.buf = append(o.buf, ',')
			o.buf = appendField(o.buf, r.Description)
			o.buf = append(o.buf, endOfLine...)
			return o.rowEnds()
		})
	} else {
		o.buf = appendHeader(o.buf, codes)
		err = each("imports", report.Imports, func(i *domain.Import) error {
			o.buf = strconv.AppendInt(o.buf, i.ID, 10)
			o.buf = append(o.buf, ',')
			o.buf = strconv.AppendInt(o.buf, int64(i.Status), 10)
			o.buf = append(o.buf, ',')
			o.buf = appendField(o.buf, i.Method)
			o.buf = append(o.buf, ',')
			o.buf = local(i.Date, c.Location).AppendFormat(o.buf, time.DateTime)
			o.buf = append(o.buf, ',')
			o.buf = appendField(o.buf, i.Description)
			o.buf = append(o.buf, endOfLine...)
			return o.rowEnds()
		})
	}
	if err != nil {
		return err
	}
	return o.flush()
}

func appendHeader(dst []byte, table table) []byte {
	dst = append(dst, byteOrderMark...)
	for i, column := range table.columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, column.name...)
	}
	return append(dst, endOfLine...)
}

// appendField appends a text as a field.
func appendField[T string | []byte](dst []byte, text T) []byte {
	if len(text) == 0 {
		return dst
	}
	// Some readers trim a field that is not quoted.
	quote := text[0] == ' ' || text[len(text)-1] == ' '
	for i := 0; !quote && i < len(text); i++ {
		c := text[i]
		quote = c == ',' || c == '"' || c == '\n' || c == '\r'
	}
	if quote {
		dst = append(dst, '"')
	}
	if isFormula(text) {
		dst = append(dst, '\'')
	}
	if !quote {
		return append(dst, text...)
	}
	for i := range len(text) {
		if text[i] == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, text[i])
	}
	return append(dst, '"')
}

// isFormula tells whether a text begins as formulas do, by OWASP's list, apostrophes apart.
func isFormula[T string | []byte](text T) bool {
	at := 0
	for at < len(text) && text[at] == '\'' {
		at++
	}
	if at == len(text) {
		return false
	}
	switch text[at] {
	case '=', '+', '-', '@', '\t', '\r', '\n':
		return true
	case "＝"[0]:
		return strings.ContainsAny(string(text[at:min(at+len("＝"), len(text))]), "＝＋－＠")
	}
	return false
}
