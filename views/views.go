// Package views has the pages of the program: templates, and the files that a browser loads with them.
package views

import "embed"

// Files has the templates in layouts, partials and pages, static files in static, the manual in help, and the description of the API.
//
//go:embed layouts partials pages static help openapi.yaml
var Files embed.FS
