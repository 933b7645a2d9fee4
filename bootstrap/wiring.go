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

	// uploadHeartbeat is the interval in which a running upload records its progress.
	uploadHeartbeat = time.Second

	// exportPatience is the time that an export waits for others before it fails.
	exportPatience = time.Minute
)

// resources are what the parts of a server share. Run opens and closes them.
type resources struct {
	db       *postgres.DB
	sessions session.Storage
	spools   *spool.Spools
	tls      *tls.Config // nil for plain HTTP
	address  net.Addr    // that the server listens on
	log      *slog.Logger
}

// A service is a server that does not run yet.
type service struct {
	server *web.Server
	worker *application.UploadWorker
	setup  *application.SetUp
}

// wire constructs a service from its resources: stores, use cases, web.
func (cmd *serveCommand) wire(r resources) (*service, error) {
	secret, err := cmd.load(cmd.DataDir)
	if err != nil {
		return nil, err
	}
	catalog, err := i18n.New()
	if err != nil {
		return nil, err
	}
	accounts := postgres.NewAccounts(r.db)
	limits := postgres.NewLimits(r.db)
	reports := postgres.NewReports(r.db)
	uploads := postgres.NewFileUploads(r.db)
	decoder := bulkfile.Files{Spools: r.spools, MaxInflated: maxInflated * int64(cmd.MaxBody)}
	hasher := passhash.NewHasher(passhash.Config{})

	importUsers := application.NewImportUsers(application.ImportConfig{
		Imports:       groupcommit.New(postgres.NewImports(r.db, time.Now)),
		Decoder:       decoder,
		Outcomes:      r.spools,
		Passwords:     passhash.NewTemporary(secret),
		Sentences:     catalog.Choose("en", ""),
		Rules:         cmd.rules,
		Now:           time.Now,
		Room:          cmd.room(),
		KeepOriginals: cmd.KeepRejected > 0,
		KeepAnswers:   cmd.KeepAnswers,
		ImportLimits:  application.ImportLimits(cmd.importFlags),
	})
	registerUser := application.NewRegisterUser(application.RegisterConfig{
		Registrations: postgres.NewRegistrations(r.db),
		Accounts:      accounts,
		Limits:        limits,
		Hasher:        hasher,
		Rules:         cmd.rules,
	})
	auth := application.NewAuth(application.AuthConfig{
		Accounts:          accounts,
		Limits:            limits,
		Hasher:            hasher,
		Devices:           passhash.NewDevices(secret),
		Now:               time.Now,
		Rules:             cmd.rules,
		TemporaryLifetime: cmd.TemporaryLifetime,
		MustChange:        cmd.TemporaryPasswords == pages.PasswordsMustChange,
	})
	worker := application.NewUploadWorker(application.UploadWorkerConfig{
		Jobs:      uploads,
		Importing: importUsers,
		Spools:    r.spools,
		Failed:    func(upload string, err error) { r.log.Error("upload job failed", "upload", upload, "error", err) },
		AtOnce:    uploadWorkers,
		Queue:     uploadQueue,
		Beat:      uploadHeartbeat,
	})
	uploadFile := application.NewUploadFile(application.UploadConfig{
		Uploads:   uploads,
		Worker:    worker,
		Importing: importUsers,
		Decoder:   decoder,
		Room:      cmd.room(),
		MaxUser:   maxUndecided * int64(cmd.MaxBody),
	})
	exportReport := application.NewExportReport(application.ExportConfig{
		Reports:  reports,
		Exports:  cmd.folder(),
		Formats:  exportFormats(r.spools),
		Now:      time.Now,
		AtOnce:   max(1, runtime.GOMAXPROCS(0)/2),
		Patience: exportPatience,
	})
	setup := application.NewSetUp(postgres.NewSetupCodes(r.db), passhash.SetupCodes, time.Now)

	server, err := web.NewServer(web.Config{
		Transport: transport.Config{
			TLS:            r.tls,
			ClientTimeout:  cmd.ClientTimeout,
			MaxConnections: cmd.connections(r.log),
			Proxies:        prefixes(cmd.TrustedProxies),
			UntrustedProxy: func(peer netip.Addr) { cmd.warnOfProxy(peer, r.log) },
		},
		Sessions: session.Config{Storage: r.sessions, Idle: cmd.SessionIdle, Lifetime: cmd.SessionLifetime},
		Guard: guard.Config{
			Hosts:         cmd.hosts(r.address, r.log),
			ReportsAccess: cmd.ReportsAccess,
			Pseudonym:     passhash.Pseudonyms(secret),
		},
		Useradd: api.Config{
			Access:    cmd.UseraddAccess,
			Tokens:    application.NewAccessTokens(postgres.NewAccessTokens(r.db), passhash.TokenSecrets, time.Now),
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
			Templates:        templates(r.spools),
			KeepAnswers:      cmd.KeepAnswers,
			PasswordPolicy:   cmd.TemporaryPasswords,
			PasswordLifetime: cmd.TemporaryLifetime,
		},
		Reports:   reports,
		Exporting: exportReport,
		Health:    r.db,
		Spools:    r.spools,
		Languages: catalog,
		Sheets:    sheets(r.spools),
		MaxBody:   int64(cmd.MaxBody),
		Views:     views.Files,
		Log:       r.log,
	})
	return &service{server, worker, setup}, err
}
