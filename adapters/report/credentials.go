package report

import (
	"io"
	"iter"

	"rollcall/domain"
	"rollcall/ports"
)

// CredentialsCSV writes whom an import registered, with logins and passwords, as CSV does: a row for each account made. Of
// a dry run they are those that would be made, without passwords.
type CredentialsCSV struct {
	Language string // of the reader, empty for English
}

// CredentialsXLSX writes what came of an import as a workbook: a sheet with the rows of CredentialsCSV, and one with the
// refused objects and what is wrong with each. It ranges over the outcomes twice.
type CredentialsXLSX struct {
	Sentences ports.Sentences
	Dir       string // where sheets wait for their turn, empty for the system's temporary folder

	sheetRows int // see XLSX
}

var (
	credentials = table{"Credentials", []column{
		{string(domain.FieldLastName), entry, 20},
		{string(domain.FieldFirstName), entry, 20},
		{string(domain.FieldPatronymic), entry, 20},
		{string(domain.FieldLogin), entry, 20},
		{"password", entry, 35},
	}}
	rejections = table{"Rejections", []column{
		{"object", number, 10},
		{"login", entry, 25},
		{"reason", words, 90},
	}}
)

// Write implements ports.OutcomeWriter.
func (c CredentialsCSV) Write(w io.Writer, outcomes iter.Seq2[domain.Outcome, error]) error {
	return writeCSV(w, c.Language, credentials, func(o *csvOutput) error {
		return each("outcomes", outcomes, func(outcome *domain.Outcome) error {
			if !isCredential(outcome) {
				return nil
			}
			addText(o, outcome.Name.Last.String())
			addText(o, outcome.Name.First.String())
			addText(o, outcome.Name.Patronymic.String())
			addText(o, outcome.Login)
			addText(o, outcome.Password)
			return o.rowEnds()
		})
	})
}

// Write implements ports.OutcomeWriter.
func (x CredentialsXLSX) Write(w io.Writer, outcomes iter.Seq2[domain.Outcome, error]) error {
	return writeWorkbook(w, x.Dir, x.sheetRows, func(book *workbook) error {
		sheets := book.table(credentials)
		err := each("outcomes", outcomes, func(o *domain.Outcome) error {
			if !isCredential(o) {
				return nil
			}
			return sheets.add(o.Name.Last.String(), o.Name.First.String(), o.Name.Patronymic.String(), o.Login, o.Password)
		})
		if err == nil {
			err = sheets.end()
		}
		if err != nil {
			return err
		}
		sheets = book.table(rejections)
		err = each("outcomes", outcomes, func(o *domain.Outcome) error {
			if o.Violations == nil {
				return nil
			}
			return sheets.add(o.Record, o.Login, x.Sentences.Describe(o.Violations))
		})
		if err != nil {
			return err
		}
		return sheets.end()
	})
}

// isCredential tells an account that was made, or would be, from one refused or skipped.
func isCredential(o *domain.Outcome) bool { return o.Violations == nil && !o.Skipped }
