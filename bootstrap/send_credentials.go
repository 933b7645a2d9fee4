package bootstrap

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rollcall/ports"
)

// outs returns for each file where its logins and passwords go to: nil where they are printed. It returns an error where they
// could not all be written, before anybody is registered.
func (cmd *sendCommand) outs() ([]*credentialsFile, error) {
	outs := make([]*credentialsFile, len(cmd.Files))
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
		path := cmd.Out
		if folder {
			path = filepath.Join(cmd.Out, credentialsName(name))
		}
		if other, double := of[path]; double {
			return nil, fmt.Errorf("%s and %s would both go to %s", other, name, path)
		}
		of[path] = name
		if ending(path) == ".xlsx" {
			return nil, errors.New("workbooks are not written; a .csv file opens as one")
		}
		if _, err := os.Lstat(path); err == nil && !folder && !cmd.Force {
			return nil, fmt.Errorf("%s is there already; --force overwrites it", path)
		}
		outs[i] = &credentialsFile{credentialsFormat: credentialsFormatOf(path), path: path, folder: folder, force: cmd.Force}
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

// credentialsFile is a file of logins and passwords. Only its owner may read it, and it has its name only when it is whole. Of
// a nil one every method does nothing.
type credentialsFile struct {
	credentialsFormat

	path   string
	folder bool // its name was not given: another one will do
	force  bool // it may overwrite
	file   *os.File
	w      *bufio.Writer
	row    []byte
	some   bool
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
	return credentialsFormat{"\ufeff\"login\",\"password\"\r\n", "\r\n", "\r\n", appendCredentialCSV} // the mark is for Excel
}

// create makes the file, beside its path for now. What is left there of a command that was killed is taken away.
func (c *credentialsFile) create() error {
	if c == nil {
		return nil
	}
	part := filepath.Join(filepath.Dir(c.path), "."+filepath.Base(c.path)+".part")
	err := os.Remove(part)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		c.file, err = os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	}
	if err != nil {
		return fmt.Errorf("make file for logins and passwords: %w", err)
	}
	c.w = bufio.NewWriter(c.file)
	return nil
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
		err = c.choosePath()
	}
	if err != nil {
		return err
	}
	if !c.owned() {
		return fmt.Errorf("another command writes to %s", c.path)
	}
	return os.Rename(c.file.Name(), c.path)
}

// owned tells whether the file has its first name still: another command to the same path may have taken it away, as what was
// left of one that was killed, and have a file of that name.
func (c *credentialsFile) owned() bool {
	mine, err := c.file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(c.file.Name())
	return err == nil && os.SameFile(mine, there)
}

// choosePath finds a path at which nothing is, or the same: the command may have been run before.
func (c *credentialsFile) choosePath() error {
	first := c.path
	for n := 2; ; n++ {
		same, err := sameContent(c.path, c.file)
		switch {
		case errors.Is(err, fs.ErrNotExist) || same:
			return nil
		case err != nil:
			return err
		case !c.folder:
			return fmt.Errorf("%s is there already; --force overwrites it", c.path)
		}
		extension := filepath.Ext(first)
		c.path = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(first, extension), n, extension)
	}
}

// sameContent compares a file with one that is open.
func sameContent(path string, open *os.File) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	is, err := file.Stat()
	if err != nil {
		return false, err
	}
	other, err := open.Stat()
	if err != nil || !is.Mode().IsRegular() || is.Size() != other.Size() {
		return false, err
	}
	var buf, otherBuf [32 << 10]byte
	for at := int64(0); at < is.Size(); at += int64(len(buf)) {
		n, err := file.ReadAt(buf[:], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		m, err := open.ReadAt(otherBuf[:], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		if !bytes.Equal(buf[:n], otherBuf[:m]) {
			return false, nil
		}
	}
	return true, nil
}

// discard closes the file, and takes away one that was not published.
func (c *credentialsFile) discard() {
	if c == nil || c.file == nil {
		return
	}
	if c.owned() {
		_ = os.Remove(c.file.Name())
	}
	_ = c.file.Close()
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

// appendCredentialCSV appends a row of RFC 4180. It has commas in every language: programs read these files too.
func appendCredentialCSV(dst []byte, login, password string) []byte {
	dst = append(ports.AppendCSVField(dst, login), ',')
	return ports.AppendCSVField(dst, password)
}
