package domain

import (
	"errors"
	"fmt"
	"slices"
)

// The two sentences for an import that registered nobody, as they are answered and recorded.
const (
	DescriptionBroken      = "Bad request! JSON file is empty or broken."
	DescriptionNoneCreated = "Bad request! Users haven't been created."
)

// ErrBrokenFile is what a file is that holds no objects: empty, cut short, or not in the format it should have.
var ErrBrokenFile = errors.New("file is empty or broken")

var (
	// ErrTooManyRecords is returned for a file with more objects than one import may have.
	ErrTooManyRecords = errors.New("file has too many objects")

	// ErrTooSlow is returned for an import that takes more time than it may.
	ErrTooSlow = errors.New("import takes too long")
)

// BrokenFileError says where a file breaks. It is an ErrBrokenFile.
type BrokenFileError struct {
	Offset int64  // bytes before the place
	Record int    // the number of the object at the place, 0 outside of any
	Reason string // a phrase, e.g. "a comma is missing"
}

func (e *BrokenFileError) Error() string {
	if e.Record == 0 {
		return fmt.Sprintf("at byte %d: %s", e.Offset, e.Reason)
	}
	return fmt.Sprintf("at byte %d, in object %d: %s", e.Offset, e.Record, e.Reason)
}

// Unwrap makes the error an ErrBrokenFile.
func (e *BrokenFileError) Unwrap() error { return ErrBrokenFile }

// Tally counts the objects of an import. Those that are neither created nor refused were skipped: everybody or nobody was to
// be registered.
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

// Description is the sentence that the import is recorded with.
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

// Account is a registration with the hash of its password: what becomes a user and a profile.
type Account struct {
	Registration Registration
	PasswordHash string
}

// Rejection is an object that was refused.
type Rejection struct {
	Import      int64  // by its id, when it is recorded
	Record      int    // its number
	Login       string // as it came, fit to be shown
	Violations  Violations
	Description string // every violation in a sentence
	Original    []byte // the object as it came, in JSON; nil when it is not kept
	CountedOnly bool   // the import has too many like it: it counts, and nothing of it is kept
}

// Outcome is what came of an object: an account with its password, or violations.
type Outcome struct {
	Record     int
	Login      string
	Name       FullName // of whom an account was made, or would be
	Password   string   // empty where no account was made
	Violations Violations
	Skipped    bool // it has no violations, and was not registered because others have
}

// Progress is how far an import has come.
type Progress struct {
	Tally

	Bytes, Size int64 // of the file: those that were read, and all
}

// Taken is a set of logins, e-mails and phones that belong to accounts.
type Taken struct{ logins, emails, phones map[string]struct{} }

// NewTaken makes an empty set.
func NewTaken() *Taken {
	return &Taken{logins: map[string]struct{}{}, emails: map[string]struct{}{}, phones: map[string]struct{}{}}
}

// Clear makes the set empty again.
func (t *Taken) Clear() {
	clear(t.logins)
	clear(t.emails)
	clear(t.phones)
}

// AddLogin adds a login by its key.
func (t *Taken) AddLogin(key string) { t.logins[key] = struct{}{} }

// AddEmail adds an e-mail by its key.
func (t *Taken) AddEmail(key string) { t.emails[key] = struct{}{} }

// AddPhone adds a phone by its digits.
func (t *Taken) AddPhone(digits string) { t.phones[digits] = struct{}{} }

// Admit decides on an object by the rule of sequence: it is refused if it has violations, or if its login, e-mail or
// phone is taken. An admitted object takes its own; a refused one takes nothing. It returns all violations.
func (t *Taken) Admit(o *Record) Violations {
	reg := &o.Registration
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
	if taken != nil || o.Violations != nil {
		all, fields := slices.Concat(o.Violations, taken), Fields()
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
