package postgres

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

// selectionSQL returns the condition over the alias d of directory that selects users, with its arguments.
func selectionSQL(selection *ports.UserSelection, terms ports.SearchTerms) (condition string, args pgx.NamedArgs) {
	if selection.IDs != nil {
		return "d.name_key is not null and d.user_id = any(@ids)", pgx.NamedArgs{"ids": selection.IDs}
	}
	s := newSelecting(&selection.Filter, terms)
	if s.search.Name == "" {
		return s.condition(), s.args
	}
	return s.condition() + " and " + s.textSQL("d.user_id in (select u.id from users u where "), s.args
}

// end follows the beginning of a text to form the end of the range of all texts with this beginning. It is the last character of Unicode, which
// no key has.
const end = "\U0010ffff"

// selecting is a filter in SQL.
type selecting struct {
	filter *domain.UserFilter
	search domain.UserSearch
	group  string
	args   pgx.NamedArgs
}

func newSelecting(filter *domain.UserFilter, terms ports.SearchTerms) *selecting {
	s := &selecting{filter: filter, search: domain.NewUserSearch(filter.Text, terms.Region), group: domain.GroupKey(filter.Group)}
	s.args = pgx.NamedArgs{
		"group": s.group, "import": filter.Import, "expired": terms.Expired, "from": filter.From, "until": filter.Until, "before": filter.SignedInBefore,
		"end": end, "name": s.search.Name,
	}
	return s
}

// condition returns the filter apart from its text.
func (s *selecting) condition() string {
	return strings.Join(append(s.constraints(), "d.name_key is not null"), " and ")
}

// constraints returns the conditions of the filter apart from its text. An index finds the users of each.
func (s *selecting) constraints() (all []string) {
	add := func(given bool, condition string) {
		if given {
			all = append(all, condition)
		}
	}
	add(s.group != "", "d.group_key = @group")
	add(s.filter.Import != 0, "d.import = @import::bigint")
	add(s.filter.Status != "", statusSQL(s.filter.Status))
	add(s.period() != "", s.period())
	add(!s.filter.SignedInBefore.IsZero(), "(d.last_sign_in < @before or d.last_sign_in is null)")
	return all
}

func (s *selecting) period() string {
	var bounds []string
	if !s.filter.From.IsZero() {
		bounds = append(bounds, "d.registered >= @from")
	}
	if !s.filter.Until.IsZero() {
		bounds = append(bounds, "d.registered < @until")
	}
	return strings.Join(bounds, " and ")
}

func statusSQL(status domain.Status) string {
	const temporary = "d.standing in (1, 2) and d.temporary_since "
	switch status {
	case domain.StatusTemporaryPassword:
		return temporary + "> @expired"
	case domain.StatusTemporaryPasswordExpired:
		return temporary + "<= @expired"
	case domain.StatusSuspended, domain.StatusNeverSignedIn, domain.StatusActive:
		return fmt.Sprintf("d.standing = %d", standings[status])
	}
	return "d.standing is null" // true of no user
}

// standings are the values of directory.standing of statuses with one value.
var standings = map[domain.Status]int{
	domain.StatusSuspended: standsSuspended, domain.StatusNeverSignedIn: standsUnused, domain.StatusActive: standsChosen,
}

// textSQL returns the condition by which the text of the filter finds a user. A prefix of the condition determines how PostgreSQL looks up
// the keys in users: once for all of them, or for each user.
func (s *selecting) textSQL(ofUsers string) string {
	all := append(make([]string, 0, 2+2*len(s.search.Pairs)), begins("d.name_key", "@name"), begins("d.first_key", "@name"))
	for i := range s.search.Pairs {
		all = append(all, s.pairSQL("d.first_key", i), s.pairSQL("d.further_key", i))
	}
	var byKey []string
	for _, keys := range s.keys() {
		for i, beginning := range keys.beginnings {
			byKey = append(byKey, begins("u."+keys.column, s.parameter(keys.column, i, beginning)))
		}
	}
	return "(" + strings.Join(all, " or ") + " or " + ofUsers + "(" + strings.Join(byKey, " or ") + ")))"
}

// A keySearch holds the beginnings of keys in a column of users.
type keySearch struct {
	column     string
	beginnings []string
}

func (s *selecting) keys() []keySearch {
	return []keySearch{{"login_key", s.search.Logins}, {"email_key", s.search.Emails}, {"phone", s.search.Phones}}
}

// parameter returns the parameter of one of several beginnings of a key.
func (s *selecting) parameter(column string, i int, beginning string) string {
	name := fmt.Sprint(column, i)
	s.args[name] = beginning
	return "@" + name
}

// begins returns the condition that a key begins with a parameter.
func begins(key, parameter string) string {
	return fmt.Sprintf("(%[1]s >= %[2]s::text and %[1]s < %[2]s::text || @end)", key, parameter)
}

// pairSQL returns the condition that one of the text's pairs finds a user by a key.
func (s *selecting) pairSQL(key string, i int) string {
	pair := &s.search.Pairs[i]
	first, last := s.parameter("first", i, pair.First), s.parameter("last", i, pair.Last)
	all := append(make([]string, 0, 2+len(pair.Others)), begins(key, first),
		fmt.Sprintf("strpos(%[1]s, ' ') > 0 and starts_with(substr(%[1]s, strpos(%[1]s, ' ') + 1), %[2]s)", key, last))
	for j, other := range pair.Others {
		all = append(all, "strpos(' ' || d.name_key, "+s.parameter(fmt.Sprint("other", i, "_"), j, " "+other)+") > 0")
	}
	return "(" + strings.Join(all, " and ") + ")"
}

// orderSQL returns the order over the alias d.
func orderSQL(order domain.UserOrder) string {
	switch order {
	case domain.UsersByRegistered:
		return "d.registered desc, d.user_id desc"
	case domain.UsersByLastSignIn:
		return `d.last_sign_in desc nulls last, case when d.last_sign_in is null then d.name_key end,
			case when d.last_sign_in is null then d.user_id else -d.user_id end`
	}
	return "d.name_key, d.user_id"
}
