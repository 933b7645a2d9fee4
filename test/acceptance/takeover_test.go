package acceptance_test

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// migrate runs 'rollcall migrate' with a database.
func migrate(t *testing.T, url string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return command(t, "", append([]string{"migrate", "--data-dir", t.TempDir(), "--database-url", url}, args...)...)
}

// tablesIn returns the tables of a schema.
func tablesIn(t *testing.T, url, schema string) (names []string) {
	t.Helper()
	for _, table := range pgtest.Query[struct{ Name string }](t, url, "select tablename::text from pg_tables where schemaname = $1 order by 1", schema) {
		names = append(names, table.Name)
	}
	return names
}

var firstServiceTables = []string{"bad_users", "codes", "profiles", "users"}

// The takeover of the first service's database lists what it finds. It changes nothing while accounts clash, nor as a check.
func TestTakeover(t *testing.T) {
	url := pgtest.FirstService(t)
	kept := []string{
		`doubtful  user 1 "vetrova": 1985-01-02`,
		`doubtful  user 3 "ёлкина": 1963-07-05`,
		`kept      user 4 "lugov": Patronymic is empty: if people may have none, the administrator can set --patronymic optional.`,
		`kept      user 5 "polev": First name is empty. Patronymic is empty: if people may have none, the administrator can set --patronymic optional.`,
		`kept      user 6 "rechnoy": Phone is not a valid number: give one whole number, without other words.`,
		`kept      user 7 "morskoy": Email is not a valid address: give one address, such as anna@example.com.`,
		`kept      user 8 "gornaya login": Login has characters that are not allowed in a login, such as a space, or is a number that a spreadsheet has rounded.`,
	}
	clashes := []string{
		`clash     user 10 "snegov": same login as user 2 "Snegov"`,
		`clash     user 10 "snegov": same email as user 2 "Snegov"`,
	}
	resolved := []string{
		`removed   user 10 "snegov": no longer has the email "snegov@example.org"`,
		`renamed   user 10 "snegov": new login "snegov-2"`,
	}
	for _, c := range []struct {
		name   string
		args   []string
		status int
		lines  []string
		end    string
		stderr string
	}{
		{"check", []string{"--check"}, 1, clashes, "2 birthdays whose day and month may be exchanged", "run 'rollcall migrate --keep-first'"},
		{"clashes", nil, 1, clashes, "2  logins, emails or phones that belong to an earlier user", "nothing was changed"},
		{"check of the resolution", []string{"--check", "--keep-first"}, 0, append(clashes, resolved...), "13 users, 13 profiles, 5 imports, 4 rejected records", ""},
		{"resolution", []string{"--keep-first"}, 0, append(clashes, resolved...), "Its tables are in the schema first_service, unchanged.", ""},
		{"check afterwards", []string{"--check"}, 0, append(clashes, resolved...), "was taken over before", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, stdout, stderr := migrate(t, url, c.args...)
			require.Equal(t, c.status, status, stderr)
			list, rest, found := strings.Cut(stdout, "\n\n")
			require.True(t, found, stdout)
			require.Equal(t, append(kept, c.lines...), strings.Split(list, "\n"))
			require.Contains(t, strings.ReplaceAll(rest, "doubtful  2  ", "2 "), c.end)
			require.Contains(t, stderr, c.stderr)
			if c.name == "resolution" || c.name == "check afterwards" {
				require.Equal(t, firstServiceTables, tablesIn(t, url, "first_service"))
				return
			}
			require.Equal(t, firstServiceTables, tablesIn(t, url, "public"))
			require.Empty(t, tablesIn(t, url, "first_service"))
		})
	}
	status, stdout, stderr := migrate(t, url)
	require.Zero(t, status, stderr)
	require.Empty(t, stdout, "a later migration finds nothing to take over")
	require.Empty(t, tablesIn(t, url, "rollcall_check"))
}

// Commands that do not migrate alone, and a server, name the command that continues.
func TestTakeoverByOtherCommands(t *testing.T) {
	url := pgtest.FirstService(t)
	flags := []string{"--data-dir", t.TempDir(), "--database-url", url}
	status, _, stderr := command(t, "", append([]string{"user", "list"}, flags...)...)
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "run 'rollcall migrate' to take it over")
	status, _, stderr = command(t, "", append([]string{"serve", "--listen", "127.0.0.1:0"}, flags...)...)
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "run 'rollcall migrate --check' to list them")
	require.NotContains(t, stderr, "snegov", "the log has no logins")
	require.Equal(t, firstServiceTables, tablesIn(t, url, "public"))
}

func TestTakeoverOfAnotherDatabase(t *testing.T) {
	status, stdout, stderr := migrate(t, pgtest.New(t), "--check")
	require.Zero(t, status, stderr)
	require.Equal(t, "This is no database of the first service. Nothing was changed.\n", stdout)
	status, _, stderr = command(t, "", "migrate", "--check", "--data-dir", t.TempDir())
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "no database in ")
}

// servedFirst serves the first service's database, which it takes over.
func servedFirst(t *testing.T) *program {
	t.Helper()
	p := &program{database: pgtest.FirstService(t)}
	pgtest.Query[struct{}](t, p.database, "delete from profiles where user_id = 10")
	pgtest.Query[struct{}](t, p.database, "update users set login = 'other snegov', email = null where id = 10")
	p.run(t, "serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--exports-dir", t.TempDir(), "--database-url", p.database)
	return p
}

// People of the first service sign in as before, and their hashes are renewed. Values that today's rules reject do not prevent it.
func TestPeopleOfTheFirstServiceSignIn(t *testing.T) {
	p := servedFirst(t)
	require.Contains(t, p.logged(), "users=13 profiles=12 imports=5 rejected_records=4 kept=6 doubtful=2 profile=1")
	passwords := pgtest.FirstServicePasswords(t)
	passwords["other snegov"] = passwords["snegov"]
	delete(passwords, "snegov")
	for login, password := range passwords {
		t.Run(login, func(t *testing.T) {
			if login != "gornaya login" {
				p.set(t, "update users set password_hash = '"+cheapHash(t, password)+"' where login = '"+login+"'")
			}
			require.Equal(t, 401, p.browser(t).SignIn(t, login, password+"x").Status)
			for range 2 { // by the old hash and by the new one
				b := p.browser(t)
				got := b.SignIn(t, login, password)
				require.Equal(t, 303, got.Status, got.Text("main"))
				require.True(t, b.IsSignedIn(t))
			}
			hash := pgtest.Query[struct{ Hash string }](t, p.database, "select password_hash from users where login = $1", login)[0].Hash
			require.True(t, strings.HasPrefix(hash, "$argon2id$"), hash)
		})
	}
	b := p.browser(t)
	require.Equal(t, 303, b.SignIn(t, " Gornaya Login ", passwords["gornaya login"]).Status)
	got := b.Submit(t, "/account/password", map[string]string{"old": passwords["gornaya login"], "psw": goodPassword})
	require.Equal(t, 303, got.Status, got.Text("main"))
	require.Equal(t, 303, p.browser(t).SignIn(t, "gornaya login", goodPassword).Status)
	status, _, stderr := p.user(t, "grant", "GORNAYA login", "operator")
	require.Zero(t, status, stderr)
}

// cheapHash returns a hash of the first service. Those of its dump have 260,000 iterations, which take a second with the race detector.
func cheapHash(t *testing.T, password string) string {
	t.Helper()
	key, err := pbkdf2.Key(sha256.New, password, []byte("salt"), 1000, sha256.Size)
	require.NoError(t, err)
	return "pbkdf2:sha256:1000$salt$" + hex.EncodeToString(key)
}

// Both of Werkzeug's hashes verify, and passwords that cannot be chosen today.
func TestHashesOfTheFirstService(t *testing.T) {
	p := servedFirst(t)
	for name, c := range map[string]struct{ hash, password string }{
		"scrypt": {
			"scrypt:32768:8:1$k3QzWm9TtR1xYb7a$56a6b943bcab57c06aa0f03842beeb44fb7d4a40ee893ab0aeddbe9e1f68202b03ad4fc8e24c0d94895289f779a5fcb0d4a97fe9c7a1de55724ac3487ce469b5",
			"four green pines",
		},
		"pbkdf2": {"pbkdf2:sha256:1000$salt$964f083dc9c23a96fb62a49113434edf7ad0d0a3f5d47c3369c38dbc71208ed1", "two\twords"},
	} {
		t.Run(name, func(t *testing.T) {
			p.set(t, "update users set password_hash = '"+c.hash+"' where id = 1")
			require.Equal(t, 401, p.browser(t).SignIn(t, "vetrova", c.password+" ").Status)
			for range 2 {
				require.Equal(t, 303, p.browser(t).SignIn(t, "vetrova", c.password).Status)
			}
		})
	}
}

// The report has the figures and pages of the first service's imports.
func TestReportOfTheFirstService(t *testing.T) {
	p := servedFirst(t)
	b := p.browser(t)
	require.Equal(t, 303, b.SignIn(t, "vetrova", pgtest.FirstServicePasswords(t)["vetrova"]).Status)
	status, _, stderr := p.user(t, "grant", "vetrova", "operator")
	require.Zero(t, status, stderr)
	page := b.Get(t, "/profile")
	require.Equal(t, 200, page.Status)
	require.Contains(t, page.Text("main"), "Not all users have been created (created by 9 of 10 users)")
	require.Contains(t, b.Get(t, "/useradd/imports/1").Text("main"), "Error! Phone is not integer!")
	require.Contains(t, b.Get(t, "/useradd/imports/5").Text("main"), "value too long for type character varying(50)")
	report := b.download(t, "/useradd/export/txt").body
	require.Contains(t, report, "Not enough information, login missing!")
	require.Contains(t, report, "All users have been created (1 of 1 users)")
}

// The database's user does not own the tables.
func TestTakeoverNeedsRights(t *testing.T) {
	url := pgtest.FirstService(t)
	pgtest.Query[struct{}](t, pgtest.Superuser(url), "alter table users owner to postgres")
	pgtest.Query[struct{}](t, pgtest.Superuser(url), "grant all on users to public")
	status, _, stderr := migrate(t, url)
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "must be owner of table users")
	require.Contains(t, stderr, "connect as the owner of the tables")
	require.Equal(t, firstServiceTables, tablesIn(t, url, "public"))
}
