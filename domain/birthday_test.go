package domain_test

import (
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
		{"01/01/0001", "0001-01-01"},
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
		{"1/1/2000", domain.CodeInvalid},
		{"01/01/00", domain.CodeInvalid},
		{"01/01-2000", domain.CodeInvalid},
		{"2000/01/01", domain.CodeInvalid},
		{"01012000", domain.CodeInvalid},
		{"01/01/0000", domain.CodeInvalid},
		{"2000-01-01T00:00", domain.CodeInvalid},
		{"aa/bb/cccc", domain.CodeInvalid},
		{"01\x0001\x002000", domain.CodeControl},
		{"+1/01/2000", domain.CodeInvalid},
		{"٠١/٠١", domain.CodeInvalid},
		{"01 01 2000", domain.CodeInvalid},
	} {
		t.Run(c.s, func(t *testing.T) {
			_, vs := domain.NewBirthday(c.s, today)
			require.Equal(t, only(domain.FieldBirthday, c.want), vs)
		})
	}
}

func TestZeroBirthdayHasNoDate(t *testing.T) {
	_, given := domain.Birthday{}.Date()
	require.False(t, given)
}
