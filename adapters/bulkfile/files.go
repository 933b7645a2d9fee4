package bulkfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"rollcall/domain"
	"rollcall/ports"
)

const (
	// headSize is how much of a file is looked at to find out what it is.
	headSize = 64 << 10

	// layoutRows is how many objects a layout shows.
	layoutRows = 10

	// maxRatio is how many times its size a workbook may inflate to, and smallBook how many bytes it may in any case. Cells
	// that a person filled in inflate to 5 to 20 times their size, empty ones with a format to some 100.
	maxRatio  = 200
	smallBook = 1 << 20
)

// Files reads files of every format, and finds out which of them a file has.
type Files struct {
	Spools      ports.SpoolStore // for the texts of workbooks while they are read
	MaxInflated int64            // bytes that may be in a workbook
}

// found is how a file is to be read.
type found struct {
	format    ports.FileFormat
	charset   encoding.Encoding // nil for UTF-8
	name      string            // of the charset
	delimiter byte
}

// Candidates implements ports.Decoder.
func (s Files) Candidates(file *io.SectionReader, hint ports.FileHint) iter.Seq2[*domain.Candidate, error] {
	return func(yield func(*domain.Candidate, error) bool) {
		f, err := find(file, hint)
		if err != nil {
			yield(nil, err)
			return
		}
		for candidate, err := range s.candidates(f, file) {
			if !yield(candidate, err) {
				return
			}
		}
	}
}

func (s Files) candidates(f *found, file *io.SectionReader) iter.Seq2[*domain.Candidate, error] {
	switch f.format {
	case ports.FormatNDJSON:
		return NDJSON{}.Candidates(whole(file))
	case ports.FormatCSV:
		return CSV{f.delimiter}.Candidates(f.text(file))
	case ports.FormatXLSX:
		return s.workbook(file)
	default:
		return JSON{}.Candidates(whole(file))
	}
}

// whole reads a file from its beginning.
func whole(file *io.SectionReader) *io.SectionReader {
	return io.NewSectionReader(file, 0, file.Size())
}

// text reads a file as UTF-8 without a byte order mark.
func (f *found) text(file *io.SectionReader) io.Reader {
	if f.charset != nil {
		return transform.NewReader(whole(file), f.charset.NewDecoder())
	}
	r := whole(file)
	mark := make([]byte, len(byteOrderMark))
	n, _ := r.ReadAt(mark, 0)
	if string(mark[:n]) == byteOrderMark {
		_, _ = r.Seek(int64(n), io.SeekStart)
	}
	return r
}

// find finds out how a file is to be read: by what the sender says, by its name, by its content. What plainly is another
// format is not taken for what it is said to be.
func find(file *io.SectionReader, hint ports.FileHint) (*found, error) {
	head := make([]byte, min(headSize, file.Size()))
	_, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read file: %w", err)
	}
	f := &found{format: hint.Format, name: "utf-8"}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		f.format = ports.FormatXLSX
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return nil, &domain.BrokenFileError{Reason: "it is a workbook of an old format, or with a password; save it as .xlsx without one"}
	case f.format == "":
		f.format = formatOfName(hint.Name)
	}
	if f.format == "" {
		f.format = formatOfContent(head)
	}
	if f.format != "" && f.format != ports.FormatCSV {
		return f, nil
	}
	err = f.findCharset(file, hint.Charset, head)
	if err != nil {
		return nil, err
	}
	known := f.findDelimiter(head)
	if f.format == "" && !known { // whose error tells what is wrong
		f.format = ports.FormatJSON
	} else {
		f.format = ports.FormatCSV
	}
	return f, nil
}

func formatOfName(name string) ports.FileFormat {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".json":
		return ports.FormatJSON
	case ".ndjson", ".jsonl":
		return ports.FormatNDJSON
	case ".xlsx", ".xlsm":
		return ports.FormatXLSX
	case ".csv", ".tsv":
		return ports.FormatCSV
	}
	return ""
}

// formatOfContent returns nothing for what is no JSON.
func formatOfContent(head []byte) ports.FileFormat {
	head = bytes.TrimSpace(bytes.TrimPrefix(head, []byte(byteOrderMark)))
	switch {
	case bytes.HasPrefix(head, []byte("[")):
		return ports.FormatJSON
	case !bytes.HasPrefix(head, []byte("{")):
		return ""
	}
	line, rest, _ := bytes.Cut(head, []byte("\n"))
	if json.Valid(line) && bytes.HasPrefix(bytes.TrimSpace(rest), []byte("{")) {
		return ports.FormatNDJSON
	}
	return ports.FormatJSON
}

// findCharset goes by what the sender says, by a byte order mark, or by whether all of the file is UTF-8. What is not is
// taken for what Russian Windows writes.
func (f *found) findCharset(file *io.SectionReader, said string, head []byte) error {
	f.charset = nil
	switch {
	case bytes.HasPrefix(head, []byte(byteOrderMark)):
		return nil
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		f.name, f.charset = "utf-16le", unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)
		return nil
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		f.name, f.charset = "utf-16be", unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM)
		return nil
	}
	if charset, err := htmlindex.Get(said); err == nil {
		f.name, _ = htmlindex.Name(charset)
		if f.name != "utf-8" {
			f.charset = charset
		}
		return nil
	}
	valid, err := isUTF8(whole(file))
	if err != nil {
		return fmt.Errorf("read file: %w", err)
	}
	if !valid {
		f.name, f.charset = "windows-1251", charmap.Windows1251
	}
	return nil
}

// isUTF8 tells whether all of a file is valid.
func isUTF8(r io.Reader) (bool, error) {
	buf := make([]byte, readSize)
	rest := 0 // of a character that the last read has cut
	for {
		n, err := r.Read(buf[rest:])
		part := buf[:rest+n]
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return false, err
		}
		rest = 0
		if !ended {
			rest = cutCharacter(part)
		}
		if !utf8.Valid(part[:len(part)-rest]) {
			return false, nil
		}
		if ended {
			return true, nil
		}
		copy(buf, part[len(part)-rest:])
	}
}

// cutCharacter is how many bytes at the end of a text begin a character that goes on.
func cutCharacter(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if last := text[len(text)-n:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return n
			}
			return 0
		}
	}
	return 0
}

// findDelimiter takes the delimiter that makes most columns known, and tells whether any is.
func (f *found) findDelimiter(head []byte) bool {
	if f.charset != nil {
		head, _, _ = transform.Bytes(f.charset.NewDecoder(), head) // up to a character that is cut
	}
	head = bytes.TrimPrefix(head, []byte(byteOrderMark))
	f.delimiter = delimiters[0]
	most := 0
	for i := range len(delimiters) {
		d := csvDecoder{r: bytes.NewReader(head), buf: make([]byte, len(head)+1), delimiter: delimiters[i]}
		table, err := readHeader(&d)
		if err != nil {
			continue
		}
		known := 0
		for _, column := range table.columns {
			if column.known {
				known++
			}
		}
		if known > most {
			f.delimiter, most = delimiters[i], known
		}
	}
	return most > 0
}

// Layout implements ports.Decoder.
func (s Files) Layout(file *io.SectionReader, hint ports.FileHint) (ports.FileLayout, error) {
	f, err := find(file, hint)
	if err != nil {
		return ports.FileLayout{}, err
	}
	layout := ports.FileLayout{Format: f.format, Encoding: f.name}
	switch f.format {
	case ports.FormatCSV:
		layout.Delimiter = rune(f.delimiter)
		return layout, layTable(&csvDecoder{r: f.text(file), buf: make([]byte, readSize), delimiter: f.delimiter}, &layout)
	case ports.FormatXLSX:
		return layout, s.sheet(file, func(r rows) error { return layTable(r, &layout) })
	}
	for candidate, err := range s.candidates(f, file) {
		if err != nil {
			return ports.FileLayout{}, err
		}
		layObject(candidate.Original, &layout)
		if candidate.Number == layoutRows {
			break
		}
	}
	return layout, nil
}

// layTable adds the columns of a table, and its first rows.
func layTable(r rows, layout *ports.FileLayout) error {
	table, err := readHeader(r)
	if err != nil {
		return err
	}
	for _, column := range table.columns {
		it := ports.FileColumn{Header: column.header}
		if column.known {
			it.Field = column.field.Name()
		}
		layout.Columns = append(layout.Columns, it)
	}
	for len(layout.Rows) < layoutRows {
		more, err := r.next()
		if err != nil || !more {
			return err
		}
		cells, _ := r.current()
		if isBlank(cells) {
			continue
		}
		row := make([]string, len(layout.Columns))
		for i := range min(len(row), len(cells)) {
			text := cells[i].text
			if column := &table.columns[i]; table.convert != nil && column.known {
				text = table.convert(column.field, cells[i])
			}
			row[i] = string(text)
		}
		layout.Rows = append(layout.Rows, row)
	}
	return nil
}

// layObject adds an object in JSON, and the columns that it has first.
func layObject(original []byte, layout *ports.FileLayout) {
	row := slices.Repeat([]string{""}, len(layout.Columns))
	decoder := json.NewDecoder(bytes.NewReader(original))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		layout.Rows = append(layout.Rows, row)
		return
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			break
		}
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			break
		}
		header, _ := key.(string)
		column := slices.IndexFunc(layout.Columns, func(c ports.FileColumn) bool { return c.Header == header })
		if column < 0 {
			column = len(layout.Columns)
			it := ports.FileColumn{Header: header}
			if field, known := domain.ParsePersonField(header); known {
				it.Field = field.Name()
			}
			layout.Columns = append(layout.Columns, it)
			for i := range layout.Rows {
				layout.Rows[i] = append(layout.Rows[i], "")
			}
			row = append(row, "")
		}
		row[column] = string(value)
		var text string
		if json.Unmarshal(value, &text) == nil {
			row[column] = text
		}
	}
	layout.Rows = append(layout.Rows, row)
}
