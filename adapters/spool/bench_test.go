package spool_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/spool"
	"rollcall/domain"
)

// BenchmarkSlipOrder sorts a million slips, of which half have one of 2,000 groups. One operation should take about a second, and 50 MB.
func BenchmarkSlipOrder(b *testing.B) {
	const many = 1_000_000
	store := spool.New(b.TempDir())
	log := store.NewLog()
	for i := range many {
		mixed := i * 7919 % many
		outcome := domain.Outcome{Login: fmt.Sprintf("user-%d", i), Name: domain.RestoreFullName(domain.NameTexts{
			Last: fmt.Sprintf("Кузнецова-%06d", mixed), First: "Ёлка", Patronymic: "Петровна",
		})}
		if i%2 == 0 {
			outcome.Group = domain.RestoreGroup(fmt.Sprintf("%dА", mixed%4000))
		}
		require.NoError(b, log.Append(outcome))
	}
	require.NoError(b, log.Flush())
	for b.Loop() {
		order, err := store.SlipOrder(log.Outcomes())
		require.NoError(b, err)
		require.Len(b, order.Records, many)
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(memory.Sys>>20), "MiB")
}
