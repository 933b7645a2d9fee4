package application

import (
	"context"
	"fmt"
	"iter"
	"math"

	"rollcall/domain"
	"rollcall/ports"
)

// Page implements ports.Users.
func (d *Directory) Page(ctx context.Context, query ports.UserQuery) (*ports.UserPage, error) {
	found, err := d.cfg.Users.Page(ctx, query, d.searchTerms())
	if err != nil {
		return nil, fmt.Errorf("find users: %w", err)
	}
	page := &ports.UserPage{Next: found.Next, Unlisted: found.Unlisted}
	for _, user := range found.Users {
		page.Users = append(page.Users, new(d.foundPerson(user)))
	}
	return page, nil
}

// Count implements ports.Users.
func (d *Directory) Count(ctx context.Context, selection ports.UserSelection, limit int) (int, error) {
	count, err := d.cfg.Users.Count(ctx, selection, d.searchTerms(), limit)
	if err != nil {
		return 0, fmt.Errorf("count users: %w", err)
	}
	return count, nil
}

// CountAll implements ports.Users.
func (d *Directory) CountAll(ctx context.Context, selection ports.UserSelection) (int, error) {
	err := d.listAll(ctx)
	if err != nil {
		return 0, err
	}
	return d.Count(ctx, selection, math.MaxInt32)
}

// Read implements ports.Users. It includes users whom an import has just registered.
func (d *Directory) Read(
	ctx context.Context, selection ports.UserSelection, order domain.UserOrder, work func(iter.Seq2[*domain.Person, error]) error,
) error {
	err := d.listAll(ctx)
	if err != nil {
		return err
	}
	err = d.cfg.Users.Read(ctx, selection, order, d.searchTerms(), func(found iter.Seq2[ports.FoundUser, error]) error {
		return work(func(yield func(*domain.Person, error) bool) {
			var person domain.Person
			for user, err := range found {
				if err != nil {
					yield(nil, err)
					return
				}
				person = d.foundPerson(user)
				if !yield(&person, nil) {
					return
				}
			}
		})
	})
	if err != nil {
		return fmt.Errorf("read users: %w", err)
	}
	return nil
}

// listAll makes every registered user findable.
func (d *Directory) listAll(ctx context.Context) error {
	for unlisted := 1; unlisted > 0; {
		var err error
		unlisted, err = d.cfg.Users.List(ctx)
		if err != nil {
			return fmt.Errorf("list users: %w", err)
		}
	}
	return nil
}

func (d *Directory) searchTerms() ports.SearchTerms {
	return ports.SearchTerms{Expired: d.cfg.Now().Add(-d.cfg.TemporaryLifetime), Region: d.cfg.Rules().Region}
}

func (d *Directory) foundPerson(found ports.FoundUser) domain.Person {
	var signIns []domain.SignIn
	if !found.LastSignIn.IsZero() {
		signIns = []domain.SignIn{{Time: found.LastSignIn}}
	}
	return d.person(found.User, signIns)
}

// person returns a user with a status.
func (d *Directory) person(user *domain.User, signIns []domain.SignIn) domain.Person {
	if d.cfg.Hasher.IsTemporary(user.Password.Hash) {
		user.PasswordExpires = user.Password.Made.Add(d.cfg.TemporaryLifetime)
	}
	return domain.NewPerson(user, signIns, d.cfg.Now())
}
