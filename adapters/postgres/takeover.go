package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun/migrate"

	"rollcall/domain"
)

// The tables of the first service move to this schema. The check builds its tables in the other one, which it never commits.
const (
	firstServiceSchema = "first_service"
	checkSchema        = "rollcall_check"
)

// TakeoverConfig configures the takeover of a database of the first service.
type TakeoverConfig struct {
	Rules domain.Rules // a phone without a country code belongs to their region; values that they reject are found and kept

	// CanSignIn reports whether the program can compare a password with a hash of the first service.
	CanSignIn func(hash string) bool

	// KeepFirst resolves clashes: the first account keeps its login, email and phone. Otherwise the takeover fails if there are any.
	KeepFirst bool

	// Check changes nothing. It also works on a database that was taken over before.
	Check bool

	// Found is called with each finding.
	Found func(Finding) error
}

// A Takeover is the result of a takeover.
type Takeover struct {
	Before                               bool // the database was taken over before, which only a check finds out
	Users, Profiles, Imports, Rejections int
}

var (
	// ErrClashes is returned for a database whose accounts clash. It is unchanged.
	ErrClashes = errors.New("accounts of the first service clash")

	// ErrNoRights is returned if the database's user may not move the tables of the first service or create a schema.
	ErrNoRights = errors.New("missing rights in the database")

	// ErrFirstServiceRuns is returned if the first service uses its tables.
	ErrFirstServiceRuns = errors.New("tables are in use")
)

// TakeOver takes over the database at url if it is one of the first service, else it returns nil. In one transaction the four tables
// of the first service move to a schema of their own, unchanged, and their rows are copied into tables of this version. Instances that
// start concurrently take turns, by the lock that Migrate takes.
func TakeOver(ctx context.Context, url string, cfg TakeoverConfig) (result *Takeover, err error) {
	db, err := Open(ctx, url)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate: connect: %w", err)
	}
	defer conn.Release()
	t := &takeover{cfg: cfg, db: db, conn: conn.Conn()}
	err = t.run(ctx)
	if sqlState(err) == insufficientPrivilege {
		err = fmt.Errorf("%w: %w", ErrNoRights, err)
	}
	if err != nil {
		return nil, fmt.Errorf("migrate: take over the first service's database: %w", err)
	}
	return t.result, nil
}

// A takeover is the transaction of a takeover.
type takeover struct {
	cfg    TakeoverConfig
	db     *DB
	conn   *pgx.Conn
	source string // quoted name of the schema with the tables of the first service
	result *Takeover

	claims  map[int64]domain.Identity // contacts of other users that logins read as, by user
	clashed bool
	added   int64 // id of the import for rejected records without one
	dropped []constraint
}

func (t *takeover) run(ctx context.Context) (err error) {
	begin := "begin"
	if t.cfg.Check {
		begin = "begin isolation level repeatable read" // the first service may be running
	}
	err = t.exec(ctx, begin)
	if err != nil {
		return err
	}
	end := "rollback"
	defer func() {
		err = errors.Join(err, t.exec(context.WithoutCancel(ctx), end))
	}()
	if !t.cfg.Check {
		err = t.exec(ctx, fmt.Sprintf("select pg_advisory_xact_lock(%d)", int64(lockMigrations)))
		if err != nil {
			return err
		}
	}
	found, err := t.findSource(ctx)
	if err != nil || !found {
		return err
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"prepare schema", t.prepareSchema},
		{"create tables", t.createTables},
		{"drop constraints", t.dropConstraints},
		{"copy users", t.copyPeople},
		{"find clashes", t.resolveClashes},
		{"find profiles", t.findOtherProfiles},
		{"copy imports", t.copyImports},
		{"copy rejected records", t.copyRejections},
		{"set sequences", t.setSequences},
		{"add constraints", t.addConstraints},
	} {
		err = step.do(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	if t.clashed {
		return ErrClashes
	}
	if !t.cfg.Check {
		end = "commit"
	}
	return nil
}

// exec runs statements that have no parameters.
func (t *takeover) exec(ctx context.Context, sql string) error {
	_, err := t.conn.PgConn().Exec(ctx, sql).ReadAll()
	return err
}

// firstServiceColumns are the columns of the first service's tables with the types that they may have.
var firstServiceColumns = map[string][]string{
	"users.id":            {"int4", "int8"},
	"users.login":         {"varchar", "text"},
	"users.password_hash": {"varchar", "text"},
	"users.email":         {"varchar", "text"},
	"users.phone":         {"int4", "int8"},
	"users.reg_date":      {"timestamp"},

	"profiles.id":       {"int4", "int8"},
	"profiles.fname":    {"varchar", "text"},
	"profiles.lname":    {"varchar", "text"},
	"profiles.patr":     {"varchar", "text"},
	"profiles.birthday": {"timestamp"},
	"profiles.user_id":  {"int4", "int8"},

	"codes.id":          {"int4", "int8"},
	"codes.code":        {"int4"},
	"codes.method":      {"varchar", "text"},
	"codes.date":        {"timestamp"},
	"codes.description": {"varchar", "text"},

	"bad_users.id":          {"int4", "int8"},
	"bad_users.code_id":     {"int4", "int8"},
	"bad_users.object_id":   {"int4", "int8"},
	"bad_users.login":       {"varchar", "text"},
	"bad_users.description": {"varchar", "text"},
}

// findSource reports whether there are tables to take over. A check also finds those that were taken over before.
func (t *takeover) findSource(ctx context.Context) (bool, error) {
	schema, isMigrated, err := currentSchema(ctx, t.conn)
	if err != nil {
		return false, err
	}
	if isMigrated && t.cfg.Check {
		schema = firstServiceSchema
	}
	found := false
	if !isMigrated || t.cfg.Check {
		found, err = hasFirstService(ctx, t.conn, schema)
	}
	if err != nil || !found {
		return false, err
	}
	t.source, t.result = schema, &Takeover{Before: isMigrated}
	t.cfg.KeepFirst = t.cfg.KeepFirst || isMigrated // the clashes were resolved
	return true, nil
}

// currentSchema returns the quoted name of the schema that migrations create tables in, and whether it has any. A failed attempt to
// migrate a database of the first service may have left an empty table of migrations.
func currentSchema(ctx context.Context, conn *pgx.Conn) (schema string, isMigrated bool, err error) {
	err = conn.QueryRow(ctx, "select coalesce(quote_ident(current_schema()), ''), to_regclass('"+migrationsTable+"') is not null").
		Scan(&schema, &isMigrated)
	if err == nil && isMigrated {
		err = conn.QueryRow(ctx, "select exists (select from "+migrationsTable+")").Scan(&isMigrated)
	}
	return schema, isMigrated, err
}

// hasFirstService reports whether a schema has the four tables of the first service.
func hasFirstService(ctx context.Context, conn *pgx.Conn, schema string) (bool, error) {
	rows, err := conn.Query(ctx, `
		select c.relname || '.' || a.attname, t.typname::text
		from pg_class c join pg_attribute a on a.attrelid = c.oid join pg_type t on t.oid = a.atttypid
		where c.relnamespace = to_regnamespace($1) and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped`, schema)
	if err != nil {
		return false, err
	}
	matching := 0
	var column, kind string
	_, err = pgx.ForEachRow(rows, []any{&column, &kind}, func() error {
		if slices.Contains(firstServiceColumns[column], kind) {
			matching++
		}
		return nil
	})
	return matching == len(firstServiceColumns), err
}

// lockPatience is the time that the takeover waits for transactions of the first service.
const lockPatience = "10s"

// prepareSchema moves the tables of the first service. A check leaves them where they are, and has its own schema.
func (t *takeover) prepareSchema(ctx context.Context) error {
	// A cursor's plan is for all rows, and sorts have room for a million.
	err := t.exec(ctx, "set local cursor_tuple_fraction = 1; set local work_mem = '64MB'")
	if err != nil {
		return err
	}
	if t.cfg.Check {
		return t.exec(ctx, "create schema "+checkSchema+"; set local search_path = "+checkSchema)
	}
	err = t.exec(ctx, "set local lock_timeout = '"+lockPatience+`';
		lock table users, profiles, codes, bad_users in access exclusive mode;
		set local lock_timeout = 0`)
	if sqlState(err) == lockNotAvailable {
		return fmt.Errorf("%w: %w", ErrFirstServiceRuns, err)
	}
	if err != nil {
		return err
	}
	t.source = firstServiceSchema
	return t.exec(ctx, "create schema if not exists "+firstServiceSchema+`;
		alter table users set schema `+firstServiceSchema+`;
		alter table profiles set schema `+firstServiceSchema+`;
		alter table codes set schema `+firstServiceSchema+`;
		alter table bad_users set schema `+firstServiceSchema)
}

// createTables applies all migrations. Bun would do so in transactions of their own, so only its table is written as Bun does.
func (t *takeover) createTables(ctx context.Context) error {
	err := t.exec(ctx, t.db.bun.NewCreateTable().Model((*migrate.Migration)(nil)).ModelTableExpr(migrationsTable).IfNotExists().String())
	if err != nil {
		return err
	}
	files, err := fs.Glob(migrationFiles, "migrations/*.up.sql")
	if err != nil {
		return err
	}
	for _, file := range files {
		sql, err := fs.ReadFile(migrationFiles, file)
		if err != nil {
			return err
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(file, "migrations/"), "_")
		applied := t.db.bun.NewInsert().Model(&migrate.Migration{Name: name, GroupID: 1}).ModelTableExpr(migrationsTable)
		err = errors.Join(t.exec(ctx, string(sql)), t.exec(ctx, applied.String()))
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// A constraint of a table.
type constraint struct{ Table, Name, Definition, Kind string }

// isUnique reports whether a constraint makes a key unique.
func (c *constraint) isUnique() bool { return c.Kind == "u" }

// dropConstraints drops unique keys and references, which are checked faster when all rows are copied.
func (t *takeover) dropConstraints(ctx context.Context) error {
	rows, err := t.conn.Query(ctx, `
		select conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid), contype::text
		from pg_constraint
		where conrelid in ('users'::regclass, 'profiles'::regclass, 'codes'::regclass, 'bad_users'::regclass) and contype in ('u', 'f')
		order by contype desc, conname`) // unique keys first
	if err != nil {
		return err
	}
	t.dropped, err = pgx.CollectRows(rows, pgx.RowToStructByPos[constraint])
	if err != nil {
		return err
	}
	for _, c := range t.dropped {
		err = t.exec(ctx, "alter table "+c.Table+" drop constraint "+c.Name)
		if err != nil {
			return err
		}
	}
	return nil
}

// addUnique adds the unique keys of a table.
func (t *takeover) addUnique(ctx context.Context, table string) error {
	return t.add(ctx, func(c *constraint) bool { return c.isUnique() && c.Table == table })
}

// addConstraints adds the constraints that are still missing.
func (t *takeover) addConstraints(ctx context.Context) error {
	return t.add(ctx, func(c *constraint) bool { return !c.isUnique() || c.Table != "users" })
}

func (t *takeover) add(ctx context.Context, isChosen func(*constraint) bool) error {
	for _, c := range t.dropped {
		if !isChosen(&c) {
			continue
		}
		err := t.exec(ctx, "alter table "+c.Table+" add constraint "+c.Name+" "+c.Definition)
		if err != nil {
			return err
		}
	}
	return nil
}

// setSequences lets new ids follow those of the first service, deleted ones included.
func (t *takeover) setSequences(ctx context.Context) error {
	for _, table := range []string{"users", "profiles", "codes", "bad_users"} {
		var last *string
		err := t.conn.QueryRow(ctx, "select pg_get_serial_sequence($1, 'id')", t.source+"."+table).Scan(&last)
		if err != nil {
			return err
		}
		used := "0"
		if last != nil {
			used = "(select case when is_called then last_value else 0 end from " + *last + ")"
		}
		err = t.exec(ctx, fmt.Sprintf(`
			select setval(pg_get_serial_sequence('%[1]s', 'id'), used)
			from (select greatest((select max(id) from %[1]s), %[2]s) as used) ids where used > 0`, table, used))
		if err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
	}
	return nil
}

func (t *takeover) found(f Finding) error {
	if t.cfg.Found == nil {
		return nil
	}
	return t.cfg.Found(f)
}

// copy copies rows into a table.
func (t *takeover) copy(ctx context.Context, table string, rows int, appendRow func(copyRow, int) copyRow) error {
	if rows == 0 {
		return nil
	}
	_, err := t.conn.PgConn().CopyFrom(ctx, newCopyReader(rows, appendRow), "copy "+table+" from stdin binary")
	return err
}

// batchRows is the number of rows that are read and copied at a time.
const batchRows = 8192

// batches reads the rows of a query in batches. It reads one batch ahead, and prepares it while copyBatch copies the one before.
func batches[T any](ctx context.Context, t *takeover, query string, read func(sourceRow) T, prepare func(*T), copyBatch func([]T) error) error {
	err := t.exec(ctx, "declare source no scroll cursor for "+query)
	if err != nil {
		return err
	}
	fetch := func() (batch []T, err error) {
		result := t.conn.PgConn().ExecParams(ctx, fmt.Sprintf("fetch %d from source", batchRows), nil, nil, nil, []int16{pgx.BinaryFormatCode})
		for result.NextRow() {
			batch = append(batch, read(sourceRow(result.Values())))
		}
		_, err = result.Close()
		return batch, err
	}
	prepareAll := func(batch []T) {
		for i := range batch {
			prepare(&batch[i])
		}
	}
	batch, err := fetch()
	if err != nil {
		return err
	}
	prepareAll(batch)
	for len(batch) > 0 {
		next, err := fetch()
		if err != nil {
			return err
		}
		prepared := make(chan struct{})
		go func() {
			defer close(prepared)
			prepareAll(next)
		}()
		err = copyBatch(batch)
		<-prepared
		if err != nil {
			return err
		}
		batch = next
	}
	return t.exec(ctx, "close source")
}
