package pages

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/api"
	"rollcall/adapters/web/intake"
	"rollcall/adapters/web/locale"
	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
	"rollcall/ports"
)

// Bulk changes many people for operators.
type Bulk struct {
	*Site

	Finding     ports.Users
	Changing    ports.BulkChanging
	KeepAnswers time.Duration // time for which the result can be downloaded
}

const (
	queryID     = "id"        // of a person who is ticked, once for each
	fieldUsers  = "users"     // number of people on the page that the operator has confirmed
	fieldGroup  = "new_group" // the filter has a group, too
	namesOfMany = 10          // people who are named
)

var bulkInputs = []input{{name: fieldGroup, field: domain.FieldGroup, autocomplete: "off", hint: true}}

// bulkConsequences are the numbers of messages bulk.ACTION.1 and so on, which say what an action does.
var bulkConsequences = map[domain.BulkAction]int{
	domain.BulkPassword: 3, domain.BulkSuspend: 3, domain.BulkRestore: 1, domain.BulkGroup: 1, domain.BulkRequireChange: 1, domain.BulkDelete: 5,
}

// selectedView has the first people of a change.
type selectedView struct {
	Names  []termView // with their logins
	Others string     // says how many more there are; empty for none
}

// addOthers adds how many people of a number are not named.
func (v *selectedView) addOthers(number int, words *locale.Words) {
	if others := number - len(v.Names); others > 0 {
		v.Others = words.Text("bulk.others", "Count", others, "Number", words.Number(others))
	}
}

// bulkView is the view of the page on which an operator confirms a change of many people.
type bulkView struct {
	Base
	Form
	selectedView // people who are ticked

	URL, Back    string
	Users        int
	IsAll        bool       // no filter is chosen, and no one is ticked
	People       string     // says how many
	Chosen       []linkView // the parts of the filter, without addresses
	Consequences []string
	SetsGroup    bool
}

// bulkOptionView is an action that can be chosen for the people of a list.
type bulkOptionView struct{ Name, URL string }

// bulkOptions returns the actions for the people of a list.
func bulkOptions(words *locale.Words) (options []bulkOptionView) {
	for _, action := range domain.BulkActions() {
		options = append(options, bulkOptionView{words.Text("bulk." + string(action)), urls.Changes + string(action)})
	}
	return options
}

// A bulkRequest is the change that the address of a request describes.
type bulkRequest struct {
	action    domain.BulkAction
	selection ports.UserSelection
	query     *api.DirectoryQuery
	kept      url.Values // the parameters that select people
}

// read reads the address of a request. Ticked people take precedence over the filter. It rejects an unknown parameter, because a misspelled
// one would select everyone.
func (b *Bulk) read(c *fiber.Ctx) (*bulkRequest, error) {
	action, known := domain.ParseBulkAction(c.Params("action"))
	if !known {
		return nil, fiber.ErrNotFound
	}
	r := &bulkRequest{action: action, query: api.ReadDirectoryQuery(c, b.Locale.Now().Location(), queryID)}
	err := r.query.Err()
	if err != nil {
		return nil, err
	}
	r.selection.Filter, r.kept = r.query.Users.Filter, maps.Clone(r.query.Values)
	for _, text := range c.Context().QueryArgs().PeekMulti(queryID) {
		id, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil || id <= 0 {
			return nil, problem.ErrRequest
		}
		r.selection.IDs = append(r.selection.IDs, id)
		r.kept.Add(queryID, string(text))
	}
	slices.Sort(r.selection.IDs)
	r.selection.IDs = slices.Compact(r.selection.IDs)
	return r, nil
}

// address returns the address of the page that confirms the change.
func (r *bulkRequest) address() string {
	return (&url.URL{Path: urls.Changes + string(r.action), RawQuery: r.kept.Encode()}).String()
}

// count returns the number of selected people.
func (b *Bulk) count(c *fiber.Ctx, r *bulkRequest) (int, error) {
	if r.selection.IDs != nil {
		return len(r.selection.IDs), nil
	}
	return b.Finding.CountAll(c.UserContext(), r.selection)
}

// Confirm answers GET /users/change/:action.
func (b *Bulk) Confirm(c *fiber.Ctx, _ *domain.User) error {
	r, err := b.read(c)
	if err != nil {
		return err
	}
	v, err := b.confirmation(c, r)
	if err != nil {
		return err
	}
	return b.show(c, "bulk", v)
}

// confirmation returns the view of the page that confirms a change.
func (b *Bulk) confirmation(c *fiber.Ctx, r *bulkRequest) (*bulkView, error) {
	users, err := b.count(c, r)
	if err != nil {
		return nil, err
	}
	words := b.Locale.Words(c)
	v := &bulkView{
		Base: Base{Title: words.Text("bulk." + string(r.action))}, Form: b.form(c, bulkInputs, url.Values{}),
		URL: r.address(), Back: r.query.Address(urls.Directory, api.KeepUserOrder), Users: users, People: people(users, words),
		SetsGroup: r.action == domain.BulkGroup,
	}
	if r.selection.IDs == nil {
		v.Chosen = chosenOf(b.form(c, directoryInputs, r.query.Values), r.query, words)
		v.IsAll = v.Chosen == nil
	} else {
		err = b.addNames(c, v, r)
		if err != nil {
			return nil, err
		}
	}
	hours := int(b.KeepAnswers.Hours())
	for n := range bulkConsequences[r.action] {
		v.Consequences = append(v.Consequences,
			words.Text(fmt.Sprintf("bulk.%s.%d", r.action, n+1), "Count", hours, "Number", words.Number(hours)))
	}
	if r.action.SparesOperators() {
		v.Consequences = append(v.Consequences, words.Text("bulk.operators"))
	}
	v.Consequences = append(v.Consequences, words.Text("bulk.whole"))
	return v, nil
}

// chosenOf returns the parts of a filter, its text included.
func chosenOf(form Form, query *api.DirectoryQuery, words *locale.Words) []linkView {
	v := &directoryView{Form: form}
	v.addFilter(query, words)
	if text := query.Values.Get(api.QueryText); text != "" {
		v.Chosen = append(v.Chosen, linkView{Name: words.Text("users.part_of_filter", "Name", words.Text("users.text"), "Value", text)})
	}
	return v.Chosen
}

// addNames adds the names of the first ticked people.
func (b *Bulk) addNames(c *fiber.Ctx, v *bulkView, r *bulkRequest) error {
	first := ports.UserSelection{IDs: r.selection.IDs[:min(len(r.selection.IDs), namesOfMany)]}
	err := b.Finding.Read(c.UserContext(), first, domain.UsersByName, func(found iter.Seq2[*domain.Person, error]) error {
		for person, err := range found {
			if err != nil {
				return err
			}
			v.Names = append(v.Names, termView{nameOf(&person.User), person.Login})
		}
		return nil
	})
	v.addOthers(v.Users, b.Locale.Words(c))
	return err
}

// people returns a phrase with a number of people.
func people(number int, words *locale.Words) string {
	return words.Text("bulk.people", "Count", number, "Number", words.Number(number))
}

// Change answers POST /users/change/:action. If another number of people is selected than the operator has confirmed, the operator confirms
// it again.
func (b *Bulk) Change(c *fiber.Ctx, user *domain.User) error {
	r, err := b.read(c)
	if err != nil {
		return err
	}
	entered, err := intake.ReadForm(c)
	if err != nil {
		return err
	}
	users, err := b.count(c, r)
	if err != nil {
		return err
	}
	if entered.Get(fieldUsers) != strconv.Itoa(users) {
		return b.redirect(c, r.address(), noticePeopleChanged)
	}
	change := ports.BulkChange{Action: r.action, Selection: r.selection, Users: users}
	if text := strings.TrimSpace(entered.Get(fieldGroup)); text != "" && r.action == domain.BulkGroup {
		group, violations := domain.NewGroup(text)
		if violations != nil {
			v, err := b.confirmation(c, r)
			if err != nil {
				return err
			}
			v.entered = entered
			return b.reject(c, "bulk", v, &domain.RejectedError{Violations: violations})
		}
		change.Group = group.String()
	}
	id, err := b.Changing.ChangeUsers(c.UserContext(), user.ID, change)
	if err != nil {
		return err
	}
	b.Guard.Events.Note(c, "bulk_change", "started")
	return c.Redirect(urls.Uploads+id, http.StatusSeeOther)
}

// changedView is the view of the page of a change of many people.
type changedView struct {
	Base
	credentialsView
	selectedView // people who were changed

	Upload       uploadItemView
	State        uploadState
	Progress     progressView
	Hint         string // while it is working
	Figures      []figureView
	LeftOut      *rejectionsView // the first people whom the change has left out; nil for none
	Results      []linkView      // files that say what was done, person by person; nil when they are no longer available
	ResultsUntil locale.Moment   // until when they are available
	Failure      string
	Back         string // address of the list from which the operator selected people
}

// showChange shows a change of many people: its progress, or its result.
func (u *Uploads) showChange(c *fiber.Ctx, user *domain.User, upload *ports.Upload) error {
	words, item := u.Locale.Words(c), newUploadItemView(upload, u.Locale.Words(c))
	v := &changedView{
		Base: Base{Title: item.State}, Upload: item, State: stateOf(upload), Progress: newProgressView(upload, words),
		Figures: figuresOf(upload, words), Hint: words.Text("bulk.working.hint"),
		Back: api.DirectoryAddress(&upload.Change.Selection.Filter, u.Locale.Now().Location()),
	}
	v.Scripts, v.Refreshes = []string{"upload.js"}, v.State.Working
	if upload.Failure != "" {
		v.Failure = words.Text("upload.failure." + string(upload.Failure))
	}
	if v.State.Imported {
		err := u.addResults(c, user, upload, v)
		if err != nil {
			return err
		}
	}
	return u.show(c, "changed", v)
}

// addResults adds the result of a change, as long as it is available.
func (u *Uploads) addResults(c *fiber.Ctx, user *domain.User, upload *ports.Upload, v *changedView) (err error) {
	_, result, err := u.result(c, user)
	if isGone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, result.Close()) }()
	words := u.Locale.Words(c)
	var leftOut []domain.Rejection
	for outcome, err := range result.Outcomes {
		if err != nil {
			return err
		}
		switch {
		case outcome.Violations == nil && len(v.Names) < namesOfMany:
			name := domain.User{Login: outcome.Login, LastName: outcome.Name.Last.String(), FirstName: outcome.Name.First.String(), Patronymic: outcome.Name.Patronymic.String()}
			v.Names = append(v.Names, termView{nameOf(&name), outcome.Login})
		case outcome.Violations != nil && len(leftOut) < ports.MaxRejectionsShown:
			leftOut = append(leftOut, domain.Rejection{Record: outcome.Record, Login: outcome.Login, Violations: outcome.Violations})
		}
		if len(leftOut) == min(upload.Done.Rejected, ports.MaxRejectionsShown) && len(v.Names) == min(upload.Done.Registered, namesOfMany) {
			break
		}
	}
	v.addOthers(upload.Done.Registered, words)
	if leftOut != nil {
		v.LeftOut = newRejectionsView(leftOut, words)
	}
	left := u.KeepAnswers - upload.Silent
	v.ResultsUntil = words.TextWithTime("bulk.results.text", u.Locale.Now().Add(left))
	if upload.Change.Action == domain.BulkPassword {
		u.addCredentials(&v.credentialsView, upload, words)
	}
	for _, extension := range []string{"csv", "xlsx"} {
		if u.ResultFiles[extension] != nil {
			v.Results = append(v.Results, linkView{strings.ToUpper(extension), v.Upload.URL + "/results." + extension})
		}
	}
	return nil
}

// Results answers GET /useradd/uploads/:id/results.:format.
func (u *Uploads) Results(c *fiber.Ctx, user *domain.User) error {
	extension := c.Params("format")
	file := u.ResultFiles[extension]
	if file == nil {
		return fiber.ErrNotFound
	}
	upload, err := u.Uploads.Find(c.UserContext(), user.ID, c.Params("id"))
	if err != nil {
		return err
	}
	if upload.Change == nil {
		return fiber.ErrNotFound
	}
	return u.withResult(c, user, "results."+extension, func(upload *ports.Upload, result *ports.ImportResult) error {
		api.Attach(c, "results."+extension, extension)
		return api.SendOutcomes(c, result, file(u.Locale.Words(c), upload.Change.Action))
	})
}
