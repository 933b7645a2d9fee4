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

// sent is a fixture with two imports. Of each the second object is refused, of the second the third as well.
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

// writer writes a line for each import and object, and can be made to do something else.
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

// exporter makes an ExportReport of the fixture's store, with a writer that can be made to do something else.
func (f *fixture) exporter(exports ports.ExportStore, instead func(io.Writer, ports.Report) error) *application.ExportReport {
	w := writer{instead}
	return application.NewExportReport(application.ExportConfig{
		Reports: fake.Reports{Store: f.store}, Exports: exports,
		Formats: map[string]application.ExportFormat{
			"plain":    {Writer: w, Kind: "rollcall", Extension: "txt"},
			"whole":    {Writer: w, Kind: "rollcall", Extension: "json", Violations: true},
			"rejected": {Writer: w, Kind: "rollcall-rejected", Extension: "csv", OneImport: true},
		},
		Now: f.config.Now, AtOnce: 2, Patience: 20 * time.Millisecond,
	})
}

func TestExport(t *testing.T) {
	f := sent(t)
	exports := &fake.Exports{}
	export := f.exporter(exports, nil)
	for _, c := range []struct {
		format string
		filter domain.ReportFilter
		name   string
		want   string
	}{
		{"plain", domain.ReportFilter{}, "rollcall-2026-11-23.txt", "import 1\nimport 2\n1/2 0 \n2/2 0 \n2/3 0 \n"},
		{"whole", domain.ReportFilter{Reason: taken}, "rollcall-2026-11-23.json", "import 2\n2/2 1 \n"},
		{"plain", domain.ReportFilter{Login: "nobody"}, "rollcall-2026-11-23.txt", ""},
		{
			"rejected",
			domain.ReportFilter{Import: 2},
			"rollcall-rejected-2026-11-23-import-2.csv",
			"import 2\n2/2 0 " + person("ANNA", "c@example.com", "") + "\n2/3 0 []\n",
		},
		{"rejected", domain.ReportFilter{Import: 2, Reason: notObject}, "rollcall-rejected-2026-11-23-import-2.csv", "import 2\n2/3 0 []\n"},
	} {
		file, err := export.Export(t.Context(), ports.ExportQuery{Format: c.format, Language: "ru", Filter: c.filter})
		require.NoError(t, err, c)
		require.Equal(t, c.name, file.Name)
		content, err := io.ReadAll(file)
		require.NoError(t, err)
		require.Equal(t, c.want, string(content))
		require.EqualValues(t, len(c.want), file.Size)
		require.NoError(t, file.Close())
	}
}

func TestExportOfNothing(t *testing.T) {
	exports := &fake.Exports{}
	export := sent(t).exporter(exports, nil)
	for _, c := range []struct {
		format string
		id     int64
	}{{"", 0}, {"unknown", 0}, {"unknown", 1}, {"rejected", 0}, {"rejected", 3}, {"rejected", -1}} {
		_, err := export.Export(t.Context(), ports.ExportQuery{Format: c.format, Filter: domain.ReportFilter{Import: c.id}})
		require.ErrorIs(t, err, ports.ErrNotFound, "%v", c)
	}
	require.Empty(t, exports.Names())
}

// Those who come when too many files are being made are told so, and may come when one is done.
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
	require.ErrorIs(t, err, ports.ErrNotFound, "which needs no turn")
	finish <- struct{}{}
	require.NoError(t, <-ended)
	go start()
	<-started
	close(finish)
	for range 2 {
		require.NoError(t, <-ended)
	}
}

// patient has exports wait for as long as it takes.
func patient(f *fixture, instead func(io.Writer, ports.Report) error) *application.ExportReport {
	return application.NewExportReport(application.ExportConfig{
		Reports: fake.Reports{Store: f.store}, Exports: &fake.Exports{}, Now: f.config.Now, AtOnce: 1, Patience: time.Hour,
		Formats: map[string]application.ExportFormat{"plain": {Writer: writer{instead}, Kind: "x", Extension: "txt"}},
	})
}

func TestExportsTakeTurns(t *testing.T) {
	const many = 10
	started, ended := make(chan struct{}, many), make(chan error)
	making := 0 // which the race detector watches
	export := patient(sent(t), func(io.Writer, ports.Report) error {
		making++
		defer func() { making-- }()
		if making != 1 {
			return errors.New("two at once")
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

func TestExportIsNotWaitedFor(t *testing.T) {
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

// An error half-way, of the writer or of what it reads, leaves no file, and a turn for the next.
func TestExportFailsHalfWay(t *testing.T) {
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
	for range 3 { // more often than there are turns
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

// A panic gives its turn back as well.
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

func TestKeepRefused(t *testing.T) {
	large := person("large", "x", "") // refused by itself
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
		rejections := f.store.Records()[0].Rejections
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

// The originals of some batches are not one another's memory.
func TestKeepManyRefused(t *testing.T) {
	const objects = 20_000
	file := make([]string, objects)
	for i := range file {
		file[i] = fmt.Sprintf(`{"login":"%d"}`, i)
	}
	f := newFixture()
	f.config.KeepOriginals = true
	_, err := f.send(t, array(file...))
	require.NoError(t, err)
	rejections := f.store.Records()[0].Rejections
	require.Len(t, rejections, objects)
	for i, rejection := range rejections {
		require.Equal(t, file[i], string(rejection.Original))
	}
}
