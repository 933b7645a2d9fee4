package web

import (
	"errors"
	"net"

	"github.com/valyala/fasthttp"
)

// head is how far the head of a request is: its first line and its header. fasthttp also reads one whose lines end without CR,
// or go on in the next line (RFC 9112 5.2). Servers in front that read these otherwise see other requests.
type head struct {
	state headState
	last  byte // that was read of it
	line  int  // bytes of the current line
	lines int  // before it, empty ones aside
}

type headState int8

const (
	headTaken    headState = iota // the request has begun, and what comes now is its body
	headAwaited                   // by fasthttp, which has nothing of it
	headBuffered                  // fasthttp had it already, or a part
	headRead                      // a part
	headStrict                    // it is whole, and as it must be
	headLax
)

// await is called where fasthttp begins to wait for a request, and again where one begins.
func (h *head) await() {
	switch h.state {
	case headTaken:
		*h = head{state: headAwaited}
	case headAwaited:
		h.state = headBuffered
	}
}

// read is called with all that is read of the connection.
func (h *head) read(p []byte) {
	if h.state == headAwaited {
		h.state = headRead
	}
	for i := 0; i < len(p) && h.state == headRead; i++ {
		h.readByte(p[i])
	}
}

func (h *head) readByte(b byte) {
	switch {
	case b != '\n':
		if h.line == 0 && h.lines > 0 && (b == ' ' || b == '\t') {
			h.state = headLax
		}
		h.line++
	case h.last != '\r':
		h.state = headLax
	case h.line > 1:
		h.line = 0
		h.lines++
	case h.lines > 0:
		h.state = headStrict
	default: // an empty line before a request, which RFC 9112 2.2 lets pass
		h.line = 0
	}
	h.last = b
}

// take returns how the head of a request is whose handler is called.
func (h *head) take() headState {
	state := h.state
	h.state = headTaken
	return state
}

var errLaxHead = errors.New("a line of the head ends without CR, or is folded")

// refuseLaxHeads has a server handle only requests whose head is as it must be. Of a request that came together with the one
// before it nobody knows: its connection ends without an answer, and the client sends it again on another (RFC 9112 9.3.2).
func refuseLaxHeads(server *fasthttp.Server) {
	handle := server.Handler
	server.Handler = func(ctx *fasthttp.RequestCtx) {
		conn := ownConn(ctx.Conn())
		switch conn.head.take() {
		case headStrict:
			handle(ctx)
		case headBuffered:
			conn.lingers.Store(true) // for the answers before
			ctx.HijackSetNoResponse(true)
			ctx.Hijack(func(net.Conn) {})
		default:
			server.ErrorHandler(ctx, errLaxHead)
			ctx.SetConnectionClose()
		}
	}
}
