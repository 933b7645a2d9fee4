package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
	"rollcall/ports"
)

var (
	errNoneCreated = errors.New("no users have been created")
	errTooLarge    = errors.New("body is too large")
	errCutShort    = errors.New("connection ended inside of the body")
	errEncoding    = errors.New("content encoding is not supported")
	errRequest     = errors.New("request is not valid")
)

// errorAnswers says, for each error that a client can do something about, what it is told. What stands nowhere here is a 500.
var errorAnswers = []struct {
	err    error
	status int
	code   string // stable, for programs
	text   string
}{
	{domain.ErrBrokenFile, http.StatusBadRequest, "broken_file", domain.DescriptionBroken},
	{errCutShort, http.StatusBadRequest, "broken_file", domain.DescriptionBroken},
	{errNoneCreated, http.StatusBadRequest, "none_created", domain.DescriptionNoneCreated},
	{errTooLarge, http.StatusRequestEntityTooLarge, "too_large", "The file is larger than this server takes."},
	{errEncoding, http.StatusUnsupportedMediaType, "content_encoding", "Send the file without a Content-Encoding."},
	{ports.ErrUnavailable, http.StatusServiceUnavailable, "unavailable", "This cannot be done now. Please try again soon."},
	{context.Canceled, http.StatusServiceUnavailable, "unavailable", "The server is being stopped. Please try again soon."},
	{fiber.ErrNotFound, fiber.ErrNotFound.Code, "not_found", "There is nothing at this address."},
	{fiber.ErrMethodNotAllowed, fiber.ErrMethodNotAllowed.Code, "method_not_allowed", "This address does not take that method."},
	{errRequest, http.StatusBadRequest, "bad_request", "The request is not valid HTTP, or its header is too large."},
}

// retryAfter is how many seconds a client ought to wait after a 503.
const retryAfter = 5

// problem is an error by RFC 9457. Its type is about:blank, so its title is the status in words.
type problem struct {
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Code      string `json:"code"`
	RequestID string `json:"request_id"`
}

func newProblem(c *fiber.Ctx, err error) problem {
	p := problem{
		Status: http.StatusInternalServerError, Code: "internal",
		Detail: "Something went wrong here. Please tell the operator the request's id.", RequestID: requestID(c),
	}
	for _, known := range errorAnswers {
		if errors.Is(err, known.err) {
			p.Status, p.Code, p.Detail = known.status, known.code, known.text
			break
		}
	}
	p.Title = http.StatusText(p.Status)
	return p
}

// routing makes Fiber's errors of routing, which are new each time, the ones that can be compared.
func routing(err error) error {
	if it, ok := errors.AsType[*fiber.Error](err); ok {
		switch it.Code {
		case fiber.StatusNotFound:
			return fiber.ErrNotFound
		case fiber.StatusMethodNotAllowed:
			return fiber.ErrMethodNotAllowed
		}
	}
	return err
}

func (p problem) encode() []byte {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // numbers and texts can be encoded
	}
	return b
}

// answer tells the client of an error, and returns the error for the log.
func answer(c *fiber.Ctx, err error) error {
	p := newProblem(c, err)
	c.Status(p.Status)
	if p.Status == http.StatusServiceUnavailable {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(retryAfter))
	}
	if !wantsProblem(c) {
		c.Set(fiber.HeaderContentType, fiber.MIMETextPlain)
		c.Response().SetBodyString(p.Detail)
		return err
	}
	if broken, ok := errors.AsType[*domain.BrokenFileError](err); ok {
		p.Detail = strings.TrimSuffix(p.Detail, ".") + " " + broken.Error() + "."
	}
	c.Set(fiber.HeaderContentType, mimeProblem)
	c.Response().SetBody(p.encode())
	return err
}

// answerError implements fiber.ErrorHandler for requests that do not get as far as a handler.
func answerError(c *fiber.Ctx, err error) error {
	_ = answer(c, fmt.Errorf("%w: %w", errRequest, err))
	return nil
}

const mimeProblem = "application/problem+json"

// wantsProblem tells whether the client's Accept names application/problem+json.
func wantsProblem(c *fiber.Ctx) bool {
	for accepted := range strings.SplitSeq(c.Get(fiber.HeaderAccept), ",") {
		media, params, err := mime.ParseMediaType(accepted)
		if err != nil || media != mimeProblem {
			continue
		}
		quality, err := strconv.ParseFloat(params["q"], 64)
		return err != nil || quality > 0
	}
	return false
}
