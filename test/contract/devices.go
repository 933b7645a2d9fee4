package contract

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rollcall/ports"
)

// Devices proves a ports.Devices.
func Devices(t *testing.T, devices ports.Devices) {
	seen := map[string]bool{}
	for _, user := range []int64{1, 2, 1, 1 << 40, math.MaxInt64} {
		mark := devices.Mark(user)
		require.Regexp(t, `^[A-Za-z0-9_-]{1,64}$`, mark)
		assert.False(t, seen[mark], "no two browsers have one mark")
		seen[mark] = true
		owner, ok := devices.Owner(mark)
		assert.True(t, ok)
		assert.Equal(t, user, owner)
		for i := range mark {
			for _, other := range []string{"A", "B", "_", "\n", ""} {
				changed := mark[:i] + other + mark[i+1:]
				if _, ok := devices.Owner(changed); changed != mark {
					assert.False(t, ok, "%q is not %q", changed, mark)
				}
			}
		}
		for _, other := range []string{mark + "\n", mark + "A", mark + "=", " " + mark, mark + mark, strings.ToUpper(mark) + "x"} {
			_, ok := devices.Owner(other)
			assert.False(t, ok, "%q is not %q", other, mark)
		}
	}
	for _, none := range []string{"", "A", strings.Repeat("A", 56), strings.Repeat("A", 100_000), "\xff"} {
		_, ok := devices.Owner(none)
		assert.False(t, ok, "%.100q", none)
	}
}
