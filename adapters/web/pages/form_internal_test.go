package pages

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

// A visitor enters all fields of a person except those that an organization assigns.
func TestRegistrationFormHasFieldsOfAPerson(t *testing.T) {
	for f := range domain.PersonField(domain.NumPersonFields) {
		t.Run(string(f.Name()), func(t *testing.T) {
			i := slices.IndexFunc(registrationInputs, func(in input) bool { return in.field == f.Name() })
			require.Equal(t, f.IsAssigned(), i < 0)
			require.True(t, i < 0 || registrationInputs[i].required == f.IsRequired())
		})
	}
	require.Equal(t, domain.FieldPassword, registrationInputs[len(registrationInputs)-1].field, "the password is last")
}

// A field of a person that the form does not describe has an input with the field's own name.
func TestPersonInputsAddFields(t *testing.T) {
	inputs := personInputs()
	require.Len(t, inputs, domain.NumPersonFields-1, "all except the group")
	require.Equal(t, input{name: "phone", field: domain.FieldPhone, autocomplete: "off"}, inputs[domain.PersonPhone])
}
