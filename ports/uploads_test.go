package ports_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

func TestFileName(t *testing.T) {
	for _, c := range []struct {
		name string
		want string
	}{
		{"people.csv", "people.csv"},
		{`C:\Users\anna\люди.csv`, "люди.csv"},
		{"../../etc/passwd", "passwd"},
		{"a\nb\x00c.csv", "a b\uFFFDc.csv"},
		{"evil\u202Evsc.exe", "evil\uFFFDvsc.exe"},
		{"bad\xffname", "bad\uFFFDname"},
		{"", ""},
		{"..", ""},
		{"/", ""},
		{" ", ""},
		{strings.Repeat("я", 101), strings.Repeat("я", 100) + "…"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, ports.FileName(c.name))
		})
	}
}

func TestShownLayoutIsBounded(t *testing.T) {
	long := strings.Repeat("<\x00", 1000)
	layout := ports.FileLayout{Format: ports.FormatCSV, Encoding: long}
	for range 1000 {
		layout.Columns = append(layout.Columns, ports.FileColumn{Header: long, Field: domain.FieldLogin})
		layout.Rows = append(layout.Rows, []string{long, long})
	}
	layout.Rows[0] = make([]string, 2000)
	shown := layout.Shown()
	require.Len(t, shown.Columns, 40)
	require.Len(t, shown.Rows, 10)
	require.Len(t, shown.Rows[0], 40)
	require.Len(t, shown.Rows[1], 40, "a row has a text per column")
	require.Equal(t, strings.Repeat("<\uFFFD", 25)+"…", shown.Rows[1][0])
	require.Equal(t, shown.Rows[1][0], shown.Columns[0].Header)
	require.Equal(t, long, layout.Columns[0].Header, "the layout itself does not change")
}

func TestIsInterrupted(t *testing.T) {
	for _, c := range []struct {
		name   string
		upload ports.Upload
		want   bool
	}{
		{"BeatsInTime", ports.Upload{State: domain.UploadChecking, Job: "x", Silent: 15 * time.Second}, false},
		{"CheckIsSilent", ports.Upload{State: domain.UploadChecking, Job: "x", Silent: 16 * time.Second}, true},
		{"ImportIsSilent", ports.Upload{State: domain.UploadImporting, Job: "x", Silent: 16 * time.Second}, true},
		{"HasNoJob", ports.Upload{State: domain.UploadImporting}, true},
		{"WaitsForTheUser", ports.Upload{State: domain.UploadChecked, Silent: time.Hour}, false},
		{"IsImported", ports.Upload{State: domain.UploadImported, Silent: time.Hour}, false},
		{"IsCancelled", ports.Upload{State: domain.UploadCancelled, Silent: time.Hour}, false},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.upload.IsInterrupted()) })
	}
}

func TestWhatIsLeftOfAShare(t *testing.T) {
	share := ports.UploadShare{Uploads: 3, Bytes: 100}
	upload := func(state domain.UploadState, job string) ports.Upload {
		return ports.Upload{State: state, Job: job, Size: 30}
	}
	for _, c := range []struct {
		name    string
		uploads []ports.Upload
		left    ports.UploadShare
	}{
		{"NoUploads", nil, share},
		{"Over", []ports.Upload{upload(domain.UploadImported, ""), upload(domain.UploadFailed, ""), upload(domain.UploadCancelled, "")}, share},
		{"Undecided", []ports.Upload{upload(domain.UploadChecked, ""), upload(domain.UploadUnclear, "")}, ports.UploadShare{Uploads: 1, Bytes: 40}},
		{"Jobs", []ports.Upload{
			upload(domain.UploadImporting, "a"), upload(domain.UploadImporting, "b"), upload(domain.UploadImporting, "c"), upload(domain.UploadImporting, ""),
		}, ports.UploadShare{Uploads: 1, Bytes: 100}},
		{"More", slices.Repeat([]ports.Upload{upload(domain.UploadChecking, "a")}, 5), ports.UploadShare{}},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.left, share.Left(c.uploads)) })
	}
}
