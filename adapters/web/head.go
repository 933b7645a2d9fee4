package web

import (
	"errors"
	"net"

	"github.com/valyala/fasthttp"
)

// head checks the head of a request, which is its first line and its header, while it is read. fasthttp also takes lines that end
// without CR, and lines that continue the one before (RFC 9112 2.2, 5.2). A proxy that reads these differently sees other requests.
type head struct {
	state headState
	last  byte // read
	line  int  // bytes of the current line
	lines int  // read before it, without empty ones
}

type headState int8

const (
	headTaken    headState = iota // the handler of the request was called: its body follows
	headAwaited                   // nothing of the next request was read
	headBuffered                  // a part of the next request was read before the answer to this one
	headRead                      // a part was read
	headStrict                    // it is complete and valid
	headLax                       // it is not valid
)

// await notes that fasthttp waits for a request, and when it is called again that the request has begun.
func (h *head) await() {
	switch h.state {
	case headTaken:
		*h = head{state: headAwaited}
	case headAwaited:
		h.state = headBuffered
	}
}

// read checks what was read from the connection.
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

// refuseLaxHeads makes a server reject requests whose head is not valid. The head of a pipelined request cannot be checked, so the
// server ends its connection without an answer: the client sends the request again on another connection (RFC 9112 9.3.2).
func refuseLaxHeads(server *fasthttp.Server) {
	handle := server.Handler
	server.Handler = func(ctx *fasthttp.RequestCtx) {
		conn := ownConn(ctx.Conn())
		switch conn.head.take() {
		case headStrict:
			handle(ctx)
		case headBuffered:
			conn.lingers.Store(true) // the client still reads the answers before
			ctx.HijackSetNoResponse(true)
			ctx.Hijack(func(net.Conn) {})
		default:
			server.ErrorHandler(ctx, errLaxHead)
			ctx.SetConnectionClose()
		}
	}
}
