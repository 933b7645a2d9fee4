package bootstrap

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode"

	"rollcall/adapters/spool"
	"rollcall/ports"
)

const (
	mimeJSON    = "application/json"
	mimeLines   = "application/x-ndjson"
	mimeProblem = "application/problem+json"
)

var errNotRollcall = errors.New("the answer is not Rollcall's; is --server right?")

// answer is what came of a file.
type answer struct {
	code                       int // HTTP's
	replayed                   bool
	whole                      bool // every object is accounted for
	number                     int64
	objects, created, rejected int

	text ports.Spool // what is to be printed of the objects: there may be a million, and none is printed of half an answer
	w    *bufio.Writer
}

func newAnswer(response *http.Response) *answer {
	text := spool.New("").New()
	return &answer{
		code: response.StatusCode, replayed: response.Header.Get("Idempotent-Replayed") == "true",
		text: text, w: bufio.NewWriter(text),
	}
}

func (a *answer) close() {
	if a != nil {
		_ = a.text.Close()
	}
}

// answerLine is a line of an answer, of whichever status.
type answerLine struct {
	refusedObject // or one that was not

	Status string

	// of an object
	Password string

	// of all
	Import                     int64
	Code                       int
	Objects, Created, Rejected int
	Share                      float64
	Error, Detail              string
	Request                    string `json:"request_id"`
}

// refusedObject is an object in an answer, with what is wrong with it.
type refusedObject struct {
	Object     int `json:"object_id"`
	Login      string
	Violations []struct{ Message string }
}

// problem is an error of the server's.
type problem struct {
	status       int
	Code, Detail string
	Request      string `json:"request_id"`
	Rejections   []refusedObject
}

// read reads an answer of any kind. It returns a temporaryError for one that another attempt may better.
func (s *sender) read(response *http.Response, a *answer, credentials *credentialsFile, shown *progress) error {
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")) // with an error it is empty
	var err error
	switch {
	case mediaType == mimeLines || mediaType == "application/jsonl":
		err = a.readLines(response.Body, credentials, shown)
	case mediaType == mimeJSON && response.StatusCode == http.StatusOK:
		err = a.readArray(response.Body, credentials)
	case mediaType == mimeProblem:
		err = a.readProblem(response)
	default:
		p := &problem{status: response.StatusCode, Detail: "the server failed"}
		if p.status == http.StatusServiceUnavailable || p.status == http.StatusTooManyRequests {
			p.Detail = "the server is busy"
		}
		if !p.isTemporary() {
			return fmt.Errorf("%s: %w", response.Status, errNotRollcall)
		}
		return p.temporary()
	}
	if err != nil {
		return err
	}
	return a.w.Flush()
}

// readLines reads an answer that has a line for each object, and a last one.
func (a *answer) readLines(body io.Reader, credentials *credentialsFile, shown *progress) error {
	for decoder := json.NewDecoder(body); ; {
		var l answerLine
		err := decoder.Decode(&l)
		if err != nil {
			return brokenOff(err)
		}
		switch l.Status {
		case "running":
			shown.registering(&l)
			continue
		case "created":
			err = a.registered(l.Login, l.Password, credentials)
		case "rejected":
			err = a.refused(&l.refusedObject)
		case "skipped": // which is said of all at once, lest the refused are lost among them
		case "done":
			a.whole = true
			a.code, a.number = l.Code, l.Import
			a.objects, a.created, a.rejected = l.Objects, l.Created, l.Rejected
			return nil
		case "failed":
			return a.fail(&problem{status: l.Code, Code: l.Error, Detail: l.Detail, Request: l.Request})
		default:
			return errNotRollcall
		}
		if err != nil {
			return err
		}
		shown.receiving()
	}
}

// readArray reads the contract's answer.
func (a *answer) readArray(body io.Reader, credentials *credentialsFile) error {
	decoder := json.NewDecoder(body)
	_, err := decoder.Token()
	for err == nil && decoder.More() {
		var credential struct{ Login, Password string }
		err = decoder.Decode(&credential)
		if err != nil {
			break
		}
		a.created++
		err := a.registered(credential.Login, credential.Password, credentials)
		if err != nil {
			return err
		}
	}
	if err == nil {
		_, err = decoder.Token()
	}
	if err != nil {
		return brokenOff(err)
	}
	return nil
}

func (a *answer) readProblem(response *http.Response) error {
	p := &problem{status: response.StatusCode}
	err := json.NewDecoder(response.Body).Decode(p)
	if err != nil {
		return brokenOff(err)
	}
	return a.fail(p)
}

// fail takes an error of the server's for the answer, if it is to stay.
func (a *answer) fail(p *problem) error {
	if p.isTemporary() {
		return p.temporary()
	}
	a.code = p.status
	_, err := fmt.Fprintf(a.w, "  %s\n", printable(p.Detail))
	if p.status == http.StatusUnauthorized {
		_, err = fmt.Fprintln(a.w, "  'rollcall token create' on the server makes a token; set ROLLCALL_TOKEN to it.")
	}
	for i := range p.Rejections {
		err = errors.Join(err, a.refused(&p.Rejections[i]))
	}
	return err
}

// registered tells of an account that was made, or in a dry run would be. Its password goes to one place only.
func (a *answer) registered(login, password string, credentials *credentialsFile) error {
	switch {
	case credentials != nil:
		return credentials.add(login, password)
	case password == "":
		password = "would be registered"
	}
	_, err := fmt.Fprintf(a.w, "  %-30s %s\n", printable(login), printable(password))
	return err
}

// refused tells of an object that was refused, and why.
func (a *answer) refused(o *refusedObject) error {
	fmt.Fprintf(a.w, "  object %d", o.Object)
	if o.Login != "" {
		fmt.Fprintf(a.w, " (%s)", printable(o.Login))
	}
	fmt.Fprint(a.w, ":")
	for _, v := range o.Violations {
		fmt.Fprint(a.w, " ", printable(v.Message))
	}
	_, err := fmt.Fprintln(a.w)
	return err
}

// summary is the last line of what is printed, of an answer that accounts for every object.
func (a *answer) summary(asked *sendCommand, credentials *credentialsFile) string {
	var line strings.Builder
	register, refuse, skip := "registered", "refused", "skipped"
	if asked.DryRun {
		register, refuse, skip = "would register", "refuse", "skip"
	}
	switch {
	case a.whole:
		fmt.Fprintf(&line, "  %s %d of %d objects, %s %d", register, a.created, a.objects, refuse, a.rejected)
	case a.created > 0:
		fmt.Fprintf(&line, "  %s %d", register, a.created)
	default:
		return ""
	}
	if skipped := a.objects - a.created - a.rejected; a.whole && skipped > 0 {
		fmt.Fprintf(&line, ", %s %d", skip, skipped)
	}
	if a.number != 0 {
		fmt.Fprintf(&line, " (import %d)", a.number)
	}
	if credentials != nil && a.created > 0 {
		fmt.Fprintf(&line, "; logins and passwords are in %s", credentials.path)
	}
	return line.String() + "\n"
}

// isTemporary tells of errors that another attempt may not meet.
func (p *problem) isTemporary() bool {
	switch p.status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	}
	return p.status >= http.StatusInternalServerError || p.Code == "key_running"
}

func (p *problem) temporary() error {
	cause := fmt.Errorf("%d %s: %s", p.status, http.StatusText(p.status), printable(p.Detail))
	if p.status == http.StatusInternalServerError && p.Request != "" {
		cause = fmt.Errorf("%w (request %s)", cause, printable(p.Request))
	}
	return &temporaryError{cause: cause}
}

// brokenOff makes an error of reading an answer one of the connection, unless it is of what was read.
func brokenOff(err error) error {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	_, mismatch := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case syntax || mismatch:
		return fmt.Errorf("%w (%w)", errNotRollcall, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the answer broke off")
	default:
		err = fmt.Errorf("the answer broke off: %w", err)
	}
	return &temporaryError{cause: err}
}

// printable keeps what a file says of its people from commanding a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
