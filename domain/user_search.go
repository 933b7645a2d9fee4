package domain

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers/v2"
	"golang.org/x/text/unicode/norm"
)

// NameKey returns the text by which a user is found and sorted: last name, first name and patronymic, folded.
func NameKey(u *User) string { return fold(u.LastName + " " + u.FirstName + " " + u.Patronymic) }

// FirstNameKey returns the text by which a user is found whose first name comes first.
func FirstNameKey(u *User) string { return fold(u.FirstName + " " + u.LastName) }

// GroupKey returns the text by which the members of a group are found. Empty for no group.
func GroupKey(group string) string { return fold(group) }

// fold returns a text without the differences that a search ignores: case, ё and е, width and other forms of a letter, and extra blanks.
func fold(s string) string {
	if !isSimple(s) {
		s = norm.NFKC.String(clean(s))
	}
	return strings.ReplaceAll(singleSpaced(trim(foldSigma(strings.ToLower(s)))), "ё", "е")
}

// A UserSearch holds the beginnings of keys for which a text searches. It finds the users who have at least one such key.
type UserSearch struct {
	Name string // of a NameKey or a FirstNameKey; empty if the text is blank

	// First is the beginning of the first word of a NameKey or a FirstNameKey, and Rest that of its other words. Empty if the text is a
	// single word.
	First, Rest string

	Logins, Emails []string // of keys
	Phones         []string // of digits of E.164
}

// minSearchDigits is the least number of digits with which a text may be the beginning of a phone.
const minSearchDigits = 3

// NewUserSearch returns the search for a text. A phone without a country code belongs to region.
func NewUserSearch(text, region string) UserSearch {
	text = clean(strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd")) // which no key has
	if text == "" {
		return UserSearch{}
	}
	s := UserSearch{Name: fold(text), Phones: phoneBeginnings(text, region)}
	first, rest, hasRest := strings.Cut(s.Name, " ")
	if hasRest {
		s.First, s.Rest = first, rest
	}
	if key := signInKey(text); key != "" {
		s.Logins = withYo(key)
	}
	s.Emails = withYo(RestoreEmail(text).Key())
	return s
}

// withYo returns the variants of a key with е or ё in place of either letter, because keys of logins and emails distinguish them. Only the
// first three of these letters vary: every further one would double the number of keys.
func withYo(key string) []string {
	const most = 8
	all := []string{""}
	for _, r := range key {
		letters := []string{string(r)}
		if (r == 'е' || r == 'ё') && len(all) < most {
			letters = []string{"е", "ё"}
		}
		next := make([]string, 0, len(all)*len(letters))
		for _, letter := range letters {
			for _, beginning := range all {
				next = append(next, beginning+letter)
			}
		}
		all = next
	}
	return all
}

// phoneBeginnings returns the digits with which phones may begin that a text begins, with a country code or without. It accepts the
// punctuation of phones between the digits, and returns nil for other texts.
func phoneBeginnings(text, region string) []string {
	var b strings.Builder
	for i, r := range text {
		if '！' <= r && r <= '～' { // the wide forms of ASCII
			r -= '！' - '!'
		}
		switch {
		case '0' <= r && r <= '9':
			b.WriteRune(r)
		case r == '+' && i == 0, strings.ContainsRune("().", r), isDash(r), unicode.IsSpace(r):
		default:
			return nil
		}
	}
	digits := b.String()
	if len(digits) < minSearchDigits {
		return nil
	}
	all := []string{digits}
	if abroad, isAbroad := strings.CutPrefix(digits, "00"); isAbroad && abroad != "" {
		all = append(all, abroad)
	}
	if code := phonenumbers.GetCountryCodeForRegion(region); code != 0 && text[0] != '+' {
		national := strings.TrimPrefix(digits, phonenumbers.GetNddPrefixForRegion(region, true))
		all = append(all, strconv.Itoa(code)+national)
	}
	slices.Sort(all)
	return slices.CompactFunc(all, strings.HasPrefix) // of two beginnings the shorter one finds both
}
