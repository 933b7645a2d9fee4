package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/alecthomas/units"

	"rollcall/adapters/bulkfile"
	"rollcall/adapters/i18n"
	"rollcall/adapters/passhash"
	"rollcall/adapters/postgres"
	"rollcall/adapters/spool"
	"rollcall/adapters/web"
	"rollcall/application"
	"rollcall/domain"
)

type serveCommand struct {
	databaseFlags

	Listen          string           `env:"ROLLCALL_LISTEN" default:"127.0.0.1:5000" placeholder:"ADDR" help:"Address and port to listen on (${default}); port 0 takes a free one."`
	MaxBody         units.Base2Bytes `env:"ROLLCALL_MAX_BODY" default:"1GiB" placeholder:"SIZE" help:"How large the body of a request may be (${default})."`
	DefaultRegion   string           `env:"ROLLCALL_DEFAULT_REGION" default:"RU" placeholder:"REGION" help:"Whose numbers phones without a country code are, ISO 3166-1 alpha-2 (${default})."`
	ShutdownTimeout time.Duration    `env:"ROLLCALL_SHUTDOWN_TIMEOUT" default:"30s" placeholder:"TIME" help:"How long running requests may take to end when the program is told to stop (${default})."`
	LogFormat       string           `env:"ROLLCALL_LOG_FORMAT" enum:"text,json" default:"text" placeholder:"FORMAT" help:"How log lines are written: ${enum} (${default})."`
}

// Validate implements kong's interface for what its tags cannot say.
func (cmd *serveCommand) Validate() error {
	if !domain.IsRegion(cmd.DefaultRegion) {
		return fmt.Errorf("--default-region: there is no region %q with phone numbers; use a code like RU or DE", cmd.DefaultRegion)
	}
	if cmd.MaxBody <= 0 {
		return errors.New("--max-body: must be more than nothing")
	}
	return nil
}

// Run serves until ctx ends.
func (cmd *serveCommand) Run(ctx context.Context, std streams) (err error) {
	log := newLog(cmd.LogFormat, std.err)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cmd.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer listener.Close()

	database, err := cmd.start(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.stop()) }()
	db, err := postgres.Open(ctx, database.url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	server, err := cmd.newServer(db, log)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	log.Info("listening", "url", "http://"+listener.Addr().String())

	select {
	case err = <-served:
		return err
	case <-database.died():
		err = errors.New("the embedded database has ended")
	case <-ctx.Done():
		log.Info("stopping")
	}
	shutdown, cancel := context.WithTimeout(context.Background(), cmd.ShutdownTimeout)
	defer cancel()
	return errors.Join(err, server.Shutdown(shutdown))
}

// newServer joins everything.
func (cmd *serveCommand) newServer(db *postgres.DB, log *slog.Logger) (*web.Server, error) {
	spoolDir := filepath.Join(cmd.DataDir, "spool")
	err := os.MkdirAll(spoolDir, 0o700)
	if err != nil {
		return nil, fmt.Errorf("make spool folder: %w", err)
	}
	spools := spool.New(spoolDir)
	sentences, err := i18n.NewSentences()
	if err != nil {
		return nil, err
	}
	importUsers := application.NewImportUsers(application.ImportConfig{
		Imports:   postgres.NewImports(db),
		Decoder:   bulkfile.JSON{},
		Spools:    spools,
		Passwords: passhash.Generated{},
		Sentences: sentences,
		Now:       time.Now,
		Region:    cmd.DefaultRegion,
	})
	return web.NewServer(web.Config{
		Registration: importUsers,
		Health:       db,
		Spools:       spools,
		Sentences:    sentences,
		Log:          log,
		MaxBody:      int64(cmd.MaxBody),
	}), nil
}
