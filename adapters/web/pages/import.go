package pages

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/api"
	"rollcall/adapters/web/locale"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
	"rollcall/ports"
)

// importPageView is the view of the page of an import.
type importPageView struct {
	Base

	Import               importView
	Registered, Rejected string   // how many records
	NotAll               bool     // a record was rejected
	Token                string   // name of the token that sent the import
	SentBy               string   // login of the user who sent it, for operators
	People               linkView // to the people whom it registered, for operators; with an empty name for none
	Rejections           *rejectionsView
	Unkept               string // says that there were more rejections than are kept
}

// Import answers GET /useradd/imports/:id.
func (r *Reports) Import(c *fiber.Ctx, user *domain.User) error {
	id, err := strconv.ParseInt(c.Params("id"), 10, 64)
	if err != nil || id <= 0 {
		return fiber.ErrNotFound
	}
	rejected, it, err := r.rejectionsOf(c, id, api.ReadReportQuery(c, r.Locale.Now().Location()).Object)
	if err != nil {
		return err
	}
	words := r.Locale.Words(c)
	v := &importPageView{
		Base:   Base{Title: words.Text("import.heading", "Number", id)},
		Import: newImportView(it, words), Registered: words.Number(it.Registered), Rejected: words.Number(it.Rejected),
		NotAll: it.Rejected > 0, Token: it.Token, Unkept: unkept(it, words),
	}
	if user.Has(domain.RoleOperator) {
		v.SentBy = it.User
		v.People = peopleOf(id, it.Registered, words)
	}
	if it.Rejected > 0 {
		v.Rejections = rejected
	}
	return r.show(c, "import", v)
}

// peopleOf returns a link to the people whom an import registered.
func peopleOf(id int64, registered int, words *locale.Words) linkView {
	if registered == 0 {
		return linkView{}
	}
	return linkView{
		words.Text("import.people", "Count", registered, "Number", words.Number(registered)), urls.Directory + "?" + api.QueryImport + "=" + text(id),
	}
}

// rejectionsOf returns a page of the records that an import rejected, after a record, and the import.
func (r *Reports) rejectionsOf(c *fiber.Ctx, id int64, after int) (*rejectionsView, domain.Import, error) {
	query := ports.RejectionQuery{Filter: domain.ReportFilter{Import: id}, After: max(0, after), Limit: rejectionsPerPage}
	return r.rejections(c, query, func(after string) string {
		if after == "" {
			return urls.Import(id)
		}
		return urls.Import(id) + "?" + api.QueryObject + "=" + after
	})
}

// unkept says that an import rejected more records than are kept. It is empty for any other import.
func unkept(it domain.Import, words *locale.Words) string {
	if it.Unkept == 0 {
		return ""
	}
	return words.Text("report.unkept", "Count", it.Unkept, "Number", words.Number(it.Unkept))
}
