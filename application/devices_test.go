package application_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/ports"
)

// Strangers cannot lock a user out of a browser in which the user has signed in before.
func TestDevicesHaveTheirOwnLimit(t *testing.T) {
	p := newPeople()
	anna := p.anna(t)
	boris, _, err := p.register.Register(t.Context(), ports.RegistrationRequest{Person: candidate("boris"), Password: chosen})
	require.NoError(t, err)
	hers, his := p.auth.MarkDevice(anna, ""), p.auth.MarkDevice(boris, "")
	attempt := func(name, password, address, device string) error {
		_, err := p.auth.SignIn(t.Context(), ports.Attempt{Name: name, Password: password, Address: address, Device: device})
		return err
	}
	for i := range 400 { // from other addresses, and from hers
		_ = attempt("anna", "a guess", strconv.Itoa(i%20), "")
		_ = attempt(strconv.Itoa(i), "a guess", "192.0.2.1", "")
	}
	for _, c := range []struct {
		name   string
		device string
	}{
		{"NoMark", ""}, {"ForgedMark", hers + "x"}, {"MarkOfAnotherUser", his}, {"SeveralMarksOfOthers", his + ".x.." + his},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.ErrorIs(t, attempt("anna", chosen, "192.0.2.1", c.device), domain.ErrTooManyAttempts)
		})
	}
	for range 20 {
		require.NoError(t, attempt("anna", chosen, "192.0.2.1", hers))
	}
	require.NoError(t, attempt("Anna@example.com", chosen, "192.0.2.1", his+"."+hers))
	for range 10 {
		require.ErrorIs(t, attempt("anna", "a guess", "198.51.100.1", hers), domain.ErrWrongCredentials)
	}
	require.ErrorIs(t, attempt("anna", chosen, "198.51.100.1", hers), domain.ErrTooManyAttempts, "a stolen mark has no more attempts than a stranger")
	require.ErrorIs(t, attempt("Anna@example.com", chosen, "198.51.100.1", hers), domain.ErrTooManyAttempts)
	require.NoError(t, attempt("anna", chosen, "192.0.2.1", p.auth.MarkDevice(anna, "")), "another browser of the same user")
	p.now = p.now.Add(time.Minute)
	require.NoError(t, attempt("anna", chosen, "192.0.2.1", hers))
}

// A browser stores the marks of several users. A user who returns pushes out none of them.
func TestDeviceOfSeveralUsers(t *testing.T) {
	p := newPeople()
	users := make([]*domain.User, 5)
	device := "nonsense..\r\n"
	for i := range users {
		users[i] = &domain.User{ID: int64(i + 1)}
		device = p.auth.MarkDevice(users[i], device)
	}
	marks := strings.Split(device, ".")
	require.Len(t, marks, 4, "the marks of the last four users")
	require.NotContains(t, device, "nonsense")
	device = p.auth.MarkDevice(users[2], device)
	require.Equal(t, []string{marks[2], marks[0], marks[1], marks[3]}, strings.Split(device, "."), "the mark and its bucket stay the same")
}
