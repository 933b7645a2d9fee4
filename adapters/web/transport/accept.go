package transport

import (
	"cmp"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// exact is the closeness of a range that names a media type.
const exact = 3

// A preference is how much a client wants a media type, by the range of its Accept that matches the type most closely (RFC 9110, 12.5.1).
type preference struct {
	quality   float64 // 0 to 1; 0 means not at all
	closeness int     // of the range: exact, 2 for a wildcard of its subtypes, 1 for */*, 0 if none matches
	place     int     // of the range in the header
}

// compare orders preferences: the quality counts first, then the closeness of the range, then its place.
func (p preference) compare(other preference) int {
	return cmp.Or(cmp.Compare(p.quality, other.quality), cmp.Compare(p.closeness, other.closeness), cmp.Compare(other.place, p.place))
}

// Names reports whether the client's Accept names a media type. A wildcard does not name it.
func Names(c *fiber.Ctx, media string) bool {
	p := preferenceFor(c, media)
	return p.closeness == exact && p.quality > 0
}

// Preferred returns the media type that the client's Accept prefers, the first one if the client accepts none of them.
func Preferred(c *fiber.Ctx, media ...string) string {
	return slices.MaxFunc(media, func(a, b string) int { return preferenceFor(c, a).compare(preferenceFor(c, b)) })
}

// preferenceFor returns the client's preference for a media type. It ignores ranges that are not valid.
func preferenceFor(c *fiber.Ctx, media string) (preferred preference) {
	kind, _, _ := strings.Cut(media, "/")
	closeness := map[string]int{media: exact, kind + "/*": 2, "*/*": 1}
	place := 0
	for accepted := range strings.SplitSeq(c.Get(fiber.HeaderAccept), ",") {
		place++
		name, params, err := mime.ParseMediaType(accepted)
		if err != nil || closeness[name] <= preferred.closeness {
			continue
		}
		quality, err := strconv.ParseFloat(cmp.Or(params["q"], "1"), 64)
		if err == nil {
			preferred = preference{quality, closeness[name], place}
		}
	}
	return preferred
}
