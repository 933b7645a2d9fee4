package web

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
	"rollcall/ports"
)

// progressInterval is how long an import works before its answer begins with how far it is, and then how often.
const progressInterval = time.Second

// imported is what came of an import, or an error.
type imported struct {
	result *ports.ImportResult
	err    error
}

// postNDJSON answers with a line for each object. An import that takes its time tells meanwhile how far it is.
func (h *useraddHandler) postNDJSON(c *fiber.Ctx, request ports.ImportRequest) error {
	var progress atomic.Pointer[domain.Progress]
	request.Progress = func(p domain.Progress) { progress.Store(&p) }
	done := make(chan imported, 1)
	ctx := c.UserContext()
	importing, stop := importContext(c, &request)
	go func() {
		defer stop()
		defer func() {
			if p := recover(); p != nil {
				done <- imported{err: fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
			}
		}()
		defer request.File.Close()
		result, err := h.importFile(importing, request)
		done <- imported{result, err}
	}()
	c.Set(fiber.HeaderContentType, mimeNDJSON)
	select {
	case it := <-done:
		if it.err != nil {
			return h.refuse(c, &request, it.err)
		}
		nameResult(c, it.result)
		c.Status(it.result.Tally.Status())
		return sendOutcomes(c, it.result, h.lines(it.result, false))
	case <-time.After(progressInterval):
	}
	id := requestID(c)
	reader, writer := io.Pipe()
	go func() {
		w := bufio.NewWriterSize(writer, answerChunk)
		it := h.await(w, done, &progress)
		var err error
		if it.err != nil {
			if !errors.Is(it.err, errClientGone) {
				h.log.ErrorContext(ctx, "an import failed after its answer had begun", "id", id, "error", it.err)
			}
			_, err = w.Write(failedLine(newProblem(id, it.err), h.record(ctx, id, &request, it.err)))
		} else {
			err = writeOutcomes(w, it.result, h.lines(it.result, true))
		}
		writer.CloseWithError(errors.Join(err, w.Flush()))
	}()
	c.Response().SetBodyStream(reader, -1)
	return nil
}

// await writes how far an import is until it is done.
func (h *useraddHandler) await(w *bufio.Writer, done <-chan imported, progress *atomic.Pointer[domain.Progress]) imported {
	ticker := time.NewTicker(progressInterval)
	defer ticker.Stop()
	for {
		p := progress.Load()
		if p == nil {
			p = &domain.Progress{}
		}
		_, _ = w.Write(runningLine(p))
		_ = w.Flush()
		select {
		case it := <-done:
			return it
		case <-ticker.C:
		}
	}
}
