package fake

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"rollcall/domain"
	"rollcall/ports"
)

// Roles stores the roles of the users of Store.
type Roles struct{ Store *Imports }

// Grant implements ports.RoleStore.
func (r Roles) Grant(ctx context.Context, login domain.Login, role domain.Role) error {
	return r.change(ctx, login, func(roles []domain.Role) ([]domain.Role, error) {
		if slices.Contains(roles, role) {
			return roles, nil
		}
		return slices.Sorted(slices.Values(append(roles, role))), nil
	})
}

// Revoke implements ports.RoleStore.
func (r Roles) Revoke(ctx context.Context, login domain.Login, role domain.Role) error {
	return r.change(ctx, login, func(roles []domain.Role) ([]domain.Role, error) {
		if role == domain.RoleOperator && slices.Contains(roles, role) && r.Store.isLastOperator(login) {
			return roles, domain.ErrLastOperator
		}
		return slices.DeleteFunc(roles, func(other domain.Role) bool { return other == role }), nil
	})
}

// operators returns the indexes of the operators who can sign in.
func (s *Imports) operators() (all []int) {
	for i, roles := range s.roles {
		if slices.Contains(roles, domain.RoleOperator) && s.standings[int64(i+1)].suspended.IsZero() {
			all = append(all, i)
		}
	}
	return all
}

func (s *Imports) isLastOperator(login domain.Login) bool {
	all := s.operators()
	return len(all) == 1 && s.accounts[all[0]].Registration.Login.Key() == login.Key()
}

func (r Roles) change(ctx context.Context, login domain.Login, change func([]domain.Role) ([]domain.Role, error)) (err error) {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("change role: %w", err)
	}
	r.Store.mu.Lock()
	defer r.Store.mu.Unlock()
	for i := range r.Store.accounts {
		if r.Store.accounts[i].Registration.Login.Key() != login.Key() || !r.Store.has(int64(i+1)) {
			continue
		}
		if r.Store.roles == nil {
			r.Store.roles = map[int][]domain.Role{}
		}
		r.Store.roles[i], err = change(slices.Clone(r.Store.roles[i]))
		return err
	}
	return ports.ErrNotFound
}

// List implements ports.RoleStore.
func (r Roles) List(ctx context.Context, role domain.Role) iter.Seq2[ports.UserRoles, error] {
	return func(yield func(ports.UserRoles, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(ports.UserRoles{}, fmt.Errorf("list users: %w", err))
			return
		}
		for _, user := range r.users() {
			if (role == "" || user.Has(role)) && !yield(ports.UserRoles{Login: user.Login, Roles: user.Roles}, nil) {
				return
			}
		}
	}
}

func (r Roles) users() []*domain.User {
	r.Store.mu.Lock()
	defer r.Store.mu.Unlock()
	var users []*domain.User
	for i := range r.Store.accounts {
		if r.Store.has(int64(i + 1)) {
			users = append(users, r.Store.user(i))
		}
	}
	return slices.SortedFunc(slices.Values(users), func(a, b *domain.User) int {
		return cmp.Compare(domain.LoginKey(a.Login), domain.LoginKey(b.Login))
	})
}
