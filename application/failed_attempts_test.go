package application_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
)

// recorded returns the entries of an audit, the oldest first.
func recorded(t *testing.T, audit *fake.Audit) (all []domain.AuditEntry) {
	t.Helper()
	for entry, err := range audit.Follow(t.Context(), domain.AuditFilter{}) {
		require.NoError(t, err)
		if entry == nil {
			return all
		}
		entry.ID, entry.Time = 0, time.Time{}
		all = append(all, *entry)
	}
	return all
}

// Stores record their own changes, such as a sign-in that succeeded.
func TestFailedAttemptsAreRecorded(t *testing.T) {
	p := newPeopleWith(true)
	anna := p.anna(t)
	ctx := ports.WithOrigin(t.Context(), ports.Origin{Actor: domain.Actor{Kind: domain.ActorVisitor}, Address: "192.0.2.1", Request: "r-1"})
	for _, attempt := range []ports.Attempt{
		{Name: "anna", Password: chosen}, {Name: "anna", Password: "wrong"}, {Name: "nobody", Password: "wrong"},
	} {
		_, _ = p.auth.SignIn(ctx, attempt)
	}
	_, err := p.auth.ChangePassword(ctx, ports.PasswordChange{User: anna.ID, Made: anna.Password.Made, Old: "wrong", New: "other " + chosen})
	require.Error(t, err)
	of := func(actor domain.Actor, action domain.Action, user int64) domain.AuditEntry {
		return domain.AuditEntry{Actor: actor, Action: action, User: user, Address: "192.0.2.1", Request: "r-1"}
	}
	visitor, user := domain.Actor{Kind: domain.ActorVisitor}, domain.UserActor(anna.ID)
	require.Equal(t, []domain.AuditEntry{
		of(visitor, domain.ActionSignInFailed, anna.ID),
		of(visitor, domain.ActionSignInFailed, 0),
		of(user, domain.ActionPasswordChangeFailed, anna.ID),
	}, recorded(t, p.audit))
}

// unavailableAudit fails while the database does not answer.
type unavailableAudit struct {
	fake.Audit

	fails atomic.Bool
}

func (a *unavailableAudit) Record(ctx context.Context, entry domain.AuditEntry) error {
	if a.fails.Load() {
		return ports.ErrUnavailable
	}
	return a.Audit.Record(ctx, entry)
}

func TestFailedSignInNeedsItsEntry(t *testing.T) {
	audit := &unavailableAudit{}
	audit.fails.Store(true)
	p := newPeople()
	p.anna(t)
	_, err := p.authWith(audit, false).SignIn(t.Context(), ports.Attempt{Name: "anna", Password: "wrong"})
	require.ErrorIs(t, err, ports.ErrUnavailable)
}

// A flood adds some entries, and the number of the others.
func TestFloodOfFailedSignInsIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		audit := &unavailableAudit{}
		p := newPeople()
		auth := p.authWith(audit, false)
		fail := func() {
			_, err := auth.SignIn(t.Context(), ports.Attempt{Name: time.Now().String(), Password: "wrong", Address: time.Now().String()})
			require.Error(t, err)
			require.NotErrorIs(t, err, ports.ErrUnavailable)
		}
		const flood = 250
		for range flood {
			fail()
			time.Sleep(time.Millisecond)
		}
		require.Len(t, recorded(t, &audit.Audit), 100, "one by one")
		audit.fails.Store(true)
		time.Sleep(90 * time.Second) // a database that does not answer delays the number
		synctest.Wait()
		audit.fails.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		all, leftOut := recorded(t, &audit.Audit), 0
		for _, entry := range all {
			require.Equal(t, domain.ActionSignInFailed, entry.Action)
			leftOut += entry.LeftOut
		}
		require.LessOrEqual(t, len(all), 102)
		require.Equal(t, flood, leftOut+100)
		fail()
		require.Len(t, recorded(t, &audit.Audit), len(all)+1, "after the flood each is recorded again")
	})
}
