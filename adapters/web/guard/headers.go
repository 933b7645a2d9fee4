package guard

import "github.com/gofiber/fiber/v2/middleware/helmet"

// ContentSecurityPolicy allows pages and their scripts to use this server only, and forbids inline scripts and styles.
const ContentSecurityPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Headers sets the security headers of every answer.
var Headers = helmet.New(helmet.Config{
	ContentSecurityPolicy: ContentSecurityPolicy,
	ReferrerPolicy:        "same-origin",
	PermissionPolicy:      "camera=(), geolocation=(), microphone=()",
	XFrameOptions:         "DENY",
	HSTSMaxAge:            365 * 24 * 60 * 60, // seconds; sent over TLS only
	HSTSExcludeSubdomains: true,               // which are not this program's to decide on
})
