package web

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
	"rollcall/ports"
)

const (
	// fewObjects is up to how many objects an answer is made whole, and sent with its length.
	fewObjects = 1000

	// answerChunk is how many bytes of a longer answer are made at once, while those before them are sent.
	answerChunk = 64 << 10
)

// outcomeFormat writes the outcomes of an import as one document.
type outcomeFormat struct {
	head, tail string
	// each appends what there is to say of an outcome, and may say nothing.
	each func(dst []byte, o *domain.Outcome) ([]byte, error)
}

// sendOutcomes answers with an import's outcomes, and closes it when they are sent.
func sendOutcomes(c *fiber.Ctx, result *ports.ImportResult, format outcomeFormat) error {
	if result.Tally.Objects <= fewObjects {
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

// writeOutcomes writes the document, and closes the import.
func writeOutcomes(w io.Writer, result *ports.ImportResult, format outcomeFormat) (err error) {
	defer func() { err = errors.Join(err, result.Close()) }()
	_, err = io.WriteString(w, format.head)
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	var each []byte
	some := false
	for outcome, err := range result.Outcomes {
		if err != nil {
			return err
		}
		each = each[:0]
		if some {
			each = append(each, ',')
		}
		separated := len(each)
		each, err = format.each(each, &outcome)
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
	_, err = io.WriteString(w, format.tail)
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}

// credentials is the contract's answer: an array of logins and passwords.
func credentials() outcomeFormat {
	return outcomeFormat{"[", "]", func(dst []byte, o *domain.Outcome) ([]byte, error) {
		if o.Violations != nil {
			return dst, nil
		}
		dst, err := appendJSON(append(dst, `{"login":`...), o.Login)
		if err != nil {
			return dst, err
		}
		dst = append(dst, `,"password":"`...)
		dst = append(dst, o.Password...) // letters, digits and hyphens
		return append(dst, `"}`...), nil
	}}
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
	Message string       `json:"message"`
}

func violationsJSON(violations domain.Violations, sentences ports.Sentences) []violationJSON {
	all := make([]violationJSON, 0, len(violations))
	for _, v := range violations {
		all = append(all, violationJSON{v.Field, v.Code, sentences.Describe(domain.Violations{v})})
	}
	return all
}

// rejectionJSON is a refused object as a problem tells it.
type rejectionJSON struct {
	Object     int             `json:"object_id"`
	Login      *string         `json:"login"`
	Violations []violationJSON `json:"violations"`
}

// rejections is a problem with every refused object in it.
func rejections(p problem, sentences ports.Sentences) outcomeFormat {
	head := string(bytes.TrimSuffix(p.encode(), []byte("}"))) + `,"rejections":[`
	return outcomeFormat{head, "]}", func(dst []byte, o *domain.Outcome) ([]byte, error) {
		rejection := rejectionJSON{Object: o.Object}
		if o.Login != "" {
			rejection.Login = &o.Login
		}
		rejection.Violations = violationsJSON(o.Violations, sentences)
		one, err := json.Marshal(rejection)
		return append(dst, one...), err
	}}
}
