package pages

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestRegistrationFormHasEveryFieldOfAPerson(t *testing.T) {
	for f := range domain.PersonField(domain.NumPersonFields) {
		t.Run(string(f.Name()), func(t *testing.T) {
			i := slices.IndexFunc(registrationInputs, func(in input) bool { return in.field == f.Name() })
			require.GreaterOrEqual(t, i, 0)
			require.Equal(t, f.IsRequired(), registrationInputs[i].required)
		})
	}
	require.Equal(t, domain.FieldPassword, registrationInputs[len(registrationInputs)-1].field, "the password is last")
}

// A field of a person that the form does not describe has an input with the field's own name.
func TestPersonInputsAddFields(t *testing.T) {
	inputs := personInputs()
	require.Len(t, inputs, domain.NumPersonFields)
	require.Equal(t, input{name: "phone", field: domain.FieldPhone, autocomplete: "off"}, inputs[domain.PersonPhone])
}
