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
func NameKey(u *User) string { return foldName(u.LastName + " " + u.FirstName + " " + u.Patronymic) }

// FirstNameKey returns the text by which a user is found whose first name comes first.
func FirstNameKey(u *User) string { return foldName(u.FirstName + " " + u.LastName) }

// FurtherNameKey returns the text by which a user with several first names is found by one of them and the last name: the further ones come
// last. It is empty for other users, whose FirstNameKey is the same text.
func FurtherNameKey(u *User) string {
	first, further, hasFurther := strings.Cut(foldName(u.FirstName), " ")
	if !hasFurther {
		return ""
	}
	return foldName(first + " " + u.LastName + " " + further)
}

// GroupKey returns the text by which the members of a group are found. Empty for no group.
func GroupKey(group string) string { return fold(group) }

// fold returns a text without the differences that a search ignores: case, ё and е, width and other forms of a letter, and extra blanks.
func fold(s string) string {
	if !isSimple(s) {
		s = norm.NFKC.String(clean(s))
	}
	return strings.ReplaceAll(singleSpaced(trim(foldSigma(strings.ToLower(s)))), "ё", "е")
}

// foldName folds a name. The forms of an apostrophe and of a hyphen do not count either.
func foldName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune("’‘ʼʹ′`", r):
			return '\''
		case isDash(r):
			return '-'
		}
		return r
	}, fold(s))
}

// A UserSearch holds the beginnings of keys for which a text searches. It finds the users who have at least one such key.
type UserSearch struct {
	Name string // of a NameKey or a FirstNameKey; empty if the text is blank

	Pairs []NamePair // beginnings of a first and a last name, if the text has several words

	Logins, Emails []string // of keys
	Phones         []string // of digits of E.164
}

// A NamePair holds the beginnings of the first word of a FirstNameKey or FurtherNameKey, and of what follows. Others are the beginnings of any
// words of the NameKey.
type NamePair struct {
	First, Last string
	Others      []string
}

// pairsOf returns the pairs that the words of a text may be: a first and a last name in either order, with a patronymic or further first names
// after them, or between a first and a last name.
func pairsOf(words []string) (pairs []NamePair) {
	const most = 8 // words of a name
	n := len(words)
	if n < 2 || n > most {
		return nil
	}
	pairs = []NamePair{{words[1], words[0], words[2:]}, {words[0], words[1], words[2:]}}
	if n > 2 {
		pairs = append(pairs, NamePair{words[0], words[n-1], words[1 : n-1]})
	}
	return pairs
}

// nameOf returns the beginning of a name that a text is, without the signs that lists have after a name and around one.
func nameOf(text string) string {
	name := singleSpaced(trim(strings.Map(func(r rune) rune {
		if strings.ContainsRune(".,;\"«»“”„", r) {
			return ' '
		}
		return r
	}, text)))
	if name == "" { // the text consists of such signs, and finds no name
		name = text
	}
	return foldName(name)
}

// minSearchDigits is the least number of digits with which a text may be the beginning of a phone.
const minSearchDigits = 3

// NewUserSearch returns the search for a text. A phone without a country code belongs to region.
func NewUserSearch(text, region string) UserSearch {
	text = clean(strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd")) // which no key has
	if text == "" {
		return UserSearch{}
	}
	s := UserSearch{Name: nameOf(text), Phones: phoneBeginnings(text, region)}
	s.Pairs = pairsOf(strings.Fields(s.Name))
	if key := signInKey(text); key != "" {
		s.Logins = withYo(key)
	}
	s.Emails = withYo(emailBeginning(text))
	return s
}

// emailBeginning returns the beginning of the keys of emails that a text begins. The beginning of a word is not in its Punycode, so one that is
// the beginning of a domain stands for each domain with other letters than ASCII.
func emailBeginning(text string) string {
	key := RestoreEmail(text).Key()
	local, host, _ := strings.Cut(key, "@")
	if !strings.Contains(host, ".") && strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII }) {
		return local + "@xn--"
	}
	return key
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
