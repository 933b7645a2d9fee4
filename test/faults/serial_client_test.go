package faults_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"rollcall/domain"
)

// seen is a request with everything that its client received.
type seen struct {
	answered

	answer    answer
	conflicts []int64 // IDs of the imports answered with 409, in progress
}

// An answer is the response to a file.
type answer struct {
	status      int
	id          int64 // ID of the import
	replayed    bool
	body        string
	credentials []credential

	// From NDJSON only.
	rejections []rejection
	skipped    int
	tally      domain.Tally
}

// String implements fmt.Stringer.
func (a *answer) String() string {
	return fmt.Sprintf("status %d, import %d, replayed %t, %d bytes from %.200q", a.status, a.id, a.replayed, len(a.body), a.body)
}

// logins returns the registered logins.
func (a *answer) logins() []string {
	all := make([]string, len(a.credentials))
	for i, c := range a.credentials {
		all[i] = c.Login
	}
	return all
}

// direct is a client that follows no redirects.
var direct = &http.Client{
	Transport:     &http.Transport{},
	Timeout:       time.Minute,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// send sends a request. It sends a request with an idempotency key twice, concurrently.
func (c *crowded) send(r request, number int) (s seen, err error) {
	s.request, s.began = r, time.Now()
	defer func() { s.ended = time.Now() }()
	if r.Form {
		s.outcomes, err = c.register(r, number)
		return s, err
	}
	file := c.file(r, number)
	answers := make([]*answer, 1, 2)
	if r.Keyed && !r.DryRun {
		answers = answers[:2]
	}
	conflicts := make([][]int64, len(answers))
	var sent errgroup.Group
	for i := range answers {
		sent.Go(func() (err error) {
			to := c.servers[(r.Server+i)%len(c.servers)]
			answers[i], conflicts[i], err = post(to.url, r, file, fmt.Sprintf("key-%d-%d", c.number, number))
			return err
		})
	}
	err = sent.Wait()
	if err != nil {
		return s, err
	}
	s.answer, s.conflicts = *answers[0], conflicts[0]
	if len(answers) == 2 {
		again := answers[1]
		if again.body != s.answer.body || again.id != s.answer.id || again.status != s.answer.status || again.replayed == s.answer.replayed {
			return s, fmt.Errorf("two answers for one key: %s and %s", &s.answer, again)
		}
		s.conflicts = append(s.conflicts, conflicts[1]...)
	}
	return s, nil
}

// file returns the request's people and its padding.
func (c *crowded) file(r request, number int) []byte {
	var records []string
	for i := range len(r.People) + 1 {
		if i == r.Padding.Before {
			filler := `{"note":"nobody, and kept"}` // of empty records, not all rejections are stored
			if r.Padding.Kind == paddedByLarge {
				filler = `{"note":"` + strings.Repeat("x", 63<<10) + `"}`
			}
			for range r.padded() {
				records = append(records, filler)
			}
		}
		if i < len(r.People) {
			records = append(records, c.object(number, i, r.People[i]))
		}
	}
	head, separator, tail := "[", ",", "]"
	if r.NDJSON {
		head, separator, tail = "", "\n", ""
	}
	file := []byte(head + strings.Join(records, separator) + tail)
	if r.Large {
		file = append(file, bytes.Repeat([]byte(" "), 1<<20)...)
	}
	return file
}

// object returns a person as JSON.
func (c *crowded) object(request, person int, h human) string {
	a := c.account(request, person, h)
	fields := map[string]string{"last_name": "Smirnov", "patronymic": "Petrovich", "login": a.Login, "email": a.Email}
	if a.Phone != "" {
		fields["phone"] = "+" + a.Phone
	}
	if !h.Nameless {
		fields["first_name"] = a.FirstName
	}
	object, err := json.Marshal(fields)
	if err != nil {
		panic(err) // texts can be encoded
	}
	return string(object)
}

// post posts a file until it is answered. It also returns the IDs of imports answered with 409, in progress.
func post(to string, r request, file []byte, key string) (*answer, []int64, error) {
	target := to + "/useradd"
	if r.DryRun {
		target += "?dry_run=true"
	}
	var conflicts []int64
	for {
		request, err := http.NewRequest(http.MethodPost, target, bytes.NewReader(file))
		if err != nil {
			return nil, nil, err
		}
		for name, wanted := range map[string]bool{"Content-Type: application/x-ndjson": r.NDJSON, "Accept: application/x-ndjson": r.Lines, "Prefer: handling=strict": r.Strict, "Idempotency-Key: " + key: r.Keyed} {
			if name, value, _ := strings.Cut(name, ": "); wanted {
				request.Header.Set(name, value)
			}
		}
		response, err := direct.Do(request)
		if err != nil {
			return nil, nil, err
		}
		a, err := readAnswer(response, r)
		if err != nil {
			return nil, nil, err
		}
		if a.status != http.StatusConflict {
			return a, conflicts, nil
		}
		conflicts = append(conflicts, a.id)
		time.Sleep(10 * time.Millisecond) // before the retry
	}
}

// readAnswer reads a whole answer.
func readAnswer(response *http.Response, r request) (*answer, error) {
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	a := &answer{status: response.StatusCode, replayed: response.Header.Get("Idempotent-Replayed") == "true", body: string(body), rejections: []rejection{}}
	if location := response.Header.Get("Location"); location != "" {
		a.id, err = strconv.ParseInt(path.Base(location), 10, 64)
		if err != nil {
			return nil, err
		}
	}
	switch {
	case a.status == http.StatusConflict && r.Keyed:
		return a, nil
	case a.status != http.StatusOK && a.status != http.StatusBadRequest:
		return nil, fmt.Errorf("answer: %s: %s", response.Status, body)
	case r.Lines:
		return a, a.readLines(response.Header.Get("Location") == "")
	case a.status == http.StatusBadRequest && a.body == domain.DescriptionNoneCreated:
		return a, nil
	}
	return a, json.Unmarshal(body, &a.credentials)
}

// readLines reads the lines of an answer, and reduces its body to the lines that all answers to the key share. If the answer began
// before the import ended, only the last line has the result.
func (a *answer) readLines(early bool) error {
	var whole strings.Builder
	for text := range strings.Lines(a.body) {
		var line struct {
			rejection
			credential

			Status                           string
			Import                           int64
			Code, Objects, Created, Rejected int
			Replayed                         bool
		}
		err := json.Unmarshal([]byte(text), &line)
		if err != nil {
			return fmt.Errorf("line %q: %w", text, err)
		}
		switch line.Status {
		case created:
			a.credentials = append(a.credentials, line.credential)
		case rejected:
			a.rejections = append(a.rejections, line.rejection)
		case skipped:
			a.skipped++
		case "running":
			continue
		case "done":
			a.tally = domain.Tally{Records: line.Objects, Registered: line.Created, Rejected: line.Rejected}
			if early {
				a.status, a.id, a.replayed = line.Code, line.Import, line.Replayed
				text = strings.Replace(text, `,"replayed":true`, "", 1)
			}
			whole.WriteString(text)
			a.body = whole.String()
			return nil
		case "failed":
			a.status, a.id = line.Code, line.Import
			if a.status != http.StatusConflict {
				return errors.New(text)
			}
			return nil
		default:
			return errors.New(text)
		}
		whole.WriteString(text)
	}
	return errors.New("answer without a last line")
}

// register registers the request's person with the form. It retries if the server gives up waiting for an import with the same
// keys.
func (c *crowded) register(r request, number int) (outcomes []outcome, err error) {
	const times = 60 // each takes half a second
	for range times {
		outcomes, err = c.registerOnce(r, number)
		if !errors.Is(err, errAgain) {
			break
		}
	}
	return outcomes, err
}

func (c *crowded) registerOnce(r request, number int) ([]outcome, error) {
	h := r.People[0]
	a := c.account(number, 0, h)
	entered := url.Values{
		"lname": {"Smirnov"}, "fname": {a.FirstName}, "patr": {"Petrovich"}, "login": {a.Login}, "email": {a.Email}, "phone": {a.Phone},
		"psw": {"correct horse battery staple"},
	}
	if h.Nameless {
		entered.Del("fname")
	}
	request, err := http.NewRequest(http.MethodPost, c.servers[r.Server].url+"/register", strings.NewReader(entered.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/problem+json")
	request.Header.Set("X-Forwarded-For", addressOf(8*c.number+number)) // registrations of one address are limited
	response, err := direct.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	switch response.StatusCode {
	case http.StatusSeeOther:
		return []outcome{{Status: created}}, nil
	case http.StatusUnprocessableEntity:
		var problem struct{ Violations violations }
		err = json.Unmarshal(body, &problem)
		return []outcome{{rejected, problem.Violations.reasons()}}, err
	case http.StatusServiceUnavailable, http.StatusTooManyRequests: // registrations have a global rate limit
		return nil, fmt.Errorf("%w: %s", errAgain, body)
	}
	return nil, fmt.Errorf("answer to the form: %s: %s", response.Status, body)
}
