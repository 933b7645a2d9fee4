package browser_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
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

var errNoChromium = errors.New("chromium not found in PATH: run " +
	"eval \"$(.ci/install chromium)\", or on Debian apt-get install chromium")

// chromium is one process for all tests, with a temporary profile. Each visitor has its own browser context.
var (
	chromium      = sync.OnceValues(startChromium)
	closeChromium = func() {}
)

// idleFeatures are features of Chromium that no test uses. Without the pages that windows load for their address bars, and the renderers
// that wait for the next site, opening a window takes half the processor time.
var idleFeatures = []string{
	"Translate", "BlinkGenPropertyTrees", // disabled by chromedp
	"WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "PreloadTopChromeWebUI", "SpareRendererForSitePerProcess",
}

func startChromium() (context.Context, error) {
	path, err := findChromium()
	if err != nil {
		return nil, err
	}
	options := append(
		chromedp.DefaultExecAllocatorOptions[:], // headless, without first run, sync and background networking
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // root and containers have no sandbox, and the tests visit the program only
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-features", strings.Join(idleFeatures, ",")),
		chromedp.Flag("host-resolver-rules", "MAP *.test 127.0.0.1"), // another site may publish such addresses
		chromedp.Env("LANGUAGE=en_US"),                               // for date fields; each visitor sets its Accept-Language
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	closeChromium = func() { cancel(); stop() }
	return ctx, chromedp.Do(ctx)
}

// findChromium prefers the shell, which has no windows and takes half the processor time.
func findChromium() (string, error) {
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		path, err := exec.LookPath(name)
		if err == nil {
			return path, nil
		}
	}
	return "", errNoChromium
}
