package browser_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"rollcall/test/pgtest"
)

func TestMain(m *testing.M) {
	status := pgtest.Run(m)
	closeChromium()
	os.Exit(status)
}

var errNoChromium = errors.New("chromium is not in PATH, and these tests need it: " +
	"eval \"$(.ci/install chromium)\", or on Debian apt-get install chromium")

// chromium is one process for all tests, with a profile that is thrown away. Each visitor has a context in it.
var (
	chromium      = sync.OnceValues(startChromium)
	closeChromium = func() {}
)

func startChromium() (context.Context, error) {
	path, err := findChromium()
	if err != nil {
		return nil, err
	}
	options := append(
		chromedp.DefaultExecAllocatorOptions[:], // headless, no first run, no sync, nothing in the background
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // root has none, nor has a container; and all that is visited is the program under test
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP *.test 127.0.0.1"), // as the DNS of another site may say
		chromedp.Env("LANGUAGE=en_US"),                               // of date fields; what pages are asked for is up to the visitor
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	closeChromium = func() { cancel(); stop() }
	return ctx, chromedp.Do(ctx)
}

func findChromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		path, err := exec.LookPath(name)
		if err == nil {
			return path, nil
		}
	}
	return "", errNoChromium
}
