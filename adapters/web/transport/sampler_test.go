package transport_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/web/transport"
)

func TestSampler(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	sampler := transport.NewSampler(time.Second, func() time.Time { return now })
	for _, c := range []struct {
		after   time.Duration
		leftOut int
		ok      bool
	}{
		{0, 0, true},
		{0, 0, false},
		{999 * time.Millisecond, 0, false},
		{time.Millisecond, 2, true},
		{0, 0, false},
		{time.Hour, 1, true},
		{time.Hour, 0, true},
	} {
		now = now.Add(c.after)
		leftOut, ok := sampler.Pass()
		require.Equal(t, c.leftOut, leftOut)
		require.Equal(t, c.ok, ok)
	}
}
