// Package problem says which error is answered with which status, code and words, and in which form a client accepts an answer.
package problem

import (
	"context"
	"errors"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/transport"
	"rollcall/domain"
	"rollcall/ports"
)

// The errors of requests, besides those of transport, ports and domain.
var (
	ErrRequest            = errors.New("request is invalid")
	ErrParameter          = errors.New("parameter is invalid")
	ErrFormType           = errors.New("form has an unsupported media type")
	ErrEncoding           = errors.New("content encoding is not supported")
	ErrRatio              = errors.New("body inflates to too many times its size")
	ErrBroken             = errors.New("body is broken")
	ErrNoFile             = errors.New("form has no file")
	ErrNoneCreated        = errors.New("no users have been created")
	ErrTokenMissing       = errors.New("request has no token")
	ErrRegistrationClosed = errors.New("registration is closed")
	ErrMisdirected        = errors.New("request is for an unknown host name")
	ErrCrossSite          = errors.New("request was sent by a page of another site")
)

// table has the answer to each error that a client can do something about. Any other error is answered with 500.
var table = []struct {
	err    error
	status int
	code   string // stable, for programs
	detail string
}{
	{domain.ErrBrokenFile, http.StatusBadRequest, "broken_file", domain.DescriptionBroken},
	{transport.ErrCutShort, http.StatusBadRequest, "broken_file", domain.DescriptionBroken},
	{ErrBroken, http.StatusBadRequest, "broken_file", domain.DescriptionBroken},
	{ErrNoFile, http.StatusBadRequest, "broken_file", domain.DescriptionBroken},
	{ErrNoneCreated, http.StatusBadRequest, "none_created", domain.DescriptionNoneCreated},
	{transport.ErrTooLarge, http.StatusRequestEntityTooLarge, "too_large", "The file is larger than this server takes."},
	{ErrRatio, http.StatusRequestEntityTooLarge, "too_compressed", "The file inflates to more than 200 times its compressed size. Send it uncompressed."},
	{transport.ErrClientGone, http.StatusBadRequest, "client_gone", "The client closed the connection before the import was done, and nobody was registered."},
	{ErrEncoding, http.StatusUnsupportedMediaType, "content_encoding", "Send the file as it is, or with a Content-Encoding of gzip or zstd."},
	{domain.ErrImportKey, http.StatusBadRequest, "idempotency_key", "An Idempotency-Key has 1 to 255 visible ASCII characters, and a request has one."},
	{ErrParameter, http.StatusBadRequest, "parameter", "dry_run is either true or false."},
	{ports.ErrKeyRunning, http.StatusConflict, "key_running", "The first request with this Idempotency-Key is still running. Please try again soon."},
	{ports.ErrKeyReused, http.StatusUnprocessableEntity, "key_reused", "This Idempotency-Key came with another file before. Send a new key with a new file."},
	{ports.ErrOtherSecret, http.StatusInternalServerError, "other_secret", "The answer was kept by a server with another secret key. Please tell the operator."},
	{domain.ErrTooManyRecords, http.StatusRequestEntityTooLarge, "too_many_objects", "The file has more objects than this server takes at once. Send it in parts."},
	{domain.ErrTooSlow, http.StatusServiceUnavailable, "too_slow", "The import took longer than it may, and nobody was registered. Please try again, or send the file in parts."},
	{ports.ErrNoRoom, http.StatusServiceUnavailable, "no_room", "There is no room on the server's disk now. Please tell the operator, and try again later."},
	{ports.ErrUnavailable, http.StatusServiceUnavailable, "unavailable", "This cannot be done now. Please try again soon."},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "unavailable", "This cannot be done now. Please try again soon."},
	{context.Canceled, http.StatusServiceUnavailable, "unavailable", "The server is being stopped. Please try again soon."},
	{ErrTokenMissing, http.StatusUnauthorized, "token_required", "This server takes files only with a token. Send it as Authorization: Bearer TOKEN."},
	{domain.ErrTokenInvalid, http.StatusUnauthorized, "token_invalid", "The token is unknown, expired or revoked. Please ask the operator for another."},
	{ErrRegistrationClosed, http.StatusForbidden, "registration_closed", "Registration is closed here. Please ask the operator for an account."},
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
	{ErrFormType, http.StatusUnsupportedMediaType, "unsupported_form", "Send the form as application/x-www-form-urlencoded."},
	{ErrCrossSite, http.StatusForbidden, "cross_site", "The request did not come from a page of this server. Send it from such a page, or from a program without cookies."},
	{ErrMisdirected, http.StatusMisdirectedRequest, "misdirected", "This server does not answer to the host name of the request. Its administrator can add the name with --host NAME."},
	{fiber.ErrNotFound, fiber.ErrNotFound.Code, "not_found", "There is nothing at this address."},
	{fiber.ErrMethodNotAllowed, fiber.ErrMethodNotAllowed.Code, "method_not_allowed", "This address does not take that method."},
	{transport.ErrTimeout, http.StatusRequestTimeout, "timeout", "The request took too long to come in."},
	{fiber.ErrRequestTimeout, http.StatusRequestTimeout, "timeout", "The request took too long to come in."},
	{fiber.ErrRequestHeaderFieldsTooLarge, http.StatusRequestHeaderFieldsTooLarge, "header_too_large", "The header of the request is too large."},
	{ErrRequest, http.StatusBadRequest, "bad_request", "The request is not valid HTTP."},
}
