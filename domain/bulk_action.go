package domain

import (
	"errors"
	"slices"
)

// A BulkAction is a kind of change that an operator makes to many users. Actions are stable: they are stored, and are parts of addresses.
type BulkAction string

// The actions.
const (
	BulkPassword      BulkAction = "password" // gives new temporary passwords
	BulkSuspend       BulkAction = "suspend"
	BulkRestore       BulkAction = "restore"
	BulkGroup         BulkAction = "group"
	BulkRequireChange BulkAction = "require-change"
	BulkDelete        BulkAction = "delete"
)

// BulkActions returns every action.
func BulkActions() []BulkAction {
	return []BulkAction{BulkPassword, BulkGroup, BulkRequireChange, BulkSuspend, BulkRestore, BulkDelete}
}

// ParseBulkAction returns the action with a name, and whether there is one.
func ParseBulkAction(name string) (BulkAction, bool) {
	action := BulkAction(name)
	return action, slices.Contains(BulkActions(), action)
}

// SparesOperators reports whether the action leaves out operators, because it ends sessions. So an operator who selects all users remains
// signed in, and an operator who can sign in remains.
func (a BulkAction) SparesOperators() bool { return a != BulkGroup && a != BulkRestore }

// The codes of users whom an action leaves out.
const (
	CodeDeleted        Code = "deleted"         // the account was deleted since it was selected
	CodeUnselected     Code = "unselected"      // the filter no longer selects the user
	CodeOwnAccount     Code = "own_account"     // of the operator who asks
	CodeOperator       Code = "operator"        // of another operator
	CodeSuspended      Code = "suspended"       // already
	CodeNotSuspended   Code = "not_suspended"   // nothing to restore
	CodeChangeRequired Code = "change_required" // already
	CodeSameGroup      Code = "same_group"      // the user has the group
)

// BulkCodes returns every code of a user whom an action leaves out.
func BulkCodes() []Code {
	return []Code{
		CodeDeleted, CodeUnselected, CodeOwnAccount, CodeOperator, CodeSuspended, CodeNotSuspended, CodeChangeRequired, CodeSameGroup,
	}
}

// ErrSelectionChanged is returned if an action finds another number of users than its operator has confirmed.
var ErrSelectionChanged = errors.New("another number of users is selected than was confirmed")
