package bulkfile_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

func TestHeaders(t *testing.T) {
	for header, want := range map[string]domain.Field{
		"Фамилия": domain.FieldLastName, " ИМЯ ": domain.FieldFirstName, "Отчество": domain.FieldPatronymic, "Логин": domain.FieldLogin,
		"Эл. почта": domain.FieldEmail, "E-mail": domain.FieldEmail, "Телефон": domain.FieldPhone, "Дата рождения": domain.FieldBirthday,
		"First name": domain.FieldFirstName, "LAST_NAME": domain.FieldLastName, "Phone number": domain.FieldPhone, "Date of birth": domain.FieldBirthday,
		"Учётная запись": domain.FieldLogin, "patr": domain.FieldPatronymic, "nickname": domain.FieldRecord, "Моё имя": domain.FieldRecord,
	} {
		t.Run(header, func(t *testing.T) {
			layout, err := files().Layout(sectionOf("login;"+header+"\na;b\n"), ports.FileHint{})
			require.NoError(t, err)
			require.Equal(t, []ports.FileColumn{{Header: "login", Field: domain.FieldLogin}, {Header: strings.TrimSpace(header), Field: want}}, layout.Columns)
		})
	}
}
