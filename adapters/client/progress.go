package client

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

const (
	clearLine = "\r\x1b[K"

	shareSteps    = 1000   // of the bar of a running import
	receivedSteps = 10_000 // results between two updates while the response is received
)

// A progress shows on a terminal how far one attempt is. It shows nothing elsewhere.
type progress struct {
	mu       sync.Mutex // the request body and the response are read concurrently
	terminal io.Writer  // nil when nothing is shown
	name     string
	bar      *progressbar.ProgressBar // of the current phase
	unsent   int64                    // bytes
	sent     bool
	received int // results

	firstRecords int       // in the first "running" line
	firstTime    time.Time // of that line
}

func newProgress(w io.Writer, name string) *progress {
	p := &progress{name: filepath.Base(name)}
	if isTerminal(w) {
		p.terminal = w
	}
	return p
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// sending returns a reader of the file that updates the bar.
func (p *progress) sending(file *io.SectionReader) io.Reader {
	if p.terminal == nil {
		return file
	}
	p.unsent = file.Size()
	p.bar = p.newBar(p.unsent, progressbar.OptionShowBytes(true), progressbar.OptionThrottle(time.Second/10),
		progressbar.OptionSetDescription(p.name+": sending"))
	return &progressReader{file, p}
}

func (p *progress) newBar(size int64, options ...progressbar.Option) *progressbar.ProgressBar {
	return progressbar.NewOptions64(size, append(options, progressbar.OptionSetWriter(p.terminal), progressbar.OptionFullWidth(),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true))...)
}

// A progressReader reports each read to a progress.
type progressReader struct {
	io.Reader

	progress *progress
}

// Read implements io.Reader.
func (r *progressReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	r.progress.read(n)
	return n, err
}

func (p *progress) read(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unsent -= int64(n)
	switch {
	case p.terminal == nil || p.sent:
	case p.unsent == 0:
		p.sent = true
		fmt.Fprintf(p.terminal, "%s%s: sent, waiting for the result", clearLine, p.name)
	default:
		_ = p.bar.Add(n) // a bar that cannot be drawn must not stop the import
	}
}

// registering shows how far the server is.
func (p *progress) registering(l *resultLine) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal == nil {
		return
	}
	rate := ""
	if p.firstTime.IsZero() {
		p.sent, p.firstRecords, p.firstTime = true, l.Objects, time.Now()
		p.bar = p.newBar(shareSteps)
		fmt.Fprint(p.terminal, clearLine)
	} else {
		rate = fmt.Sprintf(", %.0f per second", float64(l.Objects-p.firstRecords)/time.Since(p.firstTime).Seconds())
	}
	_ = p.bar.Set(int(l.Share * shareSteps))
	p.bar.Describe(fmt.Sprintf("%s: registering, %d records%s", p.name, l.Objects, rate))
}

// receiving counts a received result.
func (p *progress) receiving() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.received++
	if p.terminal != nil && p.received%receivedSteps == 0 {
		fmt.Fprintf(p.terminal, "%s%s: %d results received", clearLine, p.name, p.received)
	}
}

// end clears the line and stops showing progress.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal != nil {
		fmt.Fprint(p.terminal, clearLine)
		p.terminal = nil
	}
}
