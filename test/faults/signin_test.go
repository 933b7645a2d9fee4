package faults_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/domain"
	"rollcall/test/pgtest"
)

// visitorFrom returns a visitor with its own address.
func (s *server) visitorFrom(t *testing.T, address int) *visitor {
	t.Helper()
	v := s.visitor(t)
	v.client.Transport = from(address).Transport
	return v
}

// tries signs in and returns the status of the answer.
func (v *visitor) tries(t *testing.T, name, password string) int {
	t.Helper()
	got, err := v.signIn(t.Context(), credential{name, password})
	require.NoError(t, err)
	return got.status
}

const guess = "a wrong guess"

// spellings returns ways to write the login, the email and the phone of person 1, and some that only look alike.
func spellings() []string {
	return []string{
		"user1", "USER1", " user1 ", "ｕｓｅｒ１", "User1",
		"u1@example.com", "U1@example.com", "u1@EXAMPLE.com", "ｕ1@example.com", "u1＠example.com",
		"+79000000001", "79000000001", "89000000001", "9000000001", "8-900-000-00-01", "8(900)0000001", "+7.900.000.00.01", "8.9000000001",
		"#89000000001", "89000000001,1", "８９０００００００１", "８９００００００００１", "٨٩٠٠٠٠٠٠٠٠١", "tel:+79000000001", "8900AAAAAA1", "xx89000000001",
	}
}

// An address has few guesses at one account, in all spellings of its names and whatever logins others have registered.
func TestGuessesBySpellings(t *testing.T) {
	database := pgtest.New(t)
	s := serve(t, database)
	s.sendUntilAnswered(t, []byte(person(1)), "")
	var similar []string
	for i, spelling := range spellings() {
		name, err := json.Marshal(spelling)
		require.NoError(t, err)
		const evil = `{"last_name":"Smirnov","first_name":"Ivan","patronymic":"Petrovich","login":%s,"email":"evil%d@example.com"}`
		_, err = s.send(t.Context(), fmt.Appendf(nil, evil, name, i), "")
		if err == nil {
			similar = append(similar, spelling)
		}
	}
	names := slices.DeleteFunc(spellings(), func(spelling string) bool {
		name := domain.NewIdentity(spelling, "RU")
		return name.Login != "user1" && name.Email != "u1@example.com" && name.Phone != "79000000001"
	})
	for _, login := range similar {
		require.NotContains(t, names, login, "a login that is another person's name")
	}
	v := s.visitor(t)
	began, guesses := time.Now(), 0
	for range either(3, 12) {
		for _, name := range names {
			if v.tries(t, name, guess) == http.StatusUnauthorized {
				guesses++
			}
		}
	}
	minutes := int(time.Since(began)/time.Minute) + 1
	t.Logf("an address had %d guesses at one account through %d spellings of its names in less than %d minutes", guesses, len(names), minutes)
	require.LessOrEqual(t, guesses, 3*(10+minutes))
}

// Rate limits reveal neither who is registered nor which names belong to one person.
func TestLimitsRevealNothing(t *testing.T) {
	database := pgtest.New(t)
	s := serve(t, database)
	s.sendUntilAnswered(t, []byte(person(1)), "")
	answers := func(v *visitor, name string) (statuses []int) {
		for range 11 {
			statuses = append(statuses, v.tries(t, name, guess))
		}
		return statuses
	}
	for address, names := range [][2]string{{"+79000000001", "+79000000002"}, {"user1", "user2"}, {"u1@example.com", "u2@example.com"}} {
		known := answers(s.visitorFrom(t, 1+2*address), names[0])
		unknown := answers(s.visitorFrom(t, 2+2*address), names[1])
		t.Logf("%s: %v, %s: %v", names[0], known, names[1], unknown)
		require.Equal(t, unknown, known, names)
		require.Equal(t, http.StatusTooManyRequests, known[10])
	}
	v := s.visitorFrom(t, 100)
	answers(v, "user1")
	require.Equal(t, http.StatusUnauthorized, v.tries(t, "u1@example.com", guess), "another name of the same person")
}

// Many addresses guess at an account. Its owner can still sign in with a browser used before.
func TestOwnersAreNotLockedOut(t *testing.T) {
	database := pgtest.New(t)
	s := serve(t, database)
	owner := s.visitorFrom(t, 200)
	got, err := owner.register(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, http.StatusSeeOther, got.status, got.html)
	got, err = owner.do(t.Context(), http.MethodPost, "/logout", url.Values{})
	require.NoError(t, err)
	require.Equal(t, http.StatusSeeOther, got.status)

	const password = "correct horse battery staple"
	var guessers sync.WaitGroup
	for address := range either(12, 100) {
		guessers.Go(func() {
			v := s.visitorFrom(t, 1+address)
			for range 12 {
				_, err := v.signIn(t.Context(), credential{"user1", guess})
				require.NoError(t, err)
			}
		})
	}
	guessers.Wait()
	stranger := s.visitorFrom(t, 199)
	_ = stranger.tries(t, "user1", guess) // an attempt may have become free
	require.Equal(t, http.StatusTooManyRequests, stranger.tries(t, "user1", password), "the attempts of all addresses are used up")
	began := time.Now()
	require.Equal(t, http.StatusSeeOther, owner.tries(t, "user1", password))
	t.Logf("the owner signed in after %v", time.Since(began))
	require.Equal(t, http.StatusSeeOther, s.visitorFrom(t, 198).tries(t, "+79000000001", password), "another name of the account")
}
