package arch_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// A newcomer reads the README first: it fits one screen of a browser.
const (
	readme         = "README.md"
	maxReadmeLines = 100
	maxReadmeBytes = 6_000
	maxImageBytes  = 60_000 // of a picture in any document
)

// documents are the patterns of all Markdown that people read.
var documents = []string{readme, securityFile, "test/*/README.md", "adapters/*/README.md", "adapters/*/*/README.md", manualFolder + "/*/*.md"}

// manualFolder holds the pages that the program serves at /help, in a folder for each language.
const manualFolder = "views/help"

func TestReadmeFitsOneScreen(t *testing.T) {
	source, err := os.ReadFile("../../" + readme)
	require.NoError(t, err)
	require.LessOrEqual(t, strings.Count(string(source), "\n"), maxReadmeLines)
	require.LessOrEqual(t, len(source), maxReadmeBytes)
}

func TestLinksLeadSomewhere(t *testing.T) {
	broken, err := brokenLinks(os.DirFS("../.."))
	require.NoError(t, err)
	for _, link := range broken {
		t.Error(link)
	}
}

func TestEveryBrokenLinkIsFound(t *testing.T) {
	tree := fstest.MapFS{
		routeFile:                     {Data: []byte("GET /help/:page all\nGET /login all\nPOST /useradd useradd\n")},
		securityFile:                  {Data: []byte("# Security\n\n## In `code`, and more\n\n[up](../README.md#what-it-is) [test](../domain)\n")},
		"domain/a.go":                 {},
		"page.png":                    {Data: make([]byte, maxImageBytes)},
		"large.png":                   {Data: make([]byte, maxImageBytes+1)},
		"test/bench/README.md":        {Data: []byte("# Bench\n\n[gone](../faults/README.md)\n")},
		"adapters/web/README.md":      {Data: []byte("# Web\n")},
		manualFolder + "/en/api.md":   {Data: []byte("# API\n\n## The answer\n\n[other](/help/retry#keys) [route](/login) [own](#the-answer) [post](/useradd) [gone](/help/gone) [no](#no)\n")},
		manualFolder + "/ru/api.md":   {Data: []byte("# API\n\n## Ответ {#the-answer}\n\n[own](#the-answer) [no](#ответ) [page](/help/retry)\n")},
		manualFolder + "/en/retry.md": {Data: []byte("# Retry\n\n## Keys\n")},
		readme: {Data: []byte("# Rollcall\n\n## What it is\n\n## Что это\n\n[own](#what-it-is) [ru](#что-это) [sec](.github/SECURITY.md#in-code-and-more) ![picture](page.png)\n" +
			"[far](https://example.org/a#b) <http://127.0.0.1:5000>\n\n" +
			"[a](gone.md) [b](#gone) [c](.github/SECURITY.md#gone) [d](http://example.org) [e](https://) [f](/help/api) ![g](large.png) [h](domain/a.go#L1)\n\n" +
			"    [code](gone.md)\n\n| table |\n|---|\n| [i](table.md) |\n")},
	}
	broken, err := brokenLinks(tree)
	require.NoError(t, err)
	require.Equal(t, []string{
		"README.md: #gone: there is no such heading",
		"README.md: .github/SECURITY.md#gone: there is no such heading",
		"README.md: /help/api: only the manual has addresses of the program",
		"README.md: domain/a.go#L1: only Markdown has headings",
		"README.md: gone.md: there is no such file",
		"README.md: http://example.org: write https://",
		"README.md: https://: there is no host",
		"README.md: large.png: a picture has at most 60000 bytes",
		"README.md: table.md: there is no such file",
		"test/bench/README.md: ../faults/README.md: there is no such file",
		"views/help/en/api.md: #no: there is no such heading",
		"views/help/en/api.md: /help/gone: there is no such page",
		"views/help/en/api.md: /useradd: there is no such route",
		"views/help/ru/api.md: #ответ: there is no such heading",
		"views/help/ru/api.md: /help/retry: there is no such page",
	}, broken)

	delete(tree, routeFile)
	_, err = brokenLinks(tree)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// brokenLinks returns every link of the documents that leads nowhere, with the reason. External links are checked by their form.
func brokenLinks(tree fs.FS) (broken []string, err error) {
	routes, err := fs.ReadFile(tree, routeFile)
	if err != nil {
		return nil, err
	}
	for _, pattern := range documents {
		names, err := fs.Glob(tree, pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			links, err := linksOf(tree, name)
			if err != nil {
				return nil, err
			}
			for _, link := range links {
				if reason := follow(tree, string(routes), name, link); reason != "" {
					broken = append(broken, fmt.Sprintf("%s: %s: %s", name, link, reason))
				}
			}
		}
	}
	slices.Sort(broken)
	return slices.Compact(broken), nil
}

// markdown parses what GitHub and the program render.
var markdown = goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithParserOptions(parser.WithHeadingAttribute())).Parser()

// linksOf returns the destinations of the links and pictures of a document.
func linksOf(tree fs.FS, name string) (links []string, err error) {
	source, err := fs.ReadFile(tree, name)
	if err != nil {
		return nil, err
	}
	return links, ast.Walk(markdown.Parse(text.NewReader(source)), func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		switch node := node.(type) {
		case *ast.Link:
			if entering {
				links = append(links, string(node.Destination))
			}
		case *ast.Image:
			if entering {
				links = append(links, string(node.Destination))
			}
		case *ast.AutoLink:
			if entering {
				links = append(links, string(node.URL(source)))
			}
		}
		return ast.WalkContinue, nil
	})
}

// follow returns the reason why a link of a document leads nowhere, or an empty string.
func follow(tree fs.FS, routes, document, link string) string {
	address, err := url.Parse(link)
	if err != nil {
		return err.Error()
	}
	switch {
	case address.Scheme != "":
		return checkExternal(address)
	case strings.HasPrefix(address.Path, "/"):
		return followRoute(tree, routes, document, address)
	}
	target := document
	if address.Path != "" {
		target = path.Join(path.Dir(document), address.Path)
	}
	info, err := fs.Stat(tree, target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case err != nil:
		return err.Error()
	case path.Ext(target) == ".png" && info.Size() > maxImageBytes:
		return fmt.Sprintf("a picture has at most %d bytes", maxImageBytes)
	}
	return findHeading(tree, target, address.Fragment)
}

func checkExternal(address *url.URL) string {
	switch {
	case address.Host == "":
		return "there is no host"
	case address.Scheme != "https" && address.Hostname() != "127.0.0.1":
		return "write https://"
	}
	return ""
}

// followRoute checks an address of the program, which only the manual has: anywhere else it would lead into GitHub.
func followRoute(tree fs.FS, routes, document string, address *url.URL) string {
	if !below(document, manualFolder) {
		return "only the manual has addresses of the program"
	}
	if page, isPage := strings.CutPrefix(address.Path, "/help/"); isPage {
		target := path.Join(path.Dir(document), page+".md")
		if _, err := fs.Stat(tree, target); err != nil {
			return "there is no such page"
		}
		return findHeading(tree, target, address.Fragment)
	}
	if !regexp.MustCompile(`(?m)^GET +` + regexp.QuoteMeta(address.Path) + ` `).MatchString(routes) {
		return "there is no such route"
	}
	return ""
}

// findHeading returns an empty string if a document has a heading with an id, or if the id is empty.
func findHeading(tree fs.FS, document, id string) string {
	if id == "" {
		return ""
	}
	if path.Ext(document) != ".md" {
		return "only Markdown has headings"
	}
	source, err := fs.ReadFile(tree, document)
	if err != nil {
		return err.Error()
	}
	found := false
	_ = ast.Walk(markdown.Parse(text.NewReader(source)), func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if heading, isHeading := node.(*ast.Heading); isHeading && entering {
			found = found || headingID(heading, source) == id
		}
		return ast.WalkContinue, nil
	})
	if !found {
		return "there is no such heading"
	}
	return ""
}

// headingID returns the id that a heading names itself, as in {#answer}, or the one that GitHub makes of its words.
func headingID(heading *ast.Heading, source []byte) string {
	if id, named := heading.AttributeString("id"); named {
		return string(id.([]byte))
	}
	var words strings.Builder
	_ = ast.Walk(heading, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, isText := node.(*ast.Text); isText && entering {
			words.Write(t.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		case r == ' ':
			return '-'
		}
		return -1
	}, words.String())
}
