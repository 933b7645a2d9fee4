package bulkfile_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/unicode"

	"rollcall/adapters/bulkfile"
	"rollcall/adapters/spool"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
)

// parts returns the parts of a workbook by Excel, with the rows of its sheet.
func parts(sheet string) map[string]string {
	return map[string]string{
		"_rels/.rels":     relations("officeDocument", "xl/workbook.xml"),
		"xl/workbook.xml": `<workbook xmlns:r="r"><sheets><sheet name="a" sheetId="7" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": relations(
			"worksheet", "worksheets/sheet1.xml", "sharedStrings", "sharedStrings.xml", "styles", "styles.xml"),
		"xl/worksheets/sheet1.xml": `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\r\n" +
			`<worksheet xmlns="s"><cols><col min="1" max="1"/></cols><sheetData>` + sheet + `</sheetData><pageMargins left="0.7"/></worksheet>`,
		"xl/sharedStrings.xml": `<sst><si><t>login</t></si><si><t>phone</t></si><si><t>birthday</t></si><si><t>anna</t></si></sst>`,
		"xl/styles.xml": `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd\.mm\.yyyy;@"/><numFmt numFmtId="165" formatCode="[$-419]d mmmm"/>` +
			`<numFmt numFmtId="166" formatCode="&quot;day&quot;\d_y0.00[Red]"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>` +
			`<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/><xf/></cellXfs></styleSheet>`,
	}
}

// relations returns relationships of kinds and targets, given alternately.
func relations(pairs ...string) string {
	var b strings.Builder
	b.WriteString(`<Relationships>`)
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, `<Relationship Id="rId%d" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/%s" Target="%s"/>`,
			i/2+1, pairs[i], pairs[i+1])
	}
	b.WriteString(`</Relationships>`)
	return b.String()
}

func archive(t testing.TB, parts map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, part := range parts {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		require.NoError(t, err)
		_, err = io.WriteString(entry, part)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.String()
}

const header = `<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c></row>`

// The text of a cell is the text that Excel shows.
func TestXLSXCells(t *testing.T) {
	for name, c := range map[string]struct {
		row  string
		want [3]string // login, phone, birthday
	}{
		"shared":                      {`<row><c r="A2" t="s"><v>3</v></c><c r="C2" t="s"><v>0</v></c></row>`, [3]string{"anna", "", "login"}},
		"without names":               {`<row><c t="s"><v>3</v></c><c><v>5</v></c></row>`, [3]string{"anna", "5", ""}},
		"from the right":              {`<row><c r="B2"><v>5</v></c><c r="A2" t="s"><v>3</v></c></row>`, [3]string{"anna", "5", ""}},
		"inline":                      {`<row><c t="inlineStr"><is><t>a</t></is></c></row>`, [3]string{"a", "", ""}},
		"styled parts":                {`<row><c t="inlineStr"><is><r><rPr><b/></rPr><t>a</t></r><r><t xml:space="preserve"> b</t></r></is></c></row>`, [3]string{"a b", "", ""}},
		"phonetic hints":              {`<row><c t="inlineStr"><is><t>東</t><rPh sb="0" eb="1"><t>ひがし</t></rPh><phoneticPr/></is></c></row>`, [3]string{"東", "", ""}},
		"formula":                     {`<row><c t="str"><f>A1&amp;"x"</f><v>ann</v></c><c><f>1+1</f><v>2</v></c></row>`, [3]string{"ann", "2", ""}},
		"inline beside a value":       {`<row><c t="inlineStr"><v>a</v><is><t>a</t></is></c><c><v>5</v><is><t>6</t></is></c></row>`, [3]string{"a", "6", ""}},
		"row for each cell":           {`<row r="2"><c r="A2" t="s"><v>3</v></c></row><row r="2"/><row r="2"><c r="B2"><v>5</v></c></row>`, [3]string{"anna", "5", ""}},
		"right of the table":          {`<row><c t="s"><v>3</v></c><c r="XFD2"><v>5</v></c></row>`, [3]string{"anna", "", ""}},
		"blanks around a number":      {"<row><c r=\"C2\" s=\"1\"><v>\n36585 </v></c></row>", [3]string{"", "", "2000-02-29"}},
		"rounding of a program":       {`<row><c><v>40126.999999999996</v></c><c><v>79161234567.000002</v></c></row>`, [3]string{"40127", "79161234567", ""}},
		"booleans":                    {`<row><c t="b"><v>1</v></c><c t="b"><v>0</v></c></row>`, [3]string{"TRUE", "FALSE", ""}},
		"escaped":                     {`<row><c t="str"><v>a_x000D_b_x005F_x0041_ _xD83D__xDE00_ _x12_ _xZZZZ_</v></c></row>`, [3]string{"a\rb_x0041_ 😀 _x12_ _xZZZZ_", "", ""}},
		"entities":                    {`<row><c t="str"><v>&lt;&#65;&#x416;&amp;amp;&gt;&quot;&apos;</v></c></row>`, [3]string{`<AЖ&amp;>"'`, "", ""}},
		"sections":                    {`<row><c t="str"><v>a<![CDATA[<b>&amp;]]]><!-- > -->c<?pi ?></v></c></row>`, [3]string{`a<b>&amp;]c`, "", ""}},
		"blank cells":                 {`<row/><row r="3"/><row><c r="A4" s="1"/><c r="B4" t="s"><v/></c><c r="XFD4" s="1"/></row><row><c><v>7</v></c></row>`, [3]string{"7", "", ""}},
		"blanks in tags":              {`<row><c r='A2' t = "s" ><v>3</v></c ></row >`, [3]string{"anna", "", ""}},
		"phone with exponent":         {`<row><c><v>1</v></c><c><v>7.9161234567E10</v></c></row>`, [3]string{"1", "79161234567", ""}},
		"phone with plus in exponent": {`<row><c><v>1</v></c><c><v>7.9161234567E+10</v></c></row>`, [3]string{"1", "79161234567", ""}},
		"fraction":                    {`<row><c><v>0.10000000000000001</v></c><c><v>-5</v></c></row>`, [3]string{"0.1", "-5", ""}},
		"too large":                   {`<row><c><v>1E+200</v></c><c><v>x.e</v></c></row>`, [3]string{"1E+200", "x.e", ""}},
		"date":                        {`<row><c r="C2" s="1"><v>36585</v></c></row>`, [3]string{"", "", "2000-02-29"}},
		"date in a custom format":     {`<row><c r="C2" s="2"><v>36585.75</v></c></row>`, [3]string{"", "", "2000-02-29"}},
		"date in a format of months":  {`<row><c r="C2" s="3"><v>36584.9999999999</v></c></row>`, [3]string{"", "", "2000-02-29"}},
		"date without a format":       {`<row><c r="C2" s="5"><v>36585</v></c></row>`, [3]string{"", "", "2000-02-29"}},
		"number in a custom format":   {`<row><c r="A2" s="4"><v>36585</v></c></row>`, [3]string{"36585", "", ""}},
		"year":                        {`<row><c r="C2"><v>1999</v></c></row>`, [3]string{"", "", "1999"}},
		"date of the 1920s":           {`<row><c r="C2" s="1"><v>9150</v></c></row>`, [3]string{"", "", "1925-01-18"}},
		"text of digits":              {`<row><c r="C2" t="str"><v>36585</v></c></row>`, [3]string{"", "", "2000-02-29"}},
		"number beyond dates":         {`<row><c r="C2" s="1"><v>20000229</v></c></row>`, [3]string{"", "", "20000229"}},
		"midnight":                    {`<row><c r="C2" s="1"><v>0</v></c></row>`, [3]string{"", "", "0"}},
		"first day":                   {`<row><c r="C2" s="1"><v>1</v></c></row>`, [3]string{"", "", "1900-01-01"}},
		"before the missing day":      {`<row><c r="C2" s="1"><v>59</v></c></row>`, [3]string{"", "", "1900-02-28"}},
		"missing day":                 {`<row><c r="C2" s="1"><v>60</v></c></row>`, [3]string{"", "", "1900-02-29"}},
		"after the missing day":       {`<row><c r="C2" s="1"><v>61</v></c></row>`, [3]string{"", "", "1900-03-01"}},
		"last day":                    {`<row><c r="C2" s="1"><v>2958465</v></c></row>`, [3]string{"", "", "9999-12-31"}},
		"date by ISO 8601":            {`<row><c r="C2" t="d"><v>2000-02-29T00:00:00Z</v></c></row>`, [3]string{"", "", "2000-02-29"}},
		"prefixes":                    {`<x:row><x:c t="s"><x:v>3</x:v></x:c></x:row>`, [3]string{"anna", "", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := candidatesOf(archive(t, parts(header+c.row)), ports.FileHint{})
			require.NoError(t, err)
			require.Len(t, got, 1)
			require.Equal(t, c.want, cellsOf(got[0]))
		})
	}
}

// A cell has the number or text that Excel shows, unless the format hides digits.
func TestXLSXFormats(t *testing.T) {
	for _, c := range []struct{ code, value, want string }{
		{"000000", "7012", "007012"},
		{"000000", "1234567", "1234567"},
		{"00000", "0", "00000"},
		{"000000", "7.5", "7.5"},
		{"000000", "-7", "-7"},
		{"0", "7012", "7012"},
		{"#", "0", "0"},
		{"?0", "7", "7"},
		{"000-00-0000", "12345678", "012-34-5678"},
		{`"S"000`, "7", "S007"},
		{`\S000`, "7", "S007"},
		{`"8("###")"###-##-##`, "9163001002", "8(916)300-10-02"},
		{`"+7"##########`, "9163001003", "+79163001003"},
		{`+0000`, "12", "+0012"},
		{`[&lt;=9999999]###\-####;\(###\)\ ###\-####`, "9163001001", "(916) 300-1001"},
		{`[&lt;=9999999]###\-####;\(###\)\ ###\-####`, "3001001", "300-1001"},
		{`[&gt;5]"a"0;[=5]"b"0;[&lt;&gt;4]"c"0`, "3", "c3"},
		{`[&gt;=5]"a"0;[&lt;5]"b"0`, "5", "a5"},
		{`[&gt;7]"a"0;[&gt;8]"b"0`, "5", "5"},
		{"[Red]000;-000", "7", "007"},
		{"000;-000;", "0", ""},
		{`000;-000;"нет"`, "0", "нет"},
		{";;;", "7", "7"},
		{"0%", "0.5", "50%"},
		{"0.00%", "0.125", "12.5%"},
		{"0%", "0.07", "7%"},
		{"0.00", "40127", "40127"},
		{"0.00E+00", "9163001005", "9163001005"},
		{"#,##0", "79161234567", "79161234567"},
		{`#,##0" ₽"`, "7012", "7012"},
		{`[$€-407] 0`, "7012", "7012"},
		{`[$-419]0000`, "12", "0012"},
		{"# ?/?", "0.5", "0.5"},
		{"_-* #,##0_-", "7012", "7012"},
		{"h:mm:ss", "0.5", "0.5"},
		{"[h]:mm", "1.5", "1.5"},
		{"General", "7012", "7012"},
		{`"+7"General`, "9163001003", "+79163001003"},
		{"Standard", "36585", "36585"},
		{"Standaard", "36585", "36585"},
		{"Estándar", "36585", "36585"},
		{"Ogólny", "36585", "36585"},
		{"Všeobecný", "36585", "36585"},
		{"Yleinen", "36585", "36585"},
		{"Основной", "36585", "36585"},
		{"G/通用格式", "36585", "36585"},
		{"yyyy年m月d日", "36585", "2000-02-29"},
		{"dd.mm.yyyy г.", "36585", "2000-02-29"},
		{"D/M/YY h:mm AM/PM", "36585.5", "2000-02-29"},
		{"@", "7012", "7012"},
		{"@", "anna", "anna"},
		{`@"@example.org"`, "anna", "anna@example.org"},
		{`0000;;;"s-"@`, "anna", "s-anna"},
		{`0000;;;"s-"@`, "5", "0005"},
		{strings.Repeat("0", 2000), "5", "5"},
	} {
		t.Run(c.code+" of "+c.value, func(t *testing.T) {
			kind := "str"
			if strings.Trim(c.value, "0123456789.-") == "" {
				kind = "n"
			}
			all := parts(header + `<row><c s="1" t="` + kind + `"><v>` + c.value + `</v></c><c><v>1</v></c></row>`)
			all["xl/styles.xml"] = `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="` + strings.ReplaceAll(c.code, `"`, "&quot;") +
				`"/></numFmts><cellXfs><xf/><xf numFmtId="164"/></cellXfs></styleSheet>`
			got, err := candidatesOf(archive(t, all), ports.FileHint{})
			require.NoError(t, err)
			require.Equal(t, [3]string{c.want, "1", ""}, cellsOf(got[0]))
		})
	}
}

// A cell without a value is marked: one with an error, one with a formula that the program that wrote the workbook did not compute, and a date
// in a column of other values.
func TestXLSXFaults(t *testing.T) {
	for name, c := range map[string]struct {
		cell string
		kind domain.Kind
		text string
	}{
		"error":                       {`<c t="e"><f>1/0</f><v>#DIV/0!</v></c>`, domain.KindCellError, "#DIV/0!"},
		"text in two ways":            {`<c t="inlineStr"><is><t>ann</t><r><t>an</t></r><r><t>na</t></r></is></c>`, domain.KindCellError, "annanna"},
		"date":                        {`<c s="1"><v>36585</v></c>`, domain.KindOther, "2000-02-29"},
		"date by ISO 8601":            {`<c t="d"><v>2000-02-29</v></c>`, domain.KindOther, "2000-02-29"},
		"cell of two rows":            {`<c r="A2" t="s"><v>3</v></c></row><row r="2"><c r="A2" t="str"><v>boris</v></c>`, domain.KindCellError, "boris"},
		"shared text in two ways":     {`<c t="s"><v>4</v></c>`, domain.KindCellError, "annanna"},
		"text in empty parts":         {`<c t="inlineStr"><is><t></t><r><t>an</t></r><r><t>na</t></r></is></c>`, domain.KindText, "anna"},
		"formula without a result":    {`<c><f>LOWER("A")</f></c>`, domain.KindUncomputed, `=LOWER("A")`},
		"formula with an empty one":   {`<c><f>A1</f><v></v></c>`, domain.KindUncomputed, "=A1"},
		"shared formula":              {`<c t="str"><f t="shared" si="0"/></c>`, domain.KindUncomputed, "="},
		"formula with an empty text":  {`<c t="str"><f>A1</f><v></v></c>`, domain.KindAbsent, ""},
		"formula with a result":       {`<c><f>1-1</f><v>0</v></c>`, domain.KindText, "0"},
		"result of another program":   {`<c t="str"><f>LOWER("A")</f><v>a</v></c>`, domain.KindText, "a"},
		"result that is not computed": {`<c><f>LOWER("A")</f><v>0</v></c>`, domain.KindUncomputed, `=LOWER("A")`},
	} {
		t.Run(name, func(t *testing.T) {
			all := parts(header + `<row>` + c.cell + `<c><v>1</v></c></row>`)
			all["xl/sharedStrings.xml"] = strings.Replace(all["xl/sharedStrings.xml"], "</sst>", `<si><t>ann</t><r><t>anna</t></r></si></sst>`, 1)
			if name == "result that is not computed" {
				all["xl/workbook.xml"] = strings.Replace(all["xl/workbook.xml"], "</workbook>", `<calcPr fullCalcOnLoad="1"/></workbook>`, 1)
			}
			got, err := candidatesOf(archive(t, all), ports.FileHint{})
			require.NoError(t, err)
			require.Equal(t, domain.Given{Kind: c.kind, Text: c.text}, got[0].Given[domain.PersonLogin])
		})
	}
}

// The relationships of a workbook say where its parts are.
func TestXLSXParts(t *testing.T) {
	const row = header + `<row><c t="s"><v>3</v></c><c r="C2" s="1"><v>35123</v></c></row>`
	for name, change := range map[string]func(map[string]string){
		"days from 1904": func(p map[string]string) {
			p["xl/workbook.xml"] = strings.Replace(p["xl/workbook.xml"], "<sheets>", `<workbookPr date1904="1"/><sheets>`, 1)
		},
		"absolute names": func(p map[string]string) {
			p["_rels/.rels"] = relations("extended-properties", "docProps/app.xml", "officeDocument", "/xl/workbook.xml")
			p["xl/_rels/workbook.xml.rels"] = relations("worksheet", "/xl/worksheets/sheet1.xml", "sharedStrings", "/XL/SharedStrings.xml", "styles", "/xl/styles.xml")
		},
		"other case and separators": func(p map[string]string) {
			for name, part := range p {
				delete(p, name)
				p[strings.ToUpper(strings.ReplaceAll(name, "/", `\`))] = part
			}
		},
		"sheet with an unknown state": func(p map[string]string) {
			p["xl/workbook.xml"] = strings.Replace(p["xl/workbook.xml"], `name="a"`, `name="a" state="show"`, 1)
		},
		"missing parts that no cell needs": func(p map[string]string) {
			for name, text := range map[string]string{"0": "login", "1": "phone", "2": "birthday", "3": "anna"} {
				sheet := p["xl/worksheets/sheet1.xml"]
				p["xl/worksheets/sheet1.xml"] = strings.ReplaceAll(sheet, `t="s"><v>`+name+`</v>`, `t="str"><v>`+text+`</v>`)
			}
			delete(p, "xl/sharedStrings.xml")
			delete(p, "xl/styles.xml")
		},
		"UTF-16": func(p map[string]string) {
			for _, name := range []string{"xl/worksheets/sheet1.xml", "xl/workbook.xml"} {
				text, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(p[name])
				require.NoError(t, err)
				p[name] = text
			}
			text, err := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder().String(p["xl/sharedStrings.xml"])
			require.NoError(t, err)
			p["xl/sharedStrings.xml"] = text
		},
		"declared encoding": func(p map[string]string) {
			p["xl/sharedStrings.xml"] = "<?xml version='1.0' encoding='windows-1251'?><sst><si><t>\xcb\xee\xe3\xe8\xed</t></si>" +
				`<si><t>phone</t></si><si><t>birthday</t></si><si><t>anna</t></si></sst>`
			p["xl/styles.xml"] = `<?xml version="1.0" encoding="UTF-16"?>` + p["xl/styles.xml"]
		},
		"after other sheets": func(p map[string]string) {
			p["xl/workbook.xml"] = `<workbook xmlns:r="r"><sheets><sheet state="hidden" r:id="rId2"/><sheet state="veryHidden" r:id="rId2"/>` +
				`<sheet r:id="rId3"/><sheet r:id="rId9"/><sheet r:id="rId1"/><sheet r:id="rId2"/></sheets></workbook>`
			p["xl/_rels/workbook.xml.rels"] = relations("worksheet", "worksheets/sheet1.xml", "worksheet", "worksheets/sheet2.xml",
				"chartsheet", "chartsheets/sheet1.xml", "sharedStrings", "sharedStrings.xml", "styles", "styles.xml")
		},
	} {
		t.Run(name, func(t *testing.T) {
			all := parts(row)
			change(all)
			got, err := candidatesOf(archive(t, all), ports.FileHint{})
			require.NoError(t, err)
			require.Len(t, got, 1)
			want := "1996-02-28"
			if name == "days from 1904" {
				want = "2000-02-29"
			}
			require.Equal(t, [3]string{"anna", "", want}, cellsOf(got[0]))
		})
	}
}

// The error of a broken workbook names what is missing or invalid.
func TestXLSXReasons(t *testing.T) {
	for reason, change := range map[string]func(map[string]string){
		`unknown encoding "x"`: func(p map[string]string) {
			p["xl/sharedStrings.xml"] = `<?xml version="1.0" encoding="x"?><sst/>`
		},
		"not a workbook": func(p map[string]string) { delete(p, "_rels/.rels") },
		`part "xl/worksheets/sheet1.xml" is missing`:            func(p map[string]string) { delete(p, "xl/worksheets/sheet1.xml") },
		"no visible sheet":                                      func(p map[string]string) { p["xl/workbook.xml"] = `<workbook/>` },
		"row 1: a cell refers to a shared text that is missing": func(p map[string]string) { p["xl/sharedStrings.xml"] = `<sst/>` },
		"an XML document type":                                  func(p map[string]string) { p["xl/sharedStrings.xml"] = `<!DOCTYPE a [<!ENTITY b "c">]><sst/>` },
		"unknown XML entity":                                    func(p map[string]string) { p["xl/sharedStrings.xml"] = `<sst><si><t>&b;</t></si></sst>` },
		"an XML tag is too long": func(p map[string]string) {
			p["xl/worksheets/sheet1.xml"] = `<worksheet><sheetData a="` + strings.Repeat(">", 1<<16) + `"/></worksheet>`
		},
		"unexpected EOF": func(p map[string]string) {
			p["xl/worksheets/sheet1.xml"] = `<worksheet><sheetData>` + header + `<row><c><v>7</v></c></row>`
		},
		"XML syntax error":                    func(p map[string]string) { p["xl/styles.xml"] = `<styleSheet` },
		"the file is empty":                   func(p map[string]string) { p["xl/worksheets/sheet1.xml"] = `<worksheet><sheetData/></worksheet>` },
		"uncompressed size exceeds the limit": func(p map[string]string) { p["xl/sharedStrings.xml"] = strings.Repeat(" ", 2<<20) + `<sst/>` },
		"it has too many parts":               func(p map[string]string) { addParts(p, 8_000) },
	} {
		t.Run(reason, func(t *testing.T) {
			all := parts(header + `<row><c t="s"><v>3</v></c></row>`)
			change(all)
			spools := &fake.Spools{}
			file := archive(t, all)
			for _, err := range (bulkfile.Files{Spools: spools, MaxInflated: 1 << 20}).Candidates(sectionOf(file), ports.FileHint{}, &ports.FileNotes{}) {
				if err != nil {
					require.ErrorIs(t, err, domain.ErrBrokenFile)
					require.ErrorContains(t, err, reason)
					break
				}
			}
			_, err := candidatesOf(file, ports.FileHint{})
			if reason != "uncompressed size exceeds the limit" {
				require.ErrorContains(t, err, reason)
			}
			require.Zero(t, spools.Open())
		})
	}
}

func addParts(p map[string]string, n int) {
	for i := range n {
		p[fmt.Sprintf("xl/media/image%0300d.png", i)] = ""
	}
}

// A small file that inflates to much more than its size is rejected before it takes memory.
func TestXLSXBomb(t *testing.T) {
	for _, name := range []string{"xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			w := zip.NewWriter(&b)
			for part, content := range parts(header) {
				entry, err := w.Create(part)
				require.NoError(t, err)
				if part == name {
					content = "<sst><si><t>" + strings.Repeat("x", 12<<20)
				}
				_, err = io.WriteString(entry, content)
				require.NoError(t, err)
			}
			require.NoError(t, w.Close())
			require.Less(t, b.Len(), 1<<20)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for _, err := range (bulkfile.Files{Spools: &fake.Spools{}, MaxInflated: 8 << 20}).Candidates(sectionOf(b.String()), ports.FileHint{}, &ports.FileNotes{}) {
				require.ErrorIs(t, err, domain.ErrBrokenFile)
				require.ErrorContains(t, err, "uncompressed size exceeds the limit")
			}
			runtime.ReadMemStats(&after)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2<<20))
		})
	}
}

// The checksum reveals a damaged part, even if its rows are well-formed.
func TestXLSXDamaged(t *testing.T) {
	file := archive(t, parts(header+`<row><c t="str"><v>anna</v></c></row>`))
	file = strings.Replace(file, "<v>anna</v>", "<v>olga</v>", 1)
	_, err := candidatesOf(file, ports.FileHint{})
	require.ErrorIs(t, err, domain.ErrBrokenFile)
}

// Memory does not grow with the length or number of texts.
func TestXLSXMemory(t *testing.T) {
	const records = 30_000
	var texts, rows strings.Builder
	texts.WriteString(`<sst><si><t>login</t></si><si><t>note</t></si><si><t>` + strings.Repeat("ы", 4<<20) + `</t></si>`)
	rows.WriteString(`<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row><row><c t="s"><v>2</v></c><c t="inlineStr"><is><t>` + strings.Repeat("x", 8<<20) + `</t></is></c></row>`)
	for i := range records {
		fmt.Fprintf(&texts, `<si><t>%s%d</t></si>`, strings.Repeat("n", 500), i)
		fmt.Fprintf(&rows, `<row><c t="s"><v>%d</v></c><c t="s"><v>%d</v></c></row>`, i+3, records+2-i)
	}
	all := parts(rows.String())
	all["xl/sharedStrings.xml"] = texts.String() + `</sst>`
	section := sectionOf(archive(t, all))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	seen := 0
	for candidate, err := range (bulkfile.Files{Spools: spool.New(t.TempDir()), MaxInflated: 1 << 30}).Candidates(section, ports.FileHint{}, &ports.FileNotes{}) {
		require.NoError(t, err)
		if seen == 0 {
			require.True(t, candidate.Given[domain.PersonLogin].Cut)
			require.Len(t, candidate.Given[domain.PersonLogin].Text, domain.MaxValue)
			require.Nil(t, candidate.Original)
		} else if want := fmt.Sprintf("n%d", seen-1); !strings.HasSuffix(candidate.Given[domain.PersonLogin].Text, want) ||
			!strings.HasSuffix(string(candidate.Original), fmt.Sprintf(`n%d"}`, records-seen)) {
			require.Fail(t, "another text", "%q is not %q", candidate.Given[domain.PersonLogin].Text, want)
		}
		seen++
		if seen%10_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&after)
			require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(16<<20))
		}
	}
	require.Equal(t, records+1, seen)
}

// FuzzXLSXText proves that a workbook may hold any text, in each way that XML can write it.
func FuzzXLSXText(f *testing.F) {
	f.Add("a & b", uint8(0))
	f.Add(" <x>]]>\t\n_x0041_ 東😀", uint8(3))
	f.Fuzz(func(t *testing.T, text string, way uint8) {
		var escaped bytes.Buffer
		require.NoError(t, xml.EscapeText(&escaped, []byte(text)))
		var want string
		require.NoError(t, xml.Unmarshal([]byte("<t>"+escaped.String()+"</t>"), &want)) // without the characters that XML forbids
		if strings.TrimSpace(want) == "" || len(want) > domain.MaxValue || strings.Contains(want, "_x") {
			return
		}
		piece := escaped.String()
		if way&1 != 0 {
			piece = "<![CDATA[" + strings.ReplaceAll(want, "]]>", "]]]]><![CDATA[>") + "]]>"
		}
		const first = `<row><c t="s"><v>3</v></c></row>` // the row below the headers may be one of headers
		all := parts(header + first + `<row><c t="s"><v>4</v></c><c t="str"><v>` + piece + `</v></c></row>`)
		all["xl/sharedStrings.xml"] = strings.Replace(all["xl/sharedStrings.xml"], "</sst>", `<si><t>`+strings.Repeat("<!-- - -->", int(way))+piece+"</t></si></sst>", 1)
		got, err := candidatesOf(archive(t, all), ports.FileHint{})
		require.NoError(t, err)
		require.Equal(t, want, got[1].Given[domain.PersonLogin].Text)
		require.Equal(t, want, got[1].Given[domain.PersonPhone].Text)
	})
}

// FuzzXLSX proves that every workbook is read, or is a broken file.
func FuzzXLSX(f *testing.F) {
	whole := parts(header + `<row><c t="s"><v>3</v></c><c r="C2" s="1"><v>35123</v></c><c t="inlineStr"><is><t>&#65;</t></is></c></row>`)
	f.Add(whole["xl/worksheets/sheet1.xml"], whole["xl/sharedStrings.xml"], whole["xl/styles.xml"], whole["xl/workbook.xml"])
	f.Add("<sheetData><row><c r=\"ZZZZ1\"><v>1e9", "<sst><si><rPh><t>", "", "<workbook>")
	f.Fuzz(func(t *testing.T, sheet, texts, styles, workbook string) {
		all := parts("")
		all["xl/worksheets/sheet1.xml"], all["xl/sharedStrings.xml"], all["xl/styles.xml"], all["xl/workbook.xml"] = sheet, texts, styles, workbook
		got, err := candidatesOf(archive(t, all), ports.FileHint{})
		if err != nil {
			require.ErrorIs(t, err, domain.ErrBrokenFile)
		}
		for _, c := range got {
			require.Positive(t, c.Line)
			for _, v := range c.Given {
				require.True(t, utf8.ValidString(v.Text) && len(v.Text) <= domain.MaxValue)
			}
			require.True(t, c.Original == nil || json.Valid(c.Original), "%q", c.Original)
		}
	})
}

// FuzzXLSXArchive proves that every file that claims to be a workbook is read, or is a broken file.
func FuzzXLSXArchive(f *testing.F) {
	f.Add([]byte(archive(f, parts(header+`<row><c t="s"><v>3</v></c></row>`))))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, file []byte) {
		_, err := candidatesOf(string(file), ports.FileHint{Format: ports.FormatXLSX})
		if err != nil && !errors.Is(err, domain.ErrBrokenFile) {
			require.NoError(t, err)
		}
	})
}
