// Package fake has the one fake of each driven port. The contract suites prove that they keep what the ports promise.
package fake

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"rollcall/domain"
	"rollcall/ports"
)

// Record is a row of codes with its bad_users.
type Record struct {
	ID          int64
	Status      int
	Description string
	Rejections  []domain.Rejection
}

// Imports keeps imports in memory. Transactions do not see one another until they are committed.
type Imports struct {
	mu        sync.Mutex
	exclusive sync.Mutex
	accounts  []domain.Account
	records   []Record
	lastID    int64
}

// Accounts returns what is committed, in the order in which it came in.
func (s *Imports) Accounts() []domain.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.accounts)
}

// Records returns what is committed, by id.
func (s *Imports) Records() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(slices.Values(s.records), func(a, b Record) int { return int(a.ID - b.ID) })
}

// Do implements ports.Imports.
func (s *Imports) Do(ctx context.Context, exclusive bool, work func(context.Context, ports.ImportTx) error) (int64, error) {
	if exclusive {
		s.exclusive.Lock()
		defer s.exclusive.Unlock()
	}
	for {
		if err := ctx.Err(); err != nil {
			return 0, fmt.Errorf("begin: %w", err)
		}
		tx := &importTx{store: s}
		if err := work(ctx, tx); err != nil {
			return 0, err
		}
		if s.commit(tx) {
			return tx.record.ID, nil
		}
	}
}

// commit returns false when another transaction has committed a clash.
func (s *Imports) commit(tx *importTx) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if clash(s.accounts, tx.accounts) {
		return false
	}
	s.lastID++
	tx.record.ID = s.lastID
	s.accounts = append(s.accounts, tx.accounts...)
	s.records = append(s.records, tx.record)
	return true
}

// Refuse implements ports.Imports.
func (s *Imports) Refuse(ctx context.Context, status int, description string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("refuse: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	s.records = append(s.records, Record{ID: s.lastID, Status: status, Description: description})
	return nil
}

type importTx struct {
	store    *Imports
	accounts []domain.Account
	record   Record
}

// Taken implements ports.ImportTx.
func (tx *importTx) Taken(ctx context.Context, objects []domain.Object) (*domain.Taken, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("look up: %w", err)
	}
	wanted := map[string]bool{}
	for _, o := range objects {
		for _, key := range keys(o.Registration) {
			wanted[key] = true
		}
	}
	taken := domain.NewTaken()
	for _, account := range slices.Concat(tx.store.Accounts(), tx.accounts) {
		reg := account.Registration
		if wanted["login "+reg.Login.Key()] {
			taken.AddLogin(reg.Login.Key())
		}
		if wanted["email "+reg.Email.Key()] {
			taken.AddEmail(reg.Email.Key())
		}
		if wanted["phone "+reg.Phone.String()] {
			taken.AddPhone(reg.Phone.String())
		}
	}
	return taken, nil
}

// Add implements ports.ImportTx.
func (tx *importTx) Add(ctx context.Context, accounts []domain.Account, rejections []domain.Rejection) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("add: %w", err)
	}
	if clash(slices.Concat(tx.store.Accounts(), tx.accounts), accounts) {
		return ports.ErrTaken
	}
	tx.accounts = append(tx.accounts, accounts...)
	tx.record.Rejections = append(tx.record.Rejections, rejections...)
	return nil
}

// Finish implements ports.ImportTx.
func (tx *importTx) Finish(_ context.Context, tally domain.Tally) error {
	tx.record.Status, tx.record.Description = tally.Status(), tally.Description()
	return nil
}

// keys are what an account owns alone.
func keys(reg domain.Registration) []string {
	all := []string{"login " + reg.Login.Key(), "email " + reg.Email.Key(), "phone " + reg.Phone.String()}
	return slices.DeleteFunc(all, func(key string) bool { return key[len("login "):] == "" })
}

func clash(old, added []domain.Account) bool {
	owned := map[string]bool{}
	for _, account := range old {
		for _, key := range keys(account.Registration) {
			owned[key] = true
		}
	}
	for _, account := range added {
		for _, key := range keys(account.Registration) {
			if owned[key] {
				return true
			}
			owned[key] = true
		}
	}
	return false
}
