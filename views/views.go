// Package views has the pages of the program: templates, and the files that a browser loads with them.
package views

import "embed"

// Files has the templates in layouts, partials and pages, and what is served as it is in static.
//
//go:embed layouts partials pages static
var Files embed.FS
