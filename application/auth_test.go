package application_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/application"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/fake"
)

const (
	chosen   = "корабль на рейде"
	day      = 24 * time.Hour
	lifetime = 30 * day
)

// people is everything about persons, with one clock.
type people struct {
	now      time.Time
	hasher   *countingHasher
	store    *fake.Imports
	limits   *countingLimits
	register *application.RegisterUser
	auth     *application.Auth
}

// countingLimits counts round trips to the database.
type countingLimits struct {
	fake.Limits

	calls int
}

func (l *countingLimits) Take(ctx context.Context, buckets ...ports.Bucket) (time.Duration, error) {
	l.calls++
	return l.Limits.Take(ctx, buckets...)
}

func (l *countingLimits) Return(ctx context.Context, buckets ...ports.Bucket) error {
	l.calls++
	return l.Limits.Return(ctx, buckets...)
}

// countingHasher counts what takes time.
type countingHasher struct {
	fake.Hasher

	verified int
	busy     error        // what it returns instead
	turns    []ports.Turn // of all hashes
}

func (h *countingHasher) Verify(ctx context.Context, turn ports.Turn, hash string, password domain.Password) (ports.Verdict, error) {
	h.verified++
	if h.busy != nil {
		return ports.Verdict{}, h.busy
	}
	h.turns = append(h.turns, turn)
	return h.Hasher.Verify(ctx, turn, hash, password)
}

func (h *countingHasher) Hash(ctx context.Context, turn ports.Turn, password domain.Password) (string, error) {
	if h.busy != nil {
		return "", h.busy
	}
	h.turns = append(h.turns, turn)
	return h.Hasher.Hash(ctx, turn, password)
}

// newPeople makes people who may keep a temporary password.
func newPeople() *people { return newPeopleWho(false) }

func newPeopleWho(mustChange bool) *people {
	p := &people{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), hasher: &countingHasher{}}
	clock := func() time.Time { return p.now }
	p.store, p.limits = &fake.Imports{Now: clock}, &countingLimits{Limits: fake.Limits{Now: clock}}
	p.register = p.registering(fake.Registrations{Store: p.store})
	p.auth = application.NewAuth(application.AuthConfig{
		Accounts: fake.Accounts{Store: p.store}, Limits: p.limits, Hasher: p.hasher, Devices: &fake.Devices{}, Now: clock, Rules: p.rules,
		TemporaryLifetime: lifetime, MustChange: mustChange,
	})
	return p
}

func (p *people) rules() domain.Rules { return domain.Rules{Region: "RU", Today: domain.DateOf(p.now)} }

// registering is the use case over a store.
func (p *people) registering(store ports.RegistrationStore) *application.RegisterUser {
	return application.NewRegisterUser(application.RegisterConfig{
		Registrations: store, Accounts: fake.Accounts{Store: p.store}, Limits: p.limits, Hasher: p.hasher,
		Rules: p.rules,
	})
}

func candidate(login string) *domain.Candidate {
	return &domain.Candidate{Given: [domain.NumPersonFields]domain.Given{
		domain.PersonFirstName: domain.Entered("Анна"), domain.PersonLastName: domain.Entered("Ким"),
		domain.PersonPatronymic: domain.Entered("Петровна"), domain.PersonLogin: domain.Entered(login),
		domain.PersonEmail: domain.Entered(login + "@example.com"),
	}}
}

func (p *people) anna(t *testing.T) *domain.User {
	t.Helper()
	user, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("Anna"), Password: chosen})
	require.NoError(t, err)
	return user
}

func (p *people) signIn(t *testing.T, name, password string) (*domain.User, error) {
	t.Helper()
	return p.auth.SignIn(t.Context(), ports.Attempt{Name: name, Password: password, Address: "192.0.2.1"})
}

func violationsOf(t *testing.T, err error) domain.Violations {
	t.Helper()
	var refused *domain.RejectedError
	require.ErrorAs(t, err, &refused)
	return refused.Violations
}

func TestSignIn(t *testing.T) {
	p := newPeople()
	anna := p.anna(t)
	for _, name := range []string{"anna", "ANNA@example.com", " Anna "} {
		user, err := p.signIn(t, name, chosen)
		require.NoError(t, err, name)
		require.Equal(t, anna, user)
	}
	for _, c := range [][2]string{{"anna", "wrong"}, {"hanna", chosen}, {"", ""}, {"anna", ""}, {"anna", strings.Repeat("x", 1000)}, {"\x00", chosen}} {
		before := p.hasher.verified
		_, err := p.signIn(t, c[0], c[1])
		require.ErrorIs(t, err, domain.ErrWrongCredentials)
		require.Equal(t, before+1, p.hasher.verified, "each takes the time of one hash: %q", c)
		p.now = p.now.Add(time.Hour)
	}
}

// There may be logins that are older than the rule against other people's contacts. The contact counts, and each attempt
// takes one hash all the same.
func TestOldLoginThatIsAnothersPhone(t *testing.T) {
	p := newPeople()
	person := candidate("Anna")
	person.Given[domain.PersonPhone] = domain.Entered("9123456789")
	anna, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: person, Password: chosen})
	require.NoError(t, err)
	object := domain.Rules{Region: "RU", Today: domain.DateOf(p.now)}.Check(candidate("89123456789"))
	require.Equal(t, domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeIsContact}}, object.Violations)
	hash, err := p.hasher.Hash(t.Context(), ports.Turn{}, mustEnter(t, "another password"))
	require.NoError(t, err)
	_, err = fake.Registrations{Store: p.store}.Create(t.Context(), domain.Account{Registration: object.Registration, PasswordHash: hash})
	require.NoError(t, err)

	for _, c := range []struct {
		name, password string
		user           string
	}{
		{"89123456789", chosen, anna.Login},
		{"89123456789", "another password", ""},
		{"89123456789", "a guess", ""},
		{"89123456789@example.com", "another password", "89123456789"},
	} {
		before := p.hasher.verified
		user, err := p.signIn(t, c.name, c.password)
		require.Equal(t, before+1, p.hasher.verified)
		if c.user == "" {
			require.ErrorIs(t, err, domain.ErrWrongCredentials)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, c.user, user.Login)
	}
}

func mustEnter(t *testing.T, s string) domain.Password {
	t.Helper()
	password, ok := domain.EnteredPassword(s)
	require.True(t, ok)
	return password
}

func TestWeakHashIsRenewedAtSignIn(t *testing.T) {
	p := newPeople()
	anna := p.anna(t)
	p.hasher.Strength = 2
	p.now = p.now.Add(day)
	user, err := p.signIn(t, "anna", chosen)
	require.NoError(t, err)
	stored, err := fake.Accounts{Store: p.store}.User(t.Context(), anna.ID)
	require.NoError(t, err)
	require.NotEqual(t, anna.Password.Hash, stored.Password.Hash)
	require.Equal(t, anna.Password.Made, stored.Password.Made, "it is the same password: sessions go on")
	require.Equal(t, stored, user)
	_, err = p.auth.User(t.Context(), anna.ID, anna.Password.Made)
	require.NoError(t, err)
}

// imported imports Boris, and returns his temporary password.
func (p *people) imported(t *testing.T) string {
	t.Helper()
	f := newFixture()
	f.store, f.config.Imports = p.store, p.store
	got, err := f.send(t, `{"first_name":"Б","last_name":"Б","patronymic":"Б","login":"boris","email":"b@example.com"}`)
	require.NoError(t, err)
	return got.outcomes[0].Password
}

// A temporary password that must be changed is used in one browser, and nothing that began with it outlives it.
func TestTemporaryPasswordThatMustBeChanged(t *testing.T) {
	p := newPeopleWho(true)
	password := p.imported(t)
	attempt := func(browser, device string) (*domain.User, error) {
		return p.auth.SignIn(t.Context(), ports.Attempt{Name: "boris", Password: password, Address: "192.0.2.1", Browser: browser, Device: device})
	}
	before := p.auth.MarkDevice(&domain.User{ID: 1}, "")
	p.now = p.now.Add(time.Second)
	made := p.now
	require.NoError(t, fake.Accounts{Store: p.store}.SetPassword(t.Context(), 1, p.store.Accounts()[0].PasswordHash,
		domain.StoredPassword{Hash: p.store.Accounts()[0].PasswordHash, Made: made})) // as another one that the server made
	user, err := attempt("one", "")
	require.NoError(t, err)
	require.True(t, user.MustChangePassword)
	mark := p.auth.MarkDevice(user, before)
	require.NotEqual(t, before, mark)
	for _, c := range []struct {
		browser, device string
		want            error
	}{
		{"one", "", nil},
		{"another", mark, nil},
		{"another", "", domain.ErrPasswordUsed},
		{"another", before, domain.ErrPasswordUsed}, // of a browser in which an earlier password was used
		{"another", p.auth.MarkDevice(&domain.User{ID: 2}, ""), domain.ErrPasswordUsed},
	} {
		_, err := attempt(c.browser, c.device)
		require.ErrorIs(t, err, c.want, c)
	}
	_, err = p.auth.User(t.Context(), user.ID, user.Password.Made)
	require.NoError(t, err)
	p.now = made.Add(lifetime)
	_, err = attempt("one", mark)
	require.ErrorIs(t, err, domain.ErrPasswordExpired)
	_, err = p.auth.User(t.Context(), user.ID, user.Password.Made)
	require.ErrorIs(t, err, domain.ErrSignedOut, "a session ends with the password's life")
	_, err = p.auth.ChangePassword(t.Context(), ports.PasswordChange{User: user.ID, Made: user.Password.Made, Old: password, New: chosen})
	require.ErrorIs(t, err, domain.ErrSignedOut)

	p.now = made.Add(lifetime - time.Second)
	changed, err := p.auth.ChangePassword(t.Context(), ports.PasswordChange{User: user.ID, Made: user.Password.Made, Old: password, New: chosen})
	require.NoError(t, err)
	require.False(t, changed.MustChangePassword)
	password = chosen
	for _, browser := range []string{"one", "another"} {
		user, err := attempt(browser, "")
		require.NoError(t, err)
		require.Equal(t, changed, user)
	}
	p.now = made.Add(10 * lifetime)
	_, err = p.auth.User(t.Context(), changed.ID, changed.Password.Made)
	require.NoError(t, err)
}

func TestGeneratedPasswordExpires(t *testing.T) {
	p := newPeople()
	password := p.imported(t)
	p.now = p.now.Add(lifetime - time.Second)
	user, err := p.signIn(t, "boris", password)
	require.NoError(t, err)
	require.Equal(t, p.now.Add(time.Second), user.PasswordExpires)
	p.now = p.now.Add(time.Second)
	_, err = p.signIn(t, "boris", password)
	require.ErrorIs(t, err, domain.ErrPasswordExpired)
	_, err = p.signIn(t, "boris", "x"+password)
	require.ErrorIs(t, err, domain.ErrWrongCredentials)

	user, err = p.auth.ChangePassword(t.Context(), ports.PasswordChange{User: user.ID, Made: user.Password.Made, Old: password, New: chosen})
	require.NoError(t, err, "who is signed in already may still choose one")
	require.True(t, user.PasswordExpires.IsZero())
	_, err = p.signIn(t, "boris", chosen)
	require.NoError(t, err)
}

func TestChangePassword(t *testing.T) {
	p := newPeople()
	anna := p.anna(t)
	change := func(old, chosen string) (*domain.User, error) {
		return p.auth.ChangePassword(t.Context(), ports.PasswordChange{User: anna.ID, Made: anna.Password.Made, Old: old, New: chosen})
	}
	for _, c := range []struct {
		old, chosen string
		want        domain.Violations
	}{
		{"", "", domain.Violations{{Field: domain.FieldOldPassword, Code: domain.CodeRequired}, {Field: domain.FieldPassword, Code: domain.CodeRequired}}},
		{"wrong", "anna1234", domain.Violations{{Field: domain.FieldOldPassword, Code: domain.CodeWrong}, {Field: domain.FieldPassword, Code: domain.CodeHoldsLogin}}},
		{chosen, chosen, domain.Violations{{Field: domain.FieldPassword, Code: domain.CodeSame}}},
	} {
		_, err := change(c.old, c.chosen)
		require.Equal(t, c.want, violationsOf(t, err))
	}
	changed, err := change(chosen, "a fine new password")
	require.NoError(t, err)
	require.True(t, changed.Password.Made.After(anna.Password.Made), "in the same moment, too: sessions tell them apart")
	_, err = p.auth.User(t.Context(), anna.ID, anna.Password.Made)
	require.ErrorIs(t, err, domain.ErrSignedOut)
	_, err = p.auth.User(t.Context(), anna.ID, changed.Password.Made)
	require.NoError(t, err)
	_, err = change("a fine new password", "and another one of mine")
	require.ErrorIs(t, err, domain.ErrSignedOut, "by a session that is over")
	_, err = p.auth.User(t.Context(), 4711, anna.Password.Made)
	require.ErrorIs(t, err, domain.ErrSignedOut)
}

// An account whose login NewLogin would reject by now, as one of mixed scripts, works as before.
func TestLoginThatWouldBeRejectedNow(t *testing.T) {
	const login = "Аnna" // the first letter is Cyrillic
	p := newPeople()
	_, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate(login), Password: chosen})
	require.Contains(t, violationsOf(t, err), domain.Violation{Field: domain.FieldLogin, Code: domain.CodeMixedScripts})

	object := domain.Rules{Region: "RU"}.Check(candidate("Anna"))
	var vs domain.Violations
	object.Registration.Login, vs = domain.ParseLogin(login)
	require.Nil(t, vs)
	password, vs := domain.NewPassword(chosen, object.Registration.Login)
	require.Nil(t, vs)
	hash, err := p.hasher.Hash(t.Context(), ports.Turn{}, password)
	require.NoError(t, err)
	id, err := fake.Registrations{Store: p.store}.Create(t.Context(), domain.Account{Registration: object.Registration, PasswordHash: hash})
	require.NoError(t, err)

	user, err := p.signIn(t, strings.ToUpper(login), chosen)
	require.NoError(t, err)
	require.Equal(t, id, user.ID)
	_, err = p.auth.ChangePassword(t.Context(), ports.PasswordChange{User: id, Made: user.Password.Made, Old: chosen, New: "другой корабль"})
	require.NoError(t, err)
	roles := fake.Roles{Store: p.store}
	require.NoError(t, roles.Grant(t.Context(), object.Registration.Login, domain.RoleOperator))
	require.ErrorIs(t, roles.Revoke(t.Context(), object.Registration.Login, domain.RoleOperator), domain.ErrLastOperator)
}

func TestGuessesAreLimited(t *testing.T) {
	p := newPeople()
	p.anna(t)
	attempt := func(name, password, address string) error {
		_, err := p.auth.SignIn(t.Context(), ports.Attempt{Name: name, Password: password, Address: address})
		return err
	}
	for _, name := range []string{"anna", "nobody"} {
		for range 10 {
			require.ErrorIs(t, attempt(name, "a guess", "192.0.2.1"), domain.ErrWrongCredentials)
		}
		verified := p.hasher.verified
		var tooMany *domain.TooManyAttemptsError
		require.ErrorAs(t, attempt(name, chosen, "192.0.2.1"), &tooMany)
		require.Equal(t, time.Minute, tooMany.Wait)
		require.Equal(t, verified, p.hasher.verified, "which costs nothing")
	}
	require.NoError(t, attempt("anna", chosen, "192.0.2.2"), "the owner, who is elsewhere")
	p.now = p.now.Add(time.Minute)
	require.NoError(t, attempt("anna", chosen, "192.0.2.1"))

	for i := range 100 { // the whole world guesses
		_ = attempt("anna", "a guess", strconv.Itoa(i%25))
	}
	require.ErrorIs(t, attempt("anna", chosen, "192.0.2.2"), domain.ErrTooManyAttempts)
	p.now = p.now.Add(6 * time.Second)
	require.NoError(t, attempt("anna", chosen, "192.0.2.2"), "nobody is locked out once the guessing ends")
}

// guesser is the address of one who guesses.
const guesser = "192.0.2.1"

// attempts guesses at a name so many times, and returns how each attempt was answered.
func (p *people) attempts(t *testing.T, name string, many int) (answers []string) {
	t.Helper()
	for range many {
		_, err := p.auth.SignIn(t.Context(), ports.Attempt{Name: name, Password: "a guess", Address: guesser})
		require.Error(t, err)
		answers = append(answers, err.Error())
	}
	return answers
}

// When there are too many attempts tells neither whether a name is registered nor whether two names are one person's.
func TestLimitsTellNothing(t *testing.T) {
	const address = "192.0.2.1"
	empty, p := newPeople(), newPeople()
	person := candidate("Anna")
	person.Given[domain.PersonPhone] = domain.Entered("9123456789")
	_, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: person, Password: chosen})
	require.NoError(t, err)
	for _, name := range []string{"anna", "Anna@example.com", "8 912 345 67 89", "79123456789", "ANNA", "no name of any kind", "no@thing", ""} {
		require.Equal(t, empty.attempts(t, name, 7), p.attempts(t, name, 7), name)
	}
	for _, name := range []string{"boris", "boris@example.com", "8 999 345 67 89"} {
		like := map[string]string{"boris": "anna", "boris@example.com": "anna@example.com", "8 999 345 67 89": "8 912 345 67 89"}[name]
		fresh := newPeople()
		_, err := fresh.register.Register(t.Context(), ports.RegistrationRequest{Person: person, Password: chosen})
		require.NoError(t, err)
		require.Equal(t, fresh.attempts(t, name, 12), fresh.attempts(t, like, 12), "known or not")
	}
	fresh := newPeople()
	_, err = fresh.register.Register(t.Context(), ports.RegistrationRequest{Person: person, Password: chosen})
	require.NoError(t, err)
	fresh.attempts(t, "anna", 20)
	for _, name := range []string{"anna@example.com", "8 912 345 67 89"} {
		_, err := fresh.auth.SignIn(t.Context(), ports.Attempt{Name: name, Password: "a guess", Address: address})
		require.ErrorIs(t, err, domain.ErrWrongCredentials, "%s, after too many attempts at another name of the person", name)
	}
}

// Every spelling of a name counts as the name.
func TestSpellingsAreOneName(t *testing.T) {
	p := newPeople()
	person := candidate("Anna")
	person.Given[domain.PersonPhone] = domain.Entered("9123456789")
	_, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: person, Password: chosen})
	require.NoError(t, err)
	before := p.hasher.verified
	for i := range 50 {
		for _, name := range []string{
			"anna", "ANNA", " Anna", "ａｎｎａ", "anna@example.com", "ANNA@EXAMPLE.COM", "Anna@example.com ",
			"89123456789", "+79123456789", "8 (912) 345-67-89", "8.912.345.67.89", "#89123456789", "８９１２３４５６７８９", "9123456789"[:i%2+9],
		} {
			_, err := p.signIn(t, name, "a guess")
			require.Error(t, err)
		}
	}
	const anothers = 10 // at 912345678, which is nobody's phone
	require.LessOrEqual(t, p.hasher.verified-before, 3*10+anothers)
}

func TestAddressesHaveLimits(t *testing.T) {
	p := newPeople()
	guess := func(i int, address string) error {
		_, err := p.auth.SignIn(t.Context(), ports.Attempt{Name: "name" + strconv.Itoa(i), Password: "a guess", Address: address})
		return err
	}
	for i := range 300 {
		require.ErrorIs(t, guess(i, "2001:db8:1::/64"), domain.ErrWrongCredentials)
	}
	require.ErrorIs(t, guess(300, "2001:db8:1::/64"), domain.ErrTooManyAttempts)
	for i := range 2700 {
		require.ErrorIs(t, guess(i, "2001:db8:1:"+strconv.Itoa(1+i%25)+"::/64"), domain.ErrWrongCredentials, "what was refused took nothing")
	}
	require.ErrorIs(t, guess(0, "2001:db8:1:ffff::/64"), domain.ErrTooManyAttempts, "the whole /48 has guessed too often")
	require.ErrorIs(t, guess(0, "2001:db8:2::/64"), domain.ErrWrongCredentials)
}

// Who is signed in has attempts of their own, which nobody else can use up.
func TestPasswordChangesAreLimited(t *testing.T) {
	p := newPeople()
	anna := p.anna(t)
	change := func(old string) error {
		_, err := p.auth.ChangePassword(t.Context(), ports.PasswordChange{User: anna.ID, Made: anna.Password.Made, Old: old, New: "a fine new password"})
		return err
	}
	p.attempts(t, "anna", 20)
	for range 10 {
		require.ErrorIs(t, change("a guess"), domain.ErrRejected)
	}
	require.ErrorIs(t, change(chosen), domain.ErrTooManyAttempts)
	_, err := p.auth.SignIn(t.Context(), ports.Attempt{Name: "anna", Password: chosen, Address: "192.0.2.2"})
	require.NoError(t, err)
	p.now = p.now.Add(time.Minute)
	require.NoError(t, change(chosen))
}

func TestAnAttemptTakesTwoRoundTrips(t *testing.T) {
	p := newPeople()
	p.anna(t)
	require.Equal(t, 1, p.limits.calls, "of a registration, which is not put back")
	p.limits.calls = 0
	_, err := p.signIn(t, "anna@example.com", chosen)
	require.NoError(t, err)
	require.Equal(t, 2, p.limits.calls, "beside the one that finds the account")
}

// Strangers cannot keep a person out of a browser in which they have signed in before.
func TestDevicesHaveAttemptsOfTheirOwn(t *testing.T) {
	p := newPeople()
	anna := p.anna(t)
	boris, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("boris"), Password: chosen})
	require.NoError(t, err)
	hers, his := p.auth.MarkDevice(anna, ""), p.auth.MarkDevice(boris, "")
	attempt := func(name, password, address, device string) error {
		_, err := p.auth.SignIn(t.Context(), ports.Attempt{Name: name, Password: password, Address: address, Device: device})
		return err
	}
	for i := range 400 { // from everywhere, and from where she is
		_ = attempt("anna", "a guess", strconv.Itoa(i%20), "")
		_ = attempt(strconv.Itoa(i), "a guess", "192.0.2.1", "")
	}
	for name, device := range map[string]string{"none": "", "forged": hers + "x", "another's": his, "several": his + ".x.." + his} {
		require.ErrorIs(t, attempt("anna", chosen, "192.0.2.1", device), domain.ErrTooManyAttempts, name)
	}
	for range 20 {
		require.NoError(t, attempt("anna", chosen, "192.0.2.1", hers))
	}
	require.NoError(t, attempt("Anna@example.com", chosen, "192.0.2.1", his+"."+hers))
	for range 10 {
		require.ErrorIs(t, attempt("anna", "a guess", "198.51.100.1", hers), domain.ErrWrongCredentials)
	}
	require.ErrorIs(t, attempt("anna", chosen, "198.51.100.1", hers), domain.ErrTooManyAttempts, "a stolen mark has no more than a stranger")
	require.ErrorIs(t, attempt("Anna@example.com", chosen, "198.51.100.1", hers), domain.ErrTooManyAttempts)
	require.NoError(t, attempt("anna", chosen, "192.0.2.1", p.auth.MarkDevice(anna, "")), "another browser of hers")
	p.now = p.now.Add(time.Minute)
	require.NoError(t, attempt("anna", chosen, "192.0.2.1", hers))
}

// A browser is known by several users, without any of them losing their place to one who comes back.
func TestADeviceOfSeveral(t *testing.T) {
	p := newPeople()
	users := make([]*domain.User, 5)
	device := "nonsense..\r\n"
	for i := range users {
		users[i] = &domain.User{ID: int64(i + 1)}
		device = p.auth.MarkDevice(users[i], device)
	}
	marks := strings.Split(device, ".")
	require.Len(t, marks, 4, "of the last four")
	require.NotContains(t, device, "nonsense")
	device = p.auth.MarkDevice(users[2], device)
	require.Equal(t, []string{marks[2], marks[0], marks[1], marks[3]}, strings.Split(device, "."), "the mark stays, and so does what was taken from its bucket")
}
