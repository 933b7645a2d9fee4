package intake

import (
	"net/url"

	"rollcall/adapters/web/problem"
	"rollcall/domain"
	"rollcall/ports"
)

// The options of a file. A request has them in its query, or as fields of its form.
const (
	optionCharset = "charset" // encoding of a text
	optionDates   = "dates"   // order of dates
	optionSheet   = "sheet"   // of a workbook; may be repeated
)

// An option is the value of an option in a form. What exceeds maxOption is dropped: no valid value is as long.
type option []byte

// maxOption is the maximum size of an option, in bytes.
const maxOption = 1 << 10

// Write implements io.Writer.
func (o *option) Write(p []byte) (int, error) {
	*o = append(*o, p[:min(len(p), maxOption-len(*o))]...)
	return len(p), nil
}

func isOption(name string) bool {
	return name == optionCharset || name == optionDates || name == optionSheet
}

// SetOptions sets the options of a file that have values. It returns problem.ErrDates, problem.ErrSheets.
func SetOptions(hint *ports.FileHint, values url.Values) error {
	if values.Has(optionCharset) {
		hint.Charset, hint.Chosen = values.Get(optionCharset), true
	}
	if dates := values[optionDates]; dates != nil {
		hint.Dates = domain.DateOrder(dates[0])
		if len(dates) > 1 || !hint.Dates.IsSaid() {
			return problem.ErrDates
		}
	}
	if names := values[optionSheet]; names != nil {
		if len(names) > ports.MaxSheets {
			return problem.ErrSheets
		}
		hint.Sheets = make([]string, len(names))
		for i, name := range names {
			hint.Sheets[i] = ports.SheetName(name)
		}
	}
	return nil
}
