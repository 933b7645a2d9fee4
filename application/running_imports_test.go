package application_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
)

// The report shows an import that takes longer than a heartbeat, with its progress, until it ends.
func TestRunningImportsAreShown(t *testing.T) {
	const people, batch = 12, 8
	var records []string
	for i := range people {
		records = append(records, person(fmt.Sprintf("user%d", i), "", fmt.Sprintf("9%09d", i)))
	}
	for _, c := range []struct {
		name   string
		file   string
		dryRun bool
		wait   time.Duration
		seen   []int // records that are done, at each batch
	}{
		{"large", largeArray(records...), false, 3 * time.Second, []int{0, batch}},
		{"short", largeArray(records...), false, time.Millisecond, nil},
		{"small", array(records...), false, 3 * time.Second, nil},
		{"dry run", largeArray(records...), true, 3 * time.Second, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture()
				f.config.Batch = batch
				var seen []int
				running := func() []ports.RunningImport {
					all, err := fake.Reports{Store: f.store}.Running(t.Context())
					require.NoError(t, err)
					return all
				}
				f.config.Running, f.config.Beat = fake.RunningImports{Store: f.store}, time.Second
				f.config.Room = func() error { // is called before each batch is stored
					time.Sleep(c.wait)
					for _, run := range running() {
						require.Equal(t, noon, run.Started)
						require.EqualValues(t, len(c.file), run.Done.Size)
						require.Equal(t, run.Done.Records > 0, run.Done.Bytes > 0)
						seen = append(seen, run.Done.Records)
					}
					return nil
				}
				called := 0
				_, err := f.request(t, c.file, ports.ImportRequest{DryRun: c.dryRun, Progress: func(domain.Progress) { called++ }})
				require.NoError(t, err)
				require.Equal(t, c.seen, seen)
				require.NotZero(t, called)
				require.Empty(t, running())
			})
		})
	}
}
