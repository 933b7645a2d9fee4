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

// A candidate has the fields of a person that must be unique.
type candidate struct {
	login, email string
	phone        int
}

func (c candidate) json() string {
	return person(c.login, fmt.Sprintf(`"email":"%s@example.com","phone":"9%09d"`, c.email, c.phone))
}

// Many clients concurrently send imports with overlapping people: small ones, and one of several batches. The result must equal
// that of sending them one after another in some order. The test finds the order and replays it.
func TestConcurrentImports(t *testing.T) {
	const clients, people, imports = 32, 60, 4
	p := start(t)
	random := rand.New(rand.NewPCG(1, 2)) // the imports are the same each time; their order varies
	var files [][]candidate
	for i := range clients * imports {
		var file []candidate
		for range 1 + random.IntN(6) {
			file = append(file, candidate{
				fmt.Sprintf("user%d", random.IntN(people)), fmt.Sprintf("mail%d", random.IntN(people)), random.IntN(people),
			})
		}
		if i%clients == 0 { // larger than imports that take no lock
			for n := range 9_000 {
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
				var records []string
				for _, c := range files[i] {
					records = append(records, c.json())
				}
				records = append(records, `{"login":"`+marker(i)+`"}`)
				got := p.post(t, "["+strings.Join(records, ",")+"]")
				if got.status == 400 {
					require.Equal(t, noneCreated, got.body)
					continue
				}
				if got.status != 200 {
					t.Errorf("import %d: status %d: %s", i, got.status, p.logged())
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
		require.Equal(t, want, created[i], "import %d in the order %v", i, order)
	}
	require.Equal(t, p.count(t, "users"), p.count(t, "profiles"))
	require.Equal(t, len(files), p.count(t, "codes"))
	records := 0
	for _, file := range files {
		records += len(file) + 1
	}
	require.Equal(t, records, p.count(t, "users")+p.count(t, "bad_users"))
}

// serialOrder returns an order in which each import comes after the imports whose people it found registered.
func serialOrder(t *testing.T, p *program, files [][]candidate, created [][]string) []int {
	t.Helper()
	importOf := map[string]int{} // by registered login
	for i, logins := range created {
		for _, login := range logins {
			importOf[login] = i
		}
	}
	owner := map[string]int{} // import by key
	for _, u := range pgtest.Query[struct{ Login, Email, Phone string }](t, p.database, `select login, email, phone from users`) {
		owner["login "+u.Login], owner["email "+u.Email], owner["phone "+u.Phone] = importOf[u.Login], importOf[u.Login], importOf[u.Login]
	}
	after := make([]map[int]bool, len(files))
	for i := range files {
		after[i] = map[int]bool{}
		for _, rejected := range pgtest.Query[struct {
			Object int
			Fields []string
		}](t, p.database, `select object_id::int, array_agg(v->>'field') from bad_users, jsonb_array_elements(violations) v
			where v->>'code' = 'taken' and code_id = (select code_id from bad_users where login = $1) group by 1`, marker(i)) {
			c := files[i][rejected.Object-1]
			for _, field := range rejected.Fields {
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
		require.NotEqual(t, -1, next, "a cycle of imports: %v", after)
		order = append(order, next)
		after[next] = nil
		for _, earlier := range after {
			delete(earlier, next)
		}
	}
	return order
}

// marker returns the login of a record that is always rejected, which identifies the import.
func marker(i int) string { return fmt.Sprintf("import-%d", i) }
