package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
	"rollcall/ports"
)

const (
	// fewObjects is up to how many objects an answer is made whole, and sent with its length.
	fewObjects = 1000

	// answerChunk is about how many bytes of a longer answer are made at once.
	answerChunk = 32 << 10
)

// outcomeFormat writes the outcomes of an import as one document.
type outcomeFormat struct {
	head, tail string
	// each appends what there is to say of an outcome, and may say nothing.
	each func(dst []byte, o *domain.Outcome) ([]byte, error)
}

// sendOutcomes answers with an import's outcomes, and closes it when they are sent.
func sendOutcomes(c *fiber.Ctx, result *ports.ImportResult, format outcomeFormat) error {
	r := newOutcomeReader(result, format)
	if result.Tally.Objects > fewObjects {
		c.Response().SetBodyStream(r, -1) // which closes r; an error of r breaks the connection off, so that no half answer looks whole
		return nil
	}
	body, err := io.ReadAll(r)
	c.Response().SetBody(body)
	return errors.Join(err, r.Close())
}

// outcomeReader makes the document as it is read.
type outcomeReader struct {
	result *ports.ImportResult
	format outcomeFormat
	next   func() (domain.Outcome, error, bool)
	stop   func()
	buf    bytes.Buffer
	each   []byte
	some   bool // something was said
	ended  bool
}

func newOutcomeReader(result *ports.ImportResult, format outcomeFormat) *outcomeReader {
	r := &outcomeReader{result: result, format: format}
	r.next, r.stop = iter.Pull2(result.Outcomes)
	r.buf.WriteString(format.head)
	return r
}

func (r *outcomeReader) Read(p []byte) (int, error) {
	for !r.ended && r.buf.Len() < answerChunk {
		err := r.fill()
		if err != nil {
			return 0, err
		}
	}
	return r.buf.Read(p)
}

func (r *outcomeReader) fill() error {
	outcome, err, ok := r.next()
	if err != nil {
		return err
	}
	if !ok {
		r.ended = true
		r.buf.WriteString(r.format.tail)
		return nil
	}
	r.each, err = r.format.each(r.each[:0], &outcome)
	if err != nil || len(r.each) == 0 {
		return err
	}
	if r.some {
		r.buf.WriteByte(',')
	}
	r.some = true
	r.buf.Write(r.each)
	return nil
}

func (r *outcomeReader) Close() error {
	r.stop()
	return r.result.Close()
}

// credentials is the contract's answer: an array of logins and passwords.
func credentials() outcomeFormat {
	return outcomeFormat{"[", "]", func(dst []byte, o *domain.Outcome) ([]byte, error) {
		if o.Violations != nil {
			return dst, nil
		}
		login, err := json.Marshal(o.Login)
		if err != nil {
			return dst, err
		}
		dst = append(dst, `{"login":`...)
		dst = append(dst, login...)
		dst = append(dst, `,"password":"`...)
		dst = append(dst, o.Password...) // letters, digits and hyphens
		return append(dst, `"}`...), nil
	}}
}

// violationJSON is a violation as a problem tells it.
type violationJSON struct {
	Field   domain.Field `json:"field,omitempty"`
	Code    domain.Code  `json:"code"`
	Message string       `json:"message"`
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
		for _, v := range o.Violations {
			rejection.Violations = append(rejection.Violations, violationJSON{v.Field, v.Code, sentences.Describe(domain.Violations{v})})
		}
		one, err := json.Marshal(rejection)
		return append(dst, one...), err
	}}
}
