package bulkfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"rollcall/adapters/bulkfile/scan"
	"rollcall/domain"
	"rollcall/ports"
)

// layoutRows is how many records a layout has.
const layoutRows = 10

// Layout implements ports.Decoder.
func (f Files) Layout(file *io.SectionReader, hint ports.FileHint) (ports.FileLayout, error) {
	s, err := detect(file, hint)
	if unclear, ok := errors.AsType[*domain.UnclearEncodingError](err); ok {
		return ports.FileLayout{Format: ports.FormatCSV, Encodings: unclear.Encodings}, nil
	}
	if err != nil {
		return ports.FileLayout{}, err
	}
	layout := ports.FileLayout{Format: s.format, Encoding: s.name, Evidence: s.sure}
	switch s.format {
	case ports.FormatCSV:
		layout.Delimiter = rune(s.delimiter)
		return layout, CSV{s.delimiter}.table(s.text(file)).layOut(&layout, !s.isASCII)
	case ports.FormatXLSX:
		return layout, f.withWorkbook(file, hint, func(w *workbook) error { return w.layOut(&layout) })
	}
	for candidate, err := range f.candidates(s, file, hint, &layout.Notes) {
		if err != nil {
			return ports.FileLayout{}, err
		}
		layOutObject(candidate.Original, &layout)
		if candidate.Number == layoutRows {
			break
		}
	}
	return layout, nil
}

// layOut adds the columns of the table to a layout, and its first rows. If lettersFirst, it reads as many rows as it needs to begin with
// those that have letters beyond ASCII: they show whether the encoding is right.
func (t table) layOut(layout *ports.FileLayout, lettersFirst bool) error {
	var columns []column
	var plain [][]string
	err := t.each(&layout.Notes, func(all []column) bool {
		columns = all
		for _, c := range columns {
			it := ports.FileColumn{Header: c.header}
			if c.isKnown {
				it.Field = c.name()
			}
			layout.Columns = append(layout.Columns, it)
		}
		return true
	}, func(r scan.Row) bool {
		texts := make([]string, len(columns))
		for i := range min(len(columns), len(r.Cells)) {
			texts[i] = string(t.text(&columns[i], &r.Cells[i]))
		}
		isLater := lettersFirst && !slices.ContainsFunc(texts, func(text string) bool { return !isPlain([]byte(text)) })
		switch {
		case !isLater:
			layout.Rows = append(layout.Rows, texts)
		case len(plain) < layoutRows:
			plain = append(plain, texts)
		}
		return len(layout.Rows) < layoutRows
	})
	layout.Rows = append(layout.Rows, plain[:min(len(plain), layoutRows-len(layout.Rows))]...)
	return err
}

// layOutObject adds an object to a layout, and columns for keys that earlier objects do not have.
func layOutObject(original []byte, layout *ports.FileLayout) {
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
		i := slices.IndexFunc(layout.Columns, func(c ports.FileColumn) bool { return c.Header == header })
		if i < 0 {
			i = len(layout.Columns)
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
		row[i] = string(value)
		var text string
		if json.Unmarshal(value, &text) == nil {
			row[i] = text
		}
	}
	layout.Rows = append(layout.Rows, row)
}
