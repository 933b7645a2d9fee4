package bulkfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"rollcall/adapters/bulkfile/scan"
	"rollcall/domain"
	"rollcall/ports"
)

const (
	// headSize is how many bytes of a file are read to detect its format.
	headSize = 64 << 10

	// delimiters are those of CSV, the most usual first.
	delimiters = ",;\t|\x1f"
)

// A source is how a file is read.
type source struct {
	format    ports.FileFormat
	charset   encoding.Encoding // nil for UTF-8
	name      string            // of the charset
	delimiter byte              // of CSV
}

// detect returns how a file is read: by the sender's hint, by the file's name, by its content. The signature of another format
// overrides the hint.
func detect(file *io.SectionReader, hint ports.FileHint) (*source, error) {
	head := make([]byte, min(headSize, file.Size()))
	_, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read file: %w", err)
	}
	s := &source{format: hint.Format, name: "utf-8"}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		s.format = ports.FormatXLSX
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return nil, &domain.BrokenFileError{Reason: "the workbook is in an old format, or has a password; save it as .xlsx without a password"}
	case s.format == "":
		s.format = formatOfName(hint.Name)
	}
	if s.format == "" {
		s.format = formatOfContent(head)
	}
	if s.format != "" && s.format != ports.FormatCSV {
		return s, nil
	}
	err = s.detectCharset(file, hint.Charset, head)
	if err != nil {
		return nil, err
	}
	known := s.detectDelimiter(head)
	if s.format == "" && !known { // the decoder's error says what is wrong
		s.format = ports.FormatJSON
	} else {
		s.format = ports.FormatCSV
	}
	return s, nil
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

// formatOfContent returns JSON or NDJSON, or an empty format for a file in neither.
func formatOfContent(head []byte) ports.FileFormat {
	head = bytes.TrimSpace(bytes.TrimPrefix(head, []byte(scan.ByteOrderMark)))
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

// detectCharset sets the charset: by a byte order mark, by the sender's hint, or by whether the whole file is UTF-8. A file that
// is not is taken for Windows-1251, which Russian Windows writes.
func (s *source) detectCharset(file *io.SectionReader, hint string, head []byte) error {
	s.charset = nil
	switch {
	case bytes.HasPrefix(head, []byte(scan.ByteOrderMark)):
		return nil
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		s.name, s.charset = "utf-16le", unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)
		return nil
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		s.name, s.charset = "utf-16be", unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM)
		return nil
	}
	if charset, err := htmlindex.Get(hint); err == nil {
		s.name, _ = htmlindex.Name(charset)
		if s.name != "utf-8" {
			s.charset = charset
		}
		return nil
	}
	valid, err := isUTF8(whole(file))
	if err != nil {
		return fmt.Errorf("read file: %w", err)
	}
	if !valid {
		s.name, s.charset = "windows-1251", charmap.Windows1251
	}
	return nil
}

// isUTF8 reports whether a whole file is valid UTF-8.
func isUTF8(r io.Reader) (bool, error) {
	buf := scan.NewBuffer()
	defer scan.PutBuffer(buf)
	rest := 0 // bytes of a character that the last read has cut
	for {
		n, err := r.Read(buf[rest:])
		part := buf[:rest+n]
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return false, err
		}
		valid := part
		if !ended {
			valid = domain.TrimPartialRune(part)
		}
		if !utf8.Valid(valid) {
			return false, nil
		}
		if ended {
			return true, nil
		}
		rest = copy(buf[:], part[len(valid):])
	}
}

// detectDelimiter sets the delimiter that makes most columns known, and reports whether any is known.
func (s *source) detectDelimiter(head []byte) bool {
	if s.charset != nil {
		head, _, _ = transform.Bytes(s.charset.NewDecoder(), head) // up to a character that is cut
	}
	head = bytes.TrimPrefix(head, []byte(scan.ByteOrderMark))
	s.delimiter = delimiters[0]
	most := 0
	for _, delimiter := range []byte(delimiters) {
		known := 0
		count := func(columns []column) bool {
			for _, column := range columns {
				if column.isKnown {
					known++
				}
			}
			return false
		}
		_ = CSV{delimiter}.limited(bytes.NewReader(head), headLimits).each(&ports.FileNotes{}, count, nil) // a header with another delimiter is an error
		if known > most {
			s.delimiter, most = delimiter, known
		}
	}
	return most > 0
}

// text reads a file as UTF-8 without a byte order mark.
func (s *source) text(file *io.SectionReader) io.Reader {
	if s.charset != nil {
		return transform.NewReader(whole(file), s.charset.NewDecoder())
	}
	r := whole(file)
	mark := make([]byte, len(scan.ByteOrderMark))
	n, _ := r.ReadAt(mark, 0)
	if string(mark[:n]) == scan.ByteOrderMark {
		_, _ = r.Seek(int64(n), io.SeekStart)
	}
	return r
}
