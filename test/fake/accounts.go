package fake

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"rollcall/domain"
	"rollcall/ports"
)

// Registrations stores people in Store.
type Registrations struct{ Store *Imports }

// Taken implements ports.RegistrationStore.
func (r Registrations) Taken(ctx context.Context, registration *domain.Registration) (*domain.Taken, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("look up: %w", err)
	}
	return takenOf([]domain.Registration{*registration}, r.Store.Accounts()), nil
}

// Create implements ports.RegistrationStore.
func (r Registrations) Create(ctx context.Context, account domain.Account) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("create: %w", err)
	}
	r.Store.mu.Lock()
	defer r.Store.mu.Unlock()
	if clash(r.Store.accounts, []domain.Account{account}) {
		return 0, ports.ErrTaken
	}
	r.Store.add(account, 0)
	return int64(len(r.Store.accounts)), nil
}

// Accounts reads the accounts of Store.
type Accounts struct{ Store *Imports }

// Find implements ports.AccountStore.
func (a Accounts) Find(ctx context.Context, identity domain.Identity) (*domain.User, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("find: %w", err)
	}
	a.Store.mu.Lock()
	defer a.Store.mu.Unlock()
	for _, key := range []string{"email " + identity.Email, "phone " + identity.Phone, "login " + identity.Login} {
		for i := range a.Store.accounts {
			if slices.Contains(keys(a.Store.accounts[i].Registration), key) {
				return a.Store.user(i), nil
			}
		}
	}
	return nil, ports.ErrNotFound
}

// Owners implements ports.AccountStore.
func (a Accounts) Owners(ctx context.Context, identities []domain.Identity) ([]int64, error) {
	ids := make([]int64, len(identities))
	for i, identity := range identities {
		user, err := a.Find(ctx, identity)
		switch {
		case err == nil:
			ids[i] = user.ID
		case !errors.Is(err, ports.ErrNotFound):
			return nil, err
		}
	}
	return ids, nil
}

// User implements ports.AccountStore.
func (a Accounts) User(ctx context.Context, id int64) (*domain.User, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	a.Store.mu.Lock()
	defer a.Store.mu.Unlock()
	if !a.Store.has(id) {
		return nil, ports.ErrNotFound
	}
	return a.Store.user(int(id - 1)), nil
}

// SetPassword implements ports.AccountStore.
func (a Accounts) SetPassword(ctx context.Context, id int64, oldHash string, password domain.StoredPassword) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	a.Store.mu.Lock()
	defer a.Store.mu.Unlock()
	if !a.Store.has(id) || a.Store.accounts[id-1].PasswordHash != oldHash {
		return ports.ErrChanged
	}
	stands, made := a.Store.standings[id], password.Made.UTC()
	stands.required = stands.required && a.Store.dates[id-1].made.Equal(made)
	a.Store.setStanding(id, stands)
	a.Store.accounts[id-1].PasswordHash, a.Store.dates[id-1].made = password.Hash, made
	delete(a.Store.usedBy, id)
	return nil
}

// SignedIn implements ports.AccountStore.
func (a Accounts) SignedIn(ctx context.Context, id int64, hash string, signIn domain.SignIn) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("record sign-in: %w", err)
	}
	a.Store.mu.Lock()
	defer a.Store.mu.Unlock()
	stands := a.Store.standings[id]
	if !a.Store.has(id) || a.Store.accounts[id-1].PasswordHash != hash || !stands.suspended.IsZero() {
		return ports.ErrChanged
	}
	latest := append([]domain.SignIn{signIn}, stands.signIns...)
	stands.signIns = latest[:min(len(latest), domain.KeptSignIns)]
	a.Store.setStanding(id, stands)
	return nil
}

// UsePassword implements ports.AccountStore.
func (a Accounts) UsePassword(ctx context.Context, id int64, hash string, browser []byte) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("use password: %w", err)
	}
	a.Store.mu.Lock()
	defer a.Store.mu.Unlock()
	switch usedBy, used := a.Store.usedBy[id]; {
	case !a.Store.has(id) || a.Store.accounts[id-1].PasswordHash != hash:
		return ports.ErrChanged
	case used && usedBy != string(browser):
		return domain.ErrPasswordUsed
	}
	if a.Store.usedBy == nil {
		a.Store.usedBy = map[int64]string{}
	}
	a.Store.usedBy[id] = string(browser)
	return nil
}

func (s *Imports) has(id int64) bool {
	return 1 <= id && id <= int64(len(s.accounts)) && !s.standings[id].deleted
}

// login returns the login of an account, empty for none.
func (s *Imports) login(id int64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.has(id) {
		return ""
	}
	return s.user(int(id - 1)).Login
}

func (s *Imports) user(i int) *domain.User {
	reg := s.accounts[i].Registration
	user := &domain.User{
		ID: int64(i + 1), Login: reg.Login.String(),
		FirstName: reg.Name.First.String(), LastName: reg.Name.Last.String(), Patronymic: reg.Name.Patronymic.String(),
		Email: reg.Email.String(), Phone: reg.Phone.String(), Group: reg.Group.String(), Registered: s.dates[i].registered, Import: s.dates[i].by, Self: s.dates[i].by == 0, Roles: append([]domain.Role(nil), s.roles[i]...),
		Password: domain.StoredPassword{Hash: s.accounts[i].PasswordHash, Made: s.dates[i].made},
	}
	user.Suspended, user.ChangeRequired = s.standings[user.ID].suspended, s.standings[user.ID].required
	if browser, used := s.usedBy[user.ID]; used {
		user.PasswordUsedBy = []byte(browser)
	}
	if date, given := reg.Birthday.Date(); given {
		user.Birthday = &date
	}
	return user
}
