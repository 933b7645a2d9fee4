package acceptance_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"rollcall/test/pgtest"
)

// groups returns the groups of all users but Anna, in the order of their logins.
func (p *program) groups(t *testing.T) string {
	t.Helper()
	var all []string
	for _, row := range pgtest.Query[struct{ Login, Group string }](t, p.database, `
		select login, coalesce(group_name, '(none)') as "group" from users join profiles on user_id = users.id where login_key <> 'anna' order by login`) {
		all = append(all, row.Login+" "+row.Group)
	}
	return strings.Join(all, ", ")
}

// A group goes from a file of any format to the account, the credentials, a replay of the answer, and the file of rejected records.
func TestGroups(t *testing.T) {
	book := func() string {
		f := excelize.NewFile()
		defer f.Close()
		for i, row := range [][]any{
			{"Фамилия", "Имя", "Отчество", "Логин", "Эл. почта", "Класс"},
			{"Ким", "Анна", "Петровна", "kim", "kim@example.com", 5},
			{"Ли", "Ян", "Олегович", "yan", "", "7 «Б»"},
			{"Ли", "Ева", "Олеговна", "eva", "eva@example.com", nil},
		} {
			cell, err := excelize.CoordinatesToCellName(1, i+1)
			require.NoError(t, err)
			require.NoError(t, f.SetSheetRow("Sheet1", cell, &row))
		}
		content, err := f.WriteToBuffer()
		require.NoError(t, err)
		return content.String()
	}()
	const (
		kim = `"last_name":"Ким","first_name":"Анна","patronymic":"Петровна","login":"kim","email":"kim@example.com","group":"5"`
		yan = `"last_name":"Ли","first_name":"Ян","patronymic":"Олегович","login":"yan","group":"7 «Б»"`
		eva = `"last_name":"Ли","first_name":"Ева","patronymic":"Олеговна","login":"eva","email":"eva@example.com","group":null`
	)
	for _, c := range []struct{ name, contentType, file string }{
		{"JSON", "application/json", "[{" + kim + "},{" + yan + "},{" + eva + "}]"},
		{"NDJSON", "application/x-ndjson", "{" + kim + "}\n{" + yan + "}\n{" + eva + "}\n"},
		{"CSV", "text/csv", "Фамилия;Имя;Отчество;Логин;Эл. почта;Класс\r\nКим;Анна;Петровна;kim;kim@example.com;5\r\n" +
			"Ли;Ян;Олегович;yan;;\"7  «Б»\"\r\nЛи;Ева;Олеговна;eva;eva@example.com;\r\n"},
		{"XLSX", mediaXLSX, book},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := start(t)
			b := p.operator(t)
			for range 2 {
				got := p.post(t, c.file, "Content-Type", c.contentType, "Accept", "text/csv", "Idempotency-Key", "key").body
				require.Regexp(t, `^\x{feff}"last_name","first_name","patronymic","login","password","group"\r\n`+
					`"Ким","Анна","Петровна","kim","[a-z0-9-]{27}","5"\r\n"Ли","Ева","Олеговна","eva","[a-z0-9-]{27}",""\r\n$`, got)
			}
			got := p.post(t, c.file, "Content-Type", c.contentType, "Accept", mediaXLSX, "Idempotency-Key", "key").body
			require.Regexp(t, `\["Ким","Анна","Петровна","kim","[a-z0-9-]{27}","5"\]`, sheets(t, got))
			require.Equal(t, "eva (none), kim 5", p.groups(t))

			require.Contains(t, b.download(t, "/useradd/export/rejected.json?import=1").body, `"group":"7 `)
			require.Contains(t, sheets(t, b.download(t, "/useradd/export/rejected.xlsx?import=1").body), `"group"`)
			rejected := b.download(t, "/useradd/export/rejected.csv?import=1").body
			require.Contains(t, rejected, `"birthday","group"`)
			corrected := strings.Replace(rejected, `"yan",""`, `"yan","yan@example.com"`, 1)
			require.Contains(t, p.post(t, corrected, "Content-Type", "text/csv", "Accept", "text/csv").body, `"7 «Б»"`)
			require.Equal(t, "eva (none), kim 5, yan 7 «Б»", p.groups(t))
		})
	}
}
