package domain_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestNewGroup(t *testing.T) {
	for s, want := range map[string]string{
		"7А":                                 "7А",
		"5":                                  "5",
		"7 «Б»":                              "7 «Б»",
		"10-A":                               "10-A",
		"R&D":                                "R&D",
		"№ 3":                                "№ 3",
		"#1":                                 "#1",
		"Отдел  кадров\u00a0№ 2":             "Отдел кадров № 2",
		" \u200b7\u00adА ":                   "7А",
		"И\u0306ога":                         "Йога",
		"三年二組":                               "三年二組",
		strings.Repeat("名", 100):             strings.Repeat("名", 100),
		"a" + strings.Repeat(" ", 200) + "b": "a b",
	} {
		t.Run(s, func(t *testing.T) {
			group, vs := domain.NewGroup(s)
			require.Nil(t, vs)
			require.Equal(t, want, group.String())
			require.Equal(t, group, domain.RestoreGroup(want))
		})
	}
}

func TestNewGroupRejects(t *testing.T) {
	for s, want := range map[string]domain.Code{
		"":              domain.CodeEmpty,
		"\u2800 ":       domain.CodeEmpty,
		"7\tА":          domain.CodeControl,
		"Отдел\nкадров": domain.CodeControl,
		"7\x00":         domain.CodeControl,
		"\xf0\x9f":      domain.CodeEncoding,
		"РћС‚РґРµР» РєР°РґСЂРѕРІ": domain.CodeEncoding,
		"«»":                     domain.CodeInvalid,
		strings.Repeat("名", 101): domain.CodeTooLong,
	} {
		t.Run(s, func(t *testing.T) {
			_, vs := domain.NewGroup(s)
			require.Equal(t, only(domain.FieldGroup, want), vs)
		})
	}
}
