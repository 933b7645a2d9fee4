package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"rollcall/domain"
)

// Sessions describes the rows that the storage of sessions has in the table sessions.
type Sessions struct{ db *DB }

// NewSessions returns the store in db.
func NewSessions(db *DB) *Sessions { return &Sessions{db} }

// Describe implements ports.SessionStore.
func (s *Sessions) Describe(ctx context.Context, key string, session *domain.Session) error {
	_, err := s.db.pool.Exec(ctx, "update sessions set user_id = $2, password_date = $3, began = $4, used = $5, address = $6, browser = $7 where k = $1",
		key, session.User, session.PasswordMade, session.Began, session.Used, session.Address, session.Browser)
	if err != nil {
		return fmt.Errorf("describe session: %w", unavailable(err))
	}
	return nil
}

// Sessions implements ports.DirectoryStore.
func (d *Directory) Sessions(ctx context.Context, id int64) ([]domain.Session, error) {
	rows, err := d.db.pool.Query(ctx, `
		select s.password_date, s.began, s.used, s.address, s.browser
		from sessions s join users u on u.id = s.user_id and u.password_date = s.password_date
		where s.user_id = $1 and u.suspended_at is null and s.e > extract(epoch from now())
		order by s.used desc limit $2`, id, domain.ListedSessions)
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", unavailable(err))
	}
	sessions, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (domain.Session, error) {
		session := domain.Session{User: id}
		err := row.Scan(&session.PasswordMade, &session.Began, &session.Used, &session.Address, &session.Browser)
		session.PasswordMade, session.Began, session.Used = session.PasswordMade.UTC(), session.Began.UTC(), session.Used.UTC()
		return session, err
	})
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", unavailable(err))
	}
	return sessions, nil
}
