package bulkfile

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"iter"
	"regexp"
	"slices"
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

// CSV reads a table with a header row.
type CSV struct {
	Delimiter byte // one of delimiters
}

// Candidates yields the records of a file in UTF-8, and adds to notes what it ignores.
func (f CSV) Candidates(r io.Reader, notes *ports.FileNotes) iter.Seq2[*domain.Candidate, error] {
	return func(yield func(*domain.Candidate, error) bool) {
		number := 0
		more, err := f.table(r).candidates(notes, &number, yield)
		if err == nil && more && number == 0 {
			err = errNoRows
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

var errNoRows = &domain.BrokenFileError{Reason: "there are no rows below the header row"}

func (f CSV) table(r io.Reader) table {
	// Half of a text may be apostrophes, which csvfield.Restore removes.
	t := f.limited(r, scan.Limits{Row: 2 * rowLimits.Row, Cell: 2 * rowLimits.Cell})
	t.splits = true
	return t
}

func (f CSV) limited(r io.Reader, limits scan.Limits) table {
	width := new(int)
	rows := csv.Rows(r, f.Delimiter, limits, width)
	return table{width: width, rows: func(yield func(scan.Row, error) bool) {
		for row, err := range rows {
			for i := range row.Cells {
				cell := &row.Cells[i]
				var isFormula bool
				if cell.Text, isFormula = textOfFormula(cell.Text); !isFormula && !isInApostrophes(cell) {
					cell.Text = csvfield.Restore(cell.Text)
				}
			}
			if !yield(row, err) {
				return
			}
		}
	}}
}

// isInApostrophes reports whether apostrophes quote a text, as databases do. Files of this program quote each text otherwise.
func isInApostrophes(cell *scan.Cell) bool {
	n := len(cell.Text)
	return !cell.Quoted && n > 2 && cell.Text[0] == '\'' && cell.Text[n-1] == '\''
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

// headLimits leave room for headers.
var headLimits = scan.Limits{Row: 16 << 10, Cell: 256}

// A table is a sequence of rows. The header row is one of its first rows.
type table struct {
	rows  scan.Rows
	sheet string // fit to show; empty for none
	width *int   // of the header row, which the scanner needs to know; nil in a workbook

	// splits reports that rows may each be a line of CSV in one cell: it was pasted into one column of a spreadsheet.
	splits bool

	// lookups is the number of bytes that may still be looked up among the known headers. Nil for any number.
	lookups *int

	// date returns the date that a number stands for in a column of dates. It is nil where numbers stand for themselves.
	date func(number []byte) []byte
}

// headerRows is the number of rows, without blank ones, among which the header row is.
const headerRows = 20

// A column is a column of a table.
type column struct {
	meaning

	header  string
	isKnown bool  // the column has the field
	isMDY   bool  // the header says that dates have the month first
	isOver  bool  // another column has the field, and this one is ignored
	isOwn   bool  // the column is one of ownColumns in a file of rejected records
	isSplit bool  // other columns have the field, too
	isEmail bool  // a column of logins that are emails, as its header says, in a table without a column of emails
	isUPN   bool  // logins of Entra ID, or the unique pupil numbers of schools in England, which are none
	rivals  []int // columns with the field whose values count instead, by rank, and earlier ones of the same rank

	headerKey []byte // key of a value that does not count because of a rival
	key       []byte // of its values in a record as it came, in JSON with quotes and a colon; nil for a column that is not kept
}

// monthFirst matches the order of dates in a header, such as (MM/DD/YYYY).
var monthFirst = regexp.MustCompile(`(?i)mm?[/-]dd?[/-]yy|мм?[/-]дд?[/-]гг`)

// ownColumns are the columns that files of rejected records have beside the fields. The first one marks such a file: in any other file these
// columns are ignored like all that are unknown.
var ownColumns = map[string]bool{firstOwnColumn: true, "line": true, "sheet": true, "reason": true}

const firstOwnColumn = "object"

// newColumns returns the columns of a header row, and nil for any other row or when no lookups are left.
func (t table) newColumns(row []scan.Cell) []column {
	if t.lookups != nil {
		for i := range row {
			*t.lookups -= len(row[i].Text) + 1
		}
		if *t.lookups < 0 {
			return nil
		}
	}
	return newColumns(row)
}

// newColumns returns the columns with the headers in a row, or nil if the row is no header row.
func newColumns(row []scan.Cell) []column {
	columns := make([]column, len(row))
	var fields [domain.NumPersonFields]bool
	known, login, isOwn := 0, false, false
	for i, cell := range row {
		c := column{header: strings.TrimSpace(string(cell.Text))}
		c.meaning, c.isKnown = meaningOf(c.header)
		c.isMDY = c.isKnown && monthFirst.MatchString(c.header)
		if c.isKnown && !fields[c.field] {
			fields[c.field] = true
			if !c.field.IsAssigned() {
				known++
			}
		}
		login = login || c.isKnown && c.field == domain.PersonLogin && !c.isWeak
		name := strings.ToLower(c.header)
		isOwn = isOwn || name == firstOwnColumn
		c.isOwn = isOwn && ownColumns[name]
		columns[i] = c
	}
	if known < 2 && !login {
		return nil
	}
	setOthers(columns)
	leaveToFullName(columns)
	if !fields[domain.PersonLastName] { // a name without a last name is a full name, in German beside the first name a last name
		hasFirst := slices.ContainsFunc(columns, func(c column) bool { return strings.EqualFold(c.header, "Vorname") })
		for i := range columns {
			if c := &columns[i]; c.isKnown && c.field == domain.PersonFirstName && c.isWeak && c.rank > 0 {
				c.meaning = meaning{field: domain.PersonLastName, rank: lastRank, isFull: !hasFirst}
			}
		}
	}
	for i := range columns {
		setRivals(columns, i)
	}
	for i := range columns {
		c := &columns[i]
		c.isUPN = lettersOf(c.header) == "upn"
		c.isEmail = c.isKnown && c.field == domain.PersonLogin && !fields[domain.PersonEmail] && namesEmail(c.header)
		key := c.header
		if c.isKnown = c.isKnown && !c.isOver; c.isKnown && c.order != domain.FirstMiddle {
			key = string(c.field.Name()) // that of the last name for a full name
		}
		if key != "" && !c.isOwn {
			c.key = append(jsontext.AppendString(nil, key), ':')
			c.headerKey = append(jsontext.AppendString(nil, c.header), ':')
		}
	}
	return columns
}

// leaveToFullName leaves out a column of last names or of first names in a table that has full names, and no column for the other part.
func leaveToFullName(columns []column) {
	has := func(field domain.PersonField, isFull bool) bool {
		return slices.ContainsFunc(columns, func(c column) bool {
			return c.isKnown && c.field == field && (c.isFull && c.order != domain.FirstMiddle) == isFull
		})
	}
	hasLast, hasFirst := has(domain.PersonLastName, false), has(domain.PersonFirstName, false)
	if hasLast == hasFirst || !has(domain.PersonLastName, true) {
		return
	}
	for i := range columns {
		c := &columns[i]
		isPart := c.field == domain.PersonLastName && !c.isFull || c.field == domain.PersonFirstName
		c.isKnown = c.isKnown && !isPart
	}
}

// setOthers leaves out the phone of a contact in a table that has the contact's name or relationship: it is that of another person.
func setOthers(columns []column) {
	isAny := func(c column, names ...string) bool { return slices.Contains(names, lettersOf(c.header)) }
	if !slices.ContainsFunc(columns, func(c column) bool { return isAny(c, "contactname", "contactrelationship", "contactperson") }) {
		return
	}
	for i := range columns {
		columns[i].isKnown = columns[i].isKnown && !isAny(columns[i], "contactphone")
	}
}

// maxRivals bounds the work for a cell.
const maxRivals = 4

// setRivals finds the other columns with the field of a column. An email or phone may be in any of them. Of other fields only the column
// with the lowest rank counts: a user_id is no login of people without a username.
func setRivals(columns []column, i int) {
	c := &columns[i]
	for j := range columns {
		other := &columns[j]
		isFirstName := c.isFull && other.field == domain.PersonFirstName
		if i == j || !c.isKnown || !other.isKnown || other.field != c.field && !isFirstName {
			continue
		}
		c.isSplit = c.isSplit || !isFirstName
		order := other.compare(c.meaning)
		if order < 0 && c.field != domain.PersonEmail && c.field != domain.PersonPhone {
			c.isOver = true
		}
		if order < 0 || order == 0 && j < i {
			c.rivals = append(c.rivals, j)
		}
	}
	slices.SortStableFunc(c.rivals, func(a, b int) int { return columns[a].compare(columns[b].meaning) })
	c.rivals = c.rivals[:min(len(c.rivals), maxRivals)]
}

// each calls header with the columns, then row with each row below the headers that is not blank, until one of them returns
// false. It returns a domain.ErrBrokenFile where the file breaks, and for a table without a header row. It adds to notes what it ignores.
func (t table) each(notes *ports.FileNotes, header func([]column) bool, row func(scan.Row) bool) error {
	f := headerFinder{table: t, notes: notes}
	below := 0
	for r, err := range t.rows {
		if err != nil {
			if f.isPending() && !f.end(header) {
				return nil
			}
			return brokenFile(err, 0)
		}
		if f.inside != 0 {
			splitRow(&r, f.inside)
		}
		if showsNothing(r.Cells) && (f.columns == nil || !r.Broken) {
			continue
		}
		if f.columns == nil {
			if err := f.find(&r); err != nil {
				return err
			}
			continue
		}
		if f.isPending() {
			isPart := f.continues(&r)
			if !f.end(header) {
				return nil
			}
			if isPart {
				continue
			}
		}
		if below++; below == 1 && (isExample(f.columns, r.Cells) || isRuler(r.Cells)) {
			notes.PassOver(textOf(r.Cells))
			continue
		}
		if !row(r) {
			return nil
		}
	}
	switch {
	case f.isPending():
		f.end(header)
		return nil
	case f.columns != nil:
		return nil
	case f.above > 0:
		return errNoColumns(f.isWide)
	}
	return &domain.BrokenFileError{Reason: "the file is empty"}
}

// A headerFinder finds the header row of a table, which may continue in the row below it.
type headerFinder struct {
	table

	notes   *ports.FileNotes
	columns []column                     // nil until the header row is found
	inside  byte                         // delimiter of rows that are each in one cell; 0 for none
	last    []scan.Cell                  // the row above, or the header row until the row below it is read
	labels  [domain.NumPersonFields]bool // fields that rows above the header row begin with
	above   int                          // rows that were passed over
	isWide  bool                         // one of these has too many cells
}

// find looks at a row above which there is no header row.
func (f *headerFinder) find(r *scan.Row) error {
	width := len(r.Cells)
	f.columns, f.inside = f.columnsOf(r)
	f.isWide = f.isWide || r.Broken && width == scan.MaxCells
	if isTransposed(&f.labels, r.Cells, f.columns) {
		return errTransposed
	}
	cells := cloneCells(r.Cells)
	if f.columns == nil {
		f.notes.PassOver(textOf(r.Cells))
		if f.above++; f.above == headerRows {
			return errNoColumns(f.isWide)
		}
		f.last = cells
		return nil
	}
	f.widen(width)
	above := f.last
	f.last = cells
	if isTitle := len(above) == 0 || showsNothing(above[1:]); !isTitle {
		f.join(above, cells)
	}
	return nil
}

// join sets the columns of a table, and its header row, by headers in two rows.
func (f *headerFinder) join(upper, lower []scan.Cell) {
	joined := joinHeaders(upper, lower)
	if columns := newColumns(joined); columns != nil {
		f.columns, f.last = columns, joined
	}
}

// isPending reports whether the header row is found, and the row below it is not read.
func (f *headerFinder) isPending() bool { return f.columns != nil && f.last != nil }

// continues reports whether the row below the header row belongs to it, and adds its headers.
func (f *headerFinder) continues(r *scan.Row) bool {
	if r.Broken || !f.isSecondHeader(f.columns, r.Cells) {
		return false
	}
	f.widen(len(r.Cells))
	f.join(f.last, cloneCells(r.Cells))
	return true
}

// end ends the search, and returns what header returns for the columns.
func (f *headerFinder) end(header func([]column) bool) bool {
	f.last = nil
	noteColumns(f.notes, f.columns)
	return header(f.columns)
}

// widen tells the scanner how many cells the header row has.
func (t table) widen(width int) {
	if t.width != nil {
		*t.width = max(*t.width, width)
	}
}

func cloneCells(cells []scan.Cell) []scan.Cell {
	cells = slices.Clone(cells)
	for i := range cells {
		cells[i].Text = bytes.Clone(cells[i].Text)
	}
	return cells
}

// isSecondHeader reports whether the row below a header row belongs to it: most of its texts are headers, and none is an email or a number.
func (t table) isSecondHeader(columns []column, row []scan.Cell) bool {
	known, texts := 0, 0
	for i := range row {
		if row[i].IsBlank() {
			continue
		}
		texts++
		_, isKnown := meaningOf(string(row[i].Text))
		isMail := bytes.IndexByte(row[i].Text, '@') >= 0
		isContact := i < len(columns) && columns[i].isKnown && !isKnown && bytes.ContainsAny(row[i].Text, "0123456789")
		if isMail || isContact {
			return false
		}
		if isKnown {
			known++
		}
	}
	return known > 1 && 2*known >= texts && t.newColumns(row) != nil
}

// joinHeaders returns the headers of a table that has them in two rows. A header may span several rows or columns. Below one that names another
// person each header gets that name.
func joinHeaders(upper, lower []scan.Cell) []scan.Cell {
	joined := make([]scan.Cell, max(len(upper), len(lower)))
	var group []byte
	for i := range joined {
		if i < len(lower) {
			joined[i] = lower[i]
		}
		isBlank := joined[i].IsBlank()
		if i < len(upper) && !upper[i].IsBlank() {
			group = upper[i].Text
			_, isKnown := meaningOf(string(joined[i].Text))
			_, isUpperKnown := meaningOf(string(group))
			if isUpperKnown && !isKnown {
				joined[i], isBlank = upper[i], true
			}
		}
		if !isBlank && isGroupOfOther(string(group)) {
			joined[i].Text = slices.Concat(group, []byte(": "), joined[i].Text)
		}
	}
	return joined
}

// columnsOf returns the columns with the headers in a row, or nil. If they are in one cell, it splits the row and returns their delimiter.
func (t table) columnsOf(row *scan.Row) (columns []column, inside byte) {
	if row.Broken {
		return nil, 0
	}
	columns = t.newColumns(row.Cells)
	if columns == nil && t.splits {
		inside = t.delimiterInside(row.Cells)
	}
	if inside != 0 {
		splitRow(row, inside)
		columns = t.newColumns(row.Cells)
	}
	return columns, inside
}

// delimiterInside returns the delimiter of a header row in one cell. It returns 0 for another row, also for prose, whose delimiters have a
// blank after them.
func (t table) delimiterInside(cells []scan.Cell) byte {
	const least = 3 // known columns
	for _, delimiter := range []byte(delimiters) {
		row := scan.Row{Cells: cells}
		if len(cells) == 0 || bytes.Contains(cells[0].Text, []byte{delimiter, ' '}) || !splitRow(&row, delimiter) {
			continue
		}
		known := 0
		for _, c := range t.newColumns(row.Cells) {
			if c.isKnown {
				known++
			}
		}
		if known >= least {
			return delimiter
		}
	}
	return 0
}

// splitRow replaces the cell of a row by those of the line of CSV in it, and reports whether it is one. Otherwise the row is broken.
func splitRow(row *scan.Row, delimiter byte) bool {
	lines := 0
	if len(row.Cells) > 0 && !slices.ContainsFunc(row.Cells[1:], func(c scan.Cell) bool { return !c.IsBlank() }) {
		for line, err := range (CSV{delimiter}).table(bytes.NewReader(row.Cells[0].Text)).rows {
			row.Cells, row.Broken = line.Cells, row.Broken || line.Broken || err != nil
			lines++
		}
	}
	row.Broken = row.Broken || lines != 1
	return !row.Broken
}

// isTransposed reports whether a row is the third that begins with the name of a field and names no other, and adds its field to labels.
func isTransposed(labels *[domain.NumPersonFields]bool, cells []scan.Cell, columns []column) bool {
	first := slices.IndexFunc(cells, func(c scan.Cell) bool { return !c.IsBlank() })
	m, known := meaningOf(string(cells[first].Text))
	if !known || m.field.IsAssigned() || first+1 == len(cells) || slices.ContainsFunc(columns, func(c column) bool { return c.isKnown && c.field != m.field }) {
		return false
	}
	labels[m.field] = true
	n := 0
	for _, label := range labels {
		if label {
			n++
		}
	}
	return n > 2
}

// showsNothing reports whether a row has only white space and invisible characters.
func showsNothing(cells []scan.Cell) bool {
	return !slices.ContainsFunc(cells, func(c scan.Cell) bool { return c.Cut || !domain.IsBlank(c.Text) })
}

// textOf returns the texts of the cells of a row in one line.
func textOf(cells []scan.Cell) string {
	var texts []string
	for i := range cells {
		if !cells[i].IsBlank() {
			texts = append(texts, strings.TrimSpace(string(cells[i].Text)))
		}
	}
	return strings.Join(texts, "; ")
}

// isExample reports whether a row is the example of a template, which a word before a colon marks, or a word in a column that is ignored.
func isExample(columns []column, cells []scan.Cell) bool {
	for i := range min(len(columns), len(cells)) {
		if cells[i].IsBlank() {
			continue
		}
		word, _, marked := strings.Cut(string(cells[i].Text), ":")
		return (marked || !columns[i].isKnown) && exampleWords[lettersOf(word)]
	}
	return false
}

// isRuler reports whether a row numbers the columns, or is a line below the headers in a text.
func isRuler(cells []scan.Cell) bool {
	const least = 3 // numbers or signs
	texts, numbers, signs := 0, 0, 0
	for i := range cells {
		text := string(bytes.TrimSpace(cells[i].Text))
		if text == "" {
			continue
		}
		texts++
		if text == strconv.Itoa(i+1) {
			numbers++
		}
		if len(text) >= least && strings.Trim(text, "-+=:") == "" {
			signs++
		}
	}
	return texts >= least && numbers == texts || texts > 0 && signs == texts
}

var exampleWords = map[string]bool{lettersOf("example"): true, lettersOf("sample"): true, lettersOf("пример"): true, lettersOf("образец"): true, lettersOf("приклад"): true}

// noteColumns adds the columns that are ignored.
func noteColumns(notes *ports.FileNotes, columns []column) {
	for i := range columns {
		c := &columns[i]
		it := ports.IgnoredColumn{Header: c.header}
		switch {
		case len(c.rivals) > 0:
			best := &columns[c.rivals[0]]
			if best.compare(c.meaning) == 0 {
				continue
			}
			it.Like, it.Instead = c.name(), best.header
		case c.isKnown, c.header == "", c.isOwn:
			continue
		default:
			it.Like = likelyField(c.header)
		}
		notes.Ignore(it)
	}
}

var errTransposed = &domain.BrokenFileError{
	Reason: "the names of the fields stand in a column; expected them in one row, and a row for each person",
}

var errWide = &domain.BrokenFileError{Reason: fmt.Sprintf("the header row has more than %d columns", scan.MaxCells)}

// errNoColumns returns the error of a table without a header row, of which a row may have too many cells.
func errNoColumns(isWide bool) error {
	if isWide {
		return errWide
	}
	names := make([]string, 0, domain.NumPersonFields)
	for _, field := range domain.PersonColumns() {
		names = append(names, string(field.Name()))
	}
	return &domain.BrokenFileError{Reason: fmt.Sprintf(
		"no known columns in the first %d rows; expected a header row with names such as %s", headerRows, strings.Join(names, ", "),
	)}
}

// candidates yields the candidates of the table, whose numbers follow number, and reports whether yield has not ended it.
func (t table) candidates(notes *ports.FileNotes, number *int, yield func(*domain.Candidate, error) bool) (more bool, err error) {
	r := rowReader{table: t, notes: notes, number: *number}
	more = true
	err = r.each(notes, func(columns []column) bool {
		r.columns = columns
		return true
	}, func(row scan.Row) bool {
		r.number++
		notes.CountHidden(row.Hidden)
		more = yield(r.record(row), nil)
		return more
	})
	*number = r.number
	return more, err
}

// text returns the text of a cell. In a column of birthdays a number is a date, even if the cell has no format of dates or is a text,
// unless the number may be a year.
func (t table) text(c *column, cell *scan.Cell) []byte {
	const beyondYears = 10_000 // a day in 1927
	if t.date == nil || !c.isKnown || c.field != domain.PersonBirthday || !cell.IsNumber && !isDay(cell.Text) {
		return cell.Text
	}
	number, err := strconv.ParseFloat(string(cell.Text), 64)
	if err != nil || number < beyondYears {
		return cell.Text
	}
	return t.date(cell.Text)
}

// isDay reports whether a text is the number of a day of this century or the last: five digits, with a fraction of zero or none.
func isDay(text []byte) bool {
	digits, fraction, _ := bytes.Cut(text, []byte("."))
	return len(digits) == 5 && strings.Trim(string(digits), "0123456789") == "" && strings.Trim(string(fraction), "0") == ""
}

// A rowReader makes candidates of rows.
type rowReader struct {
	builder
	table

	notes    *ports.FileNotes
	columns  []column
	untitled bool   // a column without a header has had a value
	isMoved  bool   // the last header row has other columns than the first, as in joined files
	number   int    // of the record
	original []byte // the record as it came, in JSON
}

// record returns the candidate for a row. It is unreadable if the row is broken, or has a value to the right of the columns.
func (r *rowReader) record(row scan.Row) *domain.Candidate {
	r.begin(r.number, domain.Place{Sheet: r.sheet, Line: row.Line})
	r.candidate.IsRow = true
	r.original = append(r.original[:0], '{')
	broken, whole, mayBeHeader := row.Broken || r.isMoved, true, false
	for i := range row.Cells {
		cell := &row.Cells[i]
		if cell.IsBlank() {
			continue
		}
		if i >= len(r.columns) {
			if r.width == nil { // a remark beside the table of a workbook
				r.ignoreUntitled()
				continue
			}
			broken = true
			break
		}
		whole = whole && !cell.Cut
		mayBeHeader = mayBeHeader || r.columns[i].isKnown && isNoContact(r.columns[i].field, cell.Text)
		readable := r.cell(&r.columns[i], cell, row.Cells)
		broken = broken || !readable
	}
	var original []byte
	if r.original = append(r.original, '}'); whole && len(r.original) <= ports.MaxOriginal {
		original = r.original
	}
	if mayBeHeader {
		if columns := newColumns(row.Cells); columns != nil {
			r.isMoved = !slices.EqualFunc(columns, r.columns[:min(len(columns), len(r.columns))], func(a, b column) bool {
				return a.isKnown == b.isKnown && a.meaning == b.meaning
			})
		}
	}
	if broken {
		return r.unreadable(original)
	}
	return r.end(original)
}

// isNoContact reports whether a text in a column of emails or phones is none at first sight. It may be a header, unless it stands for no
// value, which many people have there.
func isNoContact(field domain.PersonField, text []byte) bool {
	switch field {
	case domain.PersonEmail:
		return bytes.IndexByte(text, '@') < 0 && !field.IsPlaceholder(string(text))
	case domain.PersonPhone:
		return !bytes.ContainsAny(text, "0123456789") && !field.IsPlaceholder(string(text))
	}
	return false
}

// cell adds the value of a cell to the candidate. It returns false if the value has a quote that closes none.
func (r *rowReader) cell(column *column, cell *scan.Cell, row []scan.Cell) (readable bool) {
	if column.header == "" {
		r.ignoreUntitled()
	}
	text := r.text(column, cell)
	if !column.isKnown {
		r.keep(column.key, text)
		return true
	}
	if column.isUPN && pupilNumber.Match(bytes.TrimSpace(text)) {
		r.notes.Ignore(ports.IgnoredColumn{Header: column.header, Like: column.name()})
		r.keep(column.headerKey, text)
		return true
	}
	if column.isSplit && column.field.IsPlaceholder(string(text)) && (r.given[column.field] || r.hasOther(column, row)) {
		r.keep(column.headerKey, text)
		return true
	}
	if rival := r.rival(column, row); rival >= 0 {
		switch {
		case bytes.Equal(bytes.TrimSpace(row[rival].Text), bytes.TrimSpace(cell.Text)):
			return true
		case r.columns[rival].compare(column.meaning) < 0:
			r.keep(column.headerKey, text)
			return true
		}
	}
	readable = true
	value := domain.Given{Kind: cellKinds[cell.Fault], Cut: cell.Cut, Malformed: cell.Malformed}
	if cell.Fault == scan.Date && column.field != domain.PersonBirthday { // a spreadsheet has changed a text such as 1/2
		value.Kind = domain.KindOther
	}
	original := text
	if r.width != nil && !cell.Quoted {
		text, readable = bare(text)
	}
	if isName(column.field) && bytes.ContainsAny(text, `&\`) {
		text = unescaped(text)
	}
	if column.isFull && value.Kind == domain.KindText {
		parts, ok := domain.SplitFullName(string(text), column.order)
		if ok && !value.Cut && !value.Malformed {
			r.giveFullName(parts)
			return readable
		}
		value.Joined = true
	}
	r.candidate.MonthFirst = r.candidate.MonthFirst || column.isMDY
	r.keep(column.key, original)
	r.give(column.field, value, text)
	if column.isEmail && bytes.IndexByte(text, '@') > 0 {
		r.keep(append(jsontext.AppendString(nil, string(domain.FieldEmail)), ':'), original)
		r.give(domain.PersonEmail, value, text)
	}
	return readable
}

// pupilNumber matches a unique pupil number. The last character of a temporary one is a letter.
var pupilNumber = regexp.MustCompile(`^[A-Z]\d{11}[\dA-Z]$`)

// giveFullName adds the parts of a full name.
func (r *rowReader) giveFullName(parts domain.NameTexts) {
	for _, it := range []struct {
		field domain.PersonField
		text  string
	}{{domain.PersonLastName, parts.Last}, {domain.PersonFirstName, parts.First}, {domain.PersonPatronymic, parts.Patronymic}} {
		if it.text != "" {
			r.keep(append(jsontext.AppendString(nil, string(it.field.Name())), ':'), []byte(it.text))
			r.give(it.field, domain.Given{Kind: domain.KindText}, []byte(it.text))
		}
	}
}

// give adds a value to the candidate.
func (r *rowReader) give(field domain.PersonField, value domain.Given, text []byte) {
	if len(text) > domain.MaxValue {
		text, value.Cut = scan.TrimPartialRune(text[:domain.MaxValue]), true
	}
	from := len(r.texts)
	r.texts = append(r.texts, text...)
	r.add(field, value, from)
}

// keep adds a value to the record as it came. The key is nil for a column that is not kept.
func (r *rowReader) keep(key, text []byte) {
	if key == nil || len(r.original) > ports.MaxOriginal {
		return
	}
	if len(r.original) > 1 {
		r.original = append(r.original, ',')
	}
	r.original = jsontext.AppendString(append(r.original, key...), text)
}

// rival returns the index of the column whose value counts instead of that of a column, or together with it. It is negative if none has a
// value.
func (r *rowReader) rival(c *column, cells []scan.Cell) int {
	for _, i := range c.rivals {
		if i < len(cells) && !cells[i].IsBlank() && !c.field.IsPlaceholder(string(cells[i].Text)) {
			return i
		}
	}
	return -1
}

// hasOther reports whether another column has a value for the field of a column.
func (r *rowReader) hasOther(c *column, cells []scan.Cell) bool {
	for i := range min(len(r.columns), len(cells)) {
		other := &r.columns[i]
		if other != c && other.isKnown && other.field == c.field && !cells[i].IsBlank() && !c.field.IsPlaceholder(string(cells[i].Text)) {
			return true
		}
	}
	return false
}

// ignoreUntitled notes that a column without a header has a value.
func (r *rowReader) ignoreUntitled() {
	if !r.untitled {
		r.untitled = true
		r.notes.Ignore(ports.IgnoredColumn{})
	}
}

// cellKinds are the kinds of values by the faults of their cells.
var cellKinds = [...]domain.Kind{0: domain.KindText, scan.CellError: domain.KindCellError, scan.Uncomputed: domain.KindUncomputed, scan.Date: domain.KindText}

// unescaped returns a name without the escape sequences of websites and databases.
func unescaped(name []byte) []byte {
	name = entity.ReplaceAllFunc(name, func(e []byte) []byte { return []byte(html.UnescapeString(string(e))) })
	return bytes.ReplaceAll(bytes.ReplaceAll(name, []byte(`\'`), []byte(`'`)), []byte(`\"`), []byte(`"`))
}

func isName(f domain.PersonField) bool {
	return f == domain.PersonLastName || f == domain.PersonFirstName || f == domain.PersonPatronymic
}

// entity matches a character as HTML has it.
var entity = regexp.MustCompile(`&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z]+);`)

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
