package browser_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Users' own colours replace the backgrounds of pages, so what only a background shows needs a colour of theirs.
func TestForcedColours(t *testing.T) {
	p := start(t)
	p.importSome(t)
	v := p.visit(t)
	p.registerOperator(v, anna())
	v.open("/profile?open=2")
	for _, as := range []look{{forced: true}, {dark: true, forced: true}, {dark: true, phone: true, forced: true}} {
		v.look(as)
		v.isAccessible("report " + as.String())
		require.Empty(t, eval[[]string](v, `() => {
			const style = (selector, pseudo) => getComputedStyle(document.querySelector(selector), pseudo);
			const canvas = style("body").backgroundColor;
			const colours = {
				registered: style(".key .registered", "::before").backgroundColor, button: style(".button").backgroundColor,
				mark: style(".mark-tile").fill, current: style(".languages [aria-current]").textDecorationLine,
				open: style(".imports .open").outlineStyle,
			};
			const wrong = Object.entries(colours).filter(([, value]) => value === canvas || value === "none").map(String);
			if (!style(".key .rejected", "::before").backgroundImage.includes("gradient")) wrong.push("rejected");
			return wrong;
		}`), as)
	}
	v.open("/useradd/upload")
	eval[bool](v, `() => {
		document.querySelector(".queue").append(document.querySelector("template").content.cloneNode(true));
		const bar = document.querySelector("progress");
		bar.hidden = false;
		bar.value = 0.5;
		return true;
	}`)
	bar := v.picture("progress")
	size := bar.Bounds().Size()
	require.NotEqual(t, bar.At(size.X/4, size.Y/2), bar.At(3*size.X/4, size.Y/2), "the bar shows how much is done")
	button := v.picture(".button")
	size = button.Bounds().Size()
	colours := map[color.Color]int{}
	for x := size.X / 3; x < 2*size.X/3; x++ {
		for y := 2 * size.Y / 5; y < 3*size.Y/5; y++ {
			colours[button.At(x, y)]++
		}
	}
	require.Greater(t, len(colours), 1, "the words on the button are visible")
}

// picture returns an element as it is drawn.
func (v *visitor) picture(selector string) image.Image {
	v.t.Helper()
	shot, err := run(v, chromedp.Screenshot(chromedp.CSS(selector)))
	require.NoError(v.t, err)
	picture, err := png.Decode(bytes.NewReader(shot))
	require.NoError(v.t, err)
	return picture
}
