package api

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/transport"
	"rollcall/domain"
	"rollcall/ports"
)

// progressInterval is the time after which the answer to a running import starts, and the time between two progress lines.
const progressInterval = time.Second

// imported is the result of an import, or its error.
type imported struct {
	result *ports.ImportResult
	err    error
}

// postNDJSON answers with a line for each record. It reports the progress of a long import while it runs.
func (u *Useradd) postNDJSON(c *fiber.Ctx, request ports.ImportRequest) error {
	var progress atomic.Pointer[domain.Progress]
	request.Progress = func(p domain.Progress) { progress.Store(&p) }
	done := make(chan imported, 1)
	ctx := c.UserContext()
	hasPeople := prefers(c, preferPeople)
	if hasPeople {
		c.Append(headerPreferenceApplied, preferPeople)
	}
	importing, stop := importContext(c, &request)
	go func() {
		defer stop()
		defer func() {
			if p := recover(); p != nil {
				done <- imported{err: fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
			}
		}()
		defer request.File.Close()
		result, err := u.importFile(importing, request)
		done <- imported{result, err}
	}()
	c.Set(fiber.HeaderContentType, mediaNDJSON)
	select {
	case it := <-done:
		if it.err != nil {
			return u.reject(c, &request, it.err)
		}
		nameResult(c, it.result)
		c.Status(it.result.Tally.Status())
		return SendOutcomes(c, it.result, u.lines(it.result, hasPeople, false))
	case <-time.After(progressInterval):
	}
	id := transport.RequestID(c)
	reader, writer := io.Pipe()
	go func() {
		w := bufio.NewWriterSize(writer, answerChunk)
		it := reportProgress(w, done, &progress)
		var err error
		if it.err != nil {
			if !errors.Is(it.err, transport.ErrClientGone) {
				u.Log.ErrorContext(ctx, "import failed after its answer had started", "id", id, "error", it.err)
			}
			failed := problem.New(id, it.err).Explained(it.err, u.Sentences)
			_, err = w.Write(failedLine(failed, u.record(ctx, id, &request, it.err)))
		} else {
			err = writeOutcomes(w, it.result, u.lines(it.result, hasPeople, true))
		}
		writer.CloseWithError(errors.Join(err, w.Flush()))
	}()
	c.Response().SetBodyStream(reader, -1)
	return nil
}

// reportProgress writes progress lines until an import is done, and returns its result.
func reportProgress(w *bufio.Writer, done <-chan imported, progress *atomic.Pointer[domain.Progress]) imported {
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
