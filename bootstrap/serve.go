package bootstrap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"rollcall/adapters/bulkfile"
	"rollcall/adapters/i18n"
	"rollcall/adapters/passhash"
	"rollcall/adapters/postgres"
	"rollcall/adapters/postgres/groupcommit"
	"rollcall/adapters/report"
	"rollcall/adapters/spool"
	"rollcall/adapters/web"
	"rollcall/adapters/web/api"
	"rollcall/adapters/web/guard"
	"rollcall/adapters/web/pages"
	"rollcall/adapters/web/session"
	"rollcall/adapters/web/transport"
	"rollcall/application"
	"rollcall/ports"
	"rollcall/views"
)

type serveCommand struct {
	serverFlags    `group:"Server"`
	databaseFlags  `group:"Database"`
	accessFlags    `group:"Access"`
	importFlags    `group:"Imports"`
	signInFlags    `group:"Passwords and sessions"`
	retentionFlags `group:"Retention"`
	exportFlags    `group:"Exports"`
	secretFlags    `group:"Secrets"`
	logFlags       `group:"Logging"`
	renamedFlags

	warned sync.Once // of open doors
}

// Validate implements kong's interface for rules that tags cannot express.
func (cmd *serveCommand) Validate() error {
	return errors.Join(cmd.serverFlags.check(), cmd.databaseFlags.check(), cmd.importFlags.check(), cmd.signInFlags.check(),
		cmd.retentionFlags.check(), cmd.exportFlags.check(), cmd.secretFlags.check())
}

// Run serves until ctx ends.
func (cmd *serveCommand) Run(ctx context.Context, std streams) (err error) {
	log := newLog(cmd.LogFormat, std.err)
	secure, err := cmd.tls(log)
	if err != nil {
		return err
	}
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
	defer inBackground(ctx, func(ctx context.Context) { database.keepRunning(ctx, log) })()
	db, err := postgres.Open(ctx, database.url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	sessions, err := newSessions(db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sessions.Close()) }()
	if !isLoopback(listener.Addr()) {
		cmd.warnOfOpenAccess(log)
	}
	go sweep(ctx, db, cmd.KeepRejected, cmd.KeepAnswers, log)
	spools, err := spool.Open(filepath.Join(cmd.DataDir, "spool"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, spools.Close()) }()
	setup := application.NewSetUp(postgres.NewSetupCodes(db), passhash.SetupCodes, time.Now)
	server, worker, err := cmd.newServer(db, sessions, setup, spools, secure, cmd.hosts(listener.Addr(), log), log)
	if err != nil {
		return err
	}
	err = cmd.logSetupLink(ctx, setup, listener.Addr(), log)
	if err != nil {
		return err
	}
	defer inBackground(ctx, worker.Run)()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	log.Info("listening", "url", cmd.scheme()+"://"+listener.Addr().String())

	select {
	case err = <-served:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping")
	return cmd.stop(server, served)
}

// stop takes no requests any more, for some time after it was said that they should not come.
func (cmd *serveCommand) stop(server *web.Server, served <-chan error) error {
	server.Drain()
	select {
	case err := <-served:
		return err
	case <-time.After(cmd.DrainTime):
	}
	shutdown, cancel := context.WithTimeout(context.Background(), cmd.ShutdownTimeout)
	defer cancel()
	return server.Shutdown(shutdown)
}

// inBackground runs a function until ctx ends or what it returns is called, which waits for the function's end.
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

// newSheets are the tables of credentials that are answered with.
func newSheets(dir string) api.Sheets {
	return api.Sheets{
		"csv": func(words ports.Words) ports.OutcomeWriter {
			return report.CredentialsCSV{Language: words.Language()}
		},
		"xlsx": func(words ports.Words) ports.OutcomeWriter {
			return report.CredentialsXLSX{Sentences: words, Dir: dir}
		},
	}
}

// maxConnections is how many of the connections that are wanted there can be: a quarter of the files that the system lets the program
// have open is for all else, spools and the database first.
func maxConnections(wanted int, log *slog.Logger) int {
	var files syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files)
	if err != nil || files.Cur/4*3 >= uint64(wanted) {
		return wanted
	}
	possible := int(files.Cur / 4 * 3)
	log.Info("lowered the connection limit to fit the open-file limit", "max_connections", possible, "open_files", files.Cur)
	return possible
}

// newImports joins what imports need.
func (cmd *serveCommand) newImports(db *postgres.DB, decoder ports.Decoder, outcomes ports.OutcomeStore, secret []byte, sentences ports.Sentences) *application.ImportUsers {
	return application.NewImportUsers(application.ImportConfig{
		Imports:   groupcommit.New(postgres.NewImports(db, time.Now)),
		Decoder:   decoder,
		Outcomes:  outcomes,
		Passwords: passhash.NewTemporary(secret),
		Sentences: sentences,
		Now:       time.Now,
		Region:    cmd.DefaultRegion,
		Room:      cmd.room(),

		KeepOriginals: cmd.KeepRejected > 0,
		KeepAnswers:   cmd.KeepAnswers,
		MaxRecords:    cmd.MaxRecords,
		MaxTime:       cmd.MaxImportTime,
		AtOnce:        cmd.MaxImports,
	})
}

// newServer joins everything.
func (cmd *serveCommand) newServer(db *postgres.DB, sessions session.Storage, setup ports.SettingUp, spools *spool.Spools, secure *tls.Config, hosts guard.Hosts, log *slog.Logger) (*web.Server, *application.UploadWorker, error) {
	secret, err := cmd.load(cmd.DataDir)
	if err != nil {
		return nil, nil, err
	}
	catalog, err := i18n.New()
	if err != nil {
		return nil, nil, err
	}
	hasher := passhash.NewHasher(passhash.Config{})
	accounts, limits := postgres.NewAccounts(db), postgres.NewLimits(db)
	const inflated = 4 // times what the same people are in JSON
	decoder := bulkfile.Files{Spools: spools, MaxInflated: inflated * int64(cmd.MaxBody)}
	importUsers := cmd.newImports(db, decoder, spools, secret, catalog.Choose("en", ""))
	registerUser := application.NewRegisterUser(application.RegisterConfig{
		Registrations: postgres.NewRegistrations(db),
		Accounts:      accounts,
		Limits:        limits,
		Hasher:        hasher,
		Now:           time.Now,
		Region:        cmd.DefaultRegion,
	})
	auth := application.NewAuth(application.AuthConfig{
		Accounts:          accounts,
		Limits:            limits,
		Hasher:            hasher,
		Devices:           passhash.NewDevices(secret),
		Now:               time.Now,
		Region:            cmd.DefaultRegion,
		TemporaryLifetime: cmd.TemporaryLifetime,
		MustChange:        cmd.TemporaryPasswords == pages.PasswordsMustChange,
	})
	uploads := postgres.NewFileUploads(db)
	uploadFile, worker := cmd.newUploads(uploads, importUsers, decoder, spools, log)
	reports := postgres.NewReports(db)
	server, err := web.NewServer(web.Config{
		Transport: transport.Config{
			TLS:            secure,
			ClientTimeout:  cmd.ClientTimeout,
			MaxConnections: maxConnections(cmd.MaxConnections, log),
			Proxies:        prefixes(cmd.TrustedProxies),
			UntrustedProxy: func(peer netip.Addr) { cmd.warnOfProxy(peer, log) },
		},
		Sessions: session.Config{Storage: sessions, Idle: cmd.SessionIdle, Lifetime: cmd.SessionLifetime},
		Guard:    guard.Config{Hosts: hosts, ReportsAccess: cmd.ReportsAccess, Pseudonym: passhash.Pseudonyms(secret)},
		Useradd: api.Config{
			Access:    cmd.UseraddAccess,
			Tokens:    application.NewAccessTokens(postgres.NewAccessTokens(db), passhash.TokenSecrets, time.Now),
			Importing: importUsers,
		},
		Account: pages.AccountConfig{
			Registering:        registerUser,
			Auth:               auth,
			Setup:              setup,
			RegistrationClosed: cmd.Registration != registrationOpen,
		},
		Uploads: pages.UploadsConfig{
			Uploading:        uploadFile,
			Uploads:          uploads,
			Importing:        importUsers,
			Templates:        map[string]ports.TemplateWriter{"csv": report.TemplateCSV{}, "xlsx": report.TemplateXLSX{Dir: spools.Dir()}},
			KeepAnswers:      cmd.KeepAnswers,
			PasswordPolicy:   cmd.TemporaryPasswords,
			PasswordLifetime: cmd.TemporaryLifetime,
		},
		Reports:   reports,
		Exporting: cmd.newExportReport(reports, spools, log),
		Health:    db,
		Spools:    spools,
		Languages: catalog,
		Sheets:    newSheets(spools.Dir()),
		MaxBody:   int64(cmd.MaxBody),
		Views:     views.Files,
		Log:       log,
	})
	return server, worker, err
}
