package bulkfile

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"path"
	"strconv"
	"strings"

	"github.com/klauspost/compress/flate"

	"rollcall/domain"
)

const (
	// maxDirectory bounds the list of a workbook's parts, in bytes, and maxPart each of those that tell where the others are.
	maxDirectory = 2 << 20
	maxPart      = 8 << 20
)

// workbook yields the objects of the first sheet that is shown.
func (s Files) workbook(file *io.SectionReader) iter.Seq2[*domain.Candidate, error] {
	return func(yield func(*domain.Candidate, error) bool) {
		err := s.sheet(file, func(r rows) error { return decodeTable(r, yield) })
		if err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	}
}

// sheet calls read with the rows of the first sheet that is shown.
func (s Files) sheet(file *io.SectionReader, read func(rows) error) error {
	b := &book{file: file, directory: maxDirectory, left: min(s.MaxInflated, max(smallBook, maxRatio*file.Size()))}
	b.texts.spool = s.Spools.New()
	defer b.texts.spool.Close()
	name, err := b.open()
	if err != nil {
		return err
	}
	part, err := b.part(name)
	if err != nil {
		return err
	}
	defer part.Close()
	return read(&sheetRows{book: b, part: part, xml: xmlScanner{r: part, buf: make([]byte, readSize)}})
}

// book is a workbook by ECMA-376: a ZIP archive whose parts, in XML, name one another.
type book struct {
	file *io.SectionReader
	err  error // of the file or of a spool, and not of what was read

	directory int   // bytes that may yet be read as the list of parts
	left      int64 // bytes that may yet be inflated
	parts     map[string]*zip.File
	texts     sharedTexts
	isDate    []bool // by the number of a cell's style
	from1904  bool   // days are counted from 1904, as Excel for Mac once did
}

var (
	errDirectory = errors.New("it has too many parts")
	errInflated  = errors.New("too much is in it")
)

// ReadAt implements io.ReaderAt for the archive.
func (b *book) ReadAt(p []byte, offset int64) (int, error) {
	if b.directory -= len(p); b.directory < 0 {
		return 0, errDirectory
	}
	n, err := b.file.ReadAt(p, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = fmt.Errorf("read file: %w", err)
	}
	return n, err
}

// broken makes an error of reading a workbook one of the workbook, unless it is another's.
func (b *book) broken(err error) error {
	if b.err != nil {
		return b.err
	}
	return &domain.BrokenFileError{Reason: fmt.Sprintf("the workbook cannot be read (%v)", err)}
}

// relationships are the parts that a part names.
type relationships struct {
	All []struct {
		ID     string `xml:"Id,attr"`
		Type   string `xml:"Type,attr"`
		Target string `xml:"Target,attr"`
	} `xml:"Relationship"`
}

// open reads everything but the sheet, whose part it returns.
func (b *book) open() (string, error) {
	archive, err := zip.NewReader(b, b.file.Size())
	if err != nil {
		return "", b.broken(err)
	}
	b.directory = math.MaxInt
	archive.RegisterDecompressor(zip.Deflate, func(r io.Reader) io.ReadCloser {
		return flate.NewReader(bufio.NewReaderSize(r, readSize))
	})
	b.parts = make(map[string]*zip.File, len(archive.File))
	for _, part := range archive.File {
		b.parts[partKey(part.Name)] = part
	}
	root, err := b.relationships("")
	if err != nil {
		return "", err
	}
	main := root.first("/officeDocument")
	if main == "" || strings.HasSuffix(main, ".bin") {
		return "", &domain.BrokenFileError{Reason: "it is an archive, but no workbook of the usual kind; save it as .xlsx"}
	}
	named, err := b.relationships(main)
	if err != nil {
		return "", err
	}
	sheet, err := b.firstSheet(main, named)
	if err != nil {
		return "", err
	}
	err = b.readStyles(named.first("/styles"))
	if err != nil {
		return "", err
	}
	return sheet, b.readTexts(named.first("/sharedStrings"))
}

// partKey is the name of a part as it is compared: some programs write it with other letters than where they name it.
func partKey(name string) string {
	return strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(name, `\`, "/"), "/"))
}

// relationships returns what a part names, in full. The part without a name is the archive itself.
func (b *book) relationships(part string) (relationships, error) {
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

// first returns the first part of a type, or nothing.
func (r relationships) first(kind string) string {
	for _, it := range r.All {
		if strings.HasSuffix(it.Type, kind) {
			return it.Target
		}
	}
	return ""
}

// firstSheet returns the part of the first sheet that is shown.
func (b *book) firstSheet(main string, named relationships) (string, error) {
	var contents struct {
		Properties struct {
			From1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			State string `xml:"state,attr"`
			ID    string `xml:"id,attr"`
		} `xml:"sheets>sheet"`
	}
	err := b.decode(main, &contents)
	if err != nil {
		return "", err
	}
	b.from1904, _ = strconv.ParseBool(contents.Properties.From1904)
	sheets := map[string]string{}
	for _, r := range named.All {
		if strings.HasSuffix(r.Type, "/worksheet") { // and not a chart
			sheets[r.ID] = r.Target
		}
	}
	for _, sheet := range contents.Sheets {
		part, found := sheets[sheet.ID]
		if found && (sheet.State == "" || sheet.State == "visible") {
			return part, nil
		}
	}
	return "", b.broken(errors.New("no sheet is shown"))
}

// readStyles finds out which styles of cells are those of dates.
func (b *book) readStyles(name string) error {
	if name == "" {
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
	dates := map[int]bool{}
	for _, format := range styles.Formats {
		dates[format.ID] = isDateFormat(format.Code)
	}
	for _, cell := range styles.Cells {
		date, own := dates[cell.Format]
		b.isDate = append(b.isDate, date || !own && isDateNumber(cell.Format))
	}
	return nil
}

// readTexts reads the texts that cells share.
func (b *book) readTexts(name string) error {
	if name == "" {
		return nil
	}
	part, err := b.part(name)
	if err != nil {
		return err
	}
	defer part.Close()
	buf := buffers.Get().(*[readSize]byte) //nolint:forcetypeassert // nothing else is put there
	defer buffers.Put(buf)
	x := xmlScanner{r: part, buf: buf[:]}
	var text bookText
	for {
		err := x.tag()
		if err != nil {
			return b.broken(err)
		}
		if x.ends("sst") || x.is("sst") && x.empty {
			return nil
		}
		if !x.is("si") {
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

// part opens a part. All parts together are bounded.
func (b *book) part(name string) (io.ReadCloser, error) {
	part := b.parts[partKey(name)]
	if part == nil {
		return nil, b.broken(errors.New("a part is not there"))
	}
	r, err := part.Open()
	if err != nil {
		return nil, b.broken(err)
	}
	return &inflated{r, &b.left}, nil
}

// decode reads a small part.
func (b *book) decode(name string, to any) error {
	part, err := b.part(name)
	if err != nil {
		return err
	}
	defer part.Close()
	err = xml.NewDecoder(io.LimitReader(part, maxPart)).Decode(to)
	if err != nil {
		return b.broken(err)
	}
	return nil
}

// inflated bounds what is read.
type inflated struct {
	io.ReadCloser

	left *int64
}

func (r *inflated) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if *r.left -= int64(n); *r.left < 0 {
		return 0, errInflated
	}
	return n, err
}
