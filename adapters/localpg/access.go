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

// The roles of a server. The program connects as one that owns its database and may do nothing else; the superuser is for the
// administrator, with psql or pg_basebackup.
const (
	role      = Database
	superuser = "postgres"
)

// ownedFile is in a cluster whose database is the role's, not the superuser's.
const ownedFile = "ROLLCALL_ROLE"

func (c *cluster) accessFile() string { return filepath.Join(c.dir, "pg_hba.conf") }
func (c *cluster) identFile() string  { return filepath.Join(c.dir, "pg_ident.conf") }

// writeAccess writes who may connect: root, the account, and who runs the program, each as either role, by the socket alone. The
// kernel tells the server who connects. It tells the number of a user, and where the user of the program has a number but no name,
// as may be in a container, the server cannot tell who that is: the folder of the socket, which no other user may enter, must
// do then.
func (c *cluster) writeAccess() error {
	var users strings.Builder
	method := "trust"
	uids := []int{0, c.who.uid, os.Geteuid()}
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

// quoted writes a name as PostgreSQL's files of this kind have it.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// own gives the database and all that is in it to the role, where the cluster was made by a version of the program that connected
// as the superuser. Where it was broken off it is done again. A standby gets it from its primary.
func (c *cluster) own(ctx context.Context, noSync bool) error {
	for _, name := range []string{ownedFile, "standby.signal"} {
		if _, err := os.Lstat(filepath.Join(c.data, name)); err == nil {
			return nil
		}
	}
	// an index goes with its table, and so does a sequence that belongs to a column
	err := c.single(ctx, c.data, Database, noSync, strings.NewReplacer("\n", " ", "\t", "").Replace(`do $$
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
		end $$`))
	if err != nil {
		return fmt.Errorf("give database to role %s: %w", role, err)
	}
	return c.markOwned(c.data)
}

// markOwned puts the ownedFile into a cluster.
func (c *cluster) markOwned(data string) error {
	root, err := os.OpenRoot(data) // which is the account's: no link in it leads out
	if err != nil {
		return err
	}
	defer root.Close()
	file, err := root.OpenFile(ownedFile, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Chown(c.who.uid, c.who.gid)
}
