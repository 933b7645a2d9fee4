package client

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"rollcall/ports"
)

var errNotRollcall = errors.New("the response is not from Rollcall; check --server")

// A result is the server's response to a file.
type result struct {
	status                        int // of HTTP
	replayed                      bool
	complete                      bool // the server accounted for every record
	number                        int64
	records, registered, rejected int

	// text holds the lines to print about records. There may be a million, and none is printed until the response is complete.
	text ports.Spool
	w    *bufio.Writer // writes to text
}

func newResult(response *http.Response, text ports.Spool) *result {
	return &result{
		status: response.StatusCode, replayed: response.Header.Get("Idempotent-Replayed") == "true",
		text: text, w: bufio.NewWriter(text),
	}
}

// close releases the text. It accepts nil.
func (r *result) close() {
	if r != nil {
		_ = r.text.Close()
	}
}

// A resultLine is a line of a response, of any status.
type resultLine struct {
	rejectedRecord // or a record of another status
	notes          // of the last line

	Status string

	// of a registered record
	Password   string
	LastName   string `json:"last_name"`
	FirstName  string `json:"first_name"`
	Patronymic string
	Group      string

	// of the import
	Import                     int64
	Code                       int
	Objects, Created, Rejected int
	Share                      float64
	Error, Detail              string
	Request                    string `json:"request_id"`
}

// A rejectedRecord is a record in a response, with its violations.
type rejectedRecord struct {
	Record     int `json:"object_id"`
	Line       int // of the file, or row of the sheet; 0 if it is unknown
	Sheet      string
	Login      string
	Violations []struct{ Message string }
}

// A problem is an error that the server reports (RFC 9457).
type problem struct {
	notes

	status       int
	Code, Detail string
	Request      string `json:"request_id"`
	Rejections   []rejectedRecord
}

// notes are the parts of the file that the server ignored.
type notes struct {
	PassedOver []string `json:"passed_over"`
	Ignored    []struct{ Column, Like, Instead string }
	Sheets     []struct {
		Sheet string
		Rows  int
		Read  bool
	}
	HiddenRows     int `json:"hidden_rows"`
	AmbiguousDates int `json:"ambiguous_dates"`
}

// write writes the notes. A column that may stand for a field has a line of its own.
func (n *notes) write(w io.Writer) {
	for _, it := range n.Sheets {
		switch name := printable(it.Sheet); {
		case !it.Read:
			fmt.Fprintf(w, "  warning: sheet %q was not read (rows: %d); to read it, send the file with --sheet %[1]q\n", name, it.Rows)
		case len(n.Sheets) > 1:
			fmt.Fprintf(w, "  sheet %q was read (rows: %d)\n", name, it.Rows)
		}
	}
	if n.HiddenRows > 0 {
		fmt.Fprintf(w, "  warning: hidden rows were read: %d\n", n.HiddenRows)
	}
	if n.AmbiguousDates > 0 {
		fmt.Fprintf(w, "  dates that can be read in two ways: %d; send the file with --dates dmy or --dates mdy\n", n.AmbiguousDates)
	}
	for _, row := range n.PassedOver {
		fmt.Fprintf(w, "  passed over: %s\n", printable(row))
	}
	var others []string
	for _, it := range n.Ignored {
		column := strconv.Quote(printable(it.Column))
		switch {
		case it.Instead != "":
			fmt.Fprintf(w, "  column %s: %q has the %s\n", column, printable(it.Instead), it.Like)
		case it.Like != "":
			fmt.Fprintf(w, "  warning: ignored column %s; if it is the %[2]s, rename it to %[2]s\n", column, it.Like)
		case it.Column == "":
			others = append(others, "without a header")
		default:
			others = append(others, column)
		}
	}
	if others != nil {
		fmt.Fprintf(w, "  ignored columns: %s\n", strings.Join(others, ", "))
	}
}

// read reads a response of any kind. It returns a temporaryError if a retry can succeed.
func (r *result) read(response *http.Response, credentials *credentialsFile, bar *progress) error {
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")) // empty if the header is invalid
	var err error
	switch {
	case mediaType == mimeLines || mediaType == "application/jsonl":
		err = r.readLines(response.Body, credentials, bar)
	case mediaType == mimeJSON && response.StatusCode == http.StatusOK:
		err = r.readArray(response.Body, credentials)
	case mediaType == mimeProblem:
		err = r.readProblem(response)
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
	return r.w.Flush()
}

// readLines reads a response with a line for each record and a last line for the import.
func (r *result) readLines(body io.Reader, credentials *credentialsFile, bar *progress) error {
	for decoder := json.NewDecoder(body); ; {
		var l resultLine
		err := decoder.Decode(&l)
		if err != nil {
			return readError(err)
		}
		switch l.Status {
		case "running":
			bar.registering(&l)
			continue
		case "created":
			err = r.addRegistered(&credential{l.Login, l.Password, l.LastName, l.FirstName, l.Patronymic, l.Group}, credentials)
		case "rejected":
			err = r.addRejected(&l.rejectedRecord)
		case "skipped": // the summary counts them; listing them would hide the rejected records
		case "done":
			r.complete = true
			r.status, r.number = l.Code, l.Import
			r.records, r.registered, r.rejected = l.Objects, l.Created, l.Rejected
			l.write(r.w)
			return nil
		case "failed":
			return r.addProblem(&problem{status: l.Code, Code: l.Error, Detail: l.Detail, Request: l.Request})
		default:
			return errNotRollcall
		}
		if err != nil {
			return err
		}
		bar.receiving()
	}
}

// readArray reads the array of credentials that the contract describes.
func (r *result) readArray(body io.Reader, credentials *credentialsFile) error {
	decoder := json.NewDecoder(body)
	_, err := decoder.Token()
	for err == nil && decoder.More() {
		var c credential
		err = decoder.Decode(&c)
		if err != nil {
			break
		}
		r.registered++
		err := r.addRegistered(&c, credentials)
		if err != nil {
			return err
		}
	}
	if err == nil {
		_, err = decoder.Token()
	}
	if err != nil {
		return readError(err)
	}
	return nil
}

func (r *result) readProblem(response *http.Response) error {
	p := &problem{status: response.StatusCode}
	err := json.NewDecoder(response.Body).Decode(p)
	if err != nil {
		return readError(err)
	}
	return r.addProblem(p)
}

// addProblem makes a permanent problem the result. It returns a temporaryError for any other.
func (r *result) addProblem(p *problem) error {
	if p.isTemporary() {
		return p.temporary()
	}
	r.status = p.status
	_, err := fmt.Fprintf(r.w, "  %s\n", printable(p.Detail))
	switch p.status {
	case http.StatusUnauthorized:
		_, err = fmt.Fprintln(r.w, "  Run 'rollcall token create' on the server, and set ROLLCALL_TOKEN to the token that it prints.")
	case http.StatusNotFound:
		_, err = fmt.Fprintln(r.w, "  Check the path in --server. It must not include /useradd.")
	}
	if p.Code == "encoding_unclear" {
		_, err = fmt.Fprintln(r.w, "  Run 'rollcall send' again with --charset and the encoding that reads these words right.")
	}
	for i := range p.Rejections {
		err = errors.Join(err, r.addRejected(&p.Rejections[i]))
	}
	p.write(r.w)
	return err
}

// addRegistered adds an account, or in a dry run a record that would become one. The password goes to the file or to the text,
// never to both.
func (r *result) addRegistered(it *credential, credentials *credentialsFile) error {
	password := it.Password
	switch {
	case credentials != nil:
		return credentials.add(it)
	case password == "":
		password = "would be registered"
	}
	_, err := fmt.Fprintf(r.w, "  %-30s %s\n", printable(it.Login), printable(password))
	return err
}

// addRejected adds a rejected record and its violations to the text.
func (r *result) addRejected(record *rejectedRecord) error {
	fmt.Fprintf(r.w, "  record %d", record.Record)
	switch {
	case record.Sheet != "":
		fmt.Fprintf(r.w, ", sheet %q, row %d", printable(record.Sheet), record.Line)
	case record.Line > 0:
		fmt.Fprintf(r.w, ", line %d", record.Line)
	}
	if record.Login != "" {
		fmt.Fprintf(r.w, " (%s)", printable(record.Login))
	}
	fmt.Fprint(r.w, ":")
	for _, v := range record.Violations {
		fmt.Fprint(r.w, " ", printable(v.Message))
	}
	_, err := fmt.Fprintln(r.w)
	return err
}

// summary returns the last line to print, or an empty string for a result without registered records.
func (r *result) summary(dryRun bool, credentials *credentialsFile) string {
	var line strings.Builder
	register, reject, skip := "registered", "rejected", "skipped"
	if dryRun {
		register, reject, skip = "would register", "reject", "skip"
	}
	switch {
	case r.complete:
		fmt.Fprintf(&line, "  %s %d of %d records, %s %d", register, r.registered, r.records, reject, r.rejected)
	case r.registered > 0:
		fmt.Fprintf(&line, "  %s %d", register, r.registered)
	default:
		return ""
	}
	if skipped := r.records - r.registered - r.rejected; r.complete && skipped > 0 {
		fmt.Fprintf(&line, ", %s %d", skip, skipped)
	}
	if r.number != 0 {
		fmt.Fprintf(&line, " (import %d)", r.number)
	}
	if credentials != nil && r.registered > 0 {
		fmt.Fprintf(&line, "; logins and passwords are in %s", credentials.path)
	}
	return line.String() + "\n"
}

// isTemporary reports whether a retry can succeed.
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

// readError classifies an error of reading a response: invalid JSON is permanent, a lost connection is temporary.
func readError(err error) error {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	_, mismatch := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case syntax || mismatch:
		return fmt.Errorf("%w (%w)", errNotRollcall, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the response ended early")
	default:
		err = fmt.Errorf("the response ended early: %w", err)
	}
	return &temporaryError{cause: err}
}

// printable replaces control characters, so that text from a file or a server cannot command the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
