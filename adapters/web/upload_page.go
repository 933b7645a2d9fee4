package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/domain"
	"rollcall/ports"
)

// viewUploaded is an upload in a list.
type viewUploaded struct {
	URL, Name, Size, State string
	Date, Time             string // for programs, and for readers
}

func newViewUploaded(upload *ports.Upload, words *words) viewUploaded {
	created := upload.Created.Local()
	return viewUploaded{
		URL: pathUploads + upload.ID, Name: uploadName(upload, words), Size: words.Size(upload.Size), State: words.Text(stateID(upload)),
		Date: created.Format(time.RFC3339), Time: words.Date(created) + ", " + created.Format("15:04"),
	}
}

func uploadName(upload *ports.Upload, words *words) string {
	if upload.Name == "" {
		return words.Text("upload.unnamed")
	}
	return upload.Name
}

// stateID is the message that says how far an upload is.
func stateID(upload *ports.Upload) string {
	if upload.IsInterrupted() {
		return "upload.state.interrupted"
	}
	return "upload.state." + string(upload.State)
}

// viewProgress is how far an upload is. It is also what its page asks for while it is worked on.
type viewProgress struct {
	State   string  `json:"state"`   // of domain.UploadState, or "interrupted"
	Share   float64 `json:"share"`   // of the file, 0 to 1
	Objects string  `json:"objects"` // how many are done
	Rate    string  `json:"rate"`    // empty while nobody knows, as the next
	Left    string  `json:"left"`    // time until the end
}

func newViewProgress(upload *ports.Upload, words *words) viewProgress {
	done := &upload.Done
	v := viewProgress{State: strings.TrimPrefix(stateID(upload), "upload.state."), Objects: words.Text("upload.waiting")}
	if done.Records == 0 {
		return v
	}
	v.Objects = words.Text("upload.objects", "Count", done.Records, "Number", words.Number(done.Records))
	if done.Size > 0 {
		v.Share = min(1, float64(done.Bytes)/float64(done.Size))
	}
	const least = time.Second // before, a rate is a guess
	if upload.Worked < least {
		return v
	}
	rate := int(float64(done.Records) / upload.Worked.Seconds())
	v.Rate = words.Text("upload.rate", "Count", rate, "Number", words.Number(rate))
	if v.Share > 0 {
		left := time.Duration(float64(upload.Worked) * (1 - v.Share) / v.Share)
		v.Left = words.left(left)
	}
	return v
}

// left says about how much time is left.
func (w *words) left(left time.Duration) string {
	if left < 90*time.Second {
		seconds := int(left.Seconds()) + 1
		return w.Text("upload.left.seconds", "Count", seconds, "Number", w.Number(seconds))
	}
	count := minutes(left)
	return w.Text("upload.left.minutes", "Count", count, "Number", w.Number(count))
}

// Size writes a number of bytes.
func (w *words) Size(bytes int64) string {
	const unit = 1024
	size, name := float64(bytes), "upload.size.b"
	for _, larger := range []string{"upload.size.kib", "upload.size.mib", "upload.size.gib"} {
		if size < unit {
			break
		}
		size, name = size/unit, larger
	}
	number := w.Number(int(size))
	if size < 10 && name != "upload.size.b" {
		number = w.numbers.Sprintf("%.1f", size)
	}
	return w.Text(name, "Number", number)
}

// viewUpload is what the page of an upload shows.
type viewUpload struct {
	viewUploaded

	Progress    viewProgress
	Title       string
	Is          map[string]bool // its state, and "working", "interrupted"
	Description []viewTerm
	Columns     []viewColumn
	Rows        [][]string

	Objects, Created, Refused string // how many
	NotAll                    bool   // some were refused
	Anybody                   bool   // somebody was registered, or would be
	Told                      string // what came of it, or would come
	Credentials               []viewLink
	Slips, Until              string // empty when they are not kept any longer
	Import                    string // address
	Failure, Detail           string
}

// viewTerm is a term with what there is to say of it.
type viewTerm struct{ Name, Value string }

// viewColumn is a column of a file.
type viewColumn struct {
	Header, Field string
	Ignored       bool
}

// fileFormatNames are what formats are called, in every language.
var fileFormatNames = map[ports.FileFormat]string{
	ports.FormatJSON: "JSON", ports.FormatNDJSON: "JSON Lines", ports.FormatCSV: "CSV", ports.FormatXLSX: "Excel (XLSX)",
}

var delimiterIDs = map[rune]string{',': "upload.delimiter.comma", ';': "upload.delimiter.semicolon", '\t': "upload.delimiter.tab"}

// showUploaded shows an upload: how far it is, what was understood and asks for a decision, or what came of it.
func (p *pages) showUploaded(c *fiber.Ctx, user *domain.User, v *view) error {
	upload, err := p.uploads.Find(c.UserContext(), user.ID, c.Params("id"))
	if err != nil {
		return err
	}
	words := p.words(c)
	v.Upload = newViewUpload(upload, words)
	v.Title = v.Upload.Title
	v.Uploading, v.Refreshes = true, v.Upload.Is["working"]
	switch {
	case upload.State == domain.UploadImported:
		p.offerCredentials(v.Upload, upload, words)
		if upload.Done.Rejected > 0 {
			address := v.Upload.Import
			v.Rejected, _, err = p.listRejections(c, rejectionsOf(upload.Import, 0), func(after string) string { return importPage(address, after) })
			if err != nil {
				return err
			}
		}
	case upload.State == domain.UploadChecked && upload.Rejections != nil:
		v.Rejected = newViewRejections(upload.Rejections, words)
	}
	letAsk(c)
	return p.show(c, "uploaded", v)
}

func newViewUpload(upload *ports.Upload, words *words) *viewUpload {
	tally := upload.Done.Tally
	v := &viewUpload{
		viewUploaded: newViewUploaded(upload, words), Progress: newViewProgress(upload, words),
		Title: words.Text(stateID(upload)), Rows: upload.Layout.Rows,
		Is: map[string]bool{
			string(upload.State): !upload.IsInterrupted(), "interrupted": upload.IsInterrupted(),
			"working": upload.State.NeedsJob() && !upload.IsInterrupted(),
		},
		Objects: words.Number(tally.Records), Created: words.Number(tally.Registered), Refused: words.Number(tally.Rejected),
		NotAll: tally.Rejected > 0, Anybody: tally.Registered > 0, Detail: upload.Detail,
	}
	layout := &upload.Layout
	v.Description = []viewTerm{{words.Text("upload.file.size"), v.Size}, {words.Text("upload.file.format"), fileFormatNames[layout.Format]}}
	if layout.Encoding != "" {
		v.Description = append(v.Description, viewTerm{words.Text("upload.file.encoding"), strings.Replace(strings.ToUpper(layout.Encoding), "WINDOWS", "Windows", 1)})
	}
	if id, known := delimiterIDs[layout.Delimiter]; known {
		v.Description = append(v.Description, viewTerm{words.Text("upload.file.delimiter"), words.Text(id)})
	}
	for _, column := range layout.Columns {
		shown := viewColumn{Header: column.Header, Ignored: column.Field == domain.FieldObject}
		if !shown.Ignored {
			shown.Field = words.Text("field." + string(column.Field))
		}
		v.Columns = append(v.Columns, shown)
	}
	if upload.State == domain.UploadFailed {
		v.Failure = words.Text("upload.failure." + string(upload.Failure))
	}
	if upload.Import != 0 {
		v.Import = pathImports + id(upload.Import)
	}
	return v
}

// offerCredentials is for an upload whose people were registered.
func (p *pages) offerCredentials(v *viewUpload, upload *ports.Upload, words *words) {
	left := p.keepAnswers - upload.Silent
	if upload.Done.Registered == 0 || left <= 0 {
		return
	}
	until := time.Now().Add(left)
	v.Until = words.Date(until) + ", " + until.Format("15:04")
	v.Slips = v.URL + "/slips"
	for _, extension := range []string{"csv", "xlsx"} {
		if p.sheets[credentialTypes[extension]] != nil {
			v.Credentials = append(v.Credentials, viewLink{strings.ToUpper(extension), fmt.Sprintf("%s/credentials.%s", v.URL, extension)})
		}
	}
}
