package domain

import (
	"errors"
	"slices"
)

// Role is what lets a user do more than others.
type Role string

// RoleOperator is of users who see what imports did, and upload files.
const RoleOperator Role = "operator"

// Has tells whether the user has a role.
func (u *User) Has(role Role) bool { return slices.Contains(u.Roles, role) }

// ReportsAccess says which of those who are signed in see what imports did, and upload files.
type ReportsAccess string

// The values of ReportsAccess.
const (
	ReportsForAny       ReportsAccess = "any"
	ReportsForOperators ReportsAccess = "operators"
)

// Allows tells whether it lets a user in.
func (a ReportsAccess) Allows(user *User) bool { return a == ReportsForAny || user.Has(RoleOperator) }

// ErrNotOperator is returned when what somebody asks for is for operators only.
var ErrNotOperator = errors.New("user is no operator")
