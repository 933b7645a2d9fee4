package localpg

import "strconv"

// Folders lists the folders outside PATH where the package looks for programs.
var Folders = &folders

// Role is the role of the program.
const Role = role

// Pin makes the release of every version an archive with the digest, and of none if the digest is empty.
func Pin(digest string) (undo func()) {
	before := releases
	releases = map[int]release{}
	for version := oldestVersion; version <= 20; version++ {
		releases[version] = release{strconv.Itoa(version) + ".0.0", map[string]string{platform(): digest}}
	}
	return func() { releases = before }
}
