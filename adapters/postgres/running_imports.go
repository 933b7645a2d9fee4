package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"rollcall/ports"
)

// RunningImports stores the progress of imports.
type RunningImports struct{ db *DB }

// NewRunningImports returns the store in db.
func NewRunningImports(db *DB) *RunningImports { return &RunningImports{db} }

// Beat implements ports.RunningImportStore.
func (r *RunningImports) Beat(ctx context.Context, run ports.RunningImport) error {
	_, err := r.db.pool.Exec(ctx, `
		insert into running_imports (id, started_at, objects, created, refused, bytes, size) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (id) do update set objects = excluded.objects, created = excluded.created, refused = excluded.refused,
			bytes = excluded.bytes, updated_at = clock_timestamp()`,
		run.ID, run.Started, run.Done.Records, run.Done.Registered, run.Done.Rejected, run.Done.Bytes, run.Done.Size)
	if err != nil {
		return fmt.Errorf("record progress of import: %w", unavailable(err))
	}
	return nil
}

// End implements ports.RunningImportStore. It also removes imports that were interrupted long ago.
func (r *RunningImports) End(ctx context.Context, id string) error {
	_, err := r.db.pool.Exec(ctx, "delete from running_imports where id = $1 or updated_at < clock_timestamp() - interval '1 hour'", id)
	if err != nil {
		return fmt.Errorf("remove progress of import: %w", unavailable(err))
	}
	return nil
}

// maxRunning is the number of running imports that Running returns.
const maxRunning = 100

// Running implements ports.ReportReading.
func (r *Reports) Running(ctx context.Context) ([]ports.RunningImport, error) {
	rows, err := r.db.pool.Query(ctx, `
		select id, started_at, objects, created, refused, bytes, size from running_imports
		where updated_at > clock_timestamp() - $1 * interval '1 second' order by started_at desc, id limit $2`,
		ports.HeartbeatPatience.Seconds(), maxRunning)
	if err != nil {
		return nil, fmt.Errorf("list running imports: %w", unavailable(err))
	}
	running, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (run ports.RunningImport, err error) {
		err = row.Scan(&run.ID, &run.Started, &run.Done.Records, &run.Done.Registered, &run.Done.Rejected, &run.Done.Bytes, &run.Done.Size)
		run.Started = run.Started.UTC()
		return run, err
	})
	if err != nil {
		return nil, fmt.Errorf("list running imports: %w", unavailable(err))
	}
	return running, nil
}
