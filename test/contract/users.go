package contract

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
)

// Users proves a ports.UserStore.
func Users(t *testing.T, subject func(*testing.T) AccountsSubject) {
	for _, c := range []struct {
		name string
		test func(*testing.T, AccountsSubject)
	}{
		{"FindsByText", findsByText},
		{"FindsByStatus", findsByStatus},
		{"FindsWhatAnyFilterSelects", findsWhatFiltersSelect},
		{"FindsAChangedUser", findsChangedUser},
		{"FindsUsersWhoChangeWhileTheyAreListed", findsUsersWhoChange},
		{"ReadsWhatIsSelected", readsSelected},
		{"ReturnsTheErrorOfWork", usersReturnErrorOfWork},
		{"AcceptsNoOtherPlace", acceptsNoOtherPlace},
		{"StopsWithItsContext", usersStopWithContext},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, subject(t)) })
	}
}

// human is a person to register. Empty fields have the values of Record.
type human struct{ last, first, patronymic, login, email, phone, group string }

// record returns the record of a person.
func (h human) record(t testing.TB, number int) domain.Record {
	t.Helper()
	r := Record(t, number)
	text := func(value, usual string) domain.Given {
		if value == "" {
			value = usual
		}
		if value == "-" || value == "" {
			return domain.Given{}
		}
		return domain.Given{Text: value, Kind: domain.KindText}
	}
	reg := &r.Registration
	checked := domain.Rules{Region: "RU", Today: 20_000}.Check(&domain.Candidate{
		Number: number,
		Given: [domain.NumPersonFields]domain.Given{
			domain.PersonFirstName: text(h.first, "Анна"), domain.PersonLastName: text(h.last, "Ким"), domain.PersonPatronymic: text(h.patronymic, "Петровна"),
			domain.PersonLogin: text(h.login, reg.Login.String()), domain.PersonEmail: text(h.email, reg.Email.String()),
			domain.PersonPhone: text(h.phone, reg.Phone.String()), domain.PersonGroup: text(h.group, ""),
		},
	})
	require.Empty(t, checked.Violations)
	return checked
}

// terms are those of most tests: temporary passwords of before expired have expired.
func terms(expired time.Time) ports.SearchTerms {
	return ports.SearchTerms{Expired: expired, Region: "RU"}
}

// pagesOf returns the users on all pages of a query.
func pagesOf(t *testing.T, s AccountsSubject, query ports.UserQuery, terms ports.SearchTerms) (found []ports.FoundUser, pages int) {
	t.Helper()
	for {
		page, err := s.Users.Page(t.Context(), query, terms)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Users), ports.UsersPerPage)
		found = append(found, page.Users...)
		pages++
		if page.Next == "" {
			return found, pages
		}
		require.NotEqual(t, query.After, page.Next)
		query.After = page.Next
	}
}

func idsOf(found []ports.FoundUser) []int64 {
	ids := []int64{}
	for _, f := range found {
		ids = append(ids, f.User.ID)
	}
	return ids
}

func loginsOf(found []ports.FoundUser) []string {
	logins := []string{}
	for _, f := range found {
		logins = append(logins, f.User.Login)
	}
	return logins
}

func findsByText(t *testing.T, s AccountsSubject) {
	for n, h := range []human{
		{last: "Иванов", first: "Пётр", login: "petr", email: "p.ivanov@example.com", phone: "8 916 100-00-01"},
		{last: "Петров", first: "Иван", login: "Ёжик", email: "ёлка@example.com", phone: "+49 30 901820"},
		{last: "Ким-Ли", first: "Анна Мария", login: "anna"},
		{last: "Ёлкина", first: "Ольга", login: "olga_100%", phone: "8 916 100-00-02"},
		{last: "García Márquez", first: "Gabriel José", patronymic: "Eligio", login: "gabo"},
		{last: "О'Нил", first: "Жан–Поль", patronymic: "Шонович", login: "oneil", email: "jp@школа.рф"},
	} {
		create(t, s, h.record(t, n+1))
	}
	for _, c := range []struct {
		text string
		want []string // logins, sorted by name
	}{
		{"Иванов", []string{"petr"}},
		{"ИВАН", []string{"petr", "Ёжик"}},
		{"иванов петр", []string{"petr"}},
		{"Петр Иванов", []string{"petr"}},
		{"ив пе", []string{"petr", "Ёжик"}},
		{"Иванов Пётр Петр", []string{"petr"}},
		{"пётр", []string{"petr", "Ёжик"}},
		{"Елк", []string{"olga_100%", "Ёжик"}},
		{"ЁЛКА@", []string{"Ёжик"}},
		{"ежик", []string{"Ёжик"}},
		{"p.iv", []string{"petr"}},
		{"Анна М", []string{"anna"}},
		{"Ким-Ли Анна М", []string{"anna"}},
		{"Ким Анна М", []string{"anna"}},
		{"Ким-Ли Анна Л", []string{}},
		{"Ки Анна М", []string{"anna"}},
		{"Ол Е", []string{"olga_100%"}},
		{"Анна Мария", []string{"anna"}},
		{"Ан Ки", []string{"anna"}},
		{"Анна Ким", []string{"anna"}},
		{"Анна Мария Ки", []string{"anna"}},
		{"Анна Ким Петр", []string{"anna"}},
		{"Ким Анна Петровна", []string{"anna"}},
		{"Анна Мария Петровна Ким", []string{"anna"}},
		{"Ким, Анна", []string{"anna"}},
		{"Ким А. П.", []string{"anna"}},
		{"Ким А.М.", []string{"anna"}},
		{"«Ким»", []string{"anna"}},
		{"Анна Ким Ольг", []string{}},
		{"Мария Ки", []string{}},
		{"gar gab", []string{"gabo"}},
		{"García Gabriel", []string{"gabo"}},
		{"Gabriel García", []string{"gabo"}},
		{"García Márquez Gab", []string{"gabo"}},
		{"Gabriel José García", []string{"gabo"}},
		{"Márquez Gabriel", []string{}},
		{"о’н", []string{"oneil"}},
		{"О`Нил Жан-П", []string{"oneil"}},
		{"жан о'нил", []string{"oneil"}},
		{"jp@шк", []string{"oneil"}},
		{"jp@школа.рф", []string{"oneil"}},
		{"jp@школа", []string{"oneil"}},
		{"jp@школы.рф", []string{}},
		{".", []string{}},
		{"-", []string{}},
		{"'", []string{}},
		{", , ,", []string{}},
		{"8 916 100", []string{"olga_100%", "petr"}},
		{"+7 (916) 100-00-01", []string{"petr"}},
		{"9161000002", []string{"olga_100%"}},
		{"79161000002", []string{"olga_100%"}},
		{"0049 30", []string{"Ёжик"}},
		{"olga_", []string{"olga_100%"}},
		{"olga_100%", []string{"olga_100%"}},
		{"o%", []string{}},
		{"вано", []string{}},
		{"\\", []string{}},
		{"a\x00", []string{}},
		{"\xff", []string{}},
		{" ", []string{"gabo", "olga_100%", "petr", "anna", "oneil", "Ёжик"}},
	} {
		t.Run(c.text, func(t *testing.T) {
			found, pages := pagesOf(t, s, ports.UserQuery{Filter: domain.UserFilter{Text: c.text}, Order: domain.UsersByName}, terms(moment))
			require.Equal(t, c.want, loginsOf(found))
			require.Equal(t, 1, pages)
		})
	}
}

// temporary returns an account with a temporary password.
func temporary(record domain.Record) domain.Account {
	return domain.Account{Registration: record.Registration, PasswordHash: ports.TemporaryScheme + "hash of " + record.Registration.Login.String()}
}

// importAll registers people with an import, whose id it returns.
func importAll(t *testing.T, s AccountsSubject, exclusive bool, people ...domain.Record) int64 {
	t.Helper()
	id, err := s.Imports.Do(t.Context(), ports.ImportMode{Exclusive: exclusive}, func(ctx context.Context, tx ports.ImportTx) error {
		_, err := tx.Taken(ctx, people)
		if err != nil {
			return err
		}
		accounts := make([]domain.Account, len(people))
		for i := range people {
			accounts[i] = temporary(people[i])
		}
		err = tx.Add(ctx, accounts, nil)
		if err != nil {
			return err
		}
		return tx.Finish(ctx, domain.Tally{Records: len(people), Registered: len(people)}, nil)
	})
	require.NoError(t, err)
	return id
}

func findsByStatus(t *testing.T, s AccountsSubject) {
	ctx := t.Context()
	create(t, s, human{last: "А"}.record(t, 1))
	importAll(t, s, false, human{last: "Б"}.record(t, 2), human{last: "В"}.record(t, 3), human{last: "Г"}.record(t, 4), human{last: "Д"}.record(t, 5))
	id := func(n int) *domain.User {
		user, err := s.Accounts.Find(ctx, domain.Identity{Login: fmt.Sprint("user", n)})
		require.NoError(t, err)
		return user
	}
	require.NoError(t, s.Accounts.UsePassword(ctx, id(3).ID, id(3).Password.Hash, []byte("browser")))
	require.NoError(t, s.Accounts.SignedIn(ctx, id(4).ID, id(4).Password.Hash, domain.SignIn{Time: moment}))
	require.NoError(t, change(t, s, id(5).ID, ports.AccountChange{Suspended: moment, EndsSessions: true}))
	made := id(4).Password.Made // the latest
	for _, c := range []struct {
		status  domain.Status
		expired time.Time
		want    []string
	}{
		{domain.StatusActive, made, []string{"user1"}},
		{domain.StatusSuspended, made, []string{"user5"}},
		{domain.StatusNeverSignedIn, made, []string{"user2"}},
		{domain.StatusNeverSignedIn, made.Add(-time.Hour), []string{"user2"}},
		{domain.StatusTemporaryPassword, made.Add(-time.Hour), []string{"user2", "user3", "user4"}},
		{domain.StatusTemporaryPassword, made, []string{}},
		{domain.StatusTemporaryPasswordExpired, made, []string{"user2", "user3", "user4"}},
		{domain.StatusTemporaryPasswordExpired, made.Add(-time.Hour), []string{}},
	} {
		t.Run(fmt.Sprint(c.status, len(c.want)), func(t *testing.T) {
			found, _ := pagesOf(t, s, ports.UserQuery{Filter: domain.UserFilter{Status: c.status}, Order: domain.UsersByName}, terms(c.expired))
			require.Equal(t, c.want, loginsOf(found))
		})
	}
}

// crowd registers people in every way, and changes some. It returns all users.
func crowd(t *testing.T, s AccountsSubject, random *rand.Rand, size int) []ports.FoundUser {
	t.Helper()
	ctx := t.Context()
	one := func(texts ...string) string { return texts[random.IntN(len(texts))] }
	var people []domain.Record
	for n := range size {
		people = append(people, human{
			last: one("Иванов", "Иванова", "Петров", "Ёлкин", "Ким"), first: one("Иван", "Пётр", "Анна", "Анна Мария"), patronymic: one("Иванович", "Петровна"),
			login: fmt.Sprint(one("ivan", "петр", "u"), n), email: fmt.Sprint(one("anna", "79", "i"), n, "@example.com"),
			phone: fmt.Sprintf("+79%09d", 160_000_000+n), group: one("-", "7 «Б»", "7 «б»", "8 А"),
		}.record(t, n+1))
	}
	share := size / 10
	for _, person := range people[:share] {
		create(t, s, person)
	}
	importAll(t, s, true, people[share:8*share]...)
	importAll(t, s, false, people[8*share:]...)
	var all []ports.FoundUser
	for _, person := range people {
		user, err := s.Accounts.Find(ctx, domain.Identity{Login: person.Registration.Login.Key()})
		require.NoError(t, err)
		f := ports.FoundUser{}
		if random.IntN(4) == 0 {
			f.LastSignIn = moment.Add(time.Duration(random.IntN(5)) * time.Hour)
			require.NoError(t, s.Accounts.SignedIn(ctx, user.ID, user.Password.Hash, domain.SignIn{Time: f.LastSignIn}))
		}
		switch random.IntN(8) {
		case 0:
			require.NoError(t, s.Accounts.UsePassword(ctx, user.ID, user.Password.Hash, []byte("browser")))
		case 1:
			require.NoError(t, change(t, s, user.ID, ports.AccountChange{Suspended: moment}))
		case 2:
			require.NoError(t, s.Accounts.SetPassword(ctx, user.ID, user.Password.Hash, domain.StoredPassword{Hash: "chosen", Made: moment}))
		case 3:
			require.NoError(t, change(t, s, user.ID, ports.AccountChange{Password: &domain.StoredPassword{Hash: ports.TemporaryScheme + "new", Made: moment}}))
		case 4:
			edited := human{last: one("Иванов", "Ким"), login: "1" + user.Login, group: one("-", "8 А"), email: user.Email, phone: "+" + user.Phone}.record(t, 1).Registration
			require.NoError(t, change(t, s, user.ID, ports.AccountChange{Person: &edited}))
		case 5:
			if random.IntN(2) == 0 {
				require.NoError(t, change(t, s, user.ID, ports.AccountChange{Deleted: true}))
				continue
			}
		}
		f.User = userOf(t, s, user.ID)
		all = append(all, f)
	}
	return all
}

// Whatever a filter selects, all pages together have each selected user once, in the promised order, and so have readings and counts.
func findsWhatFiltersSelect(t *testing.T, s AccountsSubject) {
	const seed, size, times = 7, 300, 100
	random := rand.New(rand.NewPCG(seed, seed))
	all := crowd(t, s, random, size)
	expired := terms(moment.Add(-time.Hour))
	orders := []domain.UserOrder{domain.UsersByName, domain.UsersByRegistered, domain.UsersByLastSignIn}
	for range times {
		filter := randomFilter(random, all)
		query := ports.UserQuery{Filter: filter, Order: orders[random.IntN(len(orders))]}
		t.Run(fmt.Sprintf("%+v by %s", filter, query.Order), func(t *testing.T) {
			selection := ports.UserSelection{Filter: filter}
			want := fake.SelectUsers(all, selection, query.Order, expired)
			found, pages := pagesOf(t, s, query, expired)
			if filter.Text != "" && pages > 1 { // the order is that of the texts that match
				byID := func(a, b ports.FoundUser) int { return int(a.User.ID - b.User.ID) }
				slices.SortFunc(found, byID)
				want := slices.SortedFunc(slices.Values(want), byID)
				require.Equal(t, idsOf(want), idsOf(found))
			} else {
				require.Equal(t, idsOf(want), idsOf(found))
			}
			read := []ports.FoundUser{}
			require.NoError(t, s.Users.Read(t.Context(), selection, query.Order, expired, func(users iter.Seq2[ports.FoundUser, error]) error {
				for user, err := range users {
					require.NoError(t, err)
					read = append(read, user)
				}
				return nil
			}))
			require.Equal(t, append([]ports.FoundUser{}, want...), read)
			count, err := s.Users.Count(t.Context(), selection, expired, size)
			require.NoError(t, err)
			require.Equal(t, len(want), count)
		})
	}
}

// randomFilter returns a filter of up to three conditions.
func randomFilter(random *rand.Rand, all []ports.FoundUser) (filter domain.UserFilter) {
	sample := func() ports.FoundUser { return all[random.IntN(len(all))] }
	texts := []string{"ив", "Иванов", "ИВАНОВ И", "анна", "Анна Мария Ив", "петр", "ёлк", "u1", "79", "791600", "8 916 000", "ким анна", "анна ким", "нет"}
	statuses := []domain.Status{
		domain.StatusActive, domain.StatusSuspended, domain.StatusNeverSignedIn, domain.StatusTemporaryPassword, domain.StatusTemporaryPasswordExpired,
	}
	for range random.IntN(4) {
		switch random.IntN(6) {
		case 0:
			filter.Text = texts[random.IntN(len(texts))]
		case 1:
			filter.Status = statuses[random.IntN(len(statuses))]
		case 2:
			filter.Group = []string{"7 «Б»", "8 а", "9"}[random.IntN(3)]
		case 3:
			filter.Import = sample().User.Import
		case 4:
			filter.From = sample().User.Registered
			if random.IntN(2) == 0 {
				filter.Until = sample().User.Registered
			}
		case 5:
			filter.SignedInBefore = moment.Add(time.Duration(random.IntN(6)) * time.Hour)
		}
	}
	return filter
}

func findsChangedUser(t *testing.T, s AccountsSubject) {
	ctx := t.Context()
	id := importAll(t, s, true, human{group: "7А"}.record(t, 1))
	user, err := s.Accounts.Find(ctx, domain.Identity{Login: "user1"})
	require.NoError(t, err)
	finds := func(filter domain.UserFilter) bool {
		t.Helper()
		found, _ := pagesOf(t, s, ports.UserQuery{Filter: filter, Order: domain.UsersByName}, terms(moment.Add(-time.Hour)))
		require.LessOrEqual(t, len(found), 1)
		return len(found) == 1
	}
	require.True(t, finds(domain.UserFilter{Import: id, Group: "7а", Text: "Ким А"}))
	edited := human{last: "Новая", login: "other", group: "8А"}.record(t, 1).Registration
	require.NoError(t, change(t, s, user.ID, ports.AccountChange{Person: &edited}))
	require.False(t, finds(domain.UserFilter{Group: "7А"}))
	require.False(t, finds(domain.UserFilter{Text: "user1@example.org"}))
	require.True(t, finds(domain.UserFilter{Import: id, Group: "8а", Text: "анна нов"}))
	require.True(t, finds(domain.UserFilter{Text: "OTHER"}))
	require.NoError(t, s.Accounts.SetPassword(ctx, user.ID, user.Password.Hash, domain.StoredPassword{Hash: "chosen", Made: moment}))
	require.True(t, finds(domain.UserFilter{Status: domain.StatusActive}))
	require.NoError(t, change(t, s, user.ID, ports.AccountChange{Suspended: moment}))
	require.False(t, finds(domain.UserFilter{Status: domain.StatusActive}))
	require.NoError(t, change(t, s, user.ID, ports.AccountChange{Restored: true}))
	require.NoError(t, s.Accounts.SignedIn(ctx, user.ID, "chosen", domain.SignIn{Time: moment}))
	require.False(t, finds(domain.UserFilter{SignedInBefore: moment}))
	require.True(t, finds(domain.UserFilter{SignedInBefore: moment.Add(time.Microsecond)}))
	require.NoError(t, change(t, s, user.ID, ports.AccountChange{Password: &domain.StoredPassword{Hash: ports.TemporaryScheme + "x", Made: moment}}))
	require.False(t, finds(domain.UserFilter{Status: domain.StatusNeverSignedIn}), "the user has signed in before")
	require.True(t, finds(domain.UserFilter{Status: domain.StatusTemporaryPassword}))
	require.NoError(t, change(t, s, user.ID, ports.AccountChange{Deleted: true}))
	require.False(t, finds(domain.UserFilter{}))
}

// listAll lists all new users.
func listAll(t *testing.T, s AccountsSubject) {
	t.Helper()
	for unlisted := 1; unlisted > 0; {
		var err error
		unlisted, err = s.Users.List(t.Context())
		require.NoError(t, err)
	}
}

// A change that meets the listing of its user is found afterwards, and a deleted user is not.
func findsUsersWhoChange(t *testing.T, s AccountsSubject) {
	const users, batches = 60, 6
	ctx := t.Context()
	ended := make(chan struct{})
	var listing, changing sync.WaitGroup
	listing.Go(func() {
		for {
			select {
			case <-ended:
				return
			default:
				listAll(t, s)
			}
		}
	})
	changes := []func(user *domain.User) error{
		func(user *domain.User) error {
			return s.Accounts.SignedIn(ctx, user.ID, user.Password.Hash, domain.SignIn{Time: moment})
		},
		func(user *domain.User) error { return change(t, s, user.ID, ports.AccountChange{Suspended: moment}) },
		func(user *domain.User) error { return change(t, s, user.ID, ports.AccountChange{Deleted: true}) },
		func(user *domain.User) error {
			edited := human{last: "Новый", group: "1А", login: user.Login, email: user.Email, phone: "+" + user.Phone}.record(t, 1).Registration
			return change(t, s, user.ID, ports.AccountChange{Person: &edited})
		},
		func(user *domain.User) error {
			return s.Accounts.SetPassword(ctx, user.ID, user.Password.Hash, domain.StoredPassword{Hash: "chosen", Made: moment})
		},
		func(user *domain.User) error {
			return s.Accounts.UsePassword(ctx, user.ID, user.Password.Hash, []byte("browser"))
		},
		func(user *domain.User) error {
			group := domain.RestoreGroup("2Б")
			return change(t, s, user.ID, ports.AccountChange{Group: &group})
		},
	}
	for batch := range batches {
		var people []domain.Record
		for n := range users / batches {
			people = append(people, human{group: "7А"}.record(t, batch*users+n+1))
		}
		importAll(t, s, batch%2 == 0, people...)
		for n, person := range people {
			changing.Go(func() {
				user, err := s.Accounts.Find(ctx, domain.Identity{Login: person.Registration.Login.Key()})
				require.NoError(t, err)
				require.NoError(t, changes[n%len(changes)](user))
			})
		}
	}
	changing.Wait()
	close(ended)
	listing.Wait()
	listAll(t, s)
	var all []ports.FoundUser
	for batch := range batches {
		for n := range users / batches {
			user, err := s.Accounts.Find(ctx, domain.Identity{Login: fmt.Sprint("user", batch*users+n+1)})
			if errors.Is(err, ports.ErrNotFound) {
				continue
			}
			require.NoError(t, err)
			f := ports.FoundUser{User: user}
			if len(signInsOf(t, s, user.ID)) > 0 {
				f.LastSignIn = moment
			}
			all = append(all, f)
		}
	}
	for _, filter := range []domain.UserFilter{
		{},
		{Text: "новый"},
		{Group: "7а"},
		{Group: "1а"},
		{Group: "2б"},
		{SignedInBefore: moment.Add(time.Microsecond)},
		{Status: domain.StatusSuspended},
		{Status: domain.StatusNeverSignedIn},
		{Status: domain.StatusTemporaryPassword},
		{Status: domain.StatusActive},
	} {
		t.Run(fmt.Sprintf("%+v", filter), func(t *testing.T) {
			query := ports.UserQuery{Filter: filter, Order: domain.UsersByLastSignIn}
			found, _ := pagesOf(t, s, query, terms(moment.Add(-time.Hour)))
			want := fake.SelectUsers(all, ports.UserSelection{Filter: filter}, query.Order, terms(moment.Add(-time.Hour)))
			require.Equal(t, idsOf(want), idsOf(found))
		})
	}
}

func readsSelected(t *testing.T, s AccountsSubject) {
	for n, last := range []string{"В", "А", "Б"} {
		create(t, s, human{last: last}.record(t, n+1))
	}
	all, _ := pagesOf(t, s, ports.UserQuery{Order: domain.UsersByName}, terms(moment))
	require.Equal(t, []string{"user2", "user3", "user1"}, loginsOf(all))
	for _, c := range []struct {
		name string
		ids  []int64
		want []string
	}{
		{"Some", []int64{all[2].User.ID, all[0].User.ID, 1 << 40}, []string{"user2", "user1"}},
		{"Repeated", []int64{all[1].User.ID, all[1].User.ID}, []string{"user3"}},
		{"None", []int64{}, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			selection := ports.UserSelection{Filter: domain.UserFilter{Text: "which ids replace"}, IDs: c.ids}
			read := []ports.FoundUser{}
			require.NoError(t, s.Users.Read(t.Context(), selection, domain.UsersByName, terms(moment), func(users iter.Seq2[ports.FoundUser, error]) error {
				for user, err := range users {
					require.NoError(t, err)
					read = append(read, user)
				}
				return nil
			}))
			require.Equal(t, c.want, loginsOf(read))
			count, err := s.Users.Count(t.Context(), selection, terms(moment), 10)
			require.NoError(t, err)
			require.Equal(t, len(c.want), count)
		})
	}
	count, err := s.Users.Count(t.Context(), ports.UserSelection{}, terms(moment), 2)
	require.NoError(t, err)
	require.Equal(t, 2, count, "the limit")
}

func usersReturnErrorOfWork(t *testing.T, s AccountsSubject) {
	importAll(t, s, true, Record(t, 1), Record(t, 2))
	listAll(t, s)
	failed := errors.New("failed")
	for range 20 { // more often than there are connections
		err := s.Users.Read(t.Context(), ports.UserSelection{}, domain.UsersByName, terms(moment), func(users iter.Seq2[ports.FoundUser, error]) error {
			for _, err := range users {
				require.NoError(t, err)
				return failed // abandons the sequence
			}
			return nil
		})
		require.ErrorIs(t, err, failed)
	}
}

func acceptsNoOtherPlace(t *testing.T, s AccountsSubject) {
	var people []domain.Record
	for n := range 2 * ports.UsersPerPage {
		people = append(people, Record(t, n+1))
	}
	importAll(t, s, false, people...)
	page, err := s.Users.Page(t.Context(), ports.UserQuery{Order: domain.UsersByName}, terms(moment))
	require.NoError(t, err)
	require.NotEmpty(t, page.Next)
	for _, c := range []struct {
		name  string
		query ports.UserQuery
	}{
		{"NoPlace", ports.UserQuery{Order: domain.UsersByName, After: "x"}},
		{"CutShort", ports.UserQuery{Order: domain.UsersByName, After: page.Next[:len(page.Next)/2]}},
		{"OfAnotherOrder", ports.UserQuery{Order: domain.UsersByRegistered, After: page.Next}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := s.Users.Page(t.Context(), c.query, terms(moment))
			require.ErrorIs(t, err, ports.ErrPlace)
		})
	}
}

func usersStopWithContext(t *testing.T, s AccountsSubject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, errPage := s.Users.Page(ctx, ports.UserQuery{Order: domain.UsersByName}, terms(moment))
	_, errCount := s.Users.Count(ctx, ports.UserSelection{}, terms(moment), 1)
	errRead := s.Users.Read(ctx, ports.UserSelection{}, domain.UsersByName, terms(moment), func(users iter.Seq2[ports.FoundUser, error]) error {
		for _, err := range users {
			return err
		}
		return nil
	})
	_, errList := s.Users.List(ctx)
	for _, err := range []error{errPage, errCount, errRead, errList} {
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, ports.ErrUnavailable)
	}
}
