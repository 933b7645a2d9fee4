package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"maps"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
	"rollcall/ports"
)

var (
	exportImportsSQL            = readSQL("export_imports")
	exportImportsByLoginSQL     = readSQL("export_imports_by_login")
	exportImportsByReasonSQL    = readSQL("export_imports_by_reason")
	exportRejectionsSQL         = readSQL("export_rejections")
	exportRejectionsOfImportSQL = readSQL("export_rejections_of_import")
	exportRejectionsByImportSQL = readSQL("export_rejections_by_import")
)

// Read implements ports.ReportStore.
func (r *Reports) Read(ctx context.Context, query ports.ReportQuery, work func(ports.Report) error) error {
	tx, err := r.db.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("begin: %w", unavailable(err))
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // there is nothing to undo
	return work(ports.Report{Imports: exportImports(ctx, tx, &query.Filter), Rejections: exportRejections(ctx, tx, &query)})
}

func exportImports(ctx context.Context, tx pgx.Tx, filter *domain.ReportFilter) iter.Seq2[domain.Import, error] {
	sql := exportImportsSQL
	switch {
	case filter.Login != "":
		sql = exportImportsByLoginSQL
	case filter.Reason != (domain.Reason{}):
		sql = exportImportsByReasonSQL
	}
	repeated := interned[string]{}
	text := func(b []byte) string { return repeated.get(b, textOf) }
	return readAll(ctx, tx, "imports", sql, filterArgs(filter), func(row pgx.CollectableRow) (domain.Import, error) {
		values := row.RawValues()
		number := func(column int) int { return int(binary.BigEndian.Uint64(values[column])) }
		return domain.Import{
			Count: domain.Count{Imports: 1, Registered: number(5), Rejected: number(6)},
			ID:    int64(number(0)), Status: int(binary.BigEndian.Uint32(values[1])), Method: text(values[2]),
			Date: timeIn(values[3]), Description: text(values[4]),
			Token: text(values[7]), Unkept: number(8),
		}, nil
	})
}

func exportRejections(ctx context.Context, tx pgx.Tx, query *ports.ReportQuery) iter.Seq2[domain.Rejection, error] {
	filter := &query.Filter
	sql := exportRejectionsSQL
	switch {
	case filter.Import != 0:
		sql = exportRejectionsOfImportSQL
	case !filter.From.IsZero(), !filter.Until.IsZero(), filter.Status != 0:
		sql = exportRejectionsByImportSQL
	}
	args := filterArgs(filter)
	maps.Copy(args, pgx.NamedArgs{"violations": query.Violations, "originals": query.Originals})
	sheets, descriptions, violations := interned[string]{}, interned[string]{}, interned[parsedViolations]{}
	return readAll(ctx, tx, "rejections", sql, args, func(row pgx.CollectableRow) (domain.Rejection, error) {
		values := row.RawValues()
		number := func(column int) int { return int(binary.BigEndian.Uint64(values[column])) }
		var parsed parsedViolations
		if values[6] != nil {
			parsed = violations.get(values[6], parseViolations)
		}
		return domain.Rejection{
			Import: int64(number(0)), Record: number(1), Place: domain.Place{Sheet: sheets.get(values[2], textOf), Line: number(3)},
			Login: string(values[4]), Description: descriptions.get(values[5], textOf), Violations: parsed.violations, Original: values[7],
		}, parsed.err
	})
}

type parsedViolations struct {
	violations domain.Violations
	err        error
}

func parseViolations(text []byte) parsedViolations {
	violations, err := readViolations(text)
	return parsedViolations{violations, err}
}

func textOf(b []byte) string { return string(b) }

// interned holds values that many rows have in common, by their bytes, so that a million rows do not allocate a million equal values.
type interned[V any] map[string]V

// maxInterned is the number of values after which interned starts over.
const maxInterned = 1024

// get returns the value of some bytes. It calls decode for bytes that are not in the map.
func (m interned[V]) get(b []byte, decode func([]byte) V) V {
	value, found := m[string(b)]
	if !found {
		if len(m) == maxInterned {
			clear(m)
		}
		value = decode(b)
		m[string(b)] = value
	}
	return value
}

// readAll yields the rows of a query while PostgreSQL sends them. The query is not a prepared one, so its plan is for its arguments. If the
// caller stops early, readAll reads the remaining rows: the caller needs the connection for the next query.
func readAll[T any](ctx context.Context, tx pgx.Tx, name, sql string, args pgx.NamedArgs, scan pgx.RowToFunc[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		yieldError := func(err error) {
			yield(*new(T), fmt.Errorf("read %s: %w", name, unavailable(err)))
		}
		rows, err := tx.Query(ctx, sql, pgx.QueryExecModeDescribeExec, args)
		if err != nil {
			yieldError(err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			value, err := scan(rows)
			if err != nil {
				yieldError(err)
				return
			}
			if !yield(value, nil) {
				return
			}
		}
		err = rows.Err()
		if err != nil {
			yieldError(err)
		}
	}
}
