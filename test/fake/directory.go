package fake

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// standing holds the decisions of operators on an account, and its sign-ins.
type standing struct {
	suspended time.Time
	required  bool // the user must change the password
	deleted   bool
	signIns   []domain.SignIn // the newest first
}

// Directory changes the accounts of Store.
type Directory struct{ Store *Imports }

// SignIns implements ports.DirectoryStore.
func (d Directory) SignIns(ctx context.Context, id int64) ([]domain.SignIn, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read sign-ins: %w", err)
	}
	d.Store.mu.Lock()
	defer d.Store.mu.Unlock()
	return slices.Clone(d.Store.standings[id].signIns), nil
}

// Sessions implements ports.DirectoryStore.
func (d Directory) Sessions(ctx context.Context, id int64) (sessions []domain.Session, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	s := d.Store
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, session := range s.sessions {
		described := session.description
		if s.has(id) && described.User == id && described.PasswordMade.Equal(s.dates[id-1].made) && s.standings[id].suspended.IsZero() &&
			time.Now().Before(session.expires) {
			sessions = append(sessions, described)
		}
	}
	slices.SortFunc(sessions, func(a, b domain.Session) int { return b.Used.Compare(a.Used) })
	return sessions[:min(len(sessions), domain.ListedSessions)], nil
}

// Change implements ports.DirectoryStore.
func (d Directory) Change(ctx context.Context, id int64, decide func(*domain.User) (ports.AccountChange, error)) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("change: %w", err)
	}
	s := d.Store
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.has(id) {
		return ports.ErrNotFound
	}
	user := s.user(int(id - 1))
	change, err := decide(user)
	if err != nil {
		return err
	}
	if (change.Deleted || !change.Suspended.IsZero()) && slices.Equal(s.operators(), []int{int(id - 1)}) {
		return domain.ErrLastOperator
	}
	if change.Person != nil {
		err = s.replace(int(id-1), change.Person)
		if err != nil {
			return err
		}
	}
	s.change(id, &change)
	return nil
}

// change makes a change, except that it replaces no person.
func (s *Imports) change(id int64, change *ports.AccountChange) {
	i, stands := int(id-1), s.standings[id]
	if change.Group != nil {
		s.accounts[i].Registration.Group = *change.Group
	}
	if change.Password != nil {
		s.accounts[i].PasswordHash, s.dates[i].made, stands.required = change.Password.Hash, change.Password.Made.UTC(), false
		delete(s.usedBy, id)
	}
	if change.EndsSessions {
		s.dates[i].made = s.dates[i].made.Add(time.Microsecond)
	}
	stands.required = stands.required || change.ChangeRequired
	switch {
	case !change.Suspended.IsZero():
		stands.suspended = change.Suspended.UTC()
	case change.Restored:
		stands.suspended = time.Time{}
	case change.Deleted:
		s.forget(i)
		stands = standing{deleted: true}
	}
	s.setStanding(id, stands)
}

func (s *Imports) setStanding(id int64, stands standing) {
	if s.standings == nil {
		s.standings = map[int64]standing{}
	}
	s.standings[id] = stands
}

// replace replaces a person's data, unless a key of it belongs to another account.
func (s *Imports) replace(i int, person *domain.Registration) error {
	others := slices.Delete(slices.Clone(s.accounts), i, i+1)
	taken := takenOf([]domain.Registration{*person}, others)
	if violations := taken.Admit(&domain.Record{Registration: *person}); violations != nil {
		return &domain.RejectedError{Violations: violations}
	}
	s.accounts[i].Registration = *person
	return nil
}

// forget deletes an account, and what names its person.
func (s *Imports) forget(i int) {
	login := s.accounts[i].Registration.Login
	for key, answer := range s.answers {
		if answer.Import == s.dates[i].by && answer.Import != 0 || slices.Contains(answer.users, int64(i+1)) {
			s.answers[key] = keptAnswer{
				KeptAnswer: ports.KeptAnswer{Import: answer.Import, Tally: answer.Tally, Fingerprint: []byte{}, Salt: []byte{}, Forgotten: true},
				expires:    answer.expires,
			}
		}
	}
	for n := range s.records {
		for r := range s.records[n].Rejections {
			if domain.LoginKey(s.records[n].Rejections[r].Login) == login.Key() {
				s.records[n].Rejections[r].Original = nil
			}
		}
	}
	s.accounts[i] = domain.Account{}
	delete(s.roles, i)
}
