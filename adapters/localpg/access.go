package localpg

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The roles of a server. The program connects as a role that owns its database. Its only other right is to set
// session_replication_role, which makes imports faster and gives it nothing that the owner of the tables cannot do. The superuser is
// for the administrator, who runs psql or pg_basebackup.
const (
	role      = Database
	superuser = "postgres"
)

// rightsFile marks a cluster whose role has its rights. A change of these rights needs another name.
const rightsFile = "ROLLCALL_ROLE_2"

// grantSQL gives the role its right beyond its database. PostgreSQL grants parameters from version 15 on.
const grantSQL = `if current_setting('server_version_num')::int >= 150000 then
	execute 'grant set on parameter session_replication_role to ` + role + `';
end if;`

func (c *cluster) accessFile() string { return filepath.Join(c.dir, "pg_hba.conf") }
func (c *cluster) identFile() string  { return filepath.Join(c.dir, "pg_ident.conf") }

// writeAccess writes the files that say who may connect: root, the account and the user who runs the program, each as either role,
// and only by the socket. The kernel gives the server the id of the connecting user. If the program's user has no name, as in some
// containers, the server cannot map the id. Then the server trusts every connection, and only the folder of the socket, which no
// other user may enter, protects it.
func (c *cluster) writeAccess() error {
	var users strings.Builder
	method := "trust"
	uids := []int{0, c.account.uid, os.Geteuid()}
	slices.Sort(uids)
	for _, uid := range slices.Compact(uids) {
		u, err := user.LookupId(strconv.Itoa(uid))
		if err != nil {
			continue
		}
		if uid == os.Geteuid() {
			method = "peer map=rollcall"
		}
		for _, as := range []string{role, superuser} {
			fmt.Fprintf(&users, "rollcall %s %s\n", quoted(u.Username), as)
		}
	}
	for name, content := range map[string]string{
		c.accessFile(): "local all,replication all " + method + "\n",
		c.identFile():  users.String(),
	} {
		err := c.writeFile(name, content)
		if err != nil {
			return fmt.Errorf("write %s: %w", filepath.Base(name), err)
		}
	}
	return nil
}

// quoted quotes a name for pg_ident.conf.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// grantRights gives the role the rights that it lacks if an older version of the program created the cluster. The first versions
// connected as the superuser, who then owns the database and everything in it. grantRights starts over if it was interrupted. A standby
// receives the change from its primary.
func (c *cluster) grantRights(ctx context.Context, noSync bool) error {
	for _, name := range []string{rightsFile, "standby.signal"} {
		if _, err := os.Lstat(filepath.Join(c.data, name)); err == nil {
			return nil
		}
	}
	// An index follows its table, and so does a sequence that belongs to a column.
	err := c.single(ctx, c.data, Database, noSync, line(`do $$
		declare statement text;
		begin
			if not exists (select from pg_roles where rolname = '`+role+`') then
				create role `+role+` login;
			end if;
			alter database `+Database+` owner to `+role+`;
			for statement in
				select format('alter table %s owner to `+role+`', oid::regclass) from pg_class
				where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'S', 'v', 'm') and not exists (
					select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype in ('a', 'i', 'e'))
			loop
				execute statement;
			end loop;
			`+grantSQL+`
		end $$`))
	if err != nil {
		return fmt.Errorf("grant rights to role %s: %w", role, err)
	}
	return c.markRights(c.data)
}

// line returns a statement as one line, as single needs it.
func line(sql string) string { return strings.NewReplacer("\n", " ", "\t", "").Replace(sql) }

// markRights creates the rightsFile in a cluster.
func (c *cluster) markRights(data string) error {
	root, err := os.OpenRoot(data) // the account could plant a link there, which must not lead out
	if err != nil {
		return err
	}
	defer root.Close()
	file, err := root.OpenFile(rightsFile, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Chown(c.account.uid, c.account.gid)
}
