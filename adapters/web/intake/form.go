package intake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/transport"
)

const (
	// maxForm is the maximum size of a form without its file, in bytes.
	maxForm = 16 << 10

	// maxKept is the number of bytes of a larger form that are read, because its fields come back as they were filled in.
	maxKept = 4 * maxForm
)

const formKey = "form"

// readForm is a form with the error of reading it.
type readForm struct {
	entered url.Values
	err     error
}

// ReadForm reads a urlencoded form. With an error it returns the fields that arrived whole. Further calls return the same.
func ReadForm(c *fiber.Ctx) (url.Values, error) {
	read, known := c.Locals(formKey).(readForm)
	if !known {
		read.entered, read.err = parseForm(c)
		c.Locals(formKey, read)
	}
	return read.entered, read.err
}

func parseForm(c *fiber.Ctx) (url.Values, error) {
	media, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || media != fiber.MIMEApplicationForm || c.Get(fiber.HeaderContentEncoding) != "" {
		return nil, problem.ErrFormType
	}
	body, err := transport.NewBody(c, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	var text []byte
	if body != nil {
		text, err = io.ReadAll(io.LimitReader(body, maxKept))
	}
	isCut := err != nil || len(text) == maxKept
	if err == nil && len(text) > maxForm {
		err = transport.ErrTooLarge
	}
	if isCut {
		text = text[:max(0, bytes.LastIndexByte(text, '&'))] // the last field may not be whole
	}
	entered, invalid := url.ParseQuery(string(text))
	switch {
	case errors.Is(err, transport.ErrCutShort):
		err = fmt.Errorf("%w: the form was cut short", problem.ErrRequest)
	case err != nil:
		err = fmt.Errorf("read form: %w", err)
	case invalid != nil:
		err = fmt.Errorf("%w: parse form: %w", problem.ErrRequest, invalid)
	}
	return entered, err
}
