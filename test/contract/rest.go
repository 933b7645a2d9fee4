package contract

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

// Spools proves a ports.SpoolStore.
func Spools(t *testing.T, spools ports.SpoolStore) {
	for _, size := range []int{0, 1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 1<<20 + 100_007} {
		want := bytes.Repeat([]byte("0123456789abcde\n"), size/16+1)[:size]
		spool := spools.New()
		for rest := want; len(rest) > 0; {
			n, err := spool.Write(rest[:min(len(rest), 100_003)])
			require.NoError(t, err)
			rest = rest[n:]
		}
		require.EqualValues(t, size, spool.Size())
		for range 2 {
			require.NoError(t, iotest.TestReader(spool.Reader(), want), "a spool of %d bytes", size)
		}
		half, err := io.ReadAll(io.LimitReader(spool.Reader(), int64(size/2)))
		require.NoError(t, err)
		require.Equal(t, string(want[:size/2]), string(half))
		require.NoError(t, spool.Close())
	}
}

// Decoder proves a ports.Decoder of JSON, as far as a use case relies on it.
func Decoder(t *testing.T, decoder ports.Decoder) {
	json := ports.FileHint{Format: ports.FormatJSON}
	text := func(s string) domain.Given { return domain.Given{Text: s, Kind: domain.KindText} }
	var values [domain.NumPersonFields]domain.Given
	everyField := `{"x":"y"`
	for f := range domain.PersonField(domain.NumPersonFields) {
		values[f] = text(strconv.Itoa(int(f)))
		everyField += fmt.Sprintf(`,%q:%q`, f.Name(), values[f].Text)
	}
	everyField += "}"
	type given = [domain.NumPersonFields]domain.Given
	for name, c := range map[string]struct {
		file   string
		want   []domain.Candidate
		broken bool
	}{
		"one object": {file: `{"login":"ivan"}`, want: []domain.Candidate{{Number: 1, Given: given{domain.PersonLogin: text("ivan")}, Original: []byte(`{"login":"ivan"}`)}}},
		"an array in order": {
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
		"every field": {
			file: everyField,
			want: []domain.Candidate{{Number: 1, Given: values, Original: []byte(everyField)}},
		},
		"nothing":     {file: ``, broken: true},
		"no objects":  {file: `[]`, broken: true},
		"cut short":   {file: `[{"login":"a"`, broken: true},
		"no document": {file: `login=a`, broken: true},
	} {
		for range 2 { // a decoder keeps nothing of one file for the next
			var got []domain.Candidate
			var err error
			for candidate, failed := range decoder.Candidates(section(c.file), json) {
				if failed != nil {
					err = failed
					break
				}
				candidate.Original = bytes.Clone(candidate.Original)
				got = append(got, *candidate)
			}
			if c.broken {
				require.ErrorIs(t, err, domain.ErrBrokenFile, name)
				continue
			}
			require.NoError(t, err, name)
			require.Equal(t, c.want, got, name)
		}
	}
	for candidate, err := range decoder.Candidates(section(`[{},{},{}]`), json) {
		require.NoError(t, err)
		require.Equal(t, 1, candidate.Number)
		break // and no more is yielded, which the range would panic at
	}
	for _, err := range decoder.Candidates(io.NewSectionReader(brokenReader{}, 0, 9), json) {
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

// Passwords proves a ports.Passwords.
func Passwords(t *testing.T, passwords ports.Passwords) {
	seen := map[string]bool{}
	for range 2 {
		salt := passwords.Salt()
		issuer, err := passwords.Issue(salt)
		require.NoError(t, err)
		for object := 1; object <= 100; object++ {
			password, hash := issuer.Password(object), issuer.Hash(object)
			require.NotContains(t, hash, password)
			require.False(t, seen[password] || seen[hash], "everyone's are their own")
			seen[password], seen[hash] = true, true
		}
		password, hash := issuer.Password(7), issuer.Hash(7)
		_, _ = issuer.Password(8), issuer.Hash(8)
		require.Equal(t, password, issuer.Password(7))
		require.Equal(t, hash, issuer.Hash(7))

		again, err := passwords.Issue(bytes.Clone(salt))
		require.NoError(t, err)
		require.Equal(t, password, again.Password(7))
		require.Equal(t, hash, again.Hash(7))
	}
	_, err := passwords.Issue([]byte("a salt of another server"))
	require.ErrorIs(t, err, ports.ErrOtherSecret)
}

// Sentences proves a ports.Sentences.
func Sentences(t *testing.T, sentences ports.Sentences) {
	var all domain.Violations
	seen := map[string]bool{}
	for _, field := range domain.Fields() {
		for _, code := range domain.Codes() {
			v := domain.Violation{Field: field, Code: code, Limit: domain.MaxLength}
			if code == domain.CodeNotObject {
				v.Field = domain.FieldRecord
			}
			sentence := sentences.Describe(domain.Violations{v})
			require.NotEmpty(t, sentence, "%s %s", field, code)
			require.True(t, strings.HasSuffix(sentence, "."), sentence)
			if !seen[sentence] {
				all = append(all, v)
			}
			seen[sentence] = true
		}
	}
	together := sentences.Describe(all)
	for sentence := range seen {
		require.Contains(t, together, sentence)
	}
}
