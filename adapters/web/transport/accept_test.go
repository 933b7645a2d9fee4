package transport_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/web/transport"
)

func TestPreferred(t *testing.T) {
	for _, test := range []struct{ accept, want string }{
		{"", "application/json"},
		{"*/*", "application/json"},
		{"text/csv", "text/csv"},
		{"TEXT/CSV; charset=utf-8", "text/csv"},
		{"text/*", "text/csv"},
		{"text/*, application/json;q=0.9", "text/csv"},
		{"application/json;q=0.5, text/csv", "text/csv"},
		{"text/csv;q=0.5, application/json;q=0.4", "text/csv"},
		{"text/csv, application/json", "text/csv"},
		{"application/json, text/csv", "application/json"},
		{"*/*, text/csv", "text/csv"},
		{"*/*, application/json;q=0.1", "text/csv"},
		{"text/csv;q=0, */*", "application/json"},
		{"text/html, application/pdf", "application/json"},
		{"text/csv;q=much, ;, application/json", "application/json"},
	} {
		t.Run(test.accept, func(t *testing.T) {
			c := request(t)
			c.Request().Header.Set("Accept", test.accept)
			require.Equal(t, test.want, transport.Preferred(c, "application/json", "text/csv"))
		})
	}
}

func TestNames(t *testing.T) {
	for accept, want := range map[string]bool{
		"":                          false,
		"*/*":                       false,
		"text/*":                    false,
		"text/html":                 true,
		"Text/HTML;q=0.1":           true,
		"text/html;q=0":             false,
		"*/*, text/html":            true,
		"text/html;q=0, */*":        false,
		"application/json,text/csv": false,
	} {
		t.Run(accept, func(t *testing.T) {
			c := request(t)
			c.Request().Header.Set("Accept", accept)
			require.Equal(t, want, transport.Names(c, "text/html"))
		})
	}
}
