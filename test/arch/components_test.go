package arch_test

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// floors are the versions that fix published vulnerabilities. .github/SECURITY.md says how soon a new one is added here.
var floors = map[string]struct{ version, advisory string }{
	"go":                                 {"1.26.6", "GO-2026-5972, 6090, 6218, CVE-2026-56858"}, // asn1, tls, url, html/template
	"github.com/gofiber/fiber/v2":        {"2.52.13", "GHSA-qjv7-627w-8qjv"},
	"github.com/gofiber/utils":           {"1.2.0", "GO-2025-4208"},
	"github.com/jackc/pgx/v5":            {"5.9.2", "GO-2026-5004"},
	"github.com/nyaruka/phonenumbers/v2": {"2.0.4", "a panic on malformed numbers"},
	"github.com/valyala/fasthttp":        {"1.70.0", "GO-2026-4950"},
	"github.com/xuri/excelize/v2":        {"2.11.0", "GO-2026-6452"},
	"golang.org/x/crypto":                {"0.56.0", "GO-2026-6354"},
	"golang.org/x/net":                   {"0.57.0", "GO-2026-5026"},
	"golang.org/x/text":                  {"0.39.0", "GO-2026-5970"},
}

// required matches a line of go.mod with a version.
var required = regexp.MustCompile(`(?m)^\s*(?:require )?(go|\S+\.\S+/\S+) v?(\d+\.\d+\.\d+)\S*`)

func TestComponentsAreFixed(t *testing.T) {
	file, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	require.Empty(t, vulnerable(string(file)))
}

func TestEveryVulnerableComponentIsFound(t *testing.T) {
	const fixed = "module rollcall\n\ngo 1.26.6\n\nrequire github.com/jackc/pgx/v5 v5.9.2\n\nrequire (\n" +
		"\tgithub.com/gofiber/fiber/v2 v2.52.13\n\tgithub.com/gofiber/utils v1.2.0 // indirect\n\tgithub.com/nyaruka/phonenumbers/v2 v2.0.7\n" +
		"\tgithub.com/valyala/fasthttp v1.100.0\n\tgithub.com/xuri/excelize/v2 v2.11.1-0.20261001000000-0123456789ab\n" +
		"\tgolang.org/x/crypto v0.58.0\n\tgolang.org/x/net v0.57.0\n\tgolang.org/x/text v1.0.0\n)\n"
	require.Empty(t, vulnerable(fixed))
	for _, c := range []struct{ was, is, want string }{
		{"go 1.26.6", "go 1.26.0", "go 1.26.0: GO-2026-5972, 6090, 6218, CVE-2026-56858 requires 1.26.6"},
		{"pgx/v5 v5.9.2", "pgx/v5 v5.9.1", "github.com/jackc/pgx/v5 5.9.1: GO-2026-5004 requires 5.9.2"},
		{"fasthttp v1.100.0", "fasthttp v1.9.0", "github.com/valyala/fasthttp 1.9.0: GO-2026-4950 requires 1.70.0"},
		{"\tgithub.com/gofiber/utils v1.2.0 // indirect\n", "", "github.com/gofiber/utils: go.mod does not name it"},
	} {
		t.Run(c.want, func(t *testing.T) {
			require.Equal(t, []string{c.want}, vulnerable(strings.Replace(fixed, c.was, c.is, 1)))
		})
	}
}

// vulnerable returns the components of a go.mod that are below their floor, and those that it does not name, whose floors must be
// removed.
func vulnerable(goMod string) (found []string) {
	versions := map[string]string{}
	for _, line := range required.FindAllStringSubmatch(goMod, -1) {
		versions[line[1]] = line[2]
	}
	for component, floor := range floors {
		switch version, isNamed := versions[component]; {
		case !isNamed:
			found = append(found, component+": go.mod does not name it")
		case slices.CompareFunc(strings.Split(version, "."), strings.Split(floor.version, "."), compareNumbers) < 0:
			found = append(found, fmt.Sprintf("%s %s: %s requires %s", component, version, floor.advisory, floor.version))
		}
	}
	slices.Sort(found)
	return found
}

// compareNumbers compares decimal numbers, none of which overflows.
func compareNumbers(a, b string) int {
	x, _ := strconv.Atoi(a)
	y, _ := strconv.Atoi(b)
	return cmp.Compare(x, y)
}
