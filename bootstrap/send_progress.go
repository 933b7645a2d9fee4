package bootstrap

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

	wholeShare    = 1000 // steps of the bar of an import
	receivedShown = 10_000
)

// progress shows on a terminal how far one attempt is. Anywhere else it shows nothing.
type progress struct {
	mu       sync.Mutex // the file is read while the answer may be
	terminal io.Writer  // nil when there is nothing to show, or no more
	name     string
	bar      *progressbar.ProgressBar // of the phase it is in
	unsent   int64
	sent     bool
	received int // objects

	first   int // objects in the first running line
	firstAt time.Time
}

func newProgress(w io.Writer, name string) *progress {
	p := &progress{name: filepath.Base(name)}
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.terminal = file
	}
	return p
}

// sending returns the file as it is to be read.
func (p *progress) sending(file *io.SectionReader) io.Reader {
	if p.terminal == nil {
		return file
	}
	p.unsent = file.Size()
	p.bar = p.newBar(p.unsent, progressbar.OptionShowBytes(true), progressbar.OptionThrottle(time.Second/10),
		progressbar.OptionSetDescription(p.name+": sending"))
	return &watchedReader{file, p}
}

func (p *progress) newBar(size int64, options ...progressbar.Option) *progressbar.ProgressBar {
	return progressbar.NewOptions64(size, append(options, progressbar.OptionSetWriter(p.terminal), progressbar.OptionFullWidth(),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true))...)
}

// watchedReader is a file that is being sent.
type watchedReader struct {
	io.Reader

	progress *progress
}

func (r *watchedReader) Read(b []byte) (int, error) {
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
		fmt.Fprintf(p.terminal, "%s%s: sent, waiting for the answer", clearLine, p.name)
	default:
		_ = p.bar.Add(n) // what it cannot show is no matter
	}
}

// registering shows how far the server is.
func (p *progress) registering(l *answerLine) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal == nil {
		return
	}
	rate := ""
	if p.firstAt.IsZero() {
		p.sent, p.first, p.firstAt = true, l.Objects, time.Now()
		p.bar = p.newBar(wholeShare)
		fmt.Fprint(p.terminal, clearLine)
	} else {
		rate = fmt.Sprintf(", %.0f a second", float64(l.Objects-p.first)/time.Since(p.firstAt).Seconds())
	}
	_ = p.bar.Set(int(l.Share * wholeShare))
	p.bar.Describe(fmt.Sprintf("%s: registering, %d objects%s", p.name, l.Objects, rate))
}

// receiving shows that another object came.
func (p *progress) receiving() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.received++
	if p.terminal != nil && p.received%receivedShown == 0 {
		fmt.Fprintf(p.terminal, "%s%s: %d objects of the answer received", clearLine, p.name, p.received)
	}
}

// end takes away what is shown.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal != nil {
		fmt.Fprint(p.terminal, clearLine)
		p.terminal = nil
	}
}
