package contract

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/ports"
)

// Devices proves a ports.DeviceSigner.
func Devices(t *testing.T, devices ports.DeviceSigner) {
	seen := map[string]bool{}
	made := time.Date(2026, 11, 26, 1, 2, 3, 456_789_123, time.FixedZone("", 3*60*60))
	for _, user := range []int64{1, 2, 1, 1 << 40, math.MaxInt64} {
		text := devices.Sign(ports.Mark{User: user, Made: made})
		require.Regexp(t, `^[A-Za-z0-9_-]{1,64}$`, text)
		require.False(t, seen[text], "every mark is new")
		seen[text] = true
		mark, ok := devices.Verify(text)
		require.True(t, ok)
		require.Equal(t, ports.Mark{User: user, Made: made.UTC().Truncate(time.Microsecond)}, mark)
		for i := range text {
			for _, other := range []string{"A", "B", "_", "\n", ""} {
				changed := text[:i] + other + text[i+1:]
				if _, ok := devices.Verify(changed); changed != text {
					require.False(t, ok, "%q is not %q", changed, text)
				}
			}
		}
		for _, other := range []string{text + "\n", text + "A", text + "=", " " + text, text + text, strings.ToUpper(text) + "x"} {
			_, ok := devices.Verify(other)
			require.False(t, ok, "%q is not %q", other, text)
		}
	}
	for _, none := range []string{"", "A", strings.Repeat("A", 64), strings.Repeat("A", 100_000), "\xff"} {
		_, ok := devices.Verify(none)
		require.False(t, ok, "%.100q", none)
	}
}
