// Package postgres stores everything in PostgreSQL. Queries go through pgx; Bun runs the migrations. Queries of reports, which are
// long, stand in sql, one file each; the others stand beside the code that runs them. This is the only package that knows SQL and
// SQLSTATEs.
package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"rollcall/ports"
)

// maxConns is the highest number of connections, unless the URL sets pool_max_conns. It does not depend on the number of processors:
// most of a small import is waiting for the disk.
const maxConns = 16

// A DB is a database. Imports use at most half of the connections, so that sign-ins, pages and health checks always have the others.
type DB struct {
	pool    *pgxpool.Pool
	imports *pgxpool.Pool
	bun     *bun.DB // for migrations; it uses connections of pool
}

// Open returns the database at url, a libpq connection string. It does not connect: a pool does so when its first connection is needed.
func Open(ctx context.Context, url string) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("parse database URL: %w", err)
	}
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = maxConns
	}
	// Compiling pays for no query of this program.
	config.ConnConfig.RuntimeParams["jit"] = "off"
	// pgx parses times in text form only in this style.
	config.ConnConfig.RuntimeParams["datestyle"] = "ISO"
	config.ConnConfig.RuntimeParams["application_name"] = "rollcall"
	detectLoss(config.ConnConfig)
	forImports := config.Copy()
	forImports.MaxConns = max(1, config.MaxConns/2)
	config.MaxConns = max(1, config.MaxConns-forImports.MaxConns)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	imports, err := pgxpool.NewWithConfig(ctx, forImports)
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &DB{pool: pool, imports: imports, bun: bun.NewDB(stdlib.OpenDBFromPool(pool), pgdialect.New())}, nil
}

// Close closes every connection.
func (db *DB) Close() error {
	err := db.bun.Close()
	db.pool.Close()
	db.imports.Close()
	if err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}

// Pool returns the pool, for the storage of sessions.
func (db *DB) Pool() *pgxpool.Pool { return db.pool }

// settle makes data that this transaction has read as durable as data that was acknowledged. Outside a transaction it does so when it
// returns, within one when the transaction commits.
//
// The primary makes a commit visible even if the client's connection breaks while the commit waits for a synchronous standby; if the
// primary then fails, the commit is lost. The standby receives commits in order, so a later commit that waits for the standby proves
// that the earlier one arrived. A commit waits only if it writes something: hence the message, which has no other effect.
func settle(ctx context.Context, db interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
},
) error {
	_, err := db.Exec(ctx, "select pg_logical_emit_message(true, 'rollcall', 'settle')")
	if err != nil {
		return fmt.Errorf("settle: %w", unavailable(err))
	}
	return nil
}

// IsBusy reports whether another connection to the database runs a statement or is in a transaction. A connection that waits for a lock does not
// count.
func (db *DB) IsBusy(ctx context.Context) (isBusy bool, err error) {
	err = db.pool.QueryRow(ctx, `
		select exists (
			select from pg_stat_activity
			where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend' and state <> 'idle'
				and wait_event_type is distinct from 'Lock')`).Scan(&isBusy)
	if err != nil {
		return false, fmt.Errorf("look for other statements: %w", unavailable(err))
	}
	return isBusy, nil
}

// Ready returns nil if the database answers and has every migration, else ports.ErrUnavailable with what is missing.
func (db *DB) Ready(ctx context.Context) error {
	status, err := migrator(db.bun).MigrationsWithStatus(ctx)
	if err != nil {
		return fmt.Errorf("%w: read migrations: %w", ports.ErrUnavailable, err)
	}
	if missing := status.Unapplied(); len(missing) > 0 {
		return fmt.Errorf("%w: migrations are missing: %s", ports.ErrUnavailable, missing)
	}
	return nil
}
