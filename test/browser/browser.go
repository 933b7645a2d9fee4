// Package browser tests the pages as a person meets them, in Chromium: by eye and by ear, with a mouse, with the keyboard
// alone, on a phone, in either language, with scripts and without. It has nothing but tests; they need chromium in PATH.
package browser
