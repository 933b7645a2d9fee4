package problem

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/transport"
	"rollcall/domain"
	"rollcall/ports"
)

// internal is the code of errors that are not in the table.
const internal = "internal"

// retryAfter is the number of seconds that a client should wait after a 503.
const retryAfter = 5

// A Problem is an error as RFC 9457 describes it. Its type is about:blank, so its title is the status in words.
type Problem struct {
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Code      string `json:"code"`
	RequestID string `json:"request_id"`

	Kind       domain.FileKind   `json:"kind,omitempty"` // of a file that is no list of people
	key        string            // of the array in such a file
	described  domain.Violations // of a filter or a patch, which the detail describes
	Violations []Violation       `json:"violations,omitempty"`  // of a form, a filter or a patch
	Encodings  []Encoding        `json:"encodings,omitempty"`   // that a file may have, the likeliest first
	SheetNames []string          `json:"sheet_names,omitempty"` // of a workbook that has not the sheet that was named
}

// An Encoding is an encoding that a file may have, with words of the file as they read in it.
type Encoding struct {
	Charset string   `json:"charset"`
	Words   []string `json:"words"`
}

// New returns the problem that answers an error.
func New(requestID string, err error) Problem {
	p := Problem{
		Status: http.StatusInternalServerError, Code: internal,
		Detail: "Something went wrong. Tell the administrator the request ID.", RequestID: requestID,
	}
	for _, known := range table {
		if errors.Is(err, known.err) {
			p.Status, p.Code, p.Detail = known.status, known.code, known.detail
			break
		}
	}
	p.Title = http.StatusText(p.Status)
	if other, ok := errors.AsType[*domain.UnsupportedFileError](err); ok {
		p.Kind, p.key = other.Kind, other.Key
	}
	if errors.Is(err, ErrFilter) || errors.Is(err, ErrPatch) {
		p.described = ViolationsOf(err)
	}
	if unclear, ok := errors.AsType[*domain.UnclearEncodingError](err); ok {
		for _, e := range unclear.Encodings {
			p.Encodings = append(p.Encodings, Encoding(e))
		}
		p.Detail += " " + unclear.Error()
	}
	if unknown, ok := errors.AsType[*domain.UnknownSheetError](err); ok {
		p.SheetNames = unknown.Sheets
		p.Detail += " " + unknown.Error()
	}
	return p
}

// IsInternal reports whether the error is not in the table, and so the server's fault.
func (p Problem) IsInternal() bool { return p.Code == internal }

// Text returns the detail in the words of a reader.
func (p Problem) Text(words ports.Words) string {
	if p.Kind != "" {
		return words.Text("file."+string(p.Kind), "Key", p.key)
	}
	text := words.Text("error." + p.Code + ".detail")
	if p.described != nil {
		text += " " + words.Describe(p.described)
	}
	return text
}

// Description returns the contract's sentence about an import that ended with this problem.
func (p Problem) Description() string {
	switch p.Code {
	case "broken_file", "unsupported_file", "encoding_unclear", "sheet_unknown", "timeout":
		return domain.DescriptionBroken
	}
	if p.Status == http.StatusRequestEntityTooLarge || p.Status == http.StatusUnsupportedMediaType {
		return domain.DescriptionBroken
	}
	return domain.DescriptionNoneCreated
}

// Encode returns the problem as JSON.
func (p Problem) Encode() []byte {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // numbers and texts can be encoded
	}
	return b
}

// A Page shows a problem to a browser.
type Page interface {
	// ShowProblem shows the problem that answers an error. A form comes back as it was filled in.
	ShowProblem(c *fiber.Ctx, p Problem, err error) error
}

// Explained returns the problem with a detail that says what is wrong with a file.
func (p Problem) Explained(err error, words ports.Words) Problem {
	if p.Kind != "" {
		p.Detail = p.Text(words)
	}
	if broken, ok := errors.AsType[*domain.BrokenFileError](err); ok {
		separator := ": "
		if broken.HasPlace() {
			separator = " "
		}
		p.Detail = "The file cannot be read" + separator + broken.Error() + "."
	}
	return p
}

// Answer answers a request with an error, in the form that the client accepts, and returns the error for the log. Only the sentence on the
// kind of a file is in the reader's words.
func Answer(c *fiber.Ctx, err error, page Page, sentences ports.Sentences, reader ports.Words) error {
	problem := New(transport.RequestID(c), err)
	c.Status(problem.Status)
	SetRetryAfter(c, problem.Status, err)
	if problem.described != nil {
		problem.Detail += " " + sentences.Describe(problem.described)
	}
	switch {
	case IsWanted(c):
		problem = problem.Explained(err, reader)
		problem.Violations = Violations(ViolationsOf(err), sentences)
		c.Set(fiber.HeaderContentType, MediaType)
		c.Response().SetBody(problem.Encode())
		return err
	case WantsPage(c):
		failed := page.ShowProblem(c, problem, err)
		if failed == nil {
			return err
		}
		err = errors.Join(err, failed)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	c.Response().SetBodyString(problem.Detail)
	return err
}

// SetRetryAfter sets Retry-After in answers to requests that may succeed later.
func SetRetryAfter(c *fiber.Ctx, status int, err error) {
	seconds := retryAfter
	switch known, tooMany := errors.AsType[*domain.TooManyAttemptsError](err); {
	case tooMany:
		seconds = int((known.Wait + time.Second - 1) / time.Second)
	case status != http.StatusServiceUnavailable && !errors.Is(err, ports.ErrKeyRunning):
		return
	}
	c.Set(fiber.HeaderRetryAfter, strconv.Itoa(seconds))
}

// OfRouting replaces errors of Fiber's router, which are new values each time, with those of the table.
func OfRouting(err error) error {
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
