package pages

import (
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/api"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
)

// profileView is the view of a user's profile.
type profileView struct {
	Base
	Form // the report's filter

	TemporaryUntil time.Time   // zero for a password that the user has chosen
	Report         *reportView // nil for users who may not see it
}

// Profile answers GET /profile. It redirects a query for one import to the page of that import.
func (r *Reports) Profile(c *fiber.Ctx, user *domain.User) error {
	v := &profileView{TemporaryUntil: user.PasswordExpires}
	var invalid error
	if r.Guard.SeesReports(user) {
		query := api.ReadReportQuery(c, r.Locale.Now().Location())
		if query.Filter.Import != 0 && query.Err() == nil {
			return c.Redirect(urls.Import(query.Filter.Import), http.StatusSeeOther)
		}
		invalid = query.FilterErr()
		v.Form, v.Alert = r.form(c, filterInputs, query.Values), r.Locale.Words(c).Describe(query.Ignored)
		report, err := r.report(c, &v.Form, query)
		if err != nil {
			return err
		}
		v.Report = report
		if report.Any {
			v.SwitchForm = "filter"
			v.Styles, v.Scripts = []string{"uplot.min.css"}, []string{"uplot.min.js", "report.js"}
		}
	}
	if invalid != nil {
		return r.reject(c, "profile", v, invalid)
	}
	return r.show(c, "profile", v)
}
