package application

import (
	"context"
	"fmt"

	"rollcall/domain"
	"rollcall/ports"
)

// Owners implements ports.Directory.
func (d *Directory) Owners(ctx context.Context, names []ports.Names) ([]ports.Owners, error) {
	const each = 3
	region := d.cfg.Rules().Region
	identities := make([]domain.Identity, 0, each*len(names))
	for _, name := range names {
		email, _ := domain.NewEmail(name.Email)
		phone, _ := domain.NewPhone(name.Phone, region)
		identities = append(identities, domain.Identity{Login: domain.LoginKey(name.Login)}, domain.Identity{Email: email.Key()}, domain.Identity{Phone: phone.String()})
	}
	ids, err := d.cfg.Accounts.Owners(ctx, identities)
	if err != nil {
		return nil, fmt.Errorf("find owners: %w", err)
	}
	owners := make([]ports.Owners, len(names))
	for i := range owners {
		owners[i] = ports.Owners{Login: ids[each*i], Email: ids[each*i+1], Phone: ids[each*i+2]}
	}
	return owners, nil
}
