package browser_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/bootstrap"
	"rollcall/test/pgtest"
)

// A program is the whole program, serving on a free port.
type program struct {
	url      string
	database string
	imported int // number of imported people

	mu  sync.Mutex
	log strings.Builder
}

var listening = regexp.MustCompile(`msg=listening url=(\S+)`)

// start runs the program with a new database until the test ends.
func start(t *testing.T, flags ...string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	p := &program{database: pgtest.New(t)}
	url, ended := make(chan string, 1), make(chan int, 1)
	go func() {
		args := []string{"serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--exports-dir", t.TempDir(), "--database-url", p.database}
		ended <- bootstrap.Run(ctx, append(args, flags...), strings.NewReader(""), io.Discard, writer)
		writer.Close()
	}()
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		defer close(url)
		for lines := bufio.NewScanner(reader); lines.Scan(); {
			p.mu.Lock()
			p.log.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
			if match := listening.FindStringSubmatch(lines.Text()); match != nil {
				url <- match[1]
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		status := <-ended
		<-logged
		require.Zero(t, status, "exit status")
		if t.Failed() {
			t.Logf("the program's log:\n%s", p.logged())
		}
	})
	p.url = <-url
	require.NotEmpty(t, p.url, "the program ended")
	return p
}

func (p *program) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// A credential is a login with its temporary password.
type credential struct{ Login, Password string }

// useradd imports a person, and returns the temporary password.
func (p *program) useradd(t *testing.T, login string) credential {
	t.Helper()
	p.imported++
	person := `{"last_name":"Лебедева","first_name":"Вера","patronymic":"Романовна","login":"LOGIN","email":"vera` + strconv.Itoa(p.imported) + `@example.com"}`
	body := strings.NewReader(strings.ReplaceAll(person, "LOGIN", login))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/useradd", body)
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	var made []credential
	require.NoError(t, json.NewDecoder(response.Body).Decode(&made))
	require.Len(t, made, 1)
	return made[0]
}
