package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestReportsAccess(t *testing.T) {
	user, operator := &domain.User{}, &domain.User{Roles: []domain.Role{"another", domain.RoleOperator}}
	for _, c := range []struct {
		access  domain.ReportsAccess
		allowed bool
	}{
		{domain.ReportsForAny, true},
		{domain.ReportsForOperators, false},
		{"", false},
	} {
		t.Run(string(c.access), func(t *testing.T) {
			require.Equal(t, c.allowed, c.access.Allows(user))
			require.True(t, c.access.Allows(operator))
		})
	}
}
