package report_test

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/report"
	"rollcall/domain"
	"rollcall/ports"
)

// Memory does not grow with the report. BenchmarkWriters measures a million rows.
func TestMemory(t *testing.T) {
	const mib = 1 << 20
	for _, f := range []struct {
		name   string
		writer ports.ReportWriter
		rows   int
		bound  uint64
	}{
		{"CSV", report.BadUsersCSV{}, 5_000, mib},
		{"JSON", report.JSON{}, 5_000, mib},
		{"TXT", report.TXT{}, 5_000, mib},
		{"rejected JSON", report.RejectedJSON{}, 5_000, mib},
		// Excelize keeps up to 16 MiB of a sheet in memory, in a buffer that may be twice as large.
		{"XLSX", report.XLSX{Dir: t.TempDir()}, 12_000, 40 * mib},
	} {
		t.Run(f.name, func(t *testing.T) {
			var before, now runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			peak := uint64(0)
			sized := domain.Rejection{Description: strings.Repeat("long ", 800), Original: []byte(`{"login":"` + strings.Repeat("l", 4000) + `"}`)}
			require.NoError(t, f.writer.Write(io.Discard, ports.Report{
				Imports: func(func(domain.Import, error) bool) {},
				Rejections: func(yield func(domain.Rejection, error) bool) {
					for i := range f.rows {
						if !yield(sized, nil) {
							return
						}
						if i%1000 == 999 {
							runtime.GC()
							runtime.ReadMemStats(&now)
							peak = max(peak, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
						}
					}
				},
			}))
			require.Less(t, peak, f.bound)
		})
	}
}

func TestCredentialsMemory(t *testing.T) {
	const mib = 1 << 20
	long := strings.Repeat("long ", 800)
	one := domain.Outcome{Login: long, Name: domain.RestoreFullName(domain.NameTexts{Last: long, First: "", Patronymic: ""})}
	for _, f := range []struct {
		name   string
		writer ports.OutcomeWriter
		rows   int
		bound  uint64
	}{
		{"CSV", report.CredentialsCSV{}, 1_000, mib},
		// Excelize keeps up to 16 MiB of a sheet in memory, in a buffer that may be twice as large.
		{"XLSX", report.CredentialsXLSX{Sentences: languages(t)["en"], Dir: t.TempDir()}, 6_000, 40 * mib},
	} {
		t.Run(f.name, func(t *testing.T) {
			var before, now runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			peak := uint64(0)
			require.NoError(t, f.writer.Write(io.Discard, func(yield func(domain.Outcome, error) bool) {
				for o, err := range repeated(&one, f.rows) {
					if !yield(o, err) {
						return
					}
					if o.Record%(f.rows/10) == 0 {
						runtime.GC()
						runtime.ReadMemStats(&now)
						peak = max(peak, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
					}
				}
			}))
			require.Less(t, peak, f.bound)
		})
	}
}
