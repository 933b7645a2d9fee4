package pages

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/api"
	"rollcall/adapters/web/locale"
	"rollcall/adapters/web/transport"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
	"rollcall/ports"
)

const entriesPerPage = 50

// Audit shows the audit to operators. Nothing here changes it.
type Audit struct {
	*Site

	Reading ports.ReadingAudit
}

// auditView is the view of the audit.
type auditView struct {
	Base
	Form // the filter

	IsFiltered  bool
	IsInvalid   bool // the filter is invalid and selects nothing
	ClearURL    string
	ExportURL   string
	Entries     []entryView
	Start, Next string // addresses of the first page and the next one; empty for none
}

// entryView is an entry of the audit.
type entryView struct {
	Time       locale.Moment
	Who, What  string
	Whom       string   // login; empty for none
	WhomURL    string   // of the user's page
	Import     linkView // with an empty name for none
	Facts      []string // sentences
	Address    string
	Request    string
	IsFailure  bool
	WhoIsName  bool // Who is a login, which may have any script
	WhomIsName bool
}

var auditInputs = []input{
	{name: api.QueryFrom, field: api.QueryFrom, label: "report.from", kind: "date", autocomplete: "off"},
	{name: api.QueryUntil, field: api.QueryUntil, label: "report.until", kind: "date", autocomplete: "off"},
	{name: api.QueryPerson, field: api.QueryPerson, label: "audit.person", autocomplete: "off"},
	{name: api.QueryAction, field: api.QueryAction, label: "audit.action", kind: "list", unchosen: "audit.action.any"},
	{name: api.QueryActor, field: api.QueryActor, label: "audit.actor", autocomplete: "off"},
}

// List answers GET /audit, with JSON for a client that prefers it.
func (a *Audit) List(c *fiber.Ctx, _ *domain.User) error {
	query, err := api.ReadAuditQuery(c, a.Locale.Now().Location(), a.Reading)
	if err != nil {
		return err
	}
	isJSON := transport.Preferred(c, fiber.MIMETextHTML, fiber.MIMEApplicationJSON) == fiber.MIMEApplicationJSON
	invalid := query.FilterErr()
	if isJSON {
		invalid = query.Err()
	}
	v := &auditView{Form: a.form(c, auditInputs, query.Values)}
	v.addFilter(query, a.Locale.Words(c))
	switch {
	case invalid != nil && isJSON:
		return invalid
	case invalid != nil:
		v.IsInvalid = true
		return a.reject(c, "audit", v, invalid)
	}
	page, err := a.Reading.Entries(c.UserContext(), ports.AuditQuery{Filter: query.Filter, After: query.After, Limit: entriesPerPage})
	if err != nil {
		return err
	}
	if isJSON {
		return api.SendAudit(c, page)
	}
	v.addEntries(page, query, a.Locale.Words(c))
	v.Alert = a.Locale.Words(c).Describe(query.Ignored)
	return a.show(c, "audit", v)
}

func (v *auditView) addFilter(q *api.AuditQuery, words *locale.Words) {
	for _, name := range api.KeepAuditFilter {
		v.IsFiltered = v.IsFiltered || q.Values.Has(name)
	}
	v.ClearURL, v.ExportURL = urls.Audit, q.Address(urls.AuditCSV, api.KeepAuditFilter)
	var actions []optionView
	event := ""
	for _, action := range domain.Actions() {
		of, _, _ := strings.Cut(string(action), ".")
		if all, err := domain.ParseActions(of); of != event && err == nil && len(all) > 1 {
			actions = append(actions, optionView{Value: of, Name: words.Text("audit.event." + of)})
		}
		event = of
		actions = append(actions, optionView{Value: string(action), Name: words.Text("audit.action." + string(action))})
	}
	v.offer(api.QueryAction, actions)
}

func (v *auditView) addEntries(page *ports.AuditPage, q *api.AuditQuery, words *locale.Words) {
	for i := range page.Entries {
		v.Entries = append(v.Entries, newEntryView(&page.Entries[i], words))
	}
	if q.After != 0 {
		v.Start = q.Address(urls.Audit, api.KeepAuditFilter)
	}
	if !page.IsLast {
		v.Next = q.Address(urls.Audit, api.KeepAuditFilter, api.QueryAfter, text(page.Entries[len(page.Entries)-1].ID))
	}
}

func newEntryView(e *domain.AuditEntry, words *locale.Words) entryView {
	v := entryView{
		Time: words.Time(e.Time), What: words.Text("audit.action." + string(e.Action)), Facts: factsOf(e, words),
		Address: e.Address, Request: e.Request,
	}
	v.Who, v.WhoIsName = actorName(e.Actor, words)
	if e.User != 0 {
		v.Whom, v.WhomIsName = userName(e.User, e.Login, words)
		v.WhomURL = urls.User(e.User)
	}
	if e.Import != 0 {
		v.Import = linkView{words.Text("import.heading", "Number", e.Import), urls.Import(e.Import)}
	}
	event, outcome, _ := strings.Cut(string(e.Action), ".")
	v.IsFailure = event != "account" && !slices.Contains([]string{"succeeded", "granted", "revoked", "created", "made", "started"}, outcome)
	return v
}

// actorName returns the name of an actor, and reports whether it is a login.
func actorName(actor domain.Actor, words *locale.Words) (name string, isLogin bool) {
	if actor.Kind == domain.ActorUser {
		return userName(actor.ID, actor.Name, words)
	}
	return words.Text("audit.actor."+string(actor.Kind), "Name", actor.Name), false
}

// userName returns the login of a user, or the number of one whose account is deleted.
func userName(id int64, login string, words *locale.Words) (name string, isLogin bool) {
	if login == "" {
		return words.Text("audit.deleted", "Number", id), false
	}
	return login, true
}

// factsOf returns what an entry says besides its action.
func factsOf(e *domain.AuditEntry, words *locale.Words) (facts []string) {
	number := func(name string) string {
		n, _ := e.After[name].(float64)
		return words.Number(int(n))
	}
	say := func(id string, pairs ...any) { facts = append(facts, words.Text("audit.fact."+id, pairs...)) }
	switch e.Action {
	case domain.ActionImported, domain.ActionImportFailed:
		if e.After["records"] == nil {
			say("status", "Status", e.After["status"])
			break
		}
		say("import", "Records", number("records"), "Registered", number("registered"), "Rejected", number("rejected"))
	case domain.ActionTokenCreated, domain.ActionTokenRevoked:
		say("token", "Name", e.After["name"], "Number", number("token"))
	case domain.ActionAccountEdited:
		fields, _ := e.After["fields"].([]any)
		for _, field := range fields {
			facts = append(facts, words.Text(fmt.Sprintf("field.%v", field)))
		}
	case domain.ActionManyChanged:
		if action, known := e.After["action"].(string); known {
			facts = append(facts, words.Text("bulk."+action))
		}
		say("bulk", "Selected", number("selected"), "Changed", number("changed"))
		facts = append(facts, selectionOf(e, words)...)
	case domain.ActionExported:
		if e.After["file"] == "answer" || e.After["file"] == "slips" {
			say(fmt.Sprint(e.After["file"]))
			break
		}
		facts = append(append(facts, fmt.Sprint(e.After["file"])), selectionOf(e, words)...)
	case domain.ActionServerStarted:
		for _, name := range slices.Sorted(maps.Keys(e.After)) {
			facts = append(facts, fmt.Sprintf("--%s %v", name, e.After[name]))
		}
	}
	if e.LeftOut > 0 {
		say("left_out", "Count", e.LeftOut, "Number", words.Number(e.LeftOut))
	}
	return facts
}

// selectionOf returns the filter by which the people of a change or of an export were selected.
func selectionOf(e *domain.AuditEntry, words *locale.Words) (facts []string) {
	if e.After["ticked"] == true {
		return []string{words.Text("audit.fact.ticked")}
	}
	for _, in := range directoryInputs {
		value := e.After[in.name]
		if value == nil {
			continue
		}
		shown := fmt.Sprint(value)
		at, err := time.Parse(time.RFC3339, shown)
		switch {
		case in.name == api.QueryStatus:
			shown = words.Text("status." + shown)
		case in.name == api.QueryRegisteredTo && err == nil:
			shown = words.Time(at.Add(-time.Nanosecond)).Text // the entry has the end, exclusive
		case in.kind == "date" && err == nil:
			shown = words.Time(at).Text
		}
		facts = append(facts, words.Text("users.part_of_filter", "Name", words.Text(in.label), "Value", shown))
	}
	return facts
}
