package bootstrap

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// outs returns for each file the path that its logins and passwords go to: empty where they are printed. It returns an
// error where they could not all be written, before anybody is registered.
func (cmd *sendCommand) outs() ([]string, error) {
	outs := make([]string, len(cmd.Files))
	if cmd.Out == "" {
		return outs, nil
	}
	info, err := os.Stat(cmd.Out)
	folder := err == nil && info.IsDir()
	if !folder && len(cmd.Files) > 1 {
		return nil, fmt.Errorf("%s is not a folder, and %d files have as many parts", cmd.Out, len(cmd.Files))
	}
	of := map[string]string{}
	for i, name := range cmd.Files {
		outs[i] = cmd.Out
		if folder {
			outs[i] = filepath.Join(cmd.Out, credentialsName(name))
		}
		if other, double := of[outs[i]]; double {
			return nil, fmt.Errorf("%s and %s would both go to %s", other, name, outs[i])
		}
		of[outs[i]] = name
		if ending(outs[i]) == ".xlsx" {
			return nil, errors.New("workbooks are not written; a .csv file opens as one")
		}
		if cmd.Force {
			continue
		}
		err := refuseExisting(outs[i])
		if err != nil {
			return nil, err
		}
	}
	return outs, nil
}

// credentialsName is what the file in a folder is called that belongs to a file sent.
func credentialsName(sent string) string {
	if sent == stdinName {
		return "stdin.csv"
	}
	name := filepath.Base(sent)
	if _, packed := encodings[ending(name)]; packed {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	return strings.TrimSuffix(name, filepath.Ext(name)) + ".csv"
}

func refuseExisting(path string) error {
	_, err := os.Lstat(path)
	if err == nil {
		return fmt.Errorf("%s is there already; --force overwrites it", path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// credentialsFile is a file of logins and passwords. Only its owner may read it, and it has its name only when it is whole.
type credentialsFile struct {
	credentialsFormat

	path  string
	force bool
	file  *os.File
	w     *bufio.Writer
	row   []byte
	some  bool
}

// credentialsFormat is how a file of credentials is written.
type credentialsFormat struct {
	head, separator, tail string
	appendRow             func(dst []byte, login, password string) []byte
}

func credentialsFormatOf(path string) credentialsFormat {
	switch ending(path) {
	case ".json":
		return credentialsFormat{"[", ",\n", "]\n", appendCredentialJSON}
	case ".ndjson", ".jsonl":
		return credentialsFormat{"", "\n", "\n", appendCredentialJSON}
	}
	return credentialsFormat{"\ufefflogin,password\r\n", "\r\n", "\r\n", appendCredentialCSV} // the mark is for Excel
}

// createCredentials makes the file of that path, beside it for now. Without a path it returns nil, of which every method
// does nothing.
func createCredentials(path string, force bool) (*credentialsFile, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // see above
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, fmt.Errorf("make file for logins and passwords: %w", err)
	}
	return &credentialsFile{
		credentialsFormat: credentialsFormatOf(path), path: path, force: force, file: file, w: bufio.NewWriter(file),
	}, nil
}

// restart forgets what was added.
func (c *credentialsFile) restart() error {
	if c == nil {
		return nil
	}
	_, err := c.file.Seek(0, io.SeekStart)
	if err == nil {
		err = c.file.Truncate(0)
	}
	if err != nil {
		return fmt.Errorf("empty file: %w", err)
	}
	c.w.Reset(c.file)
	c.some = false
	_, err = c.w.WriteString(c.head)
	return err
}

func (c *credentialsFile) add(login, password string) error {
	c.row = c.row[:0]
	if c.some {
		c.row = append(c.row, c.separator...)
	}
	c.some = true
	c.row = c.appendRow(c.row, login, password)
	_, err := c.w.Write(c.row)
	if err != nil {
		return fmt.Errorf("write logins and passwords: %w", err)
	}
	return nil
}

// publish gives the file its name.
func (c *credentialsFile) publish() error {
	if c == nil {
		return nil
	}
	_, err := c.w.WriteString(c.tail)
	if err == nil {
		err = c.w.Flush()
	}
	if err == nil {
		err = c.file.Sync()
	}
	if err == nil && !c.force {
		err = refuseExisting(c.path)
	}
	if err != nil {
		return err
	}
	return os.Rename(c.file.Name(), c.path)
}

// discard closes the file, and takes away one that was not published.
func (c *credentialsFile) discard() {
	if c != nil {
		_ = c.file.Close()
		_ = os.Remove(c.file.Name()) // a name that it no longer has, if all went well
	}
}

func appendCredentialJSON(dst []byte, login, password string) []byte {
	return fmt.Appendf(dst, `{"login":%s,"password":%s}`, quoteJSON(login), quoteJSON(password))
}

func quoteJSON(s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil {
		panic(err) // texts can be encoded
	}
	return quoted
}

// appendCredentialCSV appends a row of RFC 4180. A login that a spreadsheet would take for a formula gets an apostrophe in
// front, as in the server's own CSV files.
func appendCredentialCSV(dst []byte, login, password string) []byte {
	if bare := strings.TrimLeft(login, "'"); strings.IndexFunc(bare, func(r rune) bool { return strings.ContainsRune("=+-@＝＋－＠", r) }) == 0 {
		login = "'" + login
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(login, `"`, `""`)...)
	return append(append(dst, `",`...), password...)
}
