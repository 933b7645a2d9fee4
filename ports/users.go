package ports

import (
	"context"
	"iter"
	"time"

	"rollcall/domain"
)

// Users finds the accounts of users for operators. Every method returns ErrUnavailable if the database is unreachable.
type Users interface {
	// Page returns a page of the users that a query selects. It returns ErrPlace.
	Page(ctx context.Context, query UserQuery) (*UserPage, error)

	// Count counts selected users, up to a limit.
	Count(ctx context.Context, selection UserSelection, limit int) (int, error)

	// CountAll counts all selected users, also those whom an import has just registered.
	CountAll(ctx context.Context, selection UserSelection) (int, error)

	// Read calls work with all selected users, in an order. The users are those of one moment, and can be iterated once, until work
	// returns. Each is valid until the next one. Read returns the error of work.
	Read(ctx context.Context, selection UserSelection, order domain.UserOrder, work func(iter.Seq2[*domain.Person, error]) error) error
}

// A UserSelection is a set of users: those that a filter selects, or those with ids.
type UserSelection struct {
	Filter domain.UserFilter
	IDs    []int64 // nil for those of the filter
}

// A UserQuery asks for a page of users. The many users that a text finds are not in Order: those whose last name it begins come first, then
// first names, logins, emails and phones.
type UserQuery struct {
	Filter domain.UserFilter
	Order  domain.UserOrder
	After  string // place at which the page starts, as Next of the page before; empty for the first page
}

// A UserPage is a page of users. Any page may have few users, or none: a store reads a bounded number of accounts for a page, and the
// selected ones may be far apart.
type UserPage struct {
	Users []*domain.Person // SignIns has only the latest one
	Next  string           // place of the next page; empty for none

	// Unlisted is the number of registered users whom no search finds yet, because a large import has just ended.
	Unlisted int
}

// UsersPerPage is the largest number of users on a page.
const UsersPerPage = 50

// SearchTerms are the terms of a search that depend on the server.
type SearchTerms struct {
	Expired time.Time // temporary passwords made at this time or earlier have expired
	Region  string    // of phones without a country code
}

// UserStore finds the accounts of users. Its methods are those of Users, without the status, which depends on the clock.
type UserStore interface {
	Page(ctx context.Context, query UserQuery, terms SearchTerms) (*FoundPage, error)
	Count(ctx context.Context, selection UserSelection, terms SearchTerms, limit int) (int, error)
	Read(ctx context.Context, selection UserSelection, order domain.UserOrder, terms SearchTerms, work func(iter.Seq2[FoundUser, error]) error) error

	// List makes some of the users findable whom imports have registered, and returns how many remain.
	List(ctx context.Context) (unlisted int, err error)
}

// A FoundUser is a user whom a store has found.
type FoundUser struct {
	User       *domain.User
	LastSignIn time.Time // zero for none that was recorded
}

// A FoundPage is a UserPage without statuses.
type FoundPage struct {
	Users    []FoundUser
	Next     string
	Unlisted int
}
