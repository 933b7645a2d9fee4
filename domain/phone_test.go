package domain_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestNewPhone(t *testing.T) {
	for _, c := range []struct {
		s    string
		want string
	}{
		{"9123456789", "79123456789"},
		{"+7 912 345-67-89", "79123456789"},
		{"8 (912) 345-67-89", "79123456789"},
		{"79123456789", "79123456789"},
		{"89123456789", "79123456789"},
		{"+79123456789", "79123456789"},
		{"(495) 123-45-67", "74951234567"},
		{"+1 650 253 0000", "16502530000"},
		{"+49 30 901820", "4930901820"},
		{"8~10 49 30 901820", "4930901820"},
		{"\t+79123456789\n", "79123456789"},
		{"+7 701 234 5678", "77012345678"},
		{"٩١٢٣٤٥٦٧٨٩", "79123456789"},
	} {
		t.Run(c.s, func(t *testing.T) {
			phone, vs := domain.NewPhone(c.s, "RU")
			require.Nil(t, vs)
			require.Equal(t, c.want, phone.String())
		})
	}
}

func TestNewPhoneRejects(t *testing.T) {
	for _, c := range []struct {
		s    string
		want domain.Code
	}{
		{"", domain.CodeEmpty},
		{"112", domain.CodeInvalid},
		{"912345678", domain.CodeInvalid},
		{"1234567890", domain.CodeInvalid},
		{"phone", domain.CodeInvalid},
		{"+", domain.CodeInvalid},
		{"+999123", domain.CodeInvalid},
		{"912\x00", domain.CodeControl},
		{"8 800 FLOWERS", domain.CodeInvalid},
		{"9123456789 доб. 5", domain.CodeInvalid},
		{"tel:+79123456789", domain.CodeInvalid},
		{"+7912345678O", domain.CodeInvalid},
		{"9123456\xff", domain.CodeEncoding},
		{strings.Repeat("9", 500), domain.CodeInvalid},
	} {
		t.Run(c.s, func(t *testing.T) {
			_, vs := domain.NewPhone(c.s, "RU")
			require.Equal(t, only(domain.FieldPhone, c.want), vs)
		})
	}
}

func TestNewPhoneOfOtherRegions(t *testing.T) {
	phone, vs := domain.NewPhone("(650) 253-0000", "US")
	require.Nil(t, vs)
	require.Equal(t, "16502530000", phone.String())
	phone, _ = domain.NewPhone("9123456789", "DE")
	require.NotEqual(t, "79123456789", phone.String(), "a Russian number needs its country code")
}

func TestIsRegion(t *testing.T) {
	require.True(t, domain.IsRegion("DE"))
	require.False(t, domain.IsRegion("XX"))
}
