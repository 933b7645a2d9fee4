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
		{"８９１２３４５６７８９", "79123456789"},
		{"（９１２） ３４５－６７－８９", "79123456789"},
		{"(+7) 912 345-67-89", "79123456789"},
		{"8.912.345.67.89", "79123456789"},
		{"8/912/3456789", "79123456789"},
		{"8 912 345–67—89", "79123456789"},
		{"8\u00a0912\u202f345\u201167\u201189", "79123456789"},
		{"8 912 345-67-89;", "79123456789"},
		{"8 912 345-67-89.", "79123456789"},
		{"+49 (0)30 901820", "4930901820"},

		// words that say which telephone it is
		{"тел. 8 912 345-67-89", "79123456789"},
		{"Моб.тел.: +7 (912) 345-67-89", "79123456789"},
		{"моб. 8-912-345-67-89", "79123456789"},
		{"Tel: +7 912 345-67-89", "79123456789"},
		{"tel:+79123456789", "79123456789"},
		{"8 912 345-67-89 (моб.)", "79123456789"},
		{"8 (495) 123-45-67, рабочий", "74951234567"},

		// lines
		{"8 912\n345-67-89", "79123456789"},

		// invisible characters
		{"\u202a+7 912 345-67-89\u202c", "79123456789"},
		{"\u202d8 912 345-67-89\u202c", "79123456789"},
		{"\u20668 912 345-67-89\u2069", "79123456789"},
		{"\u200e89123456789\ufeff", "79123456789"},
		{"8 912\u2060 345\u00ad67\u00ad89", "79123456789"},
		{"+7\ufe0d 912 345\u200b-67-89", "79123456789"},
		{"8\u2800912\u3164345\u034f6789", "79123456789"},

		// numbers as programs write them
		{"9123456789.0", "79123456789"},
		{"9123456789,0", "79123456789"},
		{"89123456789.00", "79123456789"},
		{"9.123456789E9", "79123456789"},
		{"9.123456789e+09", "79123456789"},
		{"9,123456789E+09", "79123456789"},
		{"9.1234567890E9", "79123456789"},
		{"91234567.89E2", "79123456789"},
		{"+7.9123456789E10", "79123456789"},
		{"9.16300113E9", "79163001130"},   // a double of Java has no zeros at the end
		{"7.916300113E10", "79163001130"}, // the same with the country code
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
		{"9123456789 доб. 5", domain.CodeExtension},
		{"+7 495 200-10-01 доб. 101", domain.CodeExtension},
		{"+7 495 200-10-01 (доб.101)", domain.CodeExtension},
		{"+7 495 200-10-01, добавочный 101", domain.CodeExtension},
		{"+7 495 200-10-01 доб. № 101, 102", domain.CodeExtension},
		{"+7 495 200-10-01 вн.12", domain.CodeExtension},
		{"+7 495 200-10-01 ext. 7", domain.CodeExtension},
		{"+7 495 200-10-01;ext=7", domain.CodeExtension},
		{"+7 495 200-10-01 EXTENSION 7", domain.CodeExtension},
		{"+7 (495) 200-10-01 x12", domain.CodeExtension},
		{"+7 (495) 200-10-01х12", domain.CodeExtension}, // a Cyrillic letter
		{"8-495-200-10-01#5", domain.CodeExtension},
		{"200-10-01 доб. 5", domain.CodeInvalid}, // the number itself is not complete

		// words
		{"8 912 345-67-89 (мама)", domain.CodeInvalid},
		{"8 912 345-67-89 моб Анны", domain.CodeInvalid},
		{"телефон", domain.CodeInvalid},
		{"моб. 8 912 345-67-8O", domain.CodeInvalid},
		{"тел. 8 912 345-67-89, тел. 8 912 345-67-80", domain.CodeInvalid},
		{"тел. 8 495 200-10-01 доб. 5", domain.CodeExtension},
		{"WhatsApp +7 912 345-67-89", domain.CodeInvalid},
		{"8 912 345 home", domain.CodeInvalid},
		{"+7 912 345 CALL", domain.CodeInvalid},
		{"8912345678a", domain.CodeInvalid},
		{"8 912 3OO-93-O8", domain.CodeInvalid},
		{"8 912 З45-67-89", domain.CodeInvalid}, // a letter that looks like a digit

		// a number that is masked, cut or rounded
		{"+7 912 345-**-**", domain.CodeInvalid},
		{"+7 912 345 xxxx", domain.CodeInvalid},
		{"+7 912 345-67-8_", domain.CodeInvalid},
		{"8 912 345-67-…", domain.CodeInvalid},
		{"8 912 345-67-89...", domain.CodeInvalid},
		{"8 912 345-67-89-", domain.CodeInvalid},
		{"8 912 345--67-89", domain.CodeInvalid},
		{"-9123456789", domain.CodeInvalid},
		{"##########", domain.CodeInvalid},
		{"9,16E+09", domain.CodeInvalid},
		{"9.16201E+09", domain.CodeInvalid},
		{"7.91620E+10", domain.CodeInvalid},
		{"9.162009E9", domain.CodeInvalid}, // may be a float
		{"9.16200906e9", domain.CodeInvalid},
		{"9.16200906E+09", domain.CodeInvalid},
		{"+7.9162009E10", domain.CodeInvalid},
		{"9.123456789E99", domain.CodeInvalid},
		{"9123456789.5", domain.CodeInvalid},
		{"9.1234567895E9", domain.CodeInvalid},

		// two numbers
		{"8 912 345-67-89, 8 912 345-67-80", domain.CodeInvalid},
		{"8 912 345-67-89; 8 912 345-67-80", domain.CodeInvalid},
		{"8 912 345-67-89/8 912 345-67-80", domain.CodeInvalid},
		{"8 912 345-67-89 8 912 345-67-80", domain.CodeInvalid},
		{"+79123456789+79123456780", domain.CodeInvalid},
		{"8 912 345-67-89 / 80", domain.CodeInvalid},
		{"8 912 345-67-89,80", domain.CodeInvalid},
		{"8 912 345-67-89 или 80", domain.CodeInvalid},
		{"8 912 345-67-89\n8 912 345-67-80", domain.CodeInvalid},
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
	for _, c := range []struct{ s, region, want string }{
		{"(650) 253-0000", "US", "16502530000"},
		{"030/901820", "DE", "4930901820"},
		{"+49/30/901820", "DE", "4930901820"},
		{"0151 23456789", "DE", "4915123456789"},
		{"+49 1512 3456789", "DE", "4915123456789"},
		{"02 1234 5678", "IT", "390212345678"},
		{"32123456", "DK", "4532123456"},
		{"9123456789.0", "IN", "919123456789"},
	} {
		t.Run(c.region+" "+c.s, func(t *testing.T) {
			phone, vs := domain.NewPhone(c.s, c.region)
			require.Nil(t, vs)
			require.Equal(t, c.want, phone.String())
		})
	}
	phone, _ := domain.NewPhone("9123456789", "DE")
	require.NotEqual(t, "79123456789", phone.String(), "a Russian number needs its country code")

	// German numbers have many lengths, so that two of them can read as one.
	for _, s := range []string{"030 901820/21", "030 901820 030 901821", "030 9018(030 9019)", "0301234567,0", "3012345678.5"} {
		t.Run("DE "+s, func(t *testing.T) {
			_, vs := domain.NewPhone(s, "DE")
			require.Equal(t, only(domain.FieldPhone, domain.CodeInvalid), vs)
		})
	}
}

func TestIsRegion(t *testing.T) {
	require.True(t, domain.IsRegion("DE"))
	require.False(t, domain.IsRegion("XX"))
}
