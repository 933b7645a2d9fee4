package i18n_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rollcall/adapters/i18n"
	"rollcall/domain"
	"rollcall/test/contract"
)

func TestSentences(t *testing.T) {
	sentences, err := i18n.NewSentences()
	require.NoError(t, err)
	contract.Sentences(t, sentences)

	assert.Equal(t, "First name is required. Login is longer than 50 characters. Phone must be a string or a number.",
		sentences.Describe(domain.Violations{
			{Field: domain.FieldFirstName, Code: domain.CodeRequired},
			{Field: domain.FieldLogin, Code: domain.CodeTooLong, Limit: 50},
			{Field: domain.FieldPhone, Code: domain.CodeType},
		}))
}
