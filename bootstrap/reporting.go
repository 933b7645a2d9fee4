package bootstrap

import (
	"log/slog"
	"runtime"
	"time"

	"rollcall/adapters/exports"
	"rollcall/adapters/report"
	"rollcall/adapters/spool"
	"rollcall/application"
	"rollcall/ports"
)

// exportPatience is how long an export waits for those before it.
const exportPatience = time.Minute

// newExportReport wires the use case that makes files of reports.
func (cmd *serveCommand) newExportReport(reports ports.ReportStore, spools *spool.Spools, log *slog.Logger) *application.ExportReport {
	exports := exports.New(cmd.ExportsDir, int64(cmd.MaxExports))
	err := exports.Sweep()
	if err != nil {
		log.Error("the folder of exports was not tidied", "error", err)
	}
	return application.NewExportReport(application.ExportConfig{
		Reports: reports,
		Exports: exports,
		Formats: map[string]application.ExportFormat{
			"xlsx":          {Writer: report.XLSX{Location: time.Local, Dir: spools.Dir()}, Kind: "rollcall", Extension: "xlsx"},
			"txt":           {Writer: report.TXT{Spools: spools, Location: time.Local}, Kind: "rollcall", Extension: "txt"},
			"csv-codes":     {Writer: report.CSV{Table: report.Codes, Location: time.Local}, Kind: "rollcall-codes", Extension: "csv"},
			"csv-bad_users": {Writer: report.CSV{Table: report.BadUsers, Location: time.Local}, Kind: "rollcall-bad_users", Extension: "csv"},
			"json":          {Writer: report.JSON{}, Kind: "rollcall", Extension: "json", Violations: true},
			"rejected.json": {Writer: report.RejectedJSON{}, Kind: "rollcall-rejected", Extension: "json", OneImport: true},
			"rejected.csv":  {Writer: report.RejectedCSV{}, Kind: "rollcall-rejected", Extension: "csv", OneImport: true},
			"rejected.xlsx": {Writer: report.RejectedXLSX{Dir: spools.Dir()}, Kind: "rollcall-rejected", Extension: "xlsx", OneImport: true},
		},
		Now:      time.Now,
		AtOnce:   max(1, runtime.GOMAXPROCS(0)/2),
		Patience: exportPatience,
	})
}
