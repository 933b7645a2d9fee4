package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestSplitFullName(t *testing.T) {
	const (
		anyOrder, fio, lf, fl, fm = domain.AnyOrder, domain.LastFirstMiddle, domain.LastFirst, domain.FirstLast, domain.FirstMiddle
	)
	for _, c := range []struct {
		text  string
		order domain.NameOrder
		want  string // last name, first name, patronymic; empty if the text is ambiguous
	}{
		{"Ветрова Ольга Павловна", fio, "Ветрова|Ольга|Павловна"},
		{"  ветрова \u00a0Ольга\tПавловна ", anyOrder, "ветрова|Ольга|Павловна"},
		{"Ольга Павловна Ветрова", anyOrder, "Ветрова|Ольга|Павловна"},
		{"Ольга Павловна Ветрова", fio, "Ветрова|Ольга|Павловна"},
		{"Снегов Пётр Ильич", anyOrder, "Снегов|Пётр|Ильич"},
		{"Павлович Иван Ильич", fio, "Павлович|Иван|Ильич"},
		{"Иван Ильич Павлович", fio, ""},
		{"Ильич Пётр Снегов", fio, ""},
		{"г-жа Ветрова Ольга", fio, ""},
		{"Алиев Вагиф Самед оглы", fio, "Алиев|Вагиф|Самед оглы"},
		{"Ким Анна Ли", fio, "Ким|Анна|Ли"},
		{"Anna Maria Smith", anyOrder, ""},
		{"Ветрова Ольга", fio, ""},
		{"Ветрова Ольга", lf, "Ветрова|Ольга|"},
		{"Ольга Ветрова", fl, "Ветрова|Ольга|"},
		{"Ольга Ветрова", anyOrder, ""},
		{"Ольга Павловна", lf, ""},
		{"Vetrova, Olga", anyOrder, "Vetrova|Olga|"},
		{"Vetrova, Olga Pavlovna", fl, "Vetrova|Olga|Pavlovna"},
		{"de la Cruz, Ana", anyOrder, "de la Cruz|Ana|"},
		{"King, Jr., Martin", anyOrder, ""},
		{"Snegov, Jr.", anyOrder, ""},
		{", Olga", anyOrder, ""},
		{"Ветрова О. П.", fio, ""},
		{"Ветрова (Снегова) Ольга", fio, ""},
		{"ван Бетховен Людвиг", fio, ""},
		{"Людвиг ван Бетховен", fio, ""},
		{"Аль Рашид", lf, ""},
		{"фон Дервиз, Павел", fio, "фон Дервиз|Павел|"},
		{"Ветрова Ольга Павловна 5А", fio, ""},
		{"Ольга", fl, ""},
		{"Гарсия Лопес Хосе", lf, ""},
		{"Ветрова Ольга Павловна", lf, "Ветрова|Ольга|Павловна"},
		{"Ольга Павловна", fm, "|Ольга|Павловна"},
		{"Вагиф Самед оглы", fm, "|Вагиф|Самед оглы"},
		{"Пётр", fm, "|Пётр|"},
		{"Павловна", fm, ""},
		{"Jane Ann", fm, ""},
		{"О. П.", fm, ""},
		{"Ольга, Павловна", fm, ""},
		{"Ольга Павловна Ветрова", fm, ""},
		{"", fm, ""},
		{"", fio, ""},
		{"оглы", fio, ""},
	} {
		t.Run(c.text, func(t *testing.T) {
			parts, ok := domain.SplitFullName(c.text, c.order)
			got := ""
			if ok {
				got = parts.Last + "|" + parts.First + "|" + parts.Patronymic
			}
			require.Equal(t, c.want, got)
		})
	}
}
