package bulkfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"rollcall/adapters/internal/csvfield"
	"rollcall/domain"
)

// CSV reads a table by RFC 4180 whose first row names the columns. Lines may end in any usual way, and a quote inside of a
// field that does not begin with one stands for itself. Of a row that nobody can make sense of the rest of the line is passed
// over.
type CSV struct {
	Delimiter byte // a comma, a semicolon, or a tab
}

// delimiters are those that are looked for, the most usual first.
const delimiters = ",;\t"

// Candidates yields the objects of a file in UTF-8.
func (f CSV) Candidates(r io.Reader) iter.Seq2[*domain.Candidate, error] {
	return func(yield func(*domain.Candidate, error) bool) {
		buf := buffers.Get().(*[readSize]byte) //nolint:forcetypeassert // nothing else is put there
		defer buffers.Put(buf)
		d := &csvDecoder{r: r, buf: buf[:], delimiter: f.Delimiter}
		err := decodeTable(d, yield)
		if err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	}
}

// csvDecoder is written for speed, as jsonDecoder is.
type csvDecoder struct {
	r         io.Reader
	buf       []byte
	pos, end  int
	err       error // what reading ended with
	delimiter byte

	row    []cell
	texts  []byte // of the row's fields, one after another
	ends   []int  // where each ends in texts
	cuts   []bool
	broken bool // nobody can make sense of the row
}

// maxFields bounds the fields of a row.
const maxFields = 1 << 10

func (d *csvDecoder) current() ([]cell, bool) { return d.row, d.broken }

// next implements rows.
func (d *csvDecoder) next() (bool, error) {
	d.texts, d.ends, d.cuts, d.broken = d.texts[:0], d.ends[:0], d.cuts[:0], false
	if d.pos == d.end && !d.fill() {
		return false, d.ended()
	}
	for {
		goesOn, err := d.field()
		if err != nil {
			return false, err
		}
		if !goesOn {
			break
		}
	}
	d.setRow()
	return true, nil
}

// field reads a field and what ends it, and tells whether the row goes on.
func (d *csvDecoder) field() (goesOn bool, err error) {
	from, cut := len(d.texts), false
	put := func(part []byte) {
		// Half of a text may be apostrophes that csvfield.Restore removes.
		room := 2 * roomFor(len(d.texts)/2, (len(d.texts)-from)/2)
		if len(part) > room {
			part, cut = part[:room], true
		}
		d.texts = append(d.texts, part...)
	}
	defer func() {
		if len(d.ends) == maxFields {
			d.broken, d.texts = true, d.texts[:from]
			return
		}
		d.ends, d.cuts = append(d.ends, len(d.texts)), append(d.cuts, cut)
	}()
	if d.pos == d.end && !d.fill() {
		return false, d.ended()
	}
	if d.buf[d.pos] == '"' {
		d.pos++
		err = d.quoted(put)
		if err != nil {
			return false, err
		}
	}
	for {
		run := d.buf[d.pos:d.end]
		n := 0
		for n < len(run) && run[n] != d.delimiter && run[n] != '\n' && run[n] != '\r' {
			n++
		}
		put(run[:n])
		d.pos += n
		if n < len(run) {
			break
		}
		if !d.fill() {
			return false, d.ended()
		}
	}
	c := d.buf[d.pos]
	d.pos++
	if c == '\r' && (d.pos < d.end || d.fill()) && d.buf[d.pos] == '\n' {
		d.pos++
	}
	return c == d.delimiter, nil
}

// quoted reads the rest of a field that began with a quote, up to the quote that ends it.
func (d *csvDecoder) quoted(put func([]byte)) error {
	for {
		run := d.buf[d.pos:d.end]
		n := bytes.IndexByte(run, '"')
		if n < 0 {
			put(run)
			d.pos = d.end
			if !d.fill() {
				d.broken = true
				return d.ended()
			}
			continue
		}
		put(run[:n])
		d.pos += n + 1
		if d.pos == d.end && !d.fill() {
			return d.ended()
		}
		if d.pos == d.end || d.buf[d.pos] != '"' {
			break
		}
		put(d.buf[d.pos : d.pos+1])
		d.pos++
	}
	if d.pos < d.end {
		if c := d.buf[d.pos]; c != d.delimiter && c != '\n' && c != '\r' {
			d.broken = true
		}
	}
	return nil
}

// fill reads more when all was used, and returns false when there is no more.
func (d *csvDecoder) fill() bool {
	if d.err != nil {
		return false
	}
	d.pos = 0
	d.end, d.err = io.ReadAtLeast(d.r, d.buf, 1)
	return d.end > 0
}

// ended is an error unless it is the end of the file.
func (d *csvDecoder) ended() error {
	if d.err != nil && !errors.Is(d.err, io.EOF) {
		return fmt.Errorf("read file: %w", d.err)
	}
	return nil
}

// setRow makes the cells of the row.
func (d *csvDecoder) setRow() {
	d.row = d.row[:0]
	from := 0
	for i, end := range d.ends {
		c := cell{text: d.texts[from:end], cut: d.cuts[i]}
		from = end
		c.mend()
		c.text = csvfield.Restore(c.text)
		d.row = append(d.row, c)
	}
}
