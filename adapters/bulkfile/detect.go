package bulkfile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/transform"

	"rollcall/adapters/bulkfile/charset"
	"rollcall/adapters/bulkfile/scan"
	"rollcall/domain"
	"rollcall/ports"
)

const (
	// headSize is how many bytes of a file are read to detect its format.
	headSize = 64 << 10

	// maxWords is the length of the longest signature in words, in bytes, or more.
	maxWords = 16

	// maxPreamble is how many bytes at the beginning of a text show its kind.
	maxPreamble = 4 << 10

	// maxBlanks is how many bytes at the beginning of a text show JSON, blanks included.
	maxBlanks = 256

	// delimiters are those of CSV, the most usual first. Another one is read if the first line announces it.
	delimiters = ",;\t|\x1f"
)

// A source is how a file is read.
type source struct {
	format    ports.FileFormat
	charset   charset.Decoding       // nil for UTF-8
	name      string                 // of the charset
	sure      ports.EncodingEvidence // of the charset
	isASCII   bool                   // the file is known to have ASCII only
	delimiter byte                   // of CSV

	// lookups is the number of bytes that detection may still look up among the known headers: it tries several delimiters and encodings.
	lookups *int
}

// A signature is the text that files of a kind begin with, or have at a place.
type signature struct {
	kind domain.FileKind
	at   int // bytes before it
	text string

	// isWords marks a text in small letters that also counts in capitals, or after blanks. A table may begin with it.
	isWords bool
}

// signatures tell files of other kinds from tables. The first that a file has counts. Their parts tell archives and compound files
// apart: archiveKinds, compoundKinds.
var signatures = []signature{
	{domain.FileOldWorkbook, 0, compoundFile, false},
	{domain.FileOldWorkbook, 0, "\t\x08", false}, // without a compound file around it
	{domain.FileOpenDocument, 30, "mimetypeapplication/vnd.oasis.opendocument.spreadsheet", false},
	{domain.FileDocument, 30, "mimetypeapplication/vnd.oasis.opendocument.", false},
	{domain.FileArchive, 0, "PK\x05\x06", false}, // empty
	{domain.FileArchive, 0, "PK\x07\x08", false}, // in parts
	{domain.FileArchive, 0, "7z\xbc\xaf\x27\x1c", false},
	{domain.FileArchive, 0, "Rar!\x1a\x07", false},
	{domain.FileArchive, 0, "\x1f\x8b\x08", false}, // gzip in gzip
	{domain.FileArchive, 0, "\x28\xb5\x2f\xfd", false},
	{domain.FileArchive, 0, "\xfd7zXZ\x00", false},
	{domain.FileArchive, 4, "1AY&SY", false},
	{domain.FileArchive, 257, "ustar\x00", false},
	{domain.FileArchive, 257, "ustar  \x00", false},
	{domain.FileImage, 0, "\x89PNG\r\n", false},
	{domain.FileImage, 0, "\xff\xd8\xff", false},
	{domain.FileImage, 0, "II*\x00", false},
	{domain.FileImage, 0, "MM\x00*", false},
	{domain.FileImage, 4, "ftypheic", false},
	{domain.FileImage, 4, "ftypheix", false},
	{domain.FileImage, 4, "ftypmif1", false},
	{domain.FileImage, 4, "ftypavif", false},
	{domain.FileImage, 8, "WEBPVP8", false},
	{domain.FileDatabase, 0, "SQLite format 3\x00", false},
	{domain.FileDatabase, 0, "\x00\x01\x00\x00Standard ", false},
	{domain.FileDatabase, 0, "PAR1", false},
	{domain.FileDatabase, 0, "ARROW1\x00", false},
	{domain.FileDatabase, 0, "Obj\x01", false},  // Avro
	{domain.FileDatabase, 0, "$FL2@(#)", false}, // SPSS
	{domain.FileEmail, 0, "!BDN", false},        // Outlook
	{domain.FileImage, 0, "gif8", true},
	{domain.FilePDF, 0, "%pdf-", true},
	{domain.FileRTF, 0, `{\rtf`, true},
	{domain.FileVCard, 0, "begin:vcard", true},
	{domain.FileSYLK, 0, "id;p", true},
	{domain.FileHTML, 0, "<!doctype html", true},
	{domain.FileHTML, 0, "<html", true},
	{domain.FileHTML, 0, "<head", true},
	{domain.FileHTML, 0, "<meta", true},
	{domain.FileHTML, 0, "<style", true},
	{domain.FileHTML, 0, "<body", true},
	{domain.FileHTML, 0, "<div", true},
	{domain.FileHTML, 0, "<table", true},
	{domain.FileXML, 0, "<", true},
}

// textPatterns are the beginnings of texts of other kinds.
var textPatterns = []struct {
	kind     domain.FileKind
	isTable  bool   // a table may begin so
	brackets string // that a match may begin with: JSON begins with one, and is not compared with the other patterns
	pattern  *regexp.Regexp
}{
	{domain.FileDIF, false, "", regexp.MustCompile(`^TABLE\r?\n0,1\r?\n`)},
	{domain.FileLDIF, false, "", regexp.MustCompile(`^(version: *1\s|#.*\n|\s)*dn::? `)},
	{domain.FileSQL, false, "", regexp.MustCompile(`(?i)^(--.*\n|/\*.*\*/;?|\s)*(insert into|create (table|database)|drop (table|database)|lock tables|start transaction|begin( transaction)?;\s*\n|set \w+ ?=|copy \w+[. (]|use \S+;)`)},
	{domain.FileEmail, false, "", regexp.MustCompile(`(?i)^from \S+@\S+ `)},
	{domain.FileEmail, false, "", regexp.MustCompile(`(?is)^(return-path|received|message-id): |^[\w-]+: [^\n]*\n(.*\n)?(message-id|return-path|received|mime-version): `)},
	{domain.FileHTML, false, "", regexp.MustCompile(`(?i)^mime-version:`)}, // a web archive
	{domain.FileLink, false, "[{", regexp.MustCompile(`^\[InternetShortcut\]|^\{\s*"(url|doc_id|)"\s*:\s*"(?s:.{0,200})"(doc_id|resource_id|resource_key)"`)},
	{domain.FileLink, false, "", regexp.MustCompile(`^https?://\S+\s*$`)},
	{domain.FileConfig, true, "", regexp.MustCompile(`^(#.*\n|---.*\n|\s)*(- )?\w+: *(\S.*)?\r?\n\s*(- )?\w+: ?`)},
	{domain.FileConfig, true, "[", regexp.MustCompile(`^([#;].*\n|\s)*(\[\[?[\w."-]+\]\]?\s+)?\w+ *= *\S.*\r?\n\s*\w+ *= *\S`)},
}

const (
	// workbookFile begins an archive, and so a workbook.
	workbookFile = "PK\x03\x04"

	// compoundFile begins a file of old office programs, and an encrypted workbook.
	compoundFile = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
)

// signatureOf returns the signature of a file, nil for none. Text is the head without a byte order mark, in UTF-8.
func signatureOf(head, text []byte) *signature {
	words := bytes.TrimLeft(text, " \t\r\n")
	words = bytes.ToLower(words[:min(len(words), maxWords)])
	for i := range signatures {
		s := &signatures[i]
		where := words
		if !s.isWords {
			where = head[min(s.at, len(head)):]
		}
		if bytes.HasPrefix(where, []byte(s.text)) {
			return s
		}
	}
	text = bytes.TrimLeft(text, " \t\r\n")
	text = text[:min(len(text), maxPreamble)]
	hasBracket := isBracket(text)
	for _, it := range textPatterns {
		mayMatch := !hasBracket || strings.IndexByte(it.brackets, text[0]) >= 0
		if mayMatch && it.pattern.Match(text) {
			return &signature{kind: it.kind, isWords: it.isTable}
		}
	}
	if isDBase(head) {
		return &signature{kind: domain.FileDatabase}
	}
	return nil
}

// isDBase reports whether a file begins as a table of dBase, FoxPro or Clipper: the version, a date, and the size of the headers, which a
// carriage return ends.
func isDBase(head []byte) bool {
	const month, day, size, least = 2, 3, 8, 65
	if len(head) < least || !slices.Contains([]byte("\x03\x30\x83\x8b\xf5"), head[0]) || head[month]-1 > 11 || head[day]-1 > 30 {
		return false
	}
	end := int(binary.LittleEndian.Uint16(head[size:]))
	return end >= least && end <= len(head) && bytes.IndexByte(head[end-2:end], '\r') >= 0
}

// compoundKinds are the kinds of compound files by the names of streams in them.
var compoundKinds = []struct {
	kind   domain.FileKind
	stream string
}{
	{domain.FileEncryptedWorkbook, "EncryptedPackage"},
	{domain.FileDocument, "WordDocument"},
	{domain.FileDocument, "PowerPoint Document"},
	{domain.FileEmail, "__substg1.0_"},
}

// compoundKind returns the kind of a compound file, which is an old workbook unless a name in its directory says otherwise.
func compoundKind(file *io.SectionReader, head []byte) domain.FileKind {
	const sizeBits, directory, header, size, maxBits = 30, 48, 52, 4 << 10, 12
	names := bytes.Clone(head[:min(len(head), size)])
	if len(head) >= header {
		sector, bits := binary.LittleEndian.Uint32(head[directory:]), binary.LittleEndian.Uint16(head[sizeBits:])
		entries := make([]byte, size)
		n, _ := file.ReadAt(entries, (int64(sector)+1)<<min(bits, maxBits)) // a short one has fewer names
		names = append(names, entries[:n]...)
	}
	names = bytes.ReplaceAll(names, []byte{0}, nil) // they are in UTF-16
	for _, it := range compoundKinds {
		if bytes.Contains(names, []byte(it.stream)) {
			return it.kind
		}
	}
	return domain.FileOldWorkbook
}

// archiveKinds are the kinds of archives by the beginnings of the names of their parts, in small letters.
var archiveKinds = []struct {
	kind domain.FileKind
	part string
}{
	{domain.FileDocument, "word/"},
	{domain.FileDocument, "ppt/"},
	{domain.FileDocument, "visio/"},
	{domain.FileBinaryWorkbook, "xl/workbook.bin"},
	{domain.FileNumbers, "index/"},
	{domain.FileNumbers, "index.zip"},
	{domain.FileOpenDocument, "content.xml"},
}

// archiveError returns the error of an archive that is no workbook.
func archiveError(parts []string) error {
	isPart := func(name string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.HasPrefix(p, name) })
	}
	for _, it := range archiveKinds {
		if isPart(it.part) {
			return &domain.UnsupportedFileError{Kind: it.kind}
		}
	}
	if isPart("xl/") {
		return &domain.BrokenFileError{Reason: "the file is not a workbook in the format of .xlsx; save it as .xlsx"}
	}
	return &domain.UnsupportedFileError{Kind: domain.FileArchive}
}

// lookupsPerByte bounds how often each byte of the head is looked up among the known headers. A table takes a few of these: for each delimiter,
// as one column and as several, and in an 8-bit encoding for each encoding that its letters fit. Garbage would take a hundred.
const lookupsPerByte = 16

// detect returns how a file is read. Its content decides. What the sender says about it counts if the content fits several formats, or none.
func detect(file *io.SectionReader, hint ports.FileHint) (*source, error) {
	head := make([]byte, min(headSize, file.Size()))
	_, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read file: %w", err)
	}
	text := unmarked(head)
	found := signatureOf(head, text)
	switch {
	case found != nil && found.text == compoundFile:
		return nil, &domain.UnsupportedFileError{Kind: compoundKind(file, head)}
	case found != nil && !found.isWords:
		return nil, &domain.UnsupportedFileError{Kind: found.kind}
	case bytes.HasPrefix(head, []byte(workbookFile)):
		return &source{format: ports.FormatXLSX, name: charset.UTF8}, nil
	}
	said := hint.Format
	if said == "" {
		said = formatOfName(hint.Name)
	}
	lookups := lookupsPerByte * len(head)
	s := &source{name: charset.UTF8, lookups: &lookups}
	if found == nil {
		s.format = formatOfContent(text, said)
	}
	if hint.Sheets != nil {
		return nil, &domain.UnknownSheetError{Name: hint.Sheets[0]}
	}
	err = s.detectCharset(file, hint, head)
	if err != nil || s.isJSON() {
		return s, err
	}
	isMarkup := found != nil && (found.kind == domain.FileHTML || found.kind == domain.FileXML) && bytes.Contains(text, []byte("</"))
	isTable := s.detectDelimiter(head) && !isMarkup
	switch {
	case isTable && hint.Format == ports.FormatJSON: // the contract accepts nothing else
		return nil, &domain.BrokenFileError{Reason: "the Content-Type says JSON, but the file is a table; send it as text/csv"}
	case isTable:
		s.format = ports.FormatCSV
	case found != nil:
		return nil, &domain.UnsupportedFileError{Kind: found.kind}
	case s.charset == nil && isBinary(head):
		return nil, &domain.UnsupportedFileError{Kind: domain.FileBinary}
	case isAligned(text):
		return nil, &domain.UnsupportedFileError{Kind: domain.FileFixedWidth}
	case said == ports.FormatNDJSON:
		s.format = said
	case said == ports.FormatJSON || isBracket(bytes.TrimSpace(text)), // the decoder's error says what is wrong
		int64(len(head)) < file.Size() && len(bytes.TrimSpace(text)) == 0: // no table begins with so many blanks
		s.format = ports.FormatJSON
	default:
		s.format = ports.FormatCSV
	}
	return s, nil
}

// isBinary reports whether a file without a table has bytes that no text has.
func isBinary(head []byte) bool {
	const (
		most  = 20 // bytes of a text for each control character
		inCSV = "\t\n\v\f\r\x1a\x1c\x1d\x1e\x1f"
	)
	controls := 0
	for _, c := range head {
		if c == 0 {
			return true
		}
		if c < ' ' && !strings.ContainsRune(inCSV, rune(c)) {
			controls++
		}
	}
	return controls*most > len(head)
}

// gap matches the blanks between two columns that are aligned.
var gap = regexp.MustCompile(`\s{2,}`)

// isAligned reports whether a text has a header row whose headers are aligned with blanks.
func isAligned(text []byte) bool {
	lines := bytes.SplitN(text[:min(len(text), maxPreamble)], []byte("\n"), headerRows+1)
	for _, line := range lines[:min(len(lines), headerRows)] {
		var cells []scan.Cell
		for _, part := range gap.Split(string(bytes.TrimSpace(line)), scan.MaxCells) {
			cells = append(cells, scan.Cell{Text: []byte(part)})
		}
		if len(cells) > 1 && newColumns(cells) != nil {
			return true
		}
	}
	return false
}

// unmarked returns a text without its byte order mark, in UTF-8 if the mark says that it is in another encoding.
func unmarked(head []byte) []byte {
	if _, decoder := charset.Marked(head); decoder != nil {
		head, _, _ = transform.Bytes(decoder.NewDecoder(), head) // up to a character that is cut
	}
	return bytes.TrimPrefix(head, []byte(scan.ByteOrderMark))
}

// formatOfName returns JSON or NDJSON, or an empty format for any other name.
func formatOfName(name string) ports.FileFormat {
	switch filepath.Ext(strings.TrimSuffix(strings.ToLower(name), ".gz")) {
	case ".json":
		return ports.FormatJSON
	case ".ndjson", ".jsonl":
		return ports.FormatNDJSON
	}
	return ""
}

// isBracket and isJSON match the beginnings of texts in JSON. A table may begin with a bracket.
var (
	isBracket = regexp.MustCompile(`^[\[{]`).Match
	isJSON    = regexp.MustCompile(`^(\[\s*[\[{"\]]|\{\s*["}]|[\[{]\s*(\n|/[/*]|$))`).Match
)

// formatOfContent returns JSON or NDJSON, or an empty format for a text that does not begin as JSON does. A text of several lines is NDJSON
// if the first is an object, and the second begins another. If the sender says NDJSON, it is, unless the first line is part of a value.
func formatOfContent(text []byte, said ports.FileFormat) ports.FileFormat {
	text = bytes.TrimSpace(text)
	saysJSON, saysLines := said == ports.FormatJSON, said == ports.FormatNDJSON
	if !isJSON(text[:min(len(text), maxBlanks)]) && (!saysJSON && !saysLines || !isBracket(text)) {
		return ""
	}
	line, rest, _ := bytes.Cut(text, []byte("\n"))
	rest = bytes.TrimSpace(rest)
	switch {
	case len(rest) == 0 && (!saysLines || text[0] == '['):
		return ports.FormatJSON
	case json.Valid(line) && (saysLines || text[0] == '{' && rest[0] == '{'):
		return ports.FormatNDJSON
	case saysLines && text[0] == '{' && json.NewDecoder(bytes.NewReader(text)).Decode(new(json.RawMessage)) != nil:
		return ports.FormatNDJSON // the first line is broken
	}
	return ports.FormatJSON
}

// detectDelimiter sets the delimiter of the table, and reports whether a column is known.
func (s *source) detectDelimiter(head []byte) bool {
	if s.charset != nil {
		head, _, _ = transform.Bytes(s.charset.NewDecoder(), head) // up to a character that is cut
	}
	head = bytes.TrimPrefix(head, []byte(scan.ByteOrderMark))
	return s.tryDelimiters(head, false) || s.tryDelimiters(head, true)
}

// announcement matches the line by which Excel learns an unusual delimiter.
var announcement = regexp.MustCompile(`(?i)^"?sep=([!#$%&*+./:<=>?@^_~-])"?\r?\n`)

// announced returns the delimiter that the first line of a text announces, or nothing.
func announced(head []byte) []byte {
	match := announcement.FindSubmatch(head)
	if match == nil {
		return nil
	}
	return match[1]
}

// tryDelimiters sets the delimiter that makes most columns known, outside cells or inside them, and reports whether any is known.
func (s *source) tryDelimiters(head []byte, splits bool) bool {
	s.delimiter = delimiters[0]
	most, least := 0, 0 // columns that are known, and those that have a header
	for _, delimiter := range append([]byte(delimiters), announced(head)...) {
		known, all := 0, 0
		count := func(columns []column) bool {
			for _, column := range columns {
				if column.isKnown {
					known++
				}
				if column.header != "" {
					all++
				}
			}
			return false
		}
		t := CSV{delimiter}.limited(bytes.NewReader(head), headLimits)
		t.splits, t.lookups = splits, s.lookups
		err := t.each(&ports.FileNotes{}, count, nil)                                // a header with another delimiter is an error
		if most == 0 && (errors.Is(err, errWide) || errors.Is(err, errTransposed)) { // which the decoder reports
			s.delimiter = delimiter
		}
		if known > most || known == most && all < least { // prose above the table may name columns
			s.delimiter, most, least = delimiter, known, all
		}
	}
	return most > 0
}
