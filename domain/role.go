package domain

import (
	"errors"
	"slices"
	"time"
)

// Role is what lets a user do more than others.
type Role string

// RoleOperator is the role of users who upload files, hand out temporary passwords, and download rejected records.
const RoleOperator Role = "operator"

// Has tells whether the user has a role.
func (u *User) Has(role Role) bool { return slices.Contains(u.Roles, role) }

// ReportsAccess says which signed-in users see the reports of imports.
type ReportsAccess string

// The values of ReportsAccess.
const (
	ReportsForAny       ReportsAccess = "any"
	ReportsForOperators ReportsAccess = "operators"
)

// Allows tells whether it lets a user in.
func (a ReportsAccess) Allows(user *User) bool { return a == ReportsForAny || user.Has(RoleOperator) }

var (
	// ErrNotOperator is returned when a user asks for what is for operators only.
	ErrNotOperator = errors.New("user is not an operator")

	// ErrLastOperator is returned when the last operator would lose the role.
	ErrLastOperator = errors.New("user is the last operator")

	// ErrSetupCode is returned for a setup code that does not work.
	ErrSetupCode = errors.New("setup code is unknown or expired, or there is an operator")
)

// SetupCodeLifetime is how long a code can make a user the first operator.
const SetupCodeLifetime = 7 * 24 * time.Hour
