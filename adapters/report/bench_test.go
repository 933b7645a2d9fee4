package report_test

import (
	"fmt"
	"io"
	"iter"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"rollcall/adapters/report"
	"rollcall/domain"
	"rollcall/ports"
)

// The size of the report that BenchmarkWriters writes.
const (
	benchImports    = 100_000
	benchRejections = 1_000_000
)

// big returns a report that repeats a few rows, so that it takes almost no time to read.
func big(imports, rejections int) ports.Report {
	one := domain.Import{
		Status: 200, Method: "POST", Date: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
		Description: "Not all users have been created (created by 9 of 13 users)",
		Count:       domain.Count{Imports: 1, Registered: 9, Rejected: 4},
	}
	few := make([]domain.Rejection, 1000)
	for i := range few {
		login := "student_" + strconv.Itoa(1_000_000+i)
		few[i] = domain.Rejection{
			Login:       login,
			Description: "The login is taken. The phone is not valid.",
			Violations:  domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeTaken}, {Field: domain.FieldPhone, Code: domain.CodeInvalid}},
			Original: fmt.Appendf(nil, `{"login": %q, "phone": "+7 912 345-67", "birthday": "01/02/2003", "last_name": "Иванова", `+
				`"first_name": "Мария", "patronymic": "Петровна"}`, login),
		}
	}
	return ports.Report{
		Imports: func(yield func(domain.Import, error) bool) {
			for i := range imports {
				one.ID = int64(i + 1)
				one.Date = one.Date.Add(time.Second)
				if !yield(one, nil) {
					return
				}
			}
		},
		Rejections: func(yield func(domain.Rejection, error) bool) {
			for i := range rejections {
				r := &few[i%len(few)]
				r.Import, r.Record = int64(i/10+1), i%10+1
				if !yield(*r, nil) {
					return
				}
			}
		},
	}
}

func BenchmarkWriters(b *testing.B) {
	for _, format := range []struct {
		name   string
		writer ports.ReportWriter
	}{
		{"TXT", report.TXT{}},
		{"CSV codes", report.CodesCSV{}},
		{"CSV bad users", report.BadUsersCSV{}},
		{"JSON", report.JSON{}},
		{"rejected JSON", report.RejectedJSON{}},
		{"rejected CSV", report.RejectedCSV{}},
		{"XLSX", report.XLSX{}},
		{"rejected XLSX", report.RejectedXLSX{}},
		{"XLSX by excelize alone", plain{}},
	} {
		b.Run(format.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var size counter
				require.NoError(b, format.writer.Write(&size, big(benchImports, benchRejections)))
				b.ReportMetric(float64(size)/1e6, "MB/file")
			}
		})
	}
}

func BenchmarkCredentials(b *testing.B) {
	words := languages(b)["ru"]
	for _, format := range []struct {
		name   string
		writer ports.OutcomeWriter
	}{
		{"CSV", report.CredentialsCSV{}},
		{"XLSX", report.CredentialsXLSX{Sentences: words}},
	} {
		b.Run(format.name, func(b *testing.B) {
			b.ReportAllocs()
			one := outcomes()[0]
			for b.Loop() {
				var size counter
				require.NoError(b, format.writer.Write(&size, repeated(&one, 1_000_000)))
				b.SetBytes(int64(size))
			}
		})
	}
}

// A counter counts the bytes that are written.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// plain writes the same rows as XLSX does, in the way of excelize's examples, for comparison.
type plain struct{}

func (plain) Write(w io.Writer, report ports.Report) error {
	file := excelize.NewFile()
	defer file.Close()
	style, err := file.NewStyle(&excelize.Style{NumFmt: 22})
	if err != nil {
		return err
	}
	err = plainSheet(file, "Response status codes", report.Imports, func(i domain.Import) []any {
		return []any{i.ID, i.Status, i.Method, excelize.Cell{StyleID: style, Value: i.Date}, i.Description}
	})
	if err != nil {
		return err
	}
	err = plainSheet(file, "Bad request users", report.Rejections, func(r domain.Rejection) []any {
		return []any{r.Import, r.Record, r.Login, r.Description}
	})
	if err != nil {
		return err
	}
	return file.Write(w)
}

func plainSheet[T any](file *excelize.File, name string, values iter.Seq2[T, error], cells func(T) []any) error {
	_, err := file.NewSheet(name)
	if err != nil {
		return err
	}
	stream, err := file.NewStreamWriter(name)
	if err != nil {
		return err
	}
	row := 0
	for value := range values {
		row++
		cell, err := excelize.CoordinatesToCellName(1, row)
		if err != nil {
			return err
		}
		err = stream.SetRow(cell, cells(value))
		if err != nil {
			return err
		}
	}
	return stream.Flush()
}
