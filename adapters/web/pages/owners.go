package pages

import (
	"encoding/json"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/urls"
	"rollcall/domain"
	"rollcall/ports"
)

// addOwners links each rejected record to the accounts that have its login, email or phone, to each account once.
func (r *Reports) addOwners(c *fiber.Ctx, v *rejectionsView, rejections []domain.Rejection) error {
	names := make([]ports.Names, len(rejections))
	for i := range rejections {
		names[i] = namesOf(&rejections[i])
	}
	all, err := r.Directory.Owners(c.UserContext(), names)
	if err != nil {
		return err
	}
	for i, owners := range all {
		record := &v.Records[i]
		if owners.Login != 0 {
			record.LoginURL = urls.User(owners.Login)
		}
		if owners.Email != 0 && owners.Email != owners.Login {
			record.Owners = append(record.Owners, linkView{v.T.Text("report.owner.email"), urls.User(owners.Email)})
		}
		if owners.Phone != 0 && owners.Phone != owners.Login && owners.Phone != owners.Email {
			record.Owners = append(record.Owners, linkView{v.T.Text("report.owner.phone"), urls.User(owners.Phone)})
		}
	}
	return nil
}

// namesOf returns the login of a rejected record. If the record has its original, it also returns the email and the phone that the record
// was rejected for because they belong to another account.
func namesOf(rejection *domain.Rejection) ports.Names {
	names := ports.Names{Login: rejection.Login}
	var fields map[string]json.RawMessage
	for _, v := range rejection.Violations {
		if v.Code != domain.CodeTaken || v.Field == domain.FieldLogin {
			continue
		}
		if fields == nil && json.Unmarshal(rejection.Original, &fields) != nil {
			break
		}
		text := string(fields[string(v.Field)]) // of a number
		_ = json.Unmarshal(fields[string(v.Field)], &text)
		if v.Field == domain.FieldEmail {
			names.Email = text
		} else {
			names.Phone = text
		}
	}
	return names
}
