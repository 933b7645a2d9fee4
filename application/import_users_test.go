package application_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/application"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/contract"
	"rollcall/test/fake"
)

type fixture struct {
	config application.ImportConfig
	store  *fake.Imports
	spools *fake.Spools
	audit  *fake.Audit
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newFixture() *fixture {
	f := &fixture{store: &fake.Imports{}, spools: &fake.Spools{}, audit: &fake.Audit{}}
	f.config = application.ImportConfig{
		Imports: f.store, Decoder: fake.Decoder{}, Outcomes: f.spools, Audit: f.audit, Passwords: &fake.Passwords{}, Sentences: fake.Sentences{},
		Rules: func() domain.Rules { return domain.Rules{Region: "RU", Today: domain.DateOf(noon)} },
		Now:   func() time.Time { return noon },
	}
	return f
}

// key is an idempotency key of anonymous senders.
var key = domain.ImportKey{Value: "key"}

// imported is the result of an import, read to its end.
type imported struct {
	id       int64
	tally    domain.Tally
	replayed bool
	outcomes []domain.Outcome
}

func (f *fixture) send(t *testing.T, file string) (imported, error) {
	t.Helper()
	return f.request(t, file, ports.ImportRequest{})
}

func (f *fixture) request(t *testing.T, file string, request ports.ImportRequest) (imported, error) {
	t.Helper()
	request.File = f.spools.New()
	defer request.File.Close()
	_, err := io.WriteString(request.File, file)
	require.NoError(t, err)
	result, err := application.NewImportUsers(f.config).Import(t.Context(), request)
	if err != nil {
		return imported{}, err
	}
	return read(t, result)
}

// read reads a result to its end.
func read(t *testing.T, result *ports.ImportResult) (imported, error) {
	t.Helper()
	got := imported{id: result.ID, tally: result.Tally, replayed: result.Replayed}
	for range 2 { // outcomes can be iterated repeatedly
		got.outcomes = nil
		for outcome, err := range result.Outcomes {
			require.NoError(t, err)
			got.outcomes = append(got.outcomes, outcome)
		}
	}
	for range result.Outcomes {
		break
	}
	slips, err := result.SlipOrder()
	require.NoError(t, err)
	require.Len(t, slips.Records, got.tally.Registered)
	picked, err := result.Pick(slips.Records)
	require.NoError(t, err)
	require.Len(t, picked, got.tally.Registered)
	for _, record := range slips.Records[:min(len(slips.Records), 10)] {
		require.Equal(t, got.outcomes[record-1], picked[record])
	}
	return got, result.Close()
}

func person(login, email, phone string) string {
	return fmt.Sprintf(`{"first_name":"Анна","last_name":"Ким","patronymic":"Петровна","login":%q,"email":%q,"phone":%q}`, login, email, phone)
}

func array(records ...string) string { return "[" + strings.Join(records, ",") + "]" }

// largeArray returns the array as a file of 1 MiB, which is imported in several batches.
func largeArray(records ...string) string { return strings.Repeat(" ", 1<<20) + array(records...) }

func TestImport(t *testing.T) {
	f := newFixture()
	got, err := f.send(t, array(
		person("anna", "a@example.com", "9000000001"), `7`, person("ANNA", "b@example.com", ""),
		person("x", "x", "1"), person("boris", "b@example.com", "")))
	require.NoError(t, err)

	taken := domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeTaken}}
	invalid := domain.Violations{{Field: domain.FieldEmail, Code: domain.CodeInvalid}, {Field: domain.FieldPhone, Code: domain.CodeInvalid}}
	none := domain.Violations{{Code: domain.CodeNotObject}}
	name := domain.RestoreFullName(domain.NameTexts{Last: "Ким", First: "Анна", Patronymic: "Петровна"})
	require.Equal(t, imported{1, domain.Tally{Records: 5, Registered: 2, Rejected: 3}, false, []domain.Outcome{
		{Record: 1, Login: "anna", Name: name, Password: "password-1-1"},
		{Record: 2, Violations: none},
		{Record: 3, Login: "ANNA", Violations: taken},
		{Record: 4, Login: "x", Violations: invalid},
		{Record: 5, Login: "boris", Name: name, Password: "password-1-5"},
	}}, got)

	accounts := f.store.Accounts()
	require.Len(t, accounts, 2)
	require.Equal(t, "$sha256$hash-1-1", accounts[0].PasswordHash)
	require.Equal(t, "$sha256$hash-1-5", accounts[1].PasswordHash)
	require.Equal(t, []fake.ImportRecord{{
		ID: 1, Status: 200, Description: "Not all users have been created (created by 2 of 5 users)",
		Registered: 2, Rejected: 3, Rejections: []domain.Rejection{
			{Record: 2, Violations: none, Description: "not_object."},
			{Record: 3, Login: "ANNA", Violations: taken, Description: "login taken."},
			{Record: 4, Login: "x", Violations: invalid, Description: "email invalid. phone invalid."},
		},
	}}, f.store.Recorded())
	require.Zero(t, f.spools.Open(), "spools that were not closed")
}

func TestImportWithoutValidRecords(t *testing.T) {
	f := newFixture()
	got, err := f.send(t, `{}`)
	require.NoError(t, err)
	require.Equal(t, domain.Tally{Records: 1, Rejected: 1}, got.tally)
	require.Equal(t, 400, f.store.Recorded()[0].Status)
	require.Equal(t, domain.DescriptionNoneCreated, f.store.Recorded()[0].Description)
	require.Empty(t, f.store.Accounts())
}

func TestBrokenFile(t *testing.T) {
	many := make([]string, 20)
	for i := range many {
		many[i] = person(fmt.Sprintf("user%d", i), fmt.Sprintf("u%d@example.com", i), "")
	}
	for _, c := range []struct {
		name    string
		file    string
		decoder ports.Decoder
	}{
		{"Empty", "", fake.Decoder{}},
		{"AfterValidBatches", largeArray(many...), breaking{fake.Decoder{}, 19, domain.ErrBrokenFile}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture()
			f.config.Decoder, f.config.Batch = c.decoder, 5
			_, err := f.send(t, c.file)
			require.ErrorIs(t, err, domain.ErrBrokenFile)
			require.Empty(t, f.store.Accounts())
			require.Equal(t, []fake.ImportRecord{{ID: 1, Status: 400, Description: domain.DescriptionBroken}}, f.store.Recorded())
			require.Zero(t, f.spools.Open())
		})
	}
}

// breaking ends with an error after some candidates, or with a panic.
type breaking struct {
	ports.Decoder

	after int
	err   error
}

func (b breaking) Candidates(r *io.SectionReader, hint ports.FileHint, notes *ports.FileNotes) iter.Seq2[*domain.Candidate, error] {
	return func(yield func(*domain.Candidate, error) bool) {
		for candidate := range b.Decoder.Candidates(r, hint, notes) {
			if candidate.Number > b.after {
				if b.err == nil {
					panic("hostile file")
				}
				yield(nil, b.err)
				return
			}
			if !yield(candidate, nil) {
				return
			}
		}
	}
}

func TestFailedImportStoresNothing(t *testing.T) {
	failure := errors.New("disk on fire")
	large := strings.Repeat(" ", 2<<20) // decoded in a goroutine, where a panic would end the program
	for _, c := range []struct {
		name string
		err  error
	}{{"Error", failure}, {"Panic", nil}} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture()
			f.config.Decoder = breaking{fake.Decoder{}, 1, c.err}
			_, err := f.send(t, array(person("a", "a@example.com", ""), person("b", "b@example.com", ""))+large)
			require.Error(t, err)
			require.NotErrorIs(t, err, domain.ErrBrokenFile)
			require.Empty(t, f.store.Accounts())
			require.Empty(t, f.store.Recorded())
			require.Zero(t, f.spools.Open())
		})
	}
}

func TestLargeImport(t *testing.T) {
	f := newFixture()
	f.config.Batch = 100
	const records = 3000
	file := make([]string, records)
	for i := range file {
		file[i] = person(fmt.Sprintf("user%d", i), fmt.Sprintf("u%d@example.com", i), "")
		if i%3 == 2 { // clashes with the previous record, which may be in another batch
			file[i] = person(fmt.Sprintf("other%d", i), fmt.Sprintf("u%d@example.com", i-1), "")
		}
	}
	got, err := f.send(t, largeArray(file...))
	require.NoError(t, err)
	require.Equal(t, domain.Tally{Records: records, Registered: records * 2 / 3, Rejected: records / 3}, got.tally)
	require.Len(t, got.outcomes, records)
	for i, outcome := range got.outcomes {
		require.Equal(t, i+1, outcome.Record)
		require.Equal(t, i%3 == 2, outcome.Violations != nil)
		require.Equal(t, i%3 == 2, outcome.Password == "")
	}
	require.Len(t, f.store.Recorded()[0].Rejections, records/3)
	require.Zero(t, f.spools.Open())
}

// racedImports calls race between an import's first Taken and Add.
type racedImports struct {
	ports.ImportStore

	race func()
}

func (r *racedImports) Do(ctx context.Context, mode ports.ImportMode, work func(context.Context, ports.ImportTx) error) (int64, error) {
	return r.ImportStore.Do(ctx, mode, func(ctx context.Context, tx ports.ImportTx) error {
		return work(ctx, &racedTx{tx, r})
	})
}

type racedTx struct {
	ports.ImportTx

	imports *racedImports
}

func (tx *racedTx) Add(ctx context.Context, accounts []domain.Account, rejections []domain.Rejection) error {
	if race := tx.imports.race; race != nil {
		tx.imports.race = nil
		race()
	}
	return tx.ImportTx.Add(ctx, accounts, rejections)
}

func TestKeyTakenConcurrentlyIsRejected(t *testing.T) {
	f := newFixture()
	rival := contract.Record(t, 1)
	f.config.Imports = &racedImports{f.store, func() {
		_, err := f.store.Do(t.Context(), ports.ImportMode{}, func(ctx context.Context, tx ports.ImportTx) error {
			require.NoError(t, tx.Add(ctx, []domain.Account{{Registration: rival.Registration, PasswordHash: "x"}}, nil))
			return tx.Finish(ctx, domain.Tally{Records: 1, Registered: 1}, nil)
		})
		require.NoError(t, err)
	}}
	got, err := f.send(t, array(person("user1", "mine@example.com", ""), person("mine", "mine@example.com", "")))
	require.NoError(t, err)
	require.Equal(t, domain.Tally{Records: 2, Registered: 1, Rejected: 1}, got.tally)
	require.Equal(t, "mine", got.outcomes[1].Login)
	require.NotEmpty(t, got.outcomes[1].Password)
	require.Len(t, f.store.Accounts(), 2)
}

func TestDryRun(t *testing.T) {
	f := newFixture()
	file := array(person("anna", "a@example.com", ""), `7`, person("ANNA", "b@example.com", ""), person("boris", "b@example.com", ""))
	dry, err := f.request(t, file, ports.ImportRequest{DryRun: true, Key: key})
	require.NoError(t, err)
	require.Empty(t, f.store.Accounts())
	require.Empty(t, f.store.Recorded())
	for i, outcome := range dry.outcomes {
		require.Empty(t, outcome.Password, "record %d", i+1)
	}

	wet, err := f.request(t, file, ports.ImportRequest{Key: key})
	require.NoError(t, err)
	require.False(t, wet.replayed)
	wet.id = 0
	for i := range wet.outcomes {
		wet.outcomes[i].Password = ""
	}
	require.Equal(t, wet, dry, "equal except for the id and the passwords")

	again, err := f.request(t, file, ports.ImportRequest{DryRun: true, Key: key})
	require.NoError(t, err)
	require.Equal(t, domain.Tally{Records: 4, Rejected: 4}, again.tally, "a dry run does not repeat a stored answer")
	_, err = f.request(t, `[`, ports.ImportRequest{DryRun: true})
	require.ErrorIs(t, err, domain.ErrBrokenFile)
	require.Len(t, f.store.Recorded(), 1)
	require.Zero(t, f.spools.Open())
}

func TestStrictImport(t *testing.T) {
	f := newFixture()
	good := array(person("anna", "a@example.com", ""), person("boris", "b@example.com", ""))
	bad := array(person("clara", "c@example.com", ""), `7`, person("CLARA", "d@example.com", ""), person("dora", "d@example.com", ""))
	for _, dryRun := range []bool{true, false} {
		got, err := f.request(t, good, ports.ImportRequest{Strict: true, DryRun: dryRun})
		require.NoError(t, err)
		require.Equal(t, domain.Tally{Records: 2, Registered: 2}, got.tally)
		got, err = f.request(t, bad, ports.ImportRequest{Strict: true, DryRun: dryRun})
		require.NoError(t, err)
		require.Equal(t, domain.Tally{Records: 4, Rejected: 2}, got.tally)
		skipped := []bool{}
		for _, outcome := range got.outcomes {
			require.Empty(t, outcome.Password)
			skipped = append(skipped, outcome.Skipped)
		}
		require.Equal(t, []bool{true, false, false, true}, skipped)
	}
	require.Len(t, f.store.Accounts(), 2)
	require.Len(t, f.store.Recorded(), 2)
	rejected := f.store.Recorded()[1]
	require.Equal(t, []int{400, 0, 2, 2}, []int{rejected.Status, rejected.Registered, rejected.Rejected, len(rejected.Rejections)})
}

func TestRepeatedKeyReturnsTheStoredAnswer(t *testing.T) {
	f := newFixture()
	now := time.Now()
	f.config.Now, f.store.Now = func() time.Time { return now }, func() time.Time { return now }
	f.config.KeepAnswers = time.Hour
	file := array(person("anna", "a@example.com", ""), `7`)
	first, err := f.request(t, file, ports.ImportRequest{Key: key})
	require.NoError(t, err)
	require.Equal(t, "password-1-1", first.outcomes[0].Password)

	again := first
	again.replayed = true
	for _, restarted := range []bool{false, true} {
		if restarted {
			f.config.Passwords = &fake.Passwords{}
		}
		got, err := f.request(t, file, ports.ImportRequest{Key: key})
		require.NoError(t, err)
		require.Equal(t, again, got)
	}
	page, err := f.audit.Entries(t.Context(), ports.AuditQuery{Limit: 9})
	require.NoError(t, err)
	require.Len(t, page.Entries, 2, "passwords that are given again")
	require.Equal(t, domain.ActionExported, page.Entries[0].Action)
	require.Equal(t, first.id, page.Entries[0].Import)
	require.Equal(t, map[string]any{"file": "answer"}, page.Entries[0].After)
	result, err := application.NewImportUsers(f.config).Recall(t.Context(), key)
	require.NoError(t, err)
	got, err := read(t, result)
	require.NoError(t, err)
	require.Equal(t, again, got)

	for _, other := range []struct {
		name    string
		file    string
		request ports.ImportRequest
	}{
		{"OtherFile", array(person("anna", "a@example.com", "")), ports.ImportRequest{}},
		{"Strict", file, ports.ImportRequest{Strict: true}},
		{"OtherFormat", file, ports.ImportRequest{Hint: ports.FileHint{Format: ports.FormatNDJSON}}},
		{"OtherDates", file, ports.ImportRequest{Hint: ports.FileHint{Dates: domain.DayFirst}}},
		{"OtherSheets", file, ports.ImportRequest{Hint: ports.FileHint{Sheets: []string{"5А"}}}},
	} {
		t.Run(other.name, func(t *testing.T) {
			other.request.Key = key
			_, err = f.request(t, other.file, other.request)
			require.ErrorIs(t, err, ports.ErrKeyReused)
		})
	}
	_, err = application.NewImportUsers(f.config).Recall(t.Context(), domain.ImportKey{Value: "other"})
	require.ErrorIs(t, err, ports.ErrNotFound)
	require.Len(t, f.store.Recorded(), 1)

	now = now.Add(time.Hour)
	got, err = f.request(t, file, ports.ImportRequest{Key: key})
	require.NoError(t, err)
	require.Equal(t, domain.Tally{Records: 2, Rejected: 2}, got.tally, "the answer has expired, and the account exists")
	require.Zero(t, f.spools.Open())
}

// An answer that an earlier version stored is found: without options that it did not know, a request has the same fingerprint.
func TestFingerprintOfEarlierVersions(t *testing.T) {
	f := newFixture()
	file := array(person("anna", "a@example.com", ""))
	request := ports.ImportRequest{
		Key: key, Hint: ports.FileHint{Format: ports.FormatCSV, Charset: "koi8-r"}, Strict: true, Sender: domain.Sender{TokenName: "crm"},
	}
	_, err := f.store.Do(t.Context(), ports.ImportMode{Key: key}, func(ctx context.Context, tx ports.ImportTx) error {
		before := sha256.Sum256([]byte(`"csv" "koi8-r" true "crm"` + "\n" + file))
		return tx.Finish(ctx, domain.Tally{}, &ports.Answer{Fingerprint: before[:], Salt: []byte("salt 1"), Expires: time.Now().Add(time.Hour), Outcomes: strings.NewReader("")})
	})
	require.NoError(t, err)
	got, err := f.request(t, file, request)
	require.NoError(t, err)
	require.True(t, got.replayed)
}

// The key of a broken file can be used for the corrected file.
func TestKeyOfABrokenFileCanBeUsedAgain(t *testing.T) {
	f := newFixture()
	_, err := f.request(t, `[`, ports.ImportRequest{Key: key})
	recorded, ok := errors.AsType[*ports.RecordedError](err)
	require.True(t, ok)
	require.EqualValues(t, 1, recorded.Import)
	require.ErrorIs(t, err, domain.ErrBrokenFile)
	got, err := f.request(t, person("anna", "a@example.com", ""), ports.ImportRequest{Key: key})
	require.NoError(t, err)
	require.Equal(t, 1, got.tally.Registered)
}

func TestImportLimits(t *testing.T) {
	f := newFixture()
	f.config.MaxRecords = 2
	_, err := f.send(t, `[{},{},{}]`)
	require.ErrorIs(t, err, domain.ErrTooManyRecords)
	_, err = f.send(t, `[{},{}]`)
	require.NoError(t, err)

	f.config.MaxImportTime = time.Nanosecond
	_, err = f.send(t, `[{},{}]`)
	require.ErrorIs(t, err, domain.ErrTooSlow)
	require.Zero(t, f.spools.Open())
}

// A large import without a slot is rejected immediately. Small imports need no slot.
func TestLargeImportsAreLimited(t *testing.T) {
	f := newFixture()
	f.config.MaxImports = 1
	large := person("anna", "a@example.com", "") + strings.Repeat(" ", 1<<20)
	inside, outside := make(chan struct{}), make(chan struct{})
	f.config.Imports = &racedImports{f.store, func() { close(inside); <-outside }}
	u := application.NewImportUsers(f.config)
	send := func(file string) error {
		spool := f.spools.New()
		defer spool.Close()
		_, _ = io.WriteString(spool, file)
		result, err := u.Import(t.Context(), ports.ImportRequest{File: spool})
		if err == nil {
			err = result.Close()
		}
		return err
	}
	first := make(chan error)
	go func() { first <- send(large) }()
	<-inside
	require.ErrorIs(t, send(large), ports.ErrBusy)
	require.NoError(t, send(person("boris", "b@example.com", "")))
	close(outside)
	require.NoError(t, <-first)
	require.NoError(t, send(large))
	require.Zero(t, f.spools.Open())
}

// An import is found to be large by its records before the database does any work for it. Then it needs a slot.
func TestImportsOfManyRecordsAreLarge(t *testing.T) {
	many := func(records int) string { return array(slices.Repeat([]string{"[]"}, records)...) }
	for _, key := range []domain.ImportKey{{}, key} {
		f := newFixture()
		f.config.MaxImports, f.config.KeepAnswers = 1, time.Hour
		modes := &modesOf{ImportStore: f.store}
		f.config.Imports = modes
		_, err := f.request(t, many(10_000), ports.ImportRequest{Key: key})
		require.NoError(t, err)
		require.Equal(t, []bool{false}, modes.exclusive)
		require.Equal(t, []bool{true}, modes.many)
		require.Equal(t, 1, modes.batches)

		modes.exclusive, modes.many, modes.batches = nil, nil, 0
		if !key.IsZero() {
			key = domain.ImportKey{Value: "another"}
		}
		got, err := f.request(t, many(10_001), ports.ImportRequest{Key: key})
		require.NoError(t, err)
		require.Equal(t, 10_001, got.tally.Rejected)
		require.Equal(t, []bool{false, true}, modes.exclusive)
		require.Equal(t, []bool{true, false}, modes.many)
		require.Equal(t, 2, modes.batches, "the first attempt does not query the database")

		modes.exclusive, modes.many = nil, nil
		if !key.IsZero() {
			key = domain.ImportKey{Value: "a third"}
		}
		_, err = f.request(t, many(101), ports.ImportRequest{Key: key})
		require.NoError(t, err)
		require.True(t, modes.many[len(modes.many)-1], "a small file can have many records")
		require.Zero(t, f.spools.Open())
	}
	f := newFixture()
	f.config.MaxImports = 1
	inside, outside := make(chan struct{}), make(chan struct{})
	f.config.Imports = &racedImports{f.store, func() { close(inside); <-outside }}
	u := application.NewImportUsers(f.config)
	send := func() error {
		spool := f.spools.New()
		defer spool.Close()
		_, _ = io.WriteString(spool, many(10_001))
		result, err := u.Import(t.Context(), ports.ImportRequest{File: spool, DryRun: true})
		return errors.Join(err, closed(result))
	}
	first := make(chan error)
	go func() { first <- send() }()
	<-inside
	require.ErrorIs(t, send(), ports.ErrBusy)
	close(outside)
	require.NoError(t, <-first)
}

func closed(result *ports.ImportResult) error {
	if result == nil {
		return nil
	}
	return result.Close()
}

// modesOf records the modes of imports, and counts their lookups.
type modesOf struct {
	ports.ImportStore

	exclusive, many []bool
	batches         int
}

func (m *modesOf) Do(ctx context.Context, mode ports.ImportMode, work func(context.Context, ports.ImportTx) error) (int64, error) {
	m.exclusive, m.many = append(m.exclusive, mode.Exclusive), append(m.many, mode.Many)
	return m.ImportStore.Do(ctx, mode, func(ctx context.Context, tx ports.ImportTx) error { return work(ctx, &lookupTx{tx, m}) })
}

type lookupTx struct {
	ports.ImportTx

	modes *modesOf
}

func (tx *lookupTx) Taken(ctx context.Context, records []domain.Record) (*domain.Taken, error) {
	tx.modes.batches++
	return tx.ImportTx.Taken(ctx, records)
}

// The answer has every record. The stored rejections are bounded by the size of the request, and those that are no records by number.
func TestStoredRejectionsAreBounded(t *testing.T) {
	kept := func(file string, sent int64) (fake.ImportRecord, imported) {
		f := newFixture()
		f.config.KeepOriginals = true
		got, err := f.request(t, file, ports.ImportRequest{Sent: sent})
		require.NoError(t, err)
		return f.store.Recorded()[0], got
	}
	record, got := kept(array(append(slices.Repeat([]string{"7"}, 3000), "{}")...), 0)
	require.Len(t, got.outcomes, 3001)
	require.Equal(t, 3001, record.Rejected)
	require.Len(t, record.Rejections, 1001, "1000 that are no records, and the record")
	require.Equal(t, 2000, record.Unkept)

	const empty = 9000
	record, got = kept(array(slices.Repeat([]string{"{}"}, empty)...), 150) // compressed
	require.Len(t, got.outcomes, empty)
	require.Equal(t, empty, record.Rejected)
	require.InDelta(t, 40, len(record.Rejections), 20)
	require.Equal(t, empty, record.Unkept+len(record.Rejections))

	short := fmt.Sprintf(`{"login":"%030d"}`, 7)
	record, _ = kept(array(slices.Repeat([]string{short}, 2000)...), 0)
	require.Len(t, record.Rejections, 2000, "all rejections of records with content are stored")
}

func TestDryRunStoresNoRejections(t *testing.T) {
	f := newFixture()
	stored := 0
	f.config.Imports = &rejectionsOf{f.store, &stored}
	for _, strict := range []bool{false, true} {
		_, err := f.request(t, array("7", "{}"), ports.ImportRequest{DryRun: true, Strict: strict})
		require.NoError(t, err)
	}
	require.Zero(t, stored)
}

// rejectionsOf counts the rejections that imports add.
type rejectionsOf struct {
	ports.ImportStore

	count *int
}

func (r *rejectionsOf) Do(ctx context.Context, mode ports.ImportMode, work func(context.Context, ports.ImportTx) error) (int64, error) {
	return r.ImportStore.Do(ctx, mode, func(ctx context.Context, tx ports.ImportTx) error { return work(ctx, &rejectionsTx{tx, r.count}) })
}

type rejectionsTx struct {
	ports.ImportTx

	count *int
}

func (tx *rejectionsTx) Add(ctx context.Context, accounts []domain.Account, rejections []domain.Rejection) error {
	*tx.count += len(rejections)
	return tx.ImportTx.Add(ctx, accounts, rejections)
}

func TestImportStopsWhenTheDiskIsFull(t *testing.T) {
	f := newFixture()
	f.config.Room = func() error { return ports.ErrNoRoom }
	_, err := f.send(t, person("anna", "a@example.com", ""))
	require.ErrorIs(t, err, ports.ErrNoRoom)
	require.Empty(t, f.store.Accounts())
	require.Zero(t, f.spools.Open())
}

func TestProgress(t *testing.T) {
	f := newFixture()
	f.config.Batch = 5
	const records = 20
	var seen []domain.Progress
	file := largeArray(slices.Repeat([]string{"{}"}, records)...)
	_, err := f.request(t, file, ports.ImportRequest{
		Progress: func(p domain.Progress) { seen = append(seen, p) },
	})
	require.NoError(t, err)
	require.Greater(t, len(seen), 1)
	size := int64(len(file))
	require.Equal(t, domain.Progress{Tally: domain.Tally{Records: records, Rejected: records}, Bytes: size, Size: size}, seen[len(seen)-1])
	for i := range seen[1:] {
		require.Greater(t, seen[i+1].Records, seen[i].Records)
	}
}

func TestRejectedImportIsRecorded(t *testing.T) {
	f := newFixture()
	id, err := application.NewImportUsers(f.config).Reject(t.Context(), ports.RejectedImport{
		Status: 413, Description: domain.DescriptionBroken, Sender: domain.Sender{TokenName: "crm"},
	})
	require.NoError(t, err)
	require.EqualValues(t, 1, id)
	require.Equal(t, []fake.ImportRecord{{ID: 1, Status: 413, Description: domain.DescriptionBroken, Token: "crm"}}, f.store.Recorded())
}

// rows yields the candidates of a file as rows of a table.
type rows struct{ ports.Decoder }

func (d rows) Candidates(r *io.SectionReader, hint ports.FileHint, notes *ports.FileNotes) iter.Seq2[*domain.Candidate, error] {
	return func(yield func(*domain.Candidate, error) bool) {
		for candidate, err := range d.Decoder.Candidates(r, hint, notes) {
			if err == nil {
				candidate.IsRow = true
			}
			if !yield(candidate, err) {
				return
			}
		}
	}
}

// A date with the month first is found in any batch. Then the import runs again, and rejects the dates that can be read in two ways. An order
// that was said decides.
func TestMonthFirst(t *testing.T) {
	const ambiguous, dayFirst, last = 2, 3, 20
	records := make([]string, last)
	for i := range records {
		birthday := "1990-02-01"
		switch i + 1 {
		case ambiguous:
			birthday = "01/02/1990"
		case dayFirst:
			birthday = "31/12/1990"
		case last:
			birthday = "12/31/1990"
		}
		records[i] = strings.TrimSuffix(person(fmt.Sprintf("user%d", i+1), fmt.Sprintf("u%d@example.com", i+1), ""), "}") + `,"birthday":"` + birthday + `"}`
	}
	for _, c := range []struct {
		name     string
		decoder  ports.Decoder
		request  ports.ImportRequest
		rejected int
		code     domain.Code
	}{
		{"Table", rows{fake.Decoder{}}, ports.ImportRequest{}, ambiguous, domain.CodeAmbiguousDate},
		{"StrictTable", rows{fake.Decoder{}}, ports.ImportRequest{Strict: true}, ambiguous, domain.CodeAmbiguousDate},
		{"Objects", fake.Decoder{}, ports.ImportRequest{}, last, domain.CodeInvalid},
		{"DayFirst", rows{fake.Decoder{}}, ports.ImportRequest{Hint: ports.FileHint{Dates: domain.DayFirst}}, last, domain.CodeInvalid},
		{"MonthFirst", rows{fake.Decoder{}}, ports.ImportRequest{Hint: ports.FileHint{Dates: domain.MonthFirst}}, dayFirst, domain.CodeInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture()
			f.config.Decoder, f.config.Batch = c.decoder, 5
			got, err := f.request(t, largeArray(records...), c.request)
			require.NoError(t, err)
			require.Equal(t, last, got.tally.Records)
			require.Equal(t, 1, got.tally.Rejected)
			require.Equal(t, domain.Violations{{Field: domain.FieldBirthday, Code: c.code}}, got.outcomes[c.rejected-1].Violations)
			registered := last - 1
			if c.request.Strict {
				registered = 0
			}
			require.Len(t, f.store.Accounts(), registered)
		})
	}
}
