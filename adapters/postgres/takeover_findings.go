package postgres

import "rollcall/domain"

// A Finding is a fact about the first service's data that an administrator should know. Fields that its kind does not mention are empty.
type Finding struct {
	Kind       FindingKind
	ID         int64  // of the user, profile, import or rejected record
	Login      string // of the user, as the first service has it; empty for none
	Violations domain.Violations
	Field      domain.Field
	Value      string
	Other      int64  // id of another user
	OtherLogin string // of that user
}

// A FindingKind is the kind of a finding.
type FindingKind string

// The kinds of findings. ID is that of a user, unless the kind says otherwise.
const (
	// FindingInvalid is a user with values that today's rules reject: see Violations. The user keeps them and can sign in.
	FindingInvalid FindingKind = "invalid"

	// FindingDoubtfulBirthday is a user whose birthday, Value, may have day and month exchanged. The user keeps it.
	FindingDoubtfulBirthday FindingKind = "doubtful birthday"

	// FindingNoBirthday is a user whose birthday, Value, is no day. The user has no birthday now.
	FindingNoBirthday FindingKind = "no birthday"

	// FindingNoPassword is a user without a hash that can be compared with a password. The user cannot sign in.
	FindingNoPassword FindingKind = "no password"

	// FindingNoDate is a user without a date of registration. The user has the date of the takeover now.
	FindingNoDate FindingKind = "no date"

	// FindingNoProfile is a user without a profile.
	FindingNoProfile FindingKind = "no profile"

	// FindingOtherProfile is a profile of a user who has another one, or of no user. It stays in the first service's table only.
	FindingOtherProfile FindingKind = "other profile"

	// FindingClash is a user whose Field has the same value as that of an earlier user, Other. A login also clashes if it is the email
	// or phone of the other user; Value says which.
	FindingClash FindingKind = "clash"

	// FindingRenamed is a user whose login clashed. Value is the new one.
	FindingRenamed FindingKind = "renamed"

	// FindingContactLost is a user whose email or phone clashed. Field says which, and Value is the one that the user no longer has.
	FindingContactLost FindingKind = "contact lost"

	// FindingIncompleteImport is an import without a status or date. It has those that follow from its description and from the import
	// before it.
	FindingIncompleteImport FindingKind = "incomplete import"

	// FindingRenumbered is a rejected record without a number from 1, or with one that another record of the import has. Value is the
	// new one.
	FindingRenumbered FindingKind = "renumbered"

	// FindingNoImport is a rejected record without an import. It is in an import that the takeover added.
	FindingNoImport FindingKind = "no import"
)
