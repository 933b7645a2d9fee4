package groupcommit_test

import (
	"context"
	"errors"
	"os"
	"sync"
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

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

func open(t *testing.T, url string) *groupcommit.Imports {
	t.Helper()
	db, err := postgres.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return groupcommit.New(postgres.NewImports(db, time.Now))
}

func count(t *testing.T, url, table string) int {
	t.Helper()
	return pgtest.Query[struct{ N int }](t, url, "select count(*) from "+table)[0].N
}

// register runs an import of one record, which is registered unless it is taken.
func register(t *testing.T, store ports.ImportStore, mode ports.ImportMode, record domain.Record, beforeEnd func() error) (int64, error) {
	t.Helper()
	mode.Records = []domain.Record{record}
	return store.Do(t.Context(), mode, func(ctx context.Context, tx ports.ImportTx) error {
		taken, err := tx.Taken(ctx, []domain.Record{record})
		if err != nil {
			return err
		}
		if taken.Admit(&record) != nil {
			return tx.Finish(ctx, domain.Tally{Records: 1, Rejected: 1}, nil)
		}
		err = tx.Add(ctx, []domain.Account{{Registration: record.Registration, PasswordHash: "x"}}, nil)
		if err != nil {
			return err
		}
		err = beforeEnd()
		if err != nil {
			return err
		}
		return tx.Finish(ctx, domain.Tally{Records: 1, Registered: 1}, nil)
	})
}

func proceed() error { return nil }

// Small imports that share transactions have results of their own.
func TestConcurrentImportsHaveTheirOwnResults(t *testing.T) {
	url := pgtest.New(t)
	store := open(t, url)
	errBefore, errAfter := errors.New("before the first query"), errors.New("after accounts were added")
	const rounds, imports = 5, 40
	type result struct {
		id  int64
		err error
	}
	for round := range rounds {
		var results [imports]result
		var all sync.WaitGroup
		for n := range imports {
			number := round*imports + n
			all.Go(func() {
				r := &results[n]
				switch {
				case n%4 < 2:
					r.id, r.err = store.Do(t.Context(), ports.ImportMode{Records: []domain.Record{}}, func(context.Context, ports.ImportTx) error { return errBefore })
				case n == 2: // its transaction holds rows of it, and is undone for all
					r.id, r.err = register(t, store, ports.ImportMode{}, contract.Record(t, number), func() error { return errAfter })
				default:
					r.id, r.err = register(t, store, ports.ImportMode{}, contract.Record(t, number), proceed)
				}
			})
		}
		all.Wait()
		for n, r := range results {
			switch {
			case n%4 < 2:
				require.ErrorIs(t, r.err, errBefore)
				require.NotErrorIs(t, r.err, errAfter)
			case n == 2:
				require.ErrorIs(t, r.err, errAfter)
				require.NotErrorIs(t, r.err, errBefore)
			default:
				require.NoError(t, r.err)
				require.NotZero(t, r.id)
			}
		}
	}
	const registered = rounds * (imports/2 - 1)
	require.Equal(t, registered, count(t, url, "users"))
	require.Equal(t, registered, count(t, url, "codes"))
}

func TestPanicIsTheErrorOfItsImport(t *testing.T) {
	store := open(t, pgtest.New(t))
	_, err := store.Do(t.Context(), ports.ImportMode{Records: []domain.Record{}}, func(context.Context, ports.ImportTx) error { panic("hostile file") })
	require.ErrorContains(t, err, "hostile file")
	_, err = store.Do(t.Context(), ports.ImportMode{Records: []domain.Record{}}, func(ctx context.Context, tx ports.ImportTx) error {
		return tx.Finish(ctx, domain.Tally{}, nil)
	})
	require.NoError(t, err)
}

// Small imports that wait for a lock do not hold up others.
func TestImportsGiveWay(t *testing.T) {
	url := pgtest.New(t)
	store := open(t, url)
	held, release := make(chan struct{}), make(chan struct{})
	var waiting, others sync.WaitGroup
	waiting.Go(func() {
		_, err := register(t, store, ports.ImportMode{Exclusive: true}, contract.Record(t, 1), func() error {
			close(held)
			<-release
			return nil
		})
		assertNoError(t, err)
	})
	<-held
	for n := range 10 {
		waiting.Go(func() {
			_, err := register(t, store, ports.ImportMode{}, contract.Record(t, 1), proceed)
			assertNoError(t, err)
		})
		others.Go(func() {
			_, err := register(t, store, ports.ImportMode{}, contract.Record(t, 2+n), proceed)
			assertNoError(t, err)
		})
	}
	others.Wait()
	close(release)
	waiting.Wait()
	require.Equal(t, 11, count(t, url, "users"))
}

func assertNoError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
