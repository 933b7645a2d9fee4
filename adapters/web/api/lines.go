package api

import (
	"encoding/json"
	"strconv"

	"rollcall/adapters/internal/jsontext"
	"rollcall/adapters/web/problem"
	"rollcall/domain"
	"rollcall/ports"
)

// lines writes outcomes as NDJSON: a line for each record, and a last line for the import, without which an answer is incomplete. If
// hasPeople, the lines of accounts have names and groups. If late, the last line marks a replay, because the header was sent before.
func (u *Useradd) lines(result *ports.ImportResult, hasPeople, late bool) outcomeFormat {
	return outcomeFormat{tail: string(doneLine(result, late && result.Replayed)), each: func(dst []byte, o *domain.Outcome) ([]byte, error) {
		if o.Violations != nil {
			rejection := newRejection(o, u.Sentences)
			rejection.Status = "rejected"
			one, err := json.Marshal(rejection)
			return append(append(dst, one...), '\n'), err
		}
		dst = strconv.AppendInt(append(dst, `{"object_id":`...), int64(o.Record), 10)
		if o.Skipped {
			dst = append(dst, `,"status":"skipped","login":`...)
		} else {
			dst = append(dst, `,"status":"created","login":`...)
		}
		dst = jsontext.AppendString(dst, o.Login)
		if hasPeople && !o.Skipped {
			dst = appendPerson(dst, o)
		}
		return append(appendPassword(dst, o.Password), "}\n"...), nil
	}}
}

// appendPerson appends the name and group of a person, without empty ones.
func appendPerson(dst []byte, o *domain.Outcome) []byte {
	for _, member := range []struct {
		field domain.Field
		value string
	}{
		{domain.FieldLastName, o.Name.Last.String()},
		{domain.FieldFirstName, o.Name.First.String()},
		{domain.FieldPatronymic, o.Name.Patronymic.String()},
		{domain.FieldGroup, o.Group.String()},
	} {
		if member.value != "" {
			dst = append(append(append(dst, `,"`...), member.field...), `":`...)
			dst = jsontext.AppendString(dst, member.value)
		}
	}
	return dst
}

// doneLine returns the last line of an import that was completed.
func doneLine(result *ports.ImportResult, replayed bool) []byte {
	tally := result.Tally
	return encodeLine(struct {
		Status      string `json:"status"`
		Import      int64  `json:"import,omitempty"`
		Code        int    `json:"code"`
		Objects     int    `json:"objects"`
		Created     int    `json:"created"`
		Rejected    int    `json:"rejected"`
		Description string `json:"description"`
		Replayed    bool   `json:"replayed,omitempty"`
		notes              //nolint:embeddedstructfieldcheck // the order of the fields is that of the line
	}{
		"done", result.ID, tally.Status(), tally.Records, tally.Registered, tally.Rejected, tally.Description(), replayed,
		newNotes(&result.Notes),
	})
}

// runningLine returns a line with the progress of an import.
func runningLine(p *domain.Progress) []byte {
	share := 0.0
	if p.Size > 0 {
		const places = 1000
		share = float64(places*p.Bytes/p.Size) / places
	}
	return encodeLine(struct {
		Status   string  `json:"status"`
		Objects  int     `json:"objects"`
		Created  int     `json:"created"`
		Rejected int     `json:"rejected"`
		Share    float64 `json:"share"`
	}{"running", p.Records, p.Registered, p.Rejected, share})
}

// failedLine returns the last line of an import that failed. Its id is 0 if it was not recorded.
func failedLine(p problem.Problem, id int64) []byte {
	return encodeLine(struct {
		Status    string `json:"status"`
		Import    int64  `json:"import,omitempty"`
		Code      int    `json:"code"`
		Error     string `json:"error"`
		Detail    string `json:"detail"`
		RequestID string `json:"request_id"`

		Kind       domain.FileKind    `json:"kind,omitempty"`
		Encodings  []problem.Encoding `json:"encodings,omitempty"`
		SheetNames []string           `json:"sheet_names,omitempty"`
	}{"failed", id, p.Status, p.Code, p.Detail, p.RequestID, p.Kind, p.Encodings, p.SheetNames})
}

func encodeLine(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // numbers and texts can be encoded
	}
	return append(b, '\n')
}
