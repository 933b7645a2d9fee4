package fake

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"rollcall/domain"
	"rollcall/ports"
)

// NewLog implements ports.OutcomeStore.
func (s *Spools) NewLog() ports.OutcomeLog {
	s.open.Add(1)
	return &outcomeLog{spool: spool{owner: s}}
}

// outcomeLog keeps the appended outcomes as they are, because JSON takes most of the time of tests with thousands of records. Its bytes are
// lines of JSON.
type outcomeLog struct {
	spool // of Write

	appended []domain.Outcome
}

// outcomeLine is an outcome in JSON.
type outcomeLine struct {
	Place      domain.Place
	Login      string
	Name       domain.NameTexts
	Group      string
	Violations domain.Violations
	Skipped    bool
}

// Append implements ports.OutcomeLog.
func (l *outcomeLog) Append(o domain.Outcome) error {
	o.Password, o.Violations = "", slices.Clone(o.Violations)
	l.appended = append(l.appended, o)
	return nil
}

// Reader implements ports.OutcomeLog.
func (l *outcomeLog) Reader() *io.SectionReader {
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	for _, o := range l.appended {
		name := domain.NameTexts{First: o.Name.First.String(), Last: o.Name.Last.String(), Patronymic: o.Name.Patronymic.String()}
		err := lines.Encode(outcomeLine{o.Place, o.Login, name, o.Group.String(), o.Violations, o.Skipped})
		if err != nil {
			panic(err) // neither the type nor the buffer can fail
		}
	}
	b.Write(l.Bytes())
	return io.NewSectionReader(bytes.NewReader(b.Bytes()), 0, int64(b.Len()))
}

// Flush implements ports.OutcomeLog.
func (*outcomeLog) Flush() error { return nil }

// Outcomes implements ports.OutcomeLog.
func (l *outcomeLog) Outcomes() iter.Seq2[domain.Outcome, error] {
	return func(yield func(domain.Outcome, error) bool) {
		for i, outcome := range l.appended {
			outcome.Record = i + 1
			if !yield(outcome, nil) {
				return
			}
		}
		lines := json.NewDecoder(l.spool.Reader())
		for number := len(l.appended) + 1; ; number++ {
			var line outcomeLine
			err := lines.Decode(&line)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(domain.Outcome{}, fmt.Errorf("read outcomes: %w", err))
				return
			}
			outcome := domain.Outcome{
				Place: line.Place, Record: number, Login: line.Login, Name: domain.RestoreFullName(line.Name),
				Group: domain.RestoreGroup(line.Group), Violations: line.Violations, Skipped: line.Skipped,
			}
			if !yield(outcome, nil) {
				return
			}
		}
	}
}

// SlipOrder implements ports.OutcomeStore.
func (*Spools) SlipOrder(outcomes iter.Seq2[domain.Outcome, error]) (*domain.SlipOrder, error) {
	type slip struct {
		key, group string
		record     int32
	}
	var slips []slip
	for o, err := range outcomes {
		if err != nil {
			return nil, err
		}
		if o.Violations == nil && !o.Skipped {
			key, group := domain.AppendSlipKey(nil, &o)
			slips = append(slips, slip{string(key), string(group), int32(o.Record)})
		}
	}
	slices.SortStableFunc(slips, func(a, b slip) int { return cmp.Compare(a.key, b.key) })
	order := &domain.SlipOrder{}
	for i, s := range slips {
		if i == 0 || s.group != slips[i-1].group {
			order.Groups = append(order.Groups, int32(i))
		}
		order.Records = append(order.Records, s.record)
	}
	return order, nil
}
