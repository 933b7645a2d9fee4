package bootstrap

import (
	"errors"
	"fmt"
	"log/slog"
	"syscall"
	"time"

	"github.com/alecthomas/units"

	"rollcall/adapters/exports"
	"rollcall/adapters/passhash"
	"rollcall/adapters/web/api"
	"rollcall/adapters/web/pages"
	"rollcall/domain"
)

// The flags of the commands, by the groups of --help. databaseFlags stand with the database.

// maxSiteName is the number of characters that fit on a slip.
const maxSiteName = 60

// serverFlags configure how the server talks to clients.
type serverFlags struct {
	Listen          string           `env:"ROLLCALL_LISTEN" default:"127.0.0.1:5000" placeholder:"ADDR" help:"Address and port to listen on (default: ${default}); port 0 picks a free port."`
	Hosts           []hostName       `name:"host" env:"ROLLCALL_HOST" placeholder:"NAME" help:"Host name that the server answers to, such as people.example; repeatable. Requests for other names get 421. Defaults to loopback names on a loopback address, and to any name elsewhere."`
	SiteName        string           `env:"ROLLCALL_SITE_NAME" default:"Rollcall" placeholder:"NAME" help:"Name of the service on pages and slips, at most 60 characters (default: ${default})."`
	TrustedProxies  []network        `name:"trusted-proxy" env:"ROLLCALL_TRUSTED_PROXY" placeholder:"NETWORK" help:"Address or network (such as 10.0.0.0/8) of a trusted proxy; repeatable. X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host of other peers are ignored."`
	TLSCert         string           `name:"tls-cert" env:"ROLLCALL_TLS_CERT" type:"path" placeholder:"FILE" help:"Certificate for HTTPS, in PEM, followed by its issuers' certificates. A renewed file is picked up without a restart."`
	TLSKey          string           `name:"tls-key" env:"ROLLCALL_TLS_KEY" type:"path" placeholder:"FILE" help:"Private key of the certificate, in PEM."`
	MaxBody         units.Base2Bytes `env:"ROLLCALL_MAX_BODY" default:"1GiB" placeholder:"SIZE" help:"Maximum size of a request body (default: ${default})."`
	MaxConnections  int              `env:"ROLLCALL_MAX_CONNECTIONS" default:"16384" placeholder:"N" help:"Maximum number of concurrent client connections (default: ${default}). One address may open a tenth of them, unless it is a trusted proxy."`
	ClientTimeout   time.Duration    `env:"ROLLCALL_CLIENT_TIMEOUT" default:"1m" placeholder:"TIME" help:"Maximum time that a client may keep the server waiting (default: ${default}), plus one second for each KiB that it sends or receives."`
	DrainTime       time.Duration    `env:"ROLLCALL_DRAIN_TIME" default:"0s" placeholder:"TIME" help:"How long to keep serving after SIGTERM while /readyz fails (default: ${default}), so that load balancers stop sending traffic."`
	ShutdownTimeout time.Duration    `env:"ROLLCALL_SHUTDOWN_TIMEOUT" default:"30s" placeholder:"TIME" help:"How long to wait for in-flight requests before exiting (default: ${default})."`
}

func (f *serverFlags) check() error {
	switch {
	case domain.IsBlank(f.SiteName), domain.Line(f.SiteName, maxSiteName) != f.SiteName:
		return fmt.Errorf("invalid --site-name %q: expected 1 to %d visible characters", f.SiteName, maxSiteName)
	case (f.TLSCert == "") != (f.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key must be set together")
	case f.MaxBody <= 0:
		return errors.New("--max-body must be greater than 0")
	case f.MaxConnections <= 0:
		return errors.New("--max-connections must be greater than 0")
	case f.ClientTimeout <= 0:
		return errors.New("--client-timeout must be greater than 0")
	case f.DrainTime < 0:
		return errors.New("--drain-time must not be negative")
	}
	return nil
}

// connections returns the maximum number of connections: --max-connections, or three quarters of the open-file limit if that is less.
// The rest of the files is for the database and spools.
func (f *serverFlags) connections(log *slog.Logger) int {
	var files syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files)
	if err != nil || files.Cur/4*3 >= uint64(f.MaxConnections) {
		return f.MaxConnections
	}
	possible := int(files.Cur / 4 * 3)
	log.Info("lowered the connection limit to fit the open-file limit", "max_connections", possible, "open_files", files.Cur)
	return possible
}

// registrationOpen is the value of --registration that lets visitors register.
const registrationOpen = "open"

// accessFlags configure who may do what.
type accessFlags struct {
	UseraddAccess api.UseraddAccess    `env:"ROLLCALL_USERADD_ACCESS" enum:"open,token,session" default:"open" placeholder:"WHO" help:"Who may post to /useradd (default: ${default}): 'open' means anyone; 'token' requires a token from 'rollcall token create'; 'session' also accepts signed-in users who may see reports. If registration is open, any visitor can become one of those."`
	Registration  string               `env:"ROLLCALL_REGISTRATION" enum:"open,closed" default:"open" placeholder:"STATE" help:"Whether visitors may register at /register: open or closed (default: ${default})."`
	ReportsAccess domain.ReportsAccess `env:"ROLLCALL_REPORTS_ACCESS" enum:"any,operators" default:"any" placeholder:"WHO" help:"Which signed-in users may see reports of imports: any or operators (default: ${default}). Uploads, their passwords and rejected records are for operators only."`
}

// patronymicOptional is the value of --patronymic for people without one.
const patronymicOptional = "optional"

// rulesFlags configure the rules for records and registrations.
type rulesFlags struct {
	DefaultRegion string `env:"ROLLCALL_DEFAULT_REGION" default:"RU" placeholder:"REGION" help:"Default region for phone numbers without a country code, ISO 3166-1 alpha-2 (default: ${default})."`
	Patronymic    string `env:"ROLLCALL_PATRONYMIC" enum:"required,optional" default:"required" placeholder:"RULE" help:"Whether every person needs a patronymic: required or optional (default: ${default})."`
}

func (f *rulesFlags) check() error {
	if !domain.IsRegion(f.DefaultRegion) {
		return fmt.Errorf("invalid --default-region %q: expected a region with phone numbers, such as RU or DE", f.DefaultRegion)
	}
	return nil
}

// rules returns the rules of the day of a time.
func (f *rulesFlags) rules(now time.Time) domain.Rules {
	return domain.Rules{
		Region: f.DefaultRegion, Today: domain.DateOf(now), PatronymicOptional: f.Patronymic == patronymicOptional,
	}
}

// importFlags limit imports. The struct has the fields of application.ImportLimits, and converts to it.
type importFlags struct {
	MaxRecords    int           `env:"ROLLCALL_MAX_RECORDS" default:"20000000" placeholder:"N" help:"Maximum number of records in one import (default: ${default}); 0 means no limit."`
	MaxImports    int           `env:"ROLLCALL_MAX_IMPORTS" default:"16" placeholder:"N" help:"Maximum number of running and waiting imports larger than 1 MiB or 10,000 records (default: ${default}); 0 means no limit."`
	MaxImportTime time.Duration `env:"ROLLCALL_MAX_IMPORT_TIME" default:"1h" placeholder:"TIME" help:"Maximum duration of an import, waiting included (default: ${default}); 0 means no limit."`
}

func (f *importFlags) check() error {
	switch {
	case f.MaxRecords < 0:
		return errors.New("--max-records must not be negative")
	case f.MaxImports < 0:
		return errors.New("--max-imports must not be negative")
	case f.MaxImportTime < 0:
		return errors.New("--max-import-time must not be negative")
	}
	return nil
}

// signInFlags configure temporary passwords and sessions.
type signInFlags struct {
	TemporaryPasswords pages.PasswordPolicy `env:"ROLLCALL_TEMPORARY_PASSWORDS" enum:"must-change,may-change" default:"must-change" placeholder:"POLICY" help:"What a temporary password permits (default: ${default}): with 'must-change' it works in one browser, and the user must replace it first; with 'may-change' it works until it expires."`
	TemporaryLifetime  time.Duration        `name:"temporary-password-lifetime" env:"ROLLCALL_TEMPORARY_PASSWORD_LIFETIME" default:"720h" placeholder:"TIME" help:"How long a temporary password is valid (default: ${default})."`
	SessionIdle        time.Duration        `env:"ROLLCALL_SESSION_IDLE" default:"24h" placeholder:"TIME" help:"How long a session lasts without a request (default: ${default})."`
	SessionLifetime    time.Duration        `env:"ROLLCALL_SESSION_LIFETIME" default:"720h" placeholder:"TIME" help:"Maximum duration of a session (default: ${default})."`
}

func (f *signInFlags) check() error {
	switch {
	case f.TemporaryLifetime <= 0:
		return errors.New("--temporary-password-lifetime must be greater than 0")
	case f.SessionIdle < time.Second:
		return errors.New("--session-idle must be at least 1s")
	case f.SessionLifetime < time.Second:
		return errors.New("--session-lifetime must be at least 1s")
	}
	return nil
}

// retentionFlags configure how long data is kept.
type retentionFlags struct {
	KeepAnswers  time.Duration `env:"ROLLCALL_KEEP_ANSWERS" default:"24h" placeholder:"TIME" help:"How long to keep the result of an import for retries with the same Idempotency-Key, and of an upload (default: ${default})."`
	KeepAudit    time.Duration `env:"ROLLCALL_KEEP_AUDIT" default:"9600h" placeholder:"TIME" help:"How long to keep entries of the audit (default: ${default}, which is 400 days)."`
	KeepRejected time.Duration `env:"ROLLCALL_KEEP_REJECTED" default:"720h" placeholder:"TIME" help:"How long to keep rejected records as received, so that operators can fix and resend them (default: ${default}); 0 keeps none."`
}

func (f *retentionFlags) check() error {
	switch {
	case f.KeepAnswers <= 0:
		return errors.New("--keep-answers must be greater than 0")
	case f.KeepAudit <= 0:
		return errors.New("--keep-audit must be greater than 0")
	case f.KeepRejected < 0:
		return errors.New("--keep-rejected must not be negative")
	}
	return nil
}

// exportFlags configure the folder of exported files.
type exportFlags struct {
	ExportsDir string           `env:"ROLLCALL_EXPORTS_DIR" default:"./uploads" placeholder:"DIR" help:"Folder for the latest exported files (default: ${default})."`
	MaxExports units.Base2Bytes `env:"ROLLCALL_MAX_EXPORTS" default:"1GiB" placeholder:"SIZE" help:"Maximum size of that folder (default: ${default})."`
}

func (f *exportFlags) check() error {
	if f.MaxExports <= 0 {
		return errors.New("--max-exports must be greater than 0")
	}
	return nil
}

func (f *exportFlags) exportsFolder() *exports.Folder {
	return exports.New(f.ExportsDir, int64(f.MaxExports))
}

// secretFlags configure the secret key, from which temporary passwords are derived.
type secretFlags struct {
	SecretKey     string `env:"ROLLCALL_SECRET_KEY" placeholder:"KEY" secret:"" help:"Secret key for temporary passwords: 32 or more bytes in base64 or hexadecimal. All instances need the same key. Defaults to one that the server creates in its data folder."`
	SecretKeyFile string `env:"ROLLCALL_SECRET_KEY_FILE" type:"path" placeholder:"FILE" secret:"file" help:"File with the secret key. Other users of this machine must not be able to read it."`

	secretKey []byte // decoded; nil means the one in the data folder
}

// check decodes the key, which it reads from its file first.
func (f *secretFlags) check() (err error) {
	f.SecretKey, err = readSecret("secret-key", f.SecretKey, f.SecretKeyFile)
	if err == nil && f.SecretKey != "" {
		f.secretKey, err = passhash.ParseSecret(f.SecretKey)
	}
	return err
}

// loadSecret returns the secret key, or the one in the data folder, which it creates if it is missing.
func (f *secretFlags) loadSecret(dataDir string) ([]byte, error) {
	if f.secretKey != nil {
		return f.secretKey, nil
	}
	return passhash.LoadOrCreateSecret(dataDir)
}

// logFlags configure the log.
type logFlags struct {
	LogFormat string `env:"ROLLCALL_LOG_FORMAT" enum:"text,json" default:"text" placeholder:"FORMAT" help:"Format of log lines: text or json (default: ${default})."`
}
