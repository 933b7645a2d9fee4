package guard

import "github.com/gofiber/fiber/v2/middleware/helmet"

// ContentSecurityPolicy forbids a page to load anything from elsewhere, and to contain scripts or styles inline.
const ContentSecurityPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Headers sets the security headers of every answer.
var Headers = helmet.New(helmet.Config{
	ContentSecurityPolicy: ContentSecurityPolicy,
	ReferrerPolicy:        "same-origin",
	PermissionPolicy:      "camera=(), geolocation=(), microphone=()",
	XFrameOptions:         "DENY",
	HSTSMaxAge:            365 * 24 * 60 * 60, // seconds; sent over TLS only
	HSTSExcludeSubdomains: true,               // which are not this program's to decide on
})
