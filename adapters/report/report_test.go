package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/stretchr/testify/require"

	"rollcall/adapters/internal/csvfield"
	"rollcall/adapters/report"
	"rollcall/domain"
	"rollcall/ports"
)

var update = flag.Bool("update", false, "write the golden files anew")

// moscow is three hours ahead of UTC, as a zone that need not be installed.
var moscow = time.FixedZone("MSK", 3*60*60)

// imports and rejections are what the golden files are made of.
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

func rejections() []domain.Rejection {
	taken := domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeTaken}}
	tooLong := domain.Violations{
		{Field: domain.FieldLastName, Code: domain.CodeTooLong, Limit: 50},
		{Field: domain.FieldEmail, Code: domain.CodeContactRequired},
	}
	all := []domain.Rejection{
		{Login: "ivanov", Violations: taken, Original: []byte(`{"login":"ivanov","last_name":"Иванов","phone":79161234567,"birthday":null}`)},
		{Login: "Ёлкина", Violations: tooLong, Original: []byte(` { "group" : {"a":[1,{"b":"]}"}]} , "phone" : "+7 916 123-45-67" , "login" : "Ёлкина" } `)},
		{Login: "名字", Original: []byte(`{"object":99,"reason":"mine","login":"名字","\u0072eason":"\u043d","Object":1}`)},
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
	all[2].Description = "=cmd|' /C calc'!A0"
	all[3].Description = ""
	return all
}

// of makes a report that watches over how it is read.
func of(t *testing.T, imports []domain.Import, rejections []domain.Rejection) ports.Report {
	t.Helper()
	importsRead, rejectionsRead := false, false
	return ports.Report{
		Imports: func(yield func(domain.Import, error) bool) {
			require.False(t, importsRead, "imports were read before")
			require.False(t, rejectionsRead, "imports are read behind rejections")
			importsRead = true
			for _, i := range imports {
				if !yield(i, nil) {
					return
				}
			}
		},
		Rejections: func(yield func(domain.Rejection, error) bool) {
			require.False(t, rejectionsRead, "rejections were read before")
			rejectionsRead = true
			for _, r := range rejections {
				r.Original = bytes.Clone(r.Original)
				goOn := yield(r, nil)
				for i := range r.Original {
					r.Original[i] = '#'
				}
				if !goOn {
					return
				}
			}
		},
	}
}

// format is a writer in the tests.
type format struct {
	name    string
	writer  ports.ReportWriter
	imports bool // it reads them
	objects bool // it reads rejections
	show    func(t *testing.T, file []byte) []byte
}

func formats(t *testing.T) []format {
	dir := t.TempDir()
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left, "temporary files that were not removed")
	})
	asIs := func(_ *testing.T, file []byte) []byte { return file }
	return []format{
		{"report.txt", report.TXT{Location: moscow}, true, true, asIs},
		{"codes.csv", report.CodesCSV{Location: moscow}, true, false, asIs},
		{"bad_users.csv", report.BadUsersCSV{}, false, true, asIs},
		{"report.json", report.JSON{}, true, true, asIs},
		{"report.xlsx", report.XLSX{Location: moscow, Dir: dir}, true, true, cells},
		{"report_continued.xlsx", report.XLSX{Dir: dir}.WithSheetRows(4), true, true, cells},
		{"rejected.json", report.RejectedJSON{}, false, true, asIs},
		{"rejected.csv", report.RejectedCSV{}, false, true, asIs},
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

// golden compares a file with the one that is kept.
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

func TestErrorOfSequence(t *testing.T) {
	errBroken := errors.New("connection lost")
	for _, f := range formats(t) {
		for _, where := range []string{"imports", "rejections"} {
			if where == "imports" && !f.imports || where == "rejections" && !f.objects {
				continue
			}
			t.Run(f.name+" "+where, func(t *testing.T) {
				r := of(t, imports(), rejections())
				if where == "imports" {
					r.Imports = breaks(t, imports()[0], errBroken)
					r.Rejections = func(func(domain.Rejection, error) bool) { t.Error("rejections are read behind an error") }
				} else {
					r.Rejections = breaks(t, rejections()[0], errBroken)
				}
				err := f.writer.Write(io.Discard, r)
				require.ErrorIs(t, err, errBroken)
				require.ErrorContains(t, err, "read "+where)
			})
		}
	}
}

// breaks yields a value, then an error, and then sees that nobody wants more.
func breaks[T any](t *testing.T, value T, err error) func(yield func(T, error) bool) {
	return func(yield func(T, error) bool) {
		require.True(t, yield(value, nil))
		require.False(t, yield(value, err), "the reader goes on behind an error")
	}
}

// narrow is a writer with room for so many bytes.
type narrow struct{ room int }

var errFull = errors.New("full")

func (n *narrow) Write(p []byte) (int, error) {
	written := min(len(p), n.room)
	n.room -= written
	if written < len(p) {
		return written, errFull
	}
	return written, nil
}

func TestErrorOfWriter(t *testing.T) {
	for _, f := range formats(t) {
		t.Run(f.name, func(t *testing.T) {
			size := len(write(t, f.writer, of(t, imports(), rejections())))
			// A workbook's parts come in any order, so its size is another each time, by some bytes.
			for _, room := range []int{0, 1, size / 2, size * 9 / 10} {
				err := f.writer.Write(&narrow{room}, of(t, imports(), rejections()))
				require.ErrorIs(t, err, errFull, "room for %d of %d bytes", room, size)
			}
		})
	}
}

// silent writes less than it should, and does not say so.
type silent struct{}

func (silent) Write(p []byte) (int, error) { return len(p) / 2, nil }

func TestShortWrite(t *testing.T) {
	for _, f := range formats(t) {
		err := f.writer.Write(silent{}, of(t, imports(), rejections()))
		require.ErrorIs(t, err, io.ErrShortWrite, f.name)
	}
}

// A writer that fails is not asked again, and nothing more is read for it. A workbook is written when all is read.
func TestStopsAtError(t *testing.T) {
	for _, f := range formats(t) {
		if !f.objects || strings.HasSuffix(f.name, ".xlsx") {
			continue
		}
		read := 0
		one := rejections()[0]
		err := f.writer.Write(&narrow{}, ports.Report{
			Imports: func(func(domain.Import, error) bool) {},
			Rejections: func(yield func(domain.Rejection, error) bool) {
				for yield(one, nil) {
					read++
				}
			},
		})
		require.ErrorIs(t, err, errFull, f.name)
		require.Less(t, read, 10_000, f.name)
	}
}

func TestTXTAligned(t *testing.T) {
	lines := strings.Split(string(write(t, report.TXT{}, of(t, nil, rejections()))), "\n")
	condition := runewidth.Condition{StrictEmojiNeutral: true}
	seen := 0
	for _, line := range lines {
		require.Equal(t, strings.TrimRight(line, " "), line, "trailing blanks")
		before, _, found := strings.Cut(line, "Login: taken")
		if found {
			seen++
			require.Equal(t, 78, condition.StringWidth(before), line)
		}
	}
	require.Equal(t, len(rejections())-2, seen)
}

// Every byte is either shown or replaced, wherever it stands.
func TestTXTEveryByte(t *testing.T) {
	var objects []domain.Rejection
	var want []string
	for c := range 256 {
		for place := range 17 {
			text := []byte(strings.Repeat("~", 18))
			text[place] = byte(c)
			shown := string(rune(c))
			switch {
			case c < ' ' || c == 0x7f:
				shown = " "
			case c > 0x7f:
				shown = "\ufffd"
			}
			objects = append(objects, domain.Rejection{Record: len(objects), Description: string(text)})
			want = append(want, "  "+string(text[:place])+shown+string(text[place+1:]))
		}
	}
	file := write(t, report.TXT{}, of(t, nil, objects))
	lines := strings.Split(strings.TrimSuffix(string(file), "\n"), "\n")
	lines = lines[len(lines)-len(want):]
	for i, line := range lines {
		require.True(t, strings.HasSuffix(line, want[i]), "%q for %q", line, objects[i].Description)
	}
}

// Texts of any length are written whole, and the rest of a table is no wider for them.
func TestTXTLong(t *testing.T) {
	long := strings.Repeat("名", 40_000)
	file := string(write(t, report.TXT{}, of(t, nil, []domain.Rejection{{Login: long, Description: long}, {Description: "short"}})))
	require.Contains(t, file, "         0           0  "+long+"  "+long+"\n")
	require.Less(t, len(file), 2*len(long)+1000)
}

// rowsOf reads a CSV file with another reader than ours.
func rowsOf(t *testing.T, file []byte, delimiter rune) [][]string {
	t.Helper()
	file, found := bytes.CutPrefix(file, []byte("\ufeff"))
	require.True(t, found)
	reader := csv.NewReader(bytes.NewReader(file))
	reader.Comma = delimiter
	rows, err := reader.ReadAll()
	require.NoError(t, err)
	return rows
}

// A reader of Russian gets the same rows, separated by semicolons.
func TestCSVForReadersOfRussian(t *testing.T) {
	for _, f := range formats(t) {
		if !strings.HasSuffix(f.name, ".csv") {
			continue
		}
		want := rowsOf(t, write(t, f.writer, of(t, imports(), rejections())), ',')
		r := of(t, imports(), rejections())
		r.Language = "ru"
		require.Equal(t, want, rowsOf(t, write(t, f.writer, r), ';'), f.name)
	}
	var english, russian bytes.Buffer
	require.NoError(t, report.CredentialsCSV{Language: "en"}.Write(&english, sequence(outcomes())))
	require.NoError(t, report.CredentialsCSV{Language: "ru"}.Write(&russian, sequence(outcomes())))
	require.Equal(t, rowsOf(t, english.Bytes(), ','), rowsOf(t, russian.Bytes(), ';'))
}

// CSV is what another reader of it makes of it, apart from apostrophes.
func TestCSVReadAgain(t *testing.T) {
	long := domain.Rejection{Import: 1, Record: 2, Login: strings.Repeat(`"`, 40_000), Description: strings.Repeat("й", 40_000)}
	want := append(rejections(), long)
	rows := rowsOf(t, write(t, report.BadUsersCSV{}, of(t, nil, want)), ',')
	require.Len(t, rows, len(want)+1)
	for i, row := range rows[1:] {
		for column, text := range []string{want[i].Login, want[i].Description} {
			got := row[2+column]
			require.NotContains(t, "=+-@\t\r", (got + " ")[:1])
			require.Equal(t, text, string(csvfield.Restore([]byte(got))))
		}
	}
}

// JSON is what another reader of it makes of it.
func TestJSONReadAgain(t *testing.T) {
	want := append(rejections(), domain.Rejection{Login: "\xff\xc0half \xe5", Description: strings.Repeat("\x01\"", 40_000)})
	var got struct {
		Codes []struct {
			ID          int64
			Code        int
			Date        time.Time
			Description string
			Refused     int
		}
		BadUsers []struct {
			ObjectID    int `json:"object_id"`
			Login       *string
			Description string
			Violations  []struct {
				Field domain.Field
				Code  domain.Code
				Limit *int
			}
		} `json:"bad_users"`
	}
	require.NoError(t, json.Unmarshal(write(t, report.JSON{}, of(t, imports(), want)), &got))
	require.Len(t, got.Codes, len(imports()))
	for i, row := range got.Codes {
		require.Equal(t, imports()[i].ID, row.ID)
		require.Equal(t, imports()[i].Description, row.Description)
		require.True(t, imports()[i].Date.Equal(row.Date))
	}
	require.Len(t, got.BadUsers, len(want))
	for i, row := range got.BadUsers {
		if want[i].Login == "" {
			require.Nil(t, row.Login)
		} else {
			require.Equal(t, strings.ToValidUTF8(strings.ReplaceAll(want[i].Login, "\xff\xc0", "\ufffd\ufffd"), "\ufffd"), *row.Login)
		}
		require.Equal(t, want[i].Description, row.Description)
		require.Len(t, row.Violations, len(want[i].Violations))
		for j, violation := range row.Violations {
			require.Equal(t, want[i].Violations[j].Limit == 0, violation.Limit == nil)
		}
	}
}

// What a writer holds does not grow with the report. BenchmarkWriters measures a million rows.
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
		// Excelize keeps up to 16 MiB of a sheet in memory, in a buffer that may have room for twice as much.
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
