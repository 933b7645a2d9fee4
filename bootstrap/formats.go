package bootstrap

import (
	"time"

	"rollcall/adapters/report"
	"rollcall/adapters/spool"
	"rollcall/adapters/web/api"
	"rollcall/application"
	"rollcall/ports"
)

// exportFormats returns the formats of exported reports, by the last part of their URLs.
func exportFormats(spools *spool.Spools) map[string]application.ExportFormat {
	return map[string]application.ExportFormat{
		"xlsx":          {Writer: report.XLSX{Location: time.Local, Dir: spools.Dir()}, Kind: "rollcall", Extension: "xlsx"},
		"txt":           {Writer: report.TXT{Location: time.Local}, Kind: "rollcall", Extension: "txt"},
		"csv-codes":     {Writer: report.CodesCSV{Location: time.Local}, Kind: "rollcall-codes", Extension: "csv"},
		"csv-bad_users": {Writer: report.BadUsersCSV{}, Kind: "rollcall-bad_users", Extension: "csv"},
		"json":          {Writer: report.JSON{}, Kind: "rollcall", Extension: "json", Violations: true},
		"rejected.json": {Writer: report.RejectedJSON{}, Kind: "rollcall-rejected", Extension: "json", OneImport: true},
		"rejected.csv":  {Writer: report.RejectedCSV{}, Kind: "rollcall-rejected", Extension: "csv", OneImport: true},
		"rejected.xlsx": {Writer: report.RejectedXLSX{Dir: spools.Dir()}, Kind: "rollcall-rejected", Extension: "xlsx", OneImport: true},
	}
}

// templates returns the files that operators fill in, by extension.
func templates(spools *spool.Spools) map[string]ports.TemplateWriter {
	return map[string]ports.TemplateWriter{
		"csv":  report.TemplateCSV{},
		"xlsx": report.TemplateXLSX{Dir: spools.Dir()},
	}
}

// sheets returns the files of logins and passwords, by extension.
func sheets(spools *spool.Spools) api.Sheets {
	return api.Sheets{
		"csv": func(words ports.Words) ports.OutcomeWriter {
			return report.CredentialsCSV{Language: words.Language()}
		},
		"xlsx": func(words ports.Words) ports.OutcomeWriter {
			return report.CredentialsXLSX{Sentences: words, Dir: spools.Dir()}
		},
	}
}
