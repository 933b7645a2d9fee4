package postgres

import "rollcall/domain"

// What tests ask of original.
const (
	MaxNesting = maxNesting
	MaxNumber  = maxNumber
	EraseRows  = eraseRows

	RollUpImports = rollUpImports
)

// Original is what is kept of what a rejection came with.
func Original(text []byte) []byte { return original(&domain.Rejection{Original: text}) }
