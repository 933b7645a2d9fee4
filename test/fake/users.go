package fake

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// Users finds the accounts of Store.
type Users struct{ Store *Imports }

// userPlace is the place after a user in an order.
type userPlace struct {
	Order domain.UserOrder
	Name  string
	At    time.Time
	ID    int64
}

// Page implements ports.UserStore.
func (u Users) Page(ctx context.Context, query ports.UserQuery, terms ports.SearchTerms) (*ports.FoundPage, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	found := u.find(ports.UserSelection{Filter: query.Filter}, query.Order, terms)
	if query.After != "" {
		var after userPlace
		text, err := base64.RawURLEncoding.DecodeString(query.After)
		if err == nil {
			err = json.Unmarshal(text, &after)
		}
		if err != nil || after.Order != query.Order {
			return nil, ports.ErrPlace
		}
		found = slices.DeleteFunc(found, func(f ports.FoundUser) bool { return comparePlaces(placeOf(f, query.Order), after) <= 0 })
	}
	page := &ports.FoundPage{Users: found[:min(len(found), ports.UsersPerPage)]}
	if len(found) > ports.UsersPerPage {
		text, err := json.Marshal(placeOf(found[ports.UsersPerPage-1], query.Order))
		if err != nil {
			return nil, fmt.Errorf("encode place: %w", err)
		}
		page.Next = base64.RawURLEncoding.EncodeToString(text)
	}
	return page, nil
}

// Count implements ports.UserStore.
func (u Users) Count(ctx context.Context, selection ports.UserSelection, terms ports.SearchTerms, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("count users: %w", err)
	}
	return min(len(u.find(selection, domain.UsersByName, terms)), limit), nil
}

// Read implements ports.UserStore.
func (u Users) Read(
	ctx context.Context, selection ports.UserSelection, order domain.UserOrder, terms ports.SearchTerms,
	work func(iter.Seq2[ports.FoundUser, error]) error,
) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("read users: %w", err)
	}
	found := u.find(selection, order, terms)
	return work(func(yield func(ports.FoundUser, error) bool) {
		for _, user := range found {
			if !yield(user, nil) {
				return
			}
		}
	})
}

// List implements ports.UserStore.
func (Users) List(ctx context.Context) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("list users: %w", err)
	}
	return 0, nil
}

// find returns the selected users in an order.
func (u Users) find(selection ports.UserSelection, order domain.UserOrder, terms ports.SearchTerms) []ports.FoundUser {
	u.Store.mu.Lock()
	defer u.Store.mu.Unlock()
	return u.Store.find(selection, order, terms)
}

func (s *Imports) find(selection ports.UserSelection, order domain.UserOrder, terms ports.SearchTerms) (found []ports.FoundUser) {
	for i := range s.accounts {
		id := int64(i + 1)
		if s.has(id) {
			found = append(found, ports.FoundUser{User: s.user(i), LastSignIn: lastOf(s.standings[id].signIns)})
		}
	}
	return SelectUsers(found, selection, order, terms)
}

func lastOf(signIns []domain.SignIn) (last time.Time) {
	for _, signIn := range signIns {
		if signIn.Time.After(last) {
			last = signIn.Time
		}
	}
	return last
}

// SelectUsers returns the selected ones of all users, in an order.
func SelectUsers(all []ports.FoundUser, selection ports.UserSelection, order domain.UserOrder, terms ports.SearchTerms) (found []ports.FoundUser) {
	search := domain.NewUserSearch(selection.Filter.Text, terms.Region)
	places := map[int64]userPlace{}
	for _, f := range all {
		if selection.IDs != nil && slices.Contains(selection.IDs, f.User.ID) || selection.IDs == nil && selects(&selection.Filter, &search, f, terms) {
			found, places[f.User.ID] = append(found, f), placeOf(f, order)
		}
	}
	slices.SortFunc(found, func(a, b ports.FoundUser) int { return comparePlaces(places[a.User.ID], places[b.User.ID]) })
	return found
}

func placeOf(f ports.FoundUser, order domain.UserOrder) userPlace {
	place := userPlace{Order: order, ID: f.User.ID}
	switch order {
	case domain.UsersByRegistered:
		place.At = f.User.Registered
	case domain.UsersByLastSignIn:
		place.At = f.LastSignIn
	}
	if place.At.IsZero() {
		place.Name = domain.NameKey(f.User)
	}
	return place
}

func comparePlaces(a, b userPlace) int {
	byTime := b.At.Compare(a.At)
	switch {
	case byTime != 0:
		return byTime
	case a.At.IsZero():
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	}
	return cmp.Compare(b.ID, a.ID)
}

func selects(filter *domain.UserFilter, search *domain.UserSearch, f ports.FoundUser, terms ports.SearchTerms) bool {
	user := f.User
	return (search.Name == "" || isFound(search, user)) &&
		(filter.Status == "" || applies(filter.Status, f, terms.Expired)) &&
		(domain.GroupKey(filter.Group) == "" || domain.GroupKey(filter.Group) == domain.GroupKey(user.Group)) &&
		(filter.Import == 0 || filter.Import == user.Import) &&
		(filter.From.IsZero() || !user.Registered.Before(filter.From)) &&
		(filter.Until.IsZero() || user.Registered.Before(filter.Until)) &&
		(filter.SignedInBefore.IsZero() || f.LastSignIn.Before(filter.SignedInBefore))
}

func isFound(search *domain.UserSearch, user *domain.User) bool {
	name, first := domain.NameKey(user), domain.FirstNameKey(user)
	beginsWith := func(key string, beginnings []string) bool {
		return key != "" && slices.ContainsFunc(beginnings, func(beginning string) bool { return strings.HasPrefix(key, beginning) })
	}
	hasPair := func(pair domain.NamePair) bool {
		lacks := func(beginning string) bool { return !strings.Contains(" "+name, " "+beginning) }
		return !slices.ContainsFunc(pair.Others, lacks) && slices.ContainsFunc([]string{first, domain.FurtherNameKey(user)}, func(key string) bool {
			word, rest, _ := strings.Cut(key, " ")
			return key != "" && strings.HasPrefix(word, pair.First) && strings.HasPrefix(rest, pair.Last)
		})
	}
	return strings.HasPrefix(name, search.Name) || strings.HasPrefix(first, search.Name) || slices.ContainsFunc(search.Pairs, hasPair) ||
		beginsWith(domain.RestoreLogin(user.Login).Key(), search.Logins) ||
		beginsWith(domain.RestoreEmail(user.Email).Key(), search.Emails) || beginsWith(user.Phone, search.Phones)
}

// applies reports whether a status is one of a user's.
func applies(status domain.Status, f ports.FoundUser, expired time.Time) bool {
	if f.User.IsSuspended() {
		return status == domain.StatusSuspended
	}
	isTemporary := strings.HasPrefix(f.User.Password.Hash, ports.TemporaryScheme)
	isExpired := !f.User.Password.Made.After(expired)
	switch status {
	case domain.StatusNeverSignedIn:
		return isTemporary && f.User.PasswordUsedBy == nil && f.LastSignIn.IsZero()
	case domain.StatusTemporaryPassword:
		return isTemporary && !isExpired
	case domain.StatusTemporaryPasswordExpired:
		return isTemporary && isExpired
	case domain.StatusActive:
		return !isTemporary
	}
	return false
}
