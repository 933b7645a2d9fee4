package bulkfile

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"rollcall/domain"
)

// A meaning is the field that the header of a column stands for.
type meaning struct {
	field domain.PersonField
	rank  int // among the headers of the field: of two columns, the one with the lower rank counts
	extra int // 1 if the header has other words besides the name of the field, else 0

	// isWeak marks words that stand in other rows, too. Alone they make no header row.
	isWeak bool

	isFull bool             // the column has several parts of a name; its field is that of the first one in the order LastFirstMiddle
	order  domain.NameOrder // of these parts
}

// compare returns a negative number if a column counts instead of another with the same field, 0 if they have the same rank.
func (m meaning) compare(other meaning) int { return cmp.Or(m.rank-other.rank, m.extra-other.extra) }

// name returns the name of the field, or of the full name.
func (m meaning) name() domain.Field {
	if m.isFull && m.field == domain.PersonLastName {
		return domain.FieldFullName
	}
	return m.field.Name()
}

// synonyms are the headers that people and programs give the columns: those of Moodle, Canvas, OneRoster, Google Workspace and Contacts,
// Entra ID, Okta, Outlook, Get-ADUser, LDAP, 1C, and of lists of schools and personnel departments, and their usual names in the languages
// of Europe. Headers in one text have the same rank, and texts are in the order of ranks. An underscore stands for a blank.
var synonyms = map[domain.PersonField][]string{
	domain.PersonFirstName: {
		"first_name,given_name,forename,legal_first_name,legal_forename,legal_name_first_name,fname,first,имя,ім'я,імя,імʼя,vorname,prénom,prénoms," +
			"imię,förnamn,fornavn,etunimi,eesnimi,keresztnév,prenume",
		"preferred_first_name,preferred_forename,preferred_name_first_name,preferred_name",
		"name,nombre,nombres,nome,jméno,meno,ime,аты,adı,isim,vardas,vārds", // of a person without a last name they may be the full name
	},
	domain.PersonLastName: {
		"last_name,surname,family_name,legal_last_name,legal_surname,legal_name_last_name,lname,sn,last,фамилия,фам,прізвище,прозвішча,nachname,familienname," +
			"nom_de_famille,apellido,apellidos,cognome,sobrenome,nazwisko,příjmení,priezvisko,prezime,priimek,тегі,soyadı,soyad,efternamn,efternavn,etternavn," +
			"sukunimi,perekonnanimi,vezetéknév,uzvārds,pavardė",
		"nom,nume",
		"preferred_last_name,preferred_surname,preferred_name_last_name",
	},
	domain.PersonPatronymic: {
		"patronymic,patr,отчество,по_батькові,імя_па_бацьку",
		"middle_name,middle_names,additional_name,other_name,other_names,legal_middle_name,legal_name_middle_name,mname,middle,әкесінің_аты,drugie_imię",
		"preferred_middle_name",
	},
	domain.PersonLogin: {
		"login",
		"username,user_name,user_login,login_name,account_name,login_id,sam_account_name,логин,логін,лагін,имя_пользователя," +
			"имя_для_входа,ім'я_користувача,имя_учетной_записи,учетная_запись,обліковий_запис,benutzername,anmeldename,screen_name," +
			"identifiant,nom_d'utilisateur,nombre_de_usuario,nome_utente,nazwa_użytkownika,uživatelské_jméno,používateľské_meno,kullanıcı_adı,användarnamn," +
			"brugernavn,brukernavn,käyttäjätunnus,felhasználónév",
		"uid,user_principal_name,upn",
		"account,user,пользователь,користувач,usuario,utilizador",
		"user_id",
	},
	domain.PersonEmail: {
		"email",
		"mail,email_address,mail_address,primary_email,e_mail_1_value,email_1_value,email_1,почта,пошта,эл_почта,ел_пошта,e_mail_адрес," +
			"эл_адрес,электронная_почта,электронный_адрес,электронный_ящик,адрес_эл_почты,адрес_электронной_почты," +
			"адрес_почты,почтовый_ящик,емейл,имейл,емайл,имэйл,мейл,мыло,електронна_пошта,адреса_електронної_пошти," +
			"корпоративная_почта,рабочая_почта,рабочий_e_mail,корпоративный_e_mail,work_email,school_email,e_mail_adresse,mailadresse," +
			"work_contact_work_email,email_primary_work,courriel,adresse_e_mail,adresse_mail,correo,correo_electrónico,e_posta,e_post,sähköposti",
		"personal_email,home_email,personal_contact_personal_email,email_primary_home,личная_почта,личный_e_mail,e_mail_2_value,e_mail_2_address,email_2,почта_2,second_email,secondary_email,alternate_email," +
			"alternate_email_address,recovery_email",
	},
	domain.PersonPhone: {
		"mobile,mobile_phone,mobile_number,mobile_phone_number,mobile_telephone_number,cell,cell_phone,cellphone_number,sms,мобильный,мобильный_телефон,моб,моб_тел," +
			"моб_телефон,мобильный_тел,мобильный_номер,моб_номер,телефон_мобильный,телефон_моб,тел_мобильный,тел_моб,телефон_сотовый,телефон_сот,тел_сотовый,тел_сот," +
			"номер_мобильного,номер_мобильного_телефона,номер_моб_телефона,номер_сотового,номер_сотового_телефона,сотовый,сотовый_телефон,сот_телефон,сот_тел,сот," +
			"мобільний,мобільний_телефон,handy,handynummer,mobil,mobilnummer,mobiltelefon,personal_contact_personal_mobile,phone_primary_mobile," +
			"téléphone_portable,téléphone_mobile,portable,teléfono_móvil,móvil,celular,cellulare,cep_telefonu,ұялы_телефон",
		"phone,phone_number,telephone,telephone_number,tel,tel_no,primary_phone,phone_1,phone_1_value,contact_phone,телефон_1,тел_1," +
			"телефон,телефона,номер_телефона,номер_тел,тел,тел_номер,контактный_телефон,контактный_номер,телефоны,телефон_для_связи," +
			"личный_телефон,номер_телефону,тэлефон,telefon,telefonnummer,tel_1,téléphone,telefono,telefone,puhelin",
		"phone_2,phone_2_value,tel_2,phone_primary_work,work_phone,office_phone,business_phone,landline,телефон_2,тел_2,доп_телефон," +
			"дополнительный_телефон,рабочий_телефон,раб_телефон,раб_тел,телефон_рабочий,служебный_телефон,городской_телефон",
		"phone_primary_home,home_phone,телефон_домашний,домашний_телефон,дом_телефон,дом_тел",
	},
	domain.PersonBirthday: {
		"birthday,birth_date,date_of_birth,dob,birth_day,born,дата_рождения,дата_рожд,день_рождения,др,д_р," +
			"родился,дата_народження,дата_нараджэння,geburtsdatum,geburtstag,geb_datum,date_de_naissance,né_le,née_le,né_e_le,fecha_de_nacimiento," +
			"fecha_nacimiento,data_di_nascita,data_de_nascimento,data_urodzenia,datum_narození,dátum_narodenia,doğum_tarihi,туған_күні,födelsedatum," +
			"fødselsdato,syntymäaika,születési_dátum,data_nașterii",
	},
	domain.PersonGroup: { // the unit in which people meet daily counts first, and then the larger ones
		"class,class_name,school_class,класс,кл,школьный_класс,учебный_класс,название_класса,номер_класса,класс_обучения,клас,klasse,schulklasse," +
			"homeroom,home_room,classe,clase,klasa,třída,trieda,сынып,sınıf,klass,luokka",
		"group,group_name,study_group,student_group,tutor_group,form_group,registration_group,reg_group,группа,учебная_группа,уч_группа,студенческая_группа," +
			"академическая_группа,название_группы,номер_группы,група,навчальна_група,gruppe,groupe,grupo",
		"cohort,cohort_1,year_group,поток,параллель,курс",
		"grade,grade_level,year_level,form,form_class,section,section_name,class_section",
		"team,team_name,команда,бригада,отряд,взвод",
		"department,department_name,dept,отдел,название_отдела,департамент,кафедра,відділ,abteilung,отделение,цех,участок,сектор,служба",
		"факультет,faculty,управление,филиал",
		"division,division_name,business_unit,unit,org_unit,org_unit_path,organizational_unit,organization_unit,подразделение,структурное_подразделение,название_подразделения," +
			"підрозділ,структурний_підрозділ",
	},
}

// lastRank is beyond the ranks of last names and first names.
const lastRank = 9

// fullNames are the headers of columns with several parts of a name, by their order. Such a column counts in a table without columns for its
// parts.
var fullNames = map[domain.NameOrder]string{
	domain.LastFirstMiddle: "фио,фио_полностью,фамилия_имя_отчество,фамилия_имя_и_отчество,піб,прізвище_імя_по_батькові,прізвище_ім'я_по_батькові," +
		"полное_фио,сотрудник,работник,физическое_лицо,физлицо,ученик,учащийся,обучающийся,воспитанник,студент,слушатель,участник," +
		"last_name_first_name_patronymic,last_name_first_name_middle_name",
	domain.LastFirst: "nazwisko_i_imię,nom_prénom,nom_et_prénom,cognome_nome,cognome_e_nome,фамилия_имя,фамилия_и_имя,фамилия_и_о,фамилия_инициалы,фамилия_и_инициалы,прізвище_імя,прізвище_ім'я," +
		"last_name_first_name,last_first,surname_name,surname_first_name",
	domain.FirstLast: "adı_soyadı,ad_soyad,imię_i_nazwisko,prénom_nom,prénom_et_nom,nombre_y_apellidos,nome_e_cognome,jméno_a_příjmení,vorname_nachname,имя_фамилия,имя_и_фамилия,ім'я_прізвище,імя_прізвище,first_name_last_name,first_last,first_and_last_name,name_surname,name_and_surname",
	domain.AnyOrder: "full_name,sortable_name,display_name,formatted_name,cn,common_name,полное_имя,отображаемое_имя,employee_name,student_name,employee,student," +
		"worker,legal_name,наименование",
	domain.FirstMiddle: "имя_отчество,имя_и_отчество,ім'я_по_батькові,ім'я_та_по_батькові,first_and_middle_name,first_and_middle_names,first_name_and_middle_name," +
		"first_name_middle_name,first_middle,given_names,forenames",
}

// weak are the headers with meanings that other rows have as values or titles.
const weak = "cn,сотрудник,работник,ученик,учащийся,обучающийся,воспитанник,студент,слушатель,участник,employee,student,name,first,last,middle,born,sn," +
	"account,user,пользователь,користувач,usuario,utilizador,uid,mobil,моб,сот,sms,родился,class,кл,group,группа,team,grade,form,section,unit,поток,курс,worker,наименование,nombre,nombres,nome," +
	"jméno,meno,ime,аты,adı,isim,vardas,vārds,nom,nume"

// hints and roles are words in headers that change no meaning, each as one text of words that blanks enclose.
const (
	hints = " required optional mandatory обязательно обязательное необязательно поле field рус русскими лат латиницей кириллицей англ eng rus lat " +
		"your enter please desired ваш ваша ваше ваши укажите введите придумайте желаемый при наличии если есть д дд м мм гг гггг d dd m mm yy yyyy "
	roles = " студента ученика учащегося обучающегося воспитанника сотрудника работника пользователя участника слушателя student stu pupil employee worker user participant "

	// others are words in headers of columns that are about another person, or about what the person had before.
	others = " parent parents guardian guardians mother mothers mom mum father fathers dad spouse emergency manager managers supervisor boss " +
		"maiden former previous old родитель родители родителя родителей мать мама мамы матери отец папа отца папы опекун опекуна " +
		"представитель представителя руководитель руководителя начальник начальника куратор куратора экстренный экстренной экстренная контактное контактного " +
		"девичья добрачная прежняя прежний прежнее старая старый старое мати матері батько батьки батька батьків дівоче eltern mutter vater "
)

// headers are the meanings of headers, by their letters.
var headers = func() map[string]meaning {
	all := map[string]meaning{}
	for field, ranks := range synonyms {
		for rank, names := range ranks {
			for name := range strings.SplitSeq(names, ",") {
				all[lettersOf(name)] = meaning{field: field, rank: rank}
			}
		}
	}
	for order, names := range fullNames {
		for name := range strings.SplitSeq(names, ",") {
			m := meaning{field: domain.PersonLastName, rank: lastRank - int(order), isFull: true, order: order}
			if order == domain.FirstMiddle {
				m.field = domain.PersonFirstName
			}
			all[lettersOf(name)] = m
		}
	}
	for name := range strings.SplitSeq(weak, ",") {
		m := all[lettersOf(name)]
		m.isWeak = true
		all[lettersOf(name)] = m
	}
	return all
}()

// meaningOf returns the meaning of a header, and whether it is known.
func meaningOf(header string) (m meaning, known bool) {
	if len(header) > maxHeader {
		return meaning{}, false
	}
	m, known = headers[lettersOf(header)]
	if !known && !isOneWord(header) {
		m, known = meaningOfWords(withoutBrackets(header))
		m.extra = 1
		known = known && (m.field == domain.PersonPatronymic || !isOfOther(header))
	}
	isNumber := m.isFull && strings.ContainsAny(header, "#№") // of an employee
	return m, known && !isNumber
}

// namesEmail reports whether a part of a header is the name of a column of emails, as in "Login (email)".
func namesEmail(header string) bool {
	parts := strings.FieldsFunc(header, func(r rune) bool { return strings.ContainsRune("()[]{}<>,:=", r) })
	return slices.ContainsFunc(parts, func(part string) bool {
		m, known := headers[lettersOf(part)]
		return known && m.field == domain.PersonEmail
	})
}

// isOfOther reports whether a header has a word that is about another person.
func isOfOther(header string) bool {
	words := wordsOf(header)
	return len(without(others, words)) < len(without("", words))
}

// isGroupOfOther reports whether a header above several columns says that they are about another person, such as "Parent 1".
func isGroupOfOther(header string) bool {
	const besides = " data details information info contact contacts данные сведения информация контакты законный законные "
	words := slices.DeleteFunc(wordsOf(header), func(word string) bool { return strings.Trim(word, "0123456789") == "" })
	return isOfOther(header) && len(without(others+besides, words)) == 0
}

// maxHeaderWords is the number of words of the longest header that is looked up.
const maxHeaderWords = 16

// maxHeader is the length in bytes of the longest header that is looked up. Some have an instruction.
const maxHeader = 400

// isOneWord reports whether a header consists of small letters but for the first, and so has no word to leave out.
func isOneWord(header string) bool {
	for i, r := range header {
		if !unicode.IsLower(r) && (i > 0 || !unicode.IsLetter(r)) {
			return false
		}
	}
	return true
}

// meaningOfWords returns the meaning of a header that may have words besides the name of a field, or its names in several languages.
func meaningOfWords(header string) (m meaning, known bool) {
	words := wordsOf(header)
	if len(words) > maxHeaderWords {
		return meaning{}, false
	}
	for _, ignored := range []string{"", hints, hints + roles} {
		rest := without(ignored, words)
		if ignored != "" && len(rest) == len(words) {
			continue
		}
		m, known = headers[lettersOf(strings.Join(rest, " "))]
		if known {
			return m, true
		}
	}
	parts := strings.FieldsFunc(header, func(r rune) bool { return strings.ContainsRune(`/|\`, r) })
	for i, part := range parts {
		other, ok := headers[lettersOf(strings.Join(without(hints, wordsOf(part)), " "))]
		if !ok || len(parts) == 1 || i > 0 && (other.field != m.field || other.isFull != m.isFull) {
			return meaning{}, false
		}
		if i == 0 {
			m = other
		}
	}
	return m, len(parts) > 1
}

// likelyField returns the name of the field that an ignored header may stand for: one of its words is the header of a field, or it is
// misspelt. It returns domain.FieldRecord for none.
func likelyField(header string) domain.Field {
	if m, known := meaningOf(header); known {
		return m.name()
	}
	header = withoutBrackets(header)
	letters := lettersOf(header)
	for _, known := range slices.Sorted(maps.Keys(headers)) {
		if m := headers[known]; len(known) >= len("phone") && !m.isWeak && isMisspelt(letters, known) {
			return m.name()
		}
	}
	for _, word := range slices.Backward(wordsOf(header)) {
		if m, known := headers[lettersOf(word)]; known && !m.isWeak {
			return m.name()
		}
	}
	return domain.FieldRecord
}

// isMisspelt reports whether two texts differ by one letter that is wrong, missing, or too much, or by two that are swapped.
func isMisspelt(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(y)-len(x) > 1 {
		return false
	}
	from := 0
	for from < len(x) && x[from] == y[from] {
		from++
	}
	x, y = x[from:], y[from:]
	if len(x) < len(y) {
		return string(x) == string(y[1:])
	}
	isSwapped := len(x) > 1 && x[0] == y[1] && x[1] == y[0] && string(x[2:]) == string(y[2:])
	return isSwapped || len(x) > 0 && string(x[1:]) == string(y[1:])
}

// wordsOf returns the words of a header. A capital letter after a small one begins a word.
func wordsOf(header string) []string {
	var spaced strings.Builder
	before := ' '
	for _, r := range header {
		if unicode.IsUpper(r) && unicode.IsLower(before) {
			spaced.WriteByte(' ')
		}
		spaced.WriteRune(r)
		before = r
	}
	return strings.FieldsFunc(spaced.String(), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '\''
	})
}

// without returns those of a header's words that are not among ignored, and without the number of the column.
func without(ignored string, words []string) []string {
	rest := make([]string, 0, len(words))
	for i, word := range words {
		isNumber := i == 0 && strings.Trim(word, "0123456789") == ""
		if !isNumber && !strings.Contains(ignored, " "+strings.ToLower(word)+" ") {
			rest = append(rest, word)
		}
	}
	return rest
}

// withoutBrackets returns a header without its parts in brackets.
func withoutBrackets(header string) string {
	depth := 0
	return strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune("([{<", r):
			depth++
		case strings.ContainsRune(")]}>", r) && depth > 0:
			depth--
		case depth == 0:
			return r
		}
		return -1
	}, header)
}

// lettersOf returns the letters and digits of a header in lower case, without accents. Letters that look like Latin ones are Latin: in
// many headers a keyboard has mixed the alphabets.
func lettersOf(header string) string {
	if !isPlain([]byte(header)) {
		header = norm.NFD.String(header)
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		r = unicode.ToLower(r)
		if latin, ok := lookAlikes[r]; ok {
			return latin
		}
		return r
	}, header)
}

// lookAlikes are the Latin letters that Cyrillic ones look like, in capitals or in small letters.
var lookAlikes = map[rune]rune{
	'а': 'a', 'в': 'b', 'е': 'e', 'к': 'k', 'м': 'm', 'н': 'h', 'о': 'o', 'р': 'p', 'с': 'c', 'т': 't', 'у': 'y', 'х': 'x', 'і': 'i', 'ѕ': 's', 'ј': 'j',
	'ʼ': -1,
}
