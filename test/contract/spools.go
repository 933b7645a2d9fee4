package contract

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"rollcall/ports"
)

// Spools proves a ports.SpoolStore.
func Spools(t *testing.T, spools ports.SpoolStore) {
	for _, size := range []int{0, 1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 1<<20 + 100_007} {
		t.Run(fmt.Sprintf("%d bytes", size), func(t *testing.T) {
			want := bytes.Repeat([]byte("0123456789abcde\n"), size/16+1)[:size]
			spool := spools.New()
			for rest := want; len(rest) > 0; {
				n, err := spool.Write(rest[:min(len(rest), 100_003)])
				require.NoError(t, err)
				rest = rest[n:]
			}
			require.EqualValues(t, size, spool.Size())
			for range 2 {
				require.NoError(t, iotest.TestReader(spool.Reader(), want))
			}
			half, err := io.ReadAll(io.LimitReader(spool.Reader(), int64(size/2)))
			require.NoError(t, err)
			require.Equal(t, string(want[:size/2]), string(half))
			require.NoError(t, spool.Close())
		})
	}
}
