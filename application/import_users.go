// Package application has the use cases, one file each.
package application

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

const (
	// batchObjects and batchText bound a batch. Some thousand objects make the round trips of a batch cheap beside its
	// rows; the bound on text keeps a batch of hostile objects in a few MiB.
	batchObjects = 8192
	batchText    = 4 << 20

	// largeSize is the size of a file from which on it is likely to make more than one batch.
	largeSize = 1 << 20
)

// ImportUsers registers the people of a file, one after another, and accounts for those it refuses.
type ImportUsers struct{ with ImportConfig }

// ImportConfig is what imports work with.
type ImportConfig struct {
	Imports   ports.Imports
	Decoder   ports.Decoder
	Spools    ports.Spools
	Passwords ports.Passwords
	Sentences ports.Sentences
	Now       func() time.Time // whose location decides what day it is
	Region    string           // of phones without a country code

	// KeepRefused tells whether refused objects are kept as they came.
	KeepRefused bool
}

// NewImportUsers makes the use case.
func NewImportUsers(with ImportConfig) *ImportUsers { return &ImportUsers{with} }

// Import implements ports.Registration.
func (u *ImportUsers) Import(ctx context.Context, file ports.Spool) (*ports.ImportResult, error) {
	issuer := u.with.Passwords.Issue()
	var tally domain.Tally
	var log *outcomeLog
	large := file.Size() >= largeSize
	id, err := u.with.Imports.Do(ctx, large, func(ctx context.Context, tx ports.ImportTx) error {
		if log != nil { // of a run that the database undid
			err := log.Close()
			if err != nil {
				return fmt.Errorf("drop outcomes: %w", err)
			}
		}
		log = newOutcomeLog(u.with.Spools.New())
		run := importRun{tx: tx, sentences: u.with.Sentences, log: log}
		batches := u.batches(file.Reader(), issuer)
		if large {
			batches = ahead(batches)
		}
		err := run.all(ctx, batches)
		if err != nil {
			return err
		}
		tally = run.tally
		return tx.Finish(ctx, tally)
	})
	if err != nil {
		return nil, u.fail(ctx, log, err)
	}
	return &ports.ImportResult{ID: id, Tally: tally, Outcomes: log.Outcomes(issuer), Close: log.Close}, nil
}

// fail cleans up after an import that came to nothing, and records what the client has to do with.
func (u *ImportUsers) fail(ctx context.Context, log *outcomeLog, err error) error {
	if log != nil {
		err = errors.Join(err, log.Close())
	}
	if errors.Is(err, domain.ErrBrokenFile) {
		refused := u.with.Imports.Refuse(ctx, domain.Tally{}.Status(), domain.DescriptionBroken)
		if refused != nil {
			return fmt.Errorf("record broken file: %w", refused)
		}
	}
	return fmt.Errorf("import users: %w", err)
}

// Refuse implements ports.Registration.
func (u *ImportUsers) Refuse(ctx context.Context, status int) error {
	err := u.with.Imports.Refuse(ctx, status, domain.DescriptionBroken)
	if err != nil {
		return fmt.Errorf("refuse import: %w", err)
	}
	return nil
}

// batch is a part of an import: objects that were checked, and for each valid one the hash of its password.
type batch struct {
	objects []domain.Object
	hashes  []string
}

// batches decodes and checks a file.
func (u *ImportUsers) batches(file *io.SectionReader, issuer ports.Issuer) iter.Seq2[batch, error] {
	rules := domain.Rules{Region: u.with.Region, Today: domain.DateOf(u.with.Now())}
	return func(yield func(batch, error) bool) {
		var b batch
		var originals arena
		text := 0
		for candidate, err := range u.with.Decoder.Candidates(file, domain.FileHint{Format: domain.FormatJSON}) {
			if err != nil {
				yield(batch{}, err)
				return
			}
			object, hash := rules.Check(candidate), ""
			if object.Violations == nil {
				hash = issuer.Hash(object.Number)
			}
			if u.with.KeepRefused {
				object.Original = originals.keep(candidate.Original)
			}
			b.objects = append(b.objects, object)
			b.hashes = append(b.hashes, hash)
			text += candidate.Size()
			if len(b.objects) < batchObjects && text < batchText {
				continue
			}
			if !yield(b, nil) {
				return
			}
			b = batch{make([]domain.Object, 0, batchObjects), make([]string, 0, batchObjects)}
			originals, text = arena{}, 0
		}
		if len(b.objects) > 0 {
			yield(b, nil)
		}
	}
}

// arena makes copies of bytes that live as long as one another, in few pieces of memory.
type arena []byte

func (a *arena) keep(b []byte) []byte {
	const maxPiece = 256 << 10
	if b == nil {
		return nil
	}
	if len(b) > cap(*a)-len(*a) {
		*a = make([]byte, 0, max(len(b), min(2*cap(*a), maxPiece)))
	}
	from := len(*a)
	*a = append(*a, b...)
	return (*a)[from:len(*a):len(*a)]
}

// importRun is an import in its transaction.
type importRun struct {
	tx        ports.ImportTx
	sentences ports.Sentences
	log       *outcomeLog
	tally     domain.Tally
}

func (r *importRun) all(ctx context.Context, batches iter.Seq2[batch, error]) error {
	for b, err := range batches {
		if err != nil {
			return fmt.Errorf("decode: %w", err)
		}
		err = r.one(ctx, b)
		for errors.Is(err, ports.ErrTaken) {
			err = r.one(ctx, b)
		}
		if err != nil {
			return err
		}
	}
	err := r.log.Flush()
	if err != nil {
		return fmt.Errorf("keep outcomes: %w", err)
	}
	return nil
}

// one takes a batch in, or returns ports.ErrTaken and has done nothing.
func (r *importRun) one(ctx context.Context, b batch) error {
	taken, err := r.tx.Taken(ctx, b.objects)
	if err != nil {
		return fmt.Errorf("ask what is taken: %w", err)
	}
	violations := make([]domain.Violations, len(b.objects))
	accounts := make([]domain.Account, 0, len(b.objects))
	var rejections []domain.Rejection
	for i := range b.objects {
		o := &b.objects[i]
		violations[i] = taken.Admit(o)
		if violations[i] == nil {
			accounts = append(accounts, domain.Account{Registration: o.Registration, PasswordHash: b.hashes[i]})
			continue
		}
		rejections = append(rejections, domain.Rejection{
			Object: o.Number, Login: o.Login, Violations: violations[i], Description: r.sentences.Describe(violations[i]),
			Original: o.Original,
		})
	}
	err = r.tx.Add(ctx, accounts, rejections)
	if err != nil {
		return fmt.Errorf("add batch: %w", err)
	}
	r.tally.Objects += len(b.objects)
	r.tally.Created += len(accounts)
	for i := range b.objects {
		err = r.log.Append(&b.objects[i], violations[i])
		if err != nil {
			return fmt.Errorf("keep outcomes: %w", err)
		}
	}
	return nil
}
