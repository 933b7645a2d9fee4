package postgres

import (
	"github.com/jackc/pgx/v5"

	"rollcall/adapters/internal/jsontext"
	"rollcall/domain"
)

// Reports reads what imports did, and maintains the figures.
type Reports struct{ db *DB }

// NewReports returns the store in db.
func NewReports(db *DB) *Reports { return &Reports{db} }

// filterArgs returns a filter as arguments of the queries in sql. A condition that the filter does not set is null.
func filterArgs(filter *domain.ReportFilter) pgx.NamedArgs {
	args := pgx.NamedArgs{
		"import": nullZero(filter.Import), "from": nullTime(filter.From), "until": nullTime(filter.Until),
		"status": nullZero(filter.Status), "login": nullZero(filter.Login),
		"field": nil, "code": nil, "reason": nil,
	}
	if filter.Reason != (domain.Reason{}) {
		reason := domain.Violation{Field: filter.Reason.Field, Code: filter.Reason.Code}
		args["field"], args["code"] = filter.Reason.Field, filter.Reason.Code
		args["reason"] = string(jsontext.AppendViolations(nil, domain.Violations{reason})) // an element that a list of violations contains
	}
	return args
}

// nullZero returns null for the zero value.
func nullZero[T comparable](value T) any {
	if value == *new(T) {
		return nil
	}
	return value
}
