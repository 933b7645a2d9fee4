package postgres

import (
	"context"
	"embed"
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
)

// Migrate applies the missing migrations to the database at url. Instances that start concurrently take turns by an advisory lock, which
// ends with its connection. Bun's own lock is a row, which would survive a crash.
func Migrate(ctx context.Context, url string) error {
	db, err := Open(ctx, url)
	if err != nil {
		return err
	}
	err = db.migrate(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return db.Close()
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
	return migrate.NewMigrator(db, migrations, migrate.WithMarkAppliedOnSuccess(true))
}
