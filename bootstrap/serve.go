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
	"syscall"
	"time"

	"github.com/alecthomas/units"

	"rollcall/adapters/bulkfile"
	"rollcall/adapters/i18n"
	"rollcall/adapters/passhash"
	"rollcall/adapters/postgres"
	"rollcall/adapters/report"
	"rollcall/adapters/spool"
	"rollcall/adapters/web"
	"rollcall/application"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/views"
)

type serveCommand struct {
	databaseFlags
	accessFlags

	Listen            string           `env:"ROLLCALL_LISTEN" default:"127.0.0.1:5000" placeholder:"ADDR" help:"Address and port to listen on (${default}); port 0 takes a free one."`
	MaxBody           units.Base2Bytes `env:"ROLLCALL_MAX_BODY" default:"1GiB" placeholder:"SIZE" help:"How large the body of a request may be (${default})."`
	MaxRecords        int              `name:"max-objects" env:"ROLLCALL_MAX_OBJECTS" default:"20000000" placeholder:"N" help:"How many records an import may have; 0 means no limit (${default})."`
	MaxImports        int              `env:"ROLLCALL_MAX_IMPORTS" default:"16" placeholder:"N" help:"How many large imports, of more than 1 MiB or 10,000 records, may run or wait for their turn; 0 means no limit (${default})."`
	MaxImportTime     time.Duration    `env:"ROLLCALL_MAX_IMPORT_TIME" default:"1h" placeholder:"TIME" help:"How long an import may take, waiting included; 0 is no limit (${default})."`
	MaxConnections    int              `env:"ROLLCALL_MAX_CONNECTIONS" default:"16384" placeholder:"N" help:"Maximum number of concurrent client connections (${default}). One address may have a tenth of them, unless it is a trusted proxy."`
	ClientTimeout     time.Duration    `env:"ROLLCALL_CLIENT_TIMEOUT" default:"1m" placeholder:"TIME" help:"How long a client may keep the server waiting (${default}), besides a second for each KiB that it sends or receives."`
	KeepAnswers       time.Duration    `env:"ROLLCALL_KEEP_ANSWERS" default:"24h" placeholder:"TIME" help:"How long the answer to a request with an Idempotency-Key is kept (${default})."`
	SecretKey         string           `env:"ROLLCALL_SECRET_KEY" placeholder:"KEY" secret:"" help:"Secret key of generated passwords, 32 bytes or more in base64 or hexadecimal; several instances must have the same. Without it the program makes one, and keeps it in its data folder."`
	SecretKeyFile     string           `env:"ROLLCALL_SECRET_KEY_FILE" type:"path" placeholder:"FILE" secret:"file" help:"File with the secret key, which other users of this machine cannot read."`
	DefaultRegion     string           `env:"ROLLCALL_DEFAULT_REGION" default:"RU" placeholder:"REGION" help:"Whose numbers phones without a country code are, ISO 3166-1 alpha-2 (${default})."`
	GeneratedLifetime time.Duration    `name:"generated-password-lifetime" env:"ROLLCALL_GENERATED_PASSWORD_LIFETIME" default:"720h" placeholder:"TIME" help:"How long a generated password signs in (${default})."`
	SessionIdle       time.Duration    `env:"ROLLCALL_SESSION_IDLE" default:"24h" placeholder:"TIME" help:"How long somebody stays signed in without a request (${default})."`
	SessionLifetime   time.Duration    `env:"ROLLCALL_SESSION_LIFETIME" default:"720h" placeholder:"TIME" help:"How long somebody stays signed in at most (${default})."`
	KeepRefused       time.Duration    `env:"ROLLCALL_KEEP_REFUSED" default:"720h" placeholder:"TIME" help:"How long refused objects are kept as they came, to be mended and sent again (${default}); 0 keeps none."`
	UploadsDir        string           `env:"ROLLCALL_UPLOADS_DIR" default:"./uploads" placeholder:"DIR" help:"Folder of the last files that were exported (${default})."`
	MaxUploads        units.Base2Bytes `env:"ROLLCALL_MAX_UPLOADS" default:"1GiB" placeholder:"SIZE" help:"How large that folder may be (${default})."`
	DrainTime         time.Duration    `env:"ROLLCALL_DRAIN_TIME" default:"0s" placeholder:"TIME" help:"How long requests are still taken when the program is told to stop, while /readyz says that it is (${default}): what a load balancer needs to notice."`
	ShutdownTimeout   time.Duration    `env:"ROLLCALL_SHUTDOWN_TIMEOUT" default:"30s" placeholder:"TIME" help:"How long running requests may take to end when the program is told to stop (${default})."`
	LogFormat         string           `env:"ROLLCALL_LOG_FORMAT" enum:"text,json" default:"text" placeholder:"FORMAT" help:"How log lines are written: ${enum} (${default})."`

	secretKey []byte // decoded; nil for the one in the data folder
}

// Validate implements kong's interface for what its tags cannot say.
func (cmd *serveCommand) Validate() error {
	if !domain.IsRegion(cmd.DefaultRegion) {
		return fmt.Errorf("--default-region: there is no region %q with phone numbers; use a code like RU or DE", cmd.DefaultRegion)
	}
	switch {
	case cmd.MaxConnections <= 0:
		return errors.New("--max-connections: must be more than nothing")
	case cmd.ClientTimeout <= 0:
		return errors.New("--client-timeout: must be more than nothing")
	case cmd.MaxBody <= 0:
		return errors.New("--max-body: must be more than nothing")
	case cmd.GeneratedLifetime <= 0:
		return errors.New("--generated-password-lifetime: must be more than nothing")
	case cmd.KeepRefused < 0:
		return errors.New("--keep-refused: must not be negative")
	case cmd.KeepAnswers <= 0:
		return errors.New("--keep-answers: must be more than nothing")
	case cmd.MaxRecords < 0, cmd.MaxImports < 0, cmd.MaxImportTime < 0:
		return errors.New("--max-objects, --max-imports, --max-import-time: must not be negative")
	case cmd.MaxUploads <= 0:
		return errors.New("--max-uploads: must be more than nothing")
	case cmd.DrainTime < 0:
		return errors.New("--drain-time: must not be negative")
	case cmd.SessionIdle < time.Second, cmd.SessionLifetime < time.Second:
		return errors.New("--session-idle, --session-lifetime: must be a second or more")
	}
	err := errors.Join(cmd.databaseFlags.Validate(), cmd.check())
	if err != nil {
		return err
	}
	cmd.SecretKey, err = readSecret("secret-key", cmd.SecretKey, cmd.SecretKeyFile)
	if err == nil && cmd.SecretKey != "" {
		cmd.secretKey, err = passhash.ParseSecret(cmd.SecretKey)
	}
	return err
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
	defer inBackground(ctx, func(ctx context.Context) { database.keep(ctx, log) })()
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
		cmd.warn(log)
	}
	go sweep(ctx, db, cmd.KeepRefused, cmd.KeepAnswers, log)
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
func newSheets(dir string) web.Sheets {
	return web.Sheets{
		web.MediaCSV: func(words ports.Words) ports.OutcomeWriter {
			return report.CredentialsCSV{Language: words.Language()}
		},
		web.MediaXLSX: func(words ports.Words) ports.OutcomeWriter {
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
	log.Info("there can be fewer connections than --max-connections, by the number of files that may be open", "max_connections", possible, "files", files.Cur)
	return possible
}

// newImports joins what imports need.
func (cmd *serveCommand) newImports(db *postgres.DB, decoder ports.Decoder, spools ports.SpoolStore, secret []byte, sentences ports.Sentences) *application.ImportUsers {
	return application.NewImportUsers(application.ImportConfig{
		Imports:   postgres.NewImports(db, time.Now),
		Decoder:   decoder,
		Spools:    spools,
		Passwords: passhash.NewTemporary(secret),
		Sentences: sentences,
		Now:       time.Now,
		Region:    cmd.DefaultRegion,
		Room:      cmd.room(),

		KeepOriginals: cmd.KeepRefused > 0,
		KeepAnswers:   cmd.KeepAnswers,
		MaxRecords:    cmd.MaxRecords,
		MaxTime:       cmd.MaxImportTime,
		AtOnce:        cmd.MaxImports,
	})
}

// newServer joins everything.
func (cmd *serveCommand) newServer(db *postgres.DB, sessions web.SessionStorage, setup ports.SettingUp, spools *spool.Spools, secure *tls.Config, hosts web.Hosts, log *slog.Logger) (*web.Server, *application.UploadWorker, error) {
	secret, err := cmd.secretKey, error(nil)
	if secret == nil {
		secret, err = passhash.LoadOrCreateSecret(cmd.DataDir)
	}
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
		TemporaryLifetime: cmd.GeneratedLifetime,
		MustChange:        cmd.TemporaryPasswords == web.PasswordsMustChange,
	})
	uploads := postgres.NewFileUploads(db)
	uploadFile, worker := cmd.newUploads(uploads, importUsers, decoder, spools, log)
	reports := postgres.NewReports(db)
	server, err := web.NewServer(web.Config{
		Importing:      importUsers,
		Registering:    registerUser,
		Uploading:      uploadFile,
		Uploads:        uploads,
		KeepAnswers:    cmd.KeepAnswers,
		Auth:           auth,
		Setup:          setup,
		Access:         application.NewAccessTokens(postgres.NewAccessTokens(db), passhash.TokenSecrets, time.Now),
		Reports:        reports,
		Exporting:      cmd.newExportReport(reports, spools, log),
		Health:         db,
		Spools:         spools,
		Languages:      catalog,
		Sheets:         newSheets(spools.Dir()),
		Sessions:       web.SessionConfig{Storage: sessions, Idle: cmd.SessionIdle, Lifetime: cmd.SessionLifetime},
		Passwords:      web.TemporaryPasswords{Policy: cmd.TemporaryPasswords, Lifetime: cmd.GeneratedLifetime},
		Views:          views.Files,
		Templates:      map[string]ports.TemplateWriter{"csv": report.TemplateCSV{}, "xlsx": report.TemplateXLSX{Dir: spools.Dir()}},
		Log:            log,
		MaxBody:        int64(cmd.MaxBody),
		MaxConnections: maxConnections(cmd.MaxConnections, log),
		ClientTimeout:  cmd.ClientTimeout,
		ReportsAccess:  cmd.ReportsAccess,
		Pseudonym:      passhash.Pseudonyms(secret),
		TLS:            secure,
		Hosts:          hosts,
		TrustedProxies: prefixes(cmd.TrustedProxies),
		UntrustedProxy: func(peer netip.Addr) { cmd.warnOfProxy(peer, log) },

		UseraddAccess:      cmd.UseraddAccess,
		RegistrationClosed: cmd.Registration != registrationOpen,
	})
	return server, worker, err
}
