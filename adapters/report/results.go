package report

import (
	"io"
	"iter"
	"slices"

	"rollcall/domain"
	"rollcall/ports"
)

// ResultsCSV writes the results of a change of many users, a row for each person, as a CSV file.
type ResultsCSV struct {
	Words  ports.Words
	Action domain.BulkAction
}

// ResultsXLSX writes the rows of ResultsCSV as a workbook.
type ResultsXLSX struct {
	Words  ports.Words
	Action domain.BulkAction
	Dir    string // for temporary files; empty for the system's temporary folder
}

// Write implements ports.OutcomeWriter.
func (r ResultsCSV) Write(w io.Writer, outcomes iter.Seq2[domain.Outcome, error]) error {
	return writeCSV(w, r.Words.Language(), resultsIn(r.Words, r.Action), "outcomes", outcomes)
}

// Write implements ports.OutcomeWriter.
func (r ResultsXLSX) Write(w io.Writer, outcomes iter.Seq2[domain.Outcome, error]) error {
	return writeWorkbook(w, r.Dir, 0, func(book *workbook) error {
		return addTable(book, resultsIn(r.Words, r.Action), "outcomes", outcomes)
	})
}

// resultsIn returns the table of results: the person as in the table of credentials, without the password.
func resultsIn(words ports.Words, action domain.BulkAction) table[domain.Outcome] {
	done, leftOut := words.Text("bulk.result."+string(action)), words.Text("bulk.result.left_out")
	person := slices.DeleteFunc(slices.Clone(credentials.columns), func(c column[domain.Outcome]) bool { return c.name == "password" })
	return table[domain.Outcome]{"Results", append(person,
		column[domain.Outcome]{name: "result", bookWidth: 25, text: func(o *domain.Outcome) string {
			if o.Violations != nil {
				return leftOut
			}
			return done
		}},
		column[domain.Outcome]{name: "reason", bookWidth: 60, text: func(o *domain.Outcome) string { return words.Describe(o.Violations) }},
	)}
}
