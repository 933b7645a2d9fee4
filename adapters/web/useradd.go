package web

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/gofiber/fiber/v2"

	"rollcall/ports"
)

// receiveChunk is how many bytes of a body are received at once.
const receiveChunk = 64 << 10

type useraddHandler struct {
	registration ports.Registration
	spools       ports.Spools
	sentences    ports.Sentences
	log          *slog.Logger
	maxBody      int64
}

// post answers POST /useradd.
func (h *useraddHandler) post(c *fiber.Ctx) error {
	file := h.spools.New()
	defer file.Close()
	err := h.receive(c, file)
	if err != nil {
		return h.refuse(c, err)
	}
	result, err := h.registration.Import(c.UserContext(), file)
	if err != nil {
		return err
	}
	if result.Tally.Created > 0 {
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return sendOutcomes(c, result, credentials())
	}
	if wantsProblem(c) {
		c.Status(result.Tally.Status()).Set(fiber.HeaderContentType, mimeProblem)
		return sendOutcomes(c, result, rejections(newProblem(c, errNoneCreated), h.sentences))
	}
	err = result.Close()
	if err != nil {
		return err
	}
	return errNoneCreated
}

// receive spools the body, so that a slow client holds no transaction.
func (h *useraddHandler) receive(c *fiber.Ctx, file ports.Spool) error {
	if encoding := c.Get(fiber.HeaderContentEncoding); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return errEncoding
	}
	length := int64(c.Request().Header.ContentLength()) // negative when the body comes in chunks
	if length > h.maxBody {
		return errTooLarge
	}
	body := c.Context().RequestBodyStream()
	if body == nil {
		return nil
	}
	// A connection that ends inside of the body reads as an end of the body: of a known length too little came then, and
	// of chunks the last, after which nothing more is read, did not come.
	size := int64(receiveChunk)
	if length > 0 {
		size = min(size, length)
	}
	_, err := io.CopyBuffer(file, io.LimitReader(body, h.maxBody+1), make([]byte, size))
	switch {
	case err != nil && errors.Is(err, ports.ErrUnavailable):
		return err
	case file.Size() > h.maxBody:
		return errTooLarge
	case err != nil:
		return fmt.Errorf("%w: %w", errCutShort, err)
	case file.Size() < length, length < 0 && connOf(c).ended.Load():
		return errCutShort
	}
	bodyWasRead(c)
	return nil
}

// refuse records a request whose file did not arrive as it should.
func (h *useraddHandler) refuse(c *fiber.Ctx, cause error) error {
	err := h.registration.Refuse(c.UserContext(), newProblem(c, cause).Status)
	if err != nil {
		h.log.ErrorContext(c.UserContext(), "a refused request was not recorded", "id", requestID(c), "error", err)
	}
	return cause
}
