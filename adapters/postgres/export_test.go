package postgres

import "rollcall/domain"

// Bounds that tests exceed.
const (
	MaxNesting    = maxNesting
	MaxNumber     = maxNumber
	EraseRows     = eraseRows
	RollUpImports = rollUpImports
	ListUsers     = listUsers
)

// Original returns what is stored of a rejection's original.
func Original(text []byte) []byte { return original(&domain.Rejection{Original: text}) }

// Optimism is an optimism.
type Optimism struct{ optimism }

// NewOptimism returns the optimism of a new import.
func NewOptimism() Optimism { return Optimism{newOptimism()} }

// ShouldLookUp reports whether the next batch is looked up.
func (o *Optimism) ShouldLookUp() bool { return o.shouldLookUp() }

// FoundTaken records a lookup that found a taken key.
func (o *Optimism) FoundTaken() { o.foundTaken() }

// FoundNone records a lookup that found no taken key.
func (o *Optimism) FoundNone() { o.foundNone() }

// Clashed records a batch that was copied in vain.
func (o *Optimism) Clashed() { o.clashed() }

// A Next is the step that Retry takes after an attempt.
type Next = next

// The values of Next.
const (
	Stop  = stop
	Again = again
	Later = later
)

// Retry calls a function until it stops.
var Retry = retry

// NewUsersOfLarge returns a store that takes no directory for small.
func NewUsersOfLarge(db *DB) *Users { return &Users{db, 0} }
