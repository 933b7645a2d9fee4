package browser_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
)

var setupLink = regexp.MustCompile(`url="http://[^/]+(/setup\?code=[^"]+)"`)

// registerOperator registers a visitor as the first operator, with the setup link from the program's log.
func (p *program) registerOperator(v *visitor, values fields) {
	v.t.Helper()
	link := setupLink.FindStringSubmatch(p.logged())
	require.NotNil(v.t, link, "the log has no setup link")
	v.open(link[1])
	v.register(values)
}

// fileOf writes people to a file, and returns its path.
func fileOf(t *testing.T, people ...object) string {
	t.Helper()
	content, err := json.Marshal(people)
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "list of people.json")
	require.NoError(t, os.WriteFile(name, content, 0o600))
	return name
}

// crowd returns many people, the last of whom is rejected.
func crowd(many int) []object {
	people := make([]object, many)
	for i := range people {
		people[i] = person(fmt.Sprintf("person%06d", i), nil)
	}
	people[many-1]["email"] = "nowhere"
	return people
}

// upload chooses a file on the upload page, sends it, and waits for the page of the upload.
func (v *visitor) upload(path string) {
	v.t.Helper()
	v.open("/useradd/upload")
	v.do(choose(path))
	v.do(click("[data-upload] button[type=submit]"))
	v.isUploaded()
}

func choose(paths ...string) action {
	return chromedp.SetUploadFiles(chromedp.CSS("#file"), paths)
}

// isUploaded waits for the page of an upload.
func (v *visitor) isUploaded() {
	v.t.Helper()
	v.sees("the upload", func() bool {
		at, err := run(v, chromedp.Location())
		return err == nil && strings.Contains(at, "/useradd/uploads/")
	})
}

// headed waits until the page has a heading. Meanwhile it may load another page.
func (v *visitor) headed(heading string) {
	v.t.Helper()
	const first = `document.readyState === "complete" && document.querySelector("h1")?.innerText || ""`
	v.sees(heading, func() bool {
		seen, err := run(v, chromedp.Evaluate[string](first))
		return err == nil && seen == heading
	})
}

func TestUpload(t *testing.T) {
	p := start(t)
	v := p.visit(t)
	p.registerOperator(v, anna())
	v.load(http.StatusOK, click(`#report a[href="/useradd/upload"]`))
	v.isAccessible("page of uploads")
	v.do(choose(fileOf(t, person("lebedeva", nil), person("somov", object{"email": "nowhere"}), person("orlov", nil))))
	v.do(click("[data-upload] button[type=submit]"))
	v.isUploaded()
	v.headed("Checked, no one registered yet")
	require.Equal(t, "Records 3 Can be registered 2 Will be rejected 1", v.text(".tally"))
	require.Equal(t, []string{"2 somov Email is not a valid address: give one address, such as anna@example.com."}, v.texts(".rejections tbody tr"))
	require.Contains(t, v.text(".understood"), "JSON")
	v.isAccessible("checked upload")
	v.load(http.StatusOK, click(".submit button"))
	v.headed("Done")
	v.hasFocus("h1")
	require.Equal(t, "Records 3 Registered 2 Rejected 1", v.text(".tally"))
	v.isAccessible("imported upload")

	sheet := v.download(`a[href$="credentials.csv"]`)
	require.Equal(t, http.StatusOK, sheet.status)
	require.Contains(t, sheet.body, `,"lebedeva",`)
	require.Equal(t, http.StatusOK, v.download(`a[href$="credentials.xlsx"]`).status)
	v.load(http.StatusOK, click(`a[href$="/slips"]`))
	v.isAccessible("slips")
	require.Len(t, v.texts("section"), 2)
	v.load(http.StatusOK, click("header a"))
	v.load(http.StatusOK, click(`.more a[href^="/useradd/imports/"]`))
	require.Equal(t, []string{"2 somov Email is not a valid address: give one address, such as anna@example.com."}, v.texts(".rejections tbody tr"))
	v.isAccessible("record of an import")
}

func TestUploadByDragAndDrop(t *testing.T) {
	p := start(t)
	v := p.visit(t)
	p.registerOperator(v, anna())
	v.open("/useradd/upload")
	require.NotContains(t, v.text("main"), "The connection was lost")
	require.Contains(t, v.text("main"), "Or drop files")
	v.drop("dropped.json")
	v.isUploaded()
	v.headed("Checked, no one registered yet")
	require.Equal(t, "dropped.json", v.text(".sheet-head .lead"))
}

// drop drops files of one person on the page.
func (v *visitor) drop(names ...string) {
	v.t.Helper()
	content, err := json.Marshal([]object{person("lebedeva", nil)})
	require.NoError(v.t, err)
	eval[bool](v, `(content, names) => {
		const dataTransfer = new DataTransfer();
		for (const name of names) dataTransfer.items.add(new File([content], name));
		for (const type of ["dragenter", "dragover", "drop"])
			document.querySelector("h1").dispatchEvent(new DragEvent(type, {dataTransfer, bubbles: true, cancelable: true}));
		return true }`, string(content), names)
}

// slowProgress makes the clock of pages ten times as fast, keeps the upload of a page in progress, and notes when a page announces it.
const slowProgress = `
	const now = performance.now.bind(performance), wait = setTimeout;
	performance.now = () => 10 * now();
	window.setTimeout = (then, time) => wait(then, time / 10);
	if (location.pathname.startsWith("/useradd/uploads/")) {
		let objects = 0;
		window.fetch = async () => Response.json(
			{state: document.querySelector("[data-watch]").dataset.state, share: 0.5, objects: ++objects + " records", rate: "", left: "9 s left"});
	}
	window.times = [];
	addEventListener("DOMContentLoaded", () => {
		const region = document.querySelector("[role=status][data-announced]");
		if (region) new MutationObserver(() => times.push(performance.now())).observe(region, {childList: true});
	});`

// Screen readers read the progress aloud, at most every ten seconds.
func TestUploadProgressIsAnnounced(t *testing.T) {
	p := start(t)
	v := p.visit(t)
	p.registerOperator(v, anna())
	v.do(call(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: slowProgress}))
	release := p.holdImports(t)
	v.upload(fileOf(t, crowd(2)...))
	v.headed("Checking")
	var times []float64
	v.sees("announcements", func() bool {
		times = eval[[]float64](v, `() => times`)
		return len(times) > 1
	})
	const rest = 9_900 // ms; timers round to milliseconds, of which each is ten
	require.Greater(t, times[0], float64(rest))
	require.Greater(t, times[1]-times[0], float64(rest))
	require.Regexp(t, `^\d+ records, 9 s left$`, v.text("[data-announced]"))
	v.hasFocus("h1")
	release()
}

// A page that is closed or loaded again shows the current progress, and the result at the end.
func TestUploadProgress(t *testing.T) {
	p := start(t)
	v := p.visit(t)
	p.registerOperator(v, anna())
	release := p.holdImports(t)
	v.upload(fileOf(t, crowd(5_510)...))
	address := v.path()
	v.headed("Checking")
	v.isAccessible("upload being checked")
	records := func() string { return v.text("[data-objects]") }
	v.open("/profile")
	v.open(address)
	v.headed("Checking")
	release()
	v.sees("the bar", func() bool { return strings.Contains(records(), "records") || !v.has("[data-watch]") })
	v.patientlyHeaded("Checked, no one registered yet")
	release = p.holdImports(t)
	v.load(http.StatusOK, click(".submit button"))
	v.headed("Registering")
	v.open(address)
	release()
	v.patientlyHeaded("Done")
	require.Equal(t, "Records 5,510 Registered 5,509 Rejected 1", v.text(".tally"))

	v.load(http.StatusOK, click(`a[href$="/slips"]`))
	v.isAccessible("parts of slips")
	require.Len(t, v.texts(".parts li"), 12)
	require.Equal(t, "One page can't show more than 5,000 slips.", v.text(".whole"))
	v.load(http.StatusOK, click(".parts li:nth-child(12) a"))
	require.Len(t, v.texts("section"), 9)
	v.isAccessible("a part of slips")
	v.load(http.StatusOK, click(`nav a[rel="prev"]`))
	require.Equal(t, "Slips 5,001–5,500 of 5,509 — Rollcall", eval[string](v, `() => document.title`))
}

func (v *visitor) patientlyHeaded(heading string) {
	v.t.Helper()
	until(3*patience, func() bool {
		seen, err := run(v, chromedp.Evaluate[string](`document.querySelector("h1")?.innerText || ""`))
		return err == nil && seen == heading
	})
	v.headed(heading)
}

func TestUploadIsCancelled(t *testing.T) {
	p := start(t)
	v := p.visit(t)
	p.registerOperator(v, anna())
	release := p.holdImports(t)
	v.upload(fileOf(t, crowd(2)...))
	v.headed("Checking")
	v.load(http.StatusOK, click(".cancels button"))
	v.patientlyHeaded("Cancelled, no one registered")
	release()
	v.isAccessible("cancelled upload")
	v.open("/profile")
	require.Empty(t, v.descriptions(), "no import is stored")
}

func TestRejectedUpload(t *testing.T) {
	p := start(t)
	v := p.visit(t)
	p.registerOperator(v, anna())
	v.open("/useradd/upload")
	eval[bool](v, `() => { document.querySelector("#file").required = false; return true }`)
	v.do(click("[data-upload] button[type=submit]"))
	v.expected = append(v.expected, "400 /useradd/upload")
	v.sees("why", func() bool { return v.text(".message.bad") == "Choose a file first." })
	v.isAccessible("rejected upload")
	require.False(t, eval[bool](v, `() => document.querySelector("[data-upload] button").disabled`), "another file can be sent")
	require.Equal(t, []string{"Choose a file first."}, eval[[]string](v, `() => [...document.querySelectorAll(".message")].filter(e => e.checkVisibility()).map(e => e.innerText.trim())`), "no other message")
	document := filepath.Join(t.TempDir(), "people.xlsx")
	require.NoError(t, os.WriteFile(document, []byte("%PDF-1.4\n"), 0o600))
	v.do(choose(document), click("[data-upload] button[type=submit]"))
	v.expected = append(v.expected, "400 /useradd/upload")
	v.sees("what the file is", func() bool {
		return v.text(".message.bad") == "This is a PDF document. Ask for the table itself, as .xlsx or CSV."
	})
	broken := filepath.Join(t.TempDir(), "broken.json")
	require.NoError(t, os.WriteFile(broken, []byte("["+strings.Repeat("1,", 20)), 0o600))
	v.do(choose(broken), click("[data-upload] button[type=submit]"))
	v.isUploaded()
	v.headed("Failed, no one registered")
	v.isAccessible("failed upload")
}

func TestPagesOfOperatorsAreAccessible(t *testing.T) {
	for _, c := range []struct {
		language string
		headings []string
	}{
		{"ru", []string{"Проверено, никто пока не зарегистрирован", "Готово"}},
		{"en", []string{"Checked, no one registered yet", "Done"}},
	} {
		t.Run(c.language, func(t *testing.T) {
			p := start(t)
			looks := []look{{language: c.language, phone: true, dark: c.language == "en"}, {language: c.language, dark: c.language == "ru"}}
			v := visit(t, p.url, looks[0])
			p.registerOperator(v, anna())
			check := func(state string) {
				t.Helper()
				for _, as := range looks {
					v.look(as)
					v.isAccessible(state + " " + as.String())
					if as.phone {
						v.fits(state)
					}
				}
				v.look(looks[0])
			}
			v.upload(fileOf(t, person("lebedeva-of-the-long-login-that-fills-a-phone.line", object{"email": "l@example.com"}), person("somov", object{"email": "nowhere"})))
			v.headed(c.headings[0])
			check("checked")
			v.load(http.StatusOK, click(".submit button"))
			v.headed(c.headings[1])
			check("imported")
			imported := v.address()
			v.load(http.StatusOK, click(`a[href^="/useradd/imports/"]`))
			check("import")
			v.load(http.StatusOK, click(`a[href^="/users?import="]`))
			check("people")
			v.walkThrough()
			v.open(imported)
			v.load(http.StatusOK, click(`a[href$="/slips"]`))
			check("slips")
			v.open("/useradd/upload")
			check("uploads")
			v.load(http.StatusBadRequest, v.to("/users?q=%00&status=x&registered_to=soon"))
			check("people with an invalid filter")
			v.open("/audit")
			check("audit")
			v.load(http.StatusBadRequest, v.to("/audit?person=nobody&from=soon"))
			check("audit with an invalid filter")
		})
	}
}

// Printed slips are black on white, and no slip is split between pages. A page of A4 or Letter has eight, and each group begins a new one. One
// group can be printed by itself.
func TestSlipsArePrinted(t *testing.T) {
	p := start(t)
	v := p.visit(t)
	p.registerOperator(v, anna())
	people := crowd(30)
	for i := range people {
		people[i]["group"] = []string{"7А", "7Б", "Отдел кадров"}[i/10] // 10, 10 and 9 people
	}
	v.upload(fileOf(t, people...))
	v.headed("Checked, no one registered yet")
	v.load(http.StatusOK, click(".submit button"))
	v.headed("Done")
	v.load(http.StatusOK, click(`a[href$="/slips"]`))
	require.Len(t, v.texts("section"), 29)
	prints := func(pages int, height float64) {
		v.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			paper, err := cdp.Call(ctx, target, page.PrintToPDF, page.PrintToPDFParams{PaperWidth: 8.27, PaperHeight: height})
			require.Len(t, regexp.MustCompile(`/Type /Page\b`).FindAll(paper.Data, -1), pages)
			return err
		}))
	}
	eval[bool](v, `() => { window.print = () => {}; return true }`)
	v.do(click("#group-1 [data-print]"))
	prints(2, 11.69)
	for _, height := range []float64{11.69, 11} {
		prints(6, height)
	}
	v.do(call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}))
	require.Equal(t, []string{"none", "avoid"}, eval[[]string](v, `() => [
		getComputedStyle(document.querySelector("header")).display, getComputedStyle(document.querySelector(".row")).breakInside]`))
	shot, err := run(v, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	picture, err := png.Decode(bytes.NewReader(shot))
	require.NoError(t, err)
	dark, bounds := 0, picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			if r, g, b, _ := picture.At(x, y).RGBA(); r+g+b < 3*0x4000 {
				dark++
			}
		}
	}
	require.Greater(t, dark, 10_000, "dark pixels on the paper")
}

// A CSV file saved by an office program on Russian Windows is read, shown and registered, and its passwords are handed out.
func TestSpreadsheetOfWindows(t *testing.T) {
	p := start(t)
	v := visit(t, p.url, look{language: "ru", phone: true})
	p.registerOperator(v, anna())
	sheet, err := charmap.Windows1251.NewEncoder().String("Фамилия;Имя;Отчество;Логин;Эл. почта;Телефон;Дата рождения;Класс\r\n" +
		"Ёлкина;Жанна;Щербаковна;elkina;elkina@example.com;8 916 123-45-67;29.02.2000;7 «Б»\r\n" +
		"\"Сомов; мл.\";Пётр;Ильич;somov;нигде;;;\r\n")
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "класс.csv")
	require.NoError(t, os.WriteFile(name, []byte(sheet), 0o600))
	v.upload(name)
	v.headed("Проверено, никто пока не зарегистрирован")
	require.Contains(t, v.text(".understood"), "Windows-1251")
	require.Contains(t, v.text(".understood"), "7 «Б»")
	require.Contains(t, v.text(".understood"), "Ёлкина")
	require.Contains(t, v.text(".rejections tbody tr"), "2 строка 3 somov")
	for _, as := range []look{{language: "ru", phone: true}, {language: "ru", dark: true}} {
		v.look(as)
		v.isAccessible("preview of a sheet " + as.String())
		if as.phone {
			v.fits("preview of a sheet")
		}
	}
	v.load(http.StatusOK, click(".submit button"))
	v.headed("Готово")
	credentials := v.download(`a[href$="credentials.csv"]`)
	require.Regexp(t, `;"elkina";"[a-z0-9-]{27}";"7 «Б»"`, credentials.body)
	v.load(http.StatusOK, click(`a[href$="/slips"]`))
	require.Contains(t, v.text("section"), "elkina")
	require.Contains(t, v.text("section"), "7 «Б»")
}
