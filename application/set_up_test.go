package application_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/application"
	"rollcall/domain"
	"rollcall/test/contract"
	"rollcall/test/fake"
)

func TestSetUp(t *testing.T) {
	now := time.Now()
	store := &fake.Imports{}
	people := fake.Registrations{Store: store}
	setup := application.NewSetUp(&fake.SetupCodes{Store: store}, &fake.Secrets{}, func() time.Time { return now })
	newCode := func() string {
		t.Helper()
		code, err := setup.NewCode(t.Context())
		require.NoError(t, err)
		return code
	}
	ids := make([]int64, 2)
	for i := range ids {
		var err error
		ids[i], err = people.Create(t.Context(), domain.Account{Registration: contract.Record(t, i).Registration})
		require.NoError(t, err)
	}

	expired := newCode()
	now = now.Add(domain.SetupCodeLifetime)
	require.ErrorIs(t, setup.CheckCode(t.Context(), expired), domain.ErrSetupCode)
	require.ErrorIs(t, setup.UseCode(t.Context(), expired, ids[0]), domain.ErrSetupCode)

	one, other := newCode(), newCode()
	require.NotEqual(t, one, other)
	for _, code := range []string{"", one[1:], one + "A"} {
		require.ErrorIs(t, setup.CheckCode(t.Context(), code), domain.ErrSetupCode, code)
	}
	for _, code := range []string{one, other, one} { // a link can be opened repeatedly
		require.NoError(t, setup.CheckCode(t.Context(), code))
	}
	require.NoError(t, setup.UseCode(t.Context(), other, ids[0]))
	for _, code := range []string{one, other} {
		require.ErrorIs(t, setup.CheckCode(t.Context(), code), domain.ErrSetupCode)
		require.ErrorIs(t, setup.UseCode(t.Context(), code, ids[1]), domain.ErrSetupCode)
	}
	require.Empty(t, newCode(), "there is an operator")
}
