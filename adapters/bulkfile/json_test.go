package bulkfile_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/bulkfile"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/contract"
	"rollcall/test/fake"
)

type given = [domain.NumPersonFields]domain.Given

func TestDecoder(t *testing.T) { contract.Decoder(t, bulkfile.Files{}) }

// decode returns copies of the candidates of a file in JSON, up to the first error.
func decode(r io.Reader) (all []domain.Candidate, err error) {
	for candidate, failed := range (bulkfile.JSON{}).Candidates(r, &ports.FileNotes{}) {
		if failed != nil {
			return all, failed
		}
		all = append(all, *candidate)
		all[len(all)-1].Original = nil // valid until the next candidate; see originals
	}
	return all, nil
}

// originals returns the originals of the candidates of a file in JSON.
func originals(t *testing.T, r io.Reader) (all []string) {
	t.Helper()
	for candidate, err := range (bulkfile.JSON{}).Candidates(r, &ports.FileNotes{}) {
		require.NoError(t, err)
		all = append(all, string(candidate.Original))
	}
	return all
}

func TestStrings(t *testing.T) {
	for file, want := range map[string]domain.Given{
		`"plain"`:              {Text: "plain"},
		`"Ёлка 名 🙂"`:           {Text: "Ёлка 名 🙂"},
		`"\"\\\/\b\f\n\r\t"`:   {Text: "\"\\/\b\f\n\r\t"},
		`"\u0041\u00e9\u4E2d"`: {Text: "Aé中"},
		`"\ud83d\ude42"`:       {Text: "🙂"},
		`"\u0000"`:             {Text: "\x00"},
		`"\ud83d"`:             {Text: "\ufffd", Malformed: true},
		`"\ud83dx"`:            {Text: "\ufffdx", Malformed: true},
		`"\ud83d\n"`:           {Text: "\ufffd\n", Malformed: true},
		`"\ude42\ud83d"`:       {Text: "\ufffd\ufffd", Malformed: true},
		`"\ud83d\ud83d\ude42"`: {Text: "\ufffd🙂", Malformed: true},
		"\"a\xffb\"":           {Text: "a\ufffdb", Malformed: true},
		"\"\xc0\x80\"":         {Text: "\ufffd", Malformed: true},
		`"` + strings.Repeat("x", domain.MaxValue) + `"`:         {Text: strings.Repeat("x", domain.MaxValue)},
		`"` + strings.Repeat("x", domain.MaxValue+1) + `"`:       {Text: strings.Repeat("x", domain.MaxValue), Cut: true},
		`"` + strings.Repeat("é", domain.MaxValue/2+1) + `"`:     {Text: strings.Repeat("é", domain.MaxValue/2), Cut: true},
		`"x` + strings.Repeat("é", domain.MaxValue/2) + `"`:      {Text: "x" + strings.Repeat("é", domain.MaxValue/2-1), Cut: true},
		`"x` + strings.Repeat(`\u00e9`, domain.MaxValue/2) + `"`: {Text: "x" + strings.Repeat("é", domain.MaxValue/2-1), Cut: true},
		`"` + strings.Repeat(`\ud83d\ude42`, 600) + `"`:          {Text: strings.Repeat("🙂", domain.MaxValue/4), Cut: true},
	} {
		t.Run(fmt.Sprintf("%.50q", file), func(t *testing.T) {
			want.Kind = domain.KindText
			for _, r := range []io.Reader{
				strings.NewReader(`{"login":` + file + `}`),
				iotest.OneByteReader(strings.NewReader(`{"login" : ` + file + ` }`)),
			} {
				got, err := decode(r)
				require.NoError(t, err)
				require.Equal(t, []domain.Candidate{{Number: 1, Given: given{domain.PersonLogin: want}}}, got)
			}
		})
	}
}

func TestNumbers(t *testing.T) {
	for _, number := range []string{"0", "-0", "7", "9123456789", "-1.5", "1e5", "1.25E-7", "0.1", "99999999999999999999999999", "1" + strings.Repeat("0", 1023)} {
		got, err := decode(strings.NewReader(`[{"phone":` + number + `}]`))
		require.NoError(t, err, number)
		require.Equal(t, domain.Given{Text: number, Kind: domain.KindNumber}, got[0].Given[domain.PersonPhone])
	}
	got, err := decode(strings.NewReader(`[{"phone":` + strings.Repeat("9", 5000) + `}]`))
	require.NoError(t, err)
	require.True(t, got[0].Given[domain.PersonPhone].Cut)
	for _, number := range []string{"01", "-", "+1", "1.", ".5", "1e", "1e+", "0x1", "1_0", "NaN", "Infinity", "--1"} {
		_, err := decode(strings.NewReader(`[{"phone":` + number + `}]`))
		require.ErrorIs(t, err, domain.ErrBrokenFile, number)
	}
}

func TestKeys(t *testing.T) {
	got, err := decode(strings.NewReader(`{"Login":"no", "LOGIN":"no", "login ":"no", "":"no", "l\u006fgin":"yes",
		"` + strings.Repeat("login", 100) + `":{"login":["no",{"login":"no"}]}, "email":"first", "email":"second", "phone":null, "phone":null}`))
	require.NoError(t, err)
	require.Equal(t, []domain.Candidate{{
		Number: 1,
		Given: given{
			domain.PersonLogin: {Text: "yes", Kind: domain.KindText},
			domain.PersonEmail: {Text: "second", Kind: domain.KindText, Repeated: true},
			domain.PersonPhone: {Repeated: true},
		},
	}}, got)
}

func TestByteOrderMark(t *testing.T) {
	for _, r := range []io.Reader{
		strings.NewReader("\xef\xbb\xbf{}"), iotest.OneByteReader(strings.NewReader("\xef\xbb\xbf {}")),
	} {
		got, err := decode(r)
		require.NoError(t, err)
		require.Len(t, got, 1)
	}
}

func TestNesting(t *testing.T) {
	for opening, closing := range map[string]string{"[": "]", `{"a":`: "}"} {
		inner := "1"
		deep := func(levels int) string {
			return `[{"x":` + strings.Repeat(opening, levels) + inner + strings.Repeat(closing, levels) + `},7]`
		}
		got, err := decode(strings.NewReader(deep(10_000)))
		require.NoError(t, err)
		require.Len(t, got, 2)
		_, err = decode(strings.NewReader(deep(10_001)))
		require.ErrorIs(t, err, domain.ErrBrokenFile)
	}
	got, err := decode(strings.NewReader(`[[[],{},[{}],[1,"]",{"a":[],"b":{}}]], {"login":{}}, []]`))
	require.NoError(t, err)
	require.Equal(t, []domain.Candidate{
		{Number: 1, NotRecord: true}, {Number: 2, Given: given{domain.PersonLogin: {Kind: domain.KindOther}}}, {Number: 3, NotRecord: true},
	}, got)
}

func TestErrorsHavePlaces(t *testing.T) {
	for file, want := range map[string]string{
		"":                         "the file is empty",
		" \n\t":                    "at byte 3: the file is empty",
		"[":                        "at byte 1: unexpected end of file",
		"[]":                       "at byte 2: the array is empty",
		"null":                     "expected a JSON object or an array of JSON objects",
		"7":                        "expected a JSON object or an array of JSON objects",
		"\xff\xfe[\x00]\x00":       "expected a JSON object or an array of JSON objects",
		"[{}":                      "at byte 3: unexpected end of file",
		"[{},":                     "at byte 4, in record 2: unexpected end of file",
		"[{},]":                    "at byte 4, in record 2: expected a value",
		"[{} {}]":                  "at byte 4: expected a comma or ]",
		"{} []":                    "at byte 3: unexpected data after the end of the JSON value",
		"{}\x00":                   "at byte 2: unexpected data after the end of the JSON value",
		`[{},{"login":"a" "x":1}]`: "at byte 17, in record 2: expected a comma or }",
		`{"login" "a"}`:            "at byte 9, in record 1: expected a colon after the key",
		`{login:"a"}`:              "at byte 1, in record 1: expected a key in quotes",
		`{"login":"a",}`:           "at byte 13, in record 1: expected a key in quotes",
		`{"login":}`:               "at byte 9, in record 1: expected a value",
		`{"login":nul}`:            "at byte 12, in record 1: expected a value",
		`{"login":TRUE}`:           "at byte 9, in record 1: expected a value",
		"{\"login\":\"a\nb\"}":     "at byte 11, in record 1: invalid control character in string",
		`{"login":"\x"}`:           "at byte 11, in record 1: invalid escape sequence in string",
		`{"login":"\u12G4"}`:       `at byte 14, in record 1: expected four hexadecimal digits after \u`,
		`{"login":"\ud83d\u12"}`:   `at byte 20, in record 1: expected four hexadecimal digits after \u`,
		`{"phone":1.}`:             "at byte 11, in record 1: expected a digit",
		`{"x":[1 2]}`:              "at byte 8, in record 1: expected a comma or ]",
		`{"x":{"a":1,}}`:           "at byte 12, in record 1: expected a key in quotes",
		`{"x":[1,]}`:               "at byte 8, in record 1: expected a value",
		`{'login':'a'}`:            "at byte 1, in record 1: expected a key in quotes",
		`[{}]]`:                    "at byte 4: unexpected data after the end of the JSON value",
	} {
		t.Run(strconv.Quote(file), func(t *testing.T) {
			_, err := decode(strings.NewReader(file))
			require.ErrorIs(t, err, domain.ErrBrokenFile)
			require.EqualError(t, err, want)
		})
	}
}

const wellFormed = `[{"first_name":"Иван","x":[{"a":null},[1e5,true,"\u00e9"]],"phone":9123456789,"login":"a\"b"}, 7, {}]`

func TestFileIsCutAtEveryByte(t *testing.T) {
	for length := range len(wellFormed) {
		_, err := decode(strings.NewReader(wellFormed[:length]))
		require.ErrorIs(t, err, domain.ErrBrokenFile, "cut at byte %d", length)
	}
	whole, err := decode(strings.NewReader(wellFormed))
	require.NoError(t, err)
	slowly, err := decode(iotest.OneByteReader(strings.NewReader(wellFormed)))
	require.NoError(t, err)
	require.Equal(t, whole, slowly)
}

func TestReaderErrorsInJSON(t *testing.T) {
	for length := range len(wellFormed) {
		_, err := decode(io.MultiReader(strings.NewReader(wellFormed[:length]), iotest.ErrReader(io.ErrClosedPipe)))
		require.ErrorIs(t, err, io.ErrClosedPipe)
		require.NotErrorIs(t, err, domain.ErrBrokenFile)
	}
}

func TestHugeValuesTakeConstantMemory(t *testing.T) {
	const size = 8 << 20
	for _, head := range []string{`{"login":"`, `{"x":"`, `{"`, `{"phone":1`, `["`} {
		file := io.MultiReader(strings.NewReader(head), io.LimitReader(repeat('0'), size))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := decode(file)
		runtime.ReadMemStats(&after)
		require.ErrorIs(t, err, domain.ErrBrokenFile)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20), head)
	}
}

// repeat is an endless file that repeats a byte.
type repeat byte

func (r repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r)
	}
	return len(p), nil
}

func TestOriginals(t *testing.T) {
	object := func(size int) string { return `{"x":"` + strings.Repeat("x", size-len(`{"x":""}`)) + `"}` }
	want := []string{object(8), object(ports.MaxOriginal), object(ports.MaxOriginal + 1), object(100), "[[7]]"}
	file := "[" + strings.Join(want, " ,") + "]"
	want[2] = "" // too large to be kept
	require.Equal(t, want, originals(t, strings.NewReader(file)))
	require.Equal(t, want, originals(t, iotest.OneByteReader(strings.NewReader(file))))
}

// FuzzJSON compares the decoder with encoding/json: the same files are valid, and have the same texts.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		wellFormed, `{}`, `[]`, `[[]]`, `null`, `{"login":"\ud83d\ude42"}`, `{"login":"a","login":"b"}`, "\xef\xbb\xbf{}", "{} {\n}",
		`[{"phone":-1.5e+7},{"email":true}]`, "{\"login\":\"\xff\"}", `{"x":{"y":[]},"birthday":"01.02.2003"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := decode(bytes.NewReader(file))
		slowly, slowErr := decode(iotest.OneByteReader(bytes.NewReader(file)))
		require.Equal(t, got, slowly)
		require.Equal(t, err, slowErr)

		file = bytes.TrimPrefix(file, []byte("\xef\xbb\xbf"))
		if err == nil && len(got) > 1 && bytes.TrimSpace(file)[0] == '{' { // several objects are read as an array of them
			objects := originals(t, bytes.NewReader(file))
			if slices.Contains(objects, "") { // one is not kept
				return
			}
			file = []byte("[" + strings.Join(objects, ",") + "]")
		}
		var document any
		decoder := json.NewDecoder(bytes.NewReader(file))
		decoder.UseNumber()
		valid := json.Valid(file) && decoder.Decode(&document) == nil
		list, isList := document.([]any)
		_, isObject := document.(map[string]any)
		if valid && (isObject || len(list) > 0) != (err == nil) && !deep(file) {
			t.Fatalf("valid here: %v; in encoding/json: %v", err, document)
		}
		if !valid && err == nil {
			t.Fatal("valid here, but not in encoding/json")
		}
		if err != nil {
			require.ErrorIs(t, err, domain.ErrBrokenFile)
			return
		}
		if isList {
			require.Len(t, got, len(list))
		}
		want := fakeDecode(t, file)
		whole, slow := originals(t, bytes.NewReader(file)), originals(t, iotest.OneByteReader(bytes.NewReader(file)))
		for i := range got {
			require.Equal(t, string(want[i].Original), whole[i])
			require.Equal(t, whole[i], slow[i])
			for f, value := range got[i].Given {
				require.True(t, utf8.ValidString(value.Text))
				if !value.Cut && !value.Malformed && !value.Repeated && !got[i].NotRecord {
					require.Equal(t, want[i].Given[f], value)
				}
			}
		}
	})
}

func fakeDecode(t *testing.T, file []byte) (all []domain.Candidate) {
	t.Helper()
	for candidate, err := range (fake.Decoder{}).Candidates(io.NewSectionReader(bytes.NewReader(file), 0, int64(len(file))), ports.FileHint{}, &ports.FileNotes{}) {
		require.NoError(t, err)
		all = append(all, *candidate)
	}
	return all
}

// deep reports whether a file may have so many levels that the decoders disagree on their number.
func deep(file []byte) bool {
	return bytes.Count(file, []byte("["))+bytes.Count(file, []byte("{")) > 9_000
}
