// Package exports keeps the most recent exported files in a folder.
package exports

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"rollcall/adapters/internal/disk"
	"rollcall/ports"
)

const (
	// unfinished is what the names of files begin with that are being made.
	unfinished = ".unfinished-"

	bufferSize = 256 << 10
)

// Folder is a folder of exported files. Several instances of the program may have the same.
type Folder struct {
	dir     string
	maxSize int64
}

// New makes a Folder that keeps files of maxSize bytes in all, and makes dir when it is needed first.
func New(dir string, maxSize int64) *Folder { return &Folder{dir: dir, maxSize: maxSize} }

// Make implements ports.ExportStore. The file has its name when it is whole. What is kept of others is decided then: a file that
// is larger than all that may be kept is returned, and gone when it is closed.
func (f *Folder) Make(name ports.ExportName, write func(io.Writer) error) (_ *ports.ExportFile, err error) {
	err = os.MkdirAll(f.dir, 0o700)
	if err != nil {
		return nil, fmt.Errorf("make folder of exports: %w", disk.Error(err))
	}
	file, err := f.create()
	if err != nil {
		return nil, fmt.Errorf("make export: %w", disk.Error(err))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close(), ignoreMissing(os.Remove(file.Name())))
		}
	}()
	buffer := bufio.NewWriterSize(file, bufferSize)
	err = write(buffer)
	if err != nil {
		return nil, disk.Error(err)
	}
	err = buffer.Flush()
	if err != nil {
		return nil, fmt.Errorf("write export: %w", disk.Error(err))
	}
	size, err := file.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, fmt.Errorf("measure export: %w", err)
	}
	folder, err := f.lock() // or two files of a kind, finished at once, would each remove the other
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	finished := fmt.Sprintf("%s-%s.%s", name.Kind, name.Detail, name.Extension)
	err = os.Rename(file.Name(), filepath.Join(f.dir, finished))
	if err != nil {
		return nil, fmt.Errorf("name export: %w", err)
	}
	err = f.tidy(name, finished)
	if err != nil {
		return nil, fmt.Errorf("tidy exports: %w", err)
	}
	return &ports.ExportFile{ReadCloser: file, Name: finished, Size: size}, nil
}

// create makes a file that is locked as long as somebody has it open.
func (f *Folder) create() (_ *os.File, err error) {
	folder, err := f.lock() // or somebody would find the file, and find it not locked yet
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	file, err := os.CreateTemp(f.dir, unfinished)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
	if err != nil {
		return nil, errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	return file, nil
}

// lock has the folder for one at a time, of whatever process, until what it returns is closed.
func (f *Folder) lock() (*os.File, error) {
	folder, err := os.Open(f.dir)
	if err != nil {
		return nil, fmt.Errorf("open folder of exports: %w", err)
	}
	err = syscall.Flock(int(folder.Fd()), syscall.LOCK_EX)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock folder of exports: %w", err), folder.Close())
	}
	return folder, nil
}

// isAbandoned tells of a file that nobody is making any more.
func (f *Folder) isAbandoned(name string) bool {
	file, err := os.Open(filepath.Join(f.dir, name))
	if err != nil {
		return false
	}
	defer file.Close()
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// Sweep removes what a process was making that was killed.
func (f *Folder) Sweep() (err error) {
	folder, err := f.lock()
	if err != nil {
		return ignoreMissing(err)
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return fmt.Errorf("read folder of exports: %w", err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), unfinished) && f.isAbandoned(entry.Name()) {
			err = errors.Join(err, ignoreMissing(os.Remove(filepath.Join(f.dir, entry.Name()))))
		}
	}
	return err
}

// tidy removes older files of the newest one's kind, then the oldest of any kind until those that are left are small enough.
func (f *Folder) tidy(name ports.ExportName, newest string) error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	var kept []fs.FileInfo
	var total int64
	var remove []string
	for _, entry := range entries {
		info, err := entry.Info()
		switch {
		case errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular():
		case err != nil:
			return err
		case strings.HasPrefix(info.Name(), unfinished):
		case info.Name() != newest && isOf(name, info.Name()):
			remove = append(remove, info.Name())
		default:
			kept = append(kept, info)
			total += info.Size()
		}
	}
	slices.SortFunc(kept, func(a, b fs.FileInfo) int {
		if (a.Name() == newest) != (b.Name() == newest) { // the newest goes last, whatever the clock says
			if a.Name() == newest {
				return 1
			}
			return -1
		}
		return a.ModTime().Compare(b.ModTime())
	})
	for _, info := range kept {
		if total <= f.maxSize {
			break
		}
		total -= info.Size()
		remove = append(remove, info.Name())
	}
	for _, file := range remove {
		err = errors.Join(err, ignoreMissing(os.Remove(filepath.Join(f.dir, file))))
	}
	return err
}

// isOf tells whether a file is of a name's kind and extension.
func isOf(name ports.ExportName, file string) bool {
	detail, found := strings.CutPrefix(file, name.Kind+"-")
	return found && detail != "" && '0' <= detail[0] && detail[0] <= '9' && strings.HasSuffix(detail, "."+name.Extension)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) { // another instance was faster
		return nil
	}
	return err
}
