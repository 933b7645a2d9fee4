// Package fake has a fake of each driven port. The contract suites prove that the fakes do what the ports promise.
package fake

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// An ImportRecord is the record of an import with its rejections.
type ImportRecord struct {
	ID          int64
	Status      int
	Description string
	Registered  int
	Rejected    int
	Unkept      int
	Token       string
	User        int64
	Rejections  []domain.Rejection
}

// Imports stores imports and accounts in memory. A transaction does not see others before they are committed.
type Imports struct {
	Now func() time.Time // nil for time.Now

	beats []ports.RunningImport

	mu        sync.Mutex
	exclusive sync.Mutex
	accounts  []domain.Account      // ids are indexes, from 1
	dates     []dates               // of the accounts
	roles     map[int][]domain.Role // by the index of the account
	standings map[int64]standing    // by the id of the account
	sessions  map[string]session    // by the key
	usedBy    map[int64]string      // browser of each used temporary password, by the id of the account
	records   []ImportRecord
	moments   map[int64]moment // of the imports, by id
	lastID    int64
	running   map[domain.ImportKey]bool
	answers   map[domain.ImportKey]keptAnswer
}

// keptAnswer is a stored answer with its outcomes.
type keptAnswer struct {
	ports.KeptAnswer

	outcomes []byte
	expires  time.Time
	users    []int64 // whom the answer of a bulk change names
}

// moment is the date of an import, and the day for which the statistics count it.
type moment struct {
	date time.Time
	day  domain.Date
}

// dates are those of an account and of its password, and where the account comes from.
type dates struct {
	registered, made time.Time
	by               int64 // id of the import; 0 for none
}

// Accounts returns the committed accounts, in order. A deleted one has no data.
func (s *Imports) Accounts() []domain.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.accounts)
}

// Recorded returns the committed imports, ordered by id.
func (s *Imports) Recorded() []ImportRecord {
	records := s.all()
	for i := range records {
		records[i].Rejections = kept(records[i].Rejections)
	}
	return records
}

// all returns the imports, including rejections that are only counted.
func (s *Imports) all() []ImportRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(slices.Values(s.records), func(a, b ImportRecord) int { return int(a.ID - b.ID) })
}

// kept returns the stored rejections, or nil.
func kept(rejections []domain.Rejection) []domain.Rejection {
	var all []domain.Rejection
	for _, rejection := range rejections {
		if !rejection.CountedOnly {
			all = append(all, rejection)
		}
	}
	return all
}

// SetDate changes the date of an import. The statistics count it as before.
func (s *Imports) SetDate(id int64, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moments[id] = moment{at.UTC().Truncate(time.Microsecond), s.moments[id].day}
}

// Do implements ports.ImportStore.
func (s *Imports) Do(ctx context.Context, mode ports.ImportMode, work func(context.Context, ports.ImportTx) error) (int64, error) {
	if !mode.Key.IsZero() {
		err := s.claim(mode.Key)
		if err != nil {
			return 0, err
		}
		defer s.release(mode.Key)
	}
	if mode.Exclusive && !mode.DryRun {
		s.exclusive.Lock()
		defer s.exclusive.Unlock()
	}
	for {
		if err := ctx.Err(); err != nil {
			return 0, fmt.Errorf("begin: %w", err)
		}
		tx := &importTx{store: s, mode: mode, before: s.Accounts(), record: ImportRecord{Token: mode.Sender.TokenName, User: mode.Sender.User}}
		if err := work(ctx, tx); err != nil {
			return 0, err
		}
		if s.commit(tx) {
			return tx.record.ID, nil
		}
	}
}

func (s *Imports) claim(key domain.ImportKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if answer, used := s.answers[key]; used && answer.expires.After(now(s.Now)) {
		return ports.ErrKeyUsed
	}
	if s.running[key] {
		return ports.ErrKeyRunning
	}
	if s.running == nil {
		s.running = map[domain.ImportKey]bool{}
	}
	s.running[key] = true
	return nil
}

func (s *Imports) release(key domain.ImportKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, key)
}

// Recall implements ports.ImportStore.
func (s *Imports) Recall(ctx context.Context, key domain.ImportKey, w io.Writer) (*ports.KeptAnswer, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("recall: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer, kept := s.answers[key]
	if !kept || !answer.expires.After(now(s.Now)) {
		return nil, ports.ErrNotFound
	}
	if _, err := w.Write(answer.outcomes); err != nil {
		return nil, fmt.Errorf("recall: %w", err)
	}
	return &answer.KeptAnswer, nil
}

// commit returns false if another transaction has committed a clash.
func (s *Imports) commit(tx *importTx) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !tx.mode.DryRun {
		if clash(s.accounts, tx.accounts) {
			return false
		}
	}
	tx.record.ID = s.keep(tx.record)
	if !tx.mode.DryRun {
		for _, account := range tx.accounts {
			s.add(account, tx.record.ID)
		}
	}
	if tx.answer != nil {
		tx.answer.Import = tx.record.ID
		s.keepAnswer(tx.mode.Key, tx.answer)
	}
	return true
}

func (s *Imports) keepAnswer(key domain.ImportKey, answer *keptAnswer) {
	if s.answers == nil {
		s.answers = map[domain.ImportKey]keptAnswer{}
	}
	s.answers[key] = *answer
}

// keep stores an import under a new id.
func (s *Imports) keep(record ImportRecord) int64 {
	s.lastID++
	record.ID = s.lastID
	s.records = append(s.records, record)
	if s.moments == nil {
		s.moments = map[int64]moment{}
	}
	at := now(s.Now)
	s.moments[record.ID] = moment{at.UTC().Truncate(time.Microsecond), domain.DateOf(at)}
	return record.ID
}

func (s *Imports) add(account domain.Account, by int64) {
	now := now(s.Now).UTC().Truncate(time.Microsecond)
	s.accounts = append(s.accounts, account)
	s.dates = append(s.dates, dates{registered: now, made: now, by: by})
}

func now(clock func() time.Time) time.Time {
	if clock == nil {
		return time.Now()
	}
	return clock()
}

// Reject implements ports.ImportStore.
func (s *Imports) Reject(ctx context.Context, rejected ports.RejectedImport) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("reject: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keep(ImportRecord{
		Status: rejected.Status, Description: rejected.Description, Token: rejected.Sender.TokenName, User: rejected.Sender.User,
	}), nil
}

type importTx struct {
	store    *Imports
	mode     ports.ImportMode
	before   []domain.Account // accounts at the beginning
	accounts []domain.Account
	record   ImportRecord
	answer   *keptAnswer
}

// others returns the accounts of others that the import sees.
func (tx *importTx) others() []domain.Account {
	if tx.mode.DryRun {
		return tx.before
	}
	return tx.store.Accounts()
}

// Taken implements ports.ImportTx.
func (tx *importTx) Taken(ctx context.Context, objects []domain.Record) (*domain.Taken, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("look up: %w", err)
	}
	wanted := make([]domain.Registration, len(objects))
	for i := range objects {
		wanted[i] = objects[i].Registration
	}
	return takenOf(wanted, slices.Concat(tx.others(), tx.accounts)), nil
}

// takenOf returns which of the registrations' keys belong to accounts.
func takenOf(registrations []domain.Registration, accounts []domain.Account) *domain.Taken {
	wanted := map[string]bool{}
	for _, registration := range registrations {
		for _, key := range keys(registration) {
			wanted[key] = true
		}
	}
	taken := domain.NewTaken()
	for _, account := range accounts {
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
	return taken
}

// Add implements ports.ImportTx.
func (tx *importTx) Add(ctx context.Context, accounts []domain.Account, rejections []domain.Rejection) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("add: %w", err)
	}
	if clash(slices.Concat(tx.others(), tx.accounts), accounts) {
		return ports.ErrTaken
	}
	tx.accounts = append(tx.accounts, accounts...)
	for _, rejection := range rejections {
		rejection.Original = bytes.Clone(rejection.Original)
		tx.record.Rejections = append(tx.record.Rejections, rejection)
		if rejection.CountedOnly {
			tx.record.Unkept++
		}
	}
	return nil
}

// Finish implements ports.ImportTx.
func (tx *importTx) Finish(_ context.Context, tally domain.Tally, answer *ports.Answer) error {
	tx.record.Status, tx.record.Description = tally.Status(), tally.Description()
	tx.record.Registered, tx.record.Rejected = tally.Registered, tally.Rejected
	if answer == nil {
		return nil
	}
	kept, err := newKeptAnswer(tally, answer)
	tx.answer = kept
	return err
}

func newKeptAnswer(tally domain.Tally, answer *ports.Answer) (*keptAnswer, error) {
	outcomes, err := io.ReadAll(answer.Outcomes)
	if err != nil {
		return nil, fmt.Errorf("keep answer: %w", err)
	}
	return &keptAnswer{
		KeptAnswer: ports.KeptAnswer{Tally: tally, Fingerprint: bytes.Clone(answer.Fingerprint), Salt: bytes.Clone(answer.Salt), Notes: answer.Notes},
		outcomes:   outcomes, expires: answer.Expires,
	}, nil
}

// keys returns the unique keys of an account.
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
