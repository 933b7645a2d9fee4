// Package api answers programs: POST /useradd, and the files of reports.
package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/guard"
	"rollcall/adapters/web/intake"
	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/transport"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
	"rollcall/ports"
)

const (
	headerIdempotencyKey    = "Idempotency-Key"
	headerReplayed          = "Idempotent-Replayed"
	headerPrefer            = "Prefer"
	headerPreferenceApplied = "Preference-Applied"

	// The preferences of a request (RFC 7240).
	preferStrict = "handling=strict"
	preferPeople = "return=representation"
)

// Config describes POST /useradd.
type Config struct {
	Access    UseraddAccess
	Importing ports.Importing
}

// Useradd answers POST /useradd.
type Useradd struct {
	Config

	Guard     *guard.Guard
	Files     *intake.Receiver
	Sheets    Sheets
	Sentences ports.Words
	Log       *slog.Logger
}

// Post answers POST /useradd.
func (u *Useradd) Post(c *fiber.Ctx) error {
	sender, err := u.admit(c)
	if err != nil {
		return err
	}
	request, err := u.request(c, sender)
	if err != nil {
		return u.reject(c, &request, err)
	}
	if request.Strict {
		c.Append(headerPreferenceApplied, preferStrict)
	}
	media := transport.Preferred(c, fiber.MIMEApplicationJSON, mediaNDJSON, mediaJSONLines, mediaCSV, mediaXLSX)
	if media == mediaNDJSON || media == mediaJSONLines {
		return u.postNDJSON(c, request)
	}
	defer request.File.Close()
	ctx, stop := importContext(c, &request)
	defer stop()
	result, err := u.importFile(ctx, request)
	if err != nil {
		return u.reject(c, &request, err)
	}
	nameResult(c, result)
	setNotes(c, &result.Notes)
	if result.Tally.Registered == 0 {
		return u.answerNone(c, result)
	}
	extension := map[string]string{mediaCSV: "csv", mediaXLSX: "xlsx"}[media]
	if sheet, ok := u.Sheets[extension]; ok {
		Attach(c, "credentials."+extension, extension)
		return SendOutcomes(c, result, sheet(u.Sentences))
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return SendOutcomes(c, result, credentials())
}

// importContext returns the context of an import, and a function that stops its watch. An import without a key ends when its client
// leaves: no other request can get its answer, and the passwords would be lost.
func importContext(c *fiber.Ctx, request *ports.ImportRequest) (context.Context, func()) {
	if !request.Key.IsZero() && !request.DryRun {
		return c.UserContext(), func() {}
	}
	return transport.WhileOpen(c)
}

// importFile imports a file. Its error is transport.ErrClientGone if the import ended because its client left.
func (u *Useradd) importFile(ctx context.Context, request ports.ImportRequest) (*ports.ImportResult, error) {
	result, err := u.Importing.Import(ctx, request)
	if err != nil && errors.Is(context.Cause(ctx), transport.ErrClientGone) {
		err = fmt.Errorf("%w: %w", transport.ErrClientGone, err)
	}
	return result, err
}

// answerNone answers that no record was registered. It adds the reasons if the client accepts a problem.
func (u *Useradd) answerNone(c *fiber.Ctx, result *ports.ImportResult) error {
	if problem.IsWanted(c) {
		c.Status(result.Tally.Status()).Set(fiber.HeaderContentType, problem.MediaType)
		return SendOutcomes(c, result, rejections(problem.New(transport.RequestID(c), problem.ErrNoneCreated), &result.Notes, u.Sentences))
	}
	err := result.Close()
	if err != nil {
		return err
	}
	return problem.ErrNoneCreated
}

// nameResult sets the header that names an import, and the one that marks a replay.
func nameResult(c *fiber.Ctx, result *ports.ImportResult) {
	if result.ID != 0 {
		c.Set(fiber.HeaderLocation, urls.Import(result.ID))
	}
	if result.Replayed {
		c.Set(headerReplayed, "true")
	}
}

// request reads the parameters of a request and receives its file. Even after an error, the result has DryRun.
func (u *Useradd) request(c *fiber.Ctx, sender domain.Sender) (request ports.ImportRequest, err error) {
	request.Sender = sender
	request.Hint = hintOf(c.Get(fiber.HeaderContentType))
	request.Strict = prefers(c, preferStrict)
	if args := c.Context().QueryArgs(); args.Has("dry_run") {
		value := string(args.Peek("dry_run"))
		request.DryRun, err = strconv.ParseBool(value)
		if err != nil {
			request.DryRun = true // the client did not ask to register anyone
			return request, fmt.Errorf("%w: dry_run=%q", problem.ErrParameter, value)
		}
	}
	request.Key, err = keyOf(c, sender)
	if err != nil {
		return request, err
	}
	file, hint, received, err := u.Files.Receive(c)
	if err != nil {
		return request, err
	}
	if hint != nil {
		request.Hint = *hint
	}
	request.File, request.Sent = file, received
	err = intake.SetOptions(&request.Hint, query(c))
	if err != nil {
		return request, errors.Join(err, file.Close())
	}
	return request, nil
}

// query returns the parameters of a request.
func query(c *fiber.Ctx) url.Values {
	values := url.Values{}
	for name, value := range c.Context().QueryArgs().All() {
		values.Add(string(name), string(value))
	}
	return values
}

// keyOf returns the idempotency key of a request, zero for none.
func keyOf(c *fiber.Ctx, sender domain.Sender) (domain.ImportKey, error) {
	switch keys := c.Request().Header.PeekAll(headerIdempotencyKey); len(keys) {
	case 0:
		return domain.ImportKey{}, nil
	case 1:
		return domain.NewImportKey(sender, string(keys[0]))
	default:
		return domain.ImportKey{}, domain.ErrImportKey
	}
}

// fileFormats are the formats of files by their media types. For other media types the decoder detects the format, because many clients
// send application/octet-stream, or the default of their library.
var fileFormats = map[string]ports.FileFormat{
	fiber.MIMEApplicationJSON: ports.FormatJSON,
	mediaNDJSON:               ports.FormatNDJSON,
	mediaJSONLines:            ports.FormatNDJSON,
	"application/ndjson":      ports.FormatNDJSON,
	mediaCSV:                  ports.FormatCSV,
	mediaXLSX:                 ports.FormatXLSX,
}

func hintOf(contentType string) ports.FileHint {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ports.FileHint{}
	}
	return ports.FileHint{Format: fileFormats[media], Charset: params["charset"]}
}

// prefers reports whether a request has a preference (RFC 7240).
func prefers(c *fiber.Ctx, wanted string) bool {
	wantedName, wantedValue, _ := strings.Cut(wanted, "=")
	for preference := range strings.SplitSeq(string(bytes.Join(c.Request().Header.PeekAll(headerPrefer), []byte(","))), ",") {
		token, _, _ := strings.Cut(preference, ";")
		name, value, _ := strings.Cut(token, "=")
		if strings.EqualFold(strings.TrimSpace(name), wantedName) {
			return strings.EqualFold(strings.Trim(strings.TrimSpace(value), `"`), wantedValue) // the first one counts
		}
	}
	return false
}

// reject sets the header that names the record of an import that registered no one, and returns its error.
func (u *Useradd) reject(c *fiber.Ctx, request *ports.ImportRequest, cause error) error {
	if id := u.record(c.UserContext(), transport.RequestID(c), request, cause); id != 0 {
		c.Set(fiber.HeaderLocation, urls.Import(id))
	}
	return cause
}

// record records an import that registered no one, unless the use case has done so, and returns its id. It returns 0 for a dry run, and
// when the database is unavailable.
func (u *Useradd) record(ctx context.Context, requestID string, request *ports.ImportRequest, cause error) int64 {
	if recorded, ok := errors.AsType[*ports.RecordedError](cause); ok {
		return recorded.Import
	}
	away := errors.Is(cause, ports.ErrUnavailable) && !errors.Is(cause, ports.ErrNoRoom)
	if request.DryRun || away || ctx.Err() != nil {
		return 0
	}
	p := problem.New(requestID, cause)
	id, err := u.Importing.Reject(ctx, ports.RejectedImport{Status: p.Status, Description: p.Description(), Sender: request.Sender})
	if err != nil {
		u.Log.ErrorContext(ctx, "recording a rejected import failed", "id", requestID, "error", err)
	}
	return id
}
