package application_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/application"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
)

var (
	taken     = domain.Reason{Field: domain.FieldLogin, Code: domain.CodeTaken}
	notObject = domain.Reason{Code: domain.CodeNotObject}
)

// sent returns a fixture with two imports. The second record of each is rejected, and the third one of the second import.
func sent(t *testing.T) *fixture {
	t.Helper()
	f := newFixture()
	f.store.Now = f.config.Now
	f.config.KeepOriginals = true
	for _, file := range []string{
		array(person("anna", "a@example.com", ""), `7`),
		array(person("boris", "b@example.com", ""), person("ANNA", "c@example.com", ""), `[]`),
	} {
		_, err := f.send(t, file)
		require.NoError(t, err)
	}
	return f
}

// writer writes a line for each import and rejection, or calls instead.
type writer struct {
	instead func(io.Writer, ports.Report) error
}

func (w writer) Write(out io.Writer, report ports.Report) error {
	if w.instead != nil {
		return w.instead(out, report)
	}
	for i, err := range report.Imports {
		if err != nil {
			return fmt.Errorf("imports: %w", err)
		}
		fmt.Fprintf(out, "import %d\n", i.ID)
	}
	for rejection, err := range report.Rejections {
		if err != nil {
			return fmt.Errorf("rejections: %w", err)
		}
		fmt.Fprintf(out, "%d/%d %d %s\n", rejection.Import, rejection.Record, len(rejection.Violations), rejection.Original)
	}
	return nil
}

// exporter returns an ExportReport over the fixture's store. If instead is not nil, it replaces the writer.
func (f *fixture) exporter(exports ports.ExportStore, instead func(io.Writer, ports.Report) error) *application.ExportReport {
	w := writer{instead}
	return application.NewExportReport(application.ExportConfig{
		Reports: fake.Reports{Store: f.store}, Audit: &fake.Audit{}, Exports: exports,
		Formats: map[string]ports.ExportFormat{
			"plain":    {Writer: w, Kind: "rollcall", Extension: "txt"},
			"whole":    {Writer: w, Kind: "rollcall", Extension: "json", Violations: true},
			"rejected": {Writer: w, Kind: "rollcall-rejected", Extension: "csv", OneImport: true},
		},
		Now: f.config.Now, Concurrency: 2, Patience: 20 * time.Millisecond,
	})
}

func TestExport(t *testing.T) {
	f := sent(t)
	exports := &fake.Exports{}
	export := f.exporter(exports, nil)
	for _, c := range []struct {
		test   string
		format string
		filter domain.ReportFilter
		name   string
		want   string
	}{
		{"AllImports", "plain", domain.ReportFilter{}, "rollcall-2026-11-23.txt", "import 1\nimport 2\n1/2 0 \n2/2 0 \n2/3 0 \n"},
		{"OneReason", "whole", domain.ReportFilter{Reason: taken}, "rollcall-2026-11-23.json", "import 2\n2/2 1 \n"},
		{"UnknownLogin", "plain", domain.ReportFilter{Login: "unknown"}, "rollcall-2026-11-23.txt", ""},
		{
			"OneImport", "rejected",
			domain.ReportFilter{Import: 2},
			"rollcall-rejected-2026-11-23-import-2.csv",
			"import 2\n2/2 0 " + person("ANNA", "c@example.com", "") + "\n2/3 0 []\n",
		},
		{"OneReasonOfOneImport", "rejected", domain.ReportFilter{Import: 2, Reason: notObject}, "rollcall-rejected-2026-11-23-import-2.csv", "import 2\n2/3 0 []\n"},
	} {
		t.Run(c.test, func(t *testing.T) {
			file, err := export.Export(t.Context(), ports.ExportQuery{Format: c.format, Language: "ru", Filter: c.filter})
			require.NoError(t, err)
			require.Equal(t, c.name, file.Name)
			content, err := io.ReadAll(file)
			require.NoError(t, err)
			require.Equal(t, c.want, string(content))
			require.EqualValues(t, len(c.want), file.Size)
			require.NoError(t, file.Close())
		})
	}
}

func TestExportOfUnknownFormatOrImport(t *testing.T) {
	exports := &fake.Exports{}
	export := sent(t).exporter(exports, nil)
	for _, c := range []struct {
		name, format string
		id           int64
	}{
		{"NoFormat", "", 0},
		{"UnknownFormat", "unknown", 0},
		{"UnknownFormatOfAnImport", "unknown", 1},
		{"NoImport", "rejected", 0},
		{"UnknownImport", "rejected", 3},
		{"NegativeImport", "rejected", -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := export.Export(t.Context(), ports.ExportQuery{Format: c.format, Filter: domain.ReportFilter{Import: c.id}})
			require.ErrorIs(t, err, ports.ErrNotFound)
		})
	}
	require.Empty(t, exports.Names())
}

// An export without a slot is rejected, and can be repeated when another one is done.
func TestTooManyExports(t *testing.T) {
	started, finish := make(chan struct{}), make(chan struct{})
	export := sent(t).exporter(&fake.Exports{}, func(io.Writer, ports.Report) error {
		started <- struct{}{}
		<-finish
		return nil
	})
	ended := make(chan error)
	start := func() {
		_, err := export.Export(t.Context(), ports.ExportQuery{Format: "plain"})
		ended <- err
	}
	for range 2 {
		go start()
		<-started
	}
	for range 3 {
		_, err := export.Export(t.Context(), ports.ExportQuery{Format: "plain"})
		require.ErrorIs(t, err, ports.ErrBusy)
	}
	_, err := export.Export(t.Context(), ports.ExportQuery{Format: "unknown"})
	require.ErrorIs(t, err, ports.ErrNotFound, "an unknown format needs no slot")
	finish <- struct{}{}
	require.NoError(t, <-ended)
	go start()
	<-started
	close(finish)
	for range 2 {
		require.NoError(t, <-ended)
	}
}

// patient returns an ExportReport whose exports wait for an hour.
func patient(f *fixture, instead func(io.Writer, ports.Report) error) *application.ExportReport {
	return application.NewExportReport(application.ExportConfig{
		Reports: fake.Reports{Store: f.store}, Audit: &fake.Audit{}, Exports: &fake.Exports{}, Now: f.config.Now, Concurrency: 1, Patience: time.Hour,
		Formats: map[string]ports.ExportFormat{"plain": {Writer: writer{instead}, Kind: "x", Extension: "txt"}},
	})
}

func TestExportsTakeTurns(t *testing.T) {
	const many = 10
	started, ended := make(chan struct{}, many), make(chan error)
	making := 0 // the race detector watches it
	export := patient(sent(t), func(io.Writer, ports.Report) error {
		making++
		defer func() { making-- }()
		if making != 1 {
			return errors.New("two concurrent exports")
		}
		started <- struct{}{}
		return nil
	})
	for range many {
		go func() {
			_, err := export.Export(t.Context(), ports.ExportQuery{Format: "plain"})
			ended <- err
		}()
	}
	for range many {
		require.NoError(t, <-ended)
	}
	require.Len(t, started, many)
}

func TestExportStopsWaitingWithItsContext(t *testing.T) {
	started, finish, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	export := patient(sent(t), func(io.Writer, ports.Report) error {
		started <- struct{}{}
		<-finish
		return nil
	})
	go func() {
		_, err := export.Export(t.Context(), ports.ExportQuery{Format: "plain"})
		ended <- err
	}()
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := export.Export(ctx, ports.ExportQuery{Format: "plain"})
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ports.ErrBusy)
	close(finish)
	require.NoError(t, <-ended)
}

// An error of the writer or the report leaves no file, and frees the slot.
func TestExportFails(t *testing.T) {
	failure := errors.New("failure")
	f := sent(t)
	exports := &fake.Exports{}
	export := f.exporter(exports, func(w io.Writer, report ports.Report) error {
		for range report.Imports {
			fmt.Fprint(w, "half")
			return failure
		}
		return nil
	})
	for range 3 { // more often than there are slots
		_, err := export.Export(t.Context(), ports.ExportQuery{Format: "plain"})
		require.ErrorIs(t, err, failure)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := f.exporter(exports, func(w io.Writer, report ports.Report) error {
		fmt.Fprint(w, "half")
		cancel() // the client has gone away
		return writer{}.Write(w, report)
	}).Export(ctx, ports.ExportQuery{Format: "plain"})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, exports.Names())
}

// A panic frees the slot.
func TestExportPanics(t *testing.T) {
	panics := true
	export := patient(sent(t), func(io.Writer, ports.Report) error {
		if panics {
			panic("hostile text")
		}
		return nil
	})
	require.Panics(t, func() { _, _ = export.Export(t.Context(), ports.ExportQuery{Format: "plain"}) })
	panics = false
	_, err := export.Export(t.Context(), ports.ExportQuery{Format: "plain"})
	require.NoError(t, err)
}

func TestOriginalsOfRejectedRecordsAreStored(t *testing.T) {
	large := person("large", "x", "") // rejected for its email
	large = large[:len(large)-1] + `,"note":"` + strings.Repeat("x", ports.MaxOriginal) + `"}`
	file := array(
		person("anna", "a@example.com", ""), `7`, ` { "login" : "x" } `, person("Anna", "b@example.com", ""),
		person("boris", "A@example.com", "nonsense"), large, `null`)
	want := []string{`7`, `{ "login" : "x" }`, person("Anna", "b@example.com", ""), person("boris", "A@example.com", "nonsense"), ``, `null`}
	for _, keep := range []bool{true, false} {
		f := newFixture()
		f.config.KeepOriginals = keep
		_, err := f.send(t, file)
		require.NoError(t, err)
		rejections := f.store.Recorded()[0].Rejections
		require.Len(t, rejections, len(want))
		for i, rejection := range rejections {
			if keep && want[i] != "" {
				require.Equal(t, want[i], string(rejection.Original))
			} else {
				require.Nil(t, rejection.Original)
			}
		}
	}
}

// The originals of several batches do not share memory.
func TestOriginalsOfSeveralBatchesAreStored(t *testing.T) {
	const records = 20
	file := make([]string, records)
	for i := range file {
		file[i] = fmt.Sprintf(`{"login":"%d"}`, i)
	}
	f := newFixture()
	f.config.KeepOriginals, f.config.Batch = true, 5
	_, err := f.send(t, largeArray(file...))
	require.NoError(t, err)
	rejections := f.store.Recorded()[0].Rejections
	require.Len(t, rejections, records)
	for i, rejection := range rejections {
		require.Equal(t, file[i], string(rejection.Original))
	}
}
