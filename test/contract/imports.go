// Package contract has a suite for each driven port, which proves what the comments of the port promise. The fake and the adapter both run
// it.
package contract

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
)

// An ImportsSubject is an empty store, with access to its committed contents.
type ImportsSubject struct {
	Store    ports.ImportStore
	Accounts func() []domain.Account    // ordered by id
	Recorded func() []fake.ImportRecord // ordered by id
}

// Imports proves a ports.ImportStore.
func Imports(t *testing.T, subject func(*testing.T) ImportsSubject) {
	for _, c := range []struct {
		name string
		test func(*testing.T, ImportsSubject)
	}{
		{"StoresAWholeImport", storesWholeImport},
		{"StoresNothingOfFailedWork", storesNothingOfFailedWork},
		{"StartsAgainAfterFailedWork", startsAgainAfterFailedWork},
		{"FindsTakenKeys", findsTakenKeys},
		{"UndoesAClashingBatch", undoesClashingBatch},
		{"UndoesAClashingFirstBatch", undoesClashingFirstBatch},
		{"RegistersAKeyOnce", registersKeyOnce},
		{"RegistersAKeyOnceInExclusiveImports", registersKeyOnceInExclusiveImports},
		{"EndsImportsThatWaitForOneAnother", endsImportsThatWaitForOneAnother},
		{"CopiesTheCallersMemory", copiesMemory},
		{"StopsWithItsContext", importsStopWithContext},
		{"RecordsRejectedImports", recordsRejectedImports},
		{"RecordsSenders", recordsSenders},
		{"CountsRejectionsThatAreNotStored", countsUnkeptRejections},
		{"StoresTextsUnchanged", storesTextsUnchanged},
		{"RunsDryRuns", runsDryRuns},
		{"RunsADryRunAtOneMoment", runsDryRunAtOneMoment},
		{"StoresAnAnswerUnderItsKey", storesAnswer},
		{"StoresNoAnswerOfFailedWork", storesNoAnswerOfFailedWork},
		{"ForgetsAnExpiredAnswer", forgetsExpiredAnswer},
		{"StoresOneAnswerPerKey", storesOneAnswerPerKey},
		{"SeparatesTheKeysOfOwners", separatesKeysOfOwners},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, subject(t)) })
	}
}

// Record returns a valid record with a login, an email and a phone made from a number.
func Record(t testing.TB, number int) domain.Record {
	t.Helper()
	return record(t, number, fmt.Sprintf("user%d", number), fmt.Sprintf("user%d@example.com", number), fmt.Sprintf("9%09d", number))
}

func record(t testing.TB, number int, login, email, phone string) domain.Record {
	t.Helper()
	text := func(s string) domain.Given {
		if s == "" {
			return domain.Given{}
		}
		return domain.Given{Text: s, Kind: domain.KindText}
	}
	checked := domain.Rules{Region: "RU", Today: 20_000}.Check(&domain.Candidate{
		Number: number,
		Given: [domain.NumPersonFields]domain.Given{
			domain.PersonFirstName: text("Анна"), domain.PersonLastName: text("Ким"), domain.PersonPatronymic: text("Петровна"),
			domain.PersonLogin: text(login), domain.PersonEmail: text(email), domain.PersonPhone: text(phone),
			domain.PersonBirthday: text("29.02.2000"), domain.PersonGroup: text("7 «Б»"),
		},
	})
	require.Empty(t, checked.Violations)
	return checked
}

func account(record domain.Record) domain.Account {
	return domain.Account{Registration: record.Registration, PasswordHash: "hash of " + record.Registration.Login.String()}
}

// register imports records in one batch, as the use case does, and returns the number of registered ones.
func register(ctx context.Context, store ports.ImportStore, exclusive bool, records ...domain.Record) (created int, err error) {
	mode := ports.ImportMode{Exclusive: exclusive}
	if !exclusive {
		mode.Records = records
	}
	_, err = store.Do(ctx, mode, func(ctx context.Context, tx ports.ImportTx) error {
		err := ports.ErrTaken
		for errors.Is(err, ports.ErrTaken) {
			var taken *domain.Taken
			taken, err = tx.Taken(ctx, records)
			if err != nil {
				return err
			}
			var accounts []domain.Account
			var rejections []domain.Rejection
			for i := range records {
				if violations := taken.Admit(&records[i]); violations != nil {
					rejections = append(rejections, domain.Rejection{Record: records[i].Number, Violations: violations, Description: "taken"})
					continue
				}
				accounts = append(accounts, account(records[i]))
			}
			created = len(accounts)
			err = tx.Add(ctx, accounts, rejections)
		}
		if err != nil {
			return err
		}
		return tx.Finish(ctx, domain.Tally{Records: len(records), Registered: created, Rejected: len(records) - created}, nil)
	})
	return created, err
}

func storesWholeImport(t *testing.T, s ImportsSubject) {
	ctx := t.Context()
	accounts := []domain.Account{account(Record(t, 1)), account(record(t, 2, "Ваня", "", "+49 30 901820")), account(record(t, 3, "o", "O@example.com", ""))}
	rejection := domain.Rejection{
		Place: domain.Place{Sheet: "5А", Line: 17}, Record: 4, Login: "x", Description: "Two reasons.", Original: []byte(`["x"]`),
		Violations: domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeTooLong, Limit: 50}, {Code: domain.CodeNotObject}},
	}
	unnamed := domain.Rejection{Place: domain.Place{Line: 1 << 40}, Record: 5, Description: "No login.", Violations: domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeRequired}}}
	id, err := s.Store.Do(ctx, ports.ImportMode{Exclusive: true}, func(ctx context.Context, tx ports.ImportTx) error {
		records := []domain.Record{Record(t, 1), record(t, 2, "Ваня", "", "+49 30 901820"), record(t, 3, "o", "O@example.com", "")}
		_, err := tx.Taken(ctx, records)
		require.NoError(t, err)
		require.NoError(t, tx.Add(ctx, accounts[:2], []domain.Rejection{rejection}))
		_, err = tx.Taken(ctx, records[2:])
		require.NoError(t, err)
		require.NoError(t, tx.Add(ctx, accounts[2:], []domain.Rejection{unnamed}))
		return tx.Finish(ctx, domain.Tally{Records: 5, Registered: 3, Rejected: 2}, nil)
	})
	require.NoError(t, err)
	require.Equal(t, accounts, s.Accounts())
	require.Equal(t, []fake.ImportRecord{{
		ID: id, Status: 200, Description: "Not all users have been created (created by 3 of 5 users)",
		Registered: 3, Rejected: 2, Rejections: []domain.Rejection{rejection, unnamed},
	}}, s.Recorded())
}

func storesNothingOfFailedWork(t *testing.T, s ImportsSubject) {
	failure := errors.New("failure")
	for _, exclusive := range []bool{false, true} {
		_, err := s.Store.Do(t.Context(), ports.ImportMode{Exclusive: exclusive}, func(ctx context.Context, tx ports.ImportTx) error {
			_, err := tx.Taken(ctx, []domain.Record{Record(t, 1)})
			require.NoError(t, err)
			require.NoError(t, tx.Add(ctx, []domain.Account{account(Record(t, 1))}, []domain.Rejection{{Record: 2, Description: "x"}}))
			return failure
		})
		require.ErrorIs(t, err, failure)
		_, err = s.Store.Do(t.Context(), ports.ImportMode{Exclusive: exclusive}, func(context.Context, ports.ImportTx) error { return failure })
		require.ErrorIs(t, err, failure)
	}
	require.Empty(t, s.Accounts())
	require.Empty(t, s.Recorded())
}

func startsAgainAfterFailedWork(t *testing.T, s ImportsSubject) {
	storesNothingOfFailedWork(t, s)
	created, err := register(t.Context(), s.Store, true, Record(t, 1))
	require.NoError(t, err)
	require.Equal(t, 1, created)
}

func findsTakenKeys(t *testing.T, s ImportsSubject) {
	_, err := register(t.Context(), s.Store, false, record(t, 1, "Ivan", "I@example.com", "9123456789"))
	require.NoError(t, err)
	_, err = s.Store.Do(t.Context(), ports.ImportMode{}, func(ctx context.Context, tx ports.ImportTx) error {
		_, err := tx.Taken(ctx, []domain.Record{Record(t, 1)})
		require.NoError(t, err)
		require.NoError(t, tx.Add(ctx, []domain.Account{account(Record(t, 1))}, nil))

		for _, c := range []struct {
			name   string
			record domain.Record
			want   domain.Violations
		}{
			{"Login", record(t, 2, "iVAN", "other@example.com", ""), domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeTaken}}},
			{"Email", record(t, 3, "other", "i@EXAMPLE.com", ""), domain.Violations{{Field: domain.FieldEmail, Code: domain.CodeTaken}}},
			{"Phone", record(t, 4, "other", "", "89123456789"), domain.Violations{{Field: domain.FieldPhone, Code: domain.CodeTaken}}},
			{"LoginOfAnEarlierBatch", record(t, 5, "USER1", "", "9000000009"), domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeTaken}}},
			{"FreeKeys", record(t, 6, "other", "other@example.com", "9000000009"), nil},
		} {
			t.Run(c.name, func(t *testing.T) {
				c.record.Violations = domain.Violations{{Field: domain.FieldBirthday, Code: domain.CodeInvalid}} // otherwise Taken may leave it to Add
				taken, err := tx.Taken(ctx, []domain.Record{c.record})
				require.NoError(t, err)
				require.Equal(t, append(c.want, c.record.Violations...), taken.Admit(&c.record))
			})
		}
		return tx.Finish(ctx, domain.Tally{Records: 1, Registered: 1}, nil)
	})
	require.NoError(t, err)
}

func undoesClashingBatch(t *testing.T, s ImportsSubject) {
	ctx := t.Context()
	records := []domain.Record{Record(t, 2), Record(t, 3)}
	asked := 0
	_, err := s.Store.Do(ctx, ports.ImportMode{Exclusive: true}, func(ctx context.Context, tx ports.ImportTx) error {
		_, err := tx.Taken(ctx, []domain.Record{Record(t, 1)})
		require.NoError(t, err)
		require.NoError(t, tx.Add(ctx, []domain.Account{account(Record(t, 1))}, nil))

		taken, err := tx.Taken(ctx, records)
		require.NoError(t, err)
		asked++
		require.Nil(t, taken.Admit(&records[0]))
		created, err := register(ctx, s.Store, false, records[1]) // a concurrent import
		require.NoError(t, err)
		require.Equal(t, 1, created)
		err = tx.Add(ctx, []domain.Account{account(records[0]), account(records[1])}, nil)
		require.ErrorIs(t, err, ports.ErrTaken)

		taken, err = tx.Taken(ctx, records)
		require.NoError(t, err)
		require.Nil(t, taken.Admit(&records[0]), "nothing of the batch is stored")
		require.NotNil(t, taken.Admit(&records[1]), "the key that the other import took is found")
		require.NoError(t, tx.Add(ctx, []domain.Account{account(records[0])}, nil))
		return tx.Finish(ctx, domain.Tally{Records: 3, Registered: 2, Rejected: 1}, nil)
	})
	require.NoError(t, err)
	require.ElementsMatch(t, []domain.Account{account(Record(t, 1)), account(Record(t, 2)), account(Record(t, 3))}, s.Accounts())
}

func undoesClashingFirstBatch(t *testing.T, s ImportsSubject) {
	records := []domain.Record{Record(t, 1)}
	_, err := s.Store.Do(t.Context(), ports.ImportMode{Exclusive: true}, func(ctx context.Context, tx ports.ImportTx) error {
		_, err := tx.Taken(ctx, records)
		require.NoError(t, err)
		_, err = register(ctx, s.Store, false, records[0]) // a concurrent import
		require.NoError(t, err)
		require.ErrorIs(t, tx.Add(ctx, []domain.Account{account(records[0])}, nil), ports.ErrTaken)
		_, err = tx.Taken(ctx, records)
		require.NoError(t, err)
		require.NoError(t, tx.Add(ctx, nil, []domain.Rejection{{Record: 1, Description: "taken"}}))
		return tx.Finish(ctx, domain.Tally{Records: 1, Rejected: 1}, nil)
	})
	require.NoError(t, err)
	require.Len(t, s.Accounts(), 1)
	require.Len(t, s.Recorded(), 2)
}

func registersKeyOnce(t *testing.T, s ImportsSubject) { registerConcurrently(t, s, false) }

func registersKeyOnceInExclusiveImports(t *testing.T, s ImportsSubject) {
	registerConcurrently(t, s, true)
}

func registerConcurrently(t *testing.T, s ImportsSubject, exclusive bool) {
	const many = 20
	var created atomic.Int64
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			n, err := register(t.Context(), s.Store, exclusive, record(t, 1, fmt.Sprintf("user%d", i), "", "9123456789"))
			created.Add(int64(n))
			require.NoError(t, err)
		})
	}
	all.Wait()
	require.EqualValues(t, 1, created.Load())
	require.Len(t, s.Accounts(), 1)
	require.Len(t, s.Recorded(), many)
}

// endsImportsThatWaitForOneAnother runs imports that need the same keys in opposite order.
func endsImportsThatWaitForOneAnother(t *testing.T, s ImportsSubject) {
	const pairs = 4
	var all sync.WaitGroup
	var created atomic.Int64
	for range pairs {
		for _, records := range [][]domain.Record{{Record(t, 1), Record(t, 2)}, {Record(t, 2), Record(t, 1)}} {
			all.Go(func() {
				n, err := register(t.Context(), s.Store, false, records...)
				created.Add(int64(n))
				require.NoError(t, err)
			})
		}
	}
	all.Wait()
	require.EqualValues(t, 2, created.Load())
	require.Len(t, s.Recorded(), 2*pairs)
}

func copiesMemory(t *testing.T, s ImportsSubject) {
	accounts := []domain.Account{account(Record(t, 1))}
	original := []byte(`{"login":"x"}`)
	rejections := []domain.Rejection{{Record: 2, Login: "x", Description: "x", Original: original}}
	mode := ports.ImportMode{Records: []domain.Record{Record(t, 1)}}
	_, err := s.Store.Do(t.Context(), mode, func(ctx context.Context, tx ports.ImportTx) error {
		_, err := tx.Taken(ctx, mode.Records)
		require.NoError(t, err)
		require.NoError(t, tx.Add(ctx, accounts, rejections))
		accounts[0], rejections[0] = account(Record(t, 9)), domain.Rejection{Record: 9}
		copy(original, `["login","y"]`)
		return tx.Finish(ctx, domain.Tally{Records: 2, Registered: 1, Rejected: 1}, nil)
	})
	require.NoError(t, err)
	require.Equal(t, []domain.Account{account(Record(t, 1))}, s.Accounts())
	kept := s.Recorded()[0].Rejections[0]
	require.Equal(t, 2, kept.Record)
	require.JSONEq(t, `{"login":"x"}`, string(kept.Original))
}

func importsStopWithContext(t *testing.T, s ImportsSubject) {
	ctx, cancel := context.WithCancel(t.Context())
	mode := ports.ImportMode{Records: []domain.Record{Record(t, 1)}}
	_, err := s.Store.Do(ctx, mode, func(ctx context.Context, tx ports.ImportTx) error {
		_, err := tx.Taken(ctx, mode.Records)
		require.NoError(t, err)
		cancel()
		return tx.Add(ctx, []domain.Account{account(Record(t, 1))}, nil)
	})
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Store.Reject(ctx, ports.RejectedImport{Status: 413, Description: "x", Sender: domain.Sender{}})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, s.Accounts())
	require.Empty(t, s.Recorded())
}

func recordsRejectedImports(t *testing.T, s ImportsSubject) {
	first, err := s.Store.Reject(t.Context(), ports.RejectedImport{Status: 413, Description: domain.DescriptionBroken, Sender: domain.Sender{Token: 7, TokenName: "crm"}})
	require.NoError(t, err)
	second, err := s.Store.Reject(t.Context(), ports.RejectedImport{Status: 415, Description: domain.DescriptionBroken, Sender: domain.Sender{User: 7}})
	require.NoError(t, err)
	require.Equal(t, []fake.ImportRecord{
		{ID: first, Status: 413, Description: domain.DescriptionBroken, Token: "crm"},
		{ID: second, Status: 415, Description: domain.DescriptionBroken, User: 7},
	}, s.Recorded())
}

// recordsSenders runs imports of several senders concurrently.
func recordsSenders(t *testing.T, s ImportsSubject) {
	var all sync.WaitGroup
	var mu sync.Mutex
	senders := []domain.Sender{{Token: 1, TokenName: "crm"}, {}, {Token: 2, TokenName: "школа"}, {User: 3}}
	want := map[int64]domain.Sender{}
	for n := range 20 {
		sender := senders[n%len(senders)]
		mode := ports.ImportMode{Exclusive: n%5 == 0, Sender: sender}
		all.Go(func() {
			id, err := s.Store.Do(t.Context(), mode, func(ctx context.Context, tx ports.ImportTx) error {
				_, err := tx.Taken(ctx, nil)
				if err != nil {
					return err
				}
				return tx.Finish(ctx, domain.Tally{}, nil)
			})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			want[id] = domain.Sender{TokenName: sender.TokenName, User: sender.User}
		})
	}
	all.Wait()
	got := map[int64]domain.Sender{}
	for _, it := range s.Recorded() {
		got[it.ID] = domain.Sender{TokenName: it.Token, User: it.User}
	}
	require.Equal(t, want, got)
}

func storesTextsUnchanged(t *testing.T, s ImportsSubject) {
	for _, name := range []string{`"quoted" \N \. back\slash`, "名字 🙂", "é", "a\u200db"} {
		t.Run(name, func(t *testing.T) {
			first, violations := domain.NewFirstName(name)
			require.Nil(t, violations)
			person := record(t, 1, fmt.Sprintf("user%d", len(s.Accounts())), fmt.Sprintf("u%d@example.com", len(s.Accounts())), "")
			person.Registration.Name.First = first
			_, err := register(t.Context(), s.Store, false, person)
			require.NoError(t, err)
			accounts := s.Accounts()
			require.Equal(t, first.String(), accounts[len(accounts)-1].Registration.Name.First.String())
		})
	}
}

// A rejection that is only counted leaves no row, in every mode of imports.
func countsUnkeptRejections(t *testing.T, s ImportsSubject) {
	kept := domain.Rejection{Record: 2, Description: "No.", Violations: domain.Violations{{Code: domain.CodeNotObject}}}
	counted := domain.Rejection{Record: 3, CountedOnly: true, Violations: kept.Violations}
	for i, mode := range []ports.ImportMode{{Records: []domain.Record{Record(t, 1)}}, {}, {Exclusive: true}, {DryRun: true}} {
		_, err := s.Store.Do(t.Context(), mode, func(ctx context.Context, tx ports.ImportTx) error {
			_, err := tx.Taken(ctx, []domain.Record{Record(t, 1+i)})
			require.NoError(t, err)
			require.NoError(t, tx.Add(ctx, []domain.Account{account(Record(t, 1+i))}, []domain.Rejection{kept, counted}))
			_, err = tx.Taken(ctx, nil)
			require.NoError(t, err)
			require.NoError(t, tx.Add(ctx, nil, []domain.Rejection{counted}))
			return tx.Finish(ctx, domain.Tally{Records: 4, Rejected: 3}, nil)
		})
		require.NoError(t, err)
		recorded := s.Recorded()[i]
		require.Equal(t, 2, recorded.Unkept)
		require.Equal(t, 3, recorded.Rejected)
		require.Equal(t, []domain.Rejection{kept}, recorded.Rejections)
	}
}

// A dry run sees its own accounts and those of others, and stores none.
func runsDryRuns(t *testing.T, s ImportsSubject) {
	for _, exclusive := range []bool{false, true} {
		_, err := register(t.Context(), s.Store, exclusive, Record(t, 1))
		require.NoError(t, err)
		accounts, recorded := s.Accounts(), s.Recorded()
		rejection := domain.Rejection{Record: 2, Login: "x", Description: "x", Violations: domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeTaken}}}
		dryRun := func(end error) (int64, error) {
			mode := ports.ImportMode{Exclusive: exclusive, DryRun: true}
			return s.Store.Do(t.Context(), mode, func(ctx context.Context, tx ports.ImportTx) error {
				first, second := Record(t, 2), record(t, 3, "USER2", "user2@example.com", "9000000003")
				for _, step := range []struct {
					record     domain.Record
					violations int
				}{{Record(t, 1), 3}, {first, 0}, {second, 2}} {
					taken, err := tx.Taken(ctx, []domain.Record{step.record})
					require.NoError(t, err)
					require.Len(t, taken.Admit(&step.record), step.violations)
					if step.violations == 0 {
						require.NoError(t, tx.Add(ctx, []domain.Account{account(step.record)}, []domain.Rejection{rejection}))
					}
				}
				require.NoError(t, tx.Finish(ctx, domain.Tally{Records: 3, Rejected: 1}, nil))
				return end
			})
		}
		failure := errors.New("failure")
		_, err = dryRun(failure)
		require.ErrorIs(t, err, failure)
		require.Equal(t, recorded, s.Recorded())
		id, err := dryRun(nil)
		require.NoError(t, err)
		require.Equal(t, accounts, s.Accounts())
		require.Equal(t, fake.ImportRecord{
			ID: id, Status: 400, Description: domain.DescriptionNoneCreated, Rejected: 1, Rejections: []domain.Rejection{rejection},
		}, s.Recorded()[len(recorded)])
	}
}

// A dry run gives the result of one moment, whatever other imports do between its batches.
func runsDryRunAtOneMoment(t *testing.T, s ImportsSubject) {
	id, err := s.Store.Do(t.Context(), ports.ImportMode{DryRun: true}, func(ctx context.Context, tx ports.ImportTx) error {
		for _, it := range []domain.Record{Record(t, 1), Record(t, 2)} {
			taken, err := tx.Taken(ctx, []domain.Record{it})
			require.NoError(t, err)
			require.Empty(t, taken.Admit(&it))
			created, err := register(ctx, s.Store, false, Record(t, 1), Record(t, 2))
			require.NoError(t, err)
			require.Equal(t, 2-2*(it.Number-1), created)
		}
		return tx.Finish(ctx, domain.Tally{Records: 2}, nil)
	})
	require.NoError(t, err)
	require.Len(t, s.Accounts(), 2)
	require.Contains(t, s.Recorded(), fake.ImportRecord{ID: id, Status: 400, Description: domain.DescriptionNoneCreated})
}

// importWithValue runs an import of an anonymous sender with a key.
func importWithValue(ctx context.Context, store ports.ImportStore, value, outcomes string, expires time.Time, end error) (int64, error) {
	return importWithKey(ctx, store, domain.ImportKey{Value: value}, outcomes, expires, func() error { return end })
}

// notes returns notes of every kind.
func notes() ports.FileNotes {
	return ports.FileNotes{
		PassedOver: []string{`"Список" \u0000`}, Ignored: []ports.IgnoredColumn{{Header: "Класс", Like: domain.FieldLogin, Instead: "x"}, {}},
		Sheets: []ports.SheetNote{{Name: "5А", Rows: 1_000_000, Read: true}, {Name: "5Б"}}, HiddenRows: 2, AmbiguousDates: 3,
	}
}

// importWithKey runs an import with a key. At its end it calls end, and returns the error of end.
func importWithKey(ctx context.Context, store ports.ImportStore, key domain.ImportKey, outcomes string, expires time.Time, end func() error) (int64, error) {
	return store.Do(ctx, ports.ImportMode{Key: key}, func(ctx context.Context, tx ports.ImportTx) error {
		_, err := tx.Taken(ctx, nil)
		if err != nil {
			return err
		}
		err = tx.Finish(ctx, domain.Tally{Records: 9, Registered: 0, Rejected: 4}, &ports.Answer{
			Fingerprint: []byte("fingerprint"), Salt: []byte("salt"), Expires: expires, Outcomes: strings.NewReader(outcomes),
			Notes: notes(),
		})
		return errors.Join(err, end())
	})
}

func recallValue(ctx context.Context, store ports.ImportStore, value string, w io.Writer) (*ports.KeptAnswer, error) {
	return store.Recall(ctx, domain.ImportKey{Value: value}, w)
}

func storesAnswer(t *testing.T, s ImportsSubject) {
	later := time.Now().Add(time.Hour)
	random := make([]byte, 3<<20+7) // cannot be compressed
	_, _ = rand.NewChaCha8([32]byte{1}).Read(random)
	for _, c := range []struct {
		key      string
		outcomes string
	}{
		{"none", ""}, {"few", "a\x00b"}, {"many", strings.Repeat("outcomes", 1<<19)}, {"random", string(random)},
	} {
		t.Run(c.key, func(t *testing.T) {
			id, err := importWithValue(t.Context(), s.Store, c.key, c.outcomes, later, nil)
			require.NoError(t, err)
			for range 2 {
				var recalled bytes.Buffer
				answer, err := recallValue(t.Context(), s.Store, c.key, &recalled)
				require.NoError(t, err)
				require.Equal(t, &ports.KeptAnswer{
					Import: id, Tally: domain.Tally{Records: 9, Rejected: 4}, Fingerprint: []byte("fingerprint"), Salt: []byte("salt"),
					Notes: notes(),
				}, answer)
				require.Equal(t, sha256.Sum256([]byte(c.outcomes)), sha256.Sum256(recalled.Bytes()), "%d bytes, %d recalled", len(c.outcomes), recalled.Len())
			}
			_, err = importWithValue(t.Context(), s.Store, c.key, "other", later, nil)
			require.ErrorIs(t, err, ports.ErrKeyUsed)
		})
	}
	require.Len(t, s.Recorded(), 4)
	_, err := recallValue(t.Context(), s.Store, "other", io.Discard)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = recallValue(t.Context(), s.Store, "many", brokenWriter{})
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func storesNoAnswerOfFailedWork(t *testing.T, s ImportsSubject) {
	failure := errors.New("failure")
	later := time.Now().Add(time.Hour)
	_, err := importWithValue(t.Context(), s.Store, "key", "outcomes", later, failure)
	require.ErrorIs(t, err, failure)
	_, err = recallValue(t.Context(), s.Store, "key", io.Discard)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = importWithValue(t.Context(), s.Store, "key", "outcomes", later, nil)
	require.NoError(t, err)
}

func forgetsExpiredAnswer(t *testing.T, s ImportsSubject) {
	_, err := importWithValue(t.Context(), s.Store, "key", "outcomes", time.Now().Add(-time.Second), nil)
	require.NoError(t, err)
	_, err = recallValue(t.Context(), s.Store, "key", io.Discard)
	require.ErrorIs(t, err, ports.ErrNotFound)
	id, err := importWithValue(t.Context(), s.Store, "key", "outcomes", time.Now().Add(time.Hour), nil)
	require.NoError(t, err)
	answer, err := recallValue(t.Context(), s.Store, "key", io.Discard)
	require.NoError(t, err)
	require.Equal(t, id, answer.Import)
}

func storesOneAnswerPerKey(t *testing.T, s ImportsSubject) {
	var wait sync.WaitGroup
	var kept atomic.Int32
	for n := range 20 {
		wait.Go(func() {
			_, err := importWithValue(t.Context(), s.Store, "key", strconv.Itoa(n), time.Now().Add(time.Hour), nil)
			switch {
			case err == nil:
				kept.Add(1)
			case !errors.Is(err, ports.ErrKeyRunning):
				require.ErrorIs(t, err, ports.ErrKeyUsed)
			}
		})
	}
	wait.Wait()
	require.EqualValues(t, 1, kept.Load())
	require.Len(t, s.Recorded(), 1)
}

// Owners that choose the same value have separate answers, also while each other's imports are running.
func separatesKeysOfOwners(t *testing.T, s ImportsSubject) {
	later := time.Now().Add(time.Hour)
	keys := []domain.ImportKey{
		{Token: 1, Value: "key"}, {Token: 11, Value: "key"}, {User: 1, Value: "key"}, {User: 11, Value: "key"},
	}
	var ids []int64
	var importFrom func(n int) error
	importFrom = func(n int) error {
		if n == len(keys) {
			return nil
		}
		id, err := importWithKey(t.Context(), s.Store, keys[n], strconv.Itoa(n), later, func() error { return importFrom(n + 1) })
		ids = append(ids, id)
		return err
	}
	require.NoError(t, importFrom(0))
	slices.Reverse(ids) // the last import that started ends first
	shared, err := importWithValue(t.Context(), s.Store, "key", strconv.Itoa(len(keys)), later, nil)
	require.NoError(t, err)
	keys, ids = append(keys, domain.ImportKey{Value: "key"}), append(ids, shared)
	for n, key := range keys {
		var outcomes strings.Builder
		answer, err := s.Store.Recall(t.Context(), key, &outcomes)
		require.NoError(t, err)
		require.Equal(t, ids[n], answer.Import)
		require.Equal(t, strconv.Itoa(n), outcomes.String())
		_, err = importWithKey(t.Context(), s.Store, key, "other", later, func() error { return nil })
		require.ErrorIs(t, err, ports.ErrKeyUsed)
	}
	for _, none := range []domain.ImportKey{{Token: 2, Value: "key"}, {User: 2, Value: "key"}, {Token: 1, Value: "1 key"}} {
		_, err := s.Store.Recall(t.Context(), none, io.Discard)
		require.ErrorIs(t, err, ports.ErrNotFound)
	}
}
