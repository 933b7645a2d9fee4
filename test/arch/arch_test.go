// Package arch_test holds the shape of the design: who may import whom, and what stands where.
package arch_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "rollcall"

// layers says, for each part of the module, which other parts it may import. The longest name that fits a package counts.
var layers = map[string][]string{
	"":            {"bootstrap"},
	"domain":      {},
	"ports":       {"domain"},
	"application": {"domain", "ports"},
	"adapters":    {"domain", "ports"},
	"views":       {},
	"bootstrap":   {"domain", "ports", "application", "adapters", "views"},
	"test":        {"domain", "ports", "application", "adapters", "views", "bootstrap", "test"},
}

// libraries says which parts of the module a library belongs to.
var libraries = map[string][]string{
	"github.com/gofiber/":                        {"adapters/web", "bootstrap"},
	"github.com/valyala/fasthttp":                {"adapters/web", "bootstrap"},
	"github.com/uptrace/bun":                     {"adapters/postgres", "bootstrap"},
	"github.com/jackc/pgx":                       {"adapters/postgres", "bootstrap", "test"},
	"github.com/xuri/excelize":                   {"adapters/report", "adapters/bulkfile"},
	"github.com/stretchr/testify":                {"test"},
	"github.com/fergusstrange/embedded-postgres": {"adapters/localpg"},
	"golang.org/x/text":                          {"domain", "adapters"},
	"golang.org/x/net/idna":                      {"domain"},
	"github.com/nyaruka/phonenumbers":            {"domain"},
}

// pure are the layers that know no library beyond those named for them.
var pure = []string{"domain", "ports", "application"}

// below tells whether a folder is part of another or the same.
func below(folder, part string) bool { return folder == part || strings.HasPrefix(folder, part+"/") }

func layerOf(folder string) string {
	first, _, _ := strings.Cut(folder, "/")
	if folder == "." {
		first = ""
	}
	return first
}

// check returns what in the tree is against the rules.
func check(tree fs.FS) ([]string, error) {
	var found []string
	comments := map[string]int{}
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata") {
			return fs.SkipDir
		}
		if entry.IsDir() || path.Ext(name) != ".go" {
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder := path.Dir(name)
		if !strings.HasSuffix(name, "_test.go") {
			comments[folder] += 0
			if file.Doc != nil {
				comments[folder]++
			}
			for _, imported := range file.Imports {
				target, err := strconv.Unquote(imported.Path.Value)
				if err != nil {
					return err
				}
				if rule := forbids(folder, target); rule != "" {
					found = append(found, fmt.Sprintf("%s imports %s: %s", name, target, rule))
				}
			}
		}
		if below(folder, "ports") {
			found = append(found, largeInterfaces(name, file)...)
		}
		return nil
	})
	for folder, n := range comments {
		if n != 1 {
			found = append(found, fmt.Sprintf("%s has %d package comments, and should have one", folder, n))
		}
	}
	slices.Sort(found)
	return found, err
}

// forbids returns the rule that an import breaks, empty for none.
func forbids(folder, target string) string {
	layer := layerOf(folder)
	allowed, known := layers[layer]
	if !known {
		return "the design has no folder " + layer
	}
	if target == module || strings.HasPrefix(target, module+"/") {
		part := strings.TrimPrefix(strings.TrimPrefix(target, module), "/")
		if !slices.Contains(allowed, layerOf(part)) {
			return fmt.Sprintf("%q knows only %v", layer, allowed)
		}
		return ""
	}
	if first, _, _ := strings.Cut(target, "/"); !strings.Contains(first, ".") {
		return "" // the standard library
	}
	named := false
	for library, parts := range libraries {
		if !strings.HasPrefix(target, library) {
			continue
		}
		named = true
		if !slices.ContainsFunc(parts, func(part string) bool { return below(folder, part) }) {
			return fmt.Sprintf("it belongs to %v", parts)
		}
	}
	if !named && slices.Contains(pure, layer) {
		return layer + " knows no such library"
	}
	return ""
}

// largeInterfaces finds ports of more than four methods.
func largeInterfaces(name string, file *ast.File) (found []string) {
	const most = 4
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if it, ok := spec.Type.(*ast.InterfaceType); ok && it.Methods.NumFields() > most {
			found = append(found, fmt.Sprintf("%s: %s has %d methods, and may have %d", name, spec.Name, it.Methods.NumFields(), most))
		}
		return true
	})
	return found
}

func TestArchitecture(t *testing.T) {
	found, err := check(os.DirFS("../.."))
	require.NoError(t, err)
	assert.Empty(t, found)
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir("../..")
	require.NoError(t, err)
	known := []string{
		"domain", "application", "ports", "adapters", "bootstrap", "views", "test",
		"main.go", "go.mod", "go.sum", "README.md", "Makefile", "LICENSE",
		"bin", "data", "uploads", // of the program, which git does not keep
	}
	for _, entry := range entries {
		assert.True(t, strings.HasPrefix(entry.Name(), ".") || slices.Contains(known, entry.Name()), "the top level has no place for %s", entry.Name())
	}
}

// The check would see what it looks for.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	for source, want := range map[string]string{
		`domain/a.go import "rollcall/ports"`:                         "domain/a.go imports rollcall/ports",
		`domain/a.go import "github.com/google/uuid"`:                 "domain knows no such library",
		`ports/a.go import "rollcall/application"`:                    "ports/a.go imports rollcall/application",
		`ports/a.go import "golang.org/x/text/language"`:              "it belongs to [domain adapters]",
		`application/a.go import "rollcall/adapters/web"`:             "application/a.go imports rollcall/adapters/web",
		`adapters/web/a.go import "rollcall/adapters/postgres"`:       "adapters/web/a.go imports rollcall/adapters/postgres",
		`adapters/web/a.go import "rollcall/application"`:             "adapters/web/a.go imports rollcall/application",
		`adapters/web/a.go import "github.com/jackc/pgx/v5"`:          "it belongs to [adapters/postgres bootstrap test]",
		`adapters/postgres/a.go import "github.com/gofiber/fiber/v2"`: "it belongs to [adapters/web bootstrap]",
		`bootstrap/a.go import "rollcall/test/fake"`:                  "bootstrap/a.go imports rollcall/test/fake",
		`bootstrap/a.go import "github.com/stretchr/testify/assert"`:  "it belongs to [test]",
		`util/a.go import "fmt"`:                                      "the design has no folder util",
		`a.go import "rollcall/domain"`:                               "a.go imports rollcall/domain",
		`ports/a.go type Big interface { A(); B(); C(); D(); E() }`:   "Big has 5 methods",
		`domain/a.go import "fmt"`:                                    "domain has 0 package comments",
	} {
		name, code, _ := strings.Cut(source, " ")
		found, err := check(fstest.MapFS{name: {Data: []byte("package a\n" + code + "\n")}})
		require.NoError(t, err)
		assert.Contains(t, strings.Join(found, "\n"), want, source)
	}
	found, err := check(fstest.MapFS{
		"domain/a_test.go":   {Data: []byte("package a\nimport \"rollcall/test/fake\"\n")},
		"adapters/web/a.go":  {Data: []byte("// Package a is.\npackage a\nimport (\"rollcall/ports\"; \"github.com/gofiber/fiber/v2\")\n")},
		"test/contract/a.go": {Data: []byte("// Package a is.\npackage a\nimport (\"rollcall/test/fake\"; \"github.com/stretchr/testify/assert\")\n")},
	})
	require.NoError(t, err)
	assert.Empty(t, found)
}
