package postgres_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/adapters/postgres/groupcommit"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/contract"
	"rollcall/test/pgtest"
)

// importOne imports a record as an import of its own, and returns the number of runs of its work. The account is registered unless it is
// known to be taken.
func importOne(ctx context.Context, t *testing.T, store ports.ImportStore, record domain.Record) (id int64, runs int, err error) {
	t.Helper()
	mode := ports.ImportMode{Records: []domain.Record{record}}
	id, err = store.Do(ctx, mode, func(ctx context.Context, tx ports.ImportTx) error {
		runs++
		taken, err := tx.Taken(ctx, mode.Records)
		if err != nil {
			return err
		}
		account := domain.Account{Registration: record.Registration, PasswordHash: "hash of " + record.Registration.Login.String()}
		if violations := taken.Admit(&record); violations != nil {
			err = tx.Add(ctx, nil, []domain.Rejection{{Record: 1, Violations: violations}})
			if err != nil {
				return err
			}
			return tx.Finish(ctx, domain.Tally{Records: 1, Rejected: 1}, nil)
		}
		err = tx.Add(ctx, []domain.Account{account}, nil)
		if err != nil {
			return err
		}
		return tx.Finish(ctx, domain.Tally{Records: 1, Registered: 1}, nil)
	})
	return id, runs, err
}

// A small import looks up no keys while none are taken. After a clash it and the next ones look up theirs.
func TestImportAloneLooksUpAfterClash(t *testing.T) {
	url := pgtest.New(t)
	store := withoutLookUp(t, groupcommit.New(postgres.NewImports(open(t, url), time.Now)))
	for i, c := range []struct{ record, runs, registered int }{
		{1, 1, 1},
		{1, 2, 0}, // clashes, and runs again
		{1, 1, 0}, // looks up
		{2, 1, 1},
		{3, 1, 1},
		{2, 2, 0}, // no look-up any more
	} {
		id, runs, err := importOne(t.Context(), t, store, contract.Record(t, c.record))
		require.NoError(t, err)
		require.Equal(t, c.runs, runs, "import %d", i)
		stored := storedImports(t, url)
		require.Len(t, stored, i+1)
		require.Equal(t, id, stored[i].ID)
		require.Equal(t, stored[0].ID+int64(i), id, "the number of import %d", i)
		require.Equal(t, c.registered, stored[i].Registered, "import %d", i)
	}
	require.Len(t, storedAccounts(t, url), 3)
}

// An import that registers no one could be stored twice. So it takes two round trips, even if its record is valid.
func TestImportAloneThatRegistersNoOne(t *testing.T) {
	url := pgtest.New(t)
	store := withoutLookUp(t, groupcommit.New(postgres.NewImports(open(t, url), time.Now)))
	mode := ports.ImportMode{Records: []domain.Record{contract.Record(t, 1)}}
	runs := 0
	id, err := store.Do(t.Context(), mode, func(ctx context.Context, tx ports.ImportTx) error {
		runs++
		_, err := tx.Taken(ctx, mode.Records)
		require.NoError(t, err)
		return tx.Finish(ctx, domain.Tally{Records: 1, Rejected: 1}, nil)
	})
	require.NoError(t, err)
	require.Equal(t, 2, runs)
	require.Len(t, storedImports(t, url), 1)
	require.Equal(t, id, storedImports(t, url)[0].ID)
}

// If the connection of a small import is lost, the import is stored once, whatever had become of it by then.
func TestLostImportAlone(t *testing.T) {
	for _, c := range []struct {
		name string
		lose func(t *testing.T, url string, deaf *atomic.Bool)
	}{
		{"after its commit", func(_ *testing.T, _ string, deaf *atomic.Bool) { deaf.Store(true) }},
		{"before its statements arrive", func(t *testing.T, url string, _ *atomic.Bool) {
			t.Helper()
			pgtest.Query[struct{ OK bool }](t, url, `select pg_terminate_backend(pid, 10000) from pg_stat_activity
				where datname = current_database() and pid <> pg_backend_pid()`)
		}},
		{"while it is stored", func(t *testing.T, url string, deaf *atomic.Bool) {
			t.Helper()
			for _, sql := range []string{
				"create sequence runs",
				`create function wait_for_repetition() returns void language plpgsql as $$ begin
					while not exists (select from pg_locks where transactionid = pg_current_xact_id()::xid and not granted) loop
						perform pg_sleep(0.02);
					end loop; end $$`,
				// The notice is an answer before the commit. pgx then cancels the statement, which comes too late here.
				`create function pause() returns trigger language plpgsql as $$ begin
					if nextval('runs') = 1 then
						raise notice 'pause';
						begin perform wait_for_repetition(); exception when query_canceled then perform wait_for_repetition(); end;
					end if;
					return new; end $$`,
				"create trigger pause before insert on profiles for each row execute function pause()",
			} {
				pgtest.Query[struct{}](t, url, sql)
			}
			deaf.Store(true)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := pgtest.New(t)
			var deaf atomic.Bool
			db := open(t, proxy(t, url, &deaf, func() {}))
			store := withoutLookUp(t, groupcommit.New(postgres.NewImports(db, time.Now)))
			_, _, err := importOne(t.Context(), t, store, contract.Record(t, 1)) // prepares the statements, so that the next import sends nothing else
			require.NoError(t, err)
			c.lose(t, url, &deaf)
			id, runs, err := importOne(t.Context(), t, store, contract.Record(t, 2))
			require.NoError(t, err)
			require.False(t, deaf.Load(), "the proxy did not drop the answer")
			require.Equal(t, 1, runs)
			stored := storedImports(t, url)
			require.Len(t, stored, 2)
			require.Equal(t, id, stored[1].ID)
			require.Equal(t, stored[0].ID+1, id, "the first attempt that arrived is the one that is stored")
			require.Equal(t, 1, stored[1].Registered)
			require.Len(t, storedAccounts(t, url), 2)
			require.Equal(t, []struct{ N int }{{2}}, pgtest.Query[struct{ N int }](t, url, "select count(*)::int as n from audit"))
		})
	}
}

// If another server takes over that lacks the commit, the import is stored there.
func TestLostImportAloneOnAnotherServer(t *testing.T) {
	primary, standby := pgtest.New(t), pgtest.New(t)
	var deaf atomic.Bool
	db := open(t, proxy(t, primary, &deaf, func() { swap(t, primary, standby) }))
	store := withoutLookUp(t, groupcommit.New(postgres.NewImports(db, time.Now)))
	_, _, err := importOne(t.Context(), t, store, contract.Record(t, 1))
	require.NoError(t, err)
	deaf.Store(true)
	id, _, err := importOne(t.Context(), t, store, contract.Record(t, 2))
	require.NoError(t, err)
	require.False(t, deaf.Load(), "the proxy did not drop the answer")
	require.Len(t, storedImports(t, primary), 1)
	require.Equal(t, id, storedImports(t, primary)[0].ID)
	require.Len(t, storedAccounts(t, primary), 1)
}
