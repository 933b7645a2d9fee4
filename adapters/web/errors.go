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
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
	"rollcall/ports"
)

var (
	errRequest     = errors.New("request is not valid")
	errFormType    = errors.New("form is not urlencoded")
	errFormExpired = errors.New("form is not one that this visitor was given")
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
	{errBroken, http.StatusBadRequest, "broken_file", domain.DescriptionBroken},
	{errNoFile, http.StatusBadRequest, "broken_file", domain.DescriptionBroken},
	{errNoneCreated, http.StatusBadRequest, "none_created", domain.DescriptionNoneCreated},
	{errTooLarge, http.StatusRequestEntityTooLarge, "too_large", "The file is larger than this server takes."},
	{errRatio, http.StatusRequestEntityTooLarge, "too_compressed", "The file inflates to more than 200 times its compressed size. Send it uncompressed."},
	{errClientGone, http.StatusBadRequest, "client_gone", "The client closed the connection before the import was done, and nobody was registered."},
	{errEncoding, http.StatusUnsupportedMediaType, "content_encoding", "Send the file as it is, or with a Content-Encoding of gzip or zstd."},
	{domain.ErrImportKey, http.StatusBadRequest, "idempotency_key", "An Idempotency-Key has 1 to 255 visible ASCII characters, and a request has one."},
	{errParameter, http.StatusBadRequest, "parameter", "dry_run is either true or false."},
	{ports.ErrKeyRunning, http.StatusConflict, "key_running", "The first request with this Idempotency-Key is still running. Please try again soon."},
	{ports.ErrKeyReused, http.StatusUnprocessableEntity, "key_reused", "This Idempotency-Key came with another file before. Send a new key with a new file."},
	{ports.ErrOtherSecret, http.StatusInternalServerError, "other_secret", "The answer was kept by a server with another secret key. Please tell the operator."},
	{domain.ErrTooManyRecords, http.StatusRequestEntityTooLarge, "too_many_objects", "The file has more objects than this server takes at once. Send it in parts."},
	{domain.ErrTooSlow, http.StatusServiceUnavailable, "too_slow", "The import took longer than it may, and nobody was registered. Please try again, or send the file in parts."},
	{ports.ErrNoRoom, http.StatusServiceUnavailable, "no_room", "There is no room on the server's disk now. Please tell the operator, and try again later."},
	{ports.ErrUnavailable, http.StatusServiceUnavailable, "unavailable", "This cannot be done now. Please try again soon."},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "unavailable", "This cannot be done now. Please try again soon."},
	{context.Canceled, http.StatusServiceUnavailable, "unavailable", "The server is being stopped. Please try again soon."},
	{errTokenMissing, http.StatusUnauthorized, "token_required", "This server takes files only with a token. Send it as Authorization: Bearer TOKEN."},
	{domain.ErrTokenInvalid, http.StatusUnauthorized, "token_invalid", "The token is unknown, expired or revoked. Please ask the operator for another."},
	{errRegistrationClosed, http.StatusForbidden, "registration_closed", "Registration is closed here. Please ask the operator for an account."},
	{domain.ErrRejected, http.StatusUnprocessableEntity, "refused", "Some fields are not as they should be."},
	{domain.ErrWrongCredentials, http.StatusUnauthorized, "credentials", "The login or the password is wrong."},
	{domain.ErrPasswordExpired, http.StatusForbidden, "password_expired", "This generated password has expired."},
	{domain.ErrPasswordUsed, http.StatusForbidden, "password_used", "This temporary password has already been used. Ask the operator for a new one."},
	{domain.ErrPasswordChangeRequired, http.StatusForbidden, "password_change_required", "Change the temporary password first, at /account/password."},
	{domain.ErrSignedOut, http.StatusUnauthorized, "unauthorized", "Sign in first."},
	{domain.ErrNotOperator, http.StatusForbidden, "not_operator", "Only operators may do this. Ask the administrator of this server for the role."},
	{domain.ErrSetupCode, http.StatusNotFound, "setup_code", "This setup link does not work. A link works once, for 7 days, and only while there is no operator."},
	{domain.ErrTooManyAttempts, http.StatusTooManyRequests, "attempts", "There were too many attempts. Please try again later."},
	{ports.ErrNotFound, http.StatusNotFound, "not_found", "There is nothing at this address."},
	{ports.ErrBusy, http.StatusServiceUnavailable, "busy", "The server is busy. Try again in a few seconds."},
	{errFormType, http.StatusUnsupportedMediaType, "unsupported_form", "Send the form as application/x-www-form-urlencoded."},
	{errCrossSite, http.StatusForbidden, "cross_site", "A page of another site sent this request. Send it from a page of this server, or from a program."},
	{errMisdirected, http.StatusMisdirectedRequest, "misdirected", "This server does not answer to the host name of the request. Its administrator can add the name with --host NAME."},
	{errFormExpired, http.StatusForbidden, "form_expired", "The form is out of date, or not of this site. Open its page again."},
	{fiber.ErrNotFound, fiber.ErrNotFound.Code, "not_found", "There is nothing at this address."},
	{fiber.ErrMethodNotAllowed, fiber.ErrMethodNotAllowed.Code, "method_not_allowed", "This address does not take that method."},
	{fiber.ErrRequestTimeout, http.StatusRequestTimeout, "timeout", "The request took too long to come in."},
	{fiber.ErrRequestHeaderFieldsTooLarge, http.StatusRequestHeaderFieldsTooLarge, "header_too_large", "The header of the request is too large."},
	{errRequest, http.StatusBadRequest, "bad_request", "The request is not valid HTTP."},
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

	Violations []violationJSON `json:"violations,omitempty"` // of a form
}

func newProblem(requestID string, err error) problem {
	p := problem{
		Status: http.StatusInternalServerError, Code: "internal",
		Detail: "Something went wrong here. Please tell the operator the request's id.", RequestID: requestID,
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

// description is what the contract says of an import that came to this: whether its file was not to be read.
func (p problem) description() string {
	if p.Code == "broken_file" || p.Code == "timeout" || p.Status == http.StatusRequestEntityTooLarge || p.Status == http.StatusUnsupportedMediaType {
		return domain.DescriptionBroken
	}
	return domain.DescriptionNoneCreated
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
func (p *pages) answer(c *fiber.Ctx, err error) error {
	p.events.noteError(c, err)
	problem := newProblem(requestID(c), err)
	c.Status(problem.Status)
	setRetryAfter(c, problem.Status, err)
	switch {
	case wantsProblem(c):
		if broken, ok := errors.AsType[*domain.BrokenFileError](err); ok {
			problem.Detail = strings.TrimSuffix(problem.Detail, ".") + " " + broken.Error() + "."
		}
		problem.Violations = violationsJSON(refused(err), p.sentences)
		c.Set(fiber.HeaderContentType, mimeProblem)
		c.Response().SetBody(problem.encode())
		return err
	case wantsPage(c):
		failed := p.showProblem(c, problem)
		if failed == nil {
			return err
		}
		err = errors.Join(err, failed)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	c.Response().SetBodyString(problem.Detail)
	return err
}

// showProblem answers with an error page, which needs nothing of the database that it can do without.
func (p *pages) showProblem(c *fiber.Ctx, problem problem) error {
	err := within(c, storageTimeout, func() error {
		_, err := p.visitor(c)
		return err
	})
	if err != nil {
		c.Locals(visitorKey, &visitor{})
	}
	words := p.words(c)
	title := words.Text("error." + problem.Code + ".title")
	return p.show(c, "error", &view{
		Title: title,
		Problem: viewProblem{
			Status: problem.Status, Title: title, Detail: words.Text("error." + problem.Code + ".detail"), RequestID: problem.RequestID,
		},
	})
}

// setRetryAfter says when to come again, where that is what there is to do.
func setRetryAfter(c *fiber.Ctx, status int, err error) {
	seconds := retryAfter
	switch known, tooMany := errors.AsType[*domain.TooManyAttemptsError](err); {
	case tooMany:
		seconds = int((known.Wait + time.Second - 1) / time.Second)
	case status != http.StatusServiceUnavailable && !errors.Is(err, ports.ErrKeyRunning):
		return
	}
	c.Set(fiber.HeaderRetryAfter, strconv.Itoa(seconds))
}

// answerError implements fiber.ErrorHandler for requests that do not get as far as a handler.
func (p *pages) answerError(c *fiber.Ctx, err error) error {
	connOf(c).lingers.Store(true) // most of a header that is too large is still to come
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	_ = p.answer(c, fmt.Errorf("%w: %w", errRequest, err))
	return nil
}

const mimeProblem = "application/problem+json"

// wantsProblem tells whether the client's Accept names application/problem+json.
func wantsProblem(c *fiber.Ctx) bool { return accepts(c, mimeProblem) }

// wantsPage tells of a browser: its Accept names text/html. What answers programs has no pages.
func wantsPage(c *fiber.Ctx) bool {
	return accepts(c, fiber.MIMETextHTML) && (c.Path() != pathUseradd || c.Method() != fiber.MethodPost)
}

// accepts tells whether the client's Accept names a type: a wildcard is no name.
func accepts(c *fiber.Ctx, wanted string) bool {
	for accepted := range strings.SplitSeq(c.Get(fiber.HeaderAccept), ",") {
		media, params, err := mime.ParseMediaType(accepted)
		if err != nil || media != wanted {
			continue
		}
		quality, err := strconv.ParseFloat(params["q"], 64)
		return err != nil || quality > 0
	}
	return false
}
