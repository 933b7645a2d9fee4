package browser_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A size is the size of a window and the font size that the user has set in the browser, in pixels.
type size struct{ width, height, font int64 }

// sizes are those that leave the least room. The first is a window of 1280 pixels at a zoom of 400 %.
var sizes = []size{{320, 256, 16}, {320, 640, 32}, {390, 844, 32}, {700, 900, 32}, {1280, 800, 32}}

func (s size) String() string { return fmt.Sprintf("%d pixels, font %d", s.width, s.font) }

func (v *visitor) resize(to size) {
	v.t.Helper()
	v.do(
		chromedp.EmulateViewport(to.width, to.height),
		call(page.SetFontSizes, page.SetFontSizesParams{FontSizes: &page.FontSizes{Standard: to.font, Fixed: to.font}}),
	)
	v.drawn()
}

// misfits describes the parts of the page that do not fit: text that leaves the window or its box, that is clipped, or that overlaps
// another part. Parts that scroll are no misfits.
const misfits = `() => {
	const found = new Set();
	const isForReaders = element => element !== null && (getComputedStyle(element).clipPath !== "none" || isForReaders(element.parentElement));
	const shown = [...document.querySelectorAll("body *")].filter(element =>
		element.checkVisibility({visibilityProperty: true}) && !element.closest(".skip, svg, option") && !isForReaders(element));
	const name = element => element.tagName.toLowerCase() + (element.className && "." + element.className) + " " + (element.innerText ?? "").slice(0, 40);
	if (document.scrollingElement.scrollWidth > innerWidth) {
		found.add("the page is " + document.scrollingElement.scrollWidth + " wide");
		for (const element of shown) {
			if (element.getBoundingClientRect().right > innerWidth + 1) found.add("wider than the window: " + name(element));
		}
	}
	const parts = [];
	for (const element of shown) {
		if (element.matches(".button") && element.scrollWidth > element.clientWidth) found.add("cut off: " + name(element));
		if (element.matches("input, select, button, canvas, progress")) {
			const {left, right, top, bottom} = element.getBoundingClientRect();
			parts.push({element, left: left + 1, right: right - 1, top: top + 1, bottom: bottom - 1});
		}
		for (const node of element.childNodes) {
			if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue;
			const range = document.createRange();
			range.selectNodeContents(node);
			let box = element;
			while (getComputedStyle(box).display === "inline") box = box.parentElement;
			for (const rect of range.getClientRects()) {
				if (rect.width < 2) continue;
				const {left, right} = box.getBoundingClientRect();
				if (rect.right > right + 1 || rect.left < left - 1) {
					if (getComputedStyle(box).overflowX === "visible") found.add("text leaves its box: " + name(element));
				}
				let seen = true;
				for (let around = element; around; around = around.parentElement) {
					const {overflowX, overflowY} = getComputedStyle(around), edge = around.getBoundingClientRect();
					if ([overflowX, overflowY].some(value => value === "auto" || value === "scroll")) {
						seen = rect.right <= edge.right && rect.left >= edge.left && rect.bottom <= edge.bottom && rect.top >= edge.top;
						break;
					}
					if (overflowX !== "visible" && (rect.right > edge.right + 1 || rect.left < edge.left - 1 || rect.bottom > edge.bottom + 4)) {
						found.add("clipped: " + name(element));
					}
				}
				const {left: l, right: r, top, bottom, height} = rect; // of which a line takes the middle
				if (seen) parts.push({element, node, left: l, right: r, top: top + height / 4, bottom: bottom - height / 4});
			}
		}
	}
	for (const [i, a] of parts.entries()) {
		for (let j = i + 1; j < parts.length; j++) {
			const b = parts[j];
			if (Math.min(a.right, b.right) - Math.max(a.left, b.left) <= 2 || Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) <= 2) continue;
			if (a.element.contains(b.element) && a.element !== b.element || b.element.contains(a.element) && a.element !== b.element) {
				if (!a.node || !b.node) continue; // the text of a button
			}
			if (a.node && a.node === b.node || a.element === b.element && !(a.node && b.node) || a.element.matches(".reveal") || b.element.matches(".reveal")) continue;
			found.add("overlap: " + name(a.element) + " and " + name(b.element));
		}
	}
	return [...found];
}`

// TestPagesFitEverySize opens pages with long words, and looks for text that cannot be read.
func TestPagesFitEverySize(t *testing.T) {
	const word = "достопримечательность"
	long := strings.Repeat("щ", 64)
	longName := strings.Repeat(word, 4)
	p := start(t)
	v := visit(t, p.url, look{language: "ru"})
	check := func(state string) {
		t.Helper()
		for _, to := range sizes {
			v.resize(to)
			if wrong := eval[[]string](v, misfits); len(wrong) > 0 {
				t.Errorf("%s at %s:\n  %s", state, to, strings.Join(wrong, "\n  "))
			}
		}
	}
	for _, path := range []string{"/", "/help", "/help/api", "/help/formats", "/login?next=%2Fprofile"} {
		v.open(path)
		check(path)
	}
	v.load(http.StatusNotFound, v.to("/nowhere"))
	check("unknown page")
	v.open(setupLink.FindStringSubmatch(p.logged())[1])
	check("setup")
	v.open("/register")
	check("registration")
	v.submit(http.StatusUnprocessableEntity, badValues())
	check("rejected registration")
	values := anna()
	values["login"], values["lname"] = long, longName
	v.submit(http.StatusOK, values)
	check("profile without imports")
	v.open("/account/password")
	check("change of password")
	v.open("/logout")
	check("confirmation of signing out")

	require.Equal(t, http.StatusOK, p.importAll(t,
		person(strings.Repeat("ю", 64), object{"last_name": longName, "email": "u@example.com"}), person("somov", object{"email": "nowhere", "phone": "12", "birthday": "31.02.2000"}),
		person(strings.Repeat("ы", 70), nil)))
	v.open("/profile?open=1&reason=email:invalid&login=" + long)
	v.open("/profile?open=1")
	check("report")
	eval[bool](v, `() => { for (const table of document.querySelectorAll(".chart details")) table.open = true; return true }`)
	check("tables of charts")
	v.open("/useradd/imports/1")
	check("import")
	v.open("/users?group=" + word + "&sort=name")
	check("people of an unknown group")
	v.open("/users")
	check("people")
	v.load(http.StatusBadRequest, v.to("/users?q=%00&status=x&import=x"))
	check("people with an invalid filter")
	v.open("/audit")
	check("audit")
	for _, path := range []string{"/users/1", "/users/1/edit", "/users/change/delete?id=1"} {
		v.open(path)
		check(path)
	}

	v.open("/useradd/upload")
	v.upload(caseFile(t, "A30-encoding-unclear/people.csv"))
	v.headed("Выберите кодировку")
	check("unclear encoding")
	v.upload(caseFile(t, "E03-sheet-per-class/people.xlsx"))
	v.headed("Проверено, никто пока не зарегистрирован")
	check("sheets")
	v.upload(fileOf(t, person(strings.Repeat("ж", 64), object{"first_name": longName, "email": "zh@example.com", "group": longName, word + word: word}),
		person("ershova", nil), person("orlov", object{"email": "nowhere"})))
	v.headed("Проверено, никто пока не зарегистрирован")
	check("checked upload")
	v.load(http.StatusOK, click(".submit button"))
	v.headed("Готово")
	check("imported upload")
	v.load(http.StatusOK, click(`a[href$="/slips"]`))
	check("slips")
	v.open("/useradd/uploads")
	check("list of uploads")
	v.open("/useradd/upload")
	eval[bool](v, `name => {
		const template = document.querySelector("template").content;
		for (const part of [".state", "progress", ".reason"]) {
			const file = template.firstElementChild.cloneNode(true);
			file.querySelector("b").textContent = name;
			file.querySelector(part).hidden = false;
			file.querySelector(part).textContent = name;
			document.querySelector(".queue").append(file);
		}
		return true;
	}`, longName+".csv")
	check("upload of files")
}
