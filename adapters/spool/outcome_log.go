package spool

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"rollcall/domain"
	"rollcall/ports"
)

// outcomeLog stores outcomes in a spool.
//
// An outcome is a kind, the login, and then either the last name, first name and patronymic, or the field, code and limit of each
// violation. Numbers are varints, and a text is its length and its bytes. Answers are stored in this format and outlive an upgrade,
// so it must not change.
//
// The group follows the patronymic in its text, after a tab, which neither of them has. The place of a rejected record follows as a violation without a code, with the sheet as field and the line as limit. So versions
// that store no groups or places read the rest of the outcome. The name and group of a rejected record, if it has a name, follow as another
// one, whose field is a tab and the texts with tabs between them.
type outcomeLog struct {
	*spool

	buffer []byte // outcomes that are not in the spool yet
}

// logBuffer is the number of bytes that are written to the spool, or read from it, at a time.
const logBuffer = 4 << 10

// The kinds of outcomes. An outcome with n violations, the one that is a place included, has the kind rejected + n - 1.
const (
	registered = iota
	skipped
	rejected
)

// beforeGroup stands between a patronymic and a group.
const beforeGroup = "\t"

// NewLog implements ports.OutcomeStore.
func (s *Spools) NewLog() ports.OutcomeLog {
	return &outcomeLog{spool: &spool{owner: s}}
}

// Append implements ports.OutcomeLog.
func (l *outcomeLog) Append(o domain.Outcome) error {
	b := l.buffer
	if o.Violations == nil {
		kind := byte(registered)
		if o.Skipped {
			kind = skipped
		}
		b = appendText(append(b, kind), o.Login)
		b = appendText(b, o.Name.Last.String())
		b = appendText(b, o.Name.First.String())
		patronymic, group := o.Name.Patronymic.String(), o.Group.String()
		if group == "" {
			b = appendText(b, patronymic)
		} else {
			b = binary.AppendUvarint(b, uint64(len(patronymic)+len(beforeGroup)+len(group)))
			b = append(append(append(b, patronymic...), beforeGroup...), group...)
		}
	} else {
		violations := o.Violations
		if o.Place != (domain.Place{}) {
			violations = append(slices.Clip(violations), domain.Violation{Field: domain.Field(o.Sheet), Limit: o.Line})
		}
		if o.Name != (domain.FullName{}) {
			person := []string{"", o.Name.Last.String(), o.Name.First.String(), o.Name.Patronymic.String(), o.Group.String()}
			violations = append(slices.Clip(violations), domain.Violation{Field: domain.Field(strings.Join(person, beforeGroup))})
		}
		b = binary.AppendUvarint(b, uint64(rejected+len(violations)-1))
		b = appendText(b, o.Login)
		for _, v := range violations {
			b = appendViolation(b, v)
		}
	}
	l.buffer = b
	if len(b) < logBuffer {
		return nil
	}
	return l.Flush()
}

func appendViolation(b []byte, v domain.Violation) []byte {
	b = appendText(b, string(v.Field))
	b = appendText(b, string(v.Code))
	return binary.AppendUvarint(b, uint64(v.Limit))
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Flush implements ports.OutcomeLog.
func (l *outcomeLog) Flush() error {
	_, err := l.Write(l.buffer)
	l.buffer = l.buffer[:0]
	return err
}

// Outcomes implements ports.OutcomeLog.
func (l *outcomeLog) Outcomes() iter.Seq2[domain.Outcome, error] {
	return func(yield func(domain.Outcome, error) bool) {
		r := bufio.NewReaderSize(l.Reader(), int(min(l.Size(), logBuffer)))
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
		name := domain.NameTexts{Last: read.text(), First: read.text()}
		patronymic, group, _ := strings.Cut(read.text(), beforeGroup)
		name.Patronymic = patronymic
		o.Name, o.Group = domain.RestoreFullName(name), domain.RestoreGroup(group)
	}
	for n := uint64(rejected); n <= kind && read.err == nil; n++ {
		v := domain.Violation{Field: domain.Field(read.text()), Code: domain.Code(read.text()), Limit: int(read.number())}
		person, isPerson := strings.CutPrefix(string(v.Field), beforeGroup)
		switch {
		case v.Code != "":
			o.Violations = append(o.Violations, v)
		case isPerson:
			texts := append(strings.SplitN(person, beforeGroup, 4), "", "", "", "") //nolint:mnd // the names and the group
			o.Name = domain.RestoreFullName(domain.NameTexts{Last: texts[0], First: texts[1], Patronymic: texts[2]})
			o.Group = domain.RestoreGroup(texts[3])
		default:
			o.Place = domain.Place{Sheet: string(v.Field), Line: v.Limit}
		}
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
