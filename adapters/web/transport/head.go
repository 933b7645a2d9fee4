package transport

import (
	"errors"
	"net"

	"github.com/valyala/fasthttp"
)

// A head checks the first line and the header of a request while they are read. fasthttp also accepts lines that end without CR, and
// folded lines (RFC 9112 2.2, 5.2). A proxy that reads these differently would see other requests.
type head struct {
	state headState
	last  byte
	line  int // bytes of the current line
	lines int // before the current one, empty ones not counted
}

type headState int8

const (
	headTaken    headState = iota // the handler was called; the body follows
	headAwaited                   // no byte of the next request was read
	headBuffered                  // the next request began before this one was answered
	headRead                      // some bytes were read
	headStrict                    // complete and valid
	headLax                       // invalid
)

// await notes that fasthttp waits for a request. A second call notes that the request has started.
func (h *head) await() {
	switch h.state {
	case headTaken:
		*h = head{state: headAwaited}
	case headAwaited:
		h.state = headBuffered
	}
}

// read checks bytes that were read from the connection.
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
	default: // RFC 9112 2.2 allows an empty line before a request
		h.line = 0
	}
	h.last = b
}

// take returns the state of the head when the handler of its request is called.
func (h *head) take() headState {
	state := h.state
	h.state = headTaken
	return state
}

var errLaxHead = errors.New("a line of the head ends without CR, or is folded")

// RejectLaxHeads makes a server reject requests whose head is invalid. The head of a pipelined request cannot be checked, so the server
// closes the connection without an answer, and the client repeats the request on another connection (RFC 9112 9.3.2).
func RejectLaxHeads(server *fasthttp.Server) {
	handle := server.Handler
	server.Handler = func(ctx *fasthttp.RequestCtx) {
		conn := ownConn(ctx.Conn())
		switch conn.head.take() {
		case headStrict:
			handle(ctx)
		case headBuffered:
			conn.lingers.Store(true) // the client may still be reading earlier answers
			ctx.HijackSetNoResponse(true)
			ctx.Hijack(func(net.Conn) {})
		default:
			server.ErrorHandler(ctx, errLaxHead)
			ctx.SetConnectionClose()
		}
	}
}
