// Package contract has a suite for each driven port: what the port's comments promise. The fake and the real adapter
// both run it.
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

// ImportsSubject is an empty store, and what is committed in it.
type ImportsSubject struct {
	Store    ports.ImportStore
	Accounts func() []domain.Account // in the order of their ids
	Records  func() []fake.Record    // by id
}

// Imports proves a ports.ImportStore.
func Imports(t *testing.T, subject func(*testing.T) ImportsSubject) {
	for name, test := range map[string]func(*testing.T, ImportsSubject){
		"keeps a whole import":                     keepsWholeImport,
		"keeps nothing of work that fails":         keepsNothingOfFailure,
		"begins again after failed work":           beginsAgain,
		"knows what is taken":                      knowsTaken,
		"undoes a batch that clashes":              undoesClash,
		"undoes a first batch that clashes":        undoesFirstClash,
		"lets one of many have a login":            oneWins,
		"lets one of many have a phone, exclusive": oneWinsExclusive,
		"lets imports cross":                       imports2Cross,
		"is not the caller's memory":               copiesMemory,
		"ends when its context does":               endsWithContext,
		"records what was refused":                 recordsRefused,
		"records senders":                          recordsSenders,
		"counts what it does not keep":             countsUnkept,
		"keeps texts as they are":                  keepsTexts,
		"rehearses":                                rehearses,
		"rehearses at one moment":                  rehearsesAtOneMoment,
		"keeps an answer for its key":              keepsAnswer,
		"keeps no answer of failed work":           keepsNoAnswerOfFailure,
		"forgets an answer":                        forgetsAnswer,
		"lets one of many have a key":              oneHasKey,
		"keeps keys by their owners":               keepsKeysByOwners,
	} {
		t.Run(name, func(t *testing.T) { test(t, subject(t)) })
	}
}

// Record is a valid object with a login, an e-mail and a phone made of a number.
func Record(t testing.TB, number int) domain.Record {
	t.Helper()
	return object(t, number, fmt.Sprintf("user%d", number), fmt.Sprintf("user%d@example.com", number), fmt.Sprintf("9%09d", number))
}

func object(t testing.TB, number int, login, email, phone string) domain.Record {
	t.Helper()
	text := func(s string) domain.Given {
		if s == "" {
			return domain.Given{}
		}
		return domain.Given{Text: s, Kind: domain.KindText}
	}
	o := domain.Rules{Region: "RU", Today: 20_000}.Check(&domain.Candidate{
		Number: number,
		Given: [domain.NumPersonFields]domain.Given{
			domain.PersonFirstName: text("Анна"), domain.PersonLastName: text("Ким"), domain.PersonPatronymic: text("Петровна"),
			domain.PersonLogin: text(login), domain.PersonEmail: text(email), domain.PersonPhone: text(phone),
			domain.PersonBirthday: text("29.02.2000"),
		},
	})
	require.Empty(t, o.Violations)
	return o
}

func account(o domain.Record) domain.Account {
	return domain.Account{Registration: o.Registration, PasswordHash: "hash of " + o.Registration.Login.String()}
}

// register does what the use case does, in one batch; it returns how many were registered.
func register(ctx context.Context, store ports.ImportStore, exclusive bool, objects ...domain.Record) (created int, err error) {
	_, err = store.Do(ctx, ports.ImportMode{Exclusive: exclusive}, func(ctx context.Context, tx ports.ImportTx) error {
		err := ports.ErrTaken
		for errors.Is(err, ports.ErrTaken) {
			var taken *domain.Taken
			taken, err = tx.Taken(ctx, objects)
			if err != nil {
				return err
			}
			var accounts []domain.Account
			var rejections []domain.Rejection
			for i := range objects {
				if violations := taken.Admit(&objects[i]); violations != nil {
					rejections = append(rejections, domain.Rejection{Record: objects[i].Number, Violations: violations, Description: "taken"})
					continue
				}
				accounts = append(accounts, account(objects[i]))
			}
			created = len(accounts)
			err = tx.Add(ctx, accounts, rejections)
		}
		if err != nil {
			return err
		}
		return tx.Finish(ctx, domain.Tally{Records: len(objects), Registered: created, Rejected: len(objects) - created}, nil)
	})
	return created, err
}

func keepsWholeImport(t *testing.T, s ImportsSubject) {
	ctx := t.Context()
	accounts := []domain.Account{account(Record(t, 1)), account(object(t, 2, "Ваня", "", "+49 30 901820")), account(object(t, 3, "o", "O@example.com", ""))}
	rejection := domain.Rejection{
		Record: 4, Login: "x", Description: "Two reasons.", Original: []byte(`["x"]`),
		Violations: domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeTooLong, Limit: 50}, {Code: domain.CodeNotObject}},
	}
	unnamed := domain.Rejection{Record: 5, Description: "No login.", Violations: domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeRequired}}}
	id, err := s.Store.Do(ctx, ports.ImportMode{Exclusive: true}, func(ctx context.Context, tx ports.ImportTx) error {
		objects := []domain.Record{Record(t, 1), object(t, 2, "Ваня", "", "+49 30 901820"), object(t, 3, "o", "O@example.com", "")}
		_, err := tx.Taken(ctx, objects)
		require.NoError(t, err)
		require.NoError(t, tx.Add(ctx, accounts[:2], []domain.Rejection{rejection}))
		_, err = tx.Taken(ctx, objects[2:])
		require.NoError(t, err)
		require.NoError(t, tx.Add(ctx, accounts[2:], []domain.Rejection{unnamed}))
		return tx.Finish(ctx, domain.Tally{Records: 5, Registered: 3, Rejected: 2}, nil)
	})
	require.NoError(t, err)
	require.Equal(t, accounts, s.Accounts())
	require.Equal(t, []fake.Record{{
		ID: id, Status: 200, Description: "Not all users have been created (created by 3 of 5 users)",
		Created: 3, Refused: 2, Rejections: []domain.Rejection{rejection, unnamed},
	}}, s.Records())
}

func keepsNothingOfFailure(t *testing.T, s ImportsSubject) {
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
	require.Empty(t, s.Records())
}

func beginsAgain(t *testing.T, s ImportsSubject) {
	keepsNothingOfFailure(t, s)
	created, err := register(t.Context(), s.Store, true, Record(t, 1))
	require.NoError(t, err)
	require.Equal(t, 1, created)
}

func knowsTaken(t *testing.T, s ImportsSubject) {
	_, err := register(t.Context(), s.Store, false, object(t, 1, "Ivan", "I@example.com", "9123456789"))
	require.NoError(t, err)
	_, err = s.Store.Do(t.Context(), ports.ImportMode{}, func(ctx context.Context, tx ports.ImportTx) error {
		_, err := tx.Taken(ctx, []domain.Record{Record(t, 1)})
		require.NoError(t, err)
		require.NoError(t, tx.Add(ctx, []domain.Account{account(Record(t, 1))}, nil))

		for _, c := range []struct {
			object domain.Record
			want   domain.Violations
		}{
			{object(t, 2, "iVAN", "other@example.com", ""), domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeTaken}}},
			{object(t, 3, "other", "i@EXAMPLE.com", ""), domain.Violations{{Field: domain.FieldEmail, Code: domain.CodeTaken}}},
			{object(t, 4, "other", "", "89123456789"), domain.Violations{{Field: domain.FieldPhone, Code: domain.CodeTaken}}},
			{object(t, 5, "USER1", "", "9000000009"), domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeTaken}}},
			{object(t, 6, "other", "other@example.com", "9000000009"), nil},
		} {
			c.object.Violations = domain.Violations{{Field: domain.FieldBirthday, Code: domain.CodeInvalid}} // else it may be left to Add
			taken, err := tx.Taken(ctx, []domain.Record{c.object})
			require.NoError(t, err)
			require.Equal(t, append(c.want, c.object.Violations...), taken.Admit(&c.object), "object %d", c.object.Number)
		}
		return tx.Finish(ctx, domain.Tally{Records: 1, Registered: 1}, nil)
	})
	require.NoError(t, err)
}

func undoesClash(t *testing.T, s ImportsSubject) {
	ctx := t.Context()
	objects := []domain.Record{Record(t, 2), Record(t, 3)}
	asked := 0
	_, err := s.Store.Do(ctx, ports.ImportMode{Exclusive: true}, func(ctx context.Context, tx ports.ImportTx) error {
		_, err := tx.Taken(ctx, []domain.Record{Record(t, 1)})
		require.NoError(t, err)
		require.NoError(t, tx.Add(ctx, []domain.Account{account(Record(t, 1))}, nil))

		taken, err := tx.Taken(ctx, objects)
		require.NoError(t, err)
		asked++
		require.Nil(t, taken.Admit(&objects[0]))
		created, err := register(ctx, s.Store, false, objects[1]) // somebody else, meanwhile
		require.NoError(t, err)
		require.Equal(t, 1, created)
		err = tx.Add(ctx, []domain.Account{account(objects[0]), account(objects[1])}, nil)
		require.ErrorIs(t, err, ports.ErrTaken)

		taken, err = tx.Taken(ctx, objects)
		require.NoError(t, err)
		require.Nil(t, taken.Admit(&objects[0]), "nothing of the batch is left")
		require.NotNil(t, taken.Admit(&objects[1]), "what somebody else took is known")
		require.NoError(t, tx.Add(ctx, []domain.Account{account(objects[0])}, nil))
		return tx.Finish(ctx, domain.Tally{Records: 3, Registered: 2, Rejected: 1}, nil)
	})
	require.NoError(t, err)
	require.ElementsMatch(t, []domain.Account{account(Record(t, 1)), account(Record(t, 2)), account(Record(t, 3))}, s.Accounts())
}

func undoesFirstClash(t *testing.T, s ImportsSubject) {
	objects := []domain.Record{Record(t, 1)}
	_, err := s.Store.Do(t.Context(), ports.ImportMode{Exclusive: true}, func(ctx context.Context, tx ports.ImportTx) error {
		_, err := tx.Taken(ctx, objects)
		require.NoError(t, err)
		_, err = register(ctx, s.Store, false, objects[0]) // somebody else, meanwhile
		require.NoError(t, err)
		require.ErrorIs(t, tx.Add(ctx, []domain.Account{account(objects[0])}, nil), ports.ErrTaken)
		_, err = tx.Taken(ctx, objects)
		require.NoError(t, err)
		require.NoError(t, tx.Add(ctx, nil, []domain.Rejection{{Record: 1, Description: "taken"}}))
		return tx.Finish(ctx, domain.Tally{Records: 1, Rejected: 1}, nil)
	})
	require.NoError(t, err)
	require.Len(t, s.Accounts(), 1)
	require.Len(t, s.Records(), 2)
}

func oneWins(t *testing.T, s ImportsSubject) { oneOfMany(t, s, false) }

func oneWinsExclusive(t *testing.T, s ImportsSubject) { oneOfMany(t, s, true) }

func oneOfMany(t *testing.T, s ImportsSubject, exclusive bool) {
	const many = 20
	var created atomic.Int64
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			n, err := register(t.Context(), s.Store, exclusive, object(t, 1, fmt.Sprintf("user%d", i), "", "9123456789"))
			created.Add(int64(n))
			require.NoError(t, err)
		})
	}
	all.Wait()
	require.EqualValues(t, 1, created.Load())
	require.Len(t, s.Accounts(), 1)
	require.Len(t, s.Records(), many)
}

// imports2Cross has imports whose batches want the same keys in opposite order.
func imports2Cross(t *testing.T, s ImportsSubject) {
	const pairs = 4
	var all sync.WaitGroup
	var created atomic.Int64
	for range pairs {
		for _, objects := range [][]domain.Record{{Record(t, 1), Record(t, 2)}, {Record(t, 2), Record(t, 1)}} {
			all.Go(func() {
				n, err := register(t.Context(), s.Store, false, objects...)
				created.Add(int64(n))
				require.NoError(t, err)
			})
		}
	}
	all.Wait()
	require.EqualValues(t, 2, created.Load())
	require.Len(t, s.Records(), 2*pairs)
}

func copiesMemory(t *testing.T, s ImportsSubject) {
	accounts := []domain.Account{account(Record(t, 1))}
	original := []byte(`{"login":"x"}`)
	rejections := []domain.Rejection{{Record: 2, Login: "x", Description: "x", Original: original}}
	_, err := s.Store.Do(t.Context(), ports.ImportMode{}, func(ctx context.Context, tx ports.ImportTx) error {
		_, err := tx.Taken(ctx, []domain.Record{Record(t, 1)})
		require.NoError(t, err)
		require.NoError(t, tx.Add(ctx, accounts, rejections))
		accounts[0], rejections[0] = account(Record(t, 9)), domain.Rejection{Record: 9}
		copy(original, `["login","y"]`)
		return tx.Finish(ctx, domain.Tally{Records: 2, Registered: 1, Rejected: 1}, nil)
	})
	require.NoError(t, err)
	require.Equal(t, []domain.Account{account(Record(t, 1))}, s.Accounts())
	kept := s.Records()[0].Rejections[0]
	require.Equal(t, 2, kept.Record)
	require.JSONEq(t, `{"login":"x"}`, string(kept.Original))
}

func endsWithContext(t *testing.T, s ImportsSubject) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Store.Do(ctx, ports.ImportMode{}, func(ctx context.Context, tx ports.ImportTx) error {
		_, err := tx.Taken(ctx, []domain.Record{Record(t, 1)})
		require.NoError(t, err)
		cancel()
		return tx.Add(ctx, []domain.Account{account(Record(t, 1))}, nil)
	})
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Store.Reject(ctx, ports.RejectedImport{Status: 413, Description: "x", Sender: domain.Sender{}})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, s.Accounts())
	require.Empty(t, s.Records())
}

func recordsRefused(t *testing.T, s ImportsSubject) {
	first, err := s.Store.Reject(t.Context(), ports.RejectedImport{Status: 413, Description: domain.DescriptionBroken, Sender: domain.Sender{Token: 7, TokenName: "crm"}})
	require.NoError(t, err)
	second, err := s.Store.Reject(t.Context(), ports.RejectedImport{Status: 415, Description: domain.DescriptionBroken, Sender: domain.Sender{User: 7}})
	require.NoError(t, err)
	require.Equal(t, []fake.Record{
		{ID: first, Status: 413, Description: domain.DescriptionBroken, Token: "crm"},
		{ID: second, Status: 415, Description: domain.DescriptionBroken, User: 7},
	}, s.Records())
}

// recordsSenders runs imports concurrently, which must not be taken for one another.
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
	for _, record := range s.Records() {
		got[record.ID] = domain.Sender{TokenName: record.Token, User: record.User}
	}
	require.Equal(t, want, got)
}

func keepsTexts(t *testing.T, s ImportsSubject) {
	for _, name := range []string{`"quoted" \N \. back\slash`, "名字 🙂", "é", "a\u200db"} {
		first, violations := domain.NewFirstName(name)
		require.Nil(t, violations)
		o := object(t, 1, fmt.Sprintf("user%d", len(s.Accounts())), fmt.Sprintf("u%d@example.com", len(s.Accounts())), "")
		o.Registration.Name.First = first
		_, err := register(t.Context(), s.Store, false, o)
		require.NoError(t, err)
		accounts := s.Accounts()
		require.Equal(t, first.String(), accounts[len(accounts)-1].Registration.Name.First.String())
	}
}

// A rejection that is only counted leaves no row, whichever way the import takes.
func countsUnkept(t *testing.T, s ImportsSubject) {
	kept := domain.Rejection{Record: 2, Description: "No.", Violations: domain.Violations{{Code: domain.CodeNotObject}}}
	counted := domain.Rejection{Record: 3, CountedOnly: true, Violations: kept.Violations}
	for i, mode := range []ports.ImportMode{{}, {Exclusive: true}, {DryRun: true}} {
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
		record := s.Records()[i]
		require.Equal(t, 2, record.Unkept)
		require.Equal(t, 3, record.Refused)
		require.Equal(t, []domain.Rejection{kept}, record.Rejections)
	}
}

// A rehearsal knows its own accounts and everybody else's, and keeps none.
func rehearses(t *testing.T, s ImportsSubject) {
	for _, exclusive := range []bool{false, true} {
		_, err := register(t.Context(), s.Store, exclusive, Record(t, 1))
		require.NoError(t, err)
		accounts, records := s.Accounts(), s.Records()
		rejection := domain.Rejection{Record: 2, Login: "x", Description: "x", Violations: domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeTaken}}}
		rehearse := func(end error) (int64, error) {
			mode := ports.ImportMode{Exclusive: exclusive, DryRun: true}
			return s.Store.Do(t.Context(), mode, func(ctx context.Context, tx ports.ImportTx) error {
				first, second := Record(t, 2), object(t, 3, "USER2", "user2@example.com", "9000000003")
				for _, step := range []struct {
					object     domain.Record
					violations int
				}{{Record(t, 1), 3}, {first, 0}, {second, 2}} {
					taken, err := tx.Taken(ctx, []domain.Record{step.object})
					require.NoError(t, err)
					require.Len(t, taken.Admit(&step.object), step.violations)
					if step.violations == 0 {
						require.NoError(t, tx.Add(ctx, []domain.Account{account(step.object)}, []domain.Rejection{rejection}))
					}
				}
				require.NoError(t, tx.Finish(ctx, domain.Tally{Records: 3, Rejected: 1}, nil))
				return end
			})
		}
		failure := errors.New("failure")
		_, err = rehearse(failure)
		require.ErrorIs(t, err, failure)
		require.Equal(t, records, s.Records())
		id, err := rehearse(nil)
		require.NoError(t, err)
		require.Equal(t, accounts, s.Accounts())
		require.Equal(t, fake.Record{
			ID: id, Status: 400, Description: domain.DescriptionNoneCreated, Refused: 1, Rejections: []domain.Rejection{rejection},
		}, s.Records()[len(records)])
	}
}

// Whatever others do while a rehearsal looks its batches up, it tells what would come of them all at one moment.
func rehearsesAtOneMoment(t *testing.T, s ImportsSubject) {
	id, err := s.Store.Do(t.Context(), ports.ImportMode{DryRun: true}, func(ctx context.Context, tx ports.ImportTx) error {
		for _, o := range []domain.Record{Record(t, 1), Record(t, 2)} {
			taken, err := tx.Taken(ctx, []domain.Record{o})
			require.NoError(t, err)
			require.Empty(t, taken.Admit(&o))
			created, err := register(ctx, s.Store, false, Record(t, 1), Record(t, 2))
			require.NoError(t, err)
			require.Equal(t, 2-2*(o.Number-1), created)
		}
		return tx.Finish(ctx, domain.Tally{Records: 2}, nil)
	})
	require.NoError(t, err)
	require.Len(t, s.Accounts(), 2)
	require.Contains(t, s.Records(), fake.Record{ID: id, Status: 400, Description: domain.DescriptionNoneCreated})
}

// keep does an import whose answer is kept for a key that all share.
func keep(ctx context.Context, store ports.ImportStore, value, outcomes string, expires time.Time, end error) (int64, error) {
	return keepFor(ctx, store, domain.ImportKey{Value: value}, outcomes, expires, func() error { return end })
}

// keepFor does an import whose answer is kept for a key. In the end it calls end, whose error it returns.
func keepFor(ctx context.Context, store ports.ImportStore, key domain.ImportKey, outcomes string, expires time.Time, end func() error) (int64, error) {
	return store.Do(ctx, ports.ImportMode{Key: key}, func(ctx context.Context, tx ports.ImportTx) error {
		_, err := tx.Taken(ctx, nil)
		if err != nil {
			return err
		}
		err = tx.Finish(ctx, domain.Tally{Records: 9, Registered: 0, Rejected: 4}, &ports.Answer{
			Fingerprint: []byte("fingerprint"), Salt: []byte("salt"), Expires: expires, Outcomes: strings.NewReader(outcomes),
		})
		return errors.Join(err, end())
	})
}

func recallValue(ctx context.Context, store ports.ImportStore, value string, w io.Writer) (*ports.KeptAnswer, error) {
	return store.Recall(ctx, domain.ImportKey{Value: value}, w)
}

func keepsAnswer(t *testing.T, s ImportsSubject) {
	later := time.Now().Add(time.Hour)
	random := make([]byte, 3<<20+7) // cannot be compressed
	_, _ = rand.NewChaCha8([32]byte{1}).Read(random)
	for key, outcomes := range map[string]string{
		"none": "", "few": "a\x00b", "many": strings.Repeat("outcomes", 1<<19), "random": string(random),
	} {
		id, err := keep(t.Context(), s.Store, key, outcomes, later, nil)
		require.NoError(t, err)
		for range 2 {
			var recalled bytes.Buffer
			answer, err := recallValue(t.Context(), s.Store, key, &recalled)
			require.NoError(t, err)
			require.Equal(t, &ports.KeptAnswer{
				Import: id, Tally: domain.Tally{Records: 9, Rejected: 4}, Fingerprint: []byte("fingerprint"), Salt: []byte("salt"),
			}, answer)
			require.Equal(t, sha256.Sum256([]byte(outcomes)), sha256.Sum256(recalled.Bytes()), "%d bytes, %d recalled", len(outcomes), recalled.Len())
		}
		_, err = keep(t.Context(), s.Store, key, "other", later, nil)
		require.ErrorIs(t, err, ports.ErrKeyUsed)
	}
	require.Len(t, s.Records(), 4)
	_, err := recallValue(t.Context(), s.Store, "other", io.Discard)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = recallValue(t.Context(), s.Store, "many", brokenWriter{})
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func keepsNoAnswerOfFailure(t *testing.T, s ImportsSubject) {
	failure := errors.New("failure")
	later := time.Now().Add(time.Hour)
	_, err := keep(t.Context(), s.Store, "key", "outcomes", later, failure)
	require.ErrorIs(t, err, failure)
	_, err = recallValue(t.Context(), s.Store, "key", io.Discard)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = keep(t.Context(), s.Store, "key", "outcomes", later, nil)
	require.NoError(t, err)
}

func forgetsAnswer(t *testing.T, s ImportsSubject) {
	_, err := keep(t.Context(), s.Store, "key", "outcomes", time.Now().Add(-time.Second), nil)
	require.NoError(t, err)
	_, err = recallValue(t.Context(), s.Store, "key", io.Discard)
	require.ErrorIs(t, err, ports.ErrNotFound)
	id, err := keep(t.Context(), s.Store, "key", "outcomes", time.Now().Add(time.Hour), nil)
	require.NoError(t, err)
	answer, err := recallValue(t.Context(), s.Store, "key", io.Discard)
	require.NoError(t, err)
	require.Equal(t, id, answer.Import)
}

func oneHasKey(t *testing.T, s ImportsSubject) {
	var wait sync.WaitGroup
	var kept atomic.Int32
	for n := range 20 {
		wait.Go(func() {
			_, err := keep(t.Context(), s.Store, "key", strconv.Itoa(n), time.Now().Add(time.Hour), nil)
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
	require.Len(t, s.Records(), 1)
}

// Owners that choose the same value have answers of their own, also while each other's imports run.
func keepsKeysByOwners(t *testing.T, s ImportsSubject) {
	later := time.Now().Add(time.Hour)
	keys := []domain.ImportKey{
		{Token: 1, Value: "key"}, {Token: 11, Value: "key"}, {User: 1, Value: "key"}, {User: 11, Value: "key"},
	}
	var ids []int64
	var keepFrom func(n int) error
	keepFrom = func(n int) error {
		if n == len(keys) {
			return nil
		}
		id, err := keepFor(t.Context(), s.Store, keys[n], strconv.Itoa(n), later, func() error { return keepFrom(n + 1) })
		ids = append(ids, id)
		return err
	}
	require.NoError(t, keepFrom(0))
	slices.Reverse(ids) // the last one begun is the first to end
	shared, err := keep(t.Context(), s.Store, "key", strconv.Itoa(len(keys)), later, nil)
	require.NoError(t, err)
	keys, ids = append(keys, domain.ImportKey{Value: "key"}), append(ids, shared)
	for n, key := range keys {
		var outcomes strings.Builder
		answer, err := s.Store.Recall(t.Context(), key, &outcomes)
		require.NoError(t, err)
		require.Equal(t, ids[n], answer.Import)
		require.Equal(t, strconv.Itoa(n), outcomes.String())
		_, err = keepFor(t.Context(), s.Store, key, "other", later, func() error { return nil })
		require.ErrorIs(t, err, ports.ErrKeyUsed)
	}
	for _, none := range []domain.ImportKey{{Token: 2, Value: "key"}, {User: 2, Value: "key"}, {Token: 1, Value: "1 key"}} {
		_, err := s.Store.Recall(t.Context(), none, io.Discard)
		require.ErrorIs(t, err, ports.ErrNotFound)
	}
}
