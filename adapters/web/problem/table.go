// Package problem maps errors to answers: a status, a code and words, in the form that the client accepts.
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
	ErrFilter             = errors.New("filter is invalid")
	ErrDates              = errors.New("order of dates is invalid")
	ErrSheets             = errors.New("too many sheets are named")
	ErrPrecondition       = errors.New("account is not as the client expects")
	ErrPatch              = errors.New("patch is invalid")
	ErrPatchType          = errors.New("patch has an unsupported media type")
	ErrFormType           = errors.New("form has an unsupported media type")
	ErrEncoding           = errors.New("content encoding is not supported")
	ErrRatio              = errors.New("body inflates to too many times its size")
	ErrBroken             = errors.New("body is broken")
	ErrNoFile             = errors.New("form has no file")
	ErrSeveralFiles       = errors.New("form has several files")
	ErrField              = errors.New("form has an unknown field")
	ErrNoneCreated        = errors.New("no users have been created")
	ErrTokenMissing       = errors.New("request has no token")
	ErrRegistrationClosed = errors.New("registration is closed")
	ErrMisdirected        = errors.New("request is for an unknown host name")
	ErrOtherUser          = errors.New("form was filled in by another user")
	ErrCrossSite          = errors.New("request was sent by a page of another site")
)

// table has the answer to each error that concerns the client. The answer to any other error is 500.
var table = []struct {
	err    error
	status int
	code   string // stable, for programs
	detail string
}{
	{domain.ErrUnclearEncoding, http.StatusBadRequest, "encoding_unclear", "The encoding of the file is unclear, and no one was registered. Send the file again with the query parameter charset."},
	{domain.ErrUnsupportedFile, http.StatusBadRequest, "unsupported_file", domain.DescriptionBroken},
	{domain.ErrUnknownSheet, http.StatusBadRequest, "sheet_unknown", "The file does not have a sheet that was named, and no one was registered."},
	{domain.ErrBrokenFile, http.StatusBadRequest, "broken_file", domain.DescriptionBroken},
	{transport.ErrCutShort, http.StatusBadRequest, "broken_file", domain.DescriptionBroken},
	{ErrBroken, http.StatusBadRequest, "broken_file", domain.DescriptionBroken},
	{ErrNoFile, http.StatusBadRequest, "broken_file", domain.DescriptionBroken},
	{ErrSeveralFiles, http.StatusBadRequest, "several_files", "The form has several files. Send one file in each request."},
	{ErrField, http.StatusBadRequest, "form_field", "The form has an unknown field. Send one file with its name, and the fields charset, sheet or dates; dry_run goes into the query."},
	{ErrNoneCreated, http.StatusBadRequest, "none_created", domain.DescriptionNoneCreated},
	{transport.ErrTooLarge, http.StatusRequestEntityTooLarge, "too_large", "The file is larger than this server accepts. Split it, or ask the administrator to raise the limit."},
	{ErrRatio, http.StatusRequestEntityTooLarge, "too_compressed", "The file decompresses to more than 200 times its size. Send it uncompressed."},
	{transport.ErrClientGone, http.StatusBadRequest, "client_gone", "The client closed the connection before the import was done. No one was registered."},
	{ErrEncoding, http.StatusUnsupportedMediaType, "content_encoding", "The Content-Encoding is not supported. Use gzip, zstd or none."},
	{domain.ErrImportKey, http.StatusBadRequest, "idempotency_key", "The Idempotency-Key is invalid. Send one key of 1 to 255 visible ASCII characters."},
	{ErrParameter, http.StatusBadRequest, "parameter", "The value of dry_run is invalid. Use true or false."},
	{ErrFilter, http.StatusBadRequest, "filter", "The filter is invalid."},                                                                              // before ErrRejected, which it wraps
	{ErrPatch, http.StatusBadRequest, "patch", "The patch is invalid. Send one JSON object with fields of a person: texts, or null to remove a value."}, // also before it
	{ports.ErrPlace, http.StatusBadRequest, "place", "The value of after is invalid. Use the next of the page before, with the same filter and order."},
	{ErrDates, http.StatusBadRequest, "parameter", "The value of dates is invalid. Use dmy or mdy."},
	{ErrSheets, http.StatusBadRequest, "parameter", "The parameter sheet has too many values. Name at most 256 sheets."},
	{ports.ErrKeyRunning, http.StatusConflict, "key_running", "Another request with this Idempotency-Key is still running. Try again in a few seconds."},
	{ports.ErrKeyReused, http.StatusUnprocessableEntity, "key_reused", "This Idempotency-Key was used with another file. Send a new key with a new file."},
	{ports.ErrForgotten, http.StatusGone, "answer_deleted", "The answer to this Idempotency-Key was deleted with an account that it named. No one was registered again. Send a new key with a new file."},
	{ports.ErrOtherSecret, http.StatusInternalServerError, "other_secret", "The answer was stored with another secret key. Tell the administrator."},
	{domain.ErrTooManyRecords, http.StatusRequestEntityTooLarge, "too_many_objects", "The file has more records than this server accepts in one import. Split it."},
	{domain.ErrTooSlow, http.StatusServiceUnavailable, "too_slow", "The import exceeded its time limit, and no one was registered. Try again, or split the file."},
	{ports.ErrNoRoom, http.StatusServiceUnavailable, "no_room", "The server's disk is full. Tell the administrator, and try again later."},
	{ports.ErrLocked, http.StatusServiceUnavailable, "locked", "Another change of this account is running. Try again when it is done."},
	{ports.ErrUnavailable, http.StatusServiceUnavailable, "unavailable", "The service is unavailable. Try again in a few seconds."},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "unavailable", "The service is unavailable. Try again in a few seconds."},
	{context.Canceled, http.StatusServiceUnavailable, "unavailable", "The server is stopping. Try again in a few seconds."},
	{ErrTokenMissing, http.StatusUnauthorized, "token_required", "A token is required. Send it as Authorization: Bearer TOKEN."},
	{domain.ErrTokenInvalid, http.StatusUnauthorized, "token_invalid", "The token is unknown, expired or revoked. Ask the administrator for a new one."},
	{domain.ErrTokenForbidden, http.StatusForbidden, "token_scope", "The token is not for this. Ask the administrator for a token with the scope in the WWW-Authenticate header."},
	{ErrRegistrationClosed, http.StatusForbidden, "registration_closed", "Registration is closed. Ask the administrator for an account."},
	{domain.ErrRejected, http.StatusUnprocessableEntity, "refused", "Some fields are invalid."},
	{domain.ErrWrongCredentials, http.StatusUnauthorized, "credentials", "The login or the password is wrong."},
	{domain.ErrPasswordExpired, http.StatusForbidden, "password_expired", "This temporary password has expired. Ask an operator for a new one."},
	{domain.ErrPasswordUsed, http.StatusForbidden, "password_used", "This temporary password has already been used in another browser. Ask an operator for a new one."},
	{domain.ErrSuspended, http.StatusForbidden, "suspended", "This account is suspended. Ask an operator."},
	{domain.ErrLastOperator, http.StatusConflict, "last_operator", "This is the last operator who can sign in. Make another user an operator first."},
	{ErrPrecondition, http.StatusPreconditionFailed, "precondition_failed", "The account has changed. Read it again, and send its new ETag in If-Match."},
	{ports.ErrChanged, http.StatusConflict, "changed", "The account was changed meanwhile. Check it, and try again."},
	{ErrPatchType, http.StatusUnsupportedMediaType, "patch_type", "Send the patch as application/merge-patch+json or application/json."},
	{domain.ErrPasswordChangeRequired, http.StatusForbidden, "password_change_required", "Change the temporary password first, at /account/password."},
	{domain.ErrSignedOut, http.StatusUnauthorized, "unauthorized", "Sign in first."},
	{domain.ErrNotOperator, http.StatusForbidden, "not_operator", "Only operators may do this. Ask the administrator for the role."},
	{domain.ErrSetupCode, http.StatusNotFound, "setup_code", "This setup link does not work. A link works once, within 7 days, while the server has no operator."},
	{domain.ErrTooManyAttempts, http.StatusTooManyRequests, "attempts", "Too many attempts. Try again later."},
	{ports.ErrNotFound, http.StatusNotFound, "not_found", "Not found."},
	{ports.ErrBusy, http.StatusServiceUnavailable, "busy", "The server is busy. Try again in a few seconds."},
	{ErrFormType, http.StatusUnsupportedMediaType, "unsupported_form", "Send the form as application/x-www-form-urlencoded."},
	{ErrOtherUser, http.StatusConflict, "other_user", "The form was opened by another user. Open it again."},
	{ErrCrossSite, http.StatusForbidden, "cross_site", "The request did not come from a page of this server. Send it from such a page, or from a program without cookies."},
	{ErrMisdirected, http.StatusMisdirectedRequest, "misdirected", "The server does not answer to this host name. The administrator can add it with --host NAME."},
	{fiber.ErrNotFound, fiber.ErrNotFound.Code, "not_found", "Not found."},
	{fiber.ErrMethodNotAllowed, fiber.ErrMethodNotAllowed.Code, "method_not_allowed", "Method not allowed. See the Allow header."},
	{transport.ErrTimeout, http.StatusRequestTimeout, "timeout", "The request took too long to arrive. Check the connection, and try again."},
	{fiber.ErrRequestTimeout, http.StatusRequestTimeout, "timeout", "The request took too long to arrive. Check the connection, and try again."},
	{fiber.ErrRequestHeaderFieldsTooLarge, http.StatusRequestHeaderFieldsTooLarge, "header_too_large", "The header of the request is too large."},
	{ErrRequest, http.StatusBadRequest, "bad_request", "The request is not valid HTTP."},
}
