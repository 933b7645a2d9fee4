package i18n_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/i18n"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/contract"
)

func TestSentences(t *testing.T) {
	for _, words := range catalog(t).All() {
		t.Run(words.Language(), func(t *testing.T) {
			contract.Sentences(t, words)
			for _, field := range domain.Fields() {
				for _, code := range domain.Codes() {
					for _, limit := range []int{0, 1, 2, 5, 50} {
						sentence := words.Describe(domain.Violations{{Field: field, Code: code, Limit: limit}})
						require.NotContains(t, sentence, "<no value>", "%s %s", field, code)
						require.NotContains(t, sentence, "field.", "%s %s", field, code)
						require.NotContains(t, sentence, ". ", "it is one sentence")
					}
				}
			}
			for _, code := range domain.BulkCodes() {
				require.Contains(t, words.Describe(domain.Violations{{Code: code}}), " ", "%s", code)
			}
			require.Empty(t, words.Describe(nil))
		})
	}
}

// Lists and charts show a short reason for each code, after the field's name.
func TestReasonsHaveTheirNames(t *testing.T) {
	for _, words := range catalog(t).All() {
		for _, code := range domain.Codes() {
			id := "reason." + string(code)
			require.NotEqual(t, id, words.Text(id), words.Language())
		}
		require.Equal(t, "A: b", words.Text("report.reason.name", "Field", "A", "What", "b"))
	}
}

func TestPlurals(t *testing.T) {
	languages := catalog(t)
	en, ru := languages.Choose("en", ""), languages.Choose("ru", "")
	require.Equal(t, "1,234 records", en.Text("report.records.count", "Count", 1234, "Number", "1,234"))
	for count, noun := range map[int]string{1: "1 запись", 2: "2 записи", 5: "5 записей", 11: "11 записей", 21: "21 запись"} {
		require.Equal(t, noun, ru.Text("report.records.count", "Count", count, "Number", count))
	}
}

func TestDescribe(t *testing.T) {
	violations := domain.Violations{
		{Field: domain.FieldFirstName, Code: domain.CodeRequired},
		{Field: domain.FieldLogin, Code: domain.CodeTooLong, Limit: 50},
		{Field: domain.FieldPhone, Code: domain.CodeType},
		{Field: domain.FieldBirthday, Code: domain.CodeFuture},
		{Field: domain.FieldPassword, Code: domain.CodeTooShort, Limit: 8},
	}
	languages := catalog(t)
	require.Equal(t, "First name is required. Login is longer than 50 characters. Phone must be text or a number, not a date or another value. "+
		"Birthday is in the future. Password is too short: use at least 8 characters.",
		languages.Choose("en", "").Describe(violations))
	require.Equal(t, "Укажите имя. Логин длиннее 50 символов. Телефон должен быть текстом или числом, а не датой или чем-то другим. "+
		"Дата рождения ещё не наступила. Пароль слишком короткий: нужно не меньше 8 символов.",
		languages.Choose("ru", "").Describe(violations))
}

func TestRussianPlurals(t *testing.T) {
	ru := catalog(t).Choose("ru", "")
	for count, noun := range map[int]string{
		1: "минуту", 2: "минуты", 5: "минут", 11: "минут", 21: "минуту", 22: "минуты",
	} {
		require.Contains(t, ru.Text("alert.attempts", "Count", count), " "+strconv.Itoa(count)+" "+noun+".")
	}
	for limit, noun := range map[int]string{
		1: "символа", 2: "символов", 5: "символов", 11: "символов", 21: "символа", 22: "символов",
	} {
		for _, code := range []domain.Code{domain.CodeTooLong, domain.CodeTooShort} {
			sentence := ru.Describe(domain.Violations{{Field: domain.FieldPassword, Code: code, Limit: limit}})
			require.True(t, strings.HasSuffix(sentence, " "+strconv.Itoa(limit)+" "+noun+"."), sentence)
		}
	}
}

func TestText(t *testing.T) {
	languages := catalog(t)
	en := languages.Choose("en", "")
	require.Equal(t, "Too many attempts. Try again in 1 minute.", en.Text("alert.attempts", "Count", 1))
	require.Equal(t, "Too many attempts. Try again in 2 minutes.", en.Text("alert.attempts", "Count", 2))
	require.Equal(t, "You're signed out.", en.Text("notice.signed_out", "Count", 1), "the message has no plural forms")
	for _, words := range languages.All() {
		require.Equal(t, "no.such.text", words.Text("no.such.text"))
		require.Equal(t, "no.such.text", words.Text("no.such.text", "Count", 1))
		require.Contains(t, words.Text("hint.psw"), " "+strconv.Itoa(domain.MinPassword)+" ")
		require.Contains(t, words.Text("hint.login"), " "+strconv.Itoa(domain.MaxLogin)+" ")
	}
}

func TestDate(t *testing.T) {
	languages := catalog(t)
	day := time.Date(2026, time.November, 23, 23, 59, 0, 0, time.UTC)
	require.Equal(t, "23 November 2026", languages.Choose("en", "").Date(day))
	require.Equal(t, "23 ноября 2026 г.", languages.Choose("ru", "").Date(day))
	require.Equal(t, "1 января 987 г.", languages.Choose("ru", "").Date(time.Date(987, time.January, 1, 0, 0, 0, 0, time.UTC)))
}

func TestChoose(t *testing.T) {
	languages := catalog(t)
	all := languages.All()
	require.Len(t, all, 2)
	require.Equal(t, "English", all[0].Text("language.name"))
	require.Equal(t, "Русский", all[1].Text("language.name"))

	for _, c := range []struct{ name, chosen, header, want string }{
		{"no header", "", "", "en"},
		{"chosen", "ru", "", "ru"},
		{"chosen, against the header", "en", "ru", "en"},
		{"unknown language chosen", "de", "ru", "ru"},
		{"region of a language chosen", "ru-RU", "", "en"},
		{"region in the header", "", "ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", "ru"},
		{"order", "", "en-US,en;q=0.9,ru;q=0.8", "en"},
		{"weight", "", "en;q=0.1, ru;q=0.9", "ru"},
		{"unknown languages", "", "de-DE,de;q=0.9", "en"},
		{"second language", "", "de-DE,de;q=0.9,ru;q=0.5", "ru"},
		{"any language", "", "*", "en"},
		{"malformed weight", "", "ru;q=x,,;;", "en"},
		{"malformed header", "", "\x00\xff<script>", "en"},
		{"huge header after a language", "", "ru," + strings.Repeat("de-DE;q=0.1,", 100_000), "ru"},
		{"huge header", "", strings.Repeat("r", 1_000_000), "en"},
		{"header cut inside a tag", "", strings.Repeat("de;q=0.1, ", 19) + "de;q=0.1,ru-RU", "en"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, languages.Choose(c.chosen, c.header).Language())
		})
	}
}

// ownWords match the messages of one field for a violation. Only some languages need them; TestSentences proves that every field has a
// sentence in each.
var ownWords = regexp.MustCompile(`^violation\.\w+\.\w+$`)

var topKey = regexp.MustCompile(`(?m)^  "([^"]+)": `)

func TestCatalogsHaveTheSameKeys(t *testing.T) {
	keys := func(file string) []string {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var messages map[string]any
		require.NoError(t, json.Unmarshal(text, &messages))
		require.Len(t, topKey.FindAll(text, -1), len(messages), "a key appears twice in %s", file)
		for key, message := range messages {
			require.NotEmpty(t, message, key)
		}
		maps.DeleteFunc(messages, func(key string, _ any) bool { return ownWords.MatchString(key) })
		return slices.Sorted(maps.Keys(messages))
	}
	require.Equal(t, keys("en.json"), keys("ru.json"))
}

func TestViewsHaveTheirTexts(t *testing.T) {
	text := regexp.MustCompile(`\.Text "([^"]+)"`)
	views, languages := os.DirFS("../../views"), catalog(t)
	used := 0
	require.NoError(t, fs.WalkDir(views, ".", func(file string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(file) != ".html" {
			return err
		}
		content, err := fs.ReadFile(views, file)
		for _, match := range text.FindAllSubmatch(content, -1) {
			used++
			id := string(match[1])
			for _, words := range languages.All() {
				require.NotEqual(t, id, words.Text(id), "%s in %s", file, words.Language())
			}
		}
		return err
	}))
	require.Positive(t, used)
}

// A message that neither a template nor the code of pages names is dead. The code may name a message by all but its last part.
func TestMessagesAreUsed(t *testing.T) {
	var source strings.Builder
	for _, folder := range []string{"../../views", "../web", "."} {
		require.NoError(t, fs.WalkDir(os.DirFS(folder), ".", func(file string, _ fs.DirEntry, err error) error {
			if err != nil || !slices.Contains([]string{".html", ".go"}, path.Ext(file)) || strings.HasSuffix(file, "_test.go") {
				return err
			}
			content, err := fs.ReadFile(os.DirFS(folder), file)
			source.Write(content)
			return err
		}))
	}
	text, err := os.ReadFile("en.json")
	require.NoError(t, err)
	for _, match := range topKey.FindAllSubmatch(text, -1) {
		key := string(match[1])
		names := []string{`"` + key + `"`}
		for i, r := range key {
			if r == '.' {
				names = append(names, `"`+key[:i+1]+`"`)
			}
		}
		require.True(t, slices.ContainsFunc(names, func(name string) bool { return strings.Contains(source.String(), name) }), "%s is not used", key)
	}
}

func catalog(t *testing.T) ports.Languages {
	c, err := i18n.New()
	require.NoError(t, err)
	return c
}
