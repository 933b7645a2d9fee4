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
	Token            string // the name of the one it came by
}

// importRecord answers GET /useradd/imports/:id.
func (p *pages) importRecord(c *fiber.Ctx) error {
	user, err := p.reader(c)
	if err != nil || user == nil {
		return err
	}
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
			newViewImport(record, words), words.Number(record.Created), words.Number(record.Refused), record.Refused > 0, record.Token,
		},
	}
	if record.Refused > 0 {
		v.Rejected = rejected
	}
	return p.show(c, "import", v)
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
