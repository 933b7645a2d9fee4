package ports

import (
	"context"
	"errors"
	"io"
	"time"

	"rollcall/domain"
)

// ErrTaken is returned when another account has got a login, email or phone since it was looked up.
var ErrTaken = errors.New("login, email or phone was taken concurrently")

var (
	// ErrKeyRunning is returned while an import with the same key is running.
	ErrKeyRunning = errors.New("an import with this key is running")

	// ErrKeyUsed is returned when an answer is stored for the key.
	ErrKeyUsed = errors.New("an import with this key exists")

	// ErrForgotten is returned when the answer that was stored for the key has been deleted with a person whom it named.
	ErrForgotten = errors.New("the answer named a person who was deleted")

	// ErrKeyReused is returned when the key was used with another file or other options.
	ErrKeyReused = errors.New("key was used for another import")
)

// ImportStore stores imports with everything that they change: accounts, rejections, the record of each import, and answers.
type ImportStore interface {
	// Do runs work in one transaction, and commits it when work returns nil. If the database undoes the transaction (a
	// deadlock, a clash with another import, a lost connection), Do runs work again from its beginning. It returns the id of
	// the import's record, the error of work, ErrKeyRunning, ErrKeyUsed, or ErrUnavailable.
	Do(ctx context.Context, mode ImportMode, work func(context.Context, ImportTx) error) (int64, error)

	// Recall writes the outcomes that are stored for a key to w, and returns the rest of the answer. It returns ErrNotFound if
	// there is none, the error of w, or ErrUnavailable.
	Recall(ctx context.Context, key domain.ImportKey, w io.Writer) (*KeptAnswer, error)

	// Reject records an import that registered no record, and returns the id of its record. It returns ErrUnavailable if the
	// database is unreachable.
	Reject(ctx context.Context, rejected RejectedImport) (int64, error)
}

// An ImportMode says how an import is run.
type ImportMode struct {
	// Exclusive imports run one at a time. They wait for a transaction that blocks them, where any other import gives way and
	// starts again. An import of more than one batch should be exclusive.
	Exclusive bool

	// Many marks an import of many records, which takes a while. Only some of these run at a time; the others wait, so that
	// imports of a few records need not.
	Many bool

	// DryRun stores no accounts. Only the import itself sees them, and only until it ends. It sees other accounts as they were
	// at its beginning, and blocks no other transaction.
	DryRun bool

	// Key is held by one import at a time. Zero for none.
	Key domain.ImportKey

	// Records are all records of the import, if they are known before it begins. Nil if not.
	Records []domain.Record

	Sender domain.Sender // for the record
}

// An ImportTx is a running import in its transaction. After an error other than ErrTaken the work must return that error.
type ImportTx interface {
	// Taken returns those logins, emails and phones of the records that belong to accounts, including accounts of earlier
	// batches of this import. The set belongs to the caller until the next call. For records without violations it may omit
	// some; Add finds these.
	Taken(ctx context.Context, records []domain.Record) (*domain.Taken, error)

	// Add stores a batch. It returns ErrTaken if one of the batch's logins, emails or phones belongs to an account that Taken
	// omitted. Then nothing of the batch is stored, and the next call of Taken includes that account.
	Add(ctx context.Context, accounts []domain.Account, rejections []domain.Rejection) error

	// Finish records the result of the import, and must be the last call. The answer is stored under the import's key; it is
	// nil for an import without one.
	Finish(ctx context.Context, tally domain.Tally, answer *Answer) error
}

// An Answer is the stored result of an import, with which a repeated request is answered. It contains no passwords, and nothing
// they can be derived from without the server's secret key.
type Answer struct {
	Fingerprint []byte // of the import's file and options
	Salt        []byte // of the passwords
	Expires     time.Time
	Outcomes    io.Reader
	Notes       FileNotes
}

// A KeptAnswer is a stored answer without its outcomes.
type KeptAnswer struct {
	Import      int64
	Tally       domain.Tally
	Fingerprint []byte
	Salt        []byte
	Notes       FileNotes // empty in answers of versions that stored none
	Forgotten   bool      // a person whom the answer named was deleted, and with the person all of it but Import and Tally
}
