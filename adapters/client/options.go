package client

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// Options say what to send, where to and how. Errors name each field by its flag of `rollcall send`.
type Options struct {
	Server   string        // URL of the server
	Token    string        // bearer token; empty sends none
	CAFile   string        // file with certificates of authorities to trust besides those of the system; empty adds none
	Insecure bool          // allows a token over plain HTTP to another machine
	RetryFor time.Duration // limit on retries of one file; 0 tries once
	DryRun   bool          // validates the files without registering anyone
	Strict   bool          // registers every record of a file or none
	Type     string        // type of the files: an extension or a media type; empty derives it from each name
	Charset  string        // encoding of the files; empty lets the server detect it
	Dates    string        // order of dates, dmy or mdy; empty lets the server detect it
	Sheet    []string      // sheets of the workbooks to read; none lets the server choose
	Key      string        // Idempotency-Key of the only file; empty derives one from the file
	Out      string        // file or folder for logins and passwords; empty prints them
	Force    bool          // overwrites an existing Out file
	Files    []string      // names of files; "-" is standard input
}

// maxKey is the longest Idempotency-Key that a server accepts, in bytes.
const maxKey = 255

// Validate returns an error that names the first invalid option. It does not look at files.
func (o *Options) Validate() error {
	server, err := url.Parse(o.Server)
	if err != nil || server.Host == "" || server.Scheme != "http" && server.Scheme != "https" {
		return fmt.Errorf("invalid --server %q: expected a URL such as http://127.0.0.1:5000", o.Server)
	}
	if o.Type != "" {
		_, err := formatOf(o.Type, "")
		if err != nil {
			return err
		}
	}
	isInvisible := func(r rune) bool { return r < '!' || r > '~' }
	switch {
	case strings.ContainsFunc(o.Token, isInvisible):
		return errors.New("--token must be visible ASCII characters")
	case o.Token != "" && server.Scheme == "http" && !isThisMachine(server.Hostname()) && !o.Insecure:
		return fmt.Errorf("--token would go to %s over plain HTTP, where others on the network can read it; use https, or --insecure", server.Hostname())
	case strings.ContainsFunc(o.Charset, isInvisible):
		return fmt.Errorf("invalid --charset %q: expected a name such as windows-1251", o.Charset)
	case o.Dates != "" && !domain.DateOrder(o.Dates).IsSaid():
		return fmt.Errorf("invalid --dates %q: expected dmy or mdy", o.Dates)
	case len(o.Sheet) > ports.MaxSheets:
		return fmt.Errorf("--sheet must be given at most %d times", ports.MaxSheets)
	case len(o.Key) > maxKey || strings.ContainsFunc(o.Key, isInvisible):
		return fmt.Errorf("--key must be 1 to %d visible ASCII characters", maxKey)
	case o.Key != "" && len(o.Files) > 1:
		return errors.New("--key requires a single file")
	case o.Out != "" && o.DryRun:
		return errors.New("--out and --dry-run must not be set together: a dry run returns no passwords")
	case o.RetryFor < 0:
		return errors.New("--retry-for must not be negative")
	}
	return nil
}

// isThisMachine reports whether a host is this machine, by its name (RFC 6761) or address.
func isThisMachine(host string) bool {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	address, err := netip.ParseAddr(name)
	if err == nil {
		return address.Unmap().IsLoopback()
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}
