package transport

import (
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// otherMethod replaces each method that Fiber does not know. Fiber would answer such a request itself, with a text of its own.
const otherMethod = "OTHER"

// Methods returns the methods that a server's routes may have.
func Methods() []string { return append(slices.Clone(fiber.DefaultMethods), otherMethod) }

// RouteUnknownMethods makes a server route requests with an unknown method. No route has it, so the answer is 405 or 404.
func RouteUnknownMethods(server *fasthttp.Server) {
	handle := server.Handler
	server.Handler = func(ctx *fasthttp.RequestCtx) {
		if !slices.Contains(fiber.DefaultMethods, string(ctx.Method())) {
			ctx.Request.Header.SetMethod(otherMethod)
		}
		handle(ctx)
	}
}
