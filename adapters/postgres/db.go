// Package postgres keeps everything in PostgreSQL: Bun on the pgx driver, COPY for imports, migrations. It is the only
// place that knows SQL and SQLSTATEs.
package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"rollcall/ports"
)

// maxConns is how many connections there may be, unless the URL says so (pool_max_conns). It does not depend on the
// number of processors: most of a small import is waiting for the disk.
const maxConns = 16

// DB is a database. Imports have half of the connections, and no more: whatever they do, sign-in, pages and health checks
// have theirs.
type DB struct {
	pool    *pgxpool.Pool
	imports *pgxpool.Pool
	bun     *bun.DB
}

// Open makes pools for the database at url, a connection string of libpq's forms. They connect when first needed.
func Open(ctx context.Context, url string) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("parse database URL: %w", err)
	}
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = maxConns
	}
	// no statement of this program gains from being compiled
	config.ConnConfig.RuntimeParams["jit"] = "off"
	// the one style in which pgx reads times as text
	config.ConnConfig.RuntimeParams["datestyle"] = "ISO"
	config.ConnConfig.RuntimeParams["application_name"] = "rollcall"
	noticeLoss(config.ConnConfig)
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
	forBun := sql.OpenDB(unprepared{stdlib.GetPoolConnector(pool)})
	forBun.SetMaxIdleConns(0) // the pool keeps them
	return &DB{pool: pool, imports: imports, bun: bun.NewDB(forBun, pgdialect.New())}, nil
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

// Pool is for what brings its own statements.
func (db *DB) Pool() *pgxpool.Pool { return db.pool }

// settle makes the commit that follows, its own where there is no transaction, wait until what was seen in the database is as safe
// as what was acknowledged. A commit that is cut off while it waits for a synchronous standby has taken place where it was made,
// and is lost with that server. The standby takes commits in order, and a commit waits for it only if it has something to write.
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

// Ready implements ports.Health.
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
