package report_test

import (
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
	"github.com/stretchr/testify/require"

	"rollcall/adapters/report"
	"rollcall/domain"
)

func TestTXTColumnsAreAligned(t *testing.T) {
	lines := strings.Split(string(write(t, report.TXT{}, of(t, nil, rejections()))), "\r\n")
	condition := runewidth.Condition{StrictEmojiNeutral: true}
	seen := 0
	for _, line := range lines {
		require.Equal(t, strings.TrimRight(line, " "), line, "the line has trailing blanks")
		before, _, found := strings.Cut(line, "Login: taken")
		if found {
			seen++
			require.Equal(t, 78, condition.StringWidth(before), line)
		}
	}
	require.Equal(t, len(rejections())-2, seen)
}

// An editor on Windows shows each line.
func TestTXTLinesEndAsOnWindows(t *testing.T) {
	for _, all := range [][]domain.Rejection{nil, rejections()} {
		file := string(write(t, report.TXT{}, of(t, imports(), all)))
		require.Equal(t, strings.Count(file, "\n"), strings.Count(file, "\r\n"))
		require.Equal(t, strings.Count(file, "\r"), strings.Count(file, "\r\n"))
		require.True(t, strings.HasSuffix(file, "\r\n"))
	}
}

// Each byte is shown or replaced, at every place in a text.
func TestTXTEveryByte(t *testing.T) {
	var rejections []domain.Rejection
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
			rejections = append(rejections, domain.Rejection{Record: len(rejections), Description: string(text)})
			want = append(want, "  "+string(text[:place])+shown+string(text[place+1:]))
		}
	}
	file := write(t, report.TXT{}, of(t, nil, rejections))
	lines := strings.Split(strings.TrimSuffix(string(file), "\r\n"), "\r\n")
	lines = lines[len(lines)-len(want):]
	for i, line := range lines {
		require.True(t, strings.HasSuffix(line, want[i]), "%q for %q", line, rejections[i].Description)
	}
}

// A long text is written whole, and does not widen the other rows.
func TestTXTLongTexts(t *testing.T) {
	long := strings.Repeat("名", 40_000)
	file := string(write(t, report.TXT{}, of(t, nil, []domain.Rejection{{Login: long, Description: long}, {Description: "short"}})))
	require.Contains(t, file, "         0           0  "+long+"  "+long+"\r\n")
	require.Less(t, len(file), 2*len(long)+1000)
}
