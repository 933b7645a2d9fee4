package localpg

import "strconv"

// Folders is where programs are looked for outside PATH.
var Folders = &folders

// Role is the role of the program.
const Role = role

// Pin has the release of every version be an archive with a digest.
func Pin(digest string) (undo func()) {
	before := releases
	releases = map[int]release{}
	for version := oldestVersion; version <= 20; version++ {
		releases[version] = release{strconv.Itoa(version) + ".0.0", map[string]string{platform(): digest}}
	}
	return func() { releases = before }
}
