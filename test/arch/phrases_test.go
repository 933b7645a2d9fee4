package arch_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// A phrase is one that the project does not write, with the words that it writes in its place.
type phrase struct {
	pattern *regexp.Regexp
	prefix  string // of each match, in lower case; empty if they have none in common
	instead string
}

func phrases(table [][2]string) []phrase {
	all := make([]phrase, len(table))
	for i, row := range table {
		prefix, _ := regexp.MustCompile(row[0]).LiteralPrefix()
		all[i] = phrase{regexp.MustCompile(`(?i)(?:^|[^\p{L}\p{N}_])(` + row[0] + `)(?:$|[^\p{L}\p{N}_])`), prefix, row[1]}
	}
	return all
}

// everywhere are phrases that neither users nor developers read: archaisms, word-for-word translations, and second words for one thing.
var everywhere = phrases([][2]string{
	{`who(?:m)?ever`, "name the user, client or administrator"},
	{`nobody`, "no one, or name the record"},
	{`somebody`, "a user, someone"},
	{`everybody`, "everyone, or name the user"},
	{`anybody`, "anyone, or name the user"},
	{`at once`, "concurrently, immediately, together"},
	{`e-mails?`, "email"},
	{`lest`, "so that ... does not"},
	{`whe(?:reupon|nce)`, "a sentence of its own"},
	{`there(?:upon|of|in)`, "a sentence of its own"},
	{`hitherto`, "a sentence of its own"},
	{`tells? of|tells? (?:whether|what|who)`, "returns, reports whether"},
	{`as (?:it|they) should(?: be)?`, "say what is expected"},
	{`of no (?:more )?use`, "invalid, has no effect"},
	{`to no avail`, "invalid, has no effect"},
	{`what (?:came|comes|became|becomes) of`, "the result of"},
	{`must be more than nothing`, "must be greater than 0"},
	{`takes? (?:\w+ ){0,3}away`, "revoke, remove, download"},
	{`(?:is|are|be) taken away`, "revoke, remove, download"},
	{`there is nothing at`, "Not found"},
	{`rehears(?:e|es|ed|al|als|ing)`, "dry run"},
	{`refused (?:objects?|rows?|records?|people)`, "rejected"},
	{`(?:objects?|records?|rows?) (?:that )?(?:is|are|was|were) (?:all )?refused`, "rejected"},
	{`mend(?:s|ed|ing)?`, "fix"},
})

// inText are phrases that users do not read, besides those. Comments and names may have them.
var inText = phrases([][2]string{
	{`makes? no sense`, "invalid"},
	{`worked on`, "processed"},
	{`than (?:it|they) may`, "exceeds the limit"},
	{`of whom`, "name whose"},
	{`whose numbers`, "name whose"},
	{`generated passwords?`, "temporary password"},
	{`initial passwords?`, "temporary password"},
	{`(?:is|are) no such \w+ like`, "invalid X: expected Y"},
	{`no time like`, "invalid X: expected Y"},

	{`тот, кто|тому, кто отвечает|того, кто`, "администратор, пользователь, клиент"},
	{`кто (?:не )?прошёл`, "зарегистрирован, отклонена"},
	{`как понят`, "как прочитан"},
	{`забрать|забирает|заберите`, "скачать"},
	{`прочесть`, "прочитать"},
	{`которому прислали`, "разобрать запрос"},
	{`то, что (?:ему )?прислали`, "разобрать запрос"},
	{`здесь (?:так нельзя|не чита\p{L}+)`, "не поддерживается"},
	{`запись об этом импорте`, "подробности импорта"},
	{`листк\p{L}+`, "карточки"},
	{`сгенерированн\p{L}+`, "временный пароль"},
	{`созданн\p{L}+ системой`, "временный пароль"},
	{`имейл\p{L}*`, "почта"},
	{`емейл\p{L}*`, "почта"},
	{`мейл\p{L}*`, "почта"},
	{`прогон\p{L}*`, "пробный запуск"},
	{`репетици\p{L}+`, "пробный запуск"},
})

// inCatalogs are phrases that messages do not have, besides those: the object of JSON is a record on pages.
var inCatalogs = phrases([][2]string{
	{`(?:an? |\d+ )?objects?`, "record, except in: JSON object"},
	{`refused|refusals?`, "rejected, rejection"},
	{`объект(?:а|у|ом|е|ы|ов|ам|ами|ах)?`, "запись, кроме: объект JSON"},
})

// inComments are phrases that comments and names do not have, besides those everywhere.
var inComments = phrases([][2]string{
	{`is what`, "say what it is"},
	{`knows? of`, "has, imports"},
	{`is wished`, "is requested"},
	{`lets? be known`, "reports, records"},
})

// quoted are texts that quote a phrase on purpose.
var quoted = strings.NewReplacer(
	"postgres or nobody", "", "or else as nobody", "", // accounts of the system
	"JSON object", "", "объект JSON", "", "объекта JSON", "", "объектов JSON", "", // what JSON calls so
	"`E-mail`", "", `"e-mail"`, "", // a name of a column that people give
)

func TestNoBannedPhrases(t *testing.T) {
	found, err := bannedPhrases(os.DirFS("../.."))
	require.NoError(t, err)
	for _, c := range []struct {
		name   string
		inCode bool
	}{
		{"in what users read: catalogs, pages, documents, and the strings of the program", false},
		{"in what developers read: comments, and the names of functions", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, it := range found {
				if it.inCode == c.inCode {
					t.Error(it.message)
				}
			}
		})
	}
}

func TestEveryBannedPhraseIsFound(t *testing.T) {
	for _, c := range []struct{ name, source, want string }{
		{"adapters/i18n/en.json", `{"a": "Whoever it is"}`, `a: "Whoever": `},
		{"adapters/i18n/en.json", `{"b": {"one": "{{.Number}} object"}}`, `b: "object": `},
		{"adapters/i18n/ru.json", `{"c": "Больше объектов нет."}`, `c: "объектов": `},
		{"adapters/i18n/ru.json", `{"d": "Как понят файл"}`, `d: "Как понят": `},
		{"views/help/en/api.md", "# API\n\nNobody knows.\n", `3: "Nobody": `},
		{"views/pages/a.html", "<p>\nSend an e-mail.</p>\n", `2: "e-mail": `},
		{"views/static/a.js", "alert('at once')\n", `1: "at once": `},
		{"views/openapi.yaml", "a: What came of it\n", `1: "What came of": `},
		{"README.md", "# A\n\nRefused records\n", `3: "Refused records": `},
		{"domain/a.go", "package p\n\nvar err = errors.New(\"must be more than nothing\")\n", `3: "must be more than nothing": `},
		{"bootstrap/a.go", "package p\n\ntype t struct {\n\tA int `help:\"Take it away.\"`\n}\n", `4: "Take it away": `},
		{"bootstrap/b.go", "package p\n\nconst s = \"a\\n\" +\n\t`tells of it`\n", `4: "tells of": `},
		{"domain/b.go", "package p\n\n// A is\n// what nobody reads.\nvar A int\n", `3: "is what": ` + "\n" + `3: "nobody": `},
		{"domain/b_test.go", "package p\n\n// Nobody.\n", `3: "Nobody": `},
		{"domain/c_test.go", "package p\n\nfunc TestWhatBecameOfIt(t *testing.T) {}\n", `3: "What Became Of": `},
	} {
		t.Run(c.name+" "+c.want, func(t *testing.T) {
			found, err := bannedPhrases(fstest.MapFS{c.name: {Data: []byte(c.source)}})
			require.NoError(t, err)
			var want []string
			for part := range strings.SplitSeq(c.want, "\n") {
				want = append(want, c.name+":"+part)
			}
			require.Len(t, found, len(want))
			for i := range want {
				require.True(t, strings.HasPrefix(found[i].message, want[i]), "%s\n%s", want[i], found[i].message)
			}
		})
	}
	found, err := bannedPhrases(fstest.MapFS{
		"adapters/i18n/en.json":   {Data: []byte(`{"refused.objects": "This is not a JSON object. No one is registered."}`)},
		"adapters/i18n/ru.json":   {Data: []byte(`{"a": "Это не объект JSON."}`)},
		"views/help/en/api.md":    {Data: []byte("# A\n\nAn array of objects, with columns such as `E-mail`.\n")},
		"domain/a.go":             {Data: []byte("package p\n\nconst account = \"nobody\"\n")},
		"domain/a_test.go":        {Data: []byte("package p\n\nconst s = \"nobody\"\n")},
		"views/static/x.min.js":   {Data: []byte("nobody")},
		"test/fake/testdata/a.go": {Data: []byte("nobody")},
		".git/a.go":               {Data: []byte("nobody")},
		"data/a.go":               {Data: []byte("nobody")},
	})
	require.NoError(t, err)
	require.Empty(t, found)

	_, err = bannedPhrases(fstest.MapFS{"a.go": {Data: []byte("no Go at all")}})
	require.Error(t, err)
	_, err = bannedPhrases(fstest.MapFS{"adapters/i18n/en.json": {Data: []byte("no JSON at all")}})
	require.Error(t, err)
}

// bannedPhrases returns every banned phrase in the project's texts, with its place and what to write instead.
func bannedPhrases(tree fs.FS) (found []finding, err error) {
	err = fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (entry.Name() == "testdata" || path.Dir(name) == "." && !slices.Contains(append(topLevel, ".github"), name)):
			return fs.SkipDir
		case entry.IsDir():
			return nil
		}
		texts, err := textsOf(tree, name)
		for _, text := range texts {
			text.text = quoted.Replace(text.text)
			lower := strings.ToLower(text.text)
			for _, p := range text.banned {
				if !strings.Contains(lower, p.prefix) { // the pattern takes a hundred times longer
					continue
				}
				for _, match := range p.pattern.FindAllStringSubmatch(text.text, -1) {
					found = append(found, finding{fmt.Sprintf("%s:%s: %q: write %s", name, text.place, match[1], p.instead), text.inCode})
				}
			}
		}
		return err
	})
	slices.SortFunc(found, func(a, b finding) int { return strings.Compare(a.message, b.message) })
	return found, err
}

// A finding is a banned phrase, with its place and what to write instead.
type finding struct {
	message string
	inCode  bool // in a comment or a name
}

// A passage is a text of a file, with its line or key, and the phrases that it may not have.
type passage struct {
	place, text string
	banned      []phrase
	inCode      bool
}

var catalogFile = regexp.MustCompile(`^adapters/i18n/[a-z]+\.json$`)

// textsOf returns what people read in a file.
func textsOf(tree fs.FS, name string) ([]passage, error) {
	extension := path.Ext(name)
	switch {
	case strings.HasSuffix(name, ".min.js"):
		return nil, nil
	case !catalogFile.MatchString(name) && !slices.Contains([]string{".go", ".md", ".html", ".js", ".yaml"}, extension):
		return nil, nil
	}
	source, err := fs.ReadFile(tree, name)
	if err != nil {
		return nil, err
	}
	switch {
	case extension == ".json":
		return textsOfCatalog(source)
	case extension == ".go":
		return textsOfCode(name, source)
	case extension == ".html":
		return lines(action.ReplaceAll(source, nil), slices.Concat(everywhere, inText)), nil
	case !below(name, "test") || extension == ".md":
		return lines(source, slices.Concat(everywhere, inText)), nil
	}
	return nil, nil
}

// action is one of a template, which the program replaces.
var action = regexp.MustCompile(`{{.*?}}`)

func lines(source []byte, banned []phrase) (texts []passage) {
	number := 0
	for line := range strings.Lines(string(source)) {
		number++
		texts = append(texts, passage{strconv.Itoa(number), line, banned, false})
	}
	return texts
}

func textsOfCatalog(source []byte) (texts []passage, err error) {
	var messages map[string]any
	err = json.Unmarshal(source, &messages)
	for key, message := range messages {
		texts = append(texts, passage{key, fmt.Sprint(message), slices.Concat(everywhere, inText, inCatalogs), false})
	}
	return texts, err
}

// textsOfCode returns the comments of a file, the words of its functions' names, and its strings unless it is a test.
func textsOfCode(name string, source []byte) (texts []passage, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, group := range file.Comments {
		comment := strings.Join(strings.Fields(group.Text()), " ")
		texts = append(texts, passage{strconv.Itoa(files.Position(group.Pos()).Line), comment, slices.Concat(everywhere, inComments), true})
	}
	ofTest := below(name, "test") || strings.HasSuffix(name, "_test.go")
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncDecl:
			words := word.ReplaceAllString(node.Name.Name, "$0 ")
			texts = append(texts, passage{strconv.Itoa(files.Position(node.Pos()).Line), words, everywhere, true})
		case *ast.BasicLit:
			if node.Kind == token.STRING && !ofTest && strings.Contains(node.Value, " ") { // a single word is no prose
				texts = append(texts, passage{strconv.Itoa(files.Position(node.Pos()).Line), node.Value, slices.Concat(everywhere, inText), false})
			}
		}
		return true
	})
	return texts, nil
}

// word is one of a name, as in TestFileIsRead.
var word = regexp.MustCompile(`[A-Z]?[a-z]+`)
