package fake

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"rollcall/domain"
	"rollcall/ports"
)

// bulkBatch is the number of users whom Next returns. It is small, so that few users need several batches.
const bulkBatch = 3

// ChangeMany implements ports.DirectoryStore. Nothing else happens to accounts meanwhile.
func (d Directory) ChangeMany(ctx context.Context, mode ports.BulkMode, work func(context.Context, ports.BulkTx) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	s := d.Store
	err := s.claim(mode.Key)
	if err != nil {
		return err
	}
	defer s.release(mode.Key)
	s.mu.Lock()
	defer s.mu.Unlock()
	restore := s.snapshot()
	tx := &bulkTx{store: s, mode: mode, ids: slices.Compact(slices.Sorted(slices.Values(mode.Selection.IDs)))}
	if mode.Selection.IDs == nil {
		for _, found := range s.find(mode.Selection, domain.UsersByRegistered, mode.Terms) {
			tx.ids = append(tx.ids, found.User.ID)
		}
		slices.Sort(tx.ids)
	}
	err = work(ctx, tx)
	if err != nil {
		restore()
	}
	return err
}

// snapshot returns a function that undoes all later changes of accounts.
func (s *Imports) snapshot() func() {
	accounts, dates, usedBy := slices.Clone(s.accounts), slices.Clone(s.dates), maps.Clone(s.usedBy)
	roles, standings, answers := maps.Clone(s.roles), maps.Clone(s.standings), maps.Clone(s.answers)
	records := slices.Clone(s.records)
	for i := range records {
		records[i].Rejections = slices.Clone(records[i].Rejections)
	}
	return func() {
		s.accounts, s.dates, s.usedBy, s.roles, s.standings, s.answers, s.records = accounts, dates, usedBy, roles, standings, answers, records
	}
}

type bulkTx struct {
	store *Imports
	mode  ports.BulkMode
	ids   []int64 // selected

	next, batch int // places in ids of the batch that follows, and of the one that Next has returned
	deletes     bool
}

// Selected implements ports.BulkTx.
func (tx *bulkTx) Selected() int { return len(tx.ids) }

// Next implements ports.BulkTx.
func (tx *bulkTx) Next(ctx context.Context) (users []ports.SelectedUser, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	tx.batch, tx.next = tx.next, min(len(tx.ids), tx.next+bulkBatch)
	for _, id := range tx.ids[tx.batch:tx.next] {
		var selected ports.SelectedUser
		if tx.store.has(id) {
			selected.User = tx.store.user(int(id - 1))
		}
		users = append(users, selected)
	}
	return users, nil
}

// Change implements ports.BulkTx.
func (tx *bulkTx) Change(ctx context.Context, changes []ports.AccountChange) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("change: %w", err)
	}
	for i := range changes {
		tx.deletes = tx.deletes || changes[i].Deleted
		if id := tx.ids[tx.batch+i]; tx.store.has(id) {
			tx.store.change(id, &changes[i])
		}
	}
	return nil
}

// Finish implements ports.BulkTx.
func (tx *bulkTx) Finish(_ context.Context, tally domain.Tally, answer *ports.Answer, _ domain.AuditEntry) error {
	kept, err := newKeptAnswer(tally, answer)
	if err != nil {
		return err
	}
	if !tx.deletes {
		kept.users = tx.ids
	}
	tx.store.keepAnswer(tx.mode.Key, kept)
	return nil
}
