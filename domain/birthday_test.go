package domain_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestNewBirthday(t *testing.T) {
	for _, c := range []struct {
		s    string
		want string
	}{
		{"31/12/1999", "1999-12-31"},
		{"31.12.1999", "1999-12-31"},
		{"31-12-1999", "1999-12-31"},
		{"1999-12-31", "1999-12-31"},
		{" 29.02.2000 ", "2000-02-29"},
		{"23/11/2026", "2026-11-23"},
		{"01/01/1900", "1900-01-01"},
		{"1.2.1985", "1985-02-01"},
		{"01.2.1985", "1985-02-01"},
		{"1/12/1985", "1985-12-01"},
		{"1985-2-1", "1985-02-01"},
		{"1985/02/01", "1985-02-01"},
		{"1985.02.01", "1985-02-01"},
		{"1985.02.01.", "1985-02-01"},
		{"1985. 02. 01.", "1985-02-01"},
		{"01–02–1985", "1985-02-01"},
		{"01 . 02 . 1985", "1985-02-01"},
		{"01 .02.1985", "1985-02-01"},
		{"01.02.1985.", "1985-02-01"},
		{"01.02.1985 0:00:00", "1985-02-01"},
		{"01.02.1985 00:00", "1985-02-01"},
		{"1985-02-01T00:00:00", "1985-02-01"},
		{"1985-02-01T00:00:00Z", "1985-02-01"},
		{"1985-02-01T00:00:00.000+03:00", "1985-02-01"},
		{"1985-02-01 00:00:00", "1985-02-01"},
		{"1985-02-01T08:30", "1985-02-01"},
		{"01.02.1985 г.", "1985-02-01"},
		{"01.02.1985г", "1985-02-01"},
		{"01.02.1985\u00a0года", "1985-02-01"},
		{"01.02.1985 г.р.", "1985-02-01"},
		{"\u200e01/02/1985\u200f", "1985-02-01"},
		{"1 февраля 1985 г.", "1985-02-01"},
		{"1 Фев. 1985", "1985-02-01"},
		{"01-Feb-1985", "1985-02-01"},
		{"1 May 1985", "1985-05-01"},
		{"Feb 1, 1985", "1985-02-01"},
		{"February 1st, 1985", "1985-02-01"},
		{"1st February 1985", "1985-02-01"},
		{"«01» февраля 1985 года рождения", "1985-02-01"},
		{"1 лютого 1985", "1985-02-01"},
		{"1 жніўня 1985", "1985-08-01"},
		{"1. März 1985", "1985-03-01"},
	} {
		t.Run(c.s, func(t *testing.T) {
			birthday, vs := domain.NewBirthday(c.s, today)
			require.Nil(t, vs)
			date, given := birthday.Date()
			require.True(t, given)
			require.Equal(t, c.want, date.Time().Format(time.DateOnly))
		})
	}
}

func TestNewBirthdayRejects(t *testing.T) {
	for _, c := range []struct {
		s    string
		want domain.Code
	}{
		{"24/11/2026", domain.CodeFuture},
		{"2999-01-01", domain.CodeFuture},
		{"", domain.CodeEmpty},
		{"31/02/2000", domain.CodeInvalid},
		{"29.02.1900", domain.CodeInvalid},
		{"00/01/2000", domain.CodeInvalid},
		{"01/13/2000", domain.CodeInvalid},
		{"01/00/2000", domain.CodeInvalid},
		{"01/01/00", domain.CodeInvalid},
		{"01/01-2000", domain.CodeInvalid},
		{"01012000", domain.CodeInvalid},
		{"01/01/0000", domain.CodeInvalid},
		{"aa/bb/cccc", domain.CodeInvalid},
		{"01\x0001\x002000", domain.CodeControl},
		{"+1/01/2000", domain.CodeInvalid},
		{"٠١/٠١", domain.CodeInvalid},
		{"01 01 2000", domain.CodeInvalid},
		{"1.1.00", domain.CodeInvalid},
		{"1/13/2000", domain.CodeInvalid},
		{"2000.1-1", domain.CodeInvalid},
		{"01,01,2000", domain.CodeInvalid},
		{"2000", domain.CodeInvalid},
		{"20000101", domain.CodeInvalid},
		{"02/01/0001", domain.CodeInvalid},
		{"12.05.0090", domain.CodeInvalid},
		{"31/12/1899", domain.CodeInvalid},
		{"31079", domain.CodeInvalid},                  // a day of a spreadsheet, counted from 1900 or 1904
		{"01.01.2000 12:00:00 AM", domain.CodeInvalid}, // a country that writes the month first
		{"01.01.2000 21:00", domain.CodeInvalid},
		{"2000-01-01T21:00:00Z", domain.CodeInvalid}, // midnight of the next day in Moscow
		{"2000-01-01T21:00:00+03:00", domain.CodeInvalid},
		{"2000-01-01 25:00", domain.CodeInvalid},
		{"30 февраля 2000", domain.CodeInvalid},
		{"1 фебраля 2000", domain.CodeInvalid},
		{"Smarch 1, 2000", domain.CodeInvalid},
		{"1 января 00", domain.CodeInvalid},
		{strings.Repeat("1", 100), domain.CodeInvalid},
	} {
		t.Run(c.s, func(t *testing.T) {
			_, vs := domain.NewBirthday(c.s, today)
			require.Equal(t, only(domain.FieldBirthday, c.want), vs)
		})
	}
}

func TestNoBirthday(t *testing.T) {
	_, given := domain.Birthday{}.Date()
	require.False(t, given)
	for _, s := range []string{"01.01.0001", "01.01.0001 0:00:00", "0001-01-01T00:00:00Z", "1/1/0001", "30.12.1899", "1899-12-30"} {
		t.Run(s, func(t *testing.T) {
			birthday, vs := domain.NewBirthday(s, today)
			require.Nil(t, vs)
			require.Zero(t, birthday, "programs write this date for none")
		})
	}
}

// In a table with a date that has the month first, a date that can be read in two ways is rejected, unless the order was said.
func TestDateOrder(t *testing.T) {
	ambiguous := only(domain.FieldBirthday, domain.CodeAmbiguousDate)
	invalid := only(domain.FieldBirthday, domain.CodeInvalid)
	for _, c := range []struct {
		s          string
		dayFirst   string // empty for an invalid date
		monthFirst string // empty for an invalid date
		unknown    string // if the order is unknown; empty for a date that is rejected
		rejected   domain.Violations
	}{
		{"12/25/1985", "", "1985-12-25", "1985-12-25", nil},
		{"12/25/1985 12:00:00 AM", "", "1985-12-25", "1985-12-25", nil},
		{"01/02/1985 12:00 AM", "", "1985-01-02", "1985-01-02", nil},
		{"2-28-1985 0:00", "", "1985-02-28", "1985-02-28", nil},
		{"01/02/1985", "1985-02-01", "1985-01-02", "", ambiguous},
		{"1-2-1985", "1985-02-01", "1985-01-02", "", ambiguous},
		{"02/02/1985", "1985-02-02", "1985-02-02", "1985-02-02", nil},
		{"25/12/1985", "1985-12-25", "", "1985-12-25", nil},
		{"01.02.1985", "1985-02-01", "1985-02-01", "1985-02-01", nil},
		{"12.25.1985", "", "", "", invalid},
		{"1985-02-01", "1985-02-01", "1985-02-01", "1985-02-01", nil},
		{"Feb 1, 1985", "1985-02-01", "1985-02-01", "1985-02-01", nil},
		{"02/30/1985", "", "", "", invalid},
		{"12/25/85", "", "", "", invalid},
	} {
		t.Run(c.s, func(t *testing.T) {
			person := valid()
			person.Given[domain.PersonBirthday], person.IsRow = text(c.s), true
			check := func(order domain.DateOrder) (string, domain.Record) {
				record := domain.Rules{Region: "RU", Today: today, DateOrder: order}.Check(&person)
				date, given := record.Registration.Birthday.Date()
				if !given {
					return "", record
				}
				return date.Time().Format(time.DateOnly), record
			}
			date, record := check(domain.UnsaidOrder)
			require.Equal(t, c.dayFirst, date)
			require.Equal(t, c.dayFirst == "" && c.monthFirst != "", record.MonthFirst)
			date, record = check(domain.UnknownOrder)
			require.Equal(t, c.unknown, date)
			require.Equal(t, c.rejected, record.Violations)
			for order, want := range map[domain.DateOrder]string{domain.DayFirst: c.dayFirst, domain.MonthFirst: c.monthFirst} {
				date, record = check(order)
				require.Equal(t, want, date)
				require.Equal(t, want == "", record.Violations != nil)
				require.False(t, record.MonthFirst, "the order was said")
			}

			person.IsRow = false
			_, record = check(domain.UnsaidOrder)
			require.False(t, record.MonthFirst, "an object has no column")
		})
	}
}

// The header of a column may say the order, which counts unless the sender says another.
func TestDateOrderOfHeader(t *testing.T) {
	person := valid()
	person.Given[domain.PersonBirthday], person.IsRow, person.MonthFirst = text("01/02/1985"), true, true
	for order, want := range map[domain.DateOrder]string{
		domain.UnsaidOrder: "1985-01-02", domain.UnknownOrder: "1985-01-02", domain.MonthFirst: "1985-01-02", domain.DayFirst: "1985-02-01",
	} {
		record := domain.Rules{Region: "RU", Today: today, DateOrder: order}.Check(&person)
		date, _ := record.Registration.Birthday.Date()
		require.Equal(t, want, date.Time().Format(time.DateOnly), order)
	}
}

func TestDateOrderIsSaid(t *testing.T) {
	for order, want := range map[domain.DateOrder]bool{"dmy": true, "mdy": true, "": false, "unknown": false, "DMY": false, "ymd": false, "mdy ": false} {
		require.Equal(t, want, order.IsSaid(), order)
	}
}
