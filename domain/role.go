package domain

import (
	"errors"
	"slices"
	"time"
)

// A Role permits a user to do more than others.
type Role string

// RoleOperator is the role of users who upload files, hand out temporary passwords, and download rejected records.
const RoleOperator Role = "operator"

// Has reports whether the user has a role.
func (u *User) Has(role Role) bool { return slices.Contains(u.Roles, role) }

// ReportsAccess says which users may see the reports of imports.
type ReportsAccess string

// The values of ReportsAccess.
const (
	ReportsForAny       ReportsAccess = "any"
	ReportsForOperators ReportsAccess = "operators"
)

// Allows reports whether a user may see the reports.
func (a ReportsAccess) Allows(user *User) bool { return a == ReportsForAny || user.Has(RoleOperator) }

var (
	// ErrNotOperator is returned when a user asks for something that only operators may do.
	ErrNotOperator = errors.New("user is not an operator")

	// ErrLastOperator is returned when the last operator would lose the role.
	ErrLastOperator = errors.New("user is the last operator")

	// ErrSetupCode is returned for a setup code that is not valid, or not any more.
	ErrSetupCode = errors.New("setup code is unknown or expired, or there is an operator already")
)

// SetupCodeLifetime is the time for which a setup code is valid.
const SetupCodeLifetime = 7 * 24 * time.Hour
