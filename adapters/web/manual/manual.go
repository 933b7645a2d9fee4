// Package manual renders the pages of the program's manual, which are written in Markdown.
package manual

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"strings"
	"sync"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"rollcall/ports"
)

// names are the pages, in the order in which the manual lists them. Each is a file NAME.md in the folder of each language.
var names = []string{"api", "formats", "retry", "access", "operations", "reports", "directory", "security"}

// A Page is a page of the manual in one language.
type Page struct {
	Name  string // the last part of its address
	Title string // its first heading, which Body has too
	Lead  string // its first paragraph, which Body has too

	body func() (template.HTML, error)
}

// Body returns the page without any HTML that stands in the Markdown. The first call renders it.
func (p Page) Body() (template.HTML, error) { return p.body() }

// A Manual has the same pages in each language.
type Manual struct{ pages map[string][]Page }

// Load reads the pages in each language, from the folder of that name. It returns an error if a page is missing or has no heading.
func Load(files fs.FS, languages ports.Languages) (*Manual, error) {
	m := &Manual{map[string][]Page{}}
	for _, words := range languages.All() {
		language := words.Language()
		for _, name := range names {
			source, err := fs.ReadFile(files, language+"/"+name+".md")
			if err != nil {
				return nil, fmt.Errorf("read manual: %w", err)
			}
			page, err := read(source)
			if err != nil {
				return nil, fmt.Errorf("read page %s of manual in %s: %w", name, language, err)
			}
			page.Name = name
			m.pages[language] = append(m.pages[language], page)
		}
	}
	return m, nil
}

// Pages returns all pages in a language.
func (m *Manual) Pages(language string) []Page { return m.pages[language] }

// Page returns a page by its name. It reports whether there is one.
func (m *Manual) Page(language, name string) (page Page, found bool) {
	for _, page := range m.pages[language] {
		if page.Name == name {
			return page, true
		}
	}
	return Page{}, false
}

// markdown renders GitHub's dialect. A heading's id is made of its English words, or given after it as {#id}.
var markdown = goldmark.New(
	goldmark.WithExtensions(
		extension.Linkify, extension.Strikethrough,
		extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)), // the pages' policy forbids inline styles
	),
	goldmark.WithParserOptions(parser.WithAutoHeadingID(), parser.WithHeadingAttribute()),
)

// scrollable makes wide tables and code scroll, also by the keyboard, so that the page does not. All tags are goldmark's, which leaves out
// HTML in Markdown.
var scrollable = strings.NewReplacer(
	"<table>", `<div class="wide-table" tabindex="0"><table>`, "</table>", "</table></div>",
	"<pre>", `<pre tabindex="0" translate="no">`,
)

// read reads the beginning of a page, up to its second heading. To parse the rest of all pages would take half of the program's start.
func read(source []byte) (Page, error) {
	beginning, _, _ := bytes.Cut(source, []byte("\n## "))
	heading, ok := parse(beginning).FirstChild().(*ast.Heading)
	if !ok || heading.Level != 1 {
		return Page{}, errors.New("it must begin with a heading of the first level")
	}
	lead, ok := heading.NextSibling().(*ast.Paragraph)
	if !ok {
		return Page{}, errors.New("a paragraph must follow its first heading")
	}
	body := sync.OnceValues(func() (template.HTML, error) { return render(source) })
	return Page{Title: plain(heading, beginning), Lead: plain(lead, beginning), body: body}, nil
}

func parse(source []byte) ast.Node { return markdown.Parser().Parse(text.NewReader(source)) }

func render(source []byte) (template.HTML, error) {
	var body bytes.Buffer
	err := markdown.Renderer().Render(&body, source, parse(source))
	if err != nil {
		return "", fmt.Errorf("render page of manual: %w", err)
	}
	return template.HTML(scrollable.Replace(body.String())), nil //nolint:gosec // it is the program's own text
}

// plain returns the text below a node, without its markup.
func plain(node ast.Node, source []byte) string {
	var s strings.Builder
	_ = ast.Walk(node, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			s.Write(t.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return s.String()
}
