package pages

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/api"
	"rollcall/adapters/web/locale"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
	"rollcall/ports"
)

// directoryView is the view of the directory. An address is empty if there is no page to link to.
type directoryView struct {
	Base
	Form // the filter

	IsSearch  bool       // the filter or the order is chosen
	IsInvalid bool       // the filter is invalid and selects nothing
	Chosen    []linkView // the parts of the filter, each with the address without it
	ClearURL  string
	Exports   []linkView
	Columns   []headView
	Users     []userView
	Kept      []termView       // the parameters of the filter
	Changes   []bulkOptionView // that can be made to the people who are ticked or found
	Unlisted  string           // says that some users cannot be found yet; empty for none

	Found       string // says how many users were found; empty if that is unknown
	CountURL    string // of the page with Found, for browsers without scripts
	CountJSON   string // address from which a script gets the number
	Start, Next string // addresses of the first page and the next one
	IsPart      bool   // the search has read a part of the directory, and continues on the next page
	UploadURL   string
}

// headView is the header of a column. It links to the page in the column's order, unless the page has that order already.
type headView struct {
	Name, URL string
	Sort      string // value of aria-sort; empty for a column that is not the order's
}

// userView is a user in a list.
type userView struct {
	ID                             int64
	URL, Name, Login, Email, Phone string
	HasName                        bool
	Group, GroupURL                string
	Status                         string
	IsSuspended                    bool
	Registered                     locale.Moment
	Import                         linkView // with an empty name for none
	LastSignIn                     *locale.Moment
}

var directoryInputs = []input{
	{name: api.QueryText, field: api.QueryText, label: "users.text", autocomplete: "off"},
	{name: api.QueryStatus, field: api.QueryStatus, label: "users.status", kind: "list", unchosen: "users.status.any"},
	{name: api.QueryGroup, field: api.QueryGroup, label: "field.group", autocomplete: "off"},
	{name: api.QueryImport, field: api.QueryImport, label: "users.import", autocomplete: "off"},
	{name: api.QueryRegisteredFrom, field: api.QueryRegisteredFrom, label: "users.registered_from", kind: "date", autocomplete: "off"},
	{name: api.QueryRegisteredTo, field: api.QueryRegisteredTo, label: "users.registered_to", kind: "date", autocomplete: "off"},
	{name: api.QuerySignedInBefore, field: api.QuerySignedInBefore, label: "users.signed_in_before", kind: "date", autocomplete: "off"},
	{name: api.QuerySort, field: api.QuerySort, label: "users.sort", kind: "list"},
}

// List answers GET /users.
func (p *People) List(c *fiber.Ctx, _ *domain.User) error {
	query := api.ReadDirectoryQuery(c, p.Locale.Now().Location())
	words := p.Locale.Words(c)
	v := &directoryView{Form: p.form(c, directoryInputs, query.Values)}
	v.Scripts = []string{"users.js"}
	v.addFilter(query, words)
	invalid := query.FilterErr()
	if invalid != nil {
		v.IsInvalid = true
		return p.reject(c, "users", v, invalid)
	}
	page, err := p.Finding.Page(c.UserContext(), query.Users)
	if err != nil {
		v.IsInvalid = true
		return p.reject(c, "users", v, err)
	}
	v.Alert = words.Describe(query.Ignored)
	v.addUsers(page, query, words)
	err = p.addCount(c, v, page, query, words)
	if err != nil {
		return err
	}
	return p.show(c, "users", v)
}

// addFilter adds the form of the filter, and the links that depend on it.
func (v *directoryView) addFilter(q *api.DirectoryQuery, words *locale.Words) {
	v.ClearURL, v.UploadURL = urls.Directory, urls.Upload
	v.offer(api.QueryStatus, options(domain.Statuses(), "status.", words))
	v.offer(api.QuerySort, options(domain.UserOrders(), "users.sort.", words))
	v.addChosen(q, words)
	for _, format := range []string{"csv", "xlsx", "json"} {
		v.Exports = append(v.Exports, linkView{strings.ToUpper(format), q.Address(urls.UserExport+format, api.KeepUserOrder)})
	}
}

// options returns an option for each value, named by a message with a prefix.
func options[T ~string](values []T, prefix string, words *locale.Words) []optionView {
	all := make([]optionView, len(values))
	for i, value := range values {
		all[i] = optionView{Value: string(value), Name: words.Text(prefix + string(value))}
	}
	return all
}

// addChosen adds the parts of the filter.
func (v *directoryView) addChosen(q *api.DirectoryQuery, words *locale.Words) {
	for _, in := range directoryInputs {
		value := q.Values.Get(in.name)
		if value == "" || in.name == api.QuerySort && value == string(domain.UserOrders()[0]) {
			continue
		}
		v.IsSearch = true
		if in.name == api.QueryText {
			continue
		}
		for _, option := range v.options[in.name] {
			if option.Value == value {
				value = option.Name
			}
		}
		if day, isDate := domain.ParseDate(value); in.kind == "date" && isDate {
			value = words.Date(day.Time())
		}
		v.Chosen = append(v.Chosen, linkView{
			words.Text("users.part_of_filter", "Name", words.Text(in.label), "Value", value), q.Address(urls.Directory, api.KeepUserOrder, in.name, ""),
		})
	}
}

// addUsers adds the users of a page.
func (v *directoryView) addUsers(page *ports.UserPage, q *api.DirectoryQuery, words *locale.Words) {
	for _, it := range []struct {
		label string
		order domain.UserOrder // empty for none
		sort  string
	}{
		{"users.name", domain.UsersByName, "ascending"},
		{"users.contact", "", ""},
		{"field.group", "", ""},
		{"users.status", "", ""},
		{"users.registered", domain.UsersByRegistered, "descending"},
		{"users.last_sign_in", domain.UsersByLastSignIn, "descending"},
	} {
		column := headView{Name: words.Text(it.label)}
		switch it.order {
		case "":
		case q.Users.Order:
			column.Sort = it.sort
		default:
			column.URL = q.Address(urls.Directory, api.KeepUserFilter, api.QuerySort, string(it.order))
		}
		v.Columns = append(v.Columns, column)
	}
	v.Changes = bulkOptions(words)
	for _, name := range api.KeepUserFilter {
		if value := q.Values.Get(name); value != "" {
			v.Kept = append(v.Kept, termView{name, value})
		}
	}
	for _, person := range page.Users {
		v.Users = append(v.Users, newUserView(person, q, words))
	}
	if page.Unlisted > 0 {
		v.Unlisted = words.Text("users.unlisted", "Count", page.Unlisted, "Number", words.Number(page.Unlisted))
	}
	if q.Users.After != "" {
		v.Start = q.Address(urls.Directory, api.KeepUserOrder)
	}
	if page.Next != "" {
		v.Next = q.Address(urls.Directory, api.KeepUserOrder, api.QueryAfter, page.Next)
		v.IsPart = len(page.Users) < ports.UsersPerPage
	}
}

func newUserView(person *domain.Person, q *api.DirectoryQuery, words *locale.Words) userView {
	v := userView{
		ID: person.ID, URL: urls.User(person.ID), Name: nameOf(&person.User), Login: person.Login, HasName: person.LastName+person.FirstName != "",
		Email: person.Email, Phone: person.Text(domain.PersonPhone), Group: person.Group,
		Status: words.Text("status." + string(person.Status)), IsSuspended: person.IsSuspended(), Registered: words.Time(person.Registered),
	}
	if person.Group != "" {
		v.GroupURL = q.Address(urls.Directory, api.KeepUserOrder, api.QueryGroup, person.Group)
	}
	if person.Import != 0 {
		v.Import = linkView{words.Text("import.heading", "Number", person.Import), urls.Import(person.Import)}
	}
	if len(person.SignIns) > 0 {
		v.LastSignIn = new(words.Time(person.SignIns[0].Time))
	}
	return v
}

// addCount adds how many users were found. If more than a page were, they are counted only for a reader who asks.
func (p *People) addCount(c *fiber.Ctx, v *directoryView, page *ports.UserPage, q *api.DirectoryQuery, words *locale.Words) error {
	count := len(page.Users)
	switch {
	case q.Users.After == "" && page.Next == "":
	case !q.Counts:
		v.CountURL = q.Address(urls.Directory, api.KeepUserOrder, api.QueryAfter, q.Users.After, api.QueryCount, "1")
		v.CountJSON = q.Address(urls.UserCount, api.KeepUserFilter)
		return nil
	default:
		var err error
		count, err = p.Finding.Count(c.UserContext(), ports.UserSelection{Filter: q.Users.Filter}, api.MaxCount+1)
		if err != nil {
			return err
		}
	}
	message := "users.found"
	if count > api.MaxCount {
		message, count = "users.found.more", api.MaxCount
	}
	v.Found = words.Text(message, "Number", words.Number(count))
	return nil
}
