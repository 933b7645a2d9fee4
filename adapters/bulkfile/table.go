package bulkfile

import (
	"bytes"
	"io"
	"iter"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"rollcall/adapters/bulkfile/scan"
	"rollcall/adapters/bulkfile/scan/csv"
	"rollcall/adapters/internal/csvfield"
	"rollcall/adapters/internal/jsontext"
	"rollcall/domain"
	"rollcall/ports"
)

// CSV reads a table whose first row has the headers of the columns.
type CSV struct {
	Delimiter byte // a comma, a semicolon, or a tab
}

// Candidates yields the records of a file in UTF-8.
func (f CSV) Candidates(r io.Reader) iter.Seq2[*domain.Candidate, error] {
	return func(yield func(*domain.Candidate, error) bool) { f.table(r).candidates(yield) }
}

func (f CSV) table(r io.Reader) table {
	// Half of a text may be apostrophes, which csvfield.Restore removes.
	limits := scan.Limits{Row: 2 * rowLimits.Row, Cell: 2 * rowLimits.Cell}
	width := new(int)
	rows := csv.Rows(r, f.Delimiter, limits, width)
	return table{width: width, rows: func(yield func(scan.Row, error) bool) {
		for row, err := range rows {
			for i := range row.Cells {
				cell := &row.Cells[i]
				var isFormula bool
				if cell.Text, isFormula = textOfFormula(cell.Text); !isFormula {
					cell.Text = csvfield.Restore(cell.Text)
				}
			}
			if !yield(row, err) {
				return
			}
		}
	}}
}

// textOfFormula returns the text of a formula that is nothing but a text, such as ="007". Programs write them to CSV so that spreadsheets
// keep leading zeros.
func textOfFormula(cell []byte) (text []byte, isFormula bool) {
	rest, isFormula := bytes.CutPrefix(cell, []byte(`="`))
	if !isFormula {
		return cell, false
	}
	inner, isFormula := bytes.CutSuffix(rest, []byte(`"`))
	if !isFormula {
		return cell, false
	}
	return bytes.ReplaceAll(inner, []byte(`""`), []byte(`"`)), true
}

// rowLimits leave room for a value, and for a record that can be kept as it came.
var rowLimits = scan.Limits{Row: ports.MaxOriginal, Cell: domain.MaxValue + utf8.UTFMax}

// A table is a sequence of rows. The first row that is not blank has the headers.
type table struct {
	rows  scan.Rows
	width *int // of the header row, which the scanner needs to know; nil in a workbook

	// date returns the date that a number stands for in a column of dates. It is nil where numbers stand for themselves.
	date func(number []byte) []byte
}

// A column is a column of a table.
type column struct {
	header  string
	field   domain.PersonField
	isKnown bool   // the column has the field
	key     []byte // in a record as it came, in JSON with quotes and a colon; nil for a column that is not kept
}

// ownColumns are the columns that files of rejected records have beside the fields.
var ownColumns = map[string]bool{"object": true, "reason": true}

// newColumns returns the columns with the headers in a row, or nil if none is known.
func newColumns(headerRow []scan.Cell) []column {
	columns, known := make([]column, len(headerRow)), false
	for i, cell := range headerRow {
		header := strings.TrimSpace(string(cell.Text))
		c := column{header: header}
		c.field, c.isKnown = headers[plainHeader(header)]
		key := header
		if c.isKnown {
			known = true
			key = string(c.field.Name())
		}
		if key != "" && !ownColumns[strings.ToLower(key)] {
			c.key = append(jsontext.AppendString(nil, key), ':')
		}
		columns[i] = c
	}
	if !known {
		return nil
	}
	return columns
}

// each calls header with the columns, then row with each row below the headers that is not blank, until one of them returns
// false. It returns a domain.ErrBrokenFile where the file breaks, and for a table without known columns.
func (t table) each(header func([]column) bool, row func(scan.Row) bool) error {
	headerRead := false
	for r, err := range t.rows {
		switch {
		case err != nil:
			return brokenFile(err, 0)
		case r.IsBlank() && (!headerRead || !r.Broken):
		case headerRead:
			if !row(r) {
				return nil
			}
		case !strings.HasPrefix(string(r.Cells[0].Text), "sep="): // which is Excel's own line for the delimiter
			columns := newColumns(r.Cells)
			if columns == nil {
				return errNoColumns()
			}
			if !header(columns) {
				return nil
			}
			headerRead = true
			if t.width != nil {
				*t.width = len(r.Cells)
			}
		}
	}
	if !headerRead {
		return &domain.BrokenFileError{Reason: "the file is empty"}
	}
	return nil
}

// errNoColumns returns the error of a table without known columns.
func errNoColumns() error {
	names := make([]string, 0, domain.NumPersonFields)
	for _, field := range domain.PersonColumns() {
		names = append(names, string(field.Name()))
	}
	return &domain.BrokenFileError{Reason: "no known columns in the header row; expected names such as " + strings.Join(names, ", ")}
}

// candidates yields the candidates of the table.
func (t table) candidates(yield func(*domain.Candidate, error) bool) {
	r := rowReader{table: t}
	err := r.each(func(columns []column) bool {
		r.columns = columns
		return true
	}, func(row scan.Row) bool {
		r.number++
		return yield(r.record(row), nil)
	})
	if err == nil && r.number == 0 {
		err = &domain.BrokenFileError{Reason: "there are no rows below the header row"}
	}
	if err != nil {
		yield(nil, err)
	}
}

// text returns the text of a cell. In a column of birthdays a number is a date, even if the cell has no format of dates, unless the
// number may be a year.
func (t table) text(c *column, cell *scan.Cell) []byte {
	const beyondYears = 10_000 // a day in 1927
	if t.date == nil || !cell.IsNumber || !c.isKnown || c.field != domain.PersonBirthday {
		return cell.Text
	}
	number, err := strconv.ParseFloat(string(cell.Text), 64)
	if err != nil || number < beyondYears {
		return cell.Text
	}
	return t.date(cell.Text)
}

// A rowReader makes candidates of rows.
type rowReader struct {
	builder
	table

	columns  []column
	number   int    // of the record
	original []byte // the record as it came, in JSON
}

// record returns the candidate for a row. It is unreadable if the row is broken, or has a value to the right of the columns.
func (r *rowReader) record(row scan.Row) *domain.Candidate {
	r.begin(r.number)
	r.original = append(r.original[:0], '{')
	broken, whole := row.Broken, true
	for i := range row.Cells {
		cell := &row.Cells[i]
		if cell.IsBlank() {
			continue
		}
		if i >= len(r.columns) {
			broken = true
			break
		}
		column := &r.columns[i]
		text := r.text(column, cell)
		whole = whole && !cell.Cut
		if column.key != nil && len(r.original) <= ports.MaxOriginal {
			if len(r.original) > 1 {
				r.original = append(r.original, ',')
			}
			r.original = jsontext.AppendString(append(r.original, column.key...), text)
		}
		if column.isKnown {
			if r.width != nil && !cell.Quoted {
				var ok bool
				text, ok = bare(text)
				broken = broken || !ok
			}
			value := domain.Given{Kind: domain.KindText, Cut: cell.Cut, Malformed: cell.Malformed}
			if len(text) > domain.MaxValue {
				text, value.Cut = domain.TrimPartialRune(text[:domain.MaxValue]), true
			}
			from := len(r.texts)
			r.texts = append(r.texts, text...)
			r.add(column.field, value, from)
		}
	}
	var original []byte
	if r.original = append(r.original, '}'); whole && len(r.original) <= ports.MaxOriginal {
		original = r.original
	}
	if broken {
		return r.unreadable(r.number, original)
	}
	return r.end(original)
}

// bare returns a value of CSV, which is not in the quotes of CSV, without the quotes of word processors and databases, and without the
// apostrophe with which spreadsheets begin a text. It returns false for a quote that closes none.
func bare(text []byte) (value []byte, ok bool) {
	if text[len(text)-1] == '"' && bytes.Count(text, []byte(`"`))%2 == 1 {
		return text, false
	}
	if text[0] <= ' ' {
		text = bytes.TrimLeft(text, " \t")
	}
	const firstBytes = "'\xc2\xe2" // of the quotes
	if strings.IndexByte(firstBytes, text[0]) < 0 {
		return text, true
	}
	opening, size := utf8.DecodeRune(text)
	closing, closingSize := utf8.DecodeLastRune(text)
	if len(text) > size && strings.ContainsRune(quotePairs[opening], closing) {
		return text[size : len(text)-closingSize], true
	}
	next, _ := utf8.DecodeRune(text[size:])
	if opening == '\'' && unicode.IsLetter(next) && !unicode.Is(unicode.Latin, next) { // 't Hooft is a name
		return text[size:], true
	}
	return text, true
}

// quotePairs are the quotes that close a text, by the one that opens it.
var quotePairs = map[rune]string{'\'': "'", '“': "”", '„': "“”", '«': "»", '‘': "’", '‹': "›"}
