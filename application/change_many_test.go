package application_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/application"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/contract"
	"rollcall/test/fake"
)

// bulkChanges calls test with five users, of whom the first two are operators, and with the use case of changes. around wraps its store; nil
// leaves it.
func bulkChanges(t *testing.T, around func(ports.DirectoryStore) ports.DirectoryStore, test func(*testing.T, *uploadFixture)) {
	t.Helper()
	uploads(t, nil, func(t *testing.T, f *uploadFixture) {
		store := f.fixture.store
		for n := range 5 {
			person := contract.Record(t, n+1)
			_, err := fake.Registrations{Store: store}.Create(t.Context(), domain.Account{Registration: person.Registration, PasswordHash: "old"})
			require.NoError(t, err)
			if n < 2 {
				require.NoError(t, fake.Roles{Store: store}.Grant(t.Context(), person.Registration.Login, domain.RoleOperator))
			}
		}
		var directory ports.DirectoryStore = fake.Directory{Store: store}
		if around != nil {
			directory = around(directory)
		}
		f.worker.Directory = application.NewDirectory(application.DirectoryConfig{
			Accounts: fake.Accounts{Store: store}, Store: directory, Users: fake.Users{Store: store}, Passwords: &fake.Passwords{}, Outcomes: f.spools,
			Rules: f.fixture.config.Rules, Now: time.Now, TemporaryLifetime: time.Hour, KeepAnswers: time.Hour,
		})
		f.stop()
		f.run()
		test(t, f)
	})
}

func (f *uploadFixture) change(t *testing.T, action domain.BulkAction, group string, ids ...int64) (id string) {
	t.Helper()
	id, err := f.use.ChangeUsers(t.Context(), anna, ports.BulkChange{Action: action, Group: group, Selection: ports.UserSelection{IDs: ids}, Users: len(ids)})
	require.NoError(t, err)
	return id
}

func (f *uploadFixture) user(t *testing.T, id int64) *domain.User {
	t.Helper()
	user, err := fake.Accounts{Store: f.fixture.store}.User(t.Context(), id)
	require.NoError(t, err)
	return user
}

// outcomes returns the result of a change: the passwords by login, and why users were left out.
func (f *uploadFixture) outcomes(t *testing.T, upload *ports.Upload) (passwords map[string]string, reasons map[string]domain.Code) {
	t.Helper()
	result, err := f.importing.Recall(t.Context(), upload.Key())
	require.NoError(t, err)
	passwords, reasons = map[string]string{}, map[string]domain.Code{}
	for outcome, err := range result.Outcomes {
		require.NoError(t, err)
		if outcome.Violations == nil {
			passwords[outcome.Login] = outcome.Password
		} else {
			reasons[outcome.Login] = outcome.Violations[0].Code
		}
	}
	require.NoError(t, result.Close())
	return passwords, reasons
}

func TestManyGetNewPasswords(t *testing.T) {
	bulkChanges(t, nil, func(t *testing.T, f *uploadFixture) {
		got := f.upload(t, f.change(t, domain.BulkPassword, "", 1, 2, 3, 4, 99))
		require.Equal(t, domain.UploadImported, got.State)
		require.Equal(t, domain.Progress{Tally: domain.Tally{Records: 5, Registered: 2, Rejected: 3}, Bytes: 5, Size: 5}, got.Done)
		passwords, reasons := f.outcomes(t, got)
		require.Equal(t, map[string]domain.Code{"user1": domain.CodeOwnAccount, "user2": domain.CodeOperator, "": domain.CodeDeleted}, reasons)
		require.Len(t, passwords, 2)
		require.NotEqual(t, passwords["user3"], passwords["user4"])
		for id, login := range map[int64]string{3: "user3", 4: "user4"} {
			password, isValid := domain.EnteredPassword(passwords[login])
			require.True(t, isValid)
			verdict, err := (&fake.Hasher{}).Verify(t.Context(), ports.Turn{}, f.user(t, id).Password.Hash, password)
			require.NoError(t, err)
			require.True(t, verdict.Match, login)
		}
		require.Equal(t, "old", f.user(t, 1).Password.Hash)
		require.Equal(t, "old", f.user(t, 5).Password.Hash)
	})
}

func TestChangesOfMany(t *testing.T) {
	for _, c := range []struct {
		action domain.BulkAction
		group  string
		again  domain.Code // why user3 is left out the second time
		spares bool        // operators
		want   func(*testing.T, *uploadFixture)
	}{
		{domain.BulkSuspend, "", domain.CodeSuspended, true, func(t *testing.T, f *uploadFixture) { require.True(t, f.user(t, 3).IsSuspended()) }},
		{domain.BulkRequireChange, "", domain.CodeChangeRequired, true, func(t *testing.T, f *uploadFixture) { require.True(t, f.user(t, 3).ChangeRequired) }},
		{domain.BulkGroup, "8 «А»", domain.CodeSameGroup, false, func(t *testing.T, f *uploadFixture) { require.Equal(t, "8 «А»", f.user(t, 3).Group) }},
		{domain.BulkGroup, "", domain.CodeSameGroup, false, func(t *testing.T, f *uploadFixture) { require.Empty(t, f.user(t, 3).Group) }},
		{domain.BulkDelete, "", domain.CodeDeleted, true, func(t *testing.T, f *uploadFixture) {
			_, err := fake.Accounts{Store: f.fixture.store}.User(t.Context(), 3)
			require.ErrorIs(t, err, ports.ErrNotFound)
		}},
	} {
		t.Run(string(c.action)+c.group, func(t *testing.T) {
			bulkChanges(t, nil, func(t *testing.T, f *uploadFixture) {
				changed, reasons := f.outcomes(t, f.upload(t, f.change(t, c.action, c.group, 1, 2, 3)))
				c.want(t, f)
				require.Contains(t, changed, "user3")
				require.Empty(t, changed["user3"], "only new passwords have some")
				if c.spares {
					require.Equal(t, map[string]domain.Code{"user1": domain.CodeOwnAccount, "user2": domain.CodeOperator}, reasons)
				} else {
					require.Empty(t, reasons)
				}
				_, reasons = f.outcomes(t, f.upload(t, f.change(t, c.action, c.group, 3)))
				for _, reason := range reasons {
					require.Equal(t, c.again, reason)
				}
				require.Len(t, reasons, 1)
			})
		})
	}
}

func TestManyAreRestored(t *testing.T) {
	bulkChanges(t, nil, func(t *testing.T, f *uploadFixture) {
		f.upload(t, f.change(t, domain.BulkSuspend, "", 3))
		_, reasons := f.outcomes(t, f.upload(t, f.change(t, domain.BulkRestore, "", 3, 4)))
		require.Equal(t, map[string]domain.Code{"user4": domain.CodeNotSuspended}, reasons)
		require.False(t, f.user(t, 3).IsSuspended())
	})
}

func TestChangeOfAnotherNumberThanConfirmedFails(t *testing.T) {
	bulkChanges(t, nil, func(t *testing.T, f *uploadFixture) {
		id, err := f.use.ChangeUsers(t.Context(), anna, ports.BulkChange{Action: domain.BulkDelete, Selection: ports.UserSelection{IDs: []int64{3, 4}}, Users: 1})
		require.NoError(t, err)
		got := f.upload(t, id)
		require.Equal(t, domain.UploadFailed, got.State)
		require.Equal(t, domain.UploadSelectionChanged, got.Failure)
		require.Equal(t, "old", f.user(t, 3).Password.Hash)
		require.Empty(t, f.failed, "it is no failure of the server")
	})
}

// storeThatStops is a store whose changes stop after their commit, as if the connection were lost.
type storeThatStops struct {
	ports.DirectoryStore

	lost *bool
}

func (s storeThatStops) ChangeMany(ctx context.Context, mode ports.BulkMode, work func(context.Context, ports.BulkTx) error) error {
	err := s.DirectoryStore.ChangeMany(ctx, mode, work)
	if err == nil && *s.lost {
		*s.lost = false
		return ports.ErrUnavailable
	}
	return err
}

// A job that was interrupted after its commit finds that it was made, and makes it no second time.
func TestInterruptedChangeIsMadeOnce(t *testing.T) {
	lost := true
	bulkChanges(t, func(store ports.DirectoryStore) ports.DirectoryStore { return storeThatStops{store, &lost} }, func(t *testing.T, f *uploadFixture) {
		id := f.change(t, domain.BulkPassword, "", 3)
		got := f.upload(t, id)
		require.True(t, got.IsInterrupted())
		hash := f.user(t, 3).Password.Hash
		require.NoError(t, f.use.Start(t.Context(), anna, id, false))
		got = f.upload(t, id)
		require.Equal(t, domain.UploadImported, got.State)
		require.Equal(t, 1, got.Done.Registered)
		require.Equal(t, hash, f.user(t, 3).Password.Hash)
	})
}

// storeThatWaits is a store whose changes wait until their job is cancelled.
type storeThatWaits struct{ ports.DirectoryStore }

func (s storeThatWaits) ChangeMany(ctx context.Context, mode ports.BulkMode, work func(context.Context, ports.BulkTx) error) error {
	return s.DirectoryStore.ChangeMany(ctx, mode, func(ctx context.Context, tx ports.BulkTx) error {
		err := work(ctx, tx)
		<-ctx.Done()
		return errors.Join(err, ctx.Err())
	})
}

func TestCancelledChangeChangesNoOne(t *testing.T) {
	bulkChanges(t, func(store ports.DirectoryStore) ports.DirectoryStore { return storeThatWaits{store} }, func(t *testing.T, f *uploadFixture) {
		id := f.change(t, domain.BulkDelete, "", 3, 4)
		got := f.upload(t, id)
		require.Equal(t, domain.UploadImporting, got.State)
		require.NoError(t, f.use.Cancel(t.Context(), anna, id))
		time.Sleep(2 * f.worker.Beat)
		synctest.Wait()
		require.Equal(t, domain.UploadCancelled, f.upload(t, id).State)
		require.Equal(t, "old", f.user(t, 3).Password.Hash)
	})
}
