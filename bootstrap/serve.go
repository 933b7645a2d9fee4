package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"reflect"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"rollcall/adapters/i18n"
	"rollcall/adapters/postgres"
	"rollcall/adapters/spool"
	"rollcall/adapters/web"
	"rollcall/domain"
)

type serveCommand struct {
	serverFlags    `group:"Server"`
	zoneFlags      `group:"Server"`
	databaseFlags  `group:"Database"`
	accessFlags    `group:"Access"`
	rulesFlags     `group:"Imports"`
	importFlags    `group:"Imports"`
	signInFlags    `group:"Passwords and sessions"`
	retentionFlags `group:"Retention"`
	exportFlags    `group:"Exports"`
	secretFlags    `group:"Secrets"`
	logFlags       `group:"Logging"`
	renamedFlags

	settings map[string]any // that are not the defaults, without secrets
	warned   sync.Once      // by warnOfOpenAccess
}

// Validate implements kong's interface for rules that tags cannot express.
func (cmd *serveCommand) Validate() error {
	return errors.Join(cmd.serverFlags.check(), cmd.databaseFlags.check(), cmd.rulesFlags.check(), cmd.importFlags.check(),
		cmd.signInFlags.check(), cmd.retentionFlags.check(), cmd.exportFlags.check(), cmd.secretFlags.check())
}

// AfterApply implements kong's interface. It collects the settings.
func (cmd *serveCommand) AfterApply(command *kong.Context) error {
	cmd.settings = map[string]any{}
	for _, flag := range command.Flags() {
		if flag.Tag.Has("secret") || flag.Hidden || flag.Name == "help" {
			continue
		}
		usual := reflect.New(flag.Target.Type()).Elem()
		if flag.HasDefault {
			err := flag.Parse(kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: flag.Default}), usual)
			if err != nil {
				return fmt.Errorf("read default of --%s: %w", flag.Name, err)
			}
		}
		if value := fmt.Sprint(command.FlagValue(flag)); value != fmt.Sprint(usual.Interface()) {
			cmd.settings[flag.Name] = value
		}
	}
	return nil
}

// Run serves until ctx ends.
func (cmd *serveCommand) Run(ctx context.Context, std streams) (err error) {
	log := newLog(cmd.LogFormat, std.err)
	certificate, err := cmd.tls(log)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cmd.Listen)
	if _, isAddress := errors.AsType[*net.AddrError](err); isAddress {
		return usageError{fmt.Errorf("invalid --listen %q: expected an address and port such as 127.0.0.1:5000", cmd.Listen)}
	}
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer listener.Close()
	if !isLoopback(listener.Addr()) {
		cmd.warnOfOpenAccess(log)
	}

	database, err := cmd.startDatabase(ctx, log, func(ctx context.Context, url string) error { return takeOverAndMigrate(ctx, url, cmd.rules(), log) })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.stop()) }()
	defer inBackground(ctx, func(ctx context.Context) { database.keepRunning(ctx, log) })()
	db, err := cmd.openDatabase(ctx, database.url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	sessions, err := newSessions(ctx, db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sessions.Close()) }()
	spools, err := spool.Open(filepath.Join(cmd.DataDir, "spool"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, spools.Close()) }()

	secret, err := cmd.loadSecret(cmd.DataDir)
	if err != nil {
		return err
	}
	catalog, err := i18n.New()
	if err != nil {
		return err
	}

	r := resources{db, sessions, spools, secret, catalog, certificate, listener.Addr(), log}
	u := cmd.newUseCases(r)
	server, err := cmd.newServer(r, u)
	if err != nil {
		return err
	}
	err = errors.Join(cmd.logSetupLink(ctx, u.setUp, listener.Addr(), log),
		u.audit.Record(ctx, domain.AuditEntry{Action: domain.ActionServerStarted, After: cmd.settings}))
	if err != nil {
		return err
	}
	go sweep(ctx, db, cmd.retentionFlags, cmd.exportsFolder(), log)
	defer inBackground(ctx, u.uploadWorker.Run)()
	return cmd.serve(ctx, server, listener, log)
}

// openDatabase opens a database, whose statistics then have the days of the time zone.
func (cmd *serveCommand) openDatabase(ctx context.Context, url string) (*postgres.DB, error) {
	db, err := postgres.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	err = postgres.NewReports(db).CountDaysIn(ctx, cmd.now().Location())
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// rules returns the rules of the current day.
func (cmd *serveCommand) rules() domain.Rules { return cmd.rulesFlags.rules(cmd.now()) }

// serve runs the server until ctx ends. Then it drains the server, which fails /readyz meanwhile, and shuts it down.
func (f *serverFlags) serve(ctx context.Context, server *web.Server, listener net.Listener, log *slog.Logger) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	log.Info("listening", "url", f.scheme()+"://"+listener.Addr().String())
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping")
	server.Drain()
	select {
	case err := <-served:
		return err
	case <-time.After(f.DrainTime):
	}
	shutdown, cancel := context.WithTimeout(context.Background(), f.ShutdownTimeout)
	defer cancel()
	return server.Shutdown(shutdown)
}

// inBackground runs a function concurrently. The function that it returns cancels the context of run, and waits for its end.
func inBackground(ctx context.Context, run func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}
