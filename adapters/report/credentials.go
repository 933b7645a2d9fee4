package report

import (
	"iter"

	"rollcall/domain"
	"rollcall/ports"
)

var credentials = table[domain.Outcome]{"Credentials", []column[domain.Outcome]{
	{name: string(domain.FieldLastName), bookWidth: 20, isEntry: true, text: func(o *domain.Outcome) string { return o.Name.Last.String() }},
	{name: string(domain.FieldFirstName), bookWidth: 20, isEntry: true, text: func(o *domain.Outcome) string { return o.Name.First.String() }},
	{name: string(domain.FieldPatronymic), bookWidth: 20, isEntry: true, text: func(o *domain.Outcome) string { return o.Name.Patronymic.String() }},
	{name: string(domain.FieldLogin), bookWidth: 20, isEntry: true, text: func(o *domain.Outcome) string { return o.Login }},
	{name: "password", bookWidth: 35, isEntry: true, text: func(o *domain.Outcome) string { return o.Password }},
	{name: string(domain.FieldGroup), bookWidth: 20, isEntry: true, text: func(o *domain.Outcome) string { return o.Group.String() }},
}}

func rejectionsIn(sentences ports.Sentences) table[domain.Outcome] {
	return table[domain.Outcome]{"Rejections", []column[domain.Outcome]{
		{name: "object", bookWidth: 10, number: func(o *domain.Outcome) int64 { return int64(o.Record) }},
		{name: "line", bookWidth: 10, number: func(o *domain.Outcome) int64 { return int64(o.Line) }},
		{name: "sheet", bookWidth: 15, text: func(o *domain.Outcome) string { return o.Sheet }},
		{name: "login", bookWidth: 25, isEntry: true, text: func(o *domain.Outcome) string { return o.Login }},
		{name: "reason", bookWidth: 90, text: func(o *domain.Outcome) string { return sentences.Describe(o.Violations) }},
	}}
}

// registered yields the outcomes of records that were registered, or in a dry run would be.
func registered(outcomes iter.Seq2[domain.Outcome, error]) iter.Seq2[domain.Outcome, error] {
	return filter(outcomes, func(o *domain.Outcome) bool { return o.Violations == nil && !o.Skipped })
}

// notRegistered yields the outcomes of rejected records.
func notRegistered(outcomes iter.Seq2[domain.Outcome, error]) iter.Seq2[domain.Outcome, error] {
	return filter(outcomes, func(o *domain.Outcome) bool { return o.Violations != nil })
}

// filter yields the outcomes for which accept returns true, and errors.
func filter(outcomes iter.Seq2[domain.Outcome, error], accept func(*domain.Outcome) bool) iter.Seq2[domain.Outcome, error] {
	return func(yield func(domain.Outcome, error) bool) {
		for o, err := range outcomes {
			if (err != nil || accept(&o)) && !yield(o, err) {
				return
			}
		}
	}
}
