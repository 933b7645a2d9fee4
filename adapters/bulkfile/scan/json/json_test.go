package json_test

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/bulkfile/scan"
	"rollcall/adapters/bulkfile/scan/json"
)

func scanner(text string) *json.Scanner {
	return json.NewScanner(strings.NewReader(text), make([]byte, 64), 16)
}

func TestPeek(t *testing.T) {
	for text, want := range map[string]json.Kind{
		" {}": json.Object, "[]": json.Array, `""`: json.String, "-1": json.Number, "0": json.Number, "null": json.Null, "true": json.Bool,
		"false": json.Bool, "": json.None, " ": json.None, "x": json.None, "]": json.None,
	} {
		t.Run(text, func(t *testing.T) {
			s := scanner(text)
			require.Equal(t, want, s.Peek())
			require.NoError(t, s.Err())
			require.Equal(t, strings.TrimSpace(text) == "", s.AtEnd())
		})
	}
}

func TestMembersAndElements(t *testing.T) {
	s := scanner(`{"a": [1, "two", [], {}, null, false], "` + strings.Repeat("long", 100) + `": {"b": [[]]}, "c": "é"}`)
	var keys []string
	var texts []byte
	var kinds []json.Kind
	for key := range s.Members {
		keys = append(keys, string(key))
		if string(key) != "a" {
			s.Skip()
			continue
		}
		last := 0
		for number := range s.Elements {
			require.Equal(t, last+1, number)
			last = number
			var value json.Value
			texts, value = s.Value(texts, 2)
			kinds = append(kinds, value.Kind)
			require.Equal(t, number == 2, value.Cut, "only the second text is longer than the limit")
		}
	}
	require.NoError(t, s.Err())
	require.True(t, s.AtEnd())
	require.Equal(t, []string{"a", strings.Repeat("long", 8), "c"}, keys, "keys are cut to 32 bytes")
	require.Equal(t, "1tw", string(texts))
	require.Equal(t, []json.Kind{json.Number, json.String, json.Array, json.Object, json.Null, json.Bool}, kinds)
}

// After an error all methods return zero values, and the error stays the first one.
func TestErrorsStay(t *testing.T) {
	s := scanner(`[1, x, 2]`)
	for range s.Elements {
		s.Skip()
	}
	first := s.Err()
	var broken *scan.SyntaxError
	require.ErrorAs(t, first, &broken)
	require.Equal(t, scan.SyntaxError{Offset: 4, Reason: "expected a value"}, *broken)

	for range s.Elements {
		require.Fail(t, "there are no more elements")
	}
	for range s.Members {
		require.Fail(t, "there are no members")
	}
	texts, value := s.Value([]byte("before"), 9)
	require.Equal(t, "before", string(texts))
	require.Zero(t, value)
	require.False(t, s.AtEnd())
	s.Fail("another reason")
	require.Equal(t, first, s.Err())
}

func TestWrongKindOfValue(t *testing.T) {
	for text, read := range map[string]func(*json.Scanner){
		"{}": func(s *json.Scanner) {
			for range s.Elements {
				require.Fail(t, "an object has no elements")
			}
		},
		"[]": func(s *json.Scanner) {
			for range s.Members {
				require.Fail(t, "an array has no members")
			}
		},
	} {
		t.Run(text, func(t *testing.T) {
			s := scanner(text)
			read(s)
			require.Error(t, s.Err())
		})
	}
}

func TestErrorOfReader(t *testing.T) {
	for _, text := range []string{"", " ", "[", `["a`, `{"a"`, "[1,", "[tr"} {
		t.Run(text, func(t *testing.T) {
			s := json.NewScanner(io.MultiReader(strings.NewReader(text), iotest.ErrReader(io.ErrClosedPipe)), make([]byte, 64), 16)
			s.Peek()
			s.Skip()
			require.ErrorIs(t, s.Err(), io.ErrClosedPipe)
			var broken *scan.SyntaxError
			require.NotErrorAs(t, s.Err(), &broken)
			require.False(t, s.AtEnd())
		})
	}
}

// The scanner records the bytes of a value up to its limit, in one buffer or across several.
func TestRaw(t *testing.T) {
	for _, text := range []string{`{"a":1}`, `"0123456789abcd"`, `"0123456789abcde"`, `[` + strings.Repeat(" ", 100) + `]`} {
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(" " + text + " "), "byte by byte": iotest.OneByteReader(strings.NewReader(" " + text + " "))} {
			t.Run(name+" "+text, func(t *testing.T) {
				s := json.NewScanner(r, make([]byte, 64), 16)
				s.Peek()
				s.StartRaw()
				s.Skip()
				require.NoError(t, s.Err())
				if len(text) > 16 {
					require.Nil(t, s.Raw())
				} else {
					require.Equal(t, text, string(s.Raw()))
				}
				require.True(t, s.AtEnd())
			})
		}
	}
}
