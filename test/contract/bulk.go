package contract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

// bulkCases are the cases of ChangeMany.
var bulkCases = []struct {
	name string
	test func(*testing.T, AccountsSubject)
}{
	{"ChangesManyAsOne", changesManyAsOne},
	{"SelectsEachUserOnce", selectsEachUserOnce},
	{"ReadsUsersOfManyInOrder", readsUsersInOrder},
	{"ChangesWhatAFilterSelects", changesWhatFilterSelects},
	{"SelectsAgainWhomOthersChange", selectsAgain},
	{"ChangesNoOneAfterAnError", changesNoOneAfterError},
	{"StoresTheAnswerOfABulkChange", storesBulkAnswer},
	{"ForgetsAnswersThatNameTheDeleted", forgetsBulkAnswers},
	{"MakesOneOfConcurrentChangesWithAKey", makesOneChangeOfKey},
	{"MakesOverlappingChangesInSomeOrder", overlapsInSomeOrder},
	{"MeetsAnEdit", bulkMeetsEdit},
	{"MeetsADeletion", bulkMeetsDeletion},
	{"MeetsSignIns", bulkMeetsSignIns},
	{"StopsABulkChangeWithItsContext", bulkStopsWithContext},
}

// keyOf returns the key of a job.
func keyOf(job string) domain.ImportKey { return domain.ImportKey{Upload: job} }

func selectionOf(users ...*domain.User) ports.UserSelection {
	selection := ports.UserSelection{IDs: []int64{}}
	for _, user := range users {
		selection.IDs = append(selection.IDs, user.ID)
	}
	return selection
}

// answerWith returns an answer that was made of outcomes.
func answerWith(outcomes string) *ports.Answer {
	return &ports.Answer{Salt: []byte("salt"), Expires: time.Now().Add(time.Hour), Outcomes: strings.NewReader(outcomes)}
}

// changeMany makes the change that decide returns of each selected user.
func changeMany(ctx context.Context, s AccountsSubject, job string, selection ports.UserSelection, decide func(ports.SelectedUser) ports.AccountChange) error {
	return s.Directory.ChangeMany(ctx, ports.BulkMode{Selection: selection, Key: keyOf(job)}, func(ctx context.Context, tx ports.BulkTx) error {
		users, err := tx.Next(ctx)
		for ; len(users) > 0 && err == nil; users, err = tx.Next(ctx) {
			changes := make([]ports.AccountChange, len(users))
			for i := range users {
				changes[i] = decide(users[i])
			}
			err = tx.Change(ctx, changes)
			if err != nil {
				break
			}
		}
		if err != nil {
			return err
		}
		return tx.Finish(ctx, domain.Tally{Records: tx.Selected(), Registered: tx.Selected()}, answerWith("outcomes of "+job), domain.AuditEntry{Action: domain.ActionManyChanged})
	})
}

func makeChange(made ports.AccountChange) func(ports.SelectedUser) ports.AccountChange {
	return func(ports.SelectedUser) ports.AccountChange { return made }
}

// Each change has the same effect on many users as on one.
func changesManyAsOne(t *testing.T, s AccountsSubject) {
	group, violations := domain.NewGroup("8 «А»")
	require.Nil(t, violations)
	n := 0
	for _, c := range []struct {
		name string
		made ports.AccountChange
	}{
		{"Nothing", ports.AccountChange{}},
		{"Group", ports.AccountChange{Action: domain.ActionAccountEdited, Fields: []domain.Field{domain.FieldGroup}, Group: &group}},
		{"NoGroup", ports.AccountChange{Group: &domain.Group{}}},
		{"Password", ports.AccountChange{Password: &domain.StoredPassword{Hash: "new", Made: moment.In(time.FixedZone("", 3600))}}},
		{"Suspended", ports.AccountChange{Suspended: moment, EndsSessions: true}},
		{"Restored", ports.AccountChange{Restored: true}},
		{"ChangeRequired", ports.AccountChange{ChangeRequired: true, EndsSessions: true}},
		{"Deleted", ports.AccountChange{Deleted: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var users []*domain.User
			for range 6 {
				n++
				user := create(t, s, Record(t, n))
				require.NoError(t, s.Accounts.UsePassword(t.Context(), user.ID, user.Password.Hash, []byte("browser")))
				if c.made.Restored {
					require.NoError(t, change(t, s, user.ID, ports.AccountChange{Suspended: moment}))
				}
				users = append(users, user)
			}
			one, many, other := users[0], users[1:5], userOf(t, s, users[5].ID)
			require.NoError(t, change(t, s, one.ID, c.made))
			require.NoError(t, changeMany(t.Context(), s, c.name, selectionOf(many...), makeChange(c.made)))
			require.Equal(t, other, userOf(t, s, other.ID), "the others stay as they are")
			want, err := s.Accounts.User(t.Context(), one.ID)
			for _, user := range many {
				got, errMany := s.Accounts.User(t.Context(), user.ID)
				if c.made.Deleted {
					require.ErrorIs(t, err, ports.ErrNotFound)
					require.ErrorIs(t, errMany, ports.ErrNotFound)
					continue
				}
				require.NoError(t, errMany)
				same := *want
				same.ID, same.Login, same.Email, same.Phone, same.Registered = user.ID, user.Login, user.Email, user.Phone, user.Registered
				if c.made.Password == nil {
					same.Password = domain.StoredPassword{Hash: user.Password.Hash, Made: user.Password.Made.Add(want.Password.Made.Sub(one.Password.Made))}
				}
				require.Equal(t, &same, got)
			}
		})
	}
}

func selectsEachUserOnce(t *testing.T, s AccountsSubject) {
	first, second := create(t, s, Record(t, 1)), create(t, s, Record(t, 2))
	require.NoError(t, change(t, s, second.ID, ports.AccountChange{Deleted: true}))
	selection := ports.UserSelection{IDs: []int64{1 << 40, second.ID, first.ID, first.ID}}
	var seen []ports.SelectedUser
	require.NoError(t, s.Directory.ChangeMany(t.Context(), ports.BulkMode{Selection: selection, Key: keyOf("one")}, func(ctx context.Context, tx ports.BulkTx) error {
		require.Equal(t, 3, tx.Selected())
		users, err := tx.Next(ctx)
		require.NoError(t, err)
		seen = users
		return tx.Finish(ctx, domain.Tally{}, answerWith(""), domain.AuditEntry{Action: domain.ActionManyChanged})
	}))
	require.Equal(t, []ports.SelectedUser{{User: first}, {}, {}}, seen, "accounts that were deleted, or never existed, have no user")
	for _, none := range []ports.UserSelection{{IDs: []int64{}}, {IDs: []int64{1 << 40}}} {
		require.NoError(t, changeMany(t.Context(), s, fmt.Sprint("none", len(none.IDs)), none, makeChange(ports.AccountChange{})))
	}
}

func readsUsersInOrder(t *testing.T, s AccountsSubject) {
	var users []*domain.User
	for n := range 10 {
		users = append([]*domain.User{create(t, s, Record(t, n+1))}, users...)
	}
	require.NoError(t, s.Roles.Grant(t.Context(), login(t, users[3].Login), domain.RoleOperator))
	users[3] = userOf(t, s, users[3].ID)
	var seen []*domain.User
	require.NoError(t, changeMany(t.Context(), s, "all", selectionOf(users...), func(selected ports.SelectedUser) ports.AccountChange {
		require.False(t, selected.Left)
		seen = append([]*domain.User{selected.User}, seen...)
		return ports.AccountChange{}
	}))
	require.Equal(t, users, seen)
}

// ofGroup are the people of a group.
func ofGroup(group string) ports.UserSelection {
	return ports.UserSelection{Filter: domain.UserFilter{Group: group}}
}

func changesWhatFilterSelects(t *testing.T, s AccountsSubject) {
	var users []*domain.User
	for n := range 8 {
		person := human{group: fmt.Sprint("7", string(rune('А'+n%2)))}
		users = append(users, create(t, s, person.record(t, n+1)))
	}
	require.NoError(t, changeMany(t.Context(), s, "one", ofGroup("7а"), makeChange(ports.AccountChange{ChangeRequired: true})))
	for n, user := range users {
		require.Equal(t, n%2 == 0, userOf(t, s, user.ID).ChangeRequired, user.Group)
	}
	group := domain.RestoreGroup("8А")
	require.NoError(t, changeMany(t.Context(), s, "two", ofGroup("7А"), makeChange(ports.AccountChange{Group: &group})))
	count := 0
	require.NoError(t, changeMany(t.Context(), s, "three", ofGroup("8а"), func(selected ports.SelectedUser) ports.AccountChange {
		require.Equal(t, "8А", selected.User.Group)
		count++
		return ports.AccountChange{}
	}))
	require.Equal(t, 4, count, "a new group is found")
}

// A change of a user comes before a bulk change, whose filter then selects as the user is, or after it.
func selectsAgain(t *testing.T, s AccountsSubject) {
	var users []*domain.User
	for n := range 8 {
		users = append(users, create(t, s, human{group: "7А"}.record(t, n+1)))
	}
	other := domain.RestoreGroup("8А")
	var all sync.WaitGroup
	for _, user := range users[:4] {
		all.Go(func() { require.NoError(t, change(t, s, user.ID, ports.AccountChange{Group: &other})) })
	}
	require.NoError(t, changeMany(t.Context(), s, "one", ofGroup("7А"), func(selected ports.SelectedUser) ports.AccountChange {
		require.Equal(t, selected.Left, selected.User.Group == "8А")
		return ports.AccountChange{ChangeRequired: !selected.Left}
	}))
	all.Wait()
	for n, user := range users {
		got := userOf(t, s, user.ID)
		require.Equal(t, n < 4, got.Group == "8А")
		require.True(t, n < 4 || got.ChangeRequired)
	}
}

func changesNoOneAfterError(t *testing.T, s AccountsSubject) {
	var users []*domain.User
	for n := range 7 {
		users = append(users, create(t, s, Record(t, n+1)))
	}
	broken := errors.New("broken")
	err := s.Directory.ChangeMany(t.Context(), ports.BulkMode{Selection: selectionOf(users...), Key: keyOf("one")}, func(ctx context.Context, tx ports.BulkTx) error {
		for {
			selected, err := tx.Next(ctx)
			require.NoError(t, err)
			if len(selected) == 0 {
				return broken
			}
			changes := make([]ports.AccountChange, len(selected))
			for i := range changes {
				changes[i] = ports.AccountChange{Action: domain.ActionDeleted, Deleted: true}
			}
			require.NoError(t, tx.Change(ctx, changes))
		}
	})
	require.ErrorIs(t, err, broken)
	for _, user := range users {
		require.Equal(t, user, userOf(t, s, user.ID))
	}
	_, err = s.Imports.Recall(t.Context(), keyOf("one"), io.Discard)
	require.ErrorIs(t, err, ports.ErrNotFound)
	require.NoError(t, changeMany(t.Context(), s, "one", selectionOf(users...), makeChange(ports.AccountChange{})), "the key is free")
}

func storesBulkAnswer(t *testing.T, s AccountsSubject) {
	user := create(t, s, Record(t, 1))
	require.NoError(t, changeMany(t.Context(), s, "one", selectionOf(user), makeChange(ports.AccountChange{})))
	var outcomes bytes.Buffer
	answer, err := s.Imports.Recall(t.Context(), keyOf("one"), &outcomes)
	require.NoError(t, err)
	require.Equal(t, "outcomes of one", outcomes.String())
	require.Equal(t, domain.Tally{Records: 1, Registered: 1}, answer.Tally)
	require.Equal(t, []byte("salt"), answer.Salt)
	require.Zero(t, answer.Import)
	err = changeMany(t.Context(), s, "one", selectionOf(user), makeChange(ports.AccountChange{Deleted: true}))
	require.ErrorIs(t, err, ports.ErrKeyUsed)
	require.Equal(t, user, userOf(t, s, user.ID))
}

func forgetsBulkAnswers(t *testing.T, s AccountsSubject) {
	kept := func(job string) bool {
		var outcomes bytes.Buffer
		answer, err := s.Imports.Recall(t.Context(), keyOf(job), &outcomes)
		require.NoError(t, err)
		if answer.Forgotten {
			require.Equal(t, &ports.KeptAnswer{Tally: answer.Tally, Fingerprint: []byte{}, Salt: []byte{}, Forgotten: true}, answer)
		}
		require.Equal(t, answer.Forgotten, outcomes.Len() == 0)
		return !answer.Forgotten
	}
	first, second, third := create(t, s, Record(t, 1)), create(t, s, Record(t, 2)), create(t, s, Record(t, 3))
	nothing, deleted := makeChange(ports.AccountChange{}), makeChange(ports.AccountChange{Deleted: true})
	require.NoError(t, changeMany(t.Context(), s, "both", selectionOf(first, second), nothing))
	require.NoError(t, changeMany(t.Context(), s, "second", selectionOf(second), nothing))
	require.NoError(t, changeMany(t.Context(), s, "third", selectionOf(third), nothing))
	require.NoError(t, change(t, s, first.ID, ports.AccountChange{Deleted: true}))
	require.Equal(t, []bool{false, true, true}, []bool{kept("both"), kept("second"), kept("third")})
	require.ErrorIs(t, changeMany(t.Context(), s, "both", selectionOf(second), deleted), ports.ErrKeyUsed, "a job that runs again changes no one twice")
	require.NoError(t, changeMany(t.Context(), s, "deletion", selectionOf(second), deleted))
	require.Equal(t, []bool{false, true, true}, []bool{kept("second"), kept("third"), kept("deletion")})
}

func makesOneChangeOfKey(t *testing.T, s AccountsSubject) {
	user := create(t, s, Record(t, 1))
	var made, late atomic.Int64
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			err := changeMany(t.Context(), s, "one", selectionOf(user), func(selected ports.SelectedUser) ports.AccountChange {
				return ports.AccountChange{Password: &domain.StoredPassword{Hash: "x", Made: selected.User.Password.Made.Add(time.Second)}}
			})
			switch {
			case err == nil:
				made.Add(1)
			case errors.Is(err, ports.ErrKeyRunning), errors.Is(err, ports.ErrKeyUsed):
				late.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.Equal(t, []int64{1, 9}, []int64{made.Load(), late.Load()})
	require.Equal(t, user.Password.Made.Add(time.Second), userOf(t, s, user.ID).Password.Made)
}

// Changes of overlapping users, selected in different orders, neither block one another nor lose a change.
func overlapsInSomeOrder(t *testing.T, s AccountsSubject) {
	var users []*domain.User
	for n := range 9 {
		users = append(users, create(t, s, Record(t, n+1)))
	}
	reversed := []*domain.User{users[8], users[7], users[6], users[5], users[4], users[3], users[2]}
	var all sync.WaitGroup
	for n := range 8 {
		selection := selectionOf(users[:7]...)
		if n%2 == 0 {
			selection = selectionOf(reversed...)
		}
		all.Go(func() {
			require.NoError(t, changeMany(t.Context(), s, strconv.Itoa(n), selection, func(selected ports.SelectedUser) ports.AccountChange {
				return ports.AccountChange{Password: &domain.StoredPassword{Hash: strconv.Itoa(n), Made: selected.User.Password.Made.Add(time.Second)}}
			}))
		})
	}
	all.Wait()
	var last string
	for i, user := range users {
		changes := 8
		if i < 2 || i > 6 {
			changes = 4
		}
		got := userOf(t, s, user.ID)
		require.Equal(t, user.Password.Made.Add(time.Duration(changes)*time.Second), got.Password.Made)
		if changes == 8 {
			require.Contains(t, []string{"", got.Password.Hash}, last, "the last change is the same one for all")
			last = got.Password.Hash
		}
	}
}

func bulkMeetsEdit(t *testing.T, s AccountsSubject) {
	user, other := create(t, s, Record(t, 1)), create(t, s, Record(t, 2))
	person := record(t, 1, "edited", "", "+79123456789").Registration
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			require.NoError(t, changeMany(t.Context(), s, strconv.Itoa(n), selectionOf(other, user), makeChange(ports.AccountChange{ChangeRequired: true})))
		})
		all.Go(func() { require.NoError(t, change(t, s, user.ID, ports.AccountChange{Person: &person})) })
	}
	all.Wait()
	got := userOf(t, s, user.ID)
	require.Equal(t, "edited", got.Login)
	require.True(t, got.ChangeRequired)
	require.True(t, userOf(t, s, other.ID).ChangeRequired)
}

// A deletion comes before a bulk change, which then finds no user, or after it.
func bulkMeetsDeletion(t *testing.T, s AccountsSubject) {
	var users []*domain.User
	for n := range 8 {
		users = append(users, create(t, s, Record(t, n+1)))
	}
	var found atomic.Int64
	var all sync.WaitGroup
	for _, user := range users[:4] {
		all.Go(func() { require.NoError(t, change(t, s, user.ID, ports.AccountChange{Deleted: true})) })
	}
	require.NoError(t, changeMany(t.Context(), s, "one", selectionOf(users...), func(selected ports.SelectedUser) ports.AccountChange {
		if selected.User != nil {
			found.Add(1)
		}
		return ports.AccountChange{ChangeRequired: selected.User != nil}
	}))
	all.Wait()
	require.GreaterOrEqual(t, found.Load(), int64(4))
	for i, user := range users {
		if i < 4 {
			_, err := s.Accounts.User(t.Context(), user.ID)
			require.ErrorIs(t, err, ports.ErrNotFound)
			continue
		}
		require.True(t, userOf(t, s, user.ID).ChangeRequired)
	}
}

// A sign-in that meets a bulk change comes before it or fails, because the password is another one afterwards.
func bulkMeetsSignIns(t *testing.T, s AccountsSubject) {
	user := create(t, s, Record(t, 1))
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			err := s.Accounts.SignedIn(t.Context(), user.ID, user.Password.Hash, domain.SignIn{Time: moment})
			if err != nil {
				require.ErrorIs(t, err, ports.ErrChanged)
			}
		})
	}
	require.NoError(t, changeMany(t.Context(), s, "one", selectionOf(user), makeChange(ports.AccountChange{Password: &domain.StoredPassword{Hash: "new", Made: moment}})))
	before := len(signInsOf(t, s, user.ID))
	all.Wait()
	require.Len(t, signInsOf(t, s, user.ID), before, "none was recorded after the change")
}

func bulkStopsWithContext(t *testing.T, s AccountsSubject) {
	user := create(t, s, Record(t, 1))
	ctx, cancel := context.WithCancel(t.Context())
	err := changeMany(ctx, s, "one", selectionOf(user), func(ports.SelectedUser) ports.AccountChange {
		cancel()
		return ports.AccountChange{Deleted: true}
	})
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ports.ErrUnavailable)
	require.Equal(t, user, userOf(t, s, user.ID))
}
