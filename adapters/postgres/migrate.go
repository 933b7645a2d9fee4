package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/migrate"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// The keys of advisory locks. They are arbitrary, and the same in every instance.
const (
	lockMigrations       = 0x526f6c6c_00000001
	lockExclusiveImports = 0x526f6c6c_00000002
	lockRoles            = 0x526f6c6c_00000003
	lockRollUp           = 0x526f6c6c_00000004
	lockDirectory        = 0x526f6c6c_00000005
)

// migrationsTable is the name of Bun's table of applied migrations.
const migrationsTable = "bun_migrations"

// ErrFirstService is returned for a database of the first service, which TakeOver must take over first.
var ErrFirstService = errors.New("the database is one of the first service; run 'rollcall migrate' to take it over")

// Migrate applies the missing migrations to the database at url. Instances that start concurrently take turns by an advisory lock, which
// ends with its connection. Bun's own lock is a row, which would survive a crash.
func Migrate(ctx context.Context, url string) error {
	db, err := Open(ctx, url)
	if err != nil {
		return err
	}
	err = db.migrate(ctx)
	if err != nil {
		err = fmt.Errorf("migrate: %w", err)
	}
	return errors.Join(err, db.Close()) // which releases the lock after an error
}

func (db *DB) migrate(ctx context.Context) error {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	_, err = conn.Exec(ctx, "select pg_advisory_lock($1)", int64(lockMigrations))
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	schema, isMigrated, err := currentSchema(ctx, conn.Conn())
	isFirst := false
	if err == nil && !isMigrated {
		isFirst, err = hasFirstService(ctx, conn.Conn(), schema)
	}
	switch {
	case err != nil:
		return fmt.Errorf("read tables: %w", err)
	case isFirst:
		return ErrFirstService
	}
	m := migrator(db.bun)
	err = m.Init(ctx)
	if err != nil {
		return fmt.Errorf("create table of migrations: %w", err)
	}
	_, err = m.Migrate(ctx)
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	_, err = conn.Exec(ctx, "select pg_advisory_unlock($1)", int64(lockMigrations))
	if err != nil {
		return fmt.Errorf("unlock: %w", err)
	}
	return nil
}

func migrator(db *bun.DB) *migrate.Migrator {
	migrations := migrate.NewMigrations()
	err := migrations.Discover(migrationFiles)
	if err != nil {
		panic(err) // the files are embedded: every start would fail
	}
	return migrate.NewMigrator(db, migrations, migrate.WithTableName(migrationsTable), migrate.WithMarkAppliedOnSuccess(true))
}
