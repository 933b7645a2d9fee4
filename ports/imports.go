package ports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"rollcall/domain"
)

// ErrUnavailable is returned when something cannot be done now and may succeed later.
var ErrUnavailable = errors.New("unavailable")

// ErrNoRoom is an ErrUnavailable: a disk is full.
var ErrNoRoom = fmt.Errorf("%w: no room on the disk", ErrUnavailable)

// NoRoom marks an error of the system as ErrNoRoom if that is what it means, and as ErrUnavailable where too many files are open.
func NoRoom(err error) error {
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("%w: %w", ErrNoRoom, err)
	}
	return err
}

// ErrTaken is returned when a login, e-mail or phone has come to belong to another account meanwhile.
var ErrTaken = errors.New("taken meanwhile")

var (
	// ErrKeyRunning is returned when an import with the same key is under way.
	ErrKeyRunning = errors.New("import with this key is running")

	// ErrKeyUsed is returned when there is an import with the same key.
	ErrKeyUsed = errors.New("there is an import with this key")

	// ErrKeyReused is returned when a key was used with something else before.
	ErrKeyReused = errors.New("key was used with another file")
)

// Imports keeps what imports did: accounts, rejections, the record of each request, and answers.
type Imports interface {
	// Do runs work in one transaction, which it commits when work returns nil. Where the database undoes the
	// transaction (a deadlock, a clash with another import, a lost connection), Do runs work again from its
	// beginning. It returns the id of the import's record, the error of work, ErrKeyRunning, ErrKeyUsed, or
	// ErrUnavailable.
	Do(ctx context.Context, mode ImportMode, work func(context.Context, ImportTx) error) (int64, error)

	// Recall writes the outcomes that were kept for a key to w, and returns the rest of the answer. It returns ErrNotFound
	// when there is none, the error of w, or ErrUnavailable.
	Recall(ctx context.Context, key domain.ImportKey, w io.Writer) (*KeptAnswer, error)

	// Refuse records a request that registered nobody, with its sender, and returns the record's id. It returns
	// ErrUnavailable when the database cannot be reached.
	Refuse(ctx context.Context, status int, description string, sender domain.Sender) (int64, error)
}

// ImportMode is how an import is run.
type ImportMode struct {
	// Exclusive imports wait for others of their kind to end; then they wait for whoever is in their way, where another
	// one gives way and comes again. An import of more than one batch ought to be exclusive.
	Exclusive bool

	// Many records take a while. Some such imports run at a time, and others wait for them to end, so that those of a few
	// records need not.
	Many bool

	// DryRun keeps no accounts. Only the import itself knows them until it ends, and it knows others' as they were when it
	// began. It is never in anybody's way.
	DryRun bool

	// Key lets only one import of many have it. Zero for none.
	Key domain.ImportKey

	Sender domain.Sender // for its record
}

// ImportTx is an import under way, in its transaction. After an error other than ErrTaken the work must return it.
type ImportTx interface {
	// Taken returns those logins, e-mails and phones of the objects that belong to accounts, be they of earlier
	// batches of this import. The set is the caller's until the next call. Of objects without violations it may leave
	// some out: Add finds these.
	Taken(ctx context.Context, objects []domain.Object) (*domain.Taken, error)

	// Add stores a batch. It returns ErrTaken when an account that Taken did not know has one of its logins, e-mails
	// or phones: then nothing of the batch is stored, and Taken, asked again, knows that account.
	Add(ctx context.Context, accounts []domain.Account, rejections []domain.Rejection) error

	// Finish records what came of the import; it comes last. With a key, the answer is kept for it; else it is nil.
	Finish(ctx context.Context, tally domain.Tally, answer *Answer) error
}

// Answer is what is kept of an import, to answer the request once more. It has no passwords, and no way to them.
type Answer struct {
	Fingerprint []byte // of what was asked for
	Salt        []byte // of the passwords
	Expires     time.Time
	Outcomes    io.Reader
}

// KeptAnswer is an answer that was kept, without its outcomes.
type KeptAnswer struct {
	Import      int64
	Tally       domain.Tally
	Fingerprint []byte
	Salt        []byte
}
