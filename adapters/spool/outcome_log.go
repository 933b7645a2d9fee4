package spool

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

// outcomeLog stores outcomes in a spool.
//
// An outcome is a kind, the login, and then either the last name, first name and patronymic, or the field, code and limit of each
// violation. Numbers are varints, and a text is its length and its bytes. Answers are stored in this format and outlive an upgrade,
// so it must not change.
type outcomeLog struct {
	*spool

	writer *bufio.Writer
	buffer []byte
}

// The kinds of outcomes. An outcome with n violations has the kind rejected + n - 1.
const (
	registered = iota
	skipped
	rejected
)

// NewLog implements ports.OutcomeStore.
func (s *Spools) NewLog() ports.OutcomeLog {
	spool := &spool{owner: s}
	return &outcomeLog{spool: spool, writer: bufio.NewWriter(spool)}
}

// Append implements ports.OutcomeLog.
func (l *outcomeLog) Append(o domain.Outcome) error {
	b := l.buffer[:0]
	if o.Violations == nil {
		kind := byte(registered)
		if o.Skipped {
			kind = skipped
		}
		b = appendText(append(b, kind), o.Login)
		b = appendText(b, o.Name.Last.String())
		b = appendText(b, o.Name.First.String())
		b = appendText(b, o.Name.Patronymic.String())
	} else {
		b = binary.AppendUvarint(b, uint64(rejected+len(o.Violations)-1))
		b = appendText(b, o.Login)
		for _, v := range o.Violations {
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

// Flush implements ports.OutcomeLog.
func (l *outcomeLog) Flush() error { return l.writer.Flush() }

// Outcomes implements ports.OutcomeLog.
func (l *outcomeLog) Outcomes() iter.Seq2[domain.Outcome, error] {
	return func(yield func(domain.Outcome, error) bool) {
		r := bufio.NewReader(l.Reader())
		for number := 1; ; number++ {
			outcome, err := readOutcome(r)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(domain.Outcome{}, fmt.Errorf("read outcomes: %w", err))
				return
			}
			outcome.Record = number
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
	read := outcomeReader{r: r}
	o := domain.Outcome{Login: read.text(), Skipped: kind == skipped}
	if kind < rejected {
		o.Name = domain.RestoreFullName(domain.NameTexts{Last: read.text(), First: read.text(), Patronymic: read.text()})
	}
	for n := uint64(rejected); n <= kind && read.err == nil; n++ {
		o.Violations = append(o.Violations, domain.Violation{
			Field: domain.Field(read.text()), Code: domain.Code(read.text()), Limit: int(read.number()),
		})
	}
	return o, read.err
}

// outcomeReader stores the first error, so that an outcome can be read in one expression.
type outcomeReader struct {
	r   *bufio.Reader
	err error
}

func (o *outcomeReader) number() uint64 {
	if o.err != nil {
		return 0
	}
	var n uint64
	n, o.err = binary.ReadUvarint(o.r)
	o.markUnexpectedEnd()
	return n
}

func (o *outcomeReader) text() string {
	b := make([]byte, o.number())
	if o.err == nil {
		_, o.err = io.ReadFull(o.r, b)
		o.markUnexpectedEnd()
	}
	return string(b)
}

// markUnexpectedEnd distinguishes an end within an outcome from the end of the log.
func (o *outcomeReader) markUnexpectedEnd() {
	if errors.Is(o.err, io.EOF) {
		o.err = io.ErrUnexpectedEOF
	}
}
