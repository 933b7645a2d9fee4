package faults_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"golang.org/x/sys/unix"

	"rollcall/test/pgtest"
)

// dial opens a raw connection.
func (s *server) dial(t *testing.T) *net.TCPConn {
	t.Helper()
	return s.dialFrom(t, net.IPv4(127, 0, 0, 1))
}

// dialFrom opens a raw connection from an address in 127.0.0.0/8.
func (s *server) dialFrom(t *testing.T, address net.IP) *net.TCPConn {
	t.Helper()
	c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: address}}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c.(*net.TCPConn)
}

// waitWithBodies opens connections that have sent half of a body: bytes, or as many as the server accepted.
func (s *server) waitWithBodies(t *testing.T, connections, bytes int) (all []net.Conn) {
	t.Helper()
	for range connections {
		c := s.dial(t)
		_, err := fmt.Fprintf(c, "POST /useradd HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", 2*bytes)
		require.NoError(t, err)
		_, _ = io.WriteString(c, strings.Repeat(" ", bytes)) // fails if the server is out of space
		all = append(all, c)
	}
	return all
}

// descriptors returns the number of open files and connections of the program.
func (s *server) descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	require.NoError(t, err)
	return len(open)
}

// memory returns a memory figure of /proc/PID/status, such as VmRSS, in KiB.
func (s *server) memory(t *testing.T, what string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(status), what+":")
	require.True(t, found)
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	require.NoError(t, err)
	return kib
}

// hasReadAll waits until the program has read all that it was sent, so that nothing waits in the kernel.
func (s *server) hasReadAll(t *testing.T) {
	t.Helper()
	address, err := net.ResolveTCPAddr("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	here := fmt.Sprintf(":%04X", address.Port)
	readAll := func() bool {
		connections, err := os.ReadFile("/proc/net/tcp")
		if err != nil {
			return false
		}
		for connection := range strings.Lines(string(connections)) {
			fields := strings.Fields(connection) // number, local address, remote address, state, bytes queued for sending:reading
			read := !strings.HasSuffix(fields[1], here) || strings.HasSuffix(fields[4], ":00000000")
			sent := !strings.HasSuffix(fields[2], here) || strings.HasPrefix(fields[4], "00000000:")
			if !read || !sent {
				return false
			}
		}
		return true
	}
	require.Eventually(t, readAll, time.Minute, 10*time.Millisecond)
}

// isServed checks that another client is served without delay.
func (s *server) isServed(t *testing.T, n int) {
	t.Helper()
	began := time.Now()
	answer := s.sendUntilAnswered(t, []byte(person(n)), "")
	require.Len(t, answer, 1)
	response, err := client.Get(s.url + "/login")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Less(t, time.Since(began), 5*time.Second)
}

// isAsBefore waits until the number of open descriptors is back to what it was.
func (s *server) isAsBefore(t *testing.T, descriptors int) {
	t.Helper()
	const some = 24 // connections to the database come and go
	require.Eventually(t, func() bool { return s.descriptors(t) <= descriptors+some }, time.Minute, 50*time.Millisecond,
		"%d descriptors are open, after %d before", s.descriptors(t), descriptors)
}

// beginWithLargeWindow is the beginning of a zstd frame (RFC 8878) that asks for a window of 32 MiB and fills it with blanks. Each
// block takes four bytes and has the maximum size.
var beginWithLargeWindow = "\x28\xb5\x2f\xfd\x00\x78" + strings.Repeat("\x02\x00\x10 ", 250)

// Clients that send a byte at a time hold a connection for a while, and delay no other client.
func TestSlowSenders(t *testing.T) {
	t.Parallel() // most of its time is waiting
	database := pgtest.New(t)
	timeout, pause := time.Second, 100*time.Millisecond
	if *long {
		timeout, pause = 10*time.Second, time.Second
	}
	s := serve(t, database, "--client-timeout", timeout.String())
	s.isServed(t, 1)
	before, memory := s.descriptors(t), s.memory(t, "VmRSS")
	const post = "POST /useradd HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n"
	begins := []string{
		post + "\r\n[",
		post + "Content-Encoding: zstd\r\n\r\n" + beginWithLargeWindow,
		"POST /useradd HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
		"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10000\r\n\r\nlogin=",
	}
	var senders sync.WaitGroup
	slow := either(50, 500)
	for i := range slow {
		c := s.dial(t)
		_, err := io.WriteString(c, begins[i%len(begins)])
		require.NoError(t, err)
		senders.Go(func() {
			for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(pause) {
				_, err := io.WriteString(c, " ")
				if err != nil {
					return // the server has closed it
				}
			}
			t.Error("the server read from a slow sender for a minute")
		})
	}
	for i := range 5 {
		s.isServed(t, 2+i)
	}
	const each, leeway = 128, 128 << 10 // KiB
	require.Less(t, s.memory(t, "VmRSS")-memory, slow*each+leeway)
	senders.Wait()
	s.isAsBefore(t, before)

	memory = s.memory(t, "VmRSS")
	const large = 500
	waiting := s.waitWithBodies(t, large, 1<<20-1) // the most that one request keeps in memory
	s.hasReadAll(t)
	require.Less(t, s.memory(t, "VmRSS")-memory, large*each+leeway)
	s.isServed(t, 10)
	for _, c := range waiting {
		require.NoError(t, c.Close())
	}
	s.isAsBefore(t, before)

	honest := s.dial(t) // slow, but fast enough
	const part, honestPause = 512, 100 * time.Millisecond
	body := strings.Repeat(" ", int(2*timeout/honestPause)*part) + person(100)
	_, err := fmt.Fprintf(honest, "POST /useradd HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", len(body))
	require.NoError(t, err)
	for sent := range slices.Chunk([]byte(body), part) {
		_, err = honest.Write(sent)
		require.NoError(t, err)
		time.Sleep(honestPause)
	}
	response, err := http.ReadResponse(bufio.NewReader(honest), nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode, "a body that takes longer than the timeout")
	isConsistent(t, database)
}

// Idle connections cost little, and are closed. They come from several addresses, because one address may have a tenth of all.
func TestIdleConnections(t *testing.T) {
	t.Parallel() // most of its time is waiting
	database := pgtest.New(t)
	s := serve(t, database, "--client-timeout", "3s")
	s.isServed(t, 1)
	before, memory := s.descriptors(t), s.memory(t, "VmRSS")
	idle := either(500, 10_000)
	const addresses = 10
	for i := range idle {
		s.dialFrom(t, net.IPv4(127, 3, 0, byte(1+i%addresses)))
	}
	s.isServed(t, 2)
	require.NotContains(t, s.logged(), "its address has its share")
	const each, leeway = 32, 32 << 10 // KiB
	require.Less(t, s.memory(t, "VmRSS")-memory, idle*each+leeway)
	s.isAsBefore(t, before)
	s.isServed(t, 3)
}

// If there are more connections than the program may have descriptors, some wait and the program continues. It reserves a part
// of its descriptors for files.
func TestMoreConnectionsThanDescriptors(t *testing.T) {
	database := pgtest.New(t)
	s := serve(t, database)
	s.isServed(t, 1)
	before := s.descriptors(t)
	limit := unix.Rlimit{Cur: uint64(before + 20), Max: uint64(before + 20)}
	require.NoError(t, unix.Prlimit(s.cmd.Process.Pid, unix.RLIMIT_NOFILE, &limit, nil))
	var waiting []net.Conn
	for range 200 {
		waiting = append(waiting, s.dial(t))
	}
	logs := func() bool { return strings.Contains(s.logged(), "accepting connections failed") }
	require.Eventually(t, logs, time.Minute, 10*time.Millisecond)
	for _, c := range waiting {
		require.NoError(t, c.Close())
	}
	s.isServed(t, 2)

	limited := &server{url: freeAddress(t), dir: t.TempDir(), database: database, wrapper: []string{"sh", "-c", `ulimit -n 1000 && exec "$@"`, "sh"}}
	limited.begin(t)
	require.Contains(t, limited.logged(), "max_connections=750")
}

// Clients that send half a body, or leave in the middle of an answer, leave nothing behind.
func TestBrokenConnections(t *testing.T) {
	database := pgtest.New(t)
	s := serve(t, database)
	s.isServed(t, 1)
	before := s.descriptors(t)
	r := random(t)
	records := either(5_000, 50_000)
	for i := range either(10, 100) {
		file := crowd(1000+i*records, records)
		c := s.dial(t)
		_, err := fmt.Fprintf(c, "POST /useradd HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", len(file))
		require.NoError(t, err)
		if i%2 == 0 {
			_, err = c.Write(file[:r.IntN(len(file))])
			require.NoError(t, err)
		} else {
			_, err = c.Write(file)
			require.NoError(t, err)
			_, err = io.CopyN(io.Discard, c, r.Int64N(100_000))
			require.NoError(t, err)
		}
		require.NoError(t, c.SetLinger(r.IntN(2)-1)) // a reset or an orderly close
		require.NoError(t, c.Close())
	}
	s.isServed(t, 2)
	s.isAsBefore(t, before)
	isConsistent(t, database)
	isWhole(t, database, 0)
}

// blanks are compressed once and repeated in each bomb, because compressing all of a bomb takes long.
var blanks = bytes.Repeat([]byte(" "), 1<<20)

// gzipBomb returns a file that inflates to size MiB, with a member for each.
func gzipBomb(t *testing.T, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(blanks)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return bytes.Repeat(b.Bytes(), size)
}

// zstdBomb returns a file that inflates to size MiB, with a frame for each.
func zstdBomb(t *testing.T, size int) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return bytes.Repeat(w.EncodeAll(blanks, nil), size)
}

// workbookBomb returns a workbook whose first sheet has size MiB of blanks before its rows.
func workbookBomb(t *testing.T, size int) []byte {
	t.Helper()
	book := excelize.NewFile()
	defer book.Close()
	require.NoError(t, book.SetCellStr("Sheet1", "A1", "login"))
	file, err := book.WriteToBuffer()
	require.NoError(t, err)
	from, err := zip.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
	require.NoError(t, err)
	const first, rows = "xl/worksheets/sheet1.xml", "<sheetData>"
	var b bytes.Buffer
	to := zip.NewWriter(&b)
	for _, part := range from.File {
		if part.Name != first {
			require.NoError(t, to.Copy(part))
		}
	}
	r, err := from.Open(first)
	require.NoError(t, err)
	defer r.Close()
	sheet, err := io.ReadAll(r)
	require.NoError(t, err)
	head, tail, found := strings.Cut(string(sheet), rows)
	require.True(t, found)
	content := slices.Concat(deflated(t, head+rows), bytes.Repeat(deflated(t, string(blanks)), size), deflated(t, tail), []byte("\x03\x00")) // an empty last block
	sum := crc32.NewIEEE()
	_, _ = io.WriteString(sum, head+rows)
	for range size {
		_, _ = sum.Write(blanks)
	}
	_, _ = io.WriteString(sum, tail)
	w, err := to.CreateRaw(&zip.FileHeader{
		Name: first, Method: zip.Deflate, CRC32: sum.Sum32(),
		CompressedSize64: uint64(len(content)), UncompressedSize64: uint64(len(sheet) + size*len(blanks)),
	})
	require.NoError(t, err)
	_, err = w.Write(content)
	require.NoError(t, err)
	require.NoError(t, to.Close())
	return b.Bytes()
}

// deflated returns the compressed blocks of a text, to which others can be appended.
func deflated(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	require.NoError(t, err)
	_, err = io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Flush())
	return b.Bytes()
}

// Requests over a limit are rejected in bounded memory.
func TestFloods(t *testing.T) {
	database := pgtest.New(t)
	s := serve(t, database, "--max-body", "1MiB", "--max-records", "1000")
	s.isServed(t, 1)
	for _, c := range []struct {
		name    string
		status  int
		headers string
		body    []byte
	}{
		{"a long header", 431, "X-Long: " + strings.Repeat("x", 1<<20) + "\r\n", nil},
		{"many headers", 431, strings.Repeat("X-Many: x\r\n", 100_000), nil},
		{"a large body", 413, "", bytes.Repeat([]byte(" "), 2<<20)},
		{"too many records", 413, "", []byte("[" + strings.Repeat("1,", 1000) + "1]")},
		{"a gzip bomb", 413, "Content-Encoding: gzip\r\n", gzipBomb(t, either(256, 900))},
		{"a gzip bomb as a file", 413, "", gzipBomb(t, either(256, 900))},
		{"a zstd bomb", 413, "Content-Encoding: zstd\r\n", zstdBomb(t, either(256, 4096))},
		{"a workbook", 400, "", workbookBomb(t, either(256, 900))},
		{"a bomb in a bomb", 415, "Content-Encoding: gzip, gzip\r\n", nil},
		{"deep JSON", 400, "", bytes.Repeat([]byte("["), 1<<20)},
		{"a long key", 400, "Idempotency-Key: " + strings.Repeat("k", 3000) + "\r\n", nil},
		{"an endless number", 400, "", append([]byte("["), bytes.Repeat([]byte("1"), 1<<19)...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.LessOrEqual(t, len(c.body), 2<<20)
			conn := s.dial(t)
			go func() {
				_, _ = fmt.Fprintf(conn, "POST /useradd HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %d\r\n\r\n%s", c.headers, len(c.body), c.body)
			}()
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, c.status, response.StatusCode)
		})
	}
	long := s.dial(t)
	go func() {
		_, _ = io.WriteString(long, "GET /"+strings.Repeat("x", 1<<20)+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	}()
	response, err := http.ReadResponse(bufio.NewReader(long), nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Contains(t, []int{http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge}, response.StatusCode)
	s.isServed(t, 2)
	require.Less(t, s.memory(t, "VmHWM"), 200<<10)
}

// Requests that two servers in a chain might read differently are rejected and their connection is closed, or they are read as
// RFC 9112 says.
func TestSmuggling(t *testing.T) {
	database := pgtest.New(t)
	s := serve(t, database)
	const hidden = "GET /healthz HTTP/1.1\r\nHost: hidden\r\n\r\n"
	for _, c := range []struct {
		name    string
		request string
	}{
		{"two lengths", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 0\r\n\r\n{}"},
		{"a list of lengths", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0, 2\r\n\r\n{}"},
		{"a length with a sign", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nContent-Length: +2\r\n\r\n{}"},
		{"a length in hexadecimal", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0x2\r\n\r\n{}"},
		{"a negative length", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n{}"},
		{"a length and chunks", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{"chunks and a length", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"},
		{"unknown coding", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
		{"chunks that are not last", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"},
		{"chunks twice", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{"a blank before a colon", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nContent-Length : 2\r\n\r\n{}"},
		{"a line that is folded", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n Content-Length: 2\r\n\r\n{}"},
		{"a size with a sign", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n"},
		{"a size too large", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n"},
		{"no end of a chunk", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n"},
		{"NUL in a name", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nX\x00: y\r\nContent-Length: 2\r\n\r\n{}"},
		{"no name", "POST /useradd HTTP/1.1\r\nHost: localhost\r\n: y\r\nContent-Length: 2\r\n\r\n{}"},
		{"a request line without CR", "GET /healthz HTTP/1.1\nHost: localhost\r\n\r\n"},
		{"a header without CR", "GET /healthz HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n"},
		{"a last header without CR", "GET /healthz HTTP/1.1\r\nHost: localhost\n\r\n"},
		{"an end of a head without CR", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\n"},
		{"no CR at all", "GET /healthz HTTP/1.1\nHost: localhost\n\n"},
		{"an empty line without CR before", "\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"},
		{"no header, and an end without CR", "GET /healthz HTTP/1.0\r\n\n"},
		{"a folded line", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: y\r\n z\r\n\r\n"},
		{"a line folded with a tab", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: y\r\n\tz\r\n\r\n"},
		{"a folded line that is empty", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: y\r\n \r\n\r\n"},
		{"an unknown method without CR", "FOO /healthz HTTP/1.1\nHost: localhost\r\n\r\n"},
		{"a size of a chunk without CR", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n"},
		{"a chunk without CR", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\n0\r\n\r\n"},
		{"a last chunk without CR", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\n\n"},
		{"a trailer without CR", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: y\n\r\n"},
		{"a folded trailer", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: y\r\n z\r\n\r\n"},
		{"a bare carriage return", "POST /useradd HTTP/1.1\r\nHost: localhost\r\nX: a\rContent-Length: 2\r\n\r\n{}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := s.dial(t)
			_, err := io.WriteString(conn, c.request+hidden)
			require.NoError(t, err)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
			answers, err := io.ReadAll(conn)
			require.NoError(t, err, "the connection is closed")
			require.True(t, strings.HasPrefix(string(answers), "HTTP/1.1 400 "), "%s", answers)
			require.NotContains(t, string(answers), "HTTP/1.1 200 ", "the hidden request is not answered")
		})
	}
}

// A request that arrives before the answer to the one before is not answered: a request smuggled into a connection that a proxy
// shares among clients arrives so. The boundaries of packets make no difference.
func TestPipelinedRequests(t *testing.T) {
	s := serve(t, pgtest.New(t))
	const good = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
	const post = "POST /useradd HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
	const last = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
	for _, c := range []struct {
		name     string
		packets  []string // each is sent when the one before was answered, or was read if it does not end a request
		statuses string
	}{
		{"one", []string{last}, "200"},
		{"one after the other", []string{good, post, good, post, last}, "200 400 200 400 200"},
		{"an empty line before", []string{"\r\n" + good, "\r\n" + last}, "200 200"},
		{"byte by byte", strings.Split(last, ""), "200"},
		{"two together", []string{good + good}, "200"},
		{"two together, after one", []string{good, good + good}, "200 200"},
		{"after a body", []string{post + good}, "400"},
		{"a part after one", []string{good + "GET /healthz HTTP/1.1\nHos", "t: localhost\r\n\r\n"}, "200"},
		{"a part after a body", []string{post + "GET /healthz HTTP/1.1\nHos", "t: localhost\r\n\r\n"}, "400"},
		{"one without CR, after one", []string{good, "GET /healthz HTTP/1.1\nHost: localhost\r\n\r\n"}, "200 400"},
		{"after an unknown method", []string{"FOO / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\nHost: localhost\r\n\r\n"}, "405"},
		{"a line without CR, in packets", []string{"GET /healthz HTTP/1.1", "\nHost: localhost\r\n\r\n"}, "400"},
		{"a folded line, in packets", []string{"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: y\r\n", " z\r\n\r\n"}, "400"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := s.dial(t)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
			answers := bufio.NewReader(conn)
			var statuses []string
			next := func() bool {
				answer, err := http.ReadResponse(answers, nil)
				if err != nil {
					require.ErrorIs(t, err, io.ErrUnexpectedEOF, "the connection ends")
					return false
				}
				statuses = append(statuses, strconv.Itoa(answer.StatusCode))
				_, err = io.Copy(io.Discard, answer.Body)
				require.NoError(t, err)
				require.NoError(t, answer.Body.Close())
				return true
			}
			for _, packet := range c.packets {
				_, err := io.WriteString(conn, packet)
				require.NoError(t, err)
				if strings.HasSuffix(packet, "\r\n\r\n") || strings.HasSuffix(packet, "{}") {
					next()
				} else {
					s.hasReadAll(t)
				}
			}
			for next() {
			}
			require.Equal(t, c.statuses, strings.Join(statuses, " "))
		})
	}
}

// No path leads out of the served folders.
func TestPathTricks(t *testing.T) {
	database := pgtest.New(t)
	s := serve(t, database)
	for _, path := range []string{
		"/static/../../../etc/passwd", "/static/..%2f..%2f..%2fetc/passwd", "/static/%2e%2e/%2e%2e/etc/passwd", "/static/..%5c..%5cetc", "/static//etc/passwd",
		"/useradd/export/../../../etc/passwd", "/useradd/export/..%2f..%2fetc%2fpasswd", "/useradd/export/xlsx%00", "/useradd/export/txt/../../x",
		"/useradd/templates/people.../../etc/passwd", "/useradd/imports/..%2f1", "//etc/passwd", "/%00", "/static/%",
	} {
		c := s.dial(t)
		_, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		require.NoError(t, err)
		answer, err := io.ReadAll(c)
		require.NoError(t, err)
		require.NotContains(t, string(answer), "root:", path)
		require.Regexp(t, `^HTTP/1.1 (400|401|404)`, string(answer), path)
	}
}
