// Package application implements the use cases, one per file.
package application

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

const (
	// batchRecords is the default of ImportConfig.Batch. With some thousand records the round trips of a batch take little time beside its rows.
	batchRecords = 8192

	// batchText bounds a batch in bytes, so that hostile records take a few MiB.
	batchText = 4 << 20

	// largeSize is the size in bytes from which a file is likely to give more than one batch.
	largeSize = 1 << 20
)

// An importSize decides how many imports of its kind run concurrently, so that large imports do not delay smaller ones. A record can be as
// short as three bytes. So the size of the file in bytes is the first guess, and the number of records decides.
type importSize int

const (
	few   importSize = iota // any number run concurrently
	many                    // some run concurrently
	large                   // one import and one dry run at a time, in several batches
)

// bounds are the limits of each size but the last: the bytes of the file, and the records of the import.
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

// ImportUsers registers the people of a file in order, and records every rejection.
type ImportUsers struct {
	cfg    ImportConfig
	places chan struct{} // a slot for each large import that runs or waits
	turns  turns
}

// turns bound how many imports use a processor concurrently. One processor is left to sign-ins. A nil channel bounds nothing.
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

// turnRecords is the number of records of a turn, which takes some milliseconds.
const turnRecords = 512

// ImportConfig configures ImportUsers.
type ImportConfig struct {
	ImportLimits

	Imports   ports.ImportStore
	Running   ports.RunningImportStore // nil to record no progress
	Beat      time.Duration            // interval in which a running import records its progress
	Batch     int                      // most records of a batch; 0 means 8,192
	Decoder   ports.Decoder
	Outcomes  ports.OutcomeStore
	Audit     ports.Auditing
	Passwords ports.Passwords
	Sentences ports.Sentences
	Rules     func() domain.Rules // returns the rules of the current day
	Now       func() time.Time

	// Room returns ports.ErrNoRoom when the disk of the database is nearly full. Nil if the database is on another machine.
	Room func() error

	KeepOriginals bool          // stores the originals of rejected records
	KeepAnswers   time.Duration // time for which an answer is stored under its key
}

// ImportLimits bound imports. 0 means no limit.
type ImportLimits struct {
	MaxRecords    int           // records of one import
	MaxImports    int           // large imports that run or wait
	MaxImportTime time.Duration // duration of one import, waiting included
}

// NewImportUsers returns the use case.
func NewImportUsers(cfg ImportConfig) *ImportUsers {
	cfg.Batch = cmp.Or(cfg.Batch, batchRecords)
	return &ImportUsers{
		cfg: cfg, places: make(chan struct{}, cfg.MaxImports), turns: make(turns, max(1, runtime.GOMAXPROCS(0)-1)),
	}
}

// Import implements ports.Importing.
func (u *ImportUsers) Import(ctx context.Context, request ports.ImportRequest) (*ports.ImportResult, error) {
	if request.DryRun {
		request.Key = domain.ImportKey{} // a dry run neither stores an answer nor repeats one
	}
	stop := u.showProgress(ctx, &request)
	defer stop()
	i := &userImport{ImportConfig: u.cfg, request: request, size: sizeOf(request.File), turns: u.turns, dates: request.Hint.Dates}
	if u.cfg.MaxImportTime > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, u.cfg.MaxImportTime, domain.ErrTooSlow)
		defer cancel()
	}
	result, err := u.inPlace(ctx, i)
	for errors.Is(err, errLarger) {
		i.size++
		result, err = u.inPlace(ctx, i)
	}
	if errors.Is(err, ports.ErrKeyUsed) {
		result, err = u.repeat(ctx, request.Key, i.fingerprint)
	}
	if err != nil && errors.Is(context.Cause(ctx), domain.ErrTooSlow) {
		err = fmt.Errorf("%w: %w", domain.ErrTooSlow, err)
	}
	if errors.Is(err, domain.ErrBrokenFile) && !request.DryRun {
		id, rejectErr := u.Reject(ctx, ports.RejectedImport{
			Status: domain.Tally{}.Status(), Description: domain.DescriptionBroken, Sender: request.Sender,
		})
		err = &ports.RecordedError{Import: id, Cause: err}
		if rejectErr != nil {
			err = rejectErr
		}
	}
	if err != nil {
		return nil, fmt.Errorf("import users: %w", err)
	}
	return result, nil
}

// inPlace runs an import, and takes a slot for a large one. It returns ports.ErrBusy if there is none.
func (u *ImportUsers) inPlace(ctx context.Context, i *userImport) (*ports.ImportResult, error) {
	if i.size == large && u.cfg.MaxImports > 0 {
		select {
		case u.places <- struct{}{}:
			defer func() { <-u.places }()
		default:
			return nil, ports.ErrBusy
		}
	}
	return i.run(ctx)
}

// repeat returns the stored result of a repeated request, and records in the audit that its passwords were sent again. It makes no entry for
// an upload, whose import the server itself repeats.
func (u *ImportUsers) repeat(ctx context.Context, key domain.ImportKey, fingerprint []byte) (*ports.ImportResult, error) {
	result, err := u.recall(ctx, key, fingerprint)
	if err != nil || key.Upload != "" {
		return result, err
	}
	if result.Forgotten {
		return nil, errors.Join(ports.ErrForgotten, result.Close())
	}
	if result.Tally.Registered == 0 {
		return result, nil
	}
	err = u.cfg.Audit.Record(ctx, domain.AuditEntry{
		Action: domain.ActionExported, Import: result.ID, After: map[string]any{"file": "answer"},
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("record repeated answer: %w", err), result.Close())
	}
	return result, nil
}

// Recall implements ports.Importing.
func (u *ImportUsers) Recall(ctx context.Context, key domain.ImportKey) (*ports.ImportResult, error) {
	result, err := u.recall(ctx, key, nil)
	if err != nil {
		return nil, fmt.Errorf("recall import: %w", err)
	}
	return result, nil
}

// recall returns the result that is stored under a key. It returns ports.ErrKeyReused if fingerprint is not nil, and not that of the
// stored import.
func (u *ImportUsers) recall(ctx context.Context, key domain.ImportKey, fingerprint []byte) (*ports.ImportResult, error) {
	log := u.cfg.Outcomes.NewLog()
	answer, err := u.cfg.Imports.Recall(ctx, key, log)
	var issuer ports.Issuer
	switch {
	case err != nil:
		err = fmt.Errorf("recall answer: %w", err)
	case fingerprint != nil && !answer.Forgotten && !bytes.Equal(answer.Fingerprint, fingerprint):
		err = ports.ErrKeyReused
	case len(answer.Salt) > 0: // not of a bulk change that gave no passwords
		issuer, err = u.cfg.Passwords.Issue(answer.Salt)
	}
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	result := resultOf(u.cfg.Outcomes, log, issuer)
	result.ID, result.Tally, result.Notes, result.Replayed = answer.Import, answer.Tally, answer.Notes, true
	result.Forgotten = answer.Forgotten
	return result, nil
}

// Reject implements ports.Importing.
func (u *ImportUsers) Reject(ctx context.Context, rejected ports.RejectedImport) (int64, error) {
	id, err := u.cfg.Imports.Reject(ctx, rejected)
	if err != nil {
		return 0, fmt.Errorf("record rejected import: %w", err)
	}
	return id, nil
}

// A userImport is the import of one file.
type userImport struct {
	ImportConfig

	request ports.ImportRequest
	size    importSize
	turns   turns
	dates   domain.DateOrder

	fingerprint []byte // of the request; nil without a key
	salt        []byte
	issuer      ports.Issuer
	log         ports.OutcomeLog
	notes       *ports.FileNotes
	tally       domain.Tally
	kept        keptRejections
}

var (
	// errDryRun ends the transaction of a dry run.
	errDryRun = errors.New("dry run")

	// errNotAll ends a strict import at its first rejection.
	errNotAll = errors.New("not all records can be registered")

	// errMonthFirst ends an import at the first birthday that has the month first.
	errMonthFirst = errors.New("a date has the month first")

	// errLarger ends an import with more records than its size allows. The database has done no work for it by then.
	errLarger = errors.New("import has more records than the size of its file suggests")
)

// run runs the import.
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
	id, err := i.doAgain(ctx)
	switch {
	case errors.Is(err, errDryRun):
		i.issuer = nil
	case err != nil:
		return nil, errors.Join(err, i.dropLog())
	}
	result = resultOf(i.Outcomes, i.log, i.issuer)
	result.ID, result.Tally, result.Notes = id, i.tally, *i.notes
	return result, nil
}

// doAgain runs the import, and runs it again if a record shows that the others must be checked in another way.
func (i *userImport) doAgain(ctx context.Context) (id int64, err error) {
	skips := false
	for {
		id, err = i.do(ctx, skips)
		switch {
		case errors.Is(err, errMonthFirst):
			i.dates = domain.UnknownOrder // the others may have it first, too
		case errors.Is(err, errNotAll) && !skips:
			skips = true // to find every rejection
		default:
			return id, err
		}
	}
}

// do runs the import in a transaction. If skips is true, it registers no record, and valid records are skipped.
func (i *userImport) do(ctx context.Context, skips bool) (int64, error) {
	mode := ports.ImportMode{
		Exclusive: i.size == large, Many: i.size == many, DryRun: skips || i.request.DryRun, Key: i.request.Key, Sender: i.request.Sender,
	}
	file := newWatchedFile(i.request.File.Reader())
	batches := func() iter.Seq2[batch, error] {
		i.notes = &ports.FileNotes{}
		return i.batches(file.reader())
	}
	if i.size == few && mode.Key.IsZero() {
		only, err := onlyBatch(batches())
		if err != nil {
			return 0, fmt.Errorf("decode: %w", err)
		}
		mode.Records = only.records
		batches = func() iter.Seq2[batch, error] { return func(yield func(batch, error) bool) { yield(only, nil) } }
	}
	return i.Imports.Do(ctx, mode, func(ctx context.Context, tx ports.ImportTx) error {
		err := i.dropLog() // of an earlier run that the database undid
		if err != nil {
			return err
		}
		i.log, i.tally, i.kept = i.Outcomes.NewLog(), domain.Tally{}, newKeptRejections(&i.request)
		batches := batches()
		if i.size == large {
			batches = ahead(batches)
		}
		for b, err := range batches {
			if err != nil {
				return fmt.Errorf("decode: %w", err)
			}
			err = ports.ErrTaken
			for errors.Is(err, ports.ErrTaken) {
				err = i.add(ctx, tx, b, skips)
			}
			if err != nil {
				return err
			}
			if i.request.Progress != nil {
				i.request.Progress(domain.Progress{Tally: i.tally, Bytes: file.position.Load(), Size: i.request.File.Size()})
			}
		}
		err = i.log.Flush()
		if err != nil {
			return fmt.Errorf("store outcomes: %w", err)
		}
		if i.request.DryRun {
			return errDryRun
		}
		return tx.Finish(ctx, i.tally, i.answer())
	})
}

// onlyBatch returns the batch of an import that has one at most.
func onlyBatch(batches iter.Seq2[batch, error]) (batch, error) {
	only := batch{records: []domain.Record{}}
	for b, err := range batches {
		if err != nil {
			return batch{}, err
		}
		only = b
	}
	return only, nil
}

// answer returns the answer to store under the import's key, or nil without a key.
func (i *userImport) answer() *ports.Answer {
	if i.request.Key.IsZero() {
		return nil
	}
	return &ports.Answer{
		Fingerprint: i.fingerprint, Salt: i.salt, Expires: i.Now().Add(i.KeepAnswers), Outcomes: i.log.Reader(), Notes: *i.notes,
	}
}

// outcomeOf returns the outcome of a record, without its number and password.
func outcomeOf(o *domain.Record, violations domain.Violations, skips bool) domain.Outcome {
	if violations != nil {
		return domain.Outcome{Place: o.Place, Login: o.Login, Violations: violations}
	}
	return domain.Outcome{Login: o.Registration.Login.String(), Name: o.Registration.Name, Group: o.Registration.Group, Skipped: skips}
}

// resultOf returns the result of an import without its figures. A dry run has no issuer.
func resultOf(store ports.OutcomeStore, log ports.OutcomeLog, issuer ports.Issuer) *ports.ImportResult {
	return &ports.ImportResult{
		Outcomes: outcomes(log, issuer), Close: log.Close,
		SlipOrder: func() (*domain.SlipOrder, error) { return store.SlipOrder(log.Outcomes()) },
		Pick:      func(records []int32) (map[int32]domain.Outcome, error) { return pick(log, issuer, records) },
	}
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
			if err == nil {
				setPassword(&outcome, issuer)
			}
			if !yield(outcome, err) {
				return
			}
		}
	}
}

// setPassword sets the password of a registered record.
func setPassword(outcome *domain.Outcome, issuer ports.Issuer) {
	if outcome.Violations == nil && !outcome.Skipped {
		outcome.Password = issuer.Password(outcome.Record)
	}
}

// pick returns the outcomes of some records, with the passwords of an issuer, if there is one.
func pick(log ports.OutcomeLog, issuer ports.Issuer, records []int32) (map[int32]domain.Outcome, error) {
	wanted := make(map[int32]struct{}, len(records))
	for _, record := range records {
		wanted[record] = struct{}{}
	}
	picked := make(map[int32]domain.Outcome, len(wanted))
	for outcome, err := range log.Outcomes() {
		if err != nil {
			return nil, err
		}
		record := int32(outcome.Record)
		if _, isWanted := wanted[record]; !isWanted {
			continue
		}
		if issuer != nil {
			setPassword(&outcome, issuer)
		}
		picked[record] = outcome
		if len(picked) == len(wanted) {
			break
		}
	}
	return picked, nil
}

// fingerprint returns a hash of a request's file and options. It includes the name of the token, although the key belongs to the token
// anyway: earlier versions compare it, and answers outlive an upgrade. For the same reason it omits options that have no value.
func fingerprint(request *ports.ImportRequest) ([]byte, error) {
	hash := sha256.New()
	fmt.Fprintf(hash, "%q %q %t %q", request.Hint.Format, request.Hint.Charset, request.Strict, request.Sender.TokenName)
	if request.Hint.Dates != domain.UnsaidOrder {
		fmt.Fprintf(hash, " dates %q", request.Hint.Dates)
	}
	if request.Hint.Sheets != nil {
		fmt.Fprintf(hash, " sheets %q", request.Hint.Sheets)
	}
	fmt.Fprintln(hash)
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

// A batch is a part of an import: checked records, and for each valid one the hash of its password.
type batch struct {
	records []domain.Record
	hashes  []string
}

// batches decodes and checks the file. An import that is not large is one batch. If it has more records than its size allows, the sequence
// is errLarger.
func (i *userImport) batches(file *io.SectionReader) iter.Seq2[batch, error] {
	rules := i.Rules()
	rules.DateOrder = i.dates
	return func(yield func(batch, error) bool) {
		var b batch
		var originals arena
		text, most := 0, i.Batch
		if i.size < large {
			most = bounds[i.size].records
		}
		turn := i.turn()
		pass := func(b batch, err error) bool { // without a turn, because the database works now
			turn.leave()
			defer turn.take()
			return yield(b, err)
		}
		turn.take()
		defer turn.leave()
		for candidate, err := range i.Decoder.Candidates(file, i.request.Hint, i.notes) {
			if err == nil && candidate.Number%turnRecords == 0 {
				turn.leave()
				turn.take()
			}
			if err == nil {
				err = i.checkBounds(candidate.Number, i.size < large && (len(b.records) == most || text >= batchText))
			}
			var record domain.Record
			if err == nil {
				record, err = check(&rules, candidate)
			}
			if err != nil {
				pass(batch{}, err)
				return
			}
			if i.KeepOriginals {
				record.Original = originals.copy(candidate.Original)
			}
			b.records = append(b.records, record)
			b.hashes = append(b.hashes, i.hash(&record))
			text += candidate.Size()
			if i.size < large || len(b.records) < most && text < batchText {
				continue
			}
			if !pass(b, nil) {
				return
			}
			b = batch{make([]domain.Record, 0, most), make([]string, 0, most)}
			originals, text = arena{}, 0
		}
		if len(b.records) > 0 {
			pass(b, nil)
		}
	}
}

// turn returns the turns that the import takes. One of few records takes none.
func (i *userImport) turn() turns {
	if i.size == few {
		return nil
	}
	return i.turns
}

// check returns the record of a candidate, or errMonthFirst if others must be checked in another way.
func check(rules *domain.Rules, candidate *domain.Candidate) (domain.Record, error) {
	record := rules.Check(candidate)
	if record.MonthFirst {
		return record, errMonthFirst
	}
	return record, nil
}

// hash returns the hash of the temporary password of a record, or an empty text for a record with violations.
func (i *userImport) hash(record *domain.Record) string {
	if record.Violations != nil {
		return ""
	}
	return i.issuer.Hash(record.Number)
}

// checkBounds returns an error if a record exceeds the limit of imports or of the import's size.
func (i *userImport) checkBounds(record int, isFull bool) error {
	switch {
	case i.MaxRecords > 0 && record > i.MaxRecords:
		return domain.ErrTooManyRecords
	case isFull:
		return errLarger
	}
	return nil
}

// arena stores copies of bytes that have the same lifetime in few allocations.
type arena []byte

func (a *arena) copy(b []byte) []byte {
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

// add stores a batch. It returns ports.ErrTaken if nothing of the batch was stored.
func (i *userImport) add(ctx context.Context, tx ports.ImportTx, b batch, skips bool) error {
	taken, err := tx.Taken(ctx, b.records)
	if err != nil {
		return fmt.Errorf("look up taken keys: %w", err)
	}
	kept := i.kept // without this batch, which may have to be repeated
	accounts, rejections, violations := i.admit(taken, b, &kept)
	rejected := len(b.records) - len(accounts)
	if i.request.Strict && !skips && rejected > 0 {
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
	i.tally.Records += len(b.records)
	i.tally.Rejected += rejected
	if !skips {
		i.tally.Registered += len(accounts)
	}
	i.turn().take()
	defer i.turn().leave()
	for n := range b.records {
		if slices.ContainsFunc(violations[n], func(v domain.Violation) bool { return v.Code == domain.CodeAmbiguousDate }) {
			i.notes.AmbiguousDates++
		}
		err = i.log.Append(outcomeOf(&b.records[n], violations[n], skips))
		if err != nil {
			return fmt.Errorf("store outcomes: %w", err)
		}
	}
	return nil
}

// admit applies the rule of sequence to a batch. It returns the accounts to add, the rejections to store, and the violations of each record.
func (i *userImport) admit(taken *domain.Taken, b batch, kept *keptRejections) ([]domain.Account, []domain.Rejection, []domain.Violations) {
	i.turn().take()
	defer i.turn().leave()
	violations := make([]domain.Violations, len(b.records))
	accounts := make([]domain.Account, 0, len(b.records))
	var rejections []domain.Rejection
	for n := range b.records {
		record := &b.records[n]
		violations[n] = taken.Admit(record)
		switch {
		case violations[n] == nil:
			accounts = append(accounts, domain.Account{Registration: record.Registration, PasswordHash: b.hashes[n]})
		case !i.request.DryRun:
			rejections = append(rejections, kept.reject(record, violations[n], i.Sentences))
		}
	}
	return accounts, rejections, violations
}

// watchedFile records the position up to which a file was read.
type watchedFile struct {
	io.ReaderAt

	size     int64
	position atomic.Int64
}

func newWatchedFile(file *io.SectionReader) *watchedFile {
	return &watchedFile{ReaderAt: file, size: file.Size()}
}

func (f *watchedFile) reader() *io.SectionReader { return io.NewSectionReader(f, 0, f.size) }

// ReadAt implements io.ReaderAt.
func (f *watchedFile) ReadAt(p []byte, offset int64) (int, error) {
	n, err := f.ReaderAt.ReadAt(p, offset)
	f.position.Store(offset + int64(n))
	return n, err //nolint:wrapcheck // it is the file's own
}
