package domain

import "time"

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

// NewBirthday parses DD/MM/YYYY, DD.MM.YYYY, DD-MM-YYYY or YYYY-MM-DD, from the year 1 to today.
func NewBirthday(s string, today Date) (Birthday, Violations) {
	s = trim(s)
	if vs := checkText(FieldBirthday, s); vs != nil {
		return Birthday{}, vs
	}
	year, month, day, ok := splitDate(s)
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if !ok || year == 0 || t.Month() != time.Month(month) || t.Day() != day { // the 31st of February becomes March
		return Birthday{}, Violations{{Field: FieldBirthday, Code: CodeInvalid}}
	}
	date := DateOf(t)
	if date > today {
		return Birthday{}, Violations{{Field: FieldBirthday, Code: CodeFuture}}
	}
	return Birthday{date, true}, nil
}

func splitDate(s string) (year, month, day int, ok bool) {
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

// number returns the value of a few digits.
func number(digits string) int {
	n := 0
	for i := range len(digits) {
		n = n*10 + int(digits[i]-'0')
	}
	return n
}
