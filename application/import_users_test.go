package application_test

import (
	"context"
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
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newFixture() *fixture {
	f := &fixture{store: &fake.Imports{}, spools: &fake.Spools{}}
	f.config = application.ImportConfig{
		Imports: f.store, Decoder: fake.Decoder{}, Outcomes: f.spools, Passwords: &fake.Passwords{}, Sentences: fake.Sentences{},
		Rules: func() domain.Rules { return domain.Rules{Region: "RU", Today: domain.DateOf(noon)} },
		Now:   func() time.Time { return noon },
	}
	return f
}

// key is an idempotency key that all senders share.
var key = domain.ImportKey{Value: "key"}

// imported is what came of an import.
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

// read takes all there is of a result.
func read(t *testing.T, result *ports.ImportResult) (imported, error) {
	t.Helper()
	got := imported{id: result.ID, tally: result.Tally, replayed: result.Replayed}
	for range 2 { // as often as wanted
		got.outcomes = nil
		for outcome, err := range result.Outcomes {
			require.NoError(t, err)
			got.outcomes = append(got.outcomes, outcome)
		}
	}
	for range result.Outcomes {
		break
	}
	return got, result.Close()
}

func person(login, email, phone string) string {
	return fmt.Sprintf(`{"first_name":"Анна","last_name":"Ким","patronymic":"Петровна","login":%q,"email":%q,"phone":%q}`, login, email, phone)
}

func array(objects ...string) string { return "[" + strings.Join(objects, ",") + "]" }

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
	require.Equal(t, "$fake-temporary$hash-1-1", accounts[0].PasswordHash)
	require.Equal(t, "$fake-temporary$hash-1-5", accounts[1].PasswordHash)
	require.Equal(t, []fake.Record{{
		ID: 1, Status: 200, Description: "Not all users have been created (created by 2 of 5 users)",
		Created: 2, Refused: 3, Rejections: []domain.Rejection{
			{Record: 2, Violations: none, Description: "not_object."},
			{Record: 3, Login: "ANNA", Violations: taken, Description: "login taken."},
			{Record: 4, Login: "x", Violations: invalid, Description: "email invalid. phone invalid."},
		},
	}}, f.store.Records())
	require.Zero(t, f.spools.Open(), "nothing is left behind")
}

func TestImportOfNobody(t *testing.T) {
	f := newFixture()
	got, err := f.send(t, `{}`)
	require.NoError(t, err)
	require.Equal(t, domain.Tally{Records: 1, Rejected: 1}, got.tally)
	require.Equal(t, 400, f.store.Records()[0].Status)
	require.Equal(t, domain.DescriptionNoneCreated, f.store.Records()[0].Description)
	require.Empty(t, f.store.Accounts())
}

func TestBrokenFile(t *testing.T) {
	many := make([]string, 20_000)
	for i := range many {
		many[i] = person(fmt.Sprintf("user%d", i), fmt.Sprintf("u%d@example.com", i), "")
	}
	for name, c := range map[string]struct {
		file    string
		decoder ports.Decoder
	}{
		"empty":                        {"", fake.Decoder{}},
		"after batches that were fine": {array(many...), breaking{fake.Decoder{}, 19_999, domain.ErrBrokenFile}},
	} {
		f := newFixture()
		f.config.Decoder = c.decoder
		_, err := f.send(t, c.file)
		require.ErrorIs(t, err, domain.ErrBrokenFile, name)
		require.Empty(t, f.store.Accounts(), name)
		require.Equal(t, []fake.Record{{ID: 1, Status: 400, Description: domain.DescriptionBroken}}, f.store.Records(), name)
		require.Zero(t, f.spools.Open(), name)
	}
}

// breaking ends with an error after some candidates.
type breaking struct {
	ports.Decoder

	after int
	err   error
}

func (b breaking) Candidates(r *io.SectionReader, hint ports.FileHint) iter.Seq2[*domain.Candidate, error] {
	return func(yield func(*domain.Candidate, error) bool) {
		for candidate := range b.Decoder.Candidates(r, hint) {
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

func TestFailureLeavesNothing(t *testing.T) {
	failure := errors.New("disk on fire")
	large := strings.Repeat(" ", 2<<20) // so that decoding has a goroutine of its own, which must not die of a panic
	for name, err := range map[string]error{"an error": failure, "a panic": nil} {
		f := newFixture()
		f.config.Decoder = breaking{fake.Decoder{}, 1, err}
		_, err := f.send(t, array(person("a", "a@example.com", ""), person("b", "b@example.com", ""))+large)
		require.Error(t, err, name)
		require.NotErrorIs(t, err, domain.ErrBrokenFile, name)
		require.Empty(t, f.store.Accounts(), name)
		require.Empty(t, f.store.Records(), name)
		require.Zero(t, f.spools.Open(), name)
	}
}

func TestLargeImport(t *testing.T) {
	f := newFixture()
	const objects = 30_000 // some batches
	file := make([]string, objects)
	for i := range file {
		file[i] = person(fmt.Sprintf("user%d", i), fmt.Sprintf("u%d@example.com", i), "")
		if i%3 == 2 { // clashes with its neighbour, who may be in another batch
			file[i] = person(fmt.Sprintf("other%d", i), fmt.Sprintf("u%d@example.com", i-1), "")
		}
	}
	got, err := f.send(t, array(file...))
	require.NoError(t, err)
	require.Equal(t, domain.Tally{Records: objects, Registered: objects * 2 / 3, Rejected: objects / 3}, got.tally)
	require.Len(t, got.outcomes, objects)
	for i, outcome := range got.outcomes {
		require.Equal(t, i+1, outcome.Record)
		require.Equal(t, i%3 == 2, outcome.Violations != nil)
		require.Equal(t, i%3 == 2, outcome.Password == "")
	}
	records := f.store.Records()
	require.Len(t, records[0].Rejections, objects/3)
	require.Zero(t, f.spools.Open())
}

// meanwhile has somebody register between an import's question and its answer.
type meanwhile struct {
	ports.ImportStore

	happens func()
}

func (m *meanwhile) Do(ctx context.Context, mode ports.ImportMode, work func(context.Context, ports.ImportTx) error) (int64, error) {
	return m.ImportStore.Do(ctx, mode, func(ctx context.Context, tx ports.ImportTx) error {
		return work(ctx, &meanwhileTx{tx, m})
	})
}

type meanwhileTx struct {
	ports.ImportTx

	meanwhile *meanwhile
}

func (tx *meanwhileTx) Add(ctx context.Context, accounts []domain.Account, rejections []domain.Rejection) error {
	if happens := tx.meanwhile.happens; happens != nil {
		tx.meanwhile.happens = nil
		happens()
	}
	return tx.ImportTx.Add(ctx, accounts, rejections)
}

func TestSomebodyElseRegistersMeanwhile(t *testing.T) {
	f := newFixture()
	rival := contract.Record(t, 1)
	f.config.Imports = &meanwhile{f.store, func() {
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
	require.Empty(t, f.store.Records())
	for i, outcome := range dry.outcomes {
		require.Empty(t, outcome.Password, "object %d", i+1)
	}

	wet, err := f.request(t, file, ports.ImportRequest{Key: key})
	require.NoError(t, err)
	require.False(t, wet.replayed)
	wet.id = 0
	for i := range wet.outcomes {
		wet.outcomes[i].Password = ""
	}
	require.Equal(t, wet, dry, "but for id and passwords")

	again, err := f.request(t, file, ports.ImportRequest{DryRun: true, Key: key})
	require.NoError(t, err)
	require.Equal(t, domain.Tally{Records: 4, Rejected: 4}, again.tally, "and no answer that is kept")
	_, err = f.request(t, `[`, ports.ImportRequest{DryRun: true})
	require.ErrorIs(t, err, domain.ErrBrokenFile)
	require.Len(t, f.store.Records(), 1)
	require.Zero(t, f.spools.Open())
}

func TestStrict(t *testing.T) {
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
	require.Len(t, f.store.Records(), 2)
	refused := f.store.Records()[1]
	require.Equal(t, []int{400, 0, 2, 2}, []int{refused.Status, refused.Created, refused.Refused, len(refused.Rejections)})
}

func TestKey(t *testing.T) {
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
	result, err := application.NewImportUsers(f.config).Recall(t.Context(), key)
	require.NoError(t, err)
	got, err := read(t, result)
	require.NoError(t, err)
	require.Equal(t, again, got)

	for _, other := range []struct {
		file    string
		request ports.ImportRequest
	}{
		{array(person("anna", "a@example.com", "")), ports.ImportRequest{}},
		{file, ports.ImportRequest{Strict: true}},
		{file, ports.ImportRequest{Hint: ports.FileHint{Format: ports.FormatNDJSON}}},
	} {
		other.request.Key = key
		_, err = f.request(t, other.file, other.request)
		require.ErrorIs(t, err, ports.ErrKeyReused)
	}
	_, err = application.NewImportUsers(f.config).Recall(t.Context(), domain.ImportKey{Value: "other"})
	require.ErrorIs(t, err, ports.ErrNotFound)
	require.Len(t, f.store.Records(), 1)

	now = now.Add(time.Hour)
	got, err = f.request(t, file, ports.ImportRequest{Key: key})
	require.NoError(t, err)
	require.Equal(t, domain.Tally{Records: 2, Rejected: 2}, got.tally, "the key is forgotten, the account is not")
	require.Zero(t, f.spools.Open())
}

// What registered nobody because its file broke may be mended and sent with the same key.
func TestKeyOfBrokenFile(t *testing.T) {
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

func TestBounds(t *testing.T) {
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

// A large import that finds no place is told so at once. Small ones need none.
func TestLargeImportsAtOnce(t *testing.T) {
	f := newFixture()
	f.config.MaxImports = 1
	large := person("anna", "a@example.com", "") + strings.Repeat(" ", 1<<20)
	inside, outside := make(chan struct{}), make(chan struct{})
	f.config.Imports = &meanwhile{f.store, func() { close(inside); <-outside }}
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

// What is large by its records is found out before the database has done anything for it, and then waits like any other.
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
		require.Equal(t, 2, modes.batches, "nothing is asked for before it is known to be large")

		modes.exclusive, modes.many = nil, nil
		if !key.IsZero() {
			key = domain.ImportKey{Value: "a third"}
		}
		_, err = f.request(t, many(101), ports.ImportRequest{Key: key})
		require.NoError(t, err)
		require.Equal(t, []bool{false, true}, modes.many, "a file of few bytes has many records as well")
		require.Zero(t, f.spools.Open())
	}
	f := newFixture()
	f.config.MaxImports = 1
	inside, outside := make(chan struct{}), make(chan struct{})
	f.config.Imports = &meanwhile{f.store, func() { close(inside); <-outside }}
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

// modesOf notes how imports are run, and how often they ask what is taken.
type modesOf struct {
	ports.ImportStore

	exclusive, many []bool
	batches         int
}

func (m *modesOf) Do(ctx context.Context, mode ports.ImportMode, work func(context.Context, ports.ImportTx) error) (int64, error) {
	m.exclusive, m.many = append(m.exclusive, mode.Exclusive), append(m.many, mode.Many)
	return m.ImportStore.Do(ctx, mode, func(ctx context.Context, tx ports.ImportTx) error { return work(ctx, &askedTx{tx, m}) })
}

type askedTx struct {
	ports.ImportTx

	modes *modesOf
}

func (tx *askedTx) Taken(ctx context.Context, objects []domain.Record) (*domain.Taken, error) {
	tx.modes.batches++
	return tx.ImportTx.Taken(ctx, objects)
}

// The answer tells of every record. What is kept of them is bounded, by number where there is no record, and by what was sent.
func TestRejectionsThatAreKept(t *testing.T) {
	kept := func(file string, sent int64) (fake.Record, imported) {
		f := newFixture()
		f.config.KeepOriginals = true
		got, err := f.request(t, file, ports.ImportRequest{Sent: sent})
		require.NoError(t, err)
		return f.store.Records()[0], got
	}
	record, got := kept(array(append(slices.Repeat([]string{"7"}, 20_000), "{}")...), 0)
	require.Len(t, got.outcomes, 20_001)
	require.Equal(t, 20_001, record.Refused)
	require.Len(t, record.Rejections, 1001, "1000 that are no records, and the one that is")
	require.Equal(t, 19_000, record.Unkept)

	const emptied = 9000
	record, got = kept(array(slices.Repeat([]string{"{}"}, emptied)...), 150) // compressed
	require.Len(t, got.outcomes, emptied)
	require.Equal(t, emptied, record.Refused)
	require.InDelta(t, 40, len(record.Rejections), 20)
	require.Equal(t, emptied, record.Unkept+len(record.Rejections))

	short := fmt.Sprintf(`{"login":"%030d"}`, 7)
	record, _ = kept(array(slices.Repeat([]string{short}, 5000)...), 0)
	require.Len(t, record.Rejections, 5000, "of objects with something in them all are kept")
}

// A dry run leaves nothing, whatever it finds.
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

// rejectionsOf counts what imports add.
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

func TestNoRoomForTheDatabase(t *testing.T) {
	f := newFixture()
	f.config.Room = func() error { return ports.ErrNoRoom }
	_, err := f.send(t, person("anna", "a@example.com", ""))
	require.ErrorIs(t, err, ports.ErrNoRoom)
	require.Empty(t, f.store.Accounts())
	require.Zero(t, f.spools.Open())
}

func TestProgress(t *testing.T) {
	f := newFixture()
	const objects = 20_000
	var seen []domain.Progress
	_, err := f.request(t, array(slices.Repeat([]string{"{}"}, objects)...), ports.ImportRequest{
		Progress: func(p domain.Progress) { seen = append(seen, p) },
	})
	require.NoError(t, err)
	require.Greater(t, len(seen), 1)
	size := int64(3*objects + 1)
	require.Equal(t, domain.Progress{Tally: domain.Tally{Records: objects, Rejected: objects}, Bytes: size, Size: size}, seen[len(seen)-1])
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
	require.Equal(t, []fake.Record{{ID: 1, Status: 413, Description: domain.DescriptionBroken, Token: "crm"}}, f.store.Records())
}
