package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"rollcall/adapters/localpg"
	"rollcall/adapters/postgres"
	"rollcall/adapters/spool"
)

const (
	// databaseStopTimeout bounds the stop of PostgreSQL, which writes a checkpoint first.
	databaseStopTimeout = time.Minute

	// restartPause is the pause before another attempt to restart PostgreSQL. It doubles each time up to maxRestartPause.
	restartPause    = time.Second
	maxRestartPause = 8 * time.Second
)

// databaseFlags say where the data is. Each command that uses the database has them.
type databaseFlags struct {
	DatabaseURL     string `name:"database-url" env:"DATABASE_URL" placeholder:"URL" secret:"password" help:"URL of a PostgreSQL database, version 13 or later, such as postgres://user:password@host/database. Defaults to a PostgreSQL in the data folder that starts and stops with the server."`
	DatabaseURLFile string `name:"database-url-file" env:"DATABASE_URL_FILE" type:"path" placeholder:"FILE" secret:"file" help:"File with the URL of the database. Other users of this machine must not be able to read it."`
	DataDir         string `name:"data-dir" env:"ROLLCALL_DATA_DIR" default:"./data" type:"path" placeholder:"DIR" help:"Folder for the server's data (default: ${default})."`
}

// Validate implements kong's interface for commands that have no other flags to check.
func (f *databaseFlags) Validate() error { return f.check() }

// check reads the URL from its file.
func (f *databaseFlags) check() (err error) {
	f.DatabaseURL, err = readSecret("database-url", f.DatabaseURL, f.DatabaseURLFile)
	return err
}

// A database is a migrated database.
type database struct {
	url   string
	local *localpg.Server // the embedded PostgreSQL; nil if another program runs the database
}

// withDatabase calls work with the database of a server, which may be running. It returns an error if there is none: a new database in the
// wrong folder would hide the mistake.
func (f *databaseFlags) withDatabase(ctx context.Context, std streams, work func(*postgres.DB) error) (err error) {
	err = f.exists()
	if err != nil {
		return err
	}
	database, err := f.reachDatabase(ctx, newLog("text", std.err))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.stop()) }()
	db, err := postgres.Open(ctx, database.url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return work(db)
}

// exists returns an error if the embedded database was never started.
func (f *databaseFlags) exists() error {
	if f.DatabaseURL != "" {
		return nil
	}
	_, err := os.Stat(f.clusterDir())
	if err != nil {
		return fmt.Errorf("no database in %s: set the --data-dir or --database-url of the server, or start the server first", f.DataDir)
	}
	return nil
}

// reachDatabase returns the database of a running server, or starts it as startDatabase does if no server runs.
func (f *databaseFlags) reachDatabase(ctx context.Context, log *slog.Logger) (*database, error) {
	db, err := f.startDatabase(ctx, log, postgres.Migrate)
	if !errors.Is(err, localpg.ErrInUse) {
		return db, err
	}
	f.DatabaseURL, err = localpg.URL(f.clusterDir(), localpg.Database)
	if err != nil {
		return nil, fmt.Errorf("find running embedded database: %w", err)
	}
	return f.startDatabase(ctx, log, postgres.Migrate)
}

// clusterDir returns the folder of the embedded database.
func (f *databaseFlags) clusterDir() string { return filepath.Join(f.DataDir, "postgres") }

// room returns a function that checks the free space on the disk of the embedded database, nil for any other database.
func (f *databaseFlags) room() func() error {
	if f.DatabaseURL != "" {
		return nil
	}
	return spool.NewRoom(f.clusterDir())
}

// startDatabase migrates the database by a function of its URL. It starts the embedded one if the flags name no other.
func (f *databaseFlags) startDatabase(ctx context.Context, log *slog.Logger, migrate func(context.Context, string) error) (*database, error) {
	db := &database{url: f.DatabaseURL}
	var err error
	if db.url == "" {
		db.local, err = localpg.Start(ctx, localpg.Config{Dir: f.clusterDir(), Log: log})
		if err != nil {
			return nil, fmt.Errorf("start embedded database: %w", err)
		}
		db.url = db.local.URL(localpg.Database)
	}
	err = os.MkdirAll(f.DataDir, 0o755)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create data folder: %w", err), db.stop())
	}
	err = migrate(ctx, db.url)
	if err != nil {
		return nil, errors.Join(err, db.stop())
	}
	return db, nil
}

// stop stops the embedded database. It does nothing for any other.
func (db *database) stop() error {
	if db.local == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), databaseStopTimeout)
	defer cancel()
	err := db.local.Stop(ctx)
	if err != nil {
		return fmt.Errorf("stop embedded database: %w", err)
	}
	return nil
}

// keepRunning restarts the embedded database whenever it ends by itself, until ctx ends. PostgreSQL ends if its disk is full, and
// cannot start before there is space. Requests fail with 503 meanwhile.
func (db *database) keepRunning(ctx context.Context, log *slog.Logger) {
	if db.local == nil {
		return
	}
	for pause := restartPause; ; {
		select {
		case <-ctx.Done():
			return
		case <-db.local.Done():
		}
		err := db.local.Restart(ctx)
		if err == nil {
			log.Warn("embedded database restarted after it ended by itself")
			pause = restartPause
			continue
		}
		if ctx.Err() != nil {
			return
		}
		log.Error("embedded database restart failed", "error", err, "retry_in", pause)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, maxRestartPause)
	}
}
