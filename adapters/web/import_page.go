package web

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
	"rollcall/ports"
)

// viewRecord is the record of an import.
type viewRecord struct {
	Row              viewImport
	Created, Refused string
	NotAll           bool
	Token            string // name of the one that sent it
	User             string // login of the user who sent it, for operators
	Unkept           string // says that there were more rejections than can be read
}

// importRecord answers GET /useradd/imports/:id.
func (p *pages) importRecord(c *fiber.Ctx, user *domain.User) error {
	number, err := strconv.ParseInt(c.Params("id"), 10, 64)
	if err != nil || number <= 0 {
		return fiber.ErrNotFound
	}
	address, object := pathImports+id(number), c.QueryInt(queryObject)
	rejected, record, err := p.listRejections(c, rejectionsOf(number, object), func(after string) string { return importPage(address, after) })
	if err != nil {
		return err
	}
	words := p.words(c)
	v := &view{
		Title: words.Text("import.heading", "Number", number),
		Record: &viewRecord{
			Row: newViewImport(record, words), Created: words.Number(record.Registered), Refused: words.Number(record.Rejected),
			NotAll: record.Rejected > 0, Token: record.Token,
		},
	}
	if user.Has(domain.RoleOperator) {
		v.Record.User = record.User
	}
	if record.Rejected > 0 {
		v.Rejected = rejected
	}
	v.Record.Unkept = unkept(record, words)
	return p.show(c, "import", v)
}

// unkept says that an import rejected more than can be read; empty where it did not.
func unkept(record domain.Import, words *words) string {
	if record.Unkept == 0 {
		return ""
	}
	return words.Text("report.unkept", "Count", record.Unkept, "Number", words.Number(record.Unkept))
}

// importPage is the address of an import's page, with the refused objects behind one.
func importPage(address, after string) string {
	if after == "" {
		return address
	}
	return address + "?" + queryObject + "=" + after
}

func rejectionsOf(number int64, after int) ports.RejectionQuery {
	return ports.RejectionQuery{Filter: domain.ReportFilter{Import: number}, After: max(0, after), Limit: rejectionsPerPage}
}
