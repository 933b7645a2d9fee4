package acceptance_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// candidate is a person of which only what must be unique matters.
type candidate struct {
	login, email string
	phone        int
}

func (c candidate) json() string {
	return person(c.login, fmt.Sprintf(`"email":"%s@example.com","phone":"9%09d"`, c.email, c.phone))
}

// Many clients send imports with overlapping people at once, small ones and one of some batches. What comes of it must be
// what sending them one after another, in some order, would give: an order is found, and gone through.
func TestClientsAtOnce(t *testing.T) {
	const clients, people, imports = 32, 60, 4
	p := start(t)
	random := rand.New(rand.NewPCG(1, 2)) // the same imports each time; what varies is who comes first
	var files [][]candidate
	for i := range clients * imports {
		var file []candidate
		for range 1 + random.IntN(6) {
			file = append(file, candidate{
				fmt.Sprintf("user%d", random.IntN(people)), fmt.Sprintf("mail%d", random.IntN(people)), random.IntN(people),
			})
		}
		if i%clients == 0 { // larger than what is run without a lock
			for n := range 12_000 {
				file = append(file, candidate{fmt.Sprintf("bulk%d-%d", i, n), fmt.Sprintf("bulk%d-%d", i, n), 1000 + 20_000*(i/clients) + n})
			}
			file = append(file, file[0], candidate{"last", "last", people})
		}
		files = append(files, file)
	}
	created := make([][]string, len(files))
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			for i := client; i < len(files); i += clients {
				var objects []string
				for _, c := range files[i] {
					objects = append(objects, c.json())
				}
				objects = append(objects, `{"login":"`+marker(i)+`"}`)
				got := p.post(t, "["+strings.Join(objects, ",")+"]")
				if got.status == 400 {
					require.Equal(t, noneCreated, got.body)
					continue
				}
				if got.status != 200 {
					t.Errorf("import %d was answered with %d: %s", i, got.status, p.logged())
					continue
				}
				var credentials []struct{ Login string }
				if err := json.Unmarshal([]byte(got.body), &credentials); err != nil {
					t.Error(err)
				}
				for _, credential := range credentials {
					created[i] = append(created[i], credential.Login)
				}
			}
		})
	}
	all.Wait()

	order := serialOrder(t, p, files, created)
	owned := map[string]bool{}
	for _, i := range order {
		var want []string
		for _, c := range files[i] {
			keys := []string{"login " + c.login, "email " + c.email, fmt.Sprint("phone ", c.phone)}
			if slices.ContainsFunc(keys, func(key string) bool { return owned[key] }) {
				continue
			}
			for _, key := range keys {
				owned[key] = true
			}
			want = append(want, c.login)
		}
		require.Equal(t, want, created[i], "import %d, in the order %v", i, order)
	}
	require.Equal(t, p.count(t, "users"), p.count(t, "profiles"))
	require.Equal(t, len(files), p.count(t, "codes"))
	objects := 0
	for _, file := range files {
		objects += len(file) + 1
	}
	require.Equal(t, objects, p.count(t, "users")+p.count(t, "bad_users"))
}

// serialOrder returns an order of the imports in which each comes after those whose people it found registered.
func serialOrder(t *testing.T, p *program, files [][]candidate, created [][]string) []int {
	t.Helper()
	importOf := map[string]int{} // by the logins it created
	for i, logins := range created {
		for _, login := range logins {
			importOf[login] = i
		}
	}
	owner := map[string]int{} // of each key
	for _, u := range pgtest.Query[struct{ Login, Email, Phone string }](t, p.database, `select login, email, phone from users`) {
		owner["login "+u.Login], owner["email "+u.Email], owner["phone "+u.Phone] = importOf[u.Login], importOf[u.Login], importOf[u.Login]
	}
	after := make([]map[int]bool, len(files))
	for i := range files {
		after[i] = map[int]bool{}
		for _, refused := range pgtest.Query[struct {
			Object int
			Fields []string
		}](t, p.database, `select object_id::int, array_agg(v->>'field') from bad_users, jsonb_array_elements(violations) v
			where v->>'code' = 'taken' and code_id = (select code_id from bad_users where login = $1) group by 1`, marker(i)) {
			c := files[i][refused.Object-1]
			for _, field := range refused.Fields {
				key := map[string]string{"login": c.login, "email": c.email + "@example.com", "phone": fmt.Sprintf("79%09d", c.phone)}[field]
				if first := owner[field+" "+key]; first != i {
					after[i][first] = true
				}
			}
		}
	}
	var order []int
	for len(order) < len(files) {
		next := slices.IndexFunc(after, func(earlier map[int]bool) bool { return earlier != nil && len(earlier) == 0 })
		require.NotEqual(t, -1, next, "imports each of which was before the other: %v", after)
		order = append(order, next)
		after[next] = nil
		for _, earlier := range after {
			delete(earlier, next)
		}
	}
	return order
}

// marker is the login of an object that is always refused, by which the record of an import is found.
func marker(i int) string { return fmt.Sprintf("import-%d", i) }
