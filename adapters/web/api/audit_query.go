package api

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/guard"
	"rollcall/domain"
	"rollcall/ports"
)

// The parameters of the audit's address, besides QueryFrom, QueryUntil and QueryAfter.
const (
	QueryPerson = "person" // id or login
	QueryActor  = "actor"  // key of an actor, or the login of a user
	QueryAction = "action" // or an event, for all of its actions
)

// KeepAuditFilter are the parameters of the audit's filter.
var KeepAuditFilter = []string{QueryFrom, QueryUntil, QueryPerson, QueryAction, QueryActor}

// An AuditQuery holds the parameters in the address of the audit.
type AuditQuery struct {
	ReportQuery

	Filter domain.AuditFilter
}

// ReadAuditQuery reads the parameters of a request. Its days begin in a location. It returns an error if the audit is unavailable.
func ReadAuditQuery(c *fiber.Ctx, location *time.Location, audit ports.ReadingAudit) (*AuditQuery, error) {
	q := &AuditQuery{ReportQuery: ReportQuery{Values: url.Values{}, fields: KeepAuditFilter}}
	q.Filter.From, q.Filter.Until = q.period(c, location, QueryFrom, QueryUntil)
	q.After = q.number(c, QueryAfter, 64)
	name, login, key := q.value(c, QueryAction), q.value(c, QueryPerson), q.value(c, QueryActor)
	q.ignoreUnknown(c)
	if name != "" {
		var invalid error
		q.Filter.Actions, invalid = domain.ParseActions(name)
		if invalid != nil {
			q.violate(QueryAction, domain.CodeInvalid)
		}
	}
	person, err := q.person(c, QueryPerson, login, audit)
	if err != nil {
		return nil, err
	}
	q.Filter.User = person
	actor, invalid := domain.ParseActor(key)
	if invalid == nil {
		q.Filter.Actor = actor
		return q, nil
	}
	person, err = q.person(c, QueryActor, key, audit)
	if person != 0 {
		q.Filter.Actor = domain.UserActor(person)
	}
	return q, err
}

// person returns the id of the person whose id or login a parameter has, 0 for none.
func (q *AuditQuery) person(c *fiber.Ctx, name, value string, audit ports.ReadingAudit) (int64, error) {
	if value == "" {
		return 0, nil
	}
	id, err := audit.FindPerson(c.UserContext(), value)
	if errors.Is(err, ports.ErrNotFound) {
		q.violate(name, domain.CodeInvalid)
		return 0, nil
	}
	return id, err
}

// auditPage is a page of the audit as programs get it.
type auditPage struct {
	Entries []AuditEntry `json:"entries"`
	Next    string       `json:"next,omitempty"` // value of QueryAfter for the next page
}

// SendAudit answers with a page of the audit as JSON.
func SendAudit(c *fiber.Ctx, page *ports.AuditPage) error {
	answer := auditPage{Entries: make([]AuditEntry, len(page.Entries))}
	for i := range page.Entries {
		answer.Entries[i] = NewAuditEntry(&page.Entries[i])
	}
	if !page.IsLast {
		answer.Next = strconv.FormatInt(page.Entries[len(page.Entries)-1].ID, 10)
	}
	err := c.JSON(answer)
	if err != nil {
		return fmt.Errorf("encode audit: %w", err)
	}
	return nil
}

// AuditCSV answers GET /audit/export/csv.
func (e *Exports) AuditCSV(c *fiber.Ctx, user *domain.User) error {
	query, err := ReadAuditQuery(c, e.Locale.Now().Location(), e.Audit)
	if err == nil {
		err = query.Err()
	}
	if err != nil {
		return err
	}
	file, err := e.Exporting.ExportAudit(c.UserContext(), ports.AuditExportQuery{Language: e.Locale.Words(c).Language(), Filter: query.Filter})
	if err != nil {
		return err
	}
	return e.sendFile(c, guard.UserID(user), file, "audit.csv", "csv")
}
