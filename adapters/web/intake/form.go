package intake

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/transport"
)

// maxForm is the maximum size of a form without its file, in bytes.
const maxForm = 16 << 10

// ReadForm reads a urlencoded form.
func ReadForm(c *fiber.Ctx) (url.Values, error) {
	media, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || media != fiber.MIMEApplicationForm || c.Get(fiber.HeaderContentEncoding) != "" {
		return nil, problem.ErrFormType
	}
	body, err := transport.NewBody(c, maxForm)
	if err != nil {
		return nil, err
	}
	var text []byte
	if body != nil {
		text, err = io.ReadAll(body)
	}
	switch {
	case errors.Is(err, transport.ErrCutShort):
		return nil, fmt.Errorf("%w: the form was cut short", problem.ErrRequest)
	case err != nil:
		return nil, fmt.Errorf("read form: %w", err)
	}
	entered, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, fmt.Errorf("%w: parse form: %w", problem.ErrRequest, err)
	}
	return entered, nil
}
