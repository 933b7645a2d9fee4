package fake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"rollcall/domain"
	"rollcall/ports"
)

// NewLog implements ports.OutcomeStore.
func (s *Spools) NewLog() ports.OutcomeLog {
	s.open.Add(1)
	return &outcomeLog{spool: spool{owner: s}}
}

// outcomeLog stores outcomes as lines of JSON.
type outcomeLog struct{ spool }

// outcomeLine is an outcome in JSON.
type outcomeLine struct {
	Place      domain.Place
	Login      string
	Name       domain.NameTexts
	Violations domain.Violations
	Skipped    bool
}

// Append implements ports.OutcomeLog.
func (l *outcomeLog) Append(o domain.Outcome) error {
	name := domain.NameTexts{First: o.Name.First.String(), Last: o.Name.Last.String(), Patronymic: o.Name.Patronymic.String()}
	err := json.NewEncoder(&l.spool).Encode(outcomeLine{o.Place, o.Login, name, o.Violations, o.Skipped})
	if err != nil {
		return fmt.Errorf("append outcome: %w", err)
	}
	return nil
}

// Flush implements ports.OutcomeLog.
func (*outcomeLog) Flush() error { return nil }

// After implements ports.OutcomeLog.
func (l *outcomeLog) After(registered int) iter.Seq2[domain.Outcome, error] {
	return func(yield func(domain.Outcome, error) bool) {
		for outcome, err := range l.Outcomes() {
			if err == nil && registered > 0 {
				if outcome.Violations == nil && !outcome.Skipped {
					registered--
				}
				continue
			}
			if !yield(outcome, err) {
				return
			}
		}
	}
}

// Outcomes implements ports.OutcomeLog.
func (l *outcomeLog) Outcomes() iter.Seq2[domain.Outcome, error] {
	return func(yield func(domain.Outcome, error) bool) {
		lines := json.NewDecoder(l.Reader())
		for number := 1; ; number++ {
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
				Place: line.Place, Record: number, Login: line.Login, Name: domain.RestoreFullName(line.Name), Violations: line.Violations, Skipped: line.Skipped,
			}
			if !yield(outcome, nil) {
				return
			}
		}
	}
}
