package transport

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
)

// lookInterval is the time between two checks of a connection during a request.
const lookInterval = 250 * time.Millisecond

// ErrClientGone is the cause that ends a context of WhileOpen when the client closes the connection.
var ErrClientGone = errors.New("client closed the connection")

// WhileOpen returns a context of a request that ends when the client closes the connection, and a function that stops the checks.
// fasthttp does not read from a connection during a request, and so does not notice.
func WhileOpen(c *fiber.Ctx) (context.Context, func()) {
	own := connOf(c)
	ctx, cancel := context.WithCancelCause(c.UserContext())
	request := &openRequest{own, cancel}
	own.watcher.watch(request)
	return ctx, func() {
		own.watcher.forget(request)
		cancel(nil)
	}
}

// A watcher checks the connections of open requests with one timer. A timer for each request would wake a thread of Go's scheduler, which
// takes 4 % of an import of one record.
type watcher struct {
	mu    sync.Mutex
	open  map[*openRequest]struct{}
	ticks bool // a timer is set, or about to be
}

type openRequest struct {
	conn   *conn
	cancel context.CancelCauseFunc
}

func newWatcher() *watcher { return &watcher{open: map[*openRequest]struct{}{}} }

func (w *watcher) watch(request *openRequest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open[request] = struct{}{}
	if !w.ticks {
		w.ticks = true
		time.AfterFunc(lookInterval, w.look)
	}
}

func (w *watcher) forget(request *openRequest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, request)
}

// look checks all connections. It sets no further timer if no request is open.
func (w *watcher) look() {
	w.mu.Lock()
	open := maps.Clone(w.open)
	w.ticks = len(open) > 0
	w.mu.Unlock()
	for request := range open {
		if request.conn.isClosedByClient() {
			request.cancel(ErrClientGone)
		}
	}
	if len(open) > 0 {
		time.AfterFunc(lookInterval, w.look)
	}
}
