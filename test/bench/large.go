package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const lines = "application/x-ndjson"

// A way is a format and an answer of large imports.
type way struct {
	name     string
	bound    float64 // maximum time, as a multiple of \copy's
	memory   int     // maximum peak memory of the server, in MiB
	headers  []string
	generate func(w io.Writer, objects int) error
}

// ways holds each way by its name in -formats.
var ways = map[string]way{
	"json":   {"JSON array", 1, 128, nil, writeJSON},
	"keyed":  {"  with a key, answered in lines", 1.05, 128, []string{"Accept", lines, "Idempotency-Key", "bench"}, writeJSON},
	"ndjson": {"NDJSON", 1, 128, []string{"Content-Type", lines}, writeLines},
	"csv":    {"CSV", 1, 128, []string{"Content-Type", "text/csv"}, writeCSV},
	"xlsx":   {"XLSX", 1.1, 256, []string{"Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}, writeXLSX},
}

// large imports the records in every way, and copies the resulting rows, by turns.
func (b *bench) large(ctx context.Context) error {
	imports, peaks := map[string][]time.Duration{}, map[string]int{}
	var copies []time.Duration
	names := strings.Split(b.formats, ",")
	for run := range b.runs {
		for _, name := range names {
			way, known := ways[name]
			if !known {
				return fmt.Errorf("unknown format %q in -formats", name)
			}
			file := filepath.Join(b.dir, "objects")
			err := writeFile(file, b.objects, way.generate)
			if err != nil {
				return err
			}
			took, memory, err := b.importOnce(ctx, file, b.objects, way.headers...)
			if err != nil {
				return fmt.Errorf("import %s: %w", name, err)
			}
			imports[name], peaks[name] = append(imports[name], took), max(peaks[name], memory)
			fmt.Printf("run %d: %-8s %.2f s\n", run+1, name, took.Seconds())
		}
		if run == 0 {
			err := b.psql(ctx, `\copy (select * from users order by id) to 'users.copy'`, `\copy (select * from profiles order by id) to 'profiles.copy'`)
			if err != nil {
				return err
			}
		}
		took, err := b.copyOnce(ctx)
		if err != nil {
			return fmt.Errorf("copy: %w", err)
		}
		copies = append(copies, took)
		fmt.Printf("run %d: \\copy    %.2f s\n", run+1, took.Seconds())
	}
	fmt.Printf("\n%d records in one import, from the first byte sent to the last received:\n", b.objects)
	for _, name := range names {
		took := median(imports[name])
		fmt.Printf("  %-32s %6.2f s  %6.0f users a second  ratio %.2f (bound: %.2f)  peak memory of the server %3d MiB (bound: %d)\n", ways[name].name,
			took.Seconds(), float64(b.objects)/took.Seconds(), took.Seconds()/median(copies).Seconds(), ways[name].bound, peaks[name]>>10, ways[name].memory)
	}
	fmt.Printf("  %-32s %6.2f s\n", `\copy of the rows`, median(copies).Seconds())
	return nil
}

// importOnce sends the file to a new server. It returns the time and the server's peak memory in KiB.
func (b *bench) importOnce(ctx context.Context, name string, wanted int, headers ...string) (time.Duration, int, error) {
	err := b.clear(ctx)
	if err != nil {
		return 0, 0, err
	}
	server, err := b.start(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer server.stop()
	file, err := os.Open(name)
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()
	began := time.Now()
	created, err := server.post(ctx, file, headers...)
	took := time.Since(began)
	if err != nil {
		return 0, 0, err
	}
	if created != wanted {
		return 0, 0, fmt.Errorf("%d users were registered, expected %d", created, wanted)
	}
	memory, err := server.peakMemory()
	return took, memory, err
}

func (b *bench) copyOnce(ctx context.Context) (time.Duration, error) {
	err := b.clear(ctx)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = b.psql(ctx, `\copy users from 'users.copy'`, `\copy profiles from 'profiles.copy'`)
	return time.Since(began), err
}

// hostile measures the time and memory of files with only costly records. The time must be linear.
func (b *bench) hostile(ctx context.Context) error {
	fmt.Printf("\n%d costly records, and a tenth of them:\n", b.objects)
	for _, kind := range []struct {
		name    string
		object  func(int) string
		created func(objects int) int
	}{
		{"all are refused", func(i int) string { return strings.Replace(object(i), "@", " ", 1) }, func(int) int { return 0 }},
		// Each record shares its phone with one neighbour and its email with the other, so every second record is registered.
		{"each clashes with its neighbours", func(i int) string {
			clashes := strings.NewReplacer(
				fmt.Sprintf("+79%09d", i), fmt.Sprintf("+79%09d", i/2), fmt.Sprintf("user%07d@", i), fmt.Sprintf("user%07d@", (i+1)/2))
			return clashes.Replace(object(i))
		}, func(objects int) int { return (objects + 1) / 2 }},
	} {
		var times [2]time.Duration
		var peaks [2]int
		for i, objects := range []int{b.objects / 10, b.objects} {
			file := filepath.Join(b.dir, "objects")
			err := writeFile(file, objects, func(w io.Writer, objects int) error { return writeArray(w, objects, kind.object) })
			if err != nil {
				return err
			}
			times[i], peaks[i], err = b.importOnce(ctx, file, kind.created(objects), "Accept", lines)
			if err != nil {
				return err
			}
		}
		fmt.Printf("  %-32s %6.2f s, %5.2f s for a tenth: %.2f as long for each; peak memory of the server %d MiB, %d MiB\n", kind.name,
			times[1].Seconds(), times[0].Seconds(), times[1].Seconds()/times[0].Seconds()/10, peaks[1]>>10, peaks[0]>>10)
	}
	return nil
}

func writeFile(name string, objects int, write func(io.Writer, int) error) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = firstOf(err, file.Close()) }()
	w := bufio.NewWriter(file)
	return firstOf(write(w, objects), w.Flush())
}

func writeArray(w io.Writer, objects int, object func(int) string) error {
	for i := range objects {
		_, err := io.WriteString(w, []string{"[\n", ",\n"}[min(i, 1)]+object(i))
		if err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n]\n")
	return err
}

func writeJSON(w io.Writer, objects int) error { return writeArray(w, objects, object) }

func writeLines(w io.Writer, objects int) error {
	for i := range objects {
		_, err := io.WriteString(w, object(i)+"\n")
		if err != nil {
			return err
		}
	}
	return nil
}

func writeCSV(w io.Writer, objects int) error {
	_, err := io.WriteString(w, strings.Join(fields, ",")+"\r\n")
	for i := range objects {
		if err != nil {
			return err
		}
		row := row(i)
		_, err = io.WriteString(w, strings.Join(row[:], ",")+"\r\n")
	}
	return err
}

// writeXLSX writes a workbook as Excel does: cells refer to shared texts by number.
func writeXLSX(w io.Writer, objects int) error {
	archive := zip.NewWriter(w)
	sheet, err := archive.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		return err
	}
	const namespace = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	var texts bytes.Buffer
	numbers := map[string]int{}
	fmt.Fprintf(sheet, `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><worksheet %s><sheetData>`, namespace)
	for i := range objects + 1 {
		cells := fields
		if i > 0 {
			row := row(i - 1)
			cells = row[:]
		}
		fmt.Fprintf(sheet, `<row r="%d" spans="1:%d">`, i+1, len(cells))
		for column, text := range cells {
			number, known := numbers[text]
			if !known {
				number = len(numbers)
				numbers[text] = number
				fmt.Fprintf(&texts, `<si><t>%s</t></si>`, text)
			}
			fmt.Fprintf(sheet, `<c r="%c%d" t="s"><v>%d</v></c>`, 'A'+column, i+1, number)
		}
		_, err = io.WriteString(sheet, `</row>`)
		if err != nil {
			return err
		}
	}
	_, err = io.WriteString(sheet, `</sheetData></worksheet>`)
	if err != nil {
		return err
	}
	const related = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">%s</Relationships>`
	const relation = `<Relationship Id="%s" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/%s" Target="%s"/>`
	for name, part := range map[string]string{
		"_rels/.rels": fmt.Sprintf(related, fmt.Sprintf(relation, "rId1", "officeDocument", "xl/workbook.xml")),
		"xl/workbook.xml": fmt.Sprintf(`<workbook %s xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">`+
			`<sheets><sheet name="people" sheetId="1" r:id="rId1"/></sheets></workbook>`, namespace),
		"xl/_rels/workbook.xml.rels": fmt.Sprintf(related, fmt.Sprintf(relation, "rId1", "worksheet", "worksheets/sheet1.xml")+
			fmt.Sprintf(relation, "rId2", "sharedStrings", "sharedStrings.xml")),
		"xl/sharedStrings.xml": fmt.Sprintf(`<sst %s uniqueCount="%d">%s</sst>`, namespace, len(numbers), texts.String()),
	} {
		w, err := archive.Create(name)
		if err == nil {
			_, err = io.WriteString(w, part)
		}
		if err != nil {
			return err
		}
	}
	return archive.Close()
}

var fields = []string{"first_name", "last_name", "patronymic", "login", "email", "phone", "birthday"}

// row returns an ordinary person.
func row(i int) [7]string {
	first := []string{"Иван", "Мария", "Пётр", "Анна", "Сергей", "Ольга", "John"}
	last := []string{"Смирнов", "Кузнецова", "Попов", "Васильева", "Smith"}
	patronymic := []string{"Иванович", "Петровна", "Сергеевич"}
	return [7]string{
		first[i%len(first)], last[i%len(last)], patronymic[i%len(patronymic)], fmt.Sprintf("user%07d", i),
		fmt.Sprintf("user%07d@example.com", i), fmt.Sprintf("+79%09d", i), fmt.Sprintf("%02d/%02d/%d", i%28+1, i%12+1, 1950+i%60),
	}
}

// object returns the same person in JSON, in about 200 bytes.
func object(i int) string {
	row := row(i)
	members := make([]string, len(fields))
	for column, field := range fields {
		members[column] = fmt.Sprintf("%q: %q", field, row[column])
	}
	return "{" + strings.Join(members, ", ") + "}"
}

// thousand measures the usual import, of 1,000 records, against the loop of many services.
func (b *bench) thousand(ctx context.Context) error {
	const objects = 1000
	file := filepath.Join(b.dir, "objects")
	err := writeFile(file, objects, writeJSON)
	if err != nil {
		return err
	}
	var times []time.Duration
	for range b.runs {
		took, _, err := b.importOnce(ctx, file, objects)
		if err != nil {
			return err
		}
		times = append(times, took)
	}
	const few = 50 // records of the loop; all of them would take half a minute
	loop, err := b.loop(ctx, few)
	if err != nil {
		return err
	}
	loop *= objects / few
	fmt.Printf("\n%d records: %.0f ms; a loop of one INSERT each with argon2id: %.1f s, %.0f times as long\n",
		objects, milliseconds(median(times)), loop.Seconds(), loop.Seconds()/median(times).Seconds())
	return nil
}

// fair measures imports of one record and sign-ins, idle and during a large import.
func (b *bench) fair(ctx context.Context) error {
	err := b.clear(ctx)
	if err != nil {
		return err
	}
	server, err := b.start(ctx)
	if err != nil {
		return err
	}
	defer server.stop()
	const people, first = 200, 90_000_000 // not in the large file
	err = b.peopleFrom(ctx, server, first, people)
	if err != nil {
		return err
	}
	visitor := newVisitor()
	next := 0
	probe := func(ended <-chan struct{}, times int) (singles, signIns []time.Duration, err error) {
		for range times {
			select {
			case <-ended:
				return singles, signIns, nil
			default:
			}
			began := time.Now()
			_, err = server.post(ctx, strings.NewReader(object(first+people+next)))
			if err != nil {
				return nil, nil, err
			}
			singles = append(singles, time.Since(began))
			began = time.Now()
			err = server.signIn(ctx, visitor, fmt.Sprintf("user%07d", first+next%people), chosenPassword, http.StatusSeeOther)
			if err != nil {
				return nil, nil, err
			}
			signIns = append(signIns, time.Since(began))
			next++
		}
		return singles, signIns, nil
	}
	quietSingles, quietSignIns, err := probe(nil, 100)
	if err != nil {
		return err
	}
	name := filepath.Join(b.dir, "objects")
	err = writeFile(name, b.objects, writeJSON)
	if err != nil {
		return err
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	ended := make(chan struct{})
	var imported error
	go func() {
		defer close(ended)
		_, imported = server.post(ctx, file)
	}()
	busySingles, busySignIns, err := probe(ended, 1<<30)
	<-ended
	err = firstOf(err, imported)
	if err != nil {
		return err
	}
	fmt.Printf("\nDuring an import of %d records, with one client that sends one request after another (%d times):\n", b.objects, len(busySingles))
	for _, what := range []struct {
		name        string
		quiet, busy []time.Duration
	}{{"import of one object", quietSingles, busySingles}, {"sign-in", quietSignIns, busySignIns}} {
		fmt.Printf("  %-22s median %5.1f ms, %5.1f ms idle: %.2f times (bound: 3.00)\n", what.name,
			milliseconds(median(what.busy)), milliseconds(median(what.quiet)), float64(median(what.busy))/float64(median(what.quiet)))
	}
	return nil
}
