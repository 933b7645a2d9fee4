package domain_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestNewImportKey(t *testing.T) {
	sender := domain.Sender{Token: 7, TokenName: "crm"}
	for _, value := range []string{"k", "!~", strings.Repeat("k", 255)} {
		t.Run(value, func(t *testing.T) {
			key, err := domain.NewImportKey(sender, value)
			require.NoError(t, err)
			require.Equal(t, domain.ImportKey{Token: 7, Value: value}, key)
			require.False(t, key.IsZero())
		})
	}
	for _, value := range []string{"", "two words", "tab\t", "del\x7f", "ключ", strings.Repeat("k", 256), "upload UNGUESSABLE"} {
		t.Run(value, func(t *testing.T) {
			key, err := domain.NewImportKey(sender, value)
			require.ErrorIs(t, err, domain.ErrImportKey)
			require.True(t, key.IsZero())
		})
	}
}
