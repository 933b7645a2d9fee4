package web

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
	"rollcall/ports"
)

const (
	// fewRecords is up to how many objects an answer is made whole, and sent with its length.
	fewRecords = 1000

	// answerChunk is how many bytes of a longer answer are made at once, while those before them are sent.
	answerChunk = 64 << 10
)

// outcomeFormat writes the outcomes of an import as one document. It is a ports.OutcomeWriter.
type outcomeFormat struct {
	head, separator, tail string
	// each appends what there is to say of an outcome, and may say nothing.
	each func(dst []byte, o *domain.Outcome) ([]byte, error)
}

// sendOutcomes answers with an import's outcomes, and closes it when they are sent.
func sendOutcomes(c *fiber.Ctx, result *ports.ImportResult, format ports.OutcomeWriter) error {
	if result.Tally.Records <= fewRecords {
		var body bytes.Buffer
		err := writeOutcomes(&body, result, format)
		c.Response().SetBodyRaw(body.Bytes())
		return err
	}
	reader, writer := io.Pipe()
	go func() {
		chunks := bufio.NewWriterSize(writer, answerChunk)
		err := writeOutcomes(chunks, result, format)
		// An error breaks the connection off: half an answer must not look whole.
		writer.CloseWithError(errors.Join(err, chunks.Flush()))
	}()
	c.Response().SetBodyStream(reader, -1) // which closes the reader, and thereby ends the writing
	return nil
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

// credentials is the contract's answer: an array of logins and passwords.
func credentials() outcomeFormat {
	return outcomeFormat{"[", ",", "]", func(dst []byte, o *domain.Outcome) ([]byte, error) {
		if o.Violations != nil || o.Skipped {
			return dst, nil
		}
		dst, err := appendJSON(append(dst, `{"login":`...), o.Login)
		if err != nil {
			return dst, err
		}
		return append(appendPassword(dst, o.Password), '}'), nil
	}}
}

// appendPassword appends a password, which has letters, digits and hyphens. In a dry run there is none.
func appendPassword(dst []byte, password string) []byte {
	if password == "" {
		return dst
	}
	return append(append(append(dst, `,"password":"`...), password...), '"')
}

// appendJSON appends a string in quotes. Most logins need no escape, and no encoder.
func appendJSON(dst []byte, s string) ([]byte, error) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			encoded, err := json.Marshal(s)
			return append(dst, encoded...), err
		}
	}
	return append(append(append(dst, '"'), s...), '"'), nil
}

// violationJSON is a violation as a problem tells it.
type violationJSON struct {
	Field   domain.Field `json:"field,omitempty"`
	Code    domain.Code  `json:"code"`
	Limit   int          `json:"limit,omitempty"`
	Message string       `json:"message"`
}

func violationsJSON(violations domain.Violations, sentences ports.Sentences) []violationJSON {
	all := make([]violationJSON, 0, len(violations))
	for _, v := range violations {
		all = append(all, violationJSON{v.Field, v.Code, v.Limit, sentences.Describe(domain.Violations{v})})
	}
	return all
}

// rejectionJSON is a refused object as a problem tells it.
type rejectionJSON struct {
	Object     int             `json:"object_id"`
	Status     string          `json:"status,omitempty"` // in lines
	Login      *string         `json:"login"`
	Violations []violationJSON `json:"violations"`
}

func newRejectionJSON(o *domain.Outcome, sentences ports.Sentences) rejectionJSON {
	rejection := rejectionJSON{Object: o.Object, Violations: violationsJSON(o.Violations, sentences)}
	if o.Login != "" {
		rejection.Login = &o.Login
	}
	return rejection
}

// rejections is a problem with every refused object in it.
func rejections(p problem, sentences ports.Sentences) outcomeFormat {
	head := string(bytes.TrimSuffix(p.encode(), []byte("}"))) + `,"rejections":[`
	return outcomeFormat{head, ",", "]}", func(dst []byte, o *domain.Outcome) ([]byte, error) {
		if o.Violations == nil {
			return dst, nil
		}
		one, err := json.Marshal(newRejectionJSON(o, sentences))
		return append(dst, one...), err
	}}
}
