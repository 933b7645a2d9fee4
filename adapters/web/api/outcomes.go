package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/internal/jsontext"
	"rollcall/adapters/web/problem"
	"rollcall/domain"
	"rollcall/ports"
)

const (
	// fewRecords is the number of records up to which an answer is written to memory, and sent with its length.
	fewRecords = 1000

	// answerChunk is the number of bytes of a longer answer that are buffered while earlier ones are sent.
	answerChunk = 64 << 10
)

// outcomeFormat implements ports.OutcomeWriter. It writes the outcomes of an import as one document.
type outcomeFormat struct {
	head, separator, tail string
	// each appends an outcome, or nothing to leave it out.
	each func(dst []byte, o *domain.Outcome) ([]byte, error)
}

// SendOutcomes answers with the outcomes of an import, and closes the import when they are sent.
func SendOutcomes(c *fiber.Ctx, result *ports.ImportResult, format ports.OutcomeWriter) error {
	if result.Tally.Records <= fewRecords {
		var body bytes.Buffer
		err := writeOutcomes(&body, result, format)
		c.Response().SetBodyRaw(body.Bytes())
		return err
	}
	Stream(c, func(w io.Writer) error { return writeOutcomes(w, result, format) })
	return nil
}

// Stream answers with what a function writes. Its error closes the connection, so that the client sees that the answer is incomplete.
func Stream(c *fiber.Ctx, write func(io.Writer) error) {
	reader, writer := io.Pipe()
	go func() {
		chunks := bufio.NewWriterSize(writer, answerChunk)
		err := write(chunks)
		writer.CloseWithError(errors.Join(err, chunks.Flush()))
	}()
	c.Response().SetBodyStream(reader, -1) // the server closes the reader, which ends the writing
}

// writeOutcomes writes the outcomes, and closes the import.
func writeOutcomes(w io.Writer, result *ports.ImportResult, format ports.OutcomeWriter) (err error) {
	defer func() { err = errors.Join(err, result.Close()) }()
	return format.Write(w, result.Outcomes)
}

// Write implements ports.OutcomeWriter.
func (f outcomeFormat) Write(w io.Writer, outcomes iter.Seq2[domain.Outcome, error]) error {
	_, err := io.WriteString(w, f.head)
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	var each []byte
	some := false
	for outcome, err := range outcomes {
		if err != nil {
			return err
		}
		each = each[:0]
		if some {
			each = append(each, f.separator...)
		}
		separated := len(each)
		each, err = f.each(each, &outcome)
		if err != nil {
			return fmt.Errorf("encode outcome: %w", err)
		}
		if len(each) == separated {
			continue
		}
		some = true
		_, err = w.Write(each)
		if err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
	}
	_, err = io.WriteString(w, f.tail)
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}

// credentials writes the contract's answer: an array of logins and passwords.
func credentials() outcomeFormat {
	return outcomeFormat{"[", ",", "]", func(dst []byte, o *domain.Outcome) ([]byte, error) {
		if o.Violations != nil || o.Skipped {
			return dst, nil
		}
		dst = jsontext.AppendString(append(dst, `{"login":`...), o.Login)
		return append(appendPassword(dst, o.Password), '}'), nil
	}}
}

// appendPassword appends a temporary password, which consists of letters, digits and hyphens. A dry run has none.
func appendPassword(dst []byte, password string) []byte {
	if password == "" {
		return dst
	}
	return append(append(append(dst, `,"password":"`...), password...), '"')
}

// A rejection is a rejected record as JSON.
type rejection struct {
	Object     int                 `json:"object_id"`
	Line       int                 `json:"line,omitempty"`
	Sheet      string              `json:"sheet,omitempty"`
	Status     string              `json:"status,omitempty"` // in NDJSON
	Login      *string             `json:"login"`
	Violations []problem.Violation `json:"violations"`
}

func newRejection(o *domain.Outcome, sentences ports.Sentences) rejection {
	r := rejection{Object: o.Record, Line: o.Line, Sheet: o.Sheet, Violations: problem.Violations(o.Violations, sentences)}
	if o.Login != "" {
		r.Login = &o.Login
	}
	return r
}

// rejections writes a problem that contains every rejected record, and what the import has ignored.
func rejections(p problem.Problem, of *ports.FileNotes, sentences ports.Sentences) outcomeFormat {
	head := string(bytes.TrimSuffix(p.Encode(), []byte("}")))
	if n := newNotes(of).encode(); len(n) > 0 {
		head += "," + string(n)
	}
	return outcomeFormat{head + `,"rejections":[`, ",", "]}", func(dst []byte, o *domain.Outcome) ([]byte, error) {
		if o.Violations == nil {
			return dst, nil
		}
		one, err := json.Marshal(newRejection(o, sentences))
		return append(dst, one...), err
	}}
}
