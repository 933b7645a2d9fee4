package domain

import (
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// UploadState says how far the import of an uploaded file has come.
type UploadState string

// The states of uploads.
const (
	UploadChecking  UploadState = "checking"  // a dry run finds out what would come of it
	UploadChecked   UploadState = "checked"   // its user decides
	UploadImporting UploadState = "importing" // people are being registered
	UploadImported  UploadState = "imported"
	UploadFailed    UploadState = "failed"    // nobody was registered
	UploadCancelled UploadState = "cancelled" // nobody was registered
)

// UploadFailure says why an upload has failed. Failures are stable: they are stored, and translated at the edge.
type UploadFailure string

// The failures of uploads.
const (
	UploadBroken         UploadFailure = "broken_file"
	UploadTooManyRecords UploadFailure = "too_many_objects"
	UploadTooSlow        UploadFailure = "too_slow"
	UploadInternal       UploadFailure = "internal"
)

// UploadFailures lists every failure, for whoever must have a word for each.
func UploadFailures() []UploadFailure {
	return []UploadFailure{UploadBroken, UploadTooManyRecords, UploadTooSlow, UploadInternal}
}

const (
	// UploadPatience is how long nothing may be heard of a job until it is taken for interrupted.
	UploadPatience = 15 * time.Second

	// MaxRejectionsShown is how many of the refusals of a dry run are kept to be shown.
	MaxRejectionsShown = 20

	maxRowsShown    = 10
	maxColumnsShown = 40
	maxFileName     = 100 // characters
)

// Upload is a file that a user has uploaded, and what became of it.
type Upload struct {
	ID   string // that nobody can guess
	User int64
	Name string // of the file, fit to be shown
	Hint FileHint
	Size int64 // bytes

	Layout     FileLayout
	State      UploadState
	Strict     bool   // everybody is to be registered, or nobody
	Job        string // that works on it; empty for none
	Done       Progress
	Import     int64         // id of its record; 0 for none
	Failure    UploadFailure // why it failed
	Detail     string        // where and how its file is broken, in English
	Rejections []Rejection   // the first ones of the dry run

	Created time.Time
	Worked  time.Duration // since its job began
	Silent  time.Duration // since something was heard of its job
}

// Key returns the key that finds the answer to the upload's import. It contains a blank, and NewImportKey rejects blanks: no
// request can send this key, not even with the id of the upload.
func (u *Upload) Key() ImportKey { return ImportKey{Value: "upload " + u.ID} }

// IsWorkedOn tells of an upload that waits for a job, not for its user.
func (u *Upload) IsWorkedOn() bool { return u.State == UploadChecking || u.State == UploadImporting }

// IsInterrupted tells of an upload that is to be worked on, and is not. It can be started again.
func (u *Upload) IsInterrupted() bool {
	return u.IsWorkedOn() && (u.Job == "" || u.Silent > UploadPatience)
}

// IsOver tells of an upload whose file is needed no more.
func (u *Upload) IsOver() bool { return !u.IsWorkedOn() && u.State != UploadChecked }

// FileName makes a name of a file fit to be shown: without its folders, in one line, and not too long.
func FileName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, "\uFFFD"), `\`, "/"))
	name = fitText(name, maxFileName)
	switch strings.TrimSpace(name) {
	case "", ".", "..", "/":
		return ""
	}
	return name
}

// Shown is as much of a layout as can be shown, every text fit for that. The texts of a file may be of any kind and length.
func (l FileLayout) Shown() FileLayout {
	l.Encoding = fitText(l.Encoding, MaxLength)
	columns := slices.Clone(l.Columns[:min(len(l.Columns), maxColumnsShown)])
	for i := range columns {
		columns[i].Header = fitText(columns[i].Header, MaxLength)
	}
	rows := make([][]string, 0, maxRowsShown)
	for _, row := range l.Rows[:min(len(l.Rows), maxRowsShown)] {
		cells := make([]string, len(columns))
		for i := range min(len(row), len(columns)) {
			cells[i] = fitText(row[i], MaxLength)
		}
		rows = append(rows, cells)
	}
	l.Columns, l.Rows = columns, rows
	return l
}

// fitText is a text in one line of at most so many characters, with nothing in it that cannot be seen.
func fitText(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r), isControl(r):
			return utf8.RuneError
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
