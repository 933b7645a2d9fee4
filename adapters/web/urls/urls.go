// Package urls has the addresses that several rooms of the web use.
package urls

import (
	"net/url"
	"strconv"
	"strings"
)

// The paths. Those that end with a slash or a dot are followed by an id, a name or a format.
const (
	Static     = "/static/"
	Help       = "/help"
	Audit      = "/audit"
	AuditCSV   = "/audit/export/csv"
	Setup      = "/setup"
	Login      = "/login"
	Logout     = "/logout"
	Register   = "/register"
	Profile    = "/profile"
	Password   = "/account/password"
	Useradd    = "/useradd"
	Imports    = "/useradd/imports/"
	Export     = "/useradd/export/"
	Upload     = "/useradd/upload"
	UploadList = "/useradd/uploads"
	Uploads    = "/useradd/uploads/"
	Directory  = "/users"
	Users      = "/users/"
	UserCount  = "/users/count"
	UserExport = "/users/export/"
	Changes    = "/users/change/"
	Templates  = "/useradd/templates/people."
)

// Import returns the address of an import's page.
func Import(id int64) string { return Imports + strconv.FormatInt(id, 10) }

// User returns the address of a user's page.
func User(id int64) string { return Users + strconv.FormatInt(id, 10) }

// ChangePassword returns the address of the page on which a user changes a password before going to next.
func ChangePassword(next string) string {
	if next == Profile || next == Password {
		return Password
	}
	return Password + "?next=" + url.QueryEscape(next)
}

// SignIn returns the address of the page on which a user signs in before going to next.
func SignIn(next string) string { return Login + "?next=" + url.QueryEscape(next) }

// Offering returns the address of the page that offers a file for download, and reports whether next is the address of a file.
func Offering(next string) (page string, isFile bool) {
	file, err := url.Parse(next)
	if err != nil {
		return "", false
	}
	upload, isOfUpload := strings.CutPrefix(file.Path, Uploads)
	id, name, _ := strings.Cut(upload, "/")
	switch {
	case strings.HasPrefix(file.Path, Export+"rejected."):
		id, err := strconv.ParseInt(file.Query().Get("import"), 10, 64)
		if err != nil || id <= 0 {
			return Profile, true
		}
		return Import(id), true
	case strings.HasPrefix(file.Path, Export):
		return (&url.URL{Path: Profile, RawQuery: file.RawQuery}).String(), true
	case file.Path == AuditCSV:
		return (&url.URL{Path: Audit, RawQuery: file.RawQuery}).String(), true
	case strings.HasPrefix(file.Path, UserExport):
		return (&url.URL{Path: Directory, RawQuery: file.RawQuery}).String(), true
	case strings.HasPrefix(file.Path, Templates):
		return Upload, true
	case isOfUpload && (strings.HasPrefix(name, "credentials.") || strings.HasPrefix(name, "results.")):
		return Uploads + url.PathEscape(id), true
	}
	return "", false
}

// Local returns next if it is the address of a page of this server, and the profile's address otherwise.
func Local(next string) string {
	const fallback = Profile
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return fallback
	}
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsFunc(next, isUnsafe) {
		return fallback
	}
	return next
}

// isUnsafe reports whether browsers drop a character from an address or take it for a slash.
func isUnsafe(r rune) bool { return r <= ' ' || r == '\\' || r > '~' }
