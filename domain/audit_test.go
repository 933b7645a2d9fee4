package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestParseActions(t *testing.T) {
	for _, c := range []struct {
		name string
		want []domain.Action
	}{
		{"role.granted", []domain.Action{domain.ActionRoleGranted}},
		{"role", []domain.Action{domain.ActionRoleGranted, domain.ActionRoleRevoked}},
		{"", nil},
		{"role.", nil},
		{"Role", nil},
		{"granted", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := domain.ParseActions(c.name)
			require.Equal(t, c.want, got)
			if c.want == nil {
				require.ErrorIs(t, err, domain.ErrAction)
			}
		})
	}
	for _, action := range domain.Actions() {
		got, err := domain.ParseActions(string(action))
		require.NoError(t, err)
		require.Equal(t, []domain.Action{action}, got)
	}
}

func TestParseActor(t *testing.T) {
	for _, actor := range []domain.Actor{
		{Kind: domain.ActorSystem}, {Kind: domain.ActorVisitor}, {Kind: domain.ActorCommand}, domain.UserActor(17), {Kind: domain.ActorToken, ID: 3},
	} {
		t.Run(actor.Key(), func(t *testing.T) {
			got, err := domain.ParseActor(actor.Key())
			require.NoError(t, err)
			require.Equal(t, actor, got)
		})
	}
	require.Equal(t, "system", domain.Actor{}.Key())
	for _, key := range []string{"", "anna", "user", "user:", "user:0", "user:-1", "user:x", "token", "system:1", "command:root", "user:17:1"} {
		t.Run("not "+key, func(t *testing.T) {
			_, err := domain.ParseActor(key)
			require.ErrorIs(t, err, domain.ErrActor)
		})
	}
}
