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

// from returns a client with an address of its own, of the loopback network.
func from(address int) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(address))}}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 100}}
}

// cheap is a request that costs its sender little.
type cheap struct {
	query  string
	header http.Header
	body   []byte
}

// squeezed is a file of records without anything in them, compressed to a size, at the ratio or the most that gzip reaches.
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
		for ratio > 0 && written > ratio*(b.Len()+1) { // blanks that cannot be compressed
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

// cheapRequests are dry runs and imports of files in which records cost three bytes, or a thousandth of that.
func cheapRequests(t *testing.T) []cheap {
	t.Helper()
	compressed := http.Header{"Content-Encoding": {"gzip"}}
	var all []cheap
	for _, query := range []string{"?dry_run=true", ""} {
		for _, record := range []string{"[]", "{}", `{"login":1}`} {
			all = append(all,
				cheap{query, compressed, squeezed(t, record, 8800, 0)},
				cheap{query, compressed, squeezed(t, record, 8800, 180)},
				cheap{query, compressed, squeezed(t, record, 14_600, 180)},
				cheap{query, nil, []byte("[" + strings.Repeat(record+",", 9999) + record + "]")},
				cheap{query, nil, []byte("[" + strings.Repeat(record+",", 1024/len(record)) + record + "]")})
		}
	}
	return all
}

// Requests that are small and cost much keep neither the database nor a place from others, and leave little.
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

	ctx, stop := context.WithTimeout(t.Context(), time.Duration(either(5, 60))*time.Second)
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
					continue // the time is over
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
	t.Logf("sign-in: idle %v, meanwhile %v; one-record import: idle %v, meanwhile %v, at most %v; /readyz at most %v; sent %d KiB, grown by %d KiB (%.0f times)",
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

// durations are how long the same thing took.
type durations []time.Duration

func (d durations) median() time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[len(sorted)/2]
}

// probe does what honest clients do, and measures it.
type probe struct {
	server *server
	client *http.Client
	next   int // number of the next person to be registered
}

type probed struct{ probes, signIns, imports durations }

// measure asks for readiness, signs in and registers one person, again and again while it is to go on.
func (p *probe) measure(t *testing.T, goOn func(done int) bool) probed {
	t.Helper()
	var all probed
	for n := 0; goOn(n); n++ {
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
			url.Values{"login": {login(1)}, "psw": {"correct horse battery staple"}, "csrf": {form.token()}})
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
