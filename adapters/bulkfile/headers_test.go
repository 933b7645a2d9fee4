package bulkfile_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

func TestHeaders(t *testing.T) {
	for field, all := range map[domain.Field]string{
		domain.FieldLastName: "Фамилия|last_name|LASTNAME|Surname|Family name|familyName|sn|Last name [surname] Required|Last Name [Required]|Прізвище|" +
			"Фамилия *|Фамилия (как в паспорте)|Фамилия, рус.|Фамилия сотрудника|Ваша фамилия:|Фaмилия|ФАМИЛИЯ\u00a0|Фамилия / Last name|Legal Surname|Nom|Nazwisko|Тегі|Soyadı",
		domain.FieldFirstName: "Имя|first_name|firstName|Given Name|givenName|First name [givenName]|Ім'я|Им\u044f*|Имя ученика|Имя:|1. Имя|" +
			"Имя Отчество|First and Middle Name|Given names|Legal Name - First Name|Stu First Name|Prénom|Förnamn",
		domain.FieldFullName: "ФИО|Ф.И.О.|ФИО сотрудника|Фамилия Имя Отчество|Фамилия, имя|Имя/Фамилия|Full name|displayName|name|ФИО / Full name|Фамилия И.О.|" +
			"Отображаемое имя|ФИО воспитанника|Worker|Legal name|Nombre",
		domain.FieldPatronymic: "Отчество|patr|middlename|Middle Name|По батькові|Отчество (при наличии)|Отчество, если есть|Additional Name|OtherName|Middle|Middle Name(s)|Patronymic (name of father)",
		domain.FieldLogin: "login|Логин|username|sAMAccountName|login_id|User name [userPrincipalName] Required|userPrincipalName|uid|Учётная запись|" +
			"Имя пользователя|user_id|Логин (латиницей)|Придумайте логин",
		domain.FieldEmail: "Эл. почта|E-mail|email|Email Address [Required]|E-mail 1 - Value|E-mail Address|primaryEmail|mail|Электронная почта|" +
			"Адрес электронной почты|Почта|е-mаil|Work Contact: Work Email|Email - Primary Work|Courriel|Эл.\u200b почта|E-Mail-Adresse|secondEmail",
		domain.FieldPhone: "Телефон|Phone number|phone1|Mobile Phone|Mobile phone [mobile]|Моб. тел.|Мобильный телефон|Сотовый|Контактный телефон|" +
			"Phone 1 - Value|telephoneNumber|№ телефона|Рабочий телефон|sms|Моб. телефон|Телефон 2|Дом. тел.",
		domain.FieldBirthday: "Дата рождения|Date of birth|Дата рожд.|д.р.|Birthday|birthDate|DOB|Дата рождения (ДД.ММ.ГГГГ)|Дата рождения ДД.ММ.ГГГГ",
		domain.FieldGroup: "Класс|Группа|Отдел|Подразделение|Class|Group|Department|Cohort|group|cohort1|Класс *|Класс ученика|Класс (буква)|Уч. группа|" +
			"Учебная группа|Школьный класс|Кафедра|Структурное подразделение|Division|Team|КЛАСС|Класс/Группа|Department Name|Название отдела|Class name|" +
			"Номер класса|Курс|Поток|Параллель|Факультет|Отделение|Цех|Участок|Служба|Бригада|Отряд|Филиал|Grade|Grade Level|Form|Section|Unit|Org Unit Path [Required]",
		domain.FieldRecord: "Телефон (родителя)|Email (parent)|Phone (emergency)|Login (manager)|Фамилия (девичья)|nickname|Моё имя|course1|Телефон родителя|ФИО родителя|Дата рождения ребёнка|Password [Required]|Должность|Группа крови|Классы|Форма обучения|Курс валюты|Grade point average",
	} {
		for header := range strings.SplitSeq(all, "|") {
			t.Run(header, func(t *testing.T) {
				with := "login"
				if field == domain.FieldLogin {
					with = "phone;email"
				}
				layout, err := files().Layout(sectionOf(with+";\""+header+"\"\na;b;c\n"), ports.FileHint{})
				require.NoError(t, err)
				column := layout.Columns[len(layout.Columns)-1]
				require.Equal(t, strings.TrimSpace(header), column.Header)
				require.Equal(t, field, column.Field)
			})
		}
	}
}

// A column of logins may have emails, too, if its header says so and no other column has them. Pupil numbers are no logins.
func TestLoginsOfOtherKinds(t *testing.T) {
	for _, c := range []struct{ name, file, login, email string }{
		{"EmailInBrackets", "Логин (e-mail);first_name\nanna@example.com;Анна\n", "anna@example.com", "anna@example.com"},
		{"EmailInRussian", "Логин (почта);first_name\nanna@example.com;Анна\n", "anna@example.com", "anna@example.com"},
		{"LoginBelowEmailInBrackets", "Login (email);first_name\nanna;Anna\n", "anna", ""},
		{"EmailInAnotherColumn", "Login (email);email\nanna@example.com;a@example.org\n", "anna@example.com", "a@example.org"},
		{"PrincipalName", "UPN;first_name\nanna@example.com;Anna\n", "anna@example.com", ""},
		{"PupilNumber", "UPN;Forename;Surname\nA123456789012;Anna;Kim\n", "", ""},
		{"TemporaryPupilNumber", "UPN;Forename;Surname\nA12345678901B;Anna;Kim\n", "", ""},
		{"PupilNumberBesideLogin", "UPN;Username;Surname\nA123456789012;anna;Kim\n", "anna", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := candidatesOf(c.file, ports.FileHint{})
			require.NoError(t, err)
			require.Equal(t, []string{c.login, c.email}, []string{got[0].Given[domain.PersonLogin].Text, got[0].Given[domain.PersonEmail].Text})
		})
	}
}

// The header row is the first that names a login or two fields. What is above it is passed over.
func TestHeaderRow(t *testing.T) {
	for name, c := range map[string]struct {
		file  string
		above []string
	}{
		"title":             {"Список сотрудников;;\nна 01.09.2025\n\nЛогин;Телефон\na;1\n", []string{"Список сотрудников", "на 01.09.2025"}},
		"version":           {"version:v1.0,,\nUser name [userPrincipalName] Required,Mobile phone [mobile]\na,1\n", []string{"version:v1.0"}},
		"type":              {"#TYPE Microsoft.ActiveDirectory.Management.ADUser\nSamAccountName,MobilePhone\na,1\n", []string{"#TYPE Microsoft.ActiveDirectory.Management.ADUser"}},
		"separator":         {"sep=|\nlogin|phone\na|1\n", []string{"sep="}},
		"one field, title":  {"Телефон\nЛогин;Телефон\na;1\n", []string{"Телефон"}},
		"stray quote":       {"Список \"А\";\"\nЛогин;Телефон\na;1\n", []string{"Список \"А\""}},
		"example":           {"Логин;Телефон\nПример: ivanov;89160000000\na;1\n", []string{"Пример: ivanov; 89160000000"}},
		"example by column": {"№;Логин;Телефон\nПример;ivanov;89160000000\n1;a;1\n", []string{"Пример; ivanov; 89160000000"}},
		"pipe":              {"login|phone\na|1\n", nil},
		"announced":         {"sep=^\r\nlogin^phone\r\na^1\r\n", []string{"sep="}},
		"announced quoted":  {"\"sep=~\"\nlogin~phone\na~1\n", []string{"sep=~"}},
		"keys in a title":   {"school: 5\ndate: 1\nlogin;phone\na;1\n", []string{"school: 5", "date: 1"}},
		"unit separator":    {"login\x1fphone\na\x1f1\n", nil},
		"lines in quotes":   {"Список\n\"Логин;Имя;Телефон\"\n\"a;\"\"Анна; младшая\"\";1\"\n", []string{"Список"}},
		"names in a title":  {"Заполните: Имя, Логин, Телефон\nЛогин;Телефон\na;1\n", []string{"Заполните: Имя, Логин, Телефон"}},
		"tab":               {"login\tphone\na\t1\n", nil},
		"class in a title":  {"Ученик;Класс\nЛогин;Телефон\na;1\n", []string{"Ученик; Класс"}},
		"groups in a title": {"Отдел;Группа\nКласс;5А\nПодразделение;7\nЛогин;Телефон\na;1\n", []string{"Отдел; Группа", "Класс; 5А", "Подразделение; 7"}},
		"comma in a header": {"\"Логин, лат.\";\"Телефон, моб.\";Имя, рус.;Отдел\na;1\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			notes := ports.FileNotes{}
			var logins strings.Builder
			for candidate, err := range files().Candidates(sectionOf(c.file), ports.FileHint{Name: "a.csv"}, &notes) {
				require.NoError(t, err)
				logins.WriteString(candidate.Given[domain.PersonLogin].Text + candidate.Given[domain.PersonPhone].Text)
			}
			require.Equal(t, "a1", logins.String())
			require.Equal(t, c.above, notes.PassedOver)
			layout, err := files().Layout(sectionOf(c.file), ports.FileHint{Name: "a.csv"})
			require.NoError(t, err)
			require.Equal(t, notes, layout.Notes)
		})
	}
}

// Headers may stand in two rows, of which the upper one groups columns. Columns of another person are ignored.
func TestHeaderInTwoRows(t *testing.T) {
	for name, c := range map[string]struct {
		file    string
		want    string // last name, first name, login and phone of each record
		ignored string
		line    int // of the first record
	}{
		"groups":           {"ФИО;;;Контакты;;Логин\nФамилия;Имя;Отчество;Телефон;Почта;\nВетрова;Ольга;Павловна;1;a@example.org;anna\n", "Ветрова Ольга anna 1", "", 3},
		"group of one":     {"№;Сотрудник;;Класс;Логин;Телефон\n;Фамилия;Имя;;;\n1;Ветрова;Ольга;5А;anna;1\n", "Ветрова Ольга anna 1", "", 3},
		"upper one passed": {"Сотрудник;;Класс;\nФамилия;Имя;;Телефон;Логин\nВетрова;Ольга;5А;1;anna\n", "Ветрова Ольга anna 1", "", 3},
		"keys and labels": {
			"USERID,FIRSTNAME,LASTNAME,MANAGER,BIZ_PHONE\nUser ID,First Name,Last Name,Manager,Business Phone\nanna,Ольга,Ветрова,x,1\n", "Ветрова Ольга anna 1", "MANAGER: Manager", 3,
		},
		"one above":     {"Логин;;\n;Фамилия;Имя;Телефон\nanna;Ветрова;Ольга;1\n", "Ветрова Ольга anna 1", "", 3},
		"same again":    {strings.Repeat("Фамилия;Имя;Логин;Телефон\n", 2) + "Ветрова;Ольга;anna;1\n", "Ветрова Ольга anna 1", "", 3},
		"of a parent":   {"Ученик;;;Родитель 1;;\nФамилия;Имя;Логин;Фамилия;Имя;Телефон\nВетрова;Ольга;anna;Ветрова;Анна;1\n", "Ветрова Ольга anna ", "Родитель 1: Фамилия;Родитель 1: Имя;Родитель 1: Телефон", 3},
		"list of those": {"Родители 5А;\nФамилия;Имя;Логин;Телефон\nВетрова;Ольга;anna;1\n", "Ветрова Ольга anna 1", "", 3},
		"title":         {"Отдел;;Руководитель Ким\nФамилия;Имя;Логин;Телефон\nВетрова;Ольга;anna;1\n", "Ветрова Ольга anna 1", "", 3},
		"record":        {"Last;First;Login;Phone\nName;Middle;name;8 1\n", "Name Middle name 8 1", "", 2},
		"numbers":       {"Фамилия;Имя;Логин;Телефон\n1;2;3;4\nВетрова;Ольга;anna;1\n", "Ветрова Ольга anna 1", "", 3},
		"Markdown":      {"| Фамилия | Имя | Логин | Телефон |\n|---|:--|---|---|\n| Ветрова | Ольга | anna | 1 |\n", "Ветрова Ольга anna 1", "", 3},
		"contact":       {"last_name,first_name,login,contact_name,contact_phone\nDoe,Jane,jane,Mary Doe,1\n", "Doe Jane jane ", "contact_name;contact_phone", 2},
	} {
		t.Run(name, func(t *testing.T) {
			notes := ports.FileNotes{}
			var got, ignored []string
			for candidate, err := range files().Candidates(sectionOf(c.file), ports.FileHint{}, &notes) {
				require.NoError(t, err)
				require.Equal(t, c.line, candidate.Line)
				for _, field := range []domain.PersonField{domain.PersonLastName, domain.PersonFirstName, domain.PersonLogin, domain.PersonPhone} {
					got = append(got, strings.TrimSpace(candidate.Given[field].Text))
				}
			}
			for _, column := range notes.Ignored {
				if column.Header != "" && column.Instead == "" && column.Header != "№" {
					ignored = append(ignored, column.Header)
				}
			}
			require.Equal(t, c.want, strings.Join(got, " "))
			require.Equal(t, c.ignored, strings.Join(ignored, ";"))
		})
	}
}

// Of two columns for a field one counts, and the other is told.
func TestRanks(t *testing.T) {
	for name, c := range map[string]struct {
		file    string
		want    string // first name, login, email and phone of each record
		ignored []ports.IgnoredColumn
	}{
		"id": {"user_id,username,phone\n7,anna,1\n8,,2\n", " anna  1, -  2", []ports.IgnoredColumn{{Header: "user_id", Like: domain.FieldLogin, Instead: "username"}}},
		"name": {
			"GivenName,Name,SamAccountName,phone\nОльга,Ольга Ветрова,anna,1\n", "Ольга anna  1",
			[]ports.IgnoredColumn{{Header: "Name", Like: domain.FieldFullName, Instead: "GivenName"}},
		},
		"phones": {
			"Логин;Телефон;Мобильный\na;1;2\nb;3;\nc;;4\nd;5;5\n", " a  2, b  3, c  4, d  5",
			[]ports.IgnoredColumn{{Header: "Телефон", Like: domain.FieldPhone, Instead: "Мобильный"}},
		},
		"landlines": {
			"Логин;Домашний телефон;Рабочий телефон\na;1;2\nb;1;\n", " a  2, b  1",
			[]ports.IgnoredColumn{{Header: "Домашний телефон", Like: domain.FieldPhone, Instead: "Рабочий телефон"}},
		},
		"other words": {
			"Имя (лат.);Имя;Логин для входа;Логин;Телефон\nAnna;Анна;x;anna;1\n", "Анна anna  1",
			[]ports.IgnoredColumn{{Header: "Имя (лат.)", Like: domain.FieldFirstName, Instead: "Имя"}, {Header: "Логин для входа", Like: domain.FieldLogin}},
		},
		"placeholders": {
			"Логин;Мобильный;Телефон\na;-;1\nb;2;нет\nc;?;?\n", " a  1, b  2, c  ?",
			[]ports.IgnoredColumn{{Header: "Телефон", Like: domain.FieldPhone, Instead: "Мобильный"}},
		},
		"groups": {
			"login,phone,Группа,Класс,Классный руководитель,Классы,ObjectClass\na,1,англ.,7А,x,y,z\n", " a  1",
			[]ports.IgnoredColumn{
				{Header: "Группа", Like: domain.FieldGroup, Instead: "Класс"},
				{Header: "Классный руководитель"},
				{Header: "Классы", Like: domain.FieldGroup},
				{Header: "ObjectClass"},
			},
		},
		"equal values": {"login,phone,phone\na,1,1\n", " a  1", nil},
		"likely": {
			"login,phone,Fist name,Parent phone,Должность,Employee #\na,1,x,y,z,7\n", " a  1",
			[]ports.IgnoredColumn{{Header: "Fist name", Like: domain.FieldFirstName}, {Header: "Parent phone", Like: domain.FieldPhone}, {Header: "Должность"}, {Header: "Employee #"}},
		},
		"keys": {
			`[{"login":"a","phone":"1","lastName":"x","Имя":"y"},{"login":"b","note":1,"lastName":"z"}]`, " a  1, b  ",
			[]ports.IgnoredColumn{{Header: "lastName", Like: domain.FieldLastName}, {Header: "Имя", Like: domain.FieldFirstName}, {Header: "note"}},
		},
		"columns of the program": {"object,line,sheet,reason,login,phone\n1,2,5А,x,a,1\n", " a  1", nil},
		"columns of others":      {"line,reason,login,phone\n2,x,a,1\n", " a  1", []ports.IgnoredColumn{{Header: "line"}, {Header: "reason"}}},
		"keys of the program":    {`[{"object":1,"line":2,"sheet":"5А","reason":"x","login":"a","phone":"1"}]`, " a  1", nil},
		"keys of others":         {`[{"sheet":"5А","login":"a","phone":"1"}]`, " a  1", []ports.IgnoredColumn{{Header: "sheet"}}},
		"no header":              {"login,,phone\na,,1\nb,x,2\nc,y,3\n", " a  1, b  2, c  3", []ports.IgnoredColumn{{}}},
	} {
		t.Run(name, func(t *testing.T) {
			notes := ports.FileNotes{}
			got := []string{}
			for candidate, err := range files().Candidates(sectionOf(c.file), ports.FileHint{}, &notes) {
				require.NoError(t, err)
				texts := []string{}
				for _, field := range []domain.PersonField{domain.PersonFirstName, domain.PersonLogin, domain.PersonEmail, domain.PersonPhone} {
					require.False(t, candidate.Given[field].Repeated)
					texts = append(texts, candidate.Given[field].Text)
				}
				got = append(got, strings.Join(texts, " "))
			}
			require.Equal(t, strings.ReplaceAll(c.want, "-", ""), strings.Join(got, ","))
			require.Equal(t, c.ignored, notes.Ignored)
		})
	}
}

// A full name is split where its parts are clear, and rejected where they are not. It counts only in a table without other names.
func TestFullNames(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"three words":    {"ФИО;Логин\nВетрова Ольга Павловна;a\n", "Ветрова Ольга Павловна"},
		"patronymic":     {"Full name;Login\nОльга Павловна Ветрова;a\n", "Ветрова Ольга Павловна"},
		"comma":          {"Name,Login\n\"Vetrova, Olga\",a\n", "Vetrova Olga "},
		"order":          {"Имя и фамилия;Логин\nОльга Ветрова;a\n", "Ветрова Ольга "},
		"two words":      {"ФИО;Логин\nОльга Ветрова;a\n", "full_name"},
		"initials":       {"ФИО;Логин\nВетрова О.П.;a\n", "full_name"},
		"last name too":  {"ФИО;Фамилия;Логин\nВетрова Ольга Павловна;Ветрова;a\n", "Ветрова Ольга Павловна"},
		"first name too": {"Preferred Name,Full Name,Login\nOlya,\"Vetrova, Olga\",a\n", "Vetrova Olga "},
		"Turkish":        {"Adı Soyadı;Login\nAyşe Yılmaz;a\n", "Yılmaz Ayşe "},
		"first, middle":  {"Фамилия;Имя Отчество;Логин\nВетрова;Ольга Павловна;a\n", "Ветрова Ольга Павловна"},
		"first alone":    {"Фамилия;Имя и отчество;Логин\nСнегов;Пётр;a\n", "Снегов Пётр "},
		"given names":    {"Family name,Given names,Login\nDoe,Jane Ann,a\n", "full_name"},
		"first, others":  {"Фамилия;Имя Отчество;Имя;Логин\nВетрова;Ольга Павловна;Анна;a\n", "Ветрова Анна "},
		"German":         {"Name;Vorname;Login\nMüller;Jürgen;a\n", "Müller Jürgen "},
		"columns":        {"ФИО;Логин;Фамилия;Имя\nВетрова Ольга Павловна;a;Ким;Анна\n", "Ким Анна "},
		"name, surname":  {"Name;Surname;Login\nОльга;Ветрова;a\n", "Ветрова Ольга "},
		"two full names": {"displayName;cn;ФИО;login\nx;y;Ветрова Ольга Павловна;a\n", "Ветрова Ольга Павловна"},
	} {
		t.Run(name, func(t *testing.T) {
			for candidate, err := range files().Candidates(sectionOf(c.file), ports.FileHint{}, &ports.FileNotes{}) {
				require.NoError(t, err)
				given := &candidate.Given
				if given[domain.PersonLastName].Joined || given[domain.PersonFirstName].Joined {
					rules := domain.Rules{Region: "RU", Today: 20_000}
					require.Equal(t, c.want, string(rules.Check(candidate).Violations[0].Code))
					return
				}
				require.Equal(t, c.want, given[domain.PersonLastName].Text+" "+given[domain.PersonFirstName].Text+" "+given[domain.PersonPatronymic].Text)
			}
		})
	}
}
