package application_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/application"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
)

// A listing is a store that has made no imported user findable yet.
type listing struct {
	fake.Users

	unlisted int
}

func (l *listing) List(context.Context) (int, error) {
	l.unlisted--
	return l.unlisted, nil
}

func TestFindUsers(t *testing.T) {
	p := newPeople()
	store := &listing{fake.Users{Store: p.store}, 3}
	directory := application.NewDirectory(application.DirectoryConfig{
		Users: store, Hasher: p.hasher, Now: func() time.Time { return p.now }, TemporaryLifetime: lifetime,
		Rules: func() domain.Rules { return domain.Rules{Region: "RU"} },
	})
	p.importBoris(t)
	accounts := fake.Accounts{Store: p.store}
	user, err := accounts.Find(t.Context(), domain.Identity{Login: "boris"})
	require.NoError(t, err)
	made := user.Password.Made
	for _, c := range []struct {
		name          string
		passed        time.Duration
		status, first domain.Status
	}{
		{"Valid", lifetime - time.Microsecond, domain.StatusTemporaryPassword, domain.StatusNeverSignedIn},
		{"Expired", lifetime, domain.StatusTemporaryPasswordExpired, domain.StatusTemporaryPasswordExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.now = made.Add(c.passed)
			page, err := directory.Page(t.Context(), ports.UserQuery{Filter: domain.UserFilter{Status: c.status}, Order: domain.UsersByName})
			require.NoError(t, err)
			require.Len(t, page.Users, 1)
			require.Equal(t, made.Add(lifetime), page.Users[0].PasswordExpires)
			require.Equal(t, c.first, page.Users[0].Status)
		})
	}
	signIn := domain.SignIn{Time: p.now}
	require.NoError(t, accounts.SignedIn(t.Context(), user.ID, user.Password.Hash, signIn))
	count, err := directory.Count(t.Context(), ports.UserSelection{Filter: domain.UserFilter{Text: "B@"}}, 10)
	require.NoError(t, err)
	require.Equal(t, 1, count)
	store.unlisted = 3
	err = directory.Read(t.Context(), ports.UserSelection{}, domain.UsersByName, func(people iter.Seq2[*domain.Person, error]) error {
		require.Zero(t, store.unlisted, "all users are findable")
		for person, err := range people {
			require.NoError(t, err)
			require.Equal(t, []domain.SignIn{signIn}, person.SignIns)
		}
		return nil
	})
	require.NoError(t, err)
}
