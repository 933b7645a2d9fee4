package web

import (
	"encoding/json"
	"strconv"

	"rollcall/domain"
	"rollcall/ports"
)

const mimeNDJSON = "application/x-ndjson"

// lines are the outcomes as NDJSON: a line for each object, and one for all of them, without which an answer is not whole. It
// says that the answer is repeated when it is late for the header to say it.
func (h *useraddHandler) lines(result *ports.ImportResult, late bool) outcomeFormat {
	return outcomeFormat{tail: string(doneLine(result, late && result.Replayed)), each: func(dst []byte, o *domain.Outcome) ([]byte, error) {
		if o.Violations != nil {
			rejection := newRejectionJSON(o, h.sentences)
			rejection.Status = "rejected"
			one, err := json.Marshal(rejection)
			return append(append(dst, one...), '\n'), err
		}
		dst = strconv.AppendInt(append(dst, `{"object_id":`...), int64(o.Object), 10)
		if o.Skipped {
			dst = append(dst, `,"status":"skipped","login":`...)
		} else {
			dst = append(dst, `,"status":"created","login":`...)
		}
		dst, err := appendJSON(dst, o.Login)
		return append(appendPassword(dst, o.Password), "}\n"...), err
	}}
}

// doneLine is the last of an import that came to its end.
func doneLine(result *ports.ImportResult, replayed bool) []byte {
	tally := result.Tally
	return line(struct {
		Status      string `json:"status"`
		Import      int64  `json:"import,omitempty"`
		Code        int    `json:"code"`
		Objects     int    `json:"objects"`
		Created     int    `json:"created"`
		Rejected    int    `json:"rejected"`
		Description string `json:"description"`
		Replayed    bool   `json:"replayed,omitempty"`
	}{"done", result.ID, tally.Status(), tally.Records, tally.Registered, tally.Rejected, tally.Description(), replayed})
}

// runningLine tells how far an import is.
func runningLine(p *domain.Progress) []byte {
	share := 0.0
	if p.Size > 0 {
		const places = 1000
		share = float64(places*p.Bytes/p.Size) / places
	}
	return line(struct {
		Status   string  `json:"status"`
		Objects  int     `json:"objects"`
		Created  int     `json:"created"`
		Rejected int     `json:"rejected"`
		Share    float64 `json:"share"`
	}{"running", p.Records, p.Registered, p.Rejected, share})
}

// failedLine is the last of an import that came to nothing, by the id of its record if it has one.
func failedLine(p problem, id int64) []byte {
	return line(struct {
		Status    string `json:"status"`
		Import    int64  `json:"import,omitempty"`
		Code      int    `json:"code"`
		Error     string `json:"error"`
		Detail    string `json:"detail"`
		RequestID string `json:"request_id"`
	}{"failed", id, p.Status, p.Code, p.Detail, p.RequestID})
}

func line(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // numbers and texts can be encoded
	}
	return append(b, '\n')
}
