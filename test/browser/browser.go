// Package browser tests the pages in Chromium: with a mouse, with the keyboard alone, on a phone, in both languages, with and
// without scripts, with forced colours and a large font, and for accessibility. One test takes the main walk through the pages in
// Firefox. The package consists of tests only, which need chromium in PATH; without firefox-esr that test is skipped.
package browser
