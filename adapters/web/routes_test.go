package web_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/web"
	"rollcall/views"
)

// Each route has a row in the table, which says who may use it. test/acceptance holds the program to the table.
func TestEveryRouteIsInTheTable(t *testing.T) {
	table, err := os.ReadFile("testdata/routes.txt")
	require.NoError(t, err)
	var listed []string
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] != "#" {
			listed = append(listed, fields[0]+" "+fields[1])
		}
	}
	catalog, err := loadCatalog()
	require.NoError(t, err)
	server, err := web.NewServer(web.Config{Views: views.Files, Languages: catalog, Now: time.Now})
	require.NoError(t, err)
	require.ElementsMatch(t, listed, server.Routes())
}
