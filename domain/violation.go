// Package domain defines registration without any technology: values that are valid by construction, the rules by which a candidate
// becomes a registration, and the rule of sequence of an import.
package domain

import (
	"iter"
	"slices"
)

// The maximum numbers of characters, after normalisation.
const (
	MaxName  = 100 // of each name of a person
	MaxGroup = 100
	MaxLogin = 64
	MaxEmail = 254 // RFC 5321, erratum 1690
)

// A Field is the name of a field.
type Field string

// FieldRecord stands for the record as a whole.
const FieldRecord Field = ""

// The fields of a person who chooses a password.
const (
	FieldPassword    Field = "password"
	FieldOldPassword Field = "old_password"
)

// A Code says which rule a field breaks. Codes are stable: they are stored, and translated at the edge.
type Code string

// The codes of violations.
const (
	CodeUnreadable      Code = "unreadable"       // a damaged line or row between readable ones
	CodeNotObject       Code = "not_object"       // something other than a record
	CodeNested          Code = "nested"           // the fields stand in an object inside the record
	CodeRequired        Code = "required"         // missing
	CodeContactRequired Code = "contact_required" // neither an email nor a phone
	CodeEmpty           Code = "empty"            // only white space
	CodePlaceholder     Code = "placeholder"      // stands for no value, such as a dash or NULL
	CodeType            Code = "type"             // not a text (a phone: neither a text nor a number)
	CodeRepeated        Code = "repeated"         // given more than once
	CodeEncoding        Code = "encoding"         // malformed UTF-8, or half of a surrogate pair
	CodeCellError       Code = "cell_error"       // an error in a cell of a workbook, such as #N/A
	CodeUncomputed      Code = "uncomputed"       // a formula of a workbook without its result
	CodeControl         Code = "control"          // NUL, another control character, or a change of writing direction
	CodeTooLong         Code = "too_long"         // more than Limit characters
	CodeInvalid         Code = "invalid"          // not a login, email, phone or date
	CodeFullName        Code = "full_name"        // a full name in one text whose parts are ambiguous
	CodeExtension       Code = "extension"        // a phone with an extension
	CodeMixedScripts    Code = "mixed_scripts"    // a login or email with letters of several alphabets
	CodeAmbiguousDate   Code = "ambiguous_date"   // a date in a table in which the day or the month may be first
	CodeFuture          Code = "future"           // a birthday after today
	CodeTaken           Code = "taken"            // belongs to an existing account
	CodeIsContact       Code = "is_contact"       // a login that reads as an email or a phone other than the person's own
	CodeTooShort        Code = "too_short"        // a password of fewer than Limit characters
	CodeCommon          Code = "common"           // a frequent password
	CodeHoldsLogin      Code = "holds_login"      // a password that contains the login
	CodeWrong           Code = "wrong"            // not the account's password
	CodeSame            Code = "same"             // the account's current password
)

// Codes returns every code.
func Codes() []Code {
	return []Code{
		CodeUnreadable, CodeNotObject, CodeNested, CodeRequired, CodeContactRequired, CodeEmpty, CodePlaceholder, CodeType, CodeRepeated,
		CodeEncoding, CodeCellError, CodeUncomputed, CodeControl, CodeTooLong, CodeInvalid, CodeFullName, CodeExtension, CodeMixedScripts,
		CodeAmbiguousDate, CodeFuture, CodeTaken, CodeIsContact, CodeTooShort, CodeCommon, CodeHoldsLogin, CodeWrong, CodeSame,
	}
}

// Fields returns every field, in the order of violations.
func Fields() []Field {
	all := make([]Field, 0, NumPersonFields+2)
	for f := range PersonField(NumPersonFields) {
		all = append(all, f.Name())
	}
	return append(all, FieldOldPassword, FieldPassword)
}

// A Violation is a broken rule.
type Violation struct {
	Field Field
	Code  Code
	Limit int // maximum or minimum number of characters, with CodeTooLong or CodeTooShort
}

// Reason returns the violation without its limit.
func (v Violation) Reason() Reason { return Reason{v.Field, v.Code} }

// Violations are all violations of one record, in the order of its fields. A valid record has none.
type Violations []Violation

// OfNoRecord reports whether there was no record to check.
func (vs Violations) OfNoRecord() bool {
	return len(vs) > 0 && (vs[0].Code == CodeNotObject || vs[0].Code == CodeUnreadable)
}

// Reasons yields each distinct reason.
func (vs Violations) Reasons() iter.Seq[Reason] {
	return func(yield func(Reason) bool) {
		for i, v := range vs {
			reason := v.Reason()
			told := slices.ContainsFunc(vs[:i], func(before Violation) bool { return before.Reason() == reason })
			if !told && !yield(reason) {
				return
			}
		}
	}
}
