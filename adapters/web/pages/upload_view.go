package pages

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/locale"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
	"rollcall/ports"
)

// uploadItemView is an upload in a list. For a change of many people it has the action and the number of people.
type uploadItemView struct {
	URL, Name, Size, State string
	Time                   locale.Moment
}

func newUploadItemView(upload *ports.Upload, words *locale.Words) uploadItemView {
	name, size := upload.Name, words.Size(upload.Size)
	switch {
	case upload.Change != nil:
		name, size = words.Text("bulk."+string(upload.Change.Action)), people(upload.Change.Users, words)
	case name == "":
		name = words.Text("upload.unnamed")
	}
	return uploadItemView{
		URL: urls.Uploads + upload.ID, Name: name, Size: size, State: words.Text(stateID(upload)), Time: words.Time(upload.Created),
	}
}

// uploadListView is the list of a user's uploads. The views of pages with the list embed it.
type uploadListView struct {
	Base

	Uploads []listedUploadView
	Left    ports.UploadShare // what the user may upload before an undecided upload gives way
	Working bool              // a job of a listed upload is running or waiting
	Clean   []string          // ids of checked uploads without rejections and notes; nil unless there are several
}

// listedUploadView is an upload that can be started or cancelled in the list.
type listedUploadView struct {
	uploadItemView

	ID           string
	Is           uploadState
	Progress     progressView
	Figures      []figureView // nil while unknown
	Reason       string       // why it failed or was cancelled
	Notes        []string     // on what is ignored
	Starts, Ends bool         // can be started, and cancelled
}

// list fills in the list of a user's uploads, which a script keeps up to date.
func (u *Uploads) list(c *fiber.Ctx, user *domain.User, v *uploadListView) error {
	uploads, err := u.Uploads.Latest(c.UserContext(), user.ID, latestUploads)
	if err != nil {
		return err
	}
	words := u.Locale.Words(c)
	for i := range uploads {
		upload := &uploads[i]
		shown := newListedUploadView(upload, words)
		v.Uploads = append(v.Uploads, shown)
		v.Working = v.Working || shown.Is.Working
		if shown.Is.Checked && shown.Starts && upload.Done.Rejected == 0 && shown.Notes == nil {
			v.Clean = append(v.Clean, upload.ID)
		}
	}
	if len(v.Clean) < 2 {
		v.Clean = nil
	}
	v.Left = ports.UploadShare{Uploads: ports.MaxUndecidedUploads, Bytes: u.MaxUser}.Left(uploads)
	v.Scripts = []string{"upload.js"}
	return nil
}

// maxListedNotes is the number of notes on an upload in the list. Its page has all.
const maxListedNotes = 3

func newListedUploadView(upload *ports.Upload, words *locale.Words) listedUploadView {
	v := listedUploadView{
		uploadItemView: newUploadItemView(upload, words), ID: upload.ID, Is: stateOf(upload), Progress: newProgressView(upload, words),
		Starts: upload.IsInterrupted() || upload.State == domain.UploadChecked && upload.Done.Registered > 0, Ends: !upload.State.IsOver(),
	}
	if v.Is.Checked || v.Is.Imported {
		v.Figures = figuresOf(upload, words)
	}
	if v.Is.Checked {
		notes := upload.Layout.Notes
		notes.Sheets = slices.DeleteFunc(slices.Clone(notes.Sheets), func(sheet ports.SheetNote) bool { return sheet.Read })
		v.Notes = fileNotes(&notes, words)
		if len(v.Notes) > maxListedNotes {
			v.Notes = append(v.Notes[:maxListedNotes], "…")
		}
	}
	if upload.Failure != "" {
		v.Reason = words.Text("upload.failure." + string(upload.Failure))
	}
	return v
}

// figureView is the number of a kind of records of an upload.
type figureView struct{ Kind, Name, Number string }

// figuresOf returns the figures of an upload: how many records there are, how many were or would be registered, and how many rejected.
func figuresOf(upload *ports.Upload, words *locale.Words) []figureView {
	tally, registered, rejected := &upload.Done.Tally, "report.registered", "report.rejections"
	records := "report.records"
	switch {
	case upload.Change != nil:
		records, registered, rejected = "bulk.selected", "bulk.changed", "bulk.left_out"
	case upload.State == domain.UploadChecked:
		registered, rejected = "upload.would", "upload.would_not"
	}
	figures := []figureView{
		{"", words.Text(records), words.Number(tally.Records)},
		{"registered", words.Text(registered), words.Number(tally.Registered)},
		{"", words.Text(rejected), words.Number(tally.Rejected)},
	}
	if tally.Rejected > 0 && upload.Change == nil {
		figures[2].Kind = "rejected"
	}
	return figures
}

// stateName returns the state of an upload, which may be interrupted.
func stateName(upload *ports.Upload) string {
	if upload.IsInterrupted() {
		return "interrupted"
	}
	return string(upload.State)
}

// stateID returns the message for the state of an upload.
func stateID(upload *ports.Upload) string {
	if upload.Change != nil {
		return "bulk.state." + stateName(upload)
	}
	return "upload.state." + stateName(upload)
}

// progressView is the progress of an upload. The page's script also reads it as JSON.
type progressView struct {
	State   string  `json:"state"`   // of domain.UploadState, or "interrupted"
	Share   float64 `json:"share"`   // of the file, 0 to 1
	Objects string  `json:"objects"` // how many records are done
	Rate    string  `json:"rate"`    // empty while unknown
	Left    string  `json:"left"`    // time until the end; empty while unknown
}

func newProgressView(upload *ports.Upload, words *locale.Words) progressView {
	done := &upload.Done
	v := progressView{State: stateName(upload), Objects: words.Text("upload.waiting")}
	if done.Records == 0 {
		return v
	}
	v.Objects = words.Text("upload.records", "Count", done.Records, "Number", words.Number(done.Records))
	if upload.Change != nil {
		v.Objects = people(done.Records, words)
	}
	if done.Size > 0 {
		v.Share = min(1, float64(done.Bytes)/float64(done.Size))
	}
	const least = time.Second // a rate over less time is a guess
	if upload.Worked < least {
		return v
	}
	rate := int(float64(done.Records) / upload.Worked.Seconds())
	if upload.Change == nil {
		v.Rate = words.Text("upload.rate", "Count", rate, "Number", words.Number(rate))
	}
	if v.Share > 0 {
		v.Left = timeLeft(time.Duration(float64(upload.Worked)*(1-v.Share)/v.Share), words)
	}
	return v
}

// timeLeft says approximately how much time is left.
func timeLeft(left time.Duration, words *locale.Words) string {
	if left < 90*time.Second {
		seconds := int(left.Seconds()) + 1
		return words.Text("upload.left.seconds", "Count", seconds, "Number", words.Number(seconds))
	}
	count := minutes(left)
	return words.Text("upload.left.minutes", "Count", count, "Number", words.Number(count))
}

// uploadView is the view of the page of an upload.
type uploadView struct {
	Base
	credentialsView

	Upload      uploadItemView
	State       uploadState
	Progress    progressView
	Hint        string         // while it is working
	Description []termView     // of the file
	Notes       []string       // on what is ignored
	Encodings   []encodingView // that the file may have
	Choices     *choicesView   // of a file that can be read in another way; nil for none
	Columns     []columnView
	Rows        [][]string // the first ones

	Figures         []figureView
	NotAll          bool // a record was rejected
	Anybody         bool // someone was registered, or would be
	Rejections      *rejectionsView
	Import          string   // address
	People          linkView // to the people whom it registered; with an empty name for none
	Failure, Detail string
	DetailIsEnglish bool
}

// uploadState is the state of an upload. Working is also true while it is imported.
type uploadState struct {
	Unclear, Working, Importing, Interrupted, Failed, Cancelled, Checked, Imported bool
}

func stateOf(upload *ports.Upload) uploadState {
	if upload.IsInterrupted() {
		return uploadState{Interrupted: true}
	}
	return uploadState{
		Unclear:   upload.State == domain.UploadUnclear,
		Working:   upload.State.NeedsJob(),
		Importing: upload.State == domain.UploadImporting,
		Failed:    upload.State == domain.UploadFailed,
		Cancelled: upload.State == domain.UploadCancelled,
		Checked:   upload.State == domain.UploadChecked,
		Imported:  upload.State == domain.UploadImported,
	}
}

// termView is a term with its description.
type termView struct{ Name, Value string }

// encodingView is an encoding that a file may have, with words of the file.
type encodingView struct {
	Charset, Name string
	Words         []string
}

// choicesView has the other ways in which a file can be read.
type choicesView struct {
	Sheets []optionView // nil if there is one only
	Dates  []optionView // orders; nil if there is no doubt
}

// newChoicesView returns nil if the file can be read in one way only.
func newChoicesView(upload *ports.Upload, words *locale.Words) *choicesView {
	var v choicesView
	notes := &upload.Layout.Notes
	if len(notes.Sheets) > 1 {
		for _, it := range notes.Sheets {
			v.Sheets = append(v.Sheets, optionView{it.Name, rowsOf(&it, words), it.Read})
		}
	}
	if order := upload.Hint.Dates; notes.AmbiguousDates > 0 || order != domain.UnsaidOrder {
		for _, it := range []domain.DateOrder{domain.DayFirst, domain.MonthFirst} {
			v.Dates = append(v.Dates, optionView{string(it), words.Text("upload.dates." + string(it)), it == order})
		}
	}
	if v.Sheets == nil && v.Dates == nil {
		return nil
	}
	return &v
}

// choose sets the choices that the language switch of a browser without scripts has sent.
func (v *choicesView) choose(c *fiber.Ctx) {
	query, _ := url.ParseQuery(string(c.Request().URI().QueryString())) // without what cannot be parsed
	if !query.Has("sheet") && !query.Has("dates") {
		return
	}
	for name, options := range map[string][]optionView{"sheet": v.Sheets, "dates": v.Dates} {
		for i := range options {
			options[i].Chosen = slices.Contains(query[name], options[i].Value)
		}
	}
}

// rowsOf returns the name of a sheet with its number of rows.
func rowsOf(it *ports.SheetNote, words *locale.Words) string {
	return words.Text("upload.sheet", "Text", it.Name, "Count", it.Rows, "Number", words.Number(it.Rows))
}

// encodingName returns the usual spelling of an encoding's name.
func encodingName(charset string) string {
	if charset == "macintosh" {
		return "Mac Roman"
	}
	switch script, isMac := strings.CutPrefix(charset, "x-mac-"); {
	case script == "ce":
		return "Mac Central Europe"
	case isMac:
		return "Mac " + strings.ToUpper(script[:1]) + script[1:]
	}
	return strings.Replace(strings.ToUpper(charset), "WINDOWS", "Windows", 1)
}

// columnView is a column of a file.
type columnView struct {
	Header, Field string
	Ignored       bool
}

// fileFormatNames are the names of formats, the same in every language.
var fileFormatNames = map[ports.FileFormat]string{
	ports.FormatJSON: "JSON", ports.FormatNDJSON: "JSON Lines", ports.FormatCSV: "CSV", ports.FormatXLSX: "Excel (XLSX)",
}

var delimiterIDs = map[rune]string{',': "upload.delimiter.comma", ';': "upload.delimiter.semicolon", '\t': "upload.delimiter.tab", '|': "upload.delimiter.pipe", '\x1f': "upload.delimiter.unit"}

// showUpload shows an upload: its progress, the result of its dry run, or the result of its import.
func (u *Uploads) showUpload(c *fiber.Ctx, user *domain.User) error {
	upload, err := u.Uploads.Find(c.UserContext(), user.ID, c.Params("id"))
	if err != nil {
		return err
	}
	if upload.Change != nil {
		return u.showChange(c, user, upload)
	}
	words := u.Locale.Words(c)
	v := newUploadView(upload, words)
	v.Scripts, v.Refreshes = []string{"upload.js"}, v.State.Working
	if v.Choices != nil {
		v.SwitchForm = "choices"
		v.Choices.choose(c)
	}
	switch {
	case upload.State == domain.UploadImported:
		u.addCredentials(&v.credentialsView, upload, words)
		if upload.Done.Rejected > 0 {
			v.Rejections, _, err = u.rejectionsOf(c, upload.Import, 0)
		}
	case upload.State == domain.UploadChecked && upload.Rejections != nil:
		v.Rejections = newRejectionsView(upload.Rejections, words)
		err = u.addOwners(c, v.Rejections, upload.Rejections)
	}
	if err != nil {
		return err
	}
	return u.show(c, "uploaded", v)
}

func newUploadView(upload *ports.Upload, words *locale.Words) *uploadView {
	tally, item := upload.Done.Tally, newUploadItemView(upload, words)
	v := &uploadView{
		Base:   Base{Title: item.State},
		Upload: item, State: stateOf(upload), Progress: newProgressView(upload, words), Rows: upload.Layout.Rows,
		Figures: figuresOf(upload, words), NotAll: tally.Rejected > 0, Anybody: tally.Registered > 0,
	}
	v.Hint = words.Text("upload.checking.hint")
	if v.State.Importing {
		v.Hint = words.Text("upload.importing.hint")
	}
	layout := &upload.Layout
	v.Description = []termView{{words.Text("upload.file.size"), item.Size}, {words.Text("upload.file.format"), fileFormatNames[layout.Format]}}
	if layout.Encoding != "" && layout.Format != ports.FormatXLSX {
		encoding := encodingName(layout.Encoding)
		if layout.Evidence != "" {
			encoding += ", " + words.Text("upload.evidence."+string(layout.Evidence))
		}
		v.Description = append(v.Description, termView{words.Text("upload.file.encoding"), encoding})
	}
	if v.State.Unclear {
		for _, e := range layout.Encodings {
			v.Encodings = append(v.Encodings, encodingView{Charset: e.Charset, Name: encodingName(e.Charset), Words: e.Words})
		}
	}
	if v.State.Checked {
		v.Choices = newChoicesView(upload, words)
	}
	if id, known := delimiterIDs[layout.Delimiter]; known {
		v.Description = append(v.Description, termView{words.Text("upload.file.delimiter"), words.Text(id)})
	}
	for _, column := range layout.Columns {
		shown := columnView{Header: column.Header, Ignored: column.Field == domain.FieldRecord}
		if !shown.Ignored {
			shown.Field = words.Text("field." + string(column.Field))
		}
		v.Columns = append(v.Columns, shown)
	}
	v.Notes = fileNotes(&layout.Notes, words)
	if upload.Detail != "" {
		detail, isKnown := words.Phrase(upload.Detail)
		v.Detail, v.DetailIsEnglish = detail, !isKnown
	}
	if upload.Failure != "" {
		v.Failure = words.Text("upload.failure." + string(upload.Failure))
	}
	if upload.Import != 0 {
		v.Import, v.People = urls.Import(upload.Import), peopleOf(upload.Import, upload.Done.Registered, words)
	}
	return v
}

// fileNotes returns a sentence on each part of a file that is ignored, apart from columns that look like no field.
func fileNotes(notes *ports.FileNotes, words *locale.Words) (all []string) {
	for i := range notes.Sheets {
		id := "upload.note.sheet"
		if !notes.Sheets[i].Read {
			id = "upload.note.skipped_sheet"
		}
		all = append(all, words.Text(id, "Text", rowsOf(&notes.Sheets[i], words)))
	}
	if notes.HiddenRows > 0 {
		all = append(all, words.Text("upload.note.hidden_rows", "Number", words.Number(notes.HiddenRows)))
	}
	for _, row := range notes.PassedOver {
		all = append(all, words.Text("upload.note.passed_over", "Text", row))
	}
	for _, it := range notes.Ignored {
		id := "upload.note.like"
		switch {
		case it.Instead != "":
			id = "upload.note.instead"
		case it.Like == domain.FieldRecord:
			continue
		}
		all = append(all, words.Text(id, "Column", it.Header, "Field", words.Text("field."+string(it.Like)), "Instead", it.Instead))
	}
	return all
}

// credentialsView has the links to passwords.
type credentialsView struct {
	Credentials []linkView
	Slips       string        // address; empty when no passwords are available
	Until       locale.Moment // says how long they are
}

// addCredentials adds links to the passwords of an upload, as long as these are available.
func (u *Uploads) addCredentials(v *credentialsView, upload *ports.Upload, words *locale.Words) {
	left := u.KeepAnswers - upload.Silent
	if upload.Done.Registered == 0 || left <= 0 {
		return
	}
	url := urls.Uploads + upload.ID
	v.Until = words.TextWithTime("upload.credentials.text", u.Locale.Now().Add(left))
	v.Slips = url + "/slips"
	for _, extension := range []string{"csv", "xlsx"} {
		if u.Sheets[extension] != nil {
			v.Credentials = append(v.Credentials, linkView{strings.ToUpper(extension), url + "/credentials." + extension})
		}
	}
}
