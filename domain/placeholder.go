package domain

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// placeholders are what people and programs write for no value, besides a sign.
var placeholders = []string{
	"null", "nil", "nan", "none", "n/a", "n.a.", "#n/a", "undefined", "<null>", "(null)", "[null]", `\n`, "<none>", "(none)", "<na>", "<n/a>", "<empty>", "(empty)",
	"unknown", "not provided", "not specified", "not available", "no email", "no phone",
	"нет", "нету", "нд", "н/д", "н.д.", "н/о", "#н/д", "нет данных", "не указано", "не указан", "не указана", "не имеет", "не имеется", "не заполнено",
	"неизвестно", "нет почты", "нет телефона", "нет отчества", "без отчества", "б/о", "б/н", "отсутствует", "прочерк", "пусто", "<пусто>",
}

// names that are also placeholders are names if they are written as names.
var names = []string{"Null", "Nan"}

// maxPlaceholder is the number of bytes from which no text is a placeholder.
const maxPlaceholder = 32

// IsPlaceholder reports whether a value stands for no value: a word or sign for none, an error of a spreadsheet, or a date of zeros.
func (f PersonField) IsPlaceholder(s string) bool {
	first, size := utf8.DecodeRuneInString(s)
	isWord := strings.ContainsRune("nuNUбнопБНОП", first)                         // which begins with the first letter of a placeholder
	if code, isError := strings.CutPrefix(s, "Err:"); isError && isDigits(code) { // of LibreOffice
		return true
	}
	if len(s) >= maxPlaceholder || unicode.IsLetter(first) && !isWord {
		return false
	}
	if cleaned := clean(s); len(cleaned) != len(s) {
		s = cleaned
		first, size = utf8.DecodeRuneInString(s)
	}
	switch {
	case s == "":
		return false
	case unicode.IsLetter(first):
		isName := (f == PersonFirstName || f == PersonLastName) && slices.Contains(names, s)
		return !isName && isListed(s)
	case first == '0':
		return s == "0" || strings.ContainsAny(s, "./-") && strings.Trim(s, "0./-: ") == ""
	case first == '#' && len(s) > size && (strings.HasSuffix(s, "!") || strings.HasSuffix(s, "?")): // #REF!, #NAME?
		return true
	}
	if inner, ok := strings.CutPrefix(s, "("); ok && isListed(strings.TrimSuffix(inner, ")")) {
		return true
	}
	return isSign(first) && (isListed(s) || !strings.ContainsFunc(s, func(r rune) bool { return !isSign(r) && !unicode.IsSpace(r) }))
}

func isSign(r rune) bool { return unicode.In(r, unicode.P, unicode.Sm, unicode.Sk) }

func isListed(s string) bool {
	// Capitals of these letters have as many bytes as small letters, so that most names need no comparison.
	return slices.ContainsFunc(placeholders, func(placeholder string) bool { return len(s) == len(placeholder) && strings.EqualFold(s, placeholder) })
}
