package bulkfile_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"rollcall/adapters/bulkfile"
	"rollcall/adapters/spool"
	"rollcall/domain"
	"rollcall/ports"
)

// BenchmarkFiles decodes and checks records, all of them valid.
func BenchmarkFiles(b *testing.B) {
	const records = 20_000
	files := bulkfile.Files{Spools: spool.New(b.TempDir()), MaxInflated: 1 << 30}
	rules := domain.Rules{Region: "RU", Today: 20_000}
	for _, format := range []ports.FileFormat{ports.FormatJSON, ports.FormatNDJSON, ports.FormatCSV, ports.FormatXLSX} {
		b.Run(string(format), func(b *testing.B) {
			file := bytes.NewReader(benchFile(b, format, records))
			b.ReportAllocs()
			for b.Loop() {
				valid := 0
				for candidate, err := range files.Candidates(io.NewSectionReader(file, 0, file.Size()), ports.FileHint{Format: format}, &ports.FileNotes{}) {
					require.NoError(b, err)
					if record := rules.Check(candidate); record.Violations == nil {
						valid++
					}
				}
				require.Equal(b, records, valid)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
		})
	}
}

func benchFile(b *testing.B, format ports.FileFormat, records int) []byte {
	b.Helper()
	fields := []any{"last_name", "first_name", "patronymic", "login", "email", "phone", "birthday"}
	person := func(n int) []any {
		return []any{
			"Иванова", fmt.Sprintf("Анна-%d", n), "Петровна", fmt.Sprintf("anna.ivanova%d", n), fmt.Sprintf("anna.ivanova%d@example.com", n),
			fmt.Sprintf("+7912%07d", n), "29.02.2000",
		}
	}
	var buf bytes.Buffer
	if format == ports.FormatXLSX {
		book := excelize.NewFile()
		require.NoError(b, book.SetSheetRow("Sheet1", "A1", &fields))
		for n := range records {
			row := person(n)
			require.NoError(b, book.SetSheetRow("Sheet1", fmt.Sprintf("A%d", n+2), &row))
		}
		require.NoError(b, book.Write(&buf))
		return buf.Bytes()
	}
	open, between, end := "", "\n", "\n"
	switch format {
	case ports.FormatJSON:
		open, between, end = "[\n", ",\n", "\n]\n"
	case ports.FormatCSV:
		open = "last_name,first_name,patronymic,login,email,phone,birthday\n"
	}
	buf.WriteString(open)
	for n := range records {
		if n > 0 {
			buf.WriteString(between)
		}
		if format == ports.FormatCSV {
			fmt.Fprintf(&buf, "%s,%s,%s,%s,%s,%s,%s", person(n)...)
			continue
		}
		fmt.Fprintf(&buf, `{"last_name":%q,"first_name":%q,"patronymic":%q,"login":%q,"email":%q,"phone":%q,"birthday":%q}`, person(n)...)
	}
	buf.WriteString(end)
	return buf.Bytes()
}
