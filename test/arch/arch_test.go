// Package arch_test checks the tree against the design: which package may import which, and what belongs where. depguard in
// .golangci.yaml has the same rules of imports, and reports violations in the editor. Change both together.
package arch_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

const module = "rollcall"

// part says what the code below a folder may import. Tests may import anything.
type part struct {
	module    []string // parts of the module; nil for all but the tests
	libraries []string // nil for all that have no home elsewhere
	barred    []string // packages of the standard library, with those below them
}

var none = []string{}

// technology lists the packages of the standard library for the outside world. The domain and the ports import none of them.
var technology = []string{
	"archive", "compress", "crypto", "database", "debug", "encoding", "expvar", "hash", "html", "image", "io/fs", "io/ioutil", "log", "mime",
	"net/http", "net/mail", "net/rpc", "net/smtp", "net/textproto", "net/url", "os", "plugin", "syscall", "text/tabwriter", "text/template",
}

var parts = map[string]part{
	".":           {module: []string{"bootstrap"}, libraries: none},
	"domain":      {module: none, libraries: []string{"golang.org/x/text", "golang.org/x/net/idna", "github.com/nyaruka/phonenumbers"}, barred: technology},
	"ports":       {module: []string{"domain"}, libraries: none, barred: technology},
	"application": {module: []string{"domain", "ports"}, libraries: none, barred: []string{"bufio", "database", "encoding", "html", "io/fs", "log", "net/http", "os", "syscall"}},
	"adapters":    {module: []string{"domain", "ports", "adapters/internal"}},
	"views":       {module: none, libraries: none},
	"bootstrap":   {},

	"adapters/bulkfile/scan": {module: []string{"ports", "adapters/internal"}}, // scanners know nothing of people
}

// homes are the only folders that may import a library.
var homes = map[string][]string{
	"github.com/gofiber":          {"adapters/web", "bootstrap"},
	"github.com/valyala/fasthttp": {"adapters/web", "bootstrap"},
	"github.com/uptrace/bun":      {"adapters/postgres", "bootstrap"},
	"github.com/jackc/pgx":        {"adapters/postgres", "bootstrap"},
	"github.com/yuin/goldmark":    {"adapters/web/manual"},
	"github.com/xi2/xz":           {"adapters/localpg"},
	"github.com/xuri/excelize":    {"adapters/report", "adapters/bulkfile"},
	"github.com/stretchr/testify": {"test"},
}

// topLevel lists what the top level may have, besides dot-files and ignored files.
var topLevel = []string{
	"domain", "application", "ports", "adapters", "bootstrap", "views", "test",
	"main.go", "go.mod", "go.sum", "README.md", "LICENSE", "Makefile", "Dockerfile", "compose.yaml",
}

func TestTreeFollowsDesign(t *testing.T) {
	found, err := violations(os.DirFS("../.."))
	require.NoError(t, err)
	for _, violation := range found {
		t.Error(violation)
	}
}

func TestEveryViolationIsFound(t *testing.T) {
	const doc = "// Package p is an example.\n"
	for _, c := range []struct{ name, source, want string }{
		{"domain/a.go", `import "rollcall/ports"`, "domain/a.go imports rollcall/ports: of the module, domain may import nothing"},
		{"domain/a.go", `import "rollcall/domain/b"`, "domain/a.go imports rollcall/domain/b: of the module, domain may import nothing"},
		{"domain/a.go", `import "github.com/google/uuid"`, "domain/a.go imports github.com/google/uuid: of libraries, domain may import " +
			"golang.org/x/text, golang.org/x/net/idna, github.com/nyaruka/phonenumbers"},
		{"domain/a.go", `import "golang.org/x/net/html"`, "domain/a.go imports golang.org/x/net/html: of libraries, domain may import " +
			"golang.org/x/text, golang.org/x/net/idna, github.com/nyaruka/phonenumbers"},
		{"ports/a.go", `import "rollcall/application"`, "ports/a.go imports rollcall/application: of the module, ports may import domain"},
		{"ports/a.go", `import "golang.org/x/text/language"`, "ports/a.go imports golang.org/x/text/language: of libraries, ports may import nothing"},
		{"domain/a.go", `import "net/http"`, "domain/a.go imports net/http: of the standard library, domain may not import net/http"},
		{"domain/a.go", `import "database/sql/driver"`, "domain/a.go imports database/sql/driver: of the standard library, domain may not import database"},
		{"ports/a.go", `import "syscall"`, "ports/a.go imports syscall: of the standard library, ports may not import syscall"},
		{"ports/a.go", `import "encoding/csv"`, "ports/a.go imports encoding/csv: of the standard library, ports may not import encoding"},
		{"application/a.go", `import "log/slog"`, "application/a.go imports log/slog: of the standard library, application may not import log"},
		{"application/a.go", `import "rollcall/adapters/web"`, "application/a.go imports rollcall/adapters/web: of the module, application may import domain, ports"},
		{"application/a.go", `import "golang.org/x/sync/errgroup"`, "application/a.go imports golang.org/x/sync/errgroup: of libraries, application may import nothing"},
		{"adapters/web/a.go", `import "rollcall/adapters/postgres"`, "adapters/web/a.go imports rollcall/adapters/postgres: of the module, adapters may import domain, ports, adapters/internal"},
		{"adapters/web/api/a.go", `import "rollcall/adapters/webb"`, "adapters/web/api/a.go imports rollcall/adapters/webb: of the module, adapters may import domain, ports, adapters/internal"},
		{"adapters/web/urls/a.go", `import "rollcall/adapters/web/api"`, "adapters/web/urls/a.go imports rollcall/adapters/web/api: of its adapter, urls may import transport"},
		{"adapters/web/api/a.go", `import "rollcall/adapters/web"`, "adapters/web/api/a.go imports rollcall/adapters/web: of its adapter, api may import transport, urls, manual, locale, session, problem, guard, intake"},
		{"adapters/web/attic/a.go", `import "rollcall/adapters/web/urls"`, "adapters/web/attic/a.go imports rollcall/adapters/web/urls: of its adapter, attic may import nothing"},
		{"adapters/web/a.go", `import "rollcall/application"`, "adapters/web/a.go imports rollcall/application: of the module, adapters may import domain, ports, adapters/internal"},
		{"adapters/web/a.go", `import "rollcall/bootstrap"`, "adapters/web/a.go imports rollcall/bootstrap: of the module, adapters may import domain, ports, adapters/internal"},
		{"adapters/web/a.go", `import "rollcall/test/fake"`, "adapters/web/a.go imports rollcall/test/fake: of the module, adapters may import domain, ports, adapters/internal"},
		{"adapters/web/a.go", `import "github.com/jackc/pgx/v5"`, "adapters/web/a.go imports github.com/jackc/pgx/v5: only these may import it: adapters/postgres, bootstrap"},
		{"adapters/report/a.go", `import "github.com/uptrace/bun"`, "adapters/report/a.go imports github.com/uptrace/bun: only these may import it: adapters/postgres, bootstrap"},
		{"adapters/postgres/a.go", `import f "github.com/gofiber/fiber/v2"`, "adapters/postgres/a.go imports github.com/gofiber/fiber/v2: only these may import it: adapters/web, bootstrap"},
		{"adapters/postgres/a.go", `import "github.com/valyala/fasthttp"`, "adapters/postgres/a.go imports github.com/valyala/fasthttp: only these may import it: adapters/web, bootstrap"},
		{"adapters/web/a.go", `import "github.com/xuri/excelize/v2"`, "adapters/web/a.go imports github.com/xuri/excelize/v2: only these may import it: adapters/report, adapters/bulkfile"},
		{"adapters/bulkfile/scan/csv/a.go", `import "rollcall/domain"`, "adapters/bulkfile/scan/csv/a.go imports rollcall/domain: of the module, adapters/bulkfile/scan may import ports, adapters/internal"},
		{"bootstrap/a.go", `import "github.com/xuri/excelize/v2"`, "bootstrap/a.go imports github.com/xuri/excelize/v2: only these may import it: adapters/report, adapters/bulkfile"},
		{"bootstrap/a.go", `import x "github.com/xi2/xz"`, "bootstrap/a.go imports github.com/xi2/xz: only these may import it: adapters/localpg"},
		{"bootstrap/a.go", `import _ "rollcall/test/fake"`, "bootstrap/a.go imports rollcall/test/fake: of the module, bootstrap may import all but the tests"},
		{"bootstrap/a.go", `import "github.com/stretchr/testify/assert"`, "bootstrap/a.go imports github.com/stretchr/testify/assert: only these may import it: test"},
		{"views/a.go", `import "rollcall/domain"`, "views/a.go imports rollcall/domain: of the module, views may import nothing"},
		{"main.go", `import "rollcall/domain"`, "main.go imports rollcall/domain: of the module, . may import bootstrap"},
		{"main.go", `import "github.com/alecthomas/kong"`, "main.go imports github.com/alecthomas/kong: of libraries, . may import nothing"},
		{"util/a.go", `import "rollcall/domain"`, "util: not allowed at the top level"},
		{"notes.txt", "", "notes.txt: not allowed at the top level"},
	} {
		t.Run(c.want, func(t *testing.T) {
			found, err := violations(fstest.MapFS{c.name: {Data: []byte(doc + "package p\n" + c.source)}})
			require.NoError(t, err)
			require.Equal(t, []string{c.want}, found)
		})
	}

	found, err := violations(fstest.MapFS{
		"domain/a.go":    {Data: []byte("package domain\n")},
		"domain/dot.go":  {Data: []byte("// Another file.\n\npackage domain\n")},
		"ports/a.go":     {Data: []byte(doc + "package ports\n")},
		"ports/b.go":     {Data: []byte(doc + "package ports\n")},
		"test/a_test.go": {Data: []byte("package test_test\n")},
	})
	require.NoError(t, err)
	require.Equal(t, []string{
		"domain has 0 package comments, expected 1",
		"ports has 2 package comments, expected 1",
		"test has 0 package comments, expected 1",
	}, found)

	_, err = violations(fstest.MapFS{"domain/a.go": {Data: []byte("no Go at all")}})
	require.Error(t, err)
}

func TestDesignIsAccepted(t *testing.T) {
	tree := fstest.MapFS{
		".gitignore": {Data: []byte("/bin/\n*.prof\n")}, "bin/rollcall": {}, "cpu.prof": {}, ".cache/a.go": {}, "Makefile": {},
	}
	for _, c := range []struct {
		name    string
		imports string
	}{
		{"main.go", `"os"; "rollcall/bootstrap"`},
		{"domain/a.go", `"net/netip"; "golang.org/x/text/unicode/norm"; "golang.org/x/net/idna"; "github.com/nyaruka/phonenumbers"`},
		{"domain/a_test.go", `"rollcall/test/fake"; "github.com/stretchr/testify/assert"`},
		{"ports/a.go", `"io"; "rollcall/domain"`},
		{"application/a.go", `"rollcall/domain"; "rollcall/ports"`},
		{"adapters/web/a.go", `"rollcall/ports"; "rollcall/adapters/web/pages"; "github.com/gofiber/fiber/v2"; "github.com/valyala/fasthttp"`},
		{"adapters/web/pages/a.go", `"rollcall/domain"; "rollcall/adapters/web/api"`},
		{"adapters/bulkfile/a.go", `"rollcall/adapters/bulkfile/b"`},
		{"adapters/bulkfile/scan/xlsx/a.go", `"rollcall/adapters/bulkfile/scan"; "rollcall/ports"`},
		{"adapters/postgres/a.go", `"rollcall/domain"; "github.com/uptrace/bun/dialect/pgdialect"; "github.com/jackc/pgx/v5"`},
		{"adapters/report/a.go", `"rollcall/adapters/internal/disk"; "github.com/xuri/excelize/v2"`},
		{"bootstrap/a.go", `"rollcall/adapters/web"; "rollcall/application"; "rollcall/views"; "github.com/jackc/pgx/v5"; "github.com/alecthomas/kong"`},
		{"bootstrap/a_test.go", `"rollcall/test/pgtest"`},
		{"views/a.go", `"embed"`},
		{"test/pgtest/a.go", `"rollcall/adapters/postgres"; "rollcall/test/fake"; "github.com/jackc/pgx/v5"; "github.com/stretchr/testify/assert"`},
	} {
		tree[c.name] = &fstest.MapFile{Data: []byte("// Package p is an example.\npackage p\nimport (" + c.imports + ")\n")}
	}
	found, err := violations(tree)
	require.NoError(t, err)
	require.Empty(t, found)
}

// violations returns everything in the tree that violates the design.
func violations(tree fs.FS) ([]string, error) {
	found, skip, err := checkTopLevel(tree)
	if err != nil {
		return nil, err
	}
	packages := map[string]map[string]*ast.File{} // by folder and path
	err = fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case slices.Contains(skip, name) && entry.IsDir():
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments|parser.SkipObjectResolution)
		folder := path.Dir(name)
		if packages[folder] == nil {
			packages[folder] = map[string]*ast.File{}
		}
		packages[folder][name] = file
		return err
	})
	for folder, files := range packages {
		found = append(found, checkPackage(folder, files)...)
	}
	slices.Sort(found)
	return found, err
}

// checkTopLevel returns the violations of the top level, and the names there that are not part of the project.
func checkTopLevel(tree fs.FS) (found, skip []string, err error) {
	ignored, err := fs.ReadFile(tree, ".gitignore")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	entries, err := fs.ReadDir(tree, ".")
	for _, entry := range entries {
		name := entry.Name()
		isIgnored := strings.HasPrefix(name, ".") || slices.ContainsFunc(strings.Fields(string(ignored)), func(pattern string) bool {
			matches, err := path.Match(strings.Trim(pattern, "/"), name)
			return matches && err == nil
		})
		if !slices.Contains(topLevel, name) {
			skip = append(skip, name)
			if !isIgnored {
				found = append(found, name+": not allowed at the top level")
			}
		}
	}
	return found, skip, err
}

// checkPackage returns the violations of the imports and the package comment of a folder.
func checkPackage(folder string, files map[string]*ast.File) (found []string) {
	program := maps.Clone(files)
	maps.DeleteFunc(program, func(name string, _ *ast.File) bool { return strings.HasSuffix(name, "_test.go") })
	for name, file := range program {
		for _, spec := range file.Imports {
			target := strings.Trim(spec.Path.Value, "\"`")
			if rule := forbids(folder, target); rule != "" {
				found = append(found, fmt.Sprintf("%s imports %s: %s", name, target, rule))
			}
		}
	}
	if len(program) == 0 {
		program = files // a package of tests
	}
	comments := 0
	for _, file := range program {
		if file.Doc != nil {
			comments++
		}
	}
	if comments != 1 {
		found = append(found, fmt.Sprintf("%s has %d package comments, expected 1", folder, comments))
	}
	return found
}

// forbids returns the rule that an import breaks, or an empty string.
func forbids(folder, target string) string {
	if below(folder, "test") {
		return ""
	}
	name, _, _ := strings.Cut(folder, "/")
	for known := range parts {
		if below(folder, known) && len(known) > len(name) {
			name = known
		}
	}
	rule := parts[name]
	if below(target, module) {
		imported := strings.TrimPrefix(target, module+"/")
		switch {
		case rule.module == nil && below(imported, "test"):
			return "of the module, " + name + " may import all but the tests"
		case inOneAdapter(folder, imported):
			return forbidsRoom(folder, imported)
		case rule.module != nil && !belowAny(imported, rule.module):
			return "of the module, " + name + " may import " + list(rule.module)
		}
		return ""
	}
	if first, _, _ := strings.Cut(target, "/"); !strings.Contains(first, ".") {
		for _, barred := range rule.barred {
			if below(target, barred) {
				return "of the standard library, " + name + " may not import " + barred
			}
		}
		return ""
	}
	if rule.libraries != nil && !belowAny(target, rule.libraries) {
		return "of libraries, " + name + " may import " + list(rule.libraries)
	}
	for library, folders := range homes {
		if below(target, library) && !belowAny(folder, folders) {
			return "only these may import it: " + list(folders)
		}
	}
	return ""
}

// rooms are the folders of an adapter that has some, in an order in which each may import those before it. The folder of the adapter
// itself may import all.
var rooms = map[string][]string{
	"adapters/web": {"transport", "urls", "manual", "locale", "session", "problem", "guard", "intake", "api", "pages"},
}

// forbidsRoom returns the rule that an import within an adapter breaks, or an empty string.
func forbidsRoom(folder, imported string) string {
	all, room := rooms[path.Dir(folder)], path.Base(folder)
	before := all[:max(0, slices.Index(all, room))]
	if all == nil || slices.Contains(before, path.Base(imported)) {
		return ""
	}
	return "of its adapter, " + room + " may import " + list(before)
}

// inOneAdapter reports whether both folders belong to one adapter.
func inOneAdapter(folder, imported string) bool {
	parts := strings.SplitN(folder, "/", 3)
	return parts[0] == "adapters" && len(parts) > 1 && below(imported, "adapters/"+parts[1])
}

func below(name, prefix string) bool { return name == prefix || strings.HasPrefix(name, prefix+"/") }

func belowAny(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return below(name, prefix) })
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}
