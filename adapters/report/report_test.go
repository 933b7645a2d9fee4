package report_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/report"
	"rollcall/domain"
	"rollcall/ports"
)

var update = flag.Bool("update", false, "write the golden files")

// moscow is three hours ahead of UTC. It does not depend on the time zones of the machine.
var moscow = time.FixedZone("MSK", 3*60*60)

// imports returns the imports of the golden files.
func imports() []domain.Import {
	return []domain.Import{
		{
			ID: 7, Status: 200, Method: "POST", Date: time.Date(2026, 3, 4, 21, 59, 59, 999_999_000, time.UTC),
			Description: "Not all users have been created (created by 9 of 13 users)", Count: domain.Count{Imports: 1, Registered: 9, Rejected: 4},
		},
		{
			ID: 8, Status: 400, Method: "POST", Date: time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC),
			Description: domain.DescriptionBroken, Count: domain.Count{Imports: 1},
		},
		{
			ID: 1234567, Status: 400, Method: "=1+1", Date: time.Date(2027, 1, 1, 0, 0, 0, 0, moscow),
			Description: "two\r\nlines, a \"quote\", a tab\tand \x00\x1b[31m", Count: domain.Count{Imports: 1, Rejected: 1_000_000},
		},
	}
}

// rejections returns the rejections of the golden files.
func rejections() []domain.Rejection {
	taken := domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeTaken}}
	tooLong := domain.Violations{
		{Field: domain.FieldLastName, Code: domain.CodeTooLong, Limit: 50},
		{Field: domain.FieldEmail, Code: domain.CodeContactRequired},
	}
	all := []domain.Rejection{
		{Login: "ivanov", Violations: taken, Original: []byte(`{"login":"ivanov","last_name":"Иванов","phone":79161234567,"birthday":null}`)},
		{Login: "Ёлкина", Violations: tooLong, Original: []byte(` { "group" : {"a":[1,{"b":"]}"}]} , "phone" : "+7 916 123-45-67" , "login" : "Ёлкина" } `)},
		{Login: "名字", Original: []byte(`{"object":99,"line":98,"sheet":"x","reason":"mine","login":"名字","\u0072eason":"\u043d","Object":1}`)},
		{Login: "e\u0301le\u0300ve", Original: []byte(`{"first_name":"a\"b\\c\n","last_name":true,"patronymic":{"x":[ 1, 2 ]},"email":-5.0e3}`)},
		{Login: "👩‍👩‍👧🇷🇺🙂", Original: []byte(`{"l\u006fgin":"first","login":"👩‍👩‍👧🇷🇺🙂"}`)},
		{Violations: domain.Violations{{Code: domain.CodeNotObject}}, Original: []byte(`17`)},
		{Original: []byte(`[ "a" , {} ]`)},
		{Original: []byte(`"a text"`)},
		{Original: []byte(`null`)},
		{Original: []byte(`{}`)},
		{Login: "kept_no_more"},
		{},
		{Login: "cut", Original: []byte(`{"login":"cu`)},
		{Login: "\u202egnp\ufffd", Original: []byte("{\"login\":\"no \xff UTF-8\"}")},
		{Login: "_x0041_", Original: []byte(`{"login":"_x0041_","first_name":" blanks "}`)},
	}
	for _, login := range []string{"=1+1", "+7", "-1", "@x", "\t=1", "\r=1", "＝1", "－1", "'=1", "''+1", "'t Hooft", "'", "a=1", "«x»", `a"b`, "a,b", "é", "x;=6*7;", "x;'=6*7;"} {
		all = append(all, domain.Rejection{Login: login, Original: fmt.Appendf(nil, `{"login":%q}`, login)})
	}
	for i := range all {
		r := &all[i]
		r.Import, r.Record, r.Description = int64(7+i/20*1_234_560), i+1, "Login: taken"
	}
	all[0].Place, all[1].Place = domain.Place{Line: 2}, domain.Place{Sheet: "=5А", Line: 17}
	all[2].Description = "=cmd|' /C calc'!A0"
	all[3].Description = ""
	return all
}

// of returns a report that fails the test if it is read twice, or its rejections before its imports. The original of a rejection
// becomes invalid when the next is read.
func of(t *testing.T, imports []domain.Import, rejections []domain.Rejection) ports.Report {
	t.Helper()
	importsRead, rejectionsRead := false, false
	return ports.Report{
		Imports: func(yield func(domain.Import, error) bool) {
			require.False(t, importsRead, "imports are read twice")
			require.False(t, rejectionsRead, "imports are read after rejections")
			importsRead = true
			for _, i := range imports {
				if !yield(i, nil) {
					return
				}
			}
		},
		Rejections: func(yield func(domain.Rejection, error) bool) {
			require.False(t, rejectionsRead, "rejections are read twice")
			rejectionsRead = true
			for _, r := range rejections {
				r.Original = bytes.Clone(r.Original)
				more := yield(r, nil)
				for i := range r.Original {
					r.Original[i] = '#'
				}
				if !more {
					return
				}
			}
		},
	}
}

// A format is a writer and what it reads.
type format struct {
	name       string
	writer     ports.ReportWriter
	imports    bool
	rejections bool
	show       func(t *testing.T, file []byte) []byte
}

func formats(t *testing.T) []format {
	dir := t.TempDir()
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left, "temporary files are left")
	})
	unchanged := func(_ *testing.T, file []byte) []byte { return file }
	return []format{
		{"report.txt", report.TXT{Location: moscow}, true, true, unchanged},
		{"codes.csv", report.CodesCSV{Location: moscow}, true, false, unchanged},
		{"bad_users.csv", report.BadUsersCSV{}, false, true, unchanged},
		{"report.json", report.JSON{}, true, true, unchanged},
		{"report.xlsx", report.XLSX{Location: moscow, Dir: dir}, true, true, cells},
		{"report_continued.xlsx", report.XLSX{Dir: dir}.WithSheetRows(4), true, true, cells},
		{"rejected.json", report.RejectedJSON{}, false, true, unchanged},
		{"rejected.csv", report.RejectedCSV{}, false, true, unchanged},
		{"rejected.xlsx", report.RejectedXLSX{Dir: dir}, false, true, cells},
		{"rejected_continued.xlsx", report.RejectedXLSX{Dir: dir}.WithSheetRows(20), false, true, cells},
	}
}

func write(t *testing.T, writer ports.ReportWriter, r ports.Report) []byte {
	t.Helper()
	var file bytes.Buffer
	require.NoError(t, writer.Write(&file, r))
	return file.Bytes()
}

func TestGolden(t *testing.T) {
	for _, f := range formats(t) {
		for size, r := range map[string]ports.Report{
			"none": of(t, nil, nil),
			"one":  of(t, imports()[:1], rejections()[:1]),
			"all":  of(t, imports(), rejections()),
		} {
			name := size + "_" + f.name
			t.Run(name, func(t *testing.T) {
				golden(t, name, f.show(t, write(t, f.writer, r)))
			})
		}
	}
}

// golden compares a file with the golden file, or writes that with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}
