package client

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

const (
	clearLine = "\r\x1b[K"

	drawInterval = 200 * time.Millisecond // between two draws of the line
	rateMinimum  = time.Second            // the shortest time that a rate is measured over
	rateWindow   = 5 * time.Second        // the longest one
	stallTime    = 5 * time.Second        // without a change, after which the line says so
	maxLeft      = 100 * time.Hour        // the longest time left that is shown

	maxBar       = 15 // columns
	minBar       = 5  // columns; a narrower bar is left out
	defaultWidth = 80 // columns of a terminal that does not know its width
)

// A progress shows on a terminal how far one attempt is. It shows nothing elsewhere.
type progress struct {
	terminal *os.File // nil if nothing is shown
	name     string
	size     int64 // of the file, in bytes
	now      func() time.Time
	ended    chan struct{}

	mu     sync.Mutex // the request body, the response and the ticker are concurrent
	phase  phase
	latest sample
	older  []sample // of the phase, the oldest first, within rateWindow
}

// A phase is a part of an attempt.
type phase int

const (
	phaseSending phase = iota
	phaseWaiting
	phaseRegistering
	phaseReceiving
	phaseEnded
)

// A sample is how far a phase was at a time.
type sample struct {
	at    time.Time
	share float64 // of the phase, 0 to 1
	count int64   // of bytes, records or results
}

// newProgress shows the progress of a file until end is called, if w is a terminal that can redraw a line and its user wants that.
func newProgress(w io.Writer, name string, size int64, now func() time.Time) *progress {
	p := &progress{name: printable(filepath.Base(name)), size: size, now: now, ended: make(chan struct{}), latest: sample{at: now()}}
	if isTerminal(w) && os.Getenv("TERM") != "dumb" && os.Getenv("NO_COLOR") == "" {
		p.terminal, _ = w.(*os.File)
		p.draw()
		go p.redraw()
	}
	return p
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// redraw draws the line at intervals until the progress ends, so that a stall is shown, too.
func (p *progress) redraw() {
	ticker := time.NewTicker(drawInterval)
	defer ticker.Stop()
	for {
		select {
		case <-p.ended:
			return
		case <-ticker.C:
			p.mu.Lock()
			p.draw()
			p.mu.Unlock()
		}
	}
}

// A progressReader is a file that reports each read to a progress.
type progressReader struct {
	io.Reader

	progress *progress
}

// Read implements io.Reader.
func (r *progressReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	r.progress.sending(int64(n))
	return n, err
}

// sending counts sent bytes.
func (p *progress) sending(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase != phaseSending {
		return
	}
	sent := p.latest.count + n
	if sent == p.size {
		p.move(phaseWaiting, 0, 0)
		return
	}
	p.move(phaseSending, float64(sent)/float64(p.size), sent)
}

// registering records how far the server is.
func (p *progress) registering(l *resultLine) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.move(phaseRegistering, l.Share, int64(l.Objects))
}

// receiving counts a received result.
func (p *progress) receiving() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase != phaseReceiving {
		p.move(phaseReceiving, 0, 1)
		return
	}
	p.move(phaseReceiving, 0, p.latest.count+1)
}

// move records how far a phase is. It draws a new phase immediately.
func (p *progress) move(to phase, share float64, count int64) {
	if p.terminal == nil || p.phase == phaseEnded {
		return
	}
	now := sample{p.now(), share, count}
	if to != p.phase {
		p.phase, p.latest, p.older = to, now, nil
		p.draw()
		return
	}
	if share == p.latest.share && count == p.latest.count {
		return // the server reports a stalled import, too
	}
	if n := len(p.older); n == 0 || p.latest.at.Sub(p.older[n-1].at) >= drawInterval {
		p.older = append(p.older, p.latest)
	}
	p.latest = now
	for len(p.older) > 1 && now.at.Sub(p.older[1].at) >= rateWindow {
		p.older = p.older[1:]
	}
}

// draw draws the line, shortened to the width of the terminal.
func (p *progress) draw() {
	if p.phase == phaseEnded {
		return
	}
	width, _, err := term.GetSize(int(p.terminal.Fd()))
	if err != nil || width == 0 {
		width = defaultWidth
	}
	width-- // some terminals wrap a line that fills the last column
	left, right := p.describe()
	left = runewidth.Truncate(p.name, max(width/3, minBar), "...") + ": " + left
	bar := ""
	columns := min(width-runewidth.StringWidth(left+right)-len(" []"), maxBar)
	if columns >= minBar && (p.phase == phaseSending || p.phase == phaseRegistering) {
		full := min(int(p.latest.share*float64(columns)), columns)
		bar = " [" + strings.Repeat("#", full) + strings.Repeat(" ", columns-full) + "]"
	}
	_, _ = io.WriteString(p.terminal, clearLine+runewidth.Truncate(left+bar+right, width, "")) // a failure must not stop the import
}

// describe returns the texts before and after the bar.
func (p *progress) describe() (left, right string) {
	percent, count, rate := int(100*p.latest.share), p.latest.count, ""
	perSecond, timeLeft := p.rate()
	switch p.phase {
	case phaseSending:
		left, right = fmt.Sprintf("sending %3d%%", percent), fmt.Sprintf(" %s of %s", byteSize(float64(count)), byteSize(float64(p.size)))
		rate = ", " + byteSize(perSecond) + "/s"
	case phaseWaiting:
		left = "sent, waiting for the result"
	case phaseRegistering:
		left, right = fmt.Sprintf("registering %3d%%", percent), fmt.Sprintf(" %d records", count)
		rate = fmt.Sprintf(", %.0f/s", perSecond)
	case phaseReceiving:
		left = fmt.Sprintf("%d results received", count)
	case phaseEnded:
	}
	stall := p.now().Sub(p.latest.at)
	switch {
	case stall >= stallTime && p.phase == phaseWaiting:
		right += " for " + seconds(stall)
	case stall >= stallTime:
		right += ", stalled for " + seconds(stall)
	case timeLeft > 0:
		right += rate + ", " + seconds(timeLeft) + " left"
	}
	return left, right
}

// rate returns the rate of the phase per second, and the time until its end. Both are 0 until enough of it was measured.
func (p *progress) rate() (perSecond float64, left time.Duration) {
	if len(p.older) == 0 {
		return 0, 0
	}
	first := p.older[0]
	measured, share := p.latest.at.Sub(first.at), p.latest.share-first.share
	if measured < rateMinimum || share <= 0 {
		return 0, 0
	}
	left = time.Duration(min(float64(measured)*(1-p.latest.share)/share, float64(maxLeft)))
	return float64(p.latest.count-first.count) / measured.Seconds(), max(left, 1)
}

// end clears the line and stops showing progress.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase = phaseEnded
	if p.terminal != nil {
		close(p.ended)
		_, _ = io.WriteString(p.terminal, clearLine)
	}
}

// seconds returns a duration as text, rounded up to seconds.
func seconds(d time.Duration) string {
	return (d + time.Second - 1).Truncate(time.Second).String()
}

// byteSize returns a number of bytes as text.
func byteSize(n float64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	at := 0
	for n >= 999.5 && at < len(units)-1 {
		n /= 1000
		at++
	}
	return fmt.Sprintf("%.3g %s", n, units[at])
}
