package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/internal/userjson"
	"rollcall/adapters/web/guard"
	"rollcall/adapters/web/locale"
	"rollcall/adapters/web/problem"
	"rollcall/adapters/web/transport"
	"rollcall/domain"
	"rollcall/ports"
)

// mergePatch is the media type of patches (RFC 7396).
const mergePatch = "application/merge-patch+json"

// maxPatch is the maximum size of a patch, in bytes.
const maxPatch = 64 << 10

// Users answers programs that find, read and change accounts.
type Users struct {
	Finding   ports.Users
	Directory ports.Directory
	Guard     *guard.Guard
	Locale    *locale.Locale
}

// encode returns a person as JSON, with the ETag.
func encode(person *domain.Person) (body []byte, etag string) {
	body, err := json.Marshal(userjson.New(person))
	if err != nil {
		panic(err) // numbers, texts and times can be encoded
	}
	sum := sha256.Sum256(body)
	return body, `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}

// userPage is a page of users as JSON.
type userPage struct {
	Users []userjson.User `json:"users"`
	Next  string          `json:"next,omitempty"` // value of QueryAfter for the next page
}

// List answers GET /users.
func (u *Users) List(c *fiber.Ctx) error {
	query, err := u.query(c)
	if err != nil {
		return err
	}
	page, err := u.Finding.Page(c.UserContext(), query.Users)
	if err != nil {
		return err
	}
	answer := userPage{make([]userjson.User, len(page.Users)), page.Next}
	for i, person := range page.Users {
		answer.Users[i] = userjson.New(person)
	}
	return c.JSON(answer)
}

// MaxCount is the highest count of users. A full count would read the whole directory.
const MaxCount = 10_000

// Count answers GET /users/count.
func (u *Users) Count(c *fiber.Ctx) error {
	query, err := u.query(c)
	if err != nil {
		return err
	}
	count, err := u.Finding.Count(c.UserContext(), ports.UserSelection{Filter: query.Users.Filter}, MaxCount+1)
	if err != nil {
		return err
	}
	return c.JSON(struct {
		Count int  `json:"count"`
		More  bool `json:"more"` // than Count
	}{min(count, MaxCount), count > MaxCount})
}

// query reads the query of a request, and returns an error for an invalid one.
func (u *Users) query(c *fiber.Ctx) (*DirectoryQuery, error) {
	query := ReadDirectoryQuery(c, u.Locale.Now().Location())
	return query, query.Err()
}

// UserID returns the id of the account in an address.
func UserID(c *fiber.Ctx) (int64, error) {
	id, err := strconv.ParseInt(c.Params("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, fiber.ErrNotFound
	}
	return id, nil
}

// Show answers GET /users/:id.
func (u *Users) Show(c *fiber.Ctx) error {
	id, err := UserID(c)
	if err != nil {
		return err
	}
	return u.send(c, id)
}

func (u *Users) send(c *fiber.Ctx, id int64) error {
	person, err := u.Directory.Person(c.UserContext(), id)
	if err != nil {
		return err
	}
	body, etag := encode(person)
	c.Set(fiber.HeaderETag, etag)
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(body)
}

// expected returns the expectation of a request: that the account is as it was when its JSON had the ETag in If-Match.
func (u *Users) expected(c *fiber.Ctx, id int64) (ports.Expectation, error) {
	wanted := string(bytes.Join(c.Request().Header.PeekAll(fiber.HeaderIfMatch), []byte(",")))
	if wanted == "" || strings.TrimSpace(wanted) == "*" {
		return nil, nil //nolint:nilnil // every account is as expected
	}
	person, err := u.Directory.Person(c.UserContext(), id)
	if err != nil {
		return nil, err
	}
	_, etag := encode(person)
	for one := range strings.SplitSeq(wanted, ",") {
		if strings.TrimSpace(one) == etag {
			return func(user *domain.User) error {
				if !user.IsSame(&person.User) {
					return problem.ErrPrecondition
				}
				return nil
			}, nil
		}
	}
	return nil, problem.ErrPrecondition
}

// change makes a change that a request asks for.
func (u *Users) change(c *fiber.Ctx, outcome string, do func(ctx context.Context, id int64, expected ports.Expectation) error) (int64, error) {
	id, err := UserID(c)
	if err != nil {
		return 0, err
	}
	expected, err := u.expected(c, id)
	if err == nil {
		err = do(c.UserContext(), id, expected)
	}
	if err != nil {
		return 0, err
	}
	u.Guard.Events.NoteAccount(c, outcome, id)
	return id, nil
}

// answer returns the handler of a change that is answered with the account.
func (u *Users) answer(outcome string, change func(context.Context, int64, ports.Expectation) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		id, err := u.change(c, outcome, change)
		if err != nil {
			return err
		}
		return u.send(c, id)
	}
}

// Suspend answers POST /users/:id/suspend.
func (u *Users) Suspend(c *fiber.Ctx) error { return u.answer("suspended", u.Directory.Suspend)(c) }

// EndSessions answers POST /users/:id/end-sessions.
func (u *Users) EndSessions(c *fiber.Ctx) error {
	return u.answer("sessions_ended", u.Directory.EndSessions)(c)
}

// Restore answers POST /users/:id/restore.
func (u *Users) Restore(c *fiber.Ctx) error { return u.answer("restored", u.Directory.Restore)(c) }

// RequireChange answers POST /users/:id/require-change.
func (u *Users) RequireChange(c *fiber.Ctx) error {
	return u.answer("change_required", u.Directory.RequireChange)(c)
}

// Delete answers DELETE /users/:id.
func (u *Users) Delete(c *fiber.Ctx) error {
	_, err := u.change(c, "deleted", u.Directory.Delete)
	if err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// NewPassword answers POST /users/:id/password.
func (u *Users) NewPassword(c *fiber.Ctx) error {
	var login, password string
	_, err := u.change(c, "password_replaced", func(ctx context.Context, id int64, expected ports.Expectation) (err error) {
		login, password, err = u.Directory.NewPassword(ctx, id, expected, u.Directory.Salt())
		return err
	})
	if err != nil {
		return err
	}
	return c.JSON(struct {
		Login    string `json:"login"`
		Password string `json:"password"`
	}{login, password})
}

// Edit answers PATCH /users/:id.
func (u *Users) Edit(c *fiber.Ctx) error {
	patch, err := readPatch(c)
	if err != nil {
		return err
	}
	id, err := u.change(c, "edited", func(ctx context.Context, id int64, expected ports.Expectation) error {
		err := u.checkOthers(ctx, id, patch)
		if err != nil {
			return err
		}
		return u.Directory.Edit(ctx, id, expected, func(user *domain.User) *domain.Candidate { return patched(user, patch) })
	})
	if err != nil {
		return err
	}
	return u.send(c, id)
}

// readPatch reads a merge patch (RFC 7396).
func readPatch(c *fiber.Ctx) (patch map[string]json.RawMessage, err error) {
	media, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || media != fiber.MIMEApplicationJSON && media != mergePatch {
		c.Set("Accept-Patch", mergePatch+", "+fiber.MIMEApplicationJSON)
		return nil, problem.ErrPatchType
	}
	body, err := transport.NewBody(c, maxPatch)
	if err != nil {
		return nil, err
	}
	if body == nil {
		return nil, problem.ErrPatch
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("read patch: %w", err)
	}
	patch, err = membersOf(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", problem.ErrPatch, err)
	}
	return patch, nil
}

// membersOf returns the members of a JSON object. One that is repeated has no value.
func membersOf(text []byte) (map[string]json.RawMessage, error) {
	var members map[string]json.RawMessage
	err := json.Unmarshal(text, &members)
	if err == nil && members == nil {
		err = errors.New("null is not an object")
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller does
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	_, _ = decoder.Token() // of an object that was just decoded, so no token fails
	seen := map[string]bool{}
	for decoder.More() {
		token, _ := decoder.Token()
		name, _ := token.(string)
		var value json.RawMessage
		_ = decoder.Decode(&value)
		if seen[name] {
			members[name] = nil
		}
		seen[name] = true
	}
	return members, nil
}

// codeReadOnly is the code of a field that a patch cannot change.
const codeReadOnly domain.Code = "read_only"

// checkOthers returns problem.ErrPatch with a violation for each changed field that is not one of a person. Unchanged values are accepted, so
// that a program can send back the whole JSON that it has read.
func (u *Users) checkOthers(ctx context.Context, id int64, patch map[string]json.RawMessage) error {
	var current map[string]json.RawMessage
	var violations domain.Violations
	for _, name := range slices.Sorted(maps.Keys(patch)) {
		if _, known := domain.ParsePersonField(name); known {
			continue
		}
		if current == nil {
			person, err := u.Directory.Person(ctx, id)
			if err != nil {
				return err
			}
			body, _ := encode(person)
			_ = json.Unmarshal(body, &current) // cannot fail: body was just encoded
		}
		if !bytes.Equal(patch[name], current[name]) || current[name] == nil {
			violations = append(violations, domain.Violation{Field: domain.Field(domain.Line(name, maxParameter)), Code: codeReadOnly})
		}
	}
	if violations == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", problem.ErrPatch, &domain.RejectedError{Violations: violations})
}

// patched returns a user's data after a patch.
func patched(user *domain.User, patch map[string]json.RawMessage) *domain.Candidate {
	person := &domain.Candidate{}
	for f := range domain.PersonField(domain.NumPersonFields) {
		value, given := patch[string(f.Name())]
		if given {
			person.Given[f] = givenJSON(value)
		} else {
			person.Given[f] = domain.Entered(user.Text(f))
		}
	}
	return person
}

// givenJSON returns a value of JSON. Null removes a value.
func givenJSON(value json.RawMessage) domain.Given {
	var text string
	switch {
	case value == nil:
		return domain.Given{Repeated: true}
	case string(value) == "null":
		return domain.Given{}
	case json.Unmarshal(value, &text) == nil:
		if given := domain.Entered(text); given.Kind == domain.KindText {
			return given
		}
		return domain.Given{Text: text, Kind: domain.KindText}
	case value[0] == '-' || value[0] >= '0' && value[0] <= '9':
		return domain.Given{Text: string(value[:min(len(value), domain.MaxValue)]), Kind: domain.KindNumber}
	}
	return domain.Given{Kind: domain.KindOther}
}
