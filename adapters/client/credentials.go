package client

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

	"rollcall/adapters/internal/csvfield"
)

// credentialsFiles returns the file for the logins and passwords of each input file, nil if they are printed. It returns an error
// before anyone is registered if the files cannot all be written.
func (c *Client) credentialsFiles() ([]*credentialsFile, error) {
	outs := make([]*credentialsFile, len(c.Files))
	if c.Out == "" {
		return outs, nil
	}
	info, err := os.Stat(c.Out)
	inFolder := err == nil && info.IsDir()
	if !inFolder && len(c.Files) > 1 {
		return nil, fmt.Errorf("--out must be a directory when sending several files (%s is not one)", c.Out)
	}
	inputs := map[string]string{} // by the path of their credentials
	for i, name := range c.Files {
		path := c.Out
		if inFolder {
			path = filepath.Join(c.Out, credentialsName(name))
		}
		if other, taken := inputs[path]; taken {
			return nil, fmt.Errorf("the passwords of %s and %s would both go to %s; send one of the files separately", other, name, path)
		}
		inputs[path] = name
		if extension(path) == ".xlsx" {
			return nil, fmt.Errorf("invalid --out %s: workbooks are not supported; use a .csv file, which Excel opens", path)
		}
		if _, err := os.Lstat(path); err == nil && !inFolder && !c.Force {
			return nil, existsError(path)
		}
		outs[i] = &credentialsFile{credentialsFormat: credentialsFormatOf(path), path: path, inFolder: inFolder, force: c.Force}
	}
	return outs, nil
}

func existsError(path string) error {
	return fmt.Errorf("%s already exists; use --force to overwrite it", path)
}

// credentialsName returns the name of the credentials file in a folder for an input file.
func credentialsName(input string) string {
	if input == stdinName {
		return "stdin.csv"
	}
	name := filepath.Base(input)
	if _, compressed := encodings[extension(name)]; compressed {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	return strings.TrimSuffix(name, filepath.Ext(name)) + ".csv"
}

// A credentialsFile is a file of logins and passwords. Only its owner can read it, and it gets its name when it is complete. The
// methods of a nil one do nothing.
type credentialsFile struct {
	credentialsFormat

	path     string
	inFolder bool // the user did not choose the name, so another one is acceptable
	force    bool // the file may be overwritten
	file     *os.File
	w        *bufio.Writer
	row      []byte // reused
	hasRows  bool
}

// A credential is one row of a credentials file.
type credential struct {
	Login      string `json:"login"`
	Password   string `json:"password"`
	LastName   string `json:"last_name,omitempty"`
	FirstName  string `json:"first_name,omitempty"`
	Patronymic string `json:"patronymic,omitempty"`
	Group      string `json:"group,omitempty"`
}

// A credentialsFormat says how to write a credentials file.
type credentialsFormat struct {
	head, separator, tail string
	appendRow             func(dst []byte, c *credential) []byte
}

func credentialsFormatOf(path string) credentialsFormat {
	switch extension(path) {
	case ".json":
		return credentialsFormat{"[", ",\n", "]\n", appendCredentialJSON}
	case ".ndjson", ".jsonl":
		return credentialsFormat{"", "\n", "\n", appendCredentialJSON}
	}
	const head = `"login","password","last_name","first_name","patronymic","group"`
	return credentialsFormat{"\ufeff" + head + "\r\n", "\r\n", "\r\n", appendCredentialCSV} // Excel needs the byte order mark
}

// create creates the file under a temporary name beside its path. It removes the file that a killed command left there.
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
		return fmt.Errorf("create file for logins and passwords: %w", err)
	}
	c.w = bufio.NewWriter(c.file)
	return nil
}

// restart empties the file before another response is read.
func (c *credentialsFile) restart() error {
	if c == nil {
		return nil
	}
	_, err := c.file.Seek(0, io.SeekStart)
	if err == nil {
		err = c.file.Truncate(0)
	}
	if err != nil {
		return fmt.Errorf("empty file for logins and passwords: %w", err)
	}
	c.w.Reset(c.file)
	c.hasRows = false
	_, err = c.w.WriteString(c.head)
	return err
}

func (c *credentialsFile) add(it *credential) error {
	c.row = c.row[:0]
	if c.hasRows {
		c.row = append(c.row, c.separator...)
	}
	c.hasRows = true
	c.row = c.appendRow(c.row, it)
	_, err := c.w.Write(c.row)
	if err != nil {
		return fmt.Errorf("write logins and passwords: %w", err)
	}
	return nil
}

// publish completes the file and gives it its name.
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
	if !c.isOurs() {
		return fmt.Errorf("another command writes to %s", c.path)
	}
	return os.Rename(c.file.Name(), c.path)
}

// isOurs reports whether the temporary name still belongs to this file. Another command with the same path may have removed the
// file as a leftover, and created its own.
func (c *credentialsFile) isOurs() bool {
	ours, err := c.file.Stat()
	if err != nil {
		return false
	}
	current, err := os.Lstat(c.file.Name())
	return err == nil && os.SameFile(ours, current)
}

// choosePath finds a path that is free, or that holds the same content because the command ran before.
func (c *credentialsFile) choosePath() error {
	first := c.path
	for n := 2; ; n++ {
		same, err := hasSameContent(c.path, c.file)
		switch {
		case errors.Is(err, fs.ErrNotExist) || same:
			return nil
		case err != nil:
			return err
		case !c.inFolder:
			return existsError(c.path)
		}
		ext := filepath.Ext(first)
		c.path = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(first, ext), n, ext)
	}
}

// hasSameContent reports whether a file has the content of an open one.
func hasSameContent(path string, open *os.File) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return false, err
	}
	openInfo, err := open.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() != openInfo.Size() {
		return false, err
	}
	var buf, openBuf [32 << 10]byte
	for at := int64(0); at < info.Size(); at += int64(len(buf)) {
		n, err := file.ReadAt(buf[:], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		m, err := open.ReadAt(openBuf[:], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		if !bytes.Equal(buf[:n], openBuf[:m]) {
			return false, nil
		}
	}
	return true, nil
}

// discard closes the file, and removes it if it was not published.
func (c *credentialsFile) discard() {
	if c == nil || c.file == nil {
		return
	}
	if c.isOurs() {
		_ = os.Remove(c.file.Name())
	}
	_ = c.file.Close()
}

func appendCredentialJSON(dst []byte, c *credential) []byte {
	encoded, err := json.Marshal(c) //nolint:gosec // the file is for passwords
	if err != nil {
		panic(err) // strings always encode
	}
	return append(dst, encoded...)
}

// appendCredentialCSV appends a row of RFC 4180. The separator is a comma in every locale, because programs read these files, too.
func appendCredentialCSV(dst []byte, c *credential) []byte {
	for i, value := range []string{c.Login, c.Password, c.LastName, c.FirstName, c.Patronymic, c.Group} {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = csvfield.Append(dst, value)
	}
	return dst
}
