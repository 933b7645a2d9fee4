package bulkfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"

	"rollcall/adapters/bulkfile/charset"
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
	charset   encoding.Encoding      // nil for UTF-8
	name      string                 // of the charset
	sure      ports.EncodingEvidence // of the charset
	isASCII   bool                   // the file is known to have ASCII only
	delimiter byte                   // of CSV
}

// detect returns how a file is read: by the sender's hint, by the file's name, by its content. The signature of another format
// overrides the hint.
func detect(file *io.SectionReader, hint ports.FileHint) (*source, error) {
	head := make([]byte, min(headSize, file.Size()))
	_, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read file: %w", err)
	}
	s := &source{format: hint.Format, name: charset.UTF8}
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
	if s.format == ports.FormatXLSX {
		return s, nil
	}
	err = s.detectCharset(file, hint, head)
	if err != nil || s.isJSON() {
		return s, err
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
