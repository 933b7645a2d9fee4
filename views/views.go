// Package views embeds the templates of pages, the static files that they load, the manual and the description of the API.
package views

import "embed"

// Files holds templates in layouts, partials and pages; static files in static; the manual in help; and openapi.yaml.
//
//go:embed layouts partials pages static help openapi.yaml
var Files embed.FS
