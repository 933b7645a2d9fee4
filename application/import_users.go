// Package application has the use cases, one file each.
package application

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"sync/atomic"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

const (
	// batchRecords and batchText bound a batch. Some thousand objects make the round trips of a batch cheap beside its
	// rows; the bound on text keeps a batch of hostile objects in a few MiB.
	batchRecords = 8192
	batchText    = 4 << 20

	// largeSize is the size in bytes from which a file is likely to make more than one batch.
	largeSize = 1 << 20
)

// imports come in three sizes. Each is kept from standing in the way of the smaller ones. A record can be as short as three
// bytes, so a file's size in bytes is a first guess, and its number of records decides.
type importSize int

const (
	few   importSize = iota // run beside one another
	many                    // some at a time
	large                   // one that writes and one that rehearses, in several batches
)

// bounds are how many bytes a file may have, and how many records an import, to be of a size.
var bounds = map[importSize]struct{ bytes, records int }{
	few:  {16 << 10, 100},
	many: {largeSize, 10_000},
}

func sizeOf(file ports.Spool) importSize {
	size := few
	for size < large && file.Size() >= int64(bounds[size].bytes) {
		size++
	}
	return size
}

// ImportUsers registers the people of a file, one after another, and accounts for those it refuses.
type ImportUsers struct {
	with     ImportConfig
	places   chan struct{} // of large imports
	decoding turns
}

// turns are those of imports of many records at the processors. One processor is left to those who sign in. Nil is for imports
// that need none.
type turns chan struct{}

func (t turns) take() {
	if t != nil {
		t <- struct{}{}
	}
}

func (t turns) leave() {
	if t != nil {
		<-t
	}
}

// turnRecords is how many records are decoded and checked in a turn, which takes some milliseconds.
const turnRecords = 512

// ImportConfig is what imports work with.
type ImportConfig struct {
	Imports   ports.ImportStore
	Decoder   ports.Decoder
	Outcomes  ports.OutcomeStore
	Passwords ports.Passwords
	Sentences ports.Sentences
	Rules     func() domain.Rules // returns the rules of the current day
	Now       func() time.Time

	// Room returns ports.ErrNoRoom when the database's disk is nearly full. Nil for a disk that the server does not see.
	Room func() error

	// KeepOriginals tells whether refused objects are kept as they came.
	KeepOriginals bool

	// KeepAnswers is how long the answer to a request is kept for its key.
	KeepAnswers time.Duration

	ImportLimits
}

// ImportLimits bound imports. 0 means no limit.
type ImportLimits struct {
	MaxRecords    int           // records of one import
	MaxImports    int           // large imports that run or wait
	MaxImportTime time.Duration // duration of one import, waiting included
}

// NewImportUsers makes the use case.
func NewImportUsers(with ImportConfig) *ImportUsers {
	return &ImportUsers{
		with: with, places: make(chan struct{}, with.MaxImports), decoding: make(turns, max(1, runtime.GOMAXPROCS(0)-1)),
	}
}

// Import implements ports.Importing.
func (u *ImportUsers) Import(ctx context.Context, request ports.ImportRequest) (*ports.ImportResult, error) {
	if request.DryRun {
		request.Key = domain.ImportKey{} // it neither has an answer to be kept nor gives one that was
	}
	i := &userImport{ImportConfig: u.with, request: request, size: sizeOf(request.File), decoding: u.decoding}
	if u.with.MaxImportTime > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, u.with.MaxImportTime, domain.ErrTooSlow)
		defer cancel()
	}
	result, err := u.inPlace(ctx, i)
	for errors.Is(err, errLarger) {
		i.size++
		result, err = u.inPlace(ctx, i)
	}
	if errors.Is(err, ports.ErrKeyUsed) {
		result, err = u.recall(ctx, request.Key, i.fingerprint)
	}
	if err != nil && errors.Is(context.Cause(ctx), domain.ErrTooSlow) {
		err = fmt.Errorf("%w: %w", domain.ErrTooSlow, err)
	}
	if errors.Is(err, domain.ErrBrokenFile) && !request.DryRun {
		id, failed := u.Reject(ctx, ports.RejectedImport{
			Status: domain.Tally{}.Status(), Description: domain.DescriptionBroken, Sender: request.Sender,
		})
		err = &ports.RecordedError{Import: id, Cause: err}
		if failed != nil {
			err = failed
		}
	}
	if err != nil {
		return nil, fmt.Errorf("import users: %w", err)
	}
	return result, nil
}

// inPlace runs an import, a large one in a place of its own. It returns ports.ErrBusy when every place is taken.
func (u *ImportUsers) inPlace(ctx context.Context, i *userImport) (*ports.ImportResult, error) {
	if i.size == large && u.with.MaxImports > 0 {
		select {
		case u.places <- struct{}{}:
			defer func() { <-u.places }()
		default:
			return nil, ports.ErrBusy
		}
	}
	return i.run(ctx)
}

// Recall implements ports.Importing.
func (u *ImportUsers) Recall(ctx context.Context, key domain.ImportKey) (*ports.ImportResult, error) {
	result, err := u.recall(ctx, key, nil)
	if err != nil {
		return nil, fmt.Errorf("recall import: %w", err)
	}
	return result, nil
}

// recall returns the answer that is kept for a key, if it is to what has the fingerprint.
func (u *ImportUsers) recall(ctx context.Context, key domain.ImportKey, fingerprint []byte) (*ports.ImportResult, error) {
	log := u.with.Outcomes.NewLog()
	answer, err := u.with.Imports.Recall(ctx, key, log)
	var issuer ports.Issuer
	switch {
	case err != nil:
		err = fmt.Errorf("recall answer: %w", err)
	case fingerprint != nil && !bytes.Equal(answer.Fingerprint, fingerprint):
		err = ports.ErrKeyReused
	default:
		issuer, err = u.with.Passwords.Issue(answer.Salt)
	}
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return &ports.ImportResult{
		ID: answer.Import, Tally: answer.Tally, Replayed: true, Outcomes: outcomes(log, issuer), Close: log.Close,
	}, nil
}

// Reject implements ports.Importing.
func (u *ImportUsers) Reject(ctx context.Context, rejected ports.RejectedImport) (int64, error) {
	id, err := u.with.Imports.Reject(ctx, rejected)
	if err != nil {
		return 0, fmt.Errorf("record rejected import: %w", err)
	}
	return id, nil
}

// userImport is the import of one file.
type userImport struct {
	ImportConfig

	request  ports.ImportRequest
	size     importSize
	decoding turns

	fingerprint []byte // of the request, when it has a key
	salt        []byte
	issuer      ports.Issuer
	log         ports.OutcomeLog
	tally       domain.Tally
	kept        keptRejections
}

var (
	// errDryRun ends the transaction of a dry run.
	errDryRun = errors.New("dry run")

	// errNotAll ends a strict import with its first refusal.
	errNotAll = errors.New("not all can be registered")

	// errLarger ends an import that has more records than its size may. The database has done nothing for it by then.
	errLarger = errors.New("import is larger than its file")
)

// run registers the people, or finds the answer that is kept.
func (i *userImport) run(ctx context.Context) (result *ports.ImportResult, err error) {
	if !i.request.Key.IsZero() {
		i.fingerprint, err = fingerprint(&i.request)
		if err != nil {
			return nil, err
		}
	}
	i.salt = i.Passwords.Salt()
	i.issuer, err = i.Passwords.Issue(i.salt)
	if err != nil {
		return nil, fmt.Errorf("issue passwords: %w", err)
	}
	id, err := i.do(ctx, false)
	if errors.Is(err, errNotAll) {
		id, err = i.do(ctx, true) // once more, for all refusals to be found
	}
	switch {
	case errors.Is(err, errDryRun):
		i.issuer = nil
	case err != nil:
		return nil, errors.Join(err, i.dropLog())
	}
	return &ports.ImportResult{ID: id, Tally: i.tally, Outcomes: outcomes(i.log, i.issuer), Close: i.log.Close}, nil
}

// do runs the import. Where it skips, those are not registered who might be.
func (i *userImport) do(ctx context.Context, skips bool) (int64, error) {
	mode := ports.ImportMode{
		Exclusive: i.size == large, Many: i.size == many, DryRun: skips || i.request.DryRun, Key: i.request.Key, Sender: i.request.Sender,
	}
	return i.Imports.Do(ctx, mode, func(ctx context.Context, tx ports.ImportTx) error {
		err := i.dropLog() // of a run that the database undid
		if err != nil {
			return err
		}
		i.log, i.tally, i.kept = i.Outcomes.NewLog(), domain.Tally{}, newKeptRejections(&i.request)
		file := newWatchedFile(i.request.File.Reader())
		batches := i.batches(file.reader())
		if i.size == large {
			batches = ahead(batches)
		}
		for b, err := range batches {
			if err != nil {
				return fmt.Errorf("decode: %w", err)
			}
			err = ports.ErrTaken
			for errors.Is(err, ports.ErrTaken) {
				err = i.batch(ctx, tx, b, skips)
			}
			if err != nil {
				return err
			}
			if i.request.Progress != nil {
				i.request.Progress(domain.Progress{Tally: i.tally, Bytes: file.at.Load(), Size: i.request.File.Size()})
			}
		}
		err = i.log.Flush()
		if err != nil {
			return fmt.Errorf("keep outcomes: %w", err)
		}
		if i.request.DryRun {
			return errDryRun
		}
		return tx.Finish(ctx, i.tally, i.answer())
	})
}

// answer is what is kept for the request's key.
func (i *userImport) answer() *ports.Answer {
	if i.request.Key.IsZero() {
		return nil
	}
	return &ports.Answer{
		Fingerprint: i.fingerprint, Salt: i.salt, Expires: i.Now().Add(i.KeepAnswers), Outcomes: i.log.Reader(),
	}
}

// outcomeOf returns the outcome of a record, without its number and password.
func outcomeOf(o *domain.Record, violations domain.Violations, skips bool) domain.Outcome {
	if violations != nil {
		return domain.Outcome{Login: o.Login, Violations: violations}
	}
	return domain.Outcome{Login: o.Registration.Login.String(), Name: o.Registration.Name, Skipped: skips}
}

// outcomes yields the outcomes of a log, with the passwords of an issuer, if there is one. A large log is read, and its passwords are
// derived, while earlier outcomes are sent to the client.
func outcomes(log ports.OutcomeLog, issuer ports.Issuer) iter.Seq2[domain.Outcome, error] {
	all := log.Outcomes()
	if issuer != nil {
		all = withPasswords(all, issuer)
	}
	if log.Reader().Size() < largeSize {
		return all
	}
	const chunk = 1024
	return flat(ahead(chunks(all, chunk)))
}

func withPasswords(all iter.Seq2[domain.Outcome, error], issuer ports.Issuer) iter.Seq2[domain.Outcome, error] {
	return func(yield func(domain.Outcome, error) bool) {
		for outcome, err := range all {
			if err == nil && outcome.Violations == nil && !outcome.Skipped {
				outcome.Password = issuer.Password(outcome.Record)
			}
			if !yield(outcome, err) {
				return
			}
		}
	}
}

// fingerprint returns the same for requests that ask for the same. The name of the token adds nothing to the owner of the key. It
// stays because earlier versions compare it, and answers outlive an upgrade.
func fingerprint(request *ports.ImportRequest) ([]byte, error) {
	hash := sha256.New()
	fmt.Fprintf(hash, "%q %q %t %q\n", request.Hint.Format, request.Hint.Charset, request.Strict, request.Sender.TokenName)
	_, err := io.Copy(hash, request.File.Reader())
	if err != nil {
		return nil, fmt.Errorf("read file: %w", err)
	}
	return hash.Sum(nil), nil
}

func (i *userImport) dropLog() error {
	if i.log == nil {
		return nil
	}
	err := i.log.Close()
	i.log = nil
	if err != nil {
		return fmt.Errorf("drop outcomes: %w", err)
	}
	return nil
}

// batch is a part of an import: objects that were checked, and for each valid one the hash of its password.
type batch struct {
	objects []domain.Record
	hashes  []string
}

// batches decodes and checks the file. An import that is not large is one batch; where that is too much for its size,
// errLarger comes instead.
func (i *userImport) batches(file *io.SectionReader) iter.Seq2[batch, error] {
	rules := i.Rules()
	return func(yield func(batch, error) bool) {
		var b batch
		var originals arena
		text, most := 0, batchRecords
		if i.size < large {
			most = bounds[i.size].records
		}
		turn := i.decoding
		if i.size == few {
			turn = nil
		}
		pass := func(b batch, err error) bool { // and whoever takes it has the processors
			turn.leave()
			defer turn.take()
			return yield(b, err)
		}
		turn.take()
		defer turn.leave()
		for candidate, err := range i.Decoder.Candidates(file, i.request.Hint) {
			if err == nil && candidate.Number%turnRecords == 0 {
				turn.leave()
				turn.take()
			}
			if err == nil {
				err = i.beyond(candidate.Number, i.size < large && (len(b.objects) == most || text >= batchText))
			}
			if err != nil {
				pass(batch{}, err)
				return
			}
			object, hash := rules.Check(candidate), ""
			if object.Violations == nil {
				hash = i.issuer.Hash(object.Number)
			}
			if i.KeepOriginals {
				object.Original = originals.keep(candidate.Original)
			}
			b.objects = append(b.objects, object)
			b.hashes = append(b.hashes, hash)
			text += candidate.Size()
			if i.size < large || len(b.objects) < most && text < batchText {
				continue
			}
			if !pass(b, nil) {
				return
			}
			b = batch{make([]domain.Record, 0, batchRecords), make([]string, 0, batchRecords)}
			originals, text = arena{}, 0
		}
		if len(b.objects) > 0 {
			pass(b, nil)
		}
	}
}

// beyond returns an error when a record is one too many, for an import or for its size.
func (i *userImport) beyond(record int, isFull bool) error {
	switch {
	case i.MaxRecords > 0 && record > i.MaxRecords:
		return domain.ErrTooManyRecords
	case isFull:
		return errLarger
	}
	return nil
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

// batch takes a batch in, or returns ports.ErrTaken and has done nothing.
func (i *userImport) batch(ctx context.Context, tx ports.ImportTx, b batch, skips bool) error {
	taken, err := tx.Taken(ctx, b.objects)
	if err != nil {
		return fmt.Errorf("ask what is taken: %w", err)
	}
	violations := make([]domain.Violations, len(b.objects))
	accounts := make([]domain.Account, 0, len(b.objects))
	var rejections []domain.Rejection
	kept := i.kept // of the batches before: this one may have to be done again
	for n := range b.objects {
		o := &b.objects[n]
		violations[n] = taken.Admit(o)
		switch {
		case violations[n] == nil:
			accounts = append(accounts, domain.Account{Registration: o.Registration, PasswordHash: b.hashes[n]})
		case !i.request.DryRun:
			rejections = append(rejections, kept.reject(o, violations[n], i.Sentences))
		}
	}
	refused := len(b.objects) - len(accounts)
	if i.request.Strict && !skips && refused > 0 {
		return errNotAll
	}
	if i.Room != nil {
		err = i.Room()
		if err != nil {
			return fmt.Errorf("add batch: %w", err)
		}
	}
	err = tx.Add(ctx, accounts, rejections)
	if err != nil {
		return fmt.Errorf("add batch: %w", err)
	}
	i.kept = kept
	i.tally.Records += len(b.objects)
	i.tally.Rejected += refused
	if !skips {
		i.tally.Registered += len(accounts)
	}
	for n := range b.objects {
		err = i.log.Append(outcomeOf(&b.objects[n], violations[n], skips))
		if err != nil {
			return fmt.Errorf("keep outcomes: %w", err)
		}
	}
	return nil
}

// watchedFile knows how far a file was read.
type watchedFile struct {
	io.ReaderAt

	size int64
	at   atomic.Int64
}

func newWatchedFile(file *io.SectionReader) *watchedFile {
	return &watchedFile{ReaderAt: file, size: file.Size()}
}

func (f *watchedFile) reader() *io.SectionReader { return io.NewSectionReader(f, 0, f.size) }

// ReadAt implements io.ReaderAt.
func (f *watchedFile) ReadAt(p []byte, offset int64) (int, error) {
	n, err := f.ReaderAt.ReadAt(p, offset)
	f.at.Store(offset + int64(n))
	return n, err //nolint:wrapcheck // it is the file's own
}
