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
	// databaseStopTimeout bounds how long PostgreSQL may take to stop: it writes a checkpoint.
	databaseStopTimeout = time.Minute

	// restartPause is how long it is left alone when it could not start again, doubled each time up to maxRestartPause.
	restartPause    = time.Second
	maxRestartPause = 8 * time.Second
)

// databaseFlags say where the data is.
type databaseFlags struct {
	DatabaseURL     string `name:"database-url" env:"DATABASE_URL" placeholder:"URL" secret:"password" help:"PostgreSQL to use, 13 or later, e.g. postgres://user:password@host/database. Without it, one in the data folder is started and stopped with the program."`
	DatabaseURLFile string `name:"database-url-file" env:"DATABASE_URL_FILE" type:"path" placeholder:"FILE" secret:"file" help:"File with the URL of the database, which other users of this machine cannot read."`
	DataDir         string `name:"data-dir" env:"ROLLCALL_DATA_DIR" default:"./data" type:"path" placeholder:"DIR" help:"Folder of all that the program keeps (${default})."`
}

// Validate implements kong's interface. It also reads the file of the URL.
func (f *databaseFlags) Validate() (err error) {
	f.DatabaseURL, err = readSecret("database-url", f.DatabaseURL, f.DatabaseURLFile)
	return err
}

// database is what the flags say, ready to be used.
type database struct {
	url   string
	local *localpg.Server // nil when it is not ours to stop
}

// with runs work on the database, be it a running server's. It makes no new one, where nobody would look for what is in it.
func (f *databaseFlags) with(ctx context.Context, std streams, work func(*postgres.DB) error) (err error) {
	if f.DatabaseURL == "" {
		_, err := os.Stat(f.clusterDir())
		if err != nil {
			return fmt.Errorf("there is no database in %s: give the --data-dir or the --database-url of the server, or start the server first", f.DataDir)
		}
	}
	database, err := f.reach(ctx, newLog("text", std.err))
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

// reach is start for what is done beside a server that runs: the embedded database is then that server's.
func (f *databaseFlags) reach(ctx context.Context, log *slog.Logger) (*database, error) {
	db, err := f.start(ctx, log)
	if !errors.Is(err, localpg.ErrInUse) {
		return db, err
	}
	f.DatabaseURL, err = localpg.URL(f.clusterDir(), localpg.Database)
	if err != nil {
		return nil, fmt.Errorf("find running embedded database: %w", err)
	}
	return f.start(ctx, log)
}

// clusterDir is the folder of the embedded database.
func (f *databaseFlags) clusterDir() string { return filepath.Join(f.DataDir, "postgres") }

// room returns what tells whether the disk of the embedded database has room; nil for a database on another's disk.
func (f *databaseFlags) room() func() error {
	if f.DatabaseURL != "" {
		return nil
	}
	return func() error { return spool.Room(f.clusterDir()) }
}

// start starts the embedded database where none is named, and migrates either.
func (f *databaseFlags) start(ctx context.Context, log *slog.Logger) (*database, error) {
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
		return nil, errors.Join(fmt.Errorf("make data folder: %w", err), db.stop())
	}
	err = postgres.Migrate(ctx, db.url)
	if err != nil {
		return nil, errors.Join(err, db.stop())
	}
	return db, nil
}

// stop stops the embedded database, if there is one.
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

// keep starts the embedded database again whenever it has ended by itself, until ctx ends. It does so when there is no room for
// its log, and cannot start before there is; whoever asks for something meanwhile is told that it is away.
func (db *database) keep(ctx context.Context, log *slog.Logger) {
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
			log.Warn("the embedded database had ended by itself, and was started again")
			pause = restartPause
			continue
		}
		if ctx.Err() != nil {
			return
		}
		log.Error("the embedded database has ended, and does not start", "error", err, "again_in", pause)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, maxRestartPause)
	}
}

type migrateCommand struct {
	databaseFlags

	LogFormat string `env:"ROLLCALL_LOG_FORMAT" enum:"text,json" default:"text" placeholder:"FORMAT" help:"How log lines are written: ${enum} (${default})."`
}

// Run migrates the database.
func (cmd *migrateCommand) Run(ctx context.Context, std streams) error {
	db, err := cmd.start(ctx, newLog(cmd.LogFormat, std.err))
	if err != nil {
		return err
	}
	return db.stop()
}
