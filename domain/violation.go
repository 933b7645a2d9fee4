// Package domain holds what is true of registration without any technology: values that are valid by construction, the
// rules that make a candidate a registration, and the rule of sequence that an import follows.
package domain

import (
	"iter"
	"slices"
)

// MaxLength is how many characters a login, a name or an e-mail may have, after normalisation.
const MaxLength = 50

// Field names a field of a person, by the name it has in JSON.
type Field string

// FieldRecord stands for the record as a whole.
const FieldRecord Field = ""

// The fields of a person who chooses a password.
const (
	FieldPassword    Field = "password"
	FieldOldPassword Field = "old_password"
)

// Code says in what way a field breaks a rule. Codes are stable: they are stored, and translated at the edge.
type Code string

// The codes of violations.
const (
	CodeUnreadable      Code = "unreadable"       // the line or row is broken, and those around it are not
	CodeNotObject       Code = "not_object"       // the element is a number, a string, a list, true, false or null
	CodeRequired        Code = "required"         // the field is missing or null
	CodeContactRequired Code = "contact_required" // neither an e-mail nor a phone is given
	CodeEmpty           Code = "empty"            // nothing but white space
	CodeType            Code = "type"             // not a string (a phone: neither a string nor a number)
	CodeRepeated        Code = "repeated"         // the key stands in the object more than once
	CodeEncoding        Code = "encoding"         // malformed UTF-8, or half of a surrogate pair
	CodeControl         Code = "control"          // NUL, another control character, or a change of writing direction
	CodeTooLong         Code = "too_long"         // more than Limit characters
	CodeInvalid         Code = "invalid"          // not a login, e-mail, phone or date
	CodeMixedScripts    Code = "mixed_scripts"    // a login with letters of several alphabets
	CodeFuture          Code = "future"           // a birthday after today
	CodeTaken           Code = "taken"            // it belongs to an account that exists
	CodeIsContact       Code = "is_contact"       // a login that reads as an email or a phone other than the person's own
	CodeTooShort        Code = "too_short"        // a password of less than Limit characters
	CodeCommon          Code = "common"           // a password that many people have
	CodeHoldsLogin      Code = "holds_login"      // a password with the login in it
	CodeWrong           Code = "wrong"            // not the password that the account has
	CodeSame            Code = "same"             // the password that the account has already
)

// Codes lists every code, for whoever must have a word for each.
func Codes() []Code {
	return []Code{
		CodeUnreadable, CodeNotObject, CodeRequired, CodeContactRequired, CodeEmpty, CodeType, CodeRepeated, CodeEncoding, CodeControl,
		CodeTooLong, CodeInvalid, CodeMixedScripts, CodeFuture, CodeTaken, CodeIsContact, CodeTooShort, CodeCommon, CodeHoldsLogin, CodeWrong,
		CodeSame,
	}
}

// Fields lists every field, in the order in which violations are told.
func Fields() []Field {
	all := make([]Field, 0, NumPersonFields+2)
	for f := range PersonField(NumPersonFields) {
		all = append(all, f.Name())
	}
	return append(all, FieldOldPassword, FieldPassword)
}

// Violation is one broken rule.
type Violation struct {
	Field Field
	Code  Code
	Limit int // with CodeTooLong and CodeTooShort: how many characters there may be, or must
}

// Reason is the violation without its limit.
func (v Violation) Reason() Reason { return Reason{v.Field, v.Code} }

// Violations are all broken rules of one object, in the order of its fields. None means that it is valid.
type Violations []Violation

// OfNoRecord reports whether there was no record to be checked: something else stood in its place.
func (vs Violations) OfNoRecord() bool {
	return len(vs) > 0 && (vs[0].Code == CodeNotObject || vs[0].Code == CodeUnreadable)
}

// Reasons yields each reason once.
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
