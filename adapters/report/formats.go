package report

import (
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// Formats returns the formats of exports, by the names that URLs have for them. Dates are in a location; temporary files are in dir, or in
// the system's temporary folder if dir is empty.
func Formats(location *time.Location, dir string) map[string]ports.ExportFormat {
	return map[string]ports.ExportFormat{
		"xlsx":          {Writer: XLSX{Location: location, Dir: dir}, Kind: "rollcall", Extension: "xlsx"},
		"txt":           {Writer: TXT{Location: location}, Kind: "rollcall", Extension: "txt"},
		"csv-codes":     {Writer: CodesCSV{Location: location}, Kind: "rollcall-codes", Extension: "csv"},
		"csv-bad_users": {Writer: BadUsersCSV{}, Kind: "rollcall-bad_users", Extension: "csv"},
		"json":          {Writer: JSON{}, Kind: "rollcall", Extension: "json", Violations: true},
		"rejected.json": {Writer: RejectedJSON{}, Kind: "rollcall-rejected", Extension: "json", OneImport: true},
		"rejected.csv":  {Writer: RejectedCSV{}, Kind: "rollcall-rejected", Extension: "csv", OneImport: true},
		"rejected.xlsx": {Writer: RejectedXLSX{Dir: dir}, Kind: "rollcall-rejected", Extension: "xlsx", OneImport: true},
	}
}

// Users returns the formats of files of users, by extension. Times are in a location; temporary files are in dir, as in Formats.
func Users(location *time.Location, dir string) map[string]ports.UserWriter {
	return map[string]ports.UserWriter{
		"csv": UsersCSV{Location: location}, "xlsx": UsersXLSX{Location: location, Dir: dir}, "json": UsersJSON{},
	}
}

// Templates returns the files that operators fill in, by extension.
func Templates(dir string) map[string]ports.TemplateWriter {
	return map[string]ports.TemplateWriter{"csv": TemplateCSV{}, "xlsx": TemplateXLSX{Dir: dir}}
}

// Credentials returns the files of logins and passwords, by extension, for readers of a language.
func Credentials(dir string) map[string]func(ports.Words) ports.OutcomeWriter {
	return map[string]func(ports.Words) ports.OutcomeWriter{
		"csv":  func(words ports.Words) ports.OutcomeWriter { return CredentialsCSV{Language: words.Language()} },
		"xlsx": func(words ports.Words) ports.OutcomeWriter { return CredentialsXLSX{Sentences: words, Dir: dir} },
	}
}

// Results returns the writers of the results of a change of many users, by extension, for readers of a language.
func Results(dir string) map[string]func(ports.Words, domain.BulkAction) ports.OutcomeWriter {
	return map[string]func(ports.Words, domain.BulkAction) ports.OutcomeWriter{
		"csv": func(words ports.Words, action domain.BulkAction) ports.OutcomeWriter {
			return ResultsCSV{words, action}
		},
		"xlsx": func(words ports.Words, action domain.BulkAction) ports.OutcomeWriter {
			return ResultsXLSX{words, action, dir}
		},
	}
}
