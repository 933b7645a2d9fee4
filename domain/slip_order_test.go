package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

// A range has whole groups. Only a group that fits into no range is divided.
func TestSlipRanges(t *testing.T) {
	for _, c := range []struct {
		name   string
		groups []int32 // numbers of slips
		want   []domain.SlipRange
	}{
		{"no slips", nil, nil},
		{"one group", []int32{10}, []domain.SlipRange{{0, 10}}},
		{"groups that fit together", []int32{3, 4, 3}, []domain.SlipRange{{0, 10}}},
		{"a group that no longer fits", []int32{3, 4, 4}, []domain.SlipRange{{0, 7}, {7, 11}}},
		{"a group of more than a range", []int32{25}, []domain.SlipRange{{0, 10}, {10, 20}, {20, 25}}},
		{"a group of more than a range among others", []int32{1, 21, 9, 1}, []domain.SlipRange{{0, 1}, {1, 11}, {11, 21}, {21, 31}, {31, 32}}},
		{"groups of a whole range", []int32{10, 10}, []domain.SlipRange{{0, 10}, {10, 20}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var order domain.SlipOrder
			for _, slips := range c.groups {
				order.Groups = append(order.Groups, int32(len(order.Records)))
				order.Records = append(order.Records, make([]int32, slips)...)
			}
			require.Equal(t, c.want, order.Ranges(10))
		})
	}
}
