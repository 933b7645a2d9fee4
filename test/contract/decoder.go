package contract

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

// Decoder proves what use cases rely on of a ports.Decoder of JSON.
func Decoder(t *testing.T, decoder ports.Decoder) {
	json := ports.FileHint{Format: ports.FormatJSON}
	text := func(s string) domain.Given { return domain.Given{Text: s, Kind: domain.KindText} }
	var values [domain.NumPersonFields]domain.Given
	var fields strings.Builder
	fields.WriteString(`{"x":"y"`)
	for f := range domain.PersonField(domain.NumPersonFields) {
		values[f] = text(strconv.Itoa(int(f)))
		fmt.Fprintf(&fields, `,%q:%q`, f.Name(), values[f].Text)
	}
	fields.WriteString("}")
	everyField := fields.String()
	type given = [domain.NumPersonFields]domain.Given
	for _, c := range []struct {
		name   string
		file   string
		want   []domain.Candidate
		broken bool
	}{
		{name: "OneRecord", file: `{"login":"ivan"}`, want: []domain.Candidate{{Number: 1, Given: given{domain.PersonLogin: text("ivan")}, Original: []byte(`{"login":"ivan"}`)}}},
		{
			name: "ArrayInOrder",
			file: `[{"login":"a"}, 7, {"phone":912, "email":null, "birthday":true}, []]`,
			want: []domain.Candidate{
				{Number: 1, Given: given{domain.PersonLogin: text("a")}, Original: []byte(`{"login":"a"}`)},
				{Number: 2, NotRecord: true, Original: []byte("7")},
				{
					Number:   3,
					Given:    given{domain.PersonPhone: {Text: "912", Kind: domain.KindNumber}, domain.PersonBirthday: {Kind: domain.KindOther}},
					Original: []byte(`{"phone":912, "email":null, "birthday":true}`),
				},
				{Number: 4, NotRecord: true, Original: []byte("[]")},
			},
		},
		{
			name: "EveryField",
			file: everyField,
			want: []domain.Candidate{{Number: 1, Given: values, Original: []byte(everyField)}},
		},
		{name: "Empty", file: ``, broken: true},
		{name: "NoRecords", file: `[]`, broken: true},
		{name: "CutShort", file: `[{"login":"a"`, broken: true},
		{name: "NotJSON", file: `login=a`, broken: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // a decoder has no state
				var got []domain.Candidate
				var err error
				for candidate, e := range decoder.Candidates(section(c.file), json, &ports.FileNotes{}) {
					if e != nil {
						err = e
						break
					}
					candidate.Original = bytes.Clone(candidate.Original)
					got = append(got, *candidate)
				}
				if c.broken {
					require.ErrorIs(t, err, domain.ErrBrokenFile)
					continue
				}
				require.NoError(t, err)
				require.Equal(t, c.want, got)
			}
		})
	}
	for candidate, err := range decoder.Candidates(section(`[{},{},{}]`), json, &ports.FileNotes{}) {
		require.NoError(t, err)
		require.Equal(t, 1, candidate.Number)
		break // a yield after this would panic
	}
	for _, err := range decoder.Candidates(io.NewSectionReader(brokenReader{}, 0, 9), json, &ports.FileNotes{}) {
		require.ErrorIs(t, err, io.ErrClosedPipe)
		require.NotErrorIs(t, err, domain.ErrBrokenFile)
	}
}

func section(file string) *io.SectionReader {
	return io.NewSectionReader(strings.NewReader(file), 0, int64(len(file)))
}

// brokenReader is a file that cannot be read.
type brokenReader struct{}

func (brokenReader) ReadAt([]byte, int64) (int, error) { return 0, io.ErrClosedPipe }
