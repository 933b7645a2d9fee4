package application

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"

	"rollcall/domain"
	"rollcall/ports"
)

// outcomeLog keeps what came of each object until it is answered, in a spool: an import may be larger than the memory.
// It holds no passwords; these are made again when the outcomes are read.
//
// An object is: what came of it, its login, then the last name, first name and patronymic of one without violations, or
// field, code and limit of each violation. Numbers are varints, a text is its length and its bytes.
type outcomeLog struct {
	spool  ports.Spool
	writer *bufio.Writer
	buffer []byte
}

// What came of an object: from refused on, it has one violation, or as many more as the number is greater.
const (
	created = iota
	skipped
	refused
)

func newOutcomeLog(spool ports.Spool) *outcomeLog {
	return &outcomeLog{spool: spool, writer: bufio.NewWriter(spool)}
}

// Append adds the outcome of the next object.
func (l *outcomeLog) Append(o *domain.Object, violations domain.Violations, skips bool) error {
	b := l.buffer[:0]
	if violations == nil {
		kind := byte(created)
		if skips {
			kind = skipped
		}
		reg := &o.Registration
		b = appendText(append(b, kind), reg.Login.String())
		b = appendText(b, reg.Name.Last.String())
		b = appendText(b, reg.Name.First.String())
		b = appendText(b, reg.Name.Patronymic.String())
	} else {
		b = binary.AppendUvarint(b, uint64(refused+len(violations)-1))
		b = appendText(b, o.Login)
		for _, v := range violations {
			b = appendText(b, string(v.Field))
			b = appendText(b, string(v.Code))
			b = binary.AppendUvarint(b, uint64(v.Limit))
		}
	}
	l.buffer = b
	_, err := l.writer.Write(b)
	return err
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Flush completes the log, before the import is committed: afterwards it is too late to find that there is no room.
func (l *outcomeLog) Flush() error { return l.writer.Flush() }

// Outcomes yields what was appended up to Flush, with the passwords of issuer, if there is one. Many are read, and their
// passwords made, while those before them are answered.
func (l *outcomeLog) Outcomes(issuer ports.Issuer) iter.Seq2[domain.Outcome, error] {
	outcomes := l.outcomes(issuer)
	if l.spool.Size() < largeSize {
		return outcomes
	}
	const chunk = 1024
	return flat(ahead(chunks(outcomes, chunk)))
}

func (l *outcomeLog) outcomes(issuer ports.Issuer) iter.Seq2[domain.Outcome, error] {
	return func(yield func(domain.Outcome, error) bool) {
		r := bufio.NewReader(l.spool.Reader())
		for object := 1; ; object++ {
			outcome, err := readOutcome(r)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(domain.Outcome{}, fmt.Errorf("read outcomes: %w", err))
				return
			}
			outcome.Object = object
			if issuer != nil && outcome.Violations == nil && !outcome.Skipped {
				outcome.Password = issuer.Password(object)
			}
			if !yield(outcome, nil) {
				return
			}
		}
	}
}

// readOutcome returns io.EOF at the end of the log.
func readOutcome(r *bufio.Reader) (domain.Outcome, error) {
	kind, err := binary.ReadUvarint(r)
	if err != nil {
		return domain.Outcome{}, err
	}
	read := logReader{r: r}
	o := domain.Outcome{Login: read.text(), Skipped: kind == skipped}
	if kind < refused {
		o.Name = domain.RestoreFullName(domain.NameTexts{Last: read.text(), First: read.text(), Patronymic: read.text()})
	}
	for n := uint64(refused); n <= kind; n++ {
		o.Violations = append(o.Violations, domain.Violation{
			Field: domain.Field(read.text()), Code: domain.Code(read.text()), Limit: int(read.number()),
		})
	}
	return o, read.err
}

// logReader keeps the first error, so that an outcome reads in one expression.
type logReader struct {
	r   *bufio.Reader
	err error
}

func (l *logReader) number() uint64 {
	if l.err != nil {
		return 0
	}
	var n uint64
	n, l.err = binary.ReadUvarint(l.r)
	l.inside()
	return n
}

func (l *logReader) text() string {
	b := make([]byte, l.number())
	if l.err == nil {
		_, l.err = io.ReadFull(l.r, b)
		l.inside()
	}
	return string(b)
}

// inside makes an end inside of an outcome an error of its own.
func (l *logReader) inside() {
	if errors.Is(l.err, io.EOF) {
		l.err = io.ErrUnexpectedEOF
	}
}

// Close frees the spool.
func (l *outcomeLog) Close() error { return l.spool.Close() }
