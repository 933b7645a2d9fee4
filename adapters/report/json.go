package report

import (
	"io"
	"strconv"
	"time"

	"rollcall/adapters/internal/jsontext"
	"rollcall/domain"
	"rollcall/ports"
)

// JSON writes a report as an object, {"codes":[...],"bad_users":[...]}, with an import or a rejection on each line. Dates are in UTC.
// An unknown login is null. A rejection has the line and sheet of its record if these are known, and a violation has a limit only if its
// rule has one.
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
		o.buf = jsontext.AppendString(o.buf, i.Method)
		o.buf = append(o.buf, `,"date":"`...)
		o.buf = i.Date.UTC().AppendFormat(o.buf, time.RFC3339Nano)
		o.buf = append(o.buf, `","description":`...)
		o.buf = jsontext.AppendString(o.buf, i.Description)
		o.buf = append(o.buf, `,"created":`...)
		o.buf = strconv.AppendInt(o.buf, int64(i.Registered), 10)
		o.buf = append(o.buf, `,"refused":`...)
		o.buf = strconv.AppendInt(o.buf, int64(i.Rejected), 10)
		o.buf = append(o.buf, '}')
		return o.endRow()
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
		o.appendPlace(r.Place)
		o.buf = append(o.buf, `,"login":`...)
		if r.Login == "" {
			o.buf = append(o.buf, "null"...)
		} else {
			o.buf = jsontext.AppendString(o.buf, r.Login)
		}
		o.buf = append(o.buf, `,"description":`...)
		o.buf = jsontext.AppendString(o.buf, r.Description)
		o.buf = append(o.buf, `,"violations":`...)
		o.buf = jsontext.AppendViolations(o.buf, r.Violations)
		o.buf = append(o.buf, '}')
		return o.endRow()
	})
	if err != nil {
		return err
	}
	list.end()
	o.buf = append(o.buf, "}\n"...)
	return o.flush()
}

// appendPlace appends the members of an object that say where a record is in its file.
func (o *output) appendPlace(p domain.Place) {
	if p.Line != 0 {
		o.buf = strconv.AppendInt(append(o.buf, `,"line":`...), int64(p.Line), 10)
	}
	if p.Sheet != "" {
		o.buf = jsontext.AppendString(append(o.buf, `,"sheet":`...), p.Sheet)
	}
}

// A jsonList writes an array, with an element on each line.
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
