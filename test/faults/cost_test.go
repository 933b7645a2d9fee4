package faults_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/test/pgtest"
)

// from returns a client at its own address in 127.0.0.0/8.
func from(address int) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(address))}}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 100}}
}

// A cheap request costs its sender little.
type cheap struct {
	query  string
	header http.Header
	body   []byte
}

// squeezed returns a gzip file of empty records with the given size. A ratio of 0 means the highest that gzip reaches.
func squeezed(t *testing.T, record string, size, ratio int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	require.NoError(t, err)
	noise := rand.New(rand.NewPCG(1, 2))
	_, _ = io.WriteString(w, "["+record)
	for written := 0; b.Len() < size; {
		part := strings.Repeat(","+record, 1000)
		_, _ = io.WriteString(w, part)
		written += len(part)
		for ratio > 0 && written > ratio*(b.Len()+1) { // white space that gzip cannot compress
			var blanks [64]byte
			for i := range blanks {
				blanks[i] = " \t\n\r"[noise.IntN(4)]
			}
			_, _ = w.Write(blanks[:])
			require.NoError(t, w.Flush())
		}
	}
	_, _ = io.WriteString(w, "]")
	require.NoError(t, w.Close())
	return b.Bytes()
}

// cheapRequests returns dry runs and imports of files whose records take three bytes, or a thousandth of that.
func cheapRequests(t *testing.T) []cheap {
	t.Helper()
	compressed := http.Header{"Content-Encoding": {"gzip"}}
	var all []cheap
	for _, record := range []string{"[]", "{}", `{"login":1}`} {
		all = append(all,
			cheap{"", compressed, squeezed(t, record, 8800, 0)},
			cheap{"", compressed, squeezed(t, record, 8800, 180)},
			cheap{"", compressed, squeezed(t, record, 14_600, 180)},
			cheap{"", nil, []byte("[" + strings.Repeat(record+",", 9999) + record + "]")},
			cheap{"", nil, []byte("[" + strings.Repeat(record+",", 1024/len(record)) + record + "]")})
	}
	for _, it := range slices.Clone(all) {
		it.query = "?dry_run=true"
		all = append(all, it)
	}
	return all
}

// Small requests that cost much block neither the database nor other clients, and store little.
func TestCheapRecords(t *testing.T) {
	database := pgtest.New(t)
	if *long {
		database = newDatabase(t).url()
	}
	s := serve(t, database)
	visitor := s.visitor(t)
	_, err := visitor.register(t.Context(), 1)
	require.NoError(t, err)
	honest := &probe{server: s, client: from(200), next: 1000}
	idle := honest.measure(t, func(done int) bool { return done < either(3, 30) })
	requests := cheapRequests(t)
	size := databaseSize(t, database)

	ctx, stop := context.WithTimeout(t.Context(), time.Duration(either(2, 60))*time.Second)
	defer stop()
	var senders sync.WaitGroup
	var sent atomic.Int64
	var statuses sync.Map
	for i := range 64 {
		client := from(i%10 + 1)
		senders.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				it := requests[n%len(requests)]
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/useradd"+it.query, bytes.NewReader(it.body))
				if err != nil {
					t.Error(err)
					return
				}
				if it.header != nil {
					request.Header = it.header.Clone()
				}
				sent.Add(int64(len(it.body)))
				response, err := client.Do(request)
				if err != nil {
					continue // ctx has ended
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				count, _ := statuses.LoadOrStore(response.StatusCode, new(atomic.Int64))
				count.(*atomic.Int64).Add(1)
			}
		})
	}
	busy := honest.measure(t, func(int) bool { return ctx.Err() == nil })
	senders.Wait()
	grown := databaseSize(t, database) - size
	statuses.Range(func(status, count any) bool {
		t.Logf("%d answers with status %d", count.(*atomic.Int64).Load(), status)
		return true
	})
	t.Logf("sign-in: idle %v, under load %v; one-record import: idle %v, under load %v, worst %v; /readyz worst %v; sent %d KiB, database grew by %d KiB (%.0f times)",
		idle.signIns.median(), busy.signIns.median(), idle.imports.median(), busy.imports.median(), slices.Max(busy.imports),
		slices.Max(busy.probes), sent.Load()>>10, grown>>10, float64(grown)/float64(sent.Load()))
	require.Less(t, grown, 100*sent.Load())
	if *long {
		require.Less(t, busy.signIns.median(), 3*idle.signIns.median())
		require.Less(t, slices.Max(busy.imports), time.Second)
	}
	isConsistent(t, database)
}

func databaseSize(t *testing.T, database string) int64 {
	t.Helper()
	return pgtest.Query[struct{ Size int64 }](t, database, "select pg_database_size(current_database())")[0].Size
}

// durations are repeated measurements of one operation.
type durations []time.Duration

func (d durations) median() time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[len(sorted)/2]
}

// A probe measures what honest clients experience.
type probe struct {
	server *server
	client *http.Client
	next   int // number of the next person to register
}

type probed struct{ probes, signIns, imports durations }

// measure requests /readyz, signs in and imports one person, repeatedly while more reports true.
func (p *probe) measure(t *testing.T, more func(done int) bool) probed {
	t.Helper()
	var all probed
	for n := 0; more(n); n++ {
		began := time.Now()
		response, err := p.client.Get(p.server.url + "/readyz")
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
		all.probes = append(all.probes, time.Since(began))

		visitor := p.server.visitor(t)
		form, err := visitor.do(t.Context(), http.MethodGet, "/login", nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, form.status)
		began = time.Now()
		got, err := visitor.do(t.Context(), http.MethodPost, "/login",
			url.Values{"login": {login(1)}, "psw": {"correct horse battery staple"}})
		require.NoError(t, err)
		require.Equal(t, http.StatusSeeOther, got.status, got.html)
		all.signIns = append(all.signIns, time.Since(began))

		began = time.Now()
		response, err = p.client.Post(p.server.url+"/useradd", "application/json", strings.NewReader(person(p.next)))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode, fmt.Sprint("person ", p.next))
		p.next++
		all.imports = append(all.imports, time.Since(began))
	}
	return all
}
