package domain_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
)

func TestStatusOfAPerson(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	signIn := []domain.SignIn{{Time: now}}
	for _, c := range []struct {
		name    string
		user    domain.User
		signIns []domain.SignIn
		want    domain.Status
	}{
		{"ChosenPassword", domain.User{}, signIn, domain.StatusActive},
		{"ChosenPasswordBeforeSignInsWereRecorded", domain.User{}, nil, domain.StatusActive},
		{"TemporaryPassword", domain.User{PasswordExpires: now.Add(1)}, signIn, domain.StatusTemporaryPassword},
		{"UsedBeforeSignInsWereRecorded", domain.User{PasswordExpires: now.Add(1), PasswordUsedBy: []byte("x")}, nil, domain.StatusTemporaryPassword},
		{"NeverSignedIn", domain.User{PasswordExpires: now.Add(1)}, nil, domain.StatusNeverSignedIn},
		{"Expired", domain.User{PasswordExpires: now}, nil, domain.StatusTemporaryPasswordExpired},
		{"Suspended", domain.User{PasswordExpires: now, Suspended: now}, nil, domain.StatusSuspended},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, domain.NewPerson(&c.user, c.signIns, now).Status) })
	}
}

func TestNewSignIn(t *testing.T) {
	at := time.Date(2026, 11, 26, 12, 0, 0, 123456789, time.FixedZone("", 3600))
	signIn := domain.NewSignIn(at, "192.0.2.1", "Fire\x00fox\n\xff1")
	require.Equal(t, time.Date(2026, 11, 26, 11, 0, 0, 123456000, time.UTC), signIn.Time)
	require.NotContains(t, signIn.Browser, "\x00")
	require.NotContains(t, signIn.Browser, "\n")
	require.LessOrEqual(t, len([]rune(domain.NewSignIn(at, "", longText(4000)).Browser)), 301)
}

func longText(n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = 'x'
	}
	return string(text)
}

// candidateOf returns a user's data as a form has them, with some replaced.
func candidateOf(user *domain.User, replaced map[domain.PersonField]string) *domain.Candidate {
	c := &domain.Candidate{}
	for f := range domain.PersonField(domain.NumPersonFields) {
		text, isReplaced := replaced[f]
		if !isReplaced {
			text = user.Text(f)
		}
		c.Given[f] = domain.Entered(text)
	}
	return c
}

func TestCheckEdit(t *testing.T) {
	rules := domain.Rules{Region: "RU", Today: domain.DateOf(time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC))}
	born := domain.DateOf(time.Date(1990, 2, 28, 0, 0, 0, 0, time.UTC))
	user := &domain.User{
		Login: "a@example.com", LastName: "Ким", FirstName: "Анна", Patronymic: "Петровна", Email: "a@example.com", Phone: "79123456789",
		Birthday: &born, Group: "7А",
	}
	// no rule of today permits such an account
	old := &domain.User{Login: "two words", LastName: "X", FirstName: "", Patronymic: "", Phone: "12"}
	for _, c := range []struct {
		name     string
		user     *domain.User
		replaced map[domain.PersonField]string
		want     domain.Violations
	}{
		{"Nothing", user, nil, nil},
		{"Name", user, map[domain.PersonField]string{domain.PersonLastName: "Ли"}, nil},
		{"Invalid", user, map[domain.PersonField]string{domain.PersonLastName: "7"}, domain.Violations{{Field: domain.FieldLastName, Code: domain.CodeInvalid}}},
		{"LoginOfAnotherEmail", user, map[domain.PersonField]string{domain.PersonEmail: "b@example.com"}, domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeIsContact}}},
		{"NoContact", user, map[domain.PersonField]string{domain.PersonLogin: "anna", domain.PersonEmail: "", domain.PersonPhone: ""}, domain.Violations{{Field: domain.FieldEmail, Code: domain.CodeContactRequired}}},
		{"NothingOfAnOldAccount", old, nil, nil},
		{"NameOfAnOldAccount", old, map[domain.PersonField]string{domain.PersonLastName: "Ли"}, nil},
		{"LoginOfAnOldAccount", old, map[domain.PersonField]string{domain.PersonLogin: "three bad words"}, domain.Violations{{Field: domain.FieldLogin, Code: domain.CodeInvalid}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			record := rules.CheckEdit(c.user, candidateOf(c.user, c.replaced))
			require.Equal(t, c.want, record.Violations)
			if c.want != nil {
				return
			}
			var changed []domain.Field
			for f := range c.replaced {
				changed = append(changed, f.Name())
			}
			require.Equal(t, changed, record.Registration.Differences(c.user))
			require.Equal(t, len(changed) == 0, record.Registration.Matches(c.user))
		})
	}
}

func TestIsSame(t *testing.T) {
	user := domain.User{ID: 1, Login: "a", Password: domain.StoredPassword{Hash: "x"}}
	same := user
	same.PasswordExpires, same.PasswordUsedBy = time.Now(), []byte("x")
	require.True(t, user.IsSame(&same))
	for name, change := range map[string]func(*domain.User){
		"Data":       func(u *domain.User) { u.Group = "7А" },
		"Password":   func(u *domain.User) { u.Password.Hash = "y" },
		"Suspension": func(u *domain.User) { u.Suspended = time.Now() },
		"Change":     func(u *domain.User) { u.ChangeRequired = true },
	} {
		t.Run(name, func(t *testing.T) {
			other := user
			change(&other)
			require.False(t, user.IsSame(&other))
		})
	}
}
