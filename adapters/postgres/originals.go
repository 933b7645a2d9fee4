package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// eraseRows is the most originals that one transaction erases.
const eraseRows = 5000

// EraseOriginals erases the originals of records that were rejected before a time.
func (r *Reports) EraseOriginals(ctx context.Context, before time.Time) error {
	for {
		var id int64
		err := r.db.pool.QueryRow(ctx, "select id from codes where originals and date < $1 order by id limit 1", before).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err == nil {
			err = r.eraseOriginals(ctx, id)
		}
		if err != nil {
			return fmt.Errorf("erase originals: %w", unavailable(err))
		}
	}
}

func (r *Reports) eraseOriginals(ctx context.Context, id int64) error {
	for last := new(int64); last != nil; {
		err := r.db.pool.QueryRow(ctx, `
			with part as (
				select id, object_id from bad_users
				where code_id = $1 and object_id > $2 and original is not null order by object_id limit $3),
			erased as (update bad_users set original = null from part where bad_users.id = part.id)
			select max(object_id) from part`, id, *last, eraseRows).Scan(&last)
		if err != nil {
			return err
		}
	}
	_, err := r.db.pool.Exec(ctx, "update codes set originals = false where id = $1", id)
	return err
}
