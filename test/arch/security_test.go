package arch_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

const securityFile = ".github/SECURITY.md"

// named matches the name of a test, with its package if there is one.
var named = regexp.MustCompile(`(?:\b([a-z]\w*)\.)?\b((?:Test|Fuzz)[A-Z]\w*)`)

// requirement matches the ID at the beginning of a row of a table of requirements.
var requirement = regexp.MustCompile(`(?m)^\| (\d+\.\d+\.\d+) \|`)

// level1 is the number of requirements of ASVS 5.0.0 at level 1.
const level1 = 70

// A requirement whose test is missing is not proven.
func TestSecurityFileNamesTests(t *testing.T) {
	wrong, err := namesWithoutTest(os.DirFS("../.."))
	require.NoError(t, err)
	for _, name := range wrong {
		t.Error(name)
	}
}

// faultsFile has a table of faults with the test that causes each. It names a package only for tests of other packages.
const faultsFile = "test/faults/README.md"

func TestFaultsFileNamesTests(t *testing.T) {
	tree := os.DirFS("../..")
	text, err := fs.ReadFile(tree, faultsFile)
	require.NoError(t, err)
	tests, err := testsOf(tree)
	require.NoError(t, err)
	names := named.FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, names)
	for _, name := range names {
		require.Contains(t, tests, cmp.Or(name[1], "faults")+"."+name[2])
	}
}

func TestSecurityFileHasEachRequirementOnce(t *testing.T) {
	text, err := os.ReadFile("../../" + securityFile)
	require.NoError(t, err)
	first, _, isSplit := strings.Cut(string(text), "\n## ASVS level 2\n")
	require.True(t, isSplit)
	rows := map[string]int{}
	for _, row := range requirement.FindAllStringSubmatch(string(text), -1) {
		rows[row[1]]++
	}
	for id, n := range rows {
		require.Equal(t, 1, n, "rows of requirement %s", id)
	}
	require.Len(t, requirement.FindAllString(first, -1), level1)
}

// routeFile has a rule for each route of the program. Other tests check the program against it.
const routeFile = "adapters/web/testdata/routes.txt"

func TestSecurityFileHasEveryRoute(t *testing.T) {
	tree := os.DirFS("../..")
	table, err := fs.ReadFile(tree, routeFile)
	require.NoError(t, err)
	want := map[string]string{}
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] != "#" {
			want[fields[0]+" "+fields[1]] = fields[2]
		}
	}
	text, err := fs.ReadFile(tree, securityFile)
	require.NoError(t, err)
	require.Equal(t, want, rulesOf(string(text)))
}

func TestRulesOfTheSecurityFile(t *testing.T) {
	require.Equal(t, map[string]string{"GET /": "all", "GET /login": "all", "POST /login": "all", "POST /useradd": "useradd"}, rulesOf(
		"`GET /nowhere`\n\n## Authorization\n\n| rule | who | routes |\n|---|---|---|\n| all | every client | `GET /`, `GET, POST /login`; `all` |\n"+
			"| useradd | `--useradd-access` | `POST /useradd` |\n\n`GET /nowhere`\n\n## More\n\n| all | every client | `GET /nowhere` |\n"))
}

var (
	ruleRow   = regexp.MustCompile(`(?m)^\| ([a-z-]+) \| [^|]+ \| (.+) \|$`)
	ruleRoute = regexp.MustCompile("`((?:GET|POST|PATCH|DELETE)(?:, [A-Z]+)*) (/[^`]*)`")
)

// rulesOf returns the rule of each route in the section Authorization of the security file.
func rulesOf(text string) map[string]string {
	_, section, _ := strings.Cut(text, "\n## Authorization\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rules := map[string]string{}
	for _, row := range ruleRow.FindAllStringSubmatch(section, -1) {
		for _, route := range ruleRoute.FindAllStringSubmatch(row[2], -1) {
			for method := range strings.SplitSeq(route[1], ", ") {
				rules[method+" "+route[2]] = row[1]
			}
		}
	}
	return rules
}

func TestEveryNameWithoutTestIsFound(t *testing.T) {
	tree := fstest.MapFS{
		securityFile: {Data: []byte("`domain.TestLogin`, `web.FuzzHead`, `domain.TestGone`, `web.TestLogin`, `TestLogin`, `domain.TestHelper`,\n" +
			"`domain.TestMethod`, `domain.TestInProgram`, `domain.TestSuite`, `old.TestOld`, contestants, TestMain\n")},
		"domain/a_test.go": {Data: []byte("package domain_test\nfunc TestLogin(t *testing.T) {}\nfunc TestMain(m *testing.M) {}\n" +
			"func TestHelper() {}\nfunc (s Suite) TestMethod(t *testing.T) {}\nfunc TestSuite(t *testing.T, s Suite) {}\n")},
		"domain/a.go":               {Data: []byte("package domain\nfunc TestInProgram(t *testing.T) {}\n")},
		"adapters/web/head_test.go": {Data: []byte("package web_test\nfunc FuzzHead(f *testing.F) {}\n")},
		".git/old/a_test.go":        {Data: []byte("package old\nfunc TestOld(t *testing.T) {}\n")},
	}
	wrong, err := namesWithoutTest(tree)
	require.NoError(t, err)
	require.Equal(t, []string{
		"TestLogin: name its package, as in domain.TestLogin",
		"TestMain: name its package, as in domain.TestMain",
		"domain.TestGone: there is no such test",
		"domain.TestHelper: there is no such test",
		"domain.TestInProgram: there is no such test",
		"domain.TestMethod: there is no such test",
		"domain.TestSuite: there is no such test",
		"old.TestOld: there is no such test",
		"web.TestLogin: there is no such test",
	}, wrong)

	delete(tree, securityFile)
	_, err = namesWithoutTest(tree)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = namesWithoutTest(fstest.MapFS{securityFile: {}, "domain/a_test.go": {Data: []byte("no Go at all")}})
	require.Error(t, err)
}

// namesWithoutTest returns the names in the security file that are not names of tests in the tree, with the reason.
func namesWithoutTest(tree fs.FS) (wrong []string, err error) {
	text, err := fs.ReadFile(tree, securityFile)
	if err != nil {
		return nil, err
	}
	tests, err := testsOf(tree)
	for _, match := range named.FindAllStringSubmatch(string(text), -1) {
		switch {
		case match[1] == "":
			wrong = append(wrong, fmt.Sprintf("%s: name its package, as in domain.%[1]s", match[0]))
		case !tests[match[0]]:
			wrong = append(wrong, match[0]+": there is no such test")
		}
	}
	slices.Sort(wrong)
	return slices.Compact(wrong), err
}

// testsOf returns every test and fuzz target, such as domain.TestLogin. The name of a package is that of its folder.
func testsOf(tree fs.FS) (map[string]bool, error) {
	tests := map[string]bool{}
	err := walkCode(tree, func(name string, source []byte) error {
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declaration := range file.Decls {
			f, isFunc := declaration.(*ast.FuncDecl)
			if isFunc && f.Recv == nil && isTest(f.Type) {
				tests[path.Base(path.Dir(name))+"."+f.Name.Name] = true
			}
		}
		return nil
	})
	return tests, err
}

// isTest reports whether a function takes a *testing.T or a *testing.F, and nothing else.
func isTest(f *ast.FuncType) bool {
	if f.Params.NumFields() != 1 {
		return false
	}
	pointer, isPointer := f.Params.List[0].Type.(*ast.StarExpr)
	if !isPointer {
		return false
	}
	kind, isSelector := pointer.X.(*ast.SelectorExpr)
	return isSelector && (kind.Sel.Name == "T" || kind.Sel.Name == "F")
}

// walkCode calls visit with each Go file, script and template of the project.
func walkCode(tree fs.FS, visit func(name string, source []byte) error) error {
	return fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && name != ".":
			return fs.SkipDir
		case entry.IsDir() || !slices.Contains([]string{".go", ".js", ".html"}, path.Ext(name)):
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		return visit(name, source)
	})
}

// unsafePatterns match forbidden code of the program, by the extension of its file.
var unsafePatterns = map[string]*regexp.Regexp{
	// Packages that do not escape, broken hashes and ciphers, and types that html/template does not escape.
	".go": regexp.MustCompile(`"(?:text/template|crypto/md5|crypto/sha1|crypto/des|crypto/rc4|math/rand)"|\btemplate\.(?:HTML|HTMLAttr|JS|JSStr|CSS|URL|Srcset)\b`),

	// Functions that turn text into HTML or code, and storage that outlives a session.
	".js": regexp.MustCompile(`\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|createContextualFragment|setHTMLUnsafe|localStorage|sessionStorage|indexedDB)`),

	// Inline code and styles, which the Content-Security-Policy forbids, and links with other schemes.
	".html": regexp.MustCompile(`<script>|<style|\s(?:on[a-z]+|style)=|javascript:|data:`),
}

func TestProgramHasNoUnsafeCode(t *testing.T) {
	found, err := unsafeCode(os.DirFS("../.."))
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestEveryUnsafeCodeIsFound(t *testing.T) {
	for _, c := range []struct {
		name   string
		source string
	}{
		{"domain/a.go", `import "text/template"`},
		{"adapters/web/a.go", `return template.HTML(name)`},
		{"bootstrap/a.go", `import "crypto/sha1"`},
		{"views/static/a.js", `row.innerHTML = name`},
		{"views/static/b.js", `eval(name)`},
		{"views/pages/a.html", `<b onclick="go()">`},
		{"views/pages/b.html", "<p\nstyle=\"color: red\">"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found, err := unsafeCode(fstest.MapFS{c.name: {Data: []byte(c.source)}})
			require.NoError(t, err)
			require.Len(t, found, 1, c.source)
			require.Contains(t, found[0], c.name)
		})
	}
	found, err := unsafeCode(fstest.MapFS{
		"views/a.go":        {Data: []byte("import (\"html/template\"; \"crypto/sha256\"; \"math/rand/v2\")\nvar t *template.Template")},
		"views/static/a.js": {Data: []byte(`row.textContent = name`)},
		"views/a.html":      {Data: []byte(`<script src="/static/app.js" defer></script>`)},
		"domain/a_test.go":  {Data: []byte(`import "crypto/sha1"`)},
		"test/bench/a.go":   {Data: []byte(`import "math/rand"`)},
	})
	require.NoError(t, err)
	require.Empty(t, found)
}

type exception struct{ file, text string }

// manualPages are Markdown that is embedded in the program, rendered without the HTML in it.
var manualPages = exception{"adapters/web/manual/manual.go", "template.HTML"}

// unsafeCode returns the forbidden code of the program.
func unsafeCode(tree fs.FS) (found []string, err error) {
	err = walkCode(tree, func(name string, source []byte) error {
		if below(name, "test") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		for _, text := range unsafePatterns[path.Ext(name)].FindAllString(string(source), -1) {
			if unescaped := (exception{name, text}); unescaped != manualPages {
				found = append(found, name+": "+text)
			}
		}
		return nil
	})
	return found, err
}
