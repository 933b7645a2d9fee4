package bootstrap

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
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
	"rollcall/views"
)

const (
	// maxInflated is the maximum size of a decompressed file, in units of --max-body: JSON of the same people is up to 4 times larger
	// than a workbook.
	maxInflated = 4

	// maxUndecided is the maximum size of a user's undecided uploads, in units of --max-body.
	maxUndecided = 2

	// uploadWorkers is the number of uploads that an instance processes concurrently. Only one of them can be a large import; the
	// others are dry runs. uploadQueue is the number of uploads that run or wait.
	uploadWorkers = 4
	uploadQueue   = 64

	// heartbeat is the interval in which a running import or upload records its progress.
	heartbeat = time.Second

	// exportPatience is the time that an export waits for others before it fails.
	exportPatience = time.Minute
)

// resources are what the parts of a server share. Run opens and closes them.
type resources struct {
	db       *postgres.DB
	sessions session.Storage
	spools   *spool.Spools
	secret   []byte
	catalog  *i18n.Catalog
	tls      *tls.Config // nil for plain HTTP
	address  net.Addr    // that the server listens on
	log      *slog.Logger
}

// useCases are what a server can do. Stores stand for use cases that only read.
type useCases struct {
	importUsers  *application.ImportUsers
	registerUser *application.RegisterUser
	auth         *application.Auth
	accessTokens *application.AccessTokens
	setUp        *application.SetUp
	uploadFile   *application.UploadFile
	uploadWorker *application.UploadWorker
	uploads      *postgres.FileUploads
	exportReport *application.ExportReport
	reports      *postgres.Reports
	directory    *application.Directory
	audit        *postgres.Audit
}

func (cmd *serveCommand) newUseCases(r resources) *useCases {
	accounts := postgres.NewAccounts(r.db)
	limits := postgres.NewLimits(r.db)
	audit := postgres.NewAudit(r.db)
	decoder := bulkfile.Files{Spools: r.spools, MaxInflated: maxInflated * int64(cmd.MaxBody)}
	hasher := passhash.NewHasher(passhash.Config{})

	u := &useCases{reports: postgres.NewReports(r.db), uploads: postgres.NewFileUploads(r.db), audit: audit}
	u.importUsers = application.NewImportUsers(application.ImportConfig{
		Imports:       groupcommit.New(postgres.NewImports(r.db, cmd.now)),
		Running:       postgres.NewRunningImports(r.db),
		Beat:          heartbeat,
		Decoder:       decoder,
		Outcomes:      r.spools,
		Audit:         u.audit,
		Passwords:     passhash.NewTemporary(r.secret),
		Sentences:     r.catalog.Choose("en", ""),
		Rules:         cmd.rules,
		Now:           cmd.now,
		Room:          cmd.room(),
		KeepOriginals: cmd.KeepRejected > 0,
		KeepAnswers:   cmd.KeepAnswers,
		ImportLimits:  application.ImportLimits(cmd.importFlags),
	})
	u.auth = application.NewAuth(application.AuthConfig{
		Accounts:          accounts,
		Limits:            limits,
		Hasher:            hasher,
		Devices:           passhash.NewDevices(r.secret),
		Audit:             audit,
		Now:               cmd.now,
		Rules:             cmd.rules,
		TemporaryLifetime: cmd.TemporaryLifetime,
		MustChange:        cmd.TemporaryPasswords == pages.PasswordsMustChange,
	})
	u.directory = cmd.newDirectory(r, hasher)
	u.registerUser = application.NewRegisterUser(application.RegisterConfig{
		Registrations: postgres.NewRegistrations(r.db),
		Accounts:      accounts,
		Limits:        limits,
		Hasher:        hasher,
		SignIn:        u.auth.SignIn,
		Now:           cmd.now,
		Rules:         cmd.rules,
	})
	u.uploadWorker = application.NewUploadWorker(application.UploadWorkerConfig{
		Jobs:        u.uploads,
		Importing:   u.importUsers,
		Directory:   u.directory,
		Spools:      r.spools,
		Decoder:     decoder,
		Failed:      func(upload string, err error) { r.log.Error("upload job failed", "upload", upload, "error", err) },
		Concurrency: uploadWorkers,
		Queue:       uploadQueue,
		Beat:        heartbeat,
	})
	u.uploadFile = application.NewUploadFile(application.UploadConfig{
		Uploads:   u.uploads,
		Worker:    u.uploadWorker,
		Importing: u.importUsers,
		Decoder:   decoder,
		Room:      cmd.room(),
		MaxUser:   maxUndecided * int64(cmd.MaxBody),
	})
	u.exportReport = application.NewExportReport(application.ExportConfig{
		Reports:     u.reports,
		Audit:       audit,
		AuditWriter: report.AuditCSV{Location: cmd.now().Location()},
		Exports:     cmd.exportsFolder(),
		Formats:     report.Formats(cmd.now().Location(), r.spools.Dir()),
		Users:       u.directory,
		UserFormats: report.Users(cmd.now().Location(), r.spools.Dir()),
		Now:         cmd.now,
		Concurrency: max(1, runtime.GOMAXPROCS(0)/2),
		Patience:    exportPatience,
	})
	u.accessTokens = application.NewAccessTokens(postgres.NewAccessTokens(r.db), passhash.TokenSecrets, cmd.now)
	u.setUp = application.NewSetUp(postgres.NewSetupCodes(r.db), passhash.SetupCodes, cmd.now)
	return u
}

func (cmd *serveCommand) newDirectory(r resources, hasher *passhash.Hasher) *application.Directory {
	return application.NewDirectory(application.DirectoryConfig{
		Accounts:          postgres.NewAccounts(r.db),
		Store:             postgres.NewDirectory(r.db),
		Users:             postgres.NewUsers(r.db),
		Passwords:         passhash.NewTemporary(r.secret),
		Outcomes:          r.spools,
		Hasher:            hasher,
		Now:               cmd.now,
		Rules:             cmd.rules,
		TemporaryLifetime: cmd.TemporaryLifetime,
		KeepAnswers:       cmd.KeepAnswers,
	})
}

func (cmd *serveCommand) newServer(r resources, u *useCases) (*web.Server, error) {
	return web.NewServer(web.Config{
		Transport: transport.Config{
			TLS:            r.tls,
			ClientTimeout:  cmd.ClientTimeout,
			MaxConnections: cmd.connections(r.log),
			Proxies:        prefixes(cmd.TrustedProxies),
			UntrustedProxy: func(peer netip.Addr) { cmd.warnOfProxy(peer, r.log) },
		},
		Sessions: session.Config{Storage: r.sessions, Descriptions: postgres.NewSessions(r.db), Idle: cmd.SessionIdle, Lifetime: cmd.SessionLifetime},
		Guard: guard.Config{
			Hosts:         cmd.hosts(r.address, r.log),
			ReportsAccess: cmd.ReportsAccess,
			Tokens:        u.accessTokens,
			Pseudonym:     passhash.Pseudonyms(r.secret),
		},
		Useradd: api.Config{
			Access:    cmd.UseraddAccess,
			Importing: u.importUsers,
		},
		Account: pages.AccountConfig{
			Registering:        u.registerUser,
			Auth:               u.auth,
			Setup:              u.setUp,
			RegistrationClosed: cmd.Registration != registrationOpen,
		},
		Uploads: pages.UploadsConfig{
			Uploading:        u.uploadFile,
			Changing:         u.uploadFile,
			ResultFiles:      report.Results(r.spools.Dir()),
			Uploads:          u.uploads,
			Importing:        u.importUsers,
			Audit:            u.audit,
			Templates:        report.Templates(r.spools.Dir()),
			KeepAnswers:      cmd.KeepAnswers,
			MaxUser:          maxUndecided * int64(cmd.MaxBody),
			PasswordPolicy:   cmd.TemporaryPasswords,
			PasswordLifetime: cmd.TemporaryLifetime,
		},
		SiteName:  cmd.SiteName,
		Reports:   u.reports,
		Directory: u.directory,
		Users:     u.directory,
		Exporting: u.exportReport,
		Audit:     application.NewReadAudit(u.audit, postgres.NewAccounts(r.db)),
		Ready:     r.db.Ready,
		Spools:    r.spools,
		Languages: r.catalog,
		Now:       cmd.now,
		Sheets:    report.Credentials(r.spools.Dir()),
		MaxBody:   int64(cmd.MaxBody),
		Views:     views.Files,
		Log:       r.log,

		PatronymicOptional: cmd.Patronymic == patronymicOptional,
	})
}
