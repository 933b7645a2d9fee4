package bulkfile_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/unicode"

	"rollcall/domain"
	"rollcall/ports"
)

var utf16WithMark = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)

// compound returns a compound file with the names of streams in its directory, which is far from its beginning.
func compound(streams ...string) string {
	const sector, sectorBits, first = 512, 9, 200
	file := make([]byte, (first+2)*sector)
	copy(file, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	binary.LittleEndian.PutUint16(file[30:], sectorBits)
	binary.LittleEndian.PutUint32(file[48:], first)
	for i, name := range append([]string{"Root Entry"}, streams...) {
		for j := range len(name) { // in UTF-16
			file[(first+1)*sector+128*i+2*j] = name[j]
		}
	}
	return string(file)
}

// encrypted returns a workbook with a password.
func encrypted(t *testing.T) string {
	t.Helper()
	file := excelize.NewFile()
	defer file.Close()
	var b strings.Builder
	require.NoError(t, file.Write(&b, excelize.Options{Password: "secret"}))
	return b.String()
}

// A file that is no list of people is named for what it is, whatever its name and type say.
func TestUnsupportedFiles(t *testing.T) {
	const table = "login;phone\nanna;1\n"
	office := func(main string) map[string]string {
		return map[string]string{"_rels/.rels": `<Relationships><Relationship Id="1" Type="x/officeDocument" Target="` + main + `"/></Relationships>`, main: "<document/>"}
	}
	for _, c := range []struct {
		name, file string
		want       domain.FileKind
	}{
		{"OldWorkbook", compound("Workbook"), domain.FileOldWorkbook},
		{"OldWorkbookWithoutDirectory", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", domain.FileOldWorkbook},
		{"OldWorkbookWithoutCompoundFile", "\t\x08\x08\x00\x00\x00\x10\x00\x00\x00\x00\x00", domain.FileOldWorkbook},
		{"EncryptedWorkbook", compound("DataSpaces", "EncryptedPackage"), domain.FileEncryptedWorkbook},
		{"EncryptedByExcelize", encrypted(t), domain.FileEncryptedWorkbook},
		{"OldDocument", compound("WordDocument"), domain.FileDocument},
		{"BinaryWorkbook", archive(t, office("xl/workbook.bin")), domain.FileBinaryWorkbook},
		{"OpenDocument", archive(t, map[string]string{"content.xml": "<x/>", "META-INF/manifest.xml": "<x/>"}), domain.FileOpenDocument},
		{"OpenDocumentByItsFirstPart", "PK\x03\x04" + strings.Repeat("\x00", 26) + "mimetypeapplication/vnd.oasis.opendocument.spreadsheetPK", domain.FileOpenDocument},
		{"OpenDocumentText", "PK\x03\x04" + strings.Repeat("\x00", 26) + "mimetypeapplication/vnd.oasis.opendocument.textPK", domain.FileDocument},
		{"Numbers", archive(t, map[string]string{"Index/Document.iwa": "x", "Data/photo.jpg": "x"}), domain.FileNumbers},
		{"OldNumbers", archive(t, map[string]string{"Index.zip": "x"}), domain.FileNumbers},
		{"Word", archive(t, office("word/document.xml")), domain.FileDocument},
		{"Presentation", archive(t, office("ppt/presentation.xml")), domain.FileDocument},
		{"ZIP", archive(t, map[string]string{"people.csv": table}), domain.FileArchive},
		{"EmptyZIP", "PK\x05\x06" + strings.Repeat("\x00", 18), domain.FileArchive},
		{"7z", "7z\xbc\xaf\x27\x1c\x00\x04", domain.FileArchive},
		{"RAR", "Rar!\x1a\x07\x01\x00", domain.FileArchive},
		{"TAR", "people.csv" + strings.Repeat("\x00", 247) + "ustar\x0000" + strings.Repeat("\x00", 248) + table, domain.FileArchive},
		{"GzipInGzip", "\x1f\x8b\x08\x00", domain.FileArchive},
		{"PNG", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", domain.FileImage},
		{"JPEG", "\xff\xd8\xff\xe0\x00\x10JFIF", domain.FileImage},
		{"GIF", "GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff", domain.FileImage},
		{"HEIC", "\x00\x00\x00\x18ftypheic", domain.FileImage},
		{"SQLite", "SQLite format 3\x00\x10\x00", domain.FileDatabase},
		{"PDF", "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Login (a) /Email (b)>>\n\x00", domain.FilePDF},
		{"RTF", `{\rtf1\ansi Login\tab Email\par anna\tab a@example.org\par}`, domain.FileRTF},
		{"VCard", "\ufeffBEGIN:VCARD\r\nVERSION:3.0\r\nN:Ким;Анна\r\nTEL;CELL:+79161000006\r\nEND:VCARD\r\n", domain.FileVCard},
		{"VCardInUTF16", encode(t, utf16WithMark, "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Ким;Анна\r\nEND:VCARD\r\n"), domain.FileVCard},
		{"HTML", "<!DOCTYPE html>\n<html><body>\n<table>\n<tr>\n<td>Login</td>\n<td>Email</td>\n</tr></table>", domain.FileHTML},
		{"HTMLTable", "\n <TABLE>\n<tr>\n<td>Login</td>\n</tr>\n<tr><td>anna</td></tr></TABLE>", domain.FileHTML},
		{"XML", "<?xml version=\"1.0\"?>\n<Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">\n<Cell><Data>Login</Data></Cell></Workbook>", domain.FileXML},
		{"XMLWithoutDeclaration", "<users>\n<user>\n<login>anna</login>\n</user></users>", domain.FileXML},
		{"Email", "From: Anna <a@example.org>\r\nSubject: list\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nlogin;phone\r\nanna;1\r\n", domain.FileEmail},
		{"ReceivedEmail", "Return-Path: <a@example.org>\nReceived: from x\n by y\nDate: x\n\nlogin;phone\nanna;1\n", domain.FileEmail},
		{"Mailbox", "From a@example.org Mon Jan  1 00:00:00 2024\nSubject: list\n\nlogin;phone\nanna;1\n", domain.FileEmail},
		{"OutlookMessage", compound("__nameid_version1.0", "__substg1.0_0037001F"), domain.FileEmail},
		{"GoogleSheet", `{"url":"https://docs.google.com/open?id=1","doc_id":"1","email":"a@example.org"}`, domain.FileLink},
		{"NewGoogleSheet", `{"":"WARNING! DO NOT EDIT THIS FILE!","doc_id":"1","resource_key":"","email":"a@example.org"}`, domain.FileLink},
		{"Shortcut", "[InternetShortcut]\r\nURL=https://docs.google.com/spreadsheets/d/1\r\n", domain.FileLink},
		{"Address", "https://docs.google.com/spreadsheets/d/1/edit#gid=0\n", domain.FileLink},
		{"SYLK", "ID;PWXL;N;E\r\nC;Y1;X1;K\"login\"\r\nC;X2;K\"phone\"\r\nE\r\n", domain.FileSYLK},
		{"DIF", "TABLE\r\n0,1\r\n\"EXCEL\"\r\nDATA\r\n0,0\r\n\"\"\r\n-1,0\r\nBOT\r\n1,0\r\n\"login\"\r\n", domain.FileDIF},
		{"LDIF", "dn: uid=anna,dc=example\nuid: anna\nmail: a@example.org\n", domain.FileLDIF},
		{"LDIFWithVersion", "version: 1\n\n# anna\ndn:: dWlkPWFubmE=\nuid: anna\n", domain.FileLDIF},
		{"SQL", "INSERT INTO users (id, login, last_name, phone, x) VALUES\n('1', 'anna', 'O''Neil', '1', '')\n", domain.FileSQL},
		{"SQLDump", "-- MySQL dump 10.13\n--\n/*!40101 SET NAMES utf8 */;\nDROP TABLE IF EXISTS `users`;\n", domain.FileSQL},
		{"PostgreSQLDump", "--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\nCOPY public.users (login, email) FROM stdin;\n", domain.FileSQL},
		{"YAML", "---\n- login: anna\n  email: a@example.org\n- login: boris\n", domain.FileConfig},
		{"YAMLInside", "users:\n  - login: anna\n    email: a@example.org\n", domain.FileConfig},
		{"TOML", "[[users]]\nlogin = \"anna\"\nemail = \"a@example.org\"\n", domain.FileConfig},
		{"INI", "; people\n[anna]\nlogin=anna\nemail=a@example.org\n", domain.FileConfig},
		{"FixedWidth", "People\n\nlast_name    first_name  login\nКим          Анна        anna\n", domain.FileFixedWidth},
		{"Parquet", "PAR1\x15\x04\x15", domain.FileDatabase},
		{"dBase", "\x03\x7c\x01\x1f\x02\x00\x00\x00\x41\x00\x20\x00" + strings.Repeat("\x00", 20) + "LOGIN" + strings.Repeat("\x00", 27) + "\r anna", domain.FileDatabase},
		{"AVIF", "\x00\x00\x00\x1cftypavif", domain.FileImage},
		{"Plist", "bplist\x01\x02\x03", domain.FileBinary},
		{"UTF7", "login;first_name\nanna;Ren+AOk-\n", domain.FileUTF7},
		{"UTF7InHeaders", "+BBsEPgQzBDgEPQ-;+BCQEMAQ8BDgEOwQ4BE8-\nanna;+BBYENAQwBD0EPgQyBDA-\n", domain.FileUTF7},
		{"Binary", "\x7fELF\x02\x01\x01\x00\x00\x00", domain.FileBinary},
		{"Polyglot", "%PDF-1.7\n" + book(t, [][]any{{"login", "phone"}, {"anna", 1}}, nil), domain.FilePDF},
		{"NestedArray", `{"data":{"total":1,"users":[{"login":"anna"}]}}`, domain.FileWrappedArray},
		{"ArrayOfOtherKeys", `{"count":1,"value":[{"givenName":"Анна"}]}`, domain.FileWrappedArray},
		{"WebArchive", "MIME-Version: 1.0\nContent-Type: multipart/related\n\n--x\n<td>Login</td>\n", domain.FileHTML},
		{"WrappedArray", `{"realm":"x","roles":[{"id":1}],"users":[{"login":"anna"},{"login":"boris"}]}`, domain.FileWrappedArray},
	} {
		for _, hint := range []ports.FileHint{{}, {Name: "people.xlsx"}, {Format: ports.FormatCSV}, {Format: ports.FormatJSON}} {
			t.Run(c.name+" "+hint.Name+string(hint.Format), func(t *testing.T) {
				_, err := candidatesOf(c.file, hint)
				require.ErrorIs(t, err, domain.ErrBrokenFile)
				var unsupported *domain.UnsupportedFileError
				require.ErrorAs(t, err, &unsupported)
				require.Equal(t, c.want, unsupported.Kind)
				_, err = files().Layout(sectionOf(c.file), hint)
				require.ErrorAs(t, err, &unsupported)
			})
		}
	}
}

// A table may have the words of another kind of file where they stand in it.
func TestTablesThatBeginLikeOtherFiles(t *testing.T) {
	for _, header := range []string{
		"PK;login;phone", "PK34,login,phone", "GIF89a;login;phone", "%PDF-1.7;login;phone", "<login>;<phone>", "{\\rtf;login;phone", "Begin:vCard;login;phone", "[Login];[Phone]",
		"[1] Login;[2] Phone", "ID;Phone;login", "Dn: x;login;phone", "begin;login;phone", "Set;login;phone", "from: x;login;phone", "Table;login;phone", "ustar;login;phone", strings.Repeat(" ", 251) + ";login;mustard;phone",
	} {
		t.Run(header, func(t *testing.T) {
			delimiter := ";"
			if strings.Contains(header, ",") {
				delimiter = ","
			}
			columns := strings.Split(header, delimiter)
			row := strings.Repeat(delimiter, len(columns)-1) + "1"
			got, err := candidatesOf(header+"\n"+row+"\n", ports.FileHint{})
			require.NoError(t, err)
			require.Len(t, got, 1)
		})
	}
	for _, login := range []string{"%PDF-1.7", "BEGIN:VCARD", "PK", "<html>"} {
		t.Run(login, func(t *testing.T) {
			got, err := candidatesOf("login;phone\n"+login+";1\n", ports.FileHint{})
			require.NoError(t, err)
			require.Equal(t, login, got[0].Given[domain.PersonLogin].Text)
		})
	}
}

// The content of a file decides on its format, not its name or its type.
func TestContentDecides(t *testing.T) {
	const table, array, lines = "login;phone\nanna;1\nboris;2\n", `[{"login":"anna"},{"login":"boris"}]`, `{"login":"anna"}` + "\n" + `{"login":"boris"}` + "\n"
	const pretty = "{\n \"login\": \"anna\"\n}\n{\n \"login\": \"boris\"\n}\n"
	for _, c := range []struct {
		name, file string
		want       ports.FileFormat
	}{
		{"Table", table, ports.FormatCSV},
		{"TableWithEmptyFirstHeader", ";login;phone\n1;anna;1\n2;boris;2\n", ports.FormatCSV},
		{"Array", array, ports.FormatJSON},
		{"ArrayOverLines", "[\n" + strings.ReplaceAll(array[1:], ",", ",\n"), ports.FormatJSON},
		{"Lines", lines, ports.FormatNDJSON},
		{"LinesWithBlankOnes", strings.ReplaceAll(lines, "\n", "\r\n\r\n"), ports.FormatNDJSON},
		{"ObjectsOverLines", pretty, ports.FormatJSON},
		{"ObjectsOverLinesInUTF16", encode(t, utf16WithMark, pretty), ports.FormatJSON},
	} {
		for _, hint := range []ports.FileHint{
			{},
			{Name: "people.xls"},
			{Name: "people.json"},
			{Format: ports.FormatJSON},
			{Format: ports.FormatNDJSON},
			{Format: ports.FormatCSV},
			{Format: ports.FormatXLSX},
		} {
			t.Run(c.name+" "+hint.Name+string(hint.Format), func(t *testing.T) {
				got, err := candidatesOf(c.file, hint)
				if c.want == ports.FormatCSV && hint.Format == ports.FormatJSON {
					require.ErrorContains(t, err, "send it as text/csv")
					return
				}
				require.NoError(t, err)
				require.Len(t, got, 2)
				require.Equal(t, "anna", got[0].Given[domain.PersonLogin].Text)
				require.Equal(t, "boris", got[1].Given[domain.PersonLogin].Text)
				layout, err := files().Layout(sectionOf(c.file), hint)
				require.NoError(t, err)
				require.Equal(t, c.want, layout.Format)
			})
		}
	}
}

// What the sender says counts for a file that fits several formats, or none.
func TestHintDecides(t *testing.T) {
	lines := ports.FileHint{Format: ports.FormatNDJSON}
	for _, first := range []string{`{"login":"x`, `{"login":"x"`, "{", "7", "[1]", "x"} {
		t.Run(first, func(t *testing.T) {
			got, err := candidatesOf(first+"\n"+`{"login":"anna"}`+"\n"+`{"login":"boris"}`+"\n", lines)
			require.NoError(t, err)
			require.Len(t, got, 3, "a broken line is one record")
			require.Equal(t, "boris", got[2].Given[domain.PersonLogin].Text)
		})
	}
	for file, want := range map[string]string{
		"abc": "no known columns", "PK": "no known columns", "{login:1}": "expected a key in quotes", "[1,2": "unexpected end of file", "": "the file is empty",
		"[\n // the first\n {\"login\": \"\",\n \"email\": \"\"}]": "expected a value",
	} {
		t.Run(file, func(t *testing.T) {
			_, err := candidatesOf(file, ports.FileHint{})
			require.ErrorContains(t, err, want)
		})
	}
	_, err := candidatesOf("abc", ports.FileHint{Format: ports.FormatJSON})
	require.ErrorContains(t, err, "expected a JSON object or an array of JSON objects")
}

// A record whose fields are in an object inside it is no record without fields.
func TestNestedRecords(t *testing.T) {
	const person = `{"last_name":"Ким","first_name":"Анна","login":"anna"}`
	for _, c := range []struct {
		name, record string
		nested       bool
	}{
		{"Nested", `{"type":"user","user":` + person + `}`, true},
		{"NestedInArray", `{"type":"user","users":[` + person + `]}`, true},
		{"FieldsOfItsOwn", `{"manager":` + person + `,"login":"boris"}`, false},
		{"FewFieldsInside", `{"contact":{"email":"a","phone":"1"}}`, false},
		{"DeepInside", `{"a":{"b":` + person + `}}`, false},
		{"Empty", `{}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := candidatesOf("["+c.record+`,{"login":"last"}]`, ports.FileHint{})
			require.NoError(t, err)
			require.Len(t, got, 2)
			require.Equal(t, c.nested, got[0].IsNested)
			require.False(t, got[1].IsNested)
			require.Equal(t, c.record, string(got[0].Original))
		})
	}
	for _, object := range []string{
		`{"login":"anna","groups":[{"id":1}]}`, `{"groups":["a"]}`, `{"groups":[]}`, `{"userName":"anna","emails":[{"value":"a@example.org"}]}`,
		`{"user":{"login":"anna","first_name":"Анна","last_name":"Ким","groups":[{"id":1}]}}`,
	} {
		t.Run(object, func(t *testing.T) {
			_, err := candidatesOf(object, ports.FileHint{})
			require.NoError(t, err, "an array without people is no wrapped array")
		})
	}
}

// Keys in another spelling are named with the keys that they may stand for. A key with an object is no field.
func TestSpellingOfKeys(t *testing.T) {
	var notes ports.FileNotes
	for _, err := range files().Candidates(sectionOf(`[{"firstName":"Анна","LastName":"Ким","userName":"anna","Почта":"a","user":{"id":1}}]`), ports.FileHint{}, &notes) {
		require.NoError(t, err)
	}
	require.Equal(t, []ports.IgnoredColumn{
		{Header: "firstName", Like: domain.FieldFirstName},
		{Header: "LastName", Like: domain.FieldLastName},
		{Header: "userName", Like: domain.FieldLogin},
		{Header: "Почта", Like: domain.FieldEmail},
		{Header: "user"},
	}, notes.Ignored)
}
