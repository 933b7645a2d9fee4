package web

import (
	"iter"
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// LogRequests is the handler that logs requests.
var LogRequests = logRequests

// Routes returns every route, such as "GET /profile", except those of HEAD.
func (s *Server) Routes() (all []string) {
	for _, route := range s.app.GetRoutes(true) {
		if route.Method != fiber.MethodHead { // Fiber adds one to each GET
			all = append(all, route.Method+" "+route.Path)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Poison makes the server overwrite the text of a request as soon as its handler returns, as the next request might, and then call done.
func (s *Server) Poison(done func()) {
	handle := s.app.Server().Handler
	s.app.Server().Handler = func(ctx *fasthttp.RequestCtx) {
		handle(ctx)
		poison(ctx)
		next := s.app.AcquireCtx(poisoned) // most likely that of this request
		s.app.ReleaseCtx(next)
		done()
	}
}

// Poison is the byte that overwrites the text of requests.
const Poison = '~'

var poisoned = func() *fasthttp.RequestCtx {
	var path [1 << 10]byte
	fill(path[:])
	path[0] = '/'
	ctx := &fasthttp.RequestCtx{}
	ctx.Request.SetRequestURIBytes(path[:])
	return ctx
}()

// poison overwrites values, but not names: these are often constants of fasthttp.
func poison(ctx *fasthttp.RequestCtx) {
	header, uri := &ctx.Request.Header, ctx.URI()
	parts := [][]byte{
		header.Method(), header.RequestURI(), header.Protocol(), header.Host(), header.RawHeaders(),
		uri.Host(), uri.PathOriginal(), uri.Path(), uri.QueryString(), uri.Hash(),
	}
	for _, values := range []iter.Seq2[[]byte, []byte]{header.All(), header.Cookies(), uri.QueryArgs().All()} {
		for _, value := range values {
			parts = append(parts, value)
		}
	}
	for _, part := range parts {
		fill(part)
	}
}

func fill(text []byte) {
	for i := range text {
		text[i] = Poison
	}
}
