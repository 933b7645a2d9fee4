package domain

import "time"

// A UserFilter selects users. Its zero value selects all.
type UserFilter struct {
	// Text is the beginning of a last name, of a first name, of both in either order, of a login, an email or a phone. Case does not
	// count, and ё is е. Empty for all.
	Text string

	Status Status // that applies, even if it is not the user's first one; empty for all
	Group  string // without regard to case; empty for all
	Import int64  // that registered the user; 0 for all

	// From and Until bound the time of the registration: From is included, Until is not. Zero for no bound.
	From, Until time.Time

	SignedInBefore time.Time // selects users who have not signed in since; zero for all
}

// A UserOrder is an order of users.
type UserOrder string

// The orders of users.
const (
	UsersByName       UserOrder = "name"
	UsersByRegistered UserOrder = "-registered"   // the newest first
	UsersByLastSignIn UserOrder = "-last_sign_in" // the latest first; those without one last
)

// UserOrders returns all orders of users. The first is the default.
func UserOrders() []UserOrder { return []UserOrder{UsersByName, UsersByRegistered, UsersByLastSignIn} }
