package contract

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

// Outcomes proves a ports.OutcomeStore.
func Outcomes(t *testing.T, store ports.OutcomeStore) {
	for _, c := range []struct {
		name string
		test func(*testing.T, ports.OutcomeStore)
	}{
		{"YieldsWhatWasAppended", yieldsWhatWasAppended},
		{"SortsSlips", sortsSlips},
		{"SortsMoreSlipsThanMemory", sortsManySlips},
		{"StoresNoPasswords", storesNoPasswords},
		{"StoresMoreThanMemory", storesManyOutcomes},
		{"RestoresItsBytes", restoresOutcomes},
		{"EndsWithAnErrorIfCutShort", reportsCutLog},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, store) })
	}
}

// sampleOutcomes are outcomes of every kind.
func sampleOutcomes() []domain.Outcome {
	name := domain.RestoreFullName(domain.NameTexts{Last: "Ким", First: "Анна", Patronymic: "Петровна"})
	return []domain.Outcome{
		{Record: 1, Login: "anna", Name: name},
		{Record: 2, Login: "boris", Name: domain.RestoreFullName(domain.NameTexts{Last: "Ким", First: "Борис"}), Group: domain.RestoreGroup("5"), Skipped: true},
		{Record: 3, Violations: domain.Violations{{Code: domain.CodeNotObject}}},
		{Record: 4, Login: "a\x00\"<\n", Violations: domain.Violations{
			{Field: domain.FieldLogin, Code: domain.CodeTooLong, Limit: 50}, {Field: domain.FieldEmail, Code: domain.CodeContactRequired},
		}},
		{Place: domain.Place{Line: 7}, Record: 5, Violations: domain.Violations{{Code: domain.CodeUnreadable}}},
		{Place: domain.Place{Sheet: "5А", Line: 1 << 40}, Record: 6, Login: "a", Violations: domain.Violations{
			{Field: domain.FieldLogin, Code: domain.CodeTooShort, Limit: 2},
		}},
		{
			Record: 7, Login: "b", Name: domain.RestoreFullName(domain.NameTexts{Last: "Ли"}), Group: domain.RestoreGroup("5"),
			Violations: domain.Violations{{Code: domain.CodeSuspended}},
		},
		{Record: 8, Login: strings.Repeat("ы", 1000), Name: name, Group: domain.RestoreGroup("7 «Б»")},
	}
}

func logOf(t *testing.T, store ports.OutcomeStore, outcomes []domain.Outcome) ports.OutcomeLog {
	t.Helper()
	log := store.NewLog()
	t.Cleanup(func() { _ = log.Close() })
	for _, outcome := range outcomes {
		require.NoError(t, log.Append(outcome))
	}
	require.NoError(t, log.Flush())
	return log
}

func outcomesOf(t *testing.T, log ports.OutcomeLog) (all []domain.Outcome) {
	t.Helper()
	for outcome, err := range log.Outcomes() {
		require.NoError(t, err)
		all = append(all, outcome)
	}
	return all
}

func yieldsWhatWasAppended(t *testing.T, store ports.OutcomeStore) {
	want := sampleOutcomes()
	log := logOf(t, store, want)
	for range 2 {
		require.Equal(t, want, outcomesOf(t, log))
	}
	for range log.Outcomes() {
		break
	}
	require.Equal(t, want, outcomesOf(t, log), "after an iteration that was abandoned")
	require.Empty(t, outcomesOf(t, logOf(t, store, nil)))
}

// Slips are sorted by group, then by name, then by record, without regard to case and to the difference between е and ё, and numbers by
// their value. People without a
// group come last.
func sortsSlips(t *testing.T, store ports.OutcomeStore) {
	name := func(last, first, patronymic string) domain.FullName {
		return domain.RestoreFullName(domain.NameTexts{Last: last, First: first, Patronymic: patronymic})
	}
	rejection := domain.Outcome{Login: "rejected", Violations: domain.Violations{{Code: domain.CodeNotObject}}}
	log := logOf(t, store, []domain.Outcome{
		{Name: name("Ёлкин", "Иван", "")},
		{Name: name("Жук", "Яна", ""), Group: domain.RestoreGroup("10а")},
		rejection,
		{Name: name("Ежов", "Пётр", "Б"), Group: domain.RestoreGroup("2Б")},
		{Name: name("Ежов", "Петр", "А"), Group: domain.RestoreGroup("2б")},
		{Name: name("Ежов", "Ада", ""), Group: domain.RestoreGroup("2Б"), Skipped: true},
		{Name: name("ежова", "", ""), Group: domain.RestoreGroup("2Б")},
		{Name: name("Аист", "Яна", ""), Group: domain.RestoreGroup("10А")},
		{Name: name("Ежов", "Пётр", "Б"), Group: domain.RestoreGroup("2Б")},
		{Name: name("Елка", "Анна", "")},
		{Name: name("Zoe", "Ann", ""), Group: domain.RestoreGroup("Algebra")},
		{Name: name("Ким", "Ян", ""), Group: domain.RestoreGroup("02Б")},
		{Name: name("Ким", "Ян", ""), Group: domain.RestoreGroup("0")},
		{Name: name("Ким", "Ян", ""), Group: domain.RestoreGroup("2")},
	})
	order, err := store.SlipOrder(log.Outcomes())
	require.NoError(t, err)
	require.Equal(t, &domain.SlipOrder{Records: []int32{13, 14, 5, 4, 9, 7, 12, 8, 2, 11, 10, 1}, Groups: []int32{0, 1, 2, 6, 7, 9, 10}}, order)

	order, err = store.SlipOrder(logOf(t, store, []domain.Outcome{rejection}).Outcomes())
	require.NoError(t, err)
	require.Equal(t, &domain.SlipOrder{}, order)
}

func sortsManySlips(t *testing.T, store ports.OutcomeStore) {
	const many = 12_000
	log := store.NewLog()
	for i := range many {
		require.NoError(t, log.Append(domain.Outcome{
			Name:  domain.RestoreFullName(domain.NameTexts{Last: fmt.Sprintf("%0900d", many-i)}),
			Group: domain.RestoreGroup(strconv.Itoa(i % 3)),
		}))
	}
	require.NoError(t, log.Flush())
	order, err := store.SlipOrder(log.Outcomes())
	require.NoError(t, err)
	require.Len(t, order.Records, many)
	require.Equal(t, []int32{0, many / 3, 2 * many / 3}, order.Groups)
	for i := range many {
		require.Equal(t, int32(many-2+i/(many/3)-i%(many/3)*3), order.Records[i])
	}
	require.NoError(t, log.Close())
}

func storesNoPasswords(t *testing.T, store ports.OutcomeStore) {
	log := logOf(t, store, []domain.Outcome{{Record: 7, Login: "anna", Password: "secret horse"}})
	content, err := io.ReadAll(log.Reader())
	require.NoError(t, err)
	require.NotContains(t, string(content), "secret horse")
	require.Equal(t, []domain.Outcome{{Record: 1, Login: "anna"}}, outcomesOf(t, log))
}

func storesManyOutcomes(t *testing.T, store ports.OutcomeStore) {
	const many = 50_000
	log := store.NewLog()
	for i := range many {
		require.NoError(t, log.Append(domain.Outcome{Login: fmt.Sprintf("user-%030d", i)}))
	}
	require.NoError(t, log.Flush())
	n := 0
	for outcome, err := range log.Outcomes() {
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("user-%030d", n), outcome.Login)
		n++
		require.Equal(t, n, outcome.Record)
	}
	require.Equal(t, many, n)
	require.NoError(t, log.Close())
}

func restoresOutcomes(t *testing.T, store ports.OutcomeStore) {
	want := sampleOutcomes()
	var content bytes.Buffer
	_, err := io.Copy(&content, logOf(t, store, want).Reader())
	require.NoError(t, err)
	restored := store.NewLog()
	for _, half := range [][]byte{content.Next(content.Len() / 2), content.Bytes()} {
		_, err = restored.Write(half)
		require.NoError(t, err)
	}
	require.Equal(t, want, outcomesOf(t, restored))
	require.NoError(t, restored.Close())
}

func reportsCutLog(t *testing.T, store ports.OutcomeStore) {
	content, err := io.ReadAll(logOf(t, store, sampleOutcomes()).Reader())
	require.NoError(t, err)
	cut := store.NewLog()
	_, err = cut.Write(content[:len(content)-3])
	require.NoError(t, err)
	err = nil
	n := 0
	for _, e := range cut.Outcomes() {
		require.NoError(t, err, "an outcome follows an error")
		err = e
		n++
	}
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, len(sampleOutcomes()), n)
	_, err = store.SlipOrder(cut.Outcomes())
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.NoError(t, cut.Close())
}
