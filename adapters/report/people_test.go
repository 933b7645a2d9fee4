package report_test

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/bulkfile"
	"rollcall/adapters/report"
	"rollcall/adapters/spool"
	"rollcall/domain"
	"rollcall/ports"
)

// TestFilesHaveEveryFieldOfAPerson decodes files that the program writes: templates have a column for each field of a person,
// and files of rejected records have each value.
func TestFilesHaveEveryFieldOfAPerson(t *testing.T) {
	files := bulkfile.Files{Spools: spool.New(t.TempDir()), MaxInflated: 1 << 20}
	section := func(file []byte) *io.SectionReader {
		return io.NewSectionReader(bytes.NewReader(file), 0, int64(len(file)))
	}
	texts := map[string]string{}
	for _, field := range domain.PersonColumns() {
		texts[string(field.Name())] = "value of " + string(field.Name())
	}
	original, err := json.Marshal(texts)
	require.NoError(t, err)
	rejections := []domain.Rejection{{Place: domain.Place{Sheet: "5А", Line: 2}, Record: 1, Description: "why", Original: original}}
	for name, writer := range map[string]ports.ReportWriter{
		"rejected.json": report.RejectedJSON{}, "rejected.csv": report.RejectedCSV{}, "rejected.xlsx": report.RejectedXLSX{Dir: t.TempDir()},
	} {
		t.Run(name, func(t *testing.T) {
			file := section(write(t, writer, of(t, nil, rejections)))
			records := 0
			var notes ports.FileNotes
			for candidate, err := range files.Candidates(file, ports.FileHint{Name: name}, &notes) {
				require.NoError(t, err)
				records++
				for field, given := range candidate.Given {
					require.Equal(t, texts[string(domain.PersonField(field).Name())], given.Text)
				}
			}
			require.Equal(t, 1, records)
			require.Empty(t, notes.Ignored)
		})
	}
	for language, words := range languages(t) {
		for name, writer := range map[string]ports.TemplateWriter{"csv": report.TemplateCSV{}, "xlsx": report.TemplateXLSX{Dir: t.TempDir()}} {
			t.Run("template "+language+" "+name, func(t *testing.T) {
				var file bytes.Buffer
				require.NoError(t, writer.Write(&file, words))
				layout, err := files.Layout(section(file.Bytes()), ports.FileHint{Name: "template." + name})
				require.NoError(t, err)
				var fields []domain.Field
				for _, column := range layout.Columns {
					fields = append(fields, column.Field)
				}
				for i, field := range domain.PersonColumns() {
					require.Equal(t, field.Name(), fields[i], "column %q", layout.Columns[i].Header)
				}
			})
		}
	}
}
