package domain

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The contract's sentences for an import that registered no record. Imports are answered and recorded with them.
const (
	DescriptionBroken      = "Bad request! JSON file is empty or broken."
	DescriptionNoneCreated = "Bad request! Users haven't been created."
)

// ErrBrokenFile is returned for a file that holds no records: empty, cut short, or in another format than expected.
var ErrBrokenFile = errors.New("file is empty or broken")

var (
	// ErrTooManyRecords is returned for a file with more records than one import may have.
	ErrTooManyRecords = errors.New("file has too many records")

	// ErrTooSlow is returned for an import that exceeds its time limit.
	ErrTooSlow = errors.New("import takes too long")
)

// A BrokenFileError says where a file is broken. It is an ErrBrokenFile.
type BrokenFileError struct {
	Offset int64  // bytes before the error; 0 if the place is unknown
	Record int    // number of the record with the error; 0 for an error outside of records
	Reason string // a phrase such as "expected a comma"
}

func (e *BrokenFileError) Error() string {
	switch {
	case !e.HasPlace():
		return e.Reason
	case e.Record == 0:
		return fmt.Sprintf("at byte %d: %s", e.Offset, e.Reason)
	}
	return fmt.Sprintf("at byte %d, in record %d: %s", e.Offset, e.Record, e.Reason)
}

// HasPlace reports whether the place of the error is known.
func (e *BrokenFileError) HasPlace() bool { return e.Offset > 0 || e.Record > 0 }

// Unwrap returns ErrBrokenFile.
func (e *BrokenFileError) Unwrap() error { return ErrBrokenFile }

// ErrUnclearEncoding is returned for a file whose encoding cannot be detected. It is an ErrBrokenFile, too.
var ErrUnclearEncoding = errors.New("encoding of the file is unclear")

// An Encoding is an encoding that a text may have, with an example of how the text reads in it.
type Encoding struct {
	Charset string   // IANA name in lower case, such as "windows-1251"
	Words   []string // of the text, each the same word as in the other encodings
}

// An UnclearEncodingError names the encodings that a file may have, the likeliest first.
type UnclearEncodingError struct{ Encodings []Encoding }

func (e *UnclearEncodingError) Error() string {
	readings := make([]string, len(e.Encodings))
	for i, encoding := range e.Encodings {
		readings[i] = encoding.Charset
		if len(encoding.Words) > 0 {
			readings[i] += " (" + strings.Join(encoding.Words, ", ") + ")"
		}
	}
	return "It may be " + strings.Join(readings, " or ") + "."
}

// Unwrap returns ErrUnclearEncoding and ErrBrokenFile.
func (e *UnclearEncodingError) Unwrap() []error { return []error{ErrUnclearEncoding, ErrBrokenFile} }

// ErrUnknownSheet is returned for a sheet that is not in the file. It is an ErrBrokenFile, too.
var ErrUnknownSheet = errors.New("file has no such sheet")

// An UnknownSheetError names a sheet that is not in the file.
type UnknownSheetError struct {
	Name   string
	Sheets []string // of the file that are visible; nil if it is no workbook
}

func (e *UnknownSheetError) Error() string {
	if e.Sheets == nil {
		return fmt.Sprintf("It is not a workbook, so it has no sheet %q.", e.Name)
	}
	sheets := make([]string, len(e.Sheets))
	for i, name := range e.Sheets {
		sheets[i] = strconv.Quote(name)
	}
	return fmt.Sprintf("It has no sheet %q; its sheets are %s.", e.Name, strings.Join(sheets, ", "))
}

// Unwrap returns ErrUnknownSheet and ErrBrokenFile.
func (e *UnknownSheetError) Unwrap() []error { return []error{ErrUnknownSheet, ErrBrokenFile} }

// A Tally counts the records of an import. Records that were neither registered nor rejected were skipped, because a strict import
// registers every record or none.
type Tally struct{ Records, Registered, Rejected int }

// The statuses of the contract: an import is recorded and answered with one of them.
const (
	statusRegistered     = 200 // at least one account was registered
	statusNoneRegistered = 400
)

// Status returns the status that the import is recorded and answered with.
func (t Tally) Status() int {
	if t.Registered == 0 {
		return statusNoneRegistered
	}
	return statusRegistered
}

// Description returns the sentence with which the import is recorded.
func (t Tally) Description() string {
	switch t.Registered {
	case 0:
		return DescriptionNoneCreated
	case t.Records:
		return fmt.Sprintf("All users have been created (%d of %d users)", t.Registered, t.Records)
	default:
		return fmt.Sprintf("Not all users have been created (created by %d of %d users)", t.Registered, t.Records)
	}
}

// An Account is a registration with the hash of its password.
type Account struct {
	Registration Registration
	PasswordHash string
}

// A Rejection is a record that was not registered, and why.
type Rejection struct {
	Place

	Import      int64  // id of the recorded import
	Record      int    // number of the record
	Login       string // as given, fit to show
	Violations  Violations
	Description string // a sentence for each violation
	Original    []byte // as in Candidate; nil if it is not stored
	CountedOnly bool   // the import exceeds its share of stored rejections, so this one is only counted
}

// An Outcome is the result of a record: an account with its password, or violations.
type Outcome struct {
	Place // of a rejected record

	Record     int // number of the record
	Login      string
	Name       FullName // empty for a rejected record
	Group      Group    // zero for none, and for a rejected record
	Password   string   // empty if no account was registered
	Violations Violations
	Skipped    bool // the record is valid, and was not registered because others of a strict import are not
}

// Progress is the progress of an import.
type Progress struct {
	Tally

	Bytes int64 // read so far
	Size  int64 // of the file in bytes
}

// Taken is a set of logins, emails and phones that belong to accounts.
type Taken struct{ logins, emails, phones map[string]struct{} }

// NewTaken returns an empty set.
func NewTaken() *Taken {
	return &Taken{logins: map[string]struct{}{}, emails: map[string]struct{}{}, phones: map[string]struct{}{}}
}

// Clear empties the set.
func (t *Taken) Clear() {
	clear(t.logins)
	clear(t.emails)
	clear(t.phones)
}

// AddLogin adds a login by its key.
func (t *Taken) AddLogin(key string) { t.logins[key] = struct{}{} }

// AddEmail adds an email by its key.
func (t *Taken) AddEmail(key string) { t.emails[key] = struct{}{} }

// AddPhone adds a phone by its digits.
func (t *Taken) AddPhone(digits string) { t.phones[digits] = struct{}{} }

// Admit applies the rule of sequence: it rejects a record that has violations, or whose login, email or phone is taken. It adds the
// login, email and phone of an admitted record to the set. It returns all violations; none means that the record is admitted.
func (t *Taken) Admit(record *Record) Violations {
	reg := &record.Registration
	var taken Violations
	if _, found := t.logins[reg.Login.Key()]; found {
		taken = append(taken, Violation{Field: FieldLogin, Code: CodeTaken})
	}
	if _, found := t.emails[reg.Email.Key()]; found {
		taken = append(taken, Violation{Field: FieldEmail, Code: CodeTaken})
	}
	if _, found := t.phones[reg.Phone.String()]; found {
		taken = append(taken, Violation{Field: FieldPhone, Code: CodeTaken})
	}
	if taken == nil && record.Violations != nil {
		return record.Violations
	}
	if taken != nil {
		all, fields := slices.Concat(record.Violations, taken), Fields()
		slices.SortStableFunc(all, func(a, b Violation) int {
			return slices.Index(fields, a.Field) - slices.Index(fields, b.Field)
		})
		return all
	}
	t.AddLogin(reg.Login.Key())
	if key := reg.Email.Key(); key != "" {
		t.AddEmail(key)
	}
	if digits := reg.Phone.String(); digits != "" {
		t.AddPhone(digits)
	}
	return nil
}
