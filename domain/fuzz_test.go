package domain

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// FuzzPhone compares the fast path with libphonenumber, which is the authority.
func FuzzPhone(f *testing.F) {
	for _, s := range []string{"9123456789", "+79123456789", "89123456789", "79123456789", "+7 912 345-67-89", "9000000000", "99999999999", "+89123456789", "tel:;phone-context=+7", "8 800 FLOWERS"} {
		f.Add(s, "RU")
		f.Add(s, "DE")
		f.Add(s, "KZ")
	}
	f.Fuzz(func(t *testing.T, s, region string) {
		slow, valid := parsePhone(s, region) // must not panic
		fast, ok := plainPhone(s, region)
		if !ok {
			return
		}
		require.True(t, valid, s)
		require.Equal(t, slow, fast, s)
	})
}

// FuzzPhoneDigits proves that a phone has no digits of its own: after the country code, its digits are a subsequence of the given ones,
// and zeros at the end that the exponent of a double stands for.
func FuzzPhoneDigits(f *testing.F) {
	for _, s := range []string{
		"9123456789", "+7 912 345-67-89", "8 (912) 345-67-89", "9.16300113E9", "9,16E+09", "9.123456789e+09", "9123456789.0", "8 800 FLOWERS",
		"+7 495 200-10-01 доб. 101", "030/901820", "0301234567/89", "+49 (0)30 901820", "(650) 253-0000", "٩١٢٣٤٥٦٧٨٩", "\u202a+79123456789\u202c",
		"8 912 345-67-89, 8 912 345-67-80", "02 1234 5678", "8~10 49 30 901820", "+7 912 345-**-**",
	} {
		for region := range byte(7) {
			f.Add(s, region)
		}
	}
	codes := [...]struct{ region, code string }{{"RU", "7"}, {"KZ", "7"}, {"DE", "49"}, {"US", "1"}, {"GB", "44"}, {"IT", "39"}, {"DK", "45"}}
	f.Fuzz(func(t *testing.T, s string, region byte) {
		national := codes[int(region)%len(codes)]
		phone, vs := NewPhone(s, national.region)
		if vs != nil {
			return
		}
		given := digitsOf(s)
		if strings.ContainsAny(s, "E") {
			given += "00000"
		}
		stored := phone.String()
		require.True(t, isSubsequence(stored, given) || isSubsequence(strings.TrimPrefix(stored, national.code), given), "%q became %s", s, stored)
	})
}

// digitsOf returns the digits of a text, in ASCII.
func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		for _, digits := range unicode.Nd.R16 {
			if rune(digits.Lo) <= r && r <= rune(digits.Hi) {
				return '0' + (r-rune(digits.Lo))%10
			}
		}
		for _, digits := range unicode.Nd.R32 {
			if rune(digits.Lo) <= r && r <= rune(digits.Hi) {
				return '0' + (r-rune(digits.Lo))%10
			}
		}
		return -1
	}, s)
}

func isSubsequence(s, of string) bool {
	for i := range len(s) {
		at := strings.IndexByte(of, s[i])
		if at < 0 {
			return false
		}
		of = of[at+1:]
	}
	return true
}

// FuzzPlainPhones generates plain notations, which a fuzzer rarely finds.
func FuzzPlainPhones(f *testing.F) {
	f.Add(uint32(123456789))
	f.Fuzz(func(t *testing.T, n uint32) {
		national := fmt.Sprintf("9%09d", n%1_000_000_000)
		for _, prefix := range []string{"", "7", "8", "+7"} {
			fast, ok := plainPhone(prefix+national, "RU")
			require.True(t, ok)
			slow, valid := parsePhone(prefix+national, "RU")
			require.True(t, valid)
			require.Equal(t, slow, fast)
		}
		_, ok := plainPhone("+7"+national, "US")
		require.True(t, ok)
	})
}

// FuzzPunctuatedPhones proves that a Russian mobile number with punctuation is the number that libphonenumber reads, and only one.
func FuzzPunctuatedPhones(f *testing.F) {
	f.Add("+7 (912) 345-67-89")
	f.Add("8(912)3456789")
	f.Add("(912) 345 67 89")
	f.Add("7 9 1 2 3 4 5 6-7-8-9")
	f.Add("(+7)912-3456789")
	f.Fuzz(func(t *testing.T, s string) {
		number := dialed(s)
		for _, region := range []string{"RU", "DE"} {
			fast, ok := plainPhone(punctuation.Replace(number), region)
			if !ok {
				continue
			}
			slow, valid := parsePhone(number, region)
			require.True(t, valid, s)
			require.Equal(t, slow, fast, s)
			require.False(t, isTwoPhones(number, region), s)
		}
	})
}

// FuzzLogin compares the fast path with the PRECIS profiles, and proves that a login parses to itself.
func FuzzLogin(f *testing.F) {
	for _, s := range []string{"", "ivan", "Ivan", "ИВАН", "a b", "ＡＢ", "a\u0301", "~", " ", "ß", "İ", "Σ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if isPlain(s) {
			text, key, ok := precisLogin(s)
			slow, err := precis.UsernameCasePreserved.String(s)
			require.Equal(t, err == nil, ok, s)
			if ok {
				require.Equal(t, slow, text)
				slowKey, err := precis.UsernameCaseMapped.String(s)
				require.NoError(t, err)
				require.Equal(t, slowKey, key)
			}
		}
		login, vs := NewLogin(s)
		if vs != nil {
			return
		}
		require.LessOrEqual(t, utf8.RuneCountInString(login.String()), MaxLogin)
		require.NotContains(t, login.String(), " ")
		known, vs := ParseLogin(s)
		require.Nil(t, vs)
		require.Equal(t, login, known)
		again, vs := NewLogin(login.String())
		require.Nil(t, vs)
		require.Equal(t, login, again, "a login parses to itself")
	})
}

// FuzzTexts proves that every accepted text is valid UTF-8, in NFC, without control characters and of bounded length.
func FuzzTexts(f *testing.F) {
	for _, s := range []string{"Анна", " a ", "a@b.cd", "почта@пример.рф", "\x00", "\xff", "e\u0301", "01.02.2003", "\u200b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var accepted []string
		if name, vs := NewFirstName(s); vs == nil {
			accepted = append(accepted, name.String())
		}
		if email, vs := NewEmail(s); vs == nil {
			accepted = append(accepted, email.String())
			require.Equal(t, 1, strings.Count(email.Key(), "@"))
			again, vs := NewEmail(strings.ToUpper(email.String()))
			if vs == nil && isPlain(s) {
				require.Equal(t, email.Key(), again.Key())
			}
		}
		for _, text := range accepted {
			require.True(t, utf8.ValidString(text))
			require.True(t, norm.NFC.IsNormalString(text))
			require.False(t, strings.ContainsFunc(text, isControl))
			require.Equal(t, trim(text), text)
			require.NotEmpty(t, text)
			require.LessOrEqual(t, utf8.RuneCountInString(text), MaxEmail)
		}
		if birthday, vs := NewBirthday(s, 20_000); vs == nil {
			date, given := birthday.Date()
			require.True(t, given)
			require.LessOrEqual(t, date, Date(20_000))
		}
		require.LessOrEqual(t, utf8.RuneCountInString(presentable(strings.ToValidUTF8(s, "?"))), MaxLogin+1)
	})
}

func TestSimpleTextsNeedNoSlowerCheck(t *testing.T) {
	for r := range rune(0x3000) {
		if s := string(r); isSimple(s) {
			require.False(t, isInvisible(r) || isControl(r), "%q", s)
			require.Equal(t, s, norm.NFC.String(s))
		}
	}
	require.True(t, isSimple("Анна-Мария d'Arc"))
}
