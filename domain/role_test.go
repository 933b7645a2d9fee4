package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestReportsAccess(t *testing.T) {
	anybody, operator := &domain.User{}, &domain.User{Roles: []domain.Role{"another", domain.RoleOperator}}
	for access, allowed := range map[domain.ReportsAccess]bool{domain.ReportsForAny: true, domain.ReportsForOperators: false, "": false} {
		require.Equal(t, allowed, access.Allows(anybody), access)
		require.True(t, access.Allows(operator), access)
	}
}
