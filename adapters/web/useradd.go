package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
	"rollcall/ports"
)

const (
	pathUseradd = "/useradd"
	pathImports = "/useradd/imports/"

	headerIdempotencyKey    = "Idempotency-Key"
	headerReplayed          = "Idempotent-Replayed"
	headerPrefer            = "Prefer"
	headerPreferenceApplied = "Preference-Applied"

	preferStrict = "handling=strict"
)

var (
	errNoneCreated = errors.New("no users have been created")
	errParameter   = errors.New("parameter is not valid")
)

// Sheets are tables of what came of imports, by their media types, for readers of a language.
type Sheets map[string]func(ports.Words) ports.OutcomeWriter

type useraddHandler struct {
	access    *useraddAccess
	importing ports.Importing
	files     *receiver
	sentences ports.Words
	sheets    Sheets
	log       *slog.Logger
}

// post answers POST /useradd.
func (h *useraddHandler) post(c *fiber.Ctx) error {
	sender, err := h.access.admit(c)
	if err != nil {
		return err
	}
	request, err := h.request(c, sender)
	if err != nil {
		return h.refuse(c, &request, err)
	}
	if request.Strict {
		c.Set(headerPreferenceApplied, preferStrict)
	}
	media := c.Accepts(fiber.MIMEApplicationJSON, mimeNDJSON, "application/jsonl", MediaCSV, MediaXLSX)
	if media == mimeNDJSON || media == "application/jsonl" {
		return h.postNDJSON(c, request)
	}
	defer request.File.Close()
	ctx, stop := importContext(c, &request)
	defer stop()
	result, err := h.importFile(ctx, request)
	if err != nil {
		return h.refuse(c, &request, err)
	}
	nameResult(c, result)
	if result.Tally.Registered == 0 {
		return h.answerNone(c, result)
	}
	if sheet, ok := h.sheets[media]; ok {
		c.Set(fiber.HeaderContentType, sheetTypes[media].mediaType)
		c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+sheetTypes[media].fileName+`"`)
		return sendOutcomes(c, result, sheet(h.sentences))
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return sendOutcomes(c, result, credentials())
}

// importContext returns the context of an import, and what ends its watch. An import without a key ends when its client
// leaves: nobody else can get its answer, and the passwords would be lost.
func importContext(c *fiber.Ctx, request *ports.ImportRequest) (context.Context, func()) {
	if !request.Key.IsZero() && !request.DryRun {
		return c.UserContext(), func() {}
	}
	return connOf(c).whileOpen(c.UserContext())
}

// importFile imports a file, and says so where it ended because its client left.
func (h *useraddHandler) importFile(ctx context.Context, request ports.ImportRequest) (*ports.ImportResult, error) {
	result, err := h.importing.Import(ctx, request)
	if err != nil && errors.Is(context.Cause(ctx), errClientGone) {
		err = fmt.Errorf("%w: %w", errClientGone, err)
	}
	return result, err
}

// sheetTypes are the formats of files of credentials.
var sheetTypes = map[string]struct{ mediaType, fileName string }{
	MediaCSV:  {mimeCSV, "credentials.csv"},
	MediaXLSX: {MediaXLSX, "credentials.xlsx"},
}

// answerNone answers that nobody was registered, to those who want to know with the reasons.
func (h *useraddHandler) answerNone(c *fiber.Ctx, result *ports.ImportResult) error {
	if wantsProblem(c) {
		c.Status(result.Tally.Status()).Set(fiber.HeaderContentType, mimeProblem)
		return sendOutcomes(c, result, rejections(newProblem(requestID(c), errNoneCreated), h.sentences))
	}
	err := result.Close()
	if err != nil {
		return err
	}
	return errNoneCreated
}

// nameResult says in the header which import this is, and whether it was there before.
func nameResult(c *fiber.Ctx, result *ports.ImportResult) {
	if result.ID != 0 {
		c.Set(fiber.HeaderLocation, pathImports+strconv.FormatInt(result.ID, 10))
	}
	if result.Replayed {
		c.Set(headerReplayed, "true")
	}
}

// request reads what is asked for, and receives the file. Also after an error it tells whether it was a dry run.
func (h *useraddHandler) request(c *fiber.Ctx, sender domain.Sender) (request ports.ImportRequest, err error) {
	request.Sender = sender
	request.Hint = hintOf(c.Get(fiber.HeaderContentType))
	request.Strict = prefersStrict(c.Get(headerPrefer))
	if args := c.Context().QueryArgs(); args.Has("dry_run") {
		value := string(args.Peek("dry_run"))
		request.DryRun, err = strconv.ParseBool(value)
		if err != nil {
			request.DryRun = true // whatever it was to be, it was no order to register anybody
			return request, fmt.Errorf("%w: dry_run=%q", errParameter, value)
		}
	}
	request.Key, err = keyOf(c, sender)
	if err != nil {
		return request, err
	}
	request.File = h.files.spools.New()
	err = h.files.receive(c, &request)
	if err != nil {
		return request, errors.Join(err, request.File.Close())
	}
	return request, nil
}

// keyOf returns the request's key, zero for none.
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

// fileFormats are the formats of files by their media types. With any other it is found out from the content: many clients
// send application/octet-stream, or what their library sends for everything.
var fileFormats = map[string]ports.FileFormat{
	fiber.MIMEApplicationJSON: ports.FormatJSON,
	mimeNDJSON:                ports.FormatNDJSON,
	"application/jsonl":       ports.FormatNDJSON,
	"application/ndjson":      ports.FormatNDJSON,
	MediaCSV:                  ports.FormatCSV,
	MediaXLSX:                 ports.FormatXLSX,
}

func hintOf(contentType string) ports.FileHint {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ports.FileHint{}
	}
	return ports.FileHint{Format: fileFormats[media], Charset: params["charset"]}
}

// prefersStrict reads a Prefer header by RFC 7240, as far as it is for imports.
func prefersStrict(header string) bool {
	for preference := range strings.SplitSeq(header, ",") {
		token, _, _ := strings.Cut(preference, ";")
		name, value, _ := strings.Cut(token, "=")
		if strings.EqualFold(strings.TrimSpace(name), "handling") {
			return strings.EqualFold(strings.Trim(strings.TrimSpace(value), `"`), "strict") // the first counts
		}
	}
	return false
}

// refuse answers a request that registered nobody with an error, which it returns, and names the record of it.
func (h *useraddHandler) refuse(c *fiber.Ctx, request *ports.ImportRequest, cause error) error {
	if id := h.record(c.UserContext(), requestID(c), request, cause); id != 0 {
		c.Set(fiber.HeaderLocation, pathImports+strconv.FormatInt(id, 10))
	}
	return cause
}

// record records a request that registered nobody, unless that is done, and returns the record's id. It returns 0 where there
// is none: of a dry run, and of what the database is not there for.
func (h *useraddHandler) record(ctx context.Context, requestID string, request *ports.ImportRequest, cause error) int64 {
	if recorded, ok := errors.AsType[*ports.RecordedError](cause); ok {
		return recorded.Import
	}
	away := errors.Is(cause, ports.ErrUnavailable) && !errors.Is(cause, ports.ErrNoRoom)
	if request.DryRun || away || ctx.Err() != nil {
		return 0
	}
	p := newProblem(requestID, cause)
	id, err := h.importing.Reject(ctx, ports.RejectedImport{Status: p.Status, Description: p.description(), Sender: request.Sender})
	if err != nil {
		h.log.ErrorContext(ctx, "a refused request was not recorded", "id", requestID, "error", err)
	}
	return id
}
