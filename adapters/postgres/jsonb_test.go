package postgres_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/pgtest"
)

// hostile returns JSON that jsonb may not accept, and what is stored of it; empty for null.
func hostile() map[string]string {
	nested := func(levels int, inside string) string {
		return strings.Repeat("[", levels) + inside + strings.Repeat("]", levels)
	}
	digits := strings.Repeat("1234567890", 500)
	long := strings.Repeat("длинно <&> ", 3500)
	fields := make([]string, 3000)
	for i := range fields {
		fields[i] = fmt.Sprintf(`"f%d":"\u0000"`, i)
	}
	storedFields := strings.ReplaceAll(strings.Join(fields, ","), `\u0000`, "\ufffd")
	cases := map[string]string{
		`7`: `7`, `null`: `null`, `"text"`: `"text"`, `[]`: `[]`, `{}`: `{}`, `""`: `""`, `-0`: `0`, `true`: `true`,
		` [ 1 , {"a" : null} ] `:              `[1,{"a":null}]`,
		`{"login":"a\u0000b"}`:                `{"login":"a�b"}`,
		`{"a\u0000":["\u0000"]}`:              `{"a�":["�"]}`,
		`"\\u0000"`:                           `"\\u0000"`,
		`"\\\u0000"`:                          `"\\�"`,
		`"\ud800"`:                            `"�"`,
		`"\udc00\ud800"`:                      `"��"`,
		`{"\uD83D":"\ud83dx"}`:                `{"�":"�x"}`,
		`"\ud83d\ude00 \u2028\uffff"`:         "\"😀 \u2028\uffff\"",
		"\"\xff\"":                            `"�"`,
		"{\"\xd0\":\"\xed\xa0\x80\"}":         `{"�":"���"}`,
		"\"\x7f\u200b\u202e\"":                "\"\x7f\u200b\u202e\"",
		`1e999999`:                            `"1e999999"`,
		`[-0.1e-99999]`:                       `["-0.1e-99999"]`,
		`{"n":1E+400}`:                        `{"n":"1E+400"}`,
		digits:                                `"` + digits + `"`,
		`[-` + digits + `.5]`:                 `["-` + digits + `.5"]`,
		`0.` + digits:                         `"0.` + digits + `"`,
		`-9007199254740993.25`:                `-9007199254740993.25`,
		`{"a":1,"a":2}`:                       `{"a":2}`,
		`{"a":1,"a":"\u0000","b":[]}`:         `{"a":"�","b":[]}`,
		`["5e","1E+","e","2e99999999"]`:       `["5e","1E+","e","2e99999999"]`,
		`"` + long + `"`:                      `"` + long + `"`,
		`"` + long + `\u0000"`:                `"` + long + `�"`,
		`{` + strings.Join(fields, ",") + `}`: `{` + storedFields + `}`,
		nested(postgres.MaxNesting, "1"):      nested(postgres.MaxNesting, "1"),
		nested(10_000, ""):                    nested(postgres.MaxNesting+1, "null"),
		nested(30_000, ""):                    ``,
		strings.Repeat(`{"a":`, 9000) + "1" + strings.Repeat("}", 9000): strings.Repeat(`{"a":`, postgres.MaxNesting+1) + "null" + strings.Repeat("}", postgres.MaxNesting+1),
		`{"deep":` + nested(5000, `"\u0000"`) + `,"login":"x"}`:         `{"deep":` + nested(postgres.MaxNesting, "null") + `,"login":"x"}`,
	}
	return cases
}

// Records that contain any JSON can be rejected, and their originals are stored, by COPY and by INSERT.
func TestHostileOriginals(t *testing.T) {
	cases := hostile()
	url := pgtest.New(t)
	db := open(t, url)
	store, reports := postgres.NewImports(db, time.Now), postgres.NewReports(db)
	for _, exclusive := range []bool{true, false} {
		t.Run(fmt.Sprintf("exclusive %t", exclusive), func(t *testing.T) {
			rejections := []domain.Rejection{{Record: 1, Description: "none"}}
			want := []string{""}
			for in, out := range cases {
				require.True(t, json.Valid([]byte(in)) || out == "", in)
				rejections = append(rejections, domain.Rejection{Record: len(want) + 1, Description: in[:min(len(in), 50)], Original: []byte(in)})
				rejections[len(want)].Description = strings.ToValidUTF8(rejections[len(want)].Description, "?")
				want = append(want, out)
			}
			id, err := store.Do(t.Context(), ports.ImportMode{Exclusive: exclusive}, func(ctx context.Context, tx ports.ImportTx) error {
				_, err := tx.Taken(ctx, nil)
				require.NoError(t, err)
				require.NoError(t, tx.Add(ctx, nil, rejections))
				return tx.Finish(ctx, domain.Tally{Records: len(rejections), Rejected: len(rejections)}, nil)
			})
			require.NoError(t, err)
			query := ports.ReportQuery{Filter: domain.ReportFilter{Import: id}, Originals: true}
			err = reports.Read(t.Context(), query, func(report ports.Report) error {
				count := 0
				for rejection, err := range report.Rejections {
					require.NoError(t, err)
					if want[count] == "" {
						require.Nil(t, rejection.Original, rejection.Description)
					} else {
						requireSameJSON(t, want[count], rejection.Original)
					}
					count++
				}
				require.Len(t, want, count)
				return nil
			})
			require.NoError(t, err)
		})
	}
}

// requireSameJSON compares JSON, and numbers in it by their digits.
func requireSameJSON(t *testing.T, want string, got []byte) {
	t.Helper()
	decode := func(text []byte) (value any) {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(&value), "%.100s", text)
		return value
	}
	require.Equal(t, decode([]byte(want)), decode(got))
}

func FuzzOriginal(f *testing.F) {
	for in := range hostile() {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if !json.Valid(in) {
			t.Skip()
		}
		before := bytes.Clone(in)
		out := postgres.Original(in)
		require.Equal(t, before, in, "original changed its argument")
		if out == nil {
			return
		}
		require.True(t, utf8.Valid(out))
		require.True(t, json.Valid(out))
		require.NotContains(t, string(out), "\x00")
		decoder := json.NewDecoder(bytes.NewReader(out))
		decoder.UseNumber()
		nesting := 0
		for {
			token, err := decoder.Token()
			if err != nil {
				break
			}
			switch token := token.(type) {
			case string:
				require.NotContains(t, token, "\x00")
			case json.Number:
				require.LessOrEqual(t, len(token), postgres.MaxNumber+1) // with a sign
				require.NotContains(t, strings.ToLower(token.String()), "e")
			case json.Delim:
				if token == '[' || token == '{' {
					nesting++
					require.LessOrEqual(t, nesting, postgres.MaxNesting+1)
					continue
				}
				nesting--
			}
		}
		requireSurrogatesInPairs(t, out)
	})
}

// requireSurrogatesInPairs checks the escapes, because the decoder accepts any.
func requireSurrogatesInPairs(t *testing.T, text []byte) {
	t.Helper()
	high := false
	for i := 0; i < len(text); i++ {
		low := false
		isHigh := false
		if text[i] == '\\' {
			i++
			if text[i] == 'u' {
				escape := strings.ToLower(string(text[i+1 : i+5]))
				isHigh = "d800" <= escape && escape < "dc00"
				low = "dc00" <= escape && escape < "e000"
				i += 4
			}
		}
		require.Equal(t, high, low, "unpaired surrogate")
		high = isHigh
	}
}
