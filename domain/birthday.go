package domain

import (
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"
)

// A Date is a day of the proleptic Gregorian calendar, counted from 1 January 1970.
type Date int32

const secondsADay = 24 * 60 * 60

// DateOf returns the day of t in t's own location.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / secondsADay)
}

// Time returns the beginning of the day in UTC.
func (d Date) Time() time.Time { return time.Unix(int64(d)*secondsADay, 0).UTC() }

// A Birthday is a day in the past. Its zero value is no day.
type Birthday struct {
	date  Date
	given bool
}

// Date returns the day, and whether there is one.
func (b Birthday) Date() (Date, bool) { return b.date, b.given }

// RestoreBirthday returns the birthday of an existing account.
func RestoreBirthday(date Date) Birthday { return Birthday{date, true} }

// NewBirthday parses a date from the year 1900 to today, in any notation that can be read in one way. It trims white space and drops invisible
// characters. It returns no day for a date that programs write for none.
func NewBirthday(s string, today Date) (Birthday, Violations) {
	s = clean(s)
	if vs := checkText(FieldBirthday, s); vs != nil {
		return Birthday{}, vs
	}
	date, ok := parseDate(s)
	if !ok {
		return Birthday{}, Violations{{Field: FieldBirthday, Code: CodeInvalid}}
	}
	switch {
	case date > today:
		return Birthday{}, Violations{{Field: FieldBirthday, Code: CodeFuture}}
	case date == firstDay, date == dayZero:
		return Birthday{}, nil
	case date < earliest:
		return Birthday{}, Violations{{Field: FieldBirthday, Code: CodeInvalid}}
	}
	return Birthday{date, true}, nil
}

// earliest is the first possible birthday, 1900-01-01. No living person is older, and 12.05.0090 is a year that lacks its century.
const earliest Date = -25_567

// ParseDate parses a date in any notation that NewBirthday reads, and reports whether it is one.
func ParseDate(s string) (Date, bool) { return parseDate(clean(s)) }

func parseDate(s string) (Date, bool) {
	year, month, day, ok := splitPlainDate(s)
	if !ok {
		year, month, day, ok = splitDate(s)
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	isDate := ok && year != 0 && t.Month() == time.Month(month) && t.Day() == day // the 31st of February becomes March
	return DateOf(t), isDate
}

// The dates that programs write for none.
const (
	firstDay Date = -719_162 // 0001-01-01, of .NET and 1C
	dayZero  Date = -25_569  // 1899-12-30, of spreadsheets and databases
)

// A DateOrder is the order of day and month in dates with slashes or hyphens and the year last. Dates with dots have the day first
// in every country. Its values are stable: senders say them, and they are stored.
type DateOrder string

// The orders of dates.
const (
	UnsaidOrder  DateOrder = ""        // the day is first, and records of a table that has the month first are marked
	UnknownOrder DateOrder = "unknown" // dates that can be read in two ways are rejected
	DayFirst     DateOrder = "dmy"     // as the sender said
	MonthFirst   DateOrder = "mdy"     // as the sender said
)

// IsSaid reports whether a sender can say the order.
func (o DateOrder) IsSaid() bool { return o == DayFirst || o == MonthFirst }

// birthday returns the birthday of a text.
func (r Rules) birthday(s string) (Birthday, Violations) {
	birthday, vs := NewBirthday(s, r.Today)
	if r.DateOrder == UnsaidOrder || r.DateOrder == DayFirst {
		return birthday, vs
	}
	other := swapDayAndMonth(s)
	if other == "" {
		return birthday, vs
	}
	swapped, violations := NewBirthday(other, r.Today)
	switch {
	case r.DateOrder == MonthFirst:
		return swapped, violations
	case violations != nil, vs == nil && swapped == birthday:
		return birthday, vs
	case vs == nil:
		return Birthday{}, Violations{{Field: FieldBirthday, Code: CodeAmbiguousDate}}
	}
	return swapped, nil
}

// isMonthFirst reports whether a text that is no birthday is one if its first number is the month.
func (r Rules) isMonthFirst(s string) bool {
	other := swapDayAndMonth(s)
	if other == "" {
		return false
	}
	_, vs := NewBirthday(other, r.Today)
	return vs == nil
}

// swapDayAndMonth returns a date with its first two numbers swapped, or an empty text if there is one order only.
func swapDayAndMonth(s string) string {
	if len(s) >= maxDate {
		return ""
	}
	match := dayFirst.FindStringSubmatch(foldDate(clean(s)))
	if match == nil || match[2] != match[4] || match[2] == "." {
		return ""
	}
	return match[3] + match[2] + match[1] + match[4] + match[5]
}

// splitPlainDate splits DD/MM/YYYY, DD.MM.YYYY, DD-MM-YYYY and YYYY-MM-DD, which most files have.
func splitPlainDate(s string) (year, month, day int, ok bool) {
	if len(s) != len("DD/MM/YYYY") {
		return 0, 0, 0, false
	}
	y, m, d := s[6:], s[3:5], s[:2]
	separators := [2]byte{s[2], s[5]}
	if s[4] == '-' {
		y, m, d = s[:4], s[5:7], s[8:]
		separators = [2]byte{s[4], s[7]}
	}
	if separators[0] != separators[1] || !isDigits(y) || !isDigits(m) || !isDigits(d) {
		return 0, 0, 0, false
	}
	switch separators[0] {
	case '/', '.', '-':
		return number(y), number(m), number(d), true
	}
	return 0, 0, 0, false
}

// Dates as people and programs write them, in lower case. The year has four digits.
var (
	dayFirst = regexp.MustCompile(`^(\d{1,2}) *([./-]) *(\d{1,2}) *([./-]) *(\d{4})(?: 00?:00(?::00)?|( 12:00(?::00)? am)|` + yearWord + `|\.)?$`)

	yearFirst = regexp.MustCompile(`^(\d{4})([./-]) ?(\d{1,2})([./-]) ?(\d{1,2})(?:\.|[ t](\d\d?):(\d\d)(?::(\d\d)(?:\.\d+)?)? ?(z|[+-]\d\d:?\d\d)?)?$`)

	dayAndMonth = regexp.MustCompile(`^[«"„“]?(\d{1,2})(?:st|nd|rd|th)?[»"“”]?[ .-]*(\p{L}{3,12})\.?[ ,-]*(\d{4})(?:` + yearWord + `)?$`)
	monthAndDay = regexp.MustCompile(`^([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})$`)
)

// yearWord matches the Russian words for year, and for year of birth.
const yearWord = ` *(?:г\.? ?р\.?|года?(?: рождения)?|г\.?)`

// maxDate is the number of bytes from which no text is a date.
const maxDate = 64

// splitDate splits a date in one of the other notations.
func splitDate(s string) (year, month, day int, ok bool) {
	if len(s) >= maxDate {
		return 0, 0, 0, false
	}
	s = foldDate(s)
	if match := dayFirst.FindStringSubmatch(s); match != nil {
		isMonthFirst := match[6] != "" // as in the countries that count hours so
		return number(match[5]), number(match[3]), number(match[1]), match[2] == match[4] && !isMonthFirst
	}
	if match := yearFirst.FindStringSubmatch(s); match != nil {
		return number(match[1]), number(match[3]), number(match[5]), match[2] == match[4] && isTimeOfDay(match[6], match[7], match[8], match[9])
	}
	if match := dayAndMonth.FindStringSubmatch(s); match != nil {
		month, ok = monthNames()[match[2]]
		return number(match[3]), month, number(match[1]), ok
	}
	if match := monthAndDay.FindStringSubmatch(s); match != nil {
		month, ok = monthNames()[match[1]]
		return number(match[3]), month, number(match[2]), ok
	}
	return 0, 0, 0, false
}

// foldDate returns a date in lower case, with hyphens for dashes and plain spaces.
func foldDate(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case isDash(r):
			return '-'
		case unicode.Is(unicode.Zs, r):
			return ' '
		}
		return unicode.ToLower(r)
	}, s)
}

// isTimeOfDay reports whether the time after a date leaves no doubt of the date. With a zone it must be midnight, because another time may
// be a midnight of the day before or after.
func isTimeOfDay(hour, minute, second, zone string) bool {
	h, m, s := number(hour), number(minute), number(second)
	return h < 24 && m < 60 && s < 60 && (zone == "" || h == 0 && m == 0 && s == 0)
}

// monthNames returns the number of each month by its names, in lower case.
var monthNames = sync.OnceValue(func() map[string]int {
	months := map[string]int{}
	for i, names := range []string{
		"january jan января январь янв januar січня студзеня", "february feb февраля февраль фев февр februar лютого лютага",
		"march mar марта март мар märz березня сакавіка", "april apr апреля апрель апр квітня красавіка", "may мая май mai травня",
		"june jun июня июнь июн juni червня чэрвеня", "july jul июля июль июл juli липня ліпеня", "august aug августа август авг серпня жніўня",
		"september sep sept сентября сентябрь сен сент вересня верасня", "october oct октября октябрь окт oktober okt жовтня кастрычніка",
		"november nov ноября ноябрь ноя нояб листопада лістапада", "december dec декабря декабрь дек dezember dez грудня снежня",
	} {
		for name := range strings.FieldsSeq(names) {
			months[name] = i + 1
		}
	}
	return months
})

// number returns the value of a few digits.
func number(digits string) int {
	n := 0
	for i := range len(digits) {
		n = n*10 + int(digits[i]-'0')
	}
	return n
}
