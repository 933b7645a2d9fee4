package manual_test

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/PuerkitoBio/goquery"
	"github.com/stretchr/testify/require"

	"rollcall/adapters/i18n"
	"rollcall/adapters/web/manual"
	"rollcall/views"
)

// load returns the program's manual, and the languages that it is in.
func load(t *testing.T) (*manual.Manual, []string) {
	t.Helper()
	catalog, err := i18n.New()
	require.NoError(t, err)
	files, err := fs.Sub(views.Files, "help")
	require.NoError(t, err)
	loaded, err := manual.Load(files, catalog)
	require.NoError(t, err)
	var languages []string
	for _, words := range catalog.All() {
		languages = append(languages, words.Language())
	}
	return loaded, languages
}

func parse(t *testing.T, page manual.Page) *goquery.Document {
	t.Helper()
	body, err := page.Body()
	require.NoError(t, err)
	document, err := goquery.NewDocumentFromReader(strings.NewReader(string(body)))
	require.NoError(t, err)
	return document
}

// A link to a heading works in each language.
func TestLanguagesHaveSamePages(t *testing.T) {
	m, languages := load(t)
	for _, language := range languages {
		t.Run(language, func(t *testing.T) {
			require.Len(t, m.Pages(language), len(m.Pages("en")))
			for i, page := range m.Pages(language) {
				english := m.Pages("en")[i]
				require.Equal(t, english.Name, page.Name)
				require.NotEmpty(t, page.Title)
				require.Equal(t, 1, parse(t, page).Find("h1").Length(), page.Name)
				require.Equal(t, ids(t, english), ids(t, page), "%s: give a heading the id of the English one, as in ## Ответ {#answer}", page.Name)
			}
		})
	}
	listed, err := fs.Glob(views.Files, "help/*/*")
	require.NoError(t, err)
	for _, file := range listed {
		_, found := m.Page(path.Base(path.Dir(file)), strings.TrimSuffix(path.Base(file), ".md"))
		require.True(t, found, "%s is in no manual", file)
	}
}

// ids returns the ids of a page's headings, except of its title.
func ids(t *testing.T, page manual.Page) []string {
	t.Helper()
	return parse(t, page).Find("h2, h3, h4").Map(func(_ int, heading *goquery.Selection) string {
		id, found := heading.Attr("id")
		require.True(t, found)
		return id
	})
}

func TestLinksWithinManualWork(t *testing.T) {
	m, languages := load(t)
	for _, language := range languages {
		for _, page := range m.Pages(language) {
			t.Run(language+"/"+page.Name, func(t *testing.T) {
				parse(t, page).Find("a").Each(func(_ int, link *goquery.Selection) {
					address, id, hasID := strings.Cut(link.AttrOr("href", ""), "#")
					target := page
					if address != "" {
						name, within := strings.CutPrefix(address, "/help/")
						if !within {
							require.True(t, strings.HasPrefix(address, "/") || strings.HasPrefix(address, "https://"), "%s: write /help/PAGE", address)
							return
						}
						var found bool
						target, found = m.Page(language, name)
						require.True(t, found, "there is no page %s", address)
					}
					if hasID {
						require.True(t, slices.Contains(ids(t, target), id), "%s has no heading with the id %s", target.Name, id)
					}
				})
			})
		}
	}
}

func TestMarkdown(t *testing.T) {
	catalog, err := i18n.New()
	require.NoError(t, err)
	files := fstest.MapFS{}
	for _, name := range []string{"api", "formats", "retry", "access", "operations", "reports", "directory", "security"} {
		files["en/"+name+".md"] = &fstest.MapFile{Data: []byte("# A\n\nB.\n")}
		files["ru/"+name+".md"] = &fstest.MapFile{Data: []byte("# A\n\nB.\n")}
	}
	files["ru/api.md"] = &fstest.MapFile{Data: []byte("# The `API` in *short*\n\nPost to `/useradd`.\n\n## Ответ {#answer}\n\n| a | b |\n|--:|---|\n| 1 | <b>x</b> |\n\n```\n<table>\n```\n\n<script></script>\n")}
	m, err := manual.Load(files, catalog)
	require.NoError(t, err)
	page, found := m.Page("ru", "api")
	require.True(t, found)
	require.Equal(t, "The API in short", page.Title)
	require.Equal(t, "Post to /useradd.", page.Lead)
	document := parse(t, page)
	require.Equal(t, "Ответ", document.Find("h2#answer").Text())
	require.Equal(t, "1", document.Find(`div[tabindex="0"] > table td[align="right"]`).Text())
	require.Equal(t, "<table>\n", document.Find(`pre[tabindex="0"]`).Text())
	require.Zero(t, document.Find("script, b, [style]").Length(), "HTML in Markdown is left out")
}

func TestLoadRejects(t *testing.T) {
	catalog, err := i18n.New()
	require.NoError(t, err)
	for _, c := range []struct{ name, text, want string }{
		{"missing page", "", "file does not exist"},
		{"page without heading", "Text.\n\n# Heading\n", "heading of the first level"},
		{"page with a lower heading first", "## Heading\n", "heading of the first level"},
		{"page without a lead", "# Heading\n\n## Heading\n", "a paragraph must follow"},
		{"page with nothing but its heading", "# Heading\n", "a paragraph must follow"},
		{"empty page", "\n", "heading of the first level"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := fstest.MapFS{}
			if c.text != "" {
				files["en/api.md"] = &fstest.MapFile{Data: []byte(c.text)}
				files["ru/api.md"] = files["en/api.md"]
			}
			_, err := manual.Load(files, catalog)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, found := new(manual.Manual).Page("en", "api")
	require.False(t, found)
}
