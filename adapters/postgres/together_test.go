package postgres_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/contract"
	"rollcall/test/pgtest"
)

// Of small imports at once each has its own end, though they share transactions.
func TestSmallImportsAtOnce(t *testing.T) {
	url := pgtest.New(t)
	store := postgres.NewImports(open(t, url), time.Now)
	errBefore, errAfter := errors.New("before the database was asked"), errors.New("after people were added")
	const rounds, kinds, imports = 5, 4, 40
	for round := range rounds {
		var all sync.WaitGroup
		for n := range imports {
			number := round*imports + n
			all.Go(func() {
				id, err := store.Do(t.Context(), ports.ImportMode{}, func(ctx context.Context, tx ports.ImportTx) error {
					if n%kinds < 2 {
						return errBefore
					}
					object := contract.Object(t, number)
					_, err := tx.Taken(ctx, []domain.Object{object})
					if err != nil {
						return err
					}
					err = tx.Add(ctx, []domain.Account{{Registration: object.Registration, PasswordHash: "x"}}, nil)
					if err != nil {
						return err
					}
					if n == 2 { // it spoils it for all
						return errAfter
					}
					return tx.Finish(ctx, domain.Tally{Records: 1, Registered: 1}, nil)
				})
				switch {
				case n%kinds < 2:
					require.Equal(t, []bool{true, false}, []bool{errors.Is(err, errBefore), errors.Is(err, errAfter)})
				case n == 2:
					require.Equal(t, []bool{false, true}, []bool{errors.Is(err, errBefore), errors.Is(err, errAfter)})
				default:
					require.Equal(t, []any{nil, true}, []any{err, id != 0})
				}
			})
		}
		all.Wait()
	}
	const each = imports/2 - 1
	require.Len(t, accounts(t, url), rounds*each)
	require.Len(t, records(t, url), rounds*each)
}

// A panic is an error of whoever it happened to, and ends nothing else.
func TestPanicOfSmallImport(t *testing.T) {
	store := postgres.NewImports(open(t, pgtest.New(t)), time.Now)
	_, err := store.Do(t.Context(), ports.ImportMode{}, func(context.Context, ports.ImportTx) error { panic("hostile file") })
	require.ErrorContains(t, err, "hostile file")
	_, err = store.Do(t.Context(), ports.ImportMode{}, func(ctx context.Context, tx ports.ImportTx) error {
		return tx.Finish(ctx, domain.Tally{}, nil)
	})
	require.NoError(t, err)
}

// Who stands in nobody's way goes on while others wait for a lock.
func TestSmallImportsGiveWay(t *testing.T) {
	url := pgtest.New(t)
	store := postgres.NewImports(open(t, url), time.Now)
	held, release := contract.Object(t, 1), make(chan struct{})
	var all sync.WaitGroup
	inside := make(chan struct{})
	all.Go(func() {
		_, err := store.Do(t.Context(), ports.ImportMode{Exclusive: true}, func(ctx context.Context, tx ports.ImportTx) error {
			_, err := tx.Taken(ctx, []domain.Object{held})
			require.NoError(t, err)
			require.NoError(t, tx.Add(ctx, []domain.Account{{Registration: held.Registration, PasswordHash: "x"}}, nil))
			close(inside)
			<-release
			return tx.Finish(ctx, domain.Tally{Records: 1, Registered: 1}, nil)
		})
		require.NoError(t, err)
	})
	<-inside
	create := func(object domain.Object) error {
		_, err := store.Do(t.Context(), ports.ImportMode{}, func(ctx context.Context, tx ports.ImportTx) error {
			taken, err := tx.Taken(ctx, []domain.Object{object})
			if err != nil {
				return err
			}
			if taken.Admit(&object) != nil {
				return tx.Finish(ctx, domain.Tally{Records: 1, Rejected: 1}, nil)
			}
			err = tx.Add(ctx, []domain.Account{{Registration: object.Registration, PasswordHash: "x"}}, nil)
			if err != nil {
				return err
			}
			return tx.Finish(ctx, domain.Tally{Records: 1, Registered: 1}, nil)
		})
		return err
	}
	var others sync.WaitGroup
	for n := range 10 {
		all.Go(func() { require.NoError(t, create(contract.Object(t, 1))) }) // of whom each waits for the first
		others.Go(func() { require.NoError(t, create(contract.Object(t, 2+n))) })
	}
	others.Wait()
	close(release)
	all.Wait()
	require.Len(t, accounts(t, url), 11)
}
