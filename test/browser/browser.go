// Package browser tests the pages in Chromium: with a mouse, with the keyboard alone, on a phone, in both languages, with and
// without scripts, and for accessibility. It consists of tests only, which need chromium in PATH.
package browser
