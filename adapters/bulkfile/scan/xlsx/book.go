// Package xlsx scans workbooks by ECMA-376, row by row. It bounds the size that a workbook inflates to, and stores its texts in a
// spool. Excelize would hold the texts in memory, and read a sheet with encoding/xml, which is too slow for a million rows.
package xlsx

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/flate"

	"rollcall/adapters/bulkfile/scan"
	"rollcall/ports"
)

const (
	// maxDirectory bounds the list of a workbook's parts, in bytes, and maxPart each of the parts that name others.
	maxDirectory = 2 << 20
	maxPart      = 8 << 20

	// maxRatio is how many times its size a workbook may inflate to, and smallBook how many bytes it may inflate to in any case.
	// Cells that people fill in inflate to 5 to 20 times their size, empty cells with a format to about 100 times.
	maxRatio  = 200
	smallBook = 1 << 20
)

// A Book is a workbook: a ZIP archive whose parts, in XML, name one another.
type Book struct {
	file   *io.SectionReader
	limits scan.Limits
	err    error // of the file or of the spool, unlike errors of what they hold

	directory int   // bytes that may still be read as the list of parts
	left      int64 // bytes that may still be inflated
	parts     map[string]*zip.File
	texts     sharedTexts
	formats   []*format // for each style of cells; nil for one that shows values as they are
	from1904  bool      // days are counted from 1904, as old versions of Excel for Mac do
	sheets    []Sheet

	// isUncomputed reports that Excel must compute all formulas when it opens the workbook.
	isUncomputed bool
}

// Open opens a workbook. Its shared texts are in spool, which the caller closes after use; together its parts may inflate to
// maxInflated bytes; limits bounds the cells of a row. Open returns an *OtherArchiveError for an archive that is no workbook, a
// *scan.SyntaxError for a file that is no archive or that is broken, and an error of the file or of the spool, wrapped.
func Open(file *io.SectionReader, spool ports.Spool, maxInflated int64, limits scan.Limits) (*Book, error) {
	b := &Book{
		file: file, limits: limits, directory: maxDirectory, left: min(maxInflated, max(smallBook, maxRatio*file.Size())),
		texts: sharedTexts{spool: spool},
	}
	return b, b.open()
}

// An OtherArchiveError is the error of an archive that holds no workbook in the format of .xlsx.
type OtherArchiveError struct {
	Parts []string // names, in small letters with slashes, sorted
}

func (e *OtherArchiveError) Error() string { return "archive holds no workbook" }

func (b *Book) otherArchive() error { return &OtherArchiveError{slices.Sorted(maps.Keys(b.parts))} }

// A Sheet is a sheet of a workbook.
type Sheet struct {
	Name   string
	Hidden bool
	part   string
}

// Sheets returns the sheets, of which at least one is visible.
func (b *Book) Sheets() []Sheet { return b.sheets }

// Rows yields the rows of a sheet.
func (b *Book) Rows(of Sheet) scan.Rows {
	return func(yield func(scan.Row, error) bool) {
		part, err := b.part(of.part)
		if err != nil {
			yield(scan.Row{}, err)
			return
		}
		defer part.Close()
		buf := scan.NewBuffer()
		defer scan.PutBuffer(buf)
		s := sheet{book: b, part: part, xml: xmlScanner{r: part, buf: buf[:]}}
		for {
			more, err := s.next()
			if err != nil {
				yield(scan.Row{}, b.broken(err))
				return
			}
			if !more || !yield(s.row, nil) {
				return
			}
		}
	}
}

var (
	errDirectory = errors.New("it has too many parts")
	errInflated  = errors.New("uncompressed size exceeds the limit")
)

// ReadAt implements io.ReaderAt for the archive, whose list of parts is bounded.
func (b *Book) ReadAt(p []byte, offset int64) (int, error) {
	if b.directory -= len(p); b.directory < 0 {
		return 0, errDirectory
	}
	n, err := b.file.ReadAt(p, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = fmt.Errorf("read file: %w", err)
	}
	return n, err
}

// broken returns the error of a broken workbook, or the error of the file or the spool if there is one.
func (b *Book) broken(err error) error {
	if b.err != nil {
		return b.err
	}
	return &scan.SyntaxError{Reason: fmt.Sprintf("cannot read the workbook: %v", err)}
}

// relationships are the parts that a part refers to.
type relationships struct {
	All []struct {
		ID     string `xml:"Id,attr"`
		Type   string `xml:"Type,attr"`
		Target string `xml:"Target,attr"`
	} `xml:"Relationship"`
}

// open reads all parts but the sheet.
func (b *Book) open() error {
	archive, err := zip.NewReader(b, b.file.Size())
	if errors.Is(err, zip.ErrFormat) {
		err = errors.New("the file is damaged or incomplete")
	}
	if err != nil {
		return b.broken(err)
	}
	b.directory = math.MaxInt
	archive.RegisterDecompressor(zip.Deflate, func(r io.Reader) io.ReadCloser {
		return flate.NewReader(bufio.NewReaderSize(r, len(scan.Buffer{})))
	})
	b.parts = make(map[string]*zip.File, len(archive.File))
	for _, part := range archive.File {
		b.parts[partKey(part.Name)] = part
	}
	root, err := b.relationships("")
	if err != nil {
		return err
	}
	main := root.first("/officeDocument")
	if main == "" || strings.HasSuffix(main, ".bin") {
		return b.otherArchive()
	}
	named, err := b.relationships(main)
	if err != nil {
		return err
	}
	err = b.findSheets(main, named)
	if err != nil {
		return err
	}
	err = b.readStyles(named.first("/styles"))
	if err != nil {
		return err
	}
	return b.readTexts(named.first("/sharedStrings"))
}

// partKey returns the name of a part for comparisons. Some programs write a name in other letters than those they refer to it by.
func partKey(name string) string {
	return strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(name, `\`, "/"), "/"))
}

// relationships returns the parts that a part refers to, by their full names. The part with an empty name is the archive.
func (b *Book) relationships(part string) (relationships, error) {
	var named relationships
	dir, base := path.Split(part)
	list := dir + "_rels/" + base + ".rels"
	if b.parts[partKey(list)] == nil {
		return named, nil
	}
	err := b.decode(list, &named)
	for i := range named.All {
		if r := &named.All[i]; !strings.HasPrefix(r.Target, "/") {
			r.Target = path.Join(dir, r.Target)
		}
	}
	return named, err
}

// first returns the name of the first part of a type, or an empty text.
func (r relationships) first(kind string) string {
	for _, it := range r.All {
		if strings.HasSuffix(it.Type, kind) {
			return it.Target
		}
	}
	return ""
}

// findSheets finds the sheets.
func (b *Book) findSheets(main string, named relationships) error {
	var contents struct {
		XMLName    xml.Name
		Properties struct {
			From1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Computing struct {
			OnLoad string `xml:"fullCalcOnLoad,attr"`
		} `xml:"calcPr"`
		Sheets []struct {
			Name  string `xml:"name,attr"`
			State string `xml:"state,attr"`
			ID    string `xml:"id,attr"`
		} `xml:"sheets>sheet"`
	}
	err := b.decode(main, &contents)
	if err != nil {
		return err
	}
	if contents.XMLName.Local != "workbook" {
		return b.otherArchive()
	}
	b.from1904, _ = strconv.ParseBool(contents.Properties.From1904)
	b.isUncomputed, _ = strconv.ParseBool(contents.Computing.OnLoad)
	sheets := map[string]string{}
	for _, r := range named.All {
		if strings.HasSuffix(r.Type, "/worksheet") { // a sheet may also be a chart
			sheets[r.ID] = r.Target
		}
	}
	for _, sheet := range contents.Sheets {
		if part, found := sheets[sheet.ID]; found {
			b.sheets = append(b.sheets, Sheet{sheet.Name, sheet.State == "hidden" || sheet.State == "veryHidden", part})
		}
	}
	if !slices.ContainsFunc(b.sheets, func(s Sheet) bool { return !s.Hidden }) {
		return b.broken(errors.New("it has no visible sheet"))
	}
	return nil
}

// readStyles reads the formats of the styles of cells. Some programs name a part without writing it.
func (b *Book) readStyles(name string) error {
	if b.parts[partKey(name)] == nil {
		return nil
	}
	var styles struct {
		Formats []struct {
			ID   int    `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Cells []struct {
			Format int `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	err := b.decode(name, &styles)
	if err != nil {
		return err
	}
	formats := map[int]*format{}
	for _, it := range styles.Formats {
		formats[it.ID] = newFormat(it.Code)
	}
	date := &format{isDate: true}
	for _, cell := range styles.Cells {
		f, own := formats[cell.Format]
		switch {
		case own:
		case isDateNumber(cell.Format):
			f = date
		default:
			f = builtInFormats[cell.Format]
		}
		b.formats = append(b.formats, f)
	}
	return nil
}

// readTexts reads the shared texts. Some programs name their part without writing it, as the cells have texts of their own.
func (b *Book) readTexts(name string) error {
	if b.parts[partKey(name)] == nil {
		return nil
	}
	part, err := b.part(name)
	if err != nil {
		return err
	}
	defer part.Close()
	buf := scan.NewBuffer()
	defer scan.PutBuffer(buf)
	x := xmlScanner{r: part, buf: buf[:]}
	var text bookText
	for {
		err := x.tag()
		if err != nil {
			return b.broken(err)
		}
		if x.ends("sst") || x.begins("sst") && x.empty {
			return nil
		}
		if !x.begins("si") {
			continue
		}
		text = text[:0]
		err = text.read(&x, "si")
		if err != nil {
			return b.broken(err)
		}
		err = b.texts.add(withoutEscapes(text))
		if err != nil {
			return err
		}
	}
}

// part opens a part as UTF-8. All parts together may inflate to left bytes.
func (b *Book) part(name string) (io.ReadCloser, error) {
	part := b.parts[partKey(name)]
	if part == nil {
		return nil, b.broken(fmt.Errorf("part %q is missing", name))
	}
	r, err := part.Open()
	if err != nil {
		return nil, b.broken(err)
	}
	text, err := utf8Reader(&inflated{r, &b.left})
	if err != nil {
		_ = r.Close() // nothing was written
		return nil, b.broken(err)
	}
	return struct {
		io.Reader
		io.Closer
	}{text, r}, nil
}

// decode decodes a part of at most maxPart bytes.
func (b *Book) decode(name string, to any) error {
	part, err := b.part(name)
	if err != nil {
		return err
	}
	defer part.Close()
	decoder := xml.NewDecoder(io.LimitReader(part, maxPart))
	decoder.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // part has decoded it
	err = decoder.Decode(to)
	if err != nil {
		return b.broken(err)
	}
	return nil
}

// inflated is an open part, of which up to left bytes may be read.
type inflated struct {
	io.Reader

	left *int64
}

func (r *inflated) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if *r.left -= int64(n); *r.left < 0 {
		return 0, errInflated
	}
	return n, err
}
