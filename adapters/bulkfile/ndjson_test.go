package bulkfile_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/bulkfile"
	"rollcall/domain"
	"rollcall/ports"
)

// FuzzNDJSON proves that a line is blank or one candidate. That is the same as in an array, and unreadable only if the line is not JSON.
func FuzzNDJSON(f *testing.F) {
	f.Add("{\"login\":\"a\"}\n7\n{\n")
	f.Add("\ufeff\r\n[]\n{} {}\nnull")
	f.Fuzz(func(t *testing.T, file string) {
		got, err := copiesOf(bulkfile.NDJSON{}.Candidates(strings.NewReader(file), &ports.FileNotes{}))
		if err != nil {
			require.ErrorIs(t, err, domain.ErrBrokenFile)
		}
		number, place := 0, domain.Place{}
		for line := range strings.Lines(strings.TrimPrefix(file, "\ufeff")) {
			place.Line++
			if strings.Trim(line, " \t\r\n") == "" {
				continue
			}
			alone, err := copiesOf(bulkfile.JSON{}.Candidates(strings.NewReader("["+line+"]"), &ports.FileNotes{}))
			candidate := got[number]
			number++
			require.Equal(t, number, candidate.Number)
			require.Equal(t, place, candidate.Place)
			if err != nil || len(alone) != 1 {
				require.True(t, candidate.Unreadable, "%q", line)
				continue
			}
			alone[0].Place, alone[0].Number = place, number
			require.Equal(t, alone[0], candidate, "%q", line)
		}
		require.Len(t, got, number)
	})
}
