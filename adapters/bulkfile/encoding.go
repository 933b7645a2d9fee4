package bulkfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/transform"

	"rollcall/adapters/bulkfile/charset"
	"rollcall/adapters/bulkfile/scan"
	"rollcall/domain"
	"rollcall/ports"
)

// maxWordShown is the longest text of a file in an error, in characters.
const maxWordShown = 50

// detectCharset sets the charset: by a byte order mark, as UTF-8 if the whole file is valid UTF-8, by the sender's hint, or by the letters
// of the file. It returns a *domain.UnclearEncodingError for a table whose letters fit several encodings. JSON is in UTF-8, unless
// its sender says otherwise.
func (s *source) detectCharset(file *io.SectionReader, hint ports.FileHint, head []byte) error {
	decoder, name, said := charset.Find(hint.Charset)
	if hint.Chosen && name == "" {
		return &domain.BrokenFileError{Reason: fmt.Sprintf("invalid charset %q: expected a name such as utf-8, windows-1251 or iso-8859-2", domain.Line(hint.Charset, maxWordShown))}
	}
	if bytes.HasPrefix(head, []byte(scan.ByteOrderMark)) {
		s.sure = ports.EncodingMarked
		return nil
	}
	if marked, decoder := charset.Marked(head); decoder != nil {
		s.name, s.sure, s.charset = marked, ports.EncodingMarked, decoder
		return nil
	}
	if said && decoder == nil {
		s.sure = ports.EncodingSaid
		return nil
	}
	if unmarked, decoder := charset.Unmarked(head); decoder != nil && !said {
		s.name, s.sure, s.charset = unmarked, ports.EncodingFound, decoder
		return nil
	}
	if s.isJSON() && !said {
		return nil // RFC 8259; its scanner finds other bytes
	}
	isASCII, isUTF8, err := validity(whole(file))
	if err != nil {
		return fmt.Errorf("read file: %w", err)
	}
	_, isBytewise := decoder.(charset.Bytewise)
	s.sure, s.isASCII = ports.EncodingValid, isASCII
	switch {
	case isASCII && charset.IsUTF7(head):
		return &domain.UnsupportedFileError{Kind: domain.FileUTF7}
	case isUTF8 && (!said || isBytewise): // no text in an 8-bit encoding is valid UTF-8 by chance
		return nil
	case said:
		s.name, s.charset, s.sure = name, decoder, ports.EncodingSaid
		return nil
	}
	return s.guessCharset(file, head)
}

// isJSON reports whether the file is known to have no table.
func (s *source) isJSON() bool { return s.format == ports.FormatJSON || s.format == ports.FormatNDJSON }

// guessCharset sets the charset of a file that is not valid UTF-8.
func (s *source) guessCharset(file *io.SectionReader, head []byte) error {
	text, err := readText(whole(file))
	if err != nil {
		return err
	}
	// A few letters in an 8-bit encoding are valid UTF-8 by chance. A few bytes in UTF-8 were damaged.
	const few, many = 3, 8
	letters, broken := text.UTF8()
	if letters > 0 && letters >= broken {
		s.sure = ports.EncodingFound
		return nil
	}
	guesses := text.Guesses()
	if len(guesses) > 1 {
		var inTable *charset.Text
		inTable, err = s.textOfTable(file, head)
		if err != nil {
			return err
		}
		if inTable != nil {
			text = inTable
			guesses = text.Guesses()
		}
	}
	isTable := slices.ContainsFunc(guesses, func(g charset.Guess) bool {
		return (&source{charset: g.Bytewise, lookups: s.lookups}).detectDelimiter(head)
	})
	switch {
	case text.IsASCII(): // the other bytes are in columns that are ignored
		return nil
	case !isTable: // the decoder's error says what is wrong
		return nil
	case letters >= few && letters*many > broken:
		return unclear(text, append([]charset.Guess{{Charset: charset.Charset{Name: charset.UTF8}}}, guesses...))
	case len(guesses) > 1:
		return unclear(text, guesses)
	}
	s.name, s.charset, s.sure = guesses[0].Name, guesses[0].Bytewise, ports.EncodingFound
	return nil
}

func readText(r io.Reader) (*charset.Text, error) {
	buf := scan.NewBuffer()
	defer scan.PutBuffer(buf)
	text := new(charset.Text)
	_, err := io.CopyBuffer(struct{ io.Writer }{text}, struct{ io.Reader }{r}, buf[:])
	if err != nil {
		return nil, fmt.Errorf("read file: %w", err)
	}
	return text, nil
}

// textOfTable returns the text of the columns of a table that are not ignored. A column whose header has other letters than ASCII may be a
// known one. It returns nil if no header is known without decoding.
func (s *source) textOfTable(file *io.SectionReader, head []byte) (*charset.Text, error) {
	bytewise := &source{charset: charmap.ISO8859_1, lookups: s.lookups}
	if !bytewise.detectDelimiter(head) {
		return nil, nil //nolint:nilnil // nil means no such table
	}
	text := new(charset.Text)
	var counts []bool // for each column
	write := func(cell []byte) {
		raw, _ := charmap.ISO8859_1.NewEncoder().Bytes(cell) // the bytes as they were
		_, _ = text.Write(append(raw, '\n'))
	}
	err := CSV{bytewise.delimiter}.table(bytewise.text(file)).each(new(ports.FileNotes), func(columns []column) bool {
		for _, c := range columns {
			isForeign := !isPlain([]byte(c.header))
			counts = append(counts, c.isKnown || isForeign)
			if isForeign {
				write([]byte(c.header))
			}
		}
		return true
	}, func(row scan.Row) bool {
		for i := range row.Cells {
			if i >= len(counts) || counts[i] {
				write(row.Cells[i].Text)
			}
		}
		return true
	})
	if err != nil && !errors.Is(err, domain.ErrBrokenFile) {
		return nil, err
	}
	return text, nil
}

// unclear returns the error of a text that may be in several encodings.
func unclear(text *charset.Text, guesses []charset.Guess) error {
	const examples = 2
	words := text.Examples(guesses, examples)
	err := &domain.UnclearEncodingError{}
	for _, guess := range guesses {
		e := domain.Encoding{Charset: guess.Name}
		for _, word := range words {
			e.Words = append(e.Words, domain.Line(guess.Read(word), maxWordShown))
		}
		err.Encodings = append(err.Encodings, e)
	}
	return err
}

// validity reports whether a whole text is ASCII, and whether it is valid UTF-8.
func validity(r io.Reader) (isASCII, isUTF8 bool, err error) {
	buf := scan.NewBuffer()
	defer scan.PutBuffer(buf)
	rest := 0 // bytes of a character that the last read has cut
	isASCII = true
	for {
		n, err := r.Read(buf[rest:])
		part := buf[:rest+n]
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return false, false, err
		}
		isASCII = isASCII && isPlain(part)
		valid := part
		if !ended && !isASCII {
			valid = scan.TrimPartialRune(part)
		}
		if !isASCII && !utf8.Valid(valid) {
			return false, false, nil
		}
		if ended {
			return isASCII, true, nil
		}
		rest = copy(buf[:], part[len(valid):])
	}
}

// isPlain reports whether a text is ASCII.
func isPlain(text []byte) bool {
	const size = 8
	for len(text) >= size {
		if binary.LittleEndian.Uint64(text)&0x8080808080808080 != 0 {
			return false
		}
		text = text[size:]
	}
	return !slices.ContainsFunc(text, func(c byte) bool { return c >= utf8.RuneSelf })
}

// text reads a file as UTF-8 without a byte order mark, and without the character that ends texts of DOS.
func (s *source) text(file *io.SectionReader) io.Reader {
	const endOfText = 0x1a
	r := whole(file)
	_, isBytewise := s.charset.(charset.Bytewise)
	last := make([]byte, 1)
	n, _ := r.ReadAt(last, r.Size()-1)
	if n > 0 && last[0] == endOfText && (isBytewise || s.charset == nil) { // in UTF-16 it is half of a letter
		r = io.NewSectionReader(r, 0, r.Size()-1)
	}
	if s.charset != nil {
		return transform.NewReader(r, s.charset.NewDecoder())
	}
	mark := make([]byte, len(scan.ByteOrderMark))
	n, _ = r.ReadAt(mark, 0)
	if string(mark[:n]) == scan.ByteOrderMark {
		_, _ = r.Seek(int64(n), io.SeekStart)
	}
	return r
}
