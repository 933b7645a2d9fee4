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

	"rollcall/adapters/internal/disk"
	"rollcall/ports"
)

const (
	// unfinished is the prefix of the names of files that are being written.
	unfinished = ".unfinished-"

	bufferSize = 256 << 10
)

// A Folder is a folder of exported files. Several instances of the program may share it.
type Folder struct {
	dir     string
	maxSize int64
}

// New returns a Folder that keeps at most maxSize bytes of files. It creates dir before the first file.
func New(dir string, maxSize int64) *Folder { return &Folder{dir: dir, maxSize: maxSize} }

// Make implements ports.ExportStore. A file gets its name, and older files are removed, when it is complete. A file that is larger than
// maxSize is returned, and removed immediately.
func (f *Folder) Make(name ports.ExportName, write func(io.Writer) error) (_ *ports.ExportFile, err error) {
	err = os.MkdirAll(f.dir, 0o700)
	if err != nil {
		return nil, fmt.Errorf("create folder of exports: %w", disk.Error(err))
	}
	file, err := f.create()
	if err != nil {
		return nil, fmt.Errorf("create export: %w", disk.Error(err))
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
	folder, err := f.lock() // otherwise two files of a kind that are completed concurrently would remove each other
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	finished := name.String()
	err = os.Rename(file.Name(), filepath.Join(f.dir, finished))
	if err != nil {
		return nil, fmt.Errorf("name export: %w", err)
	}
	err = f.removeOld(name, finished)
	if err != nil {
		return nil, fmt.Errorf("remove old exports: %w", err)
	}
	return &ports.ExportFile{ReadCloser: file, Name: finished, Size: size}, nil
}

// create creates a file that is locked while it is open.
func (f *Folder) create() (_ *os.File, err error) {
	folder, err := f.lock() // otherwise Sweep could find the file before it is locked
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	file, err := os.CreateTemp(f.dir, unfinished)
	if err != nil {
		return nil, err
	}
	err = disk.LockFile(file)
	if err != nil {
		return nil, errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	return file, nil
}

// lock locks the folder for all processes until the returned file is closed.
func (f *Folder) lock() (*os.File, error) {
	folder, err := disk.Lock(f.dir)
	if err != nil {
		return nil, fmt.Errorf("lock folder of exports: %w", err)
	}
	return folder, nil
}

// Sweep removes the unfinished files of processes that were killed.
func (f *Folder) Sweep() (err error) {
	folder, err := f.lock()
	if err != nil {
		return ignoreMissing(err)
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	err = disk.RemoveAbandoned(f.dir, unfinished)
	if err != nil {
		return fmt.Errorf("remove unfinished exports: %w", err)
	}
	return nil
}

// removeOld removes the older files of the newest file's kind, then the oldest files of any kind until maxSize is met.
func (f *Folder) removeOld(name ports.ExportName, newest string) error {
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
		case info.Name() != newest && name.MatchesKind(info.Name()):
			remove = append(remove, info.Name())
		default:
			kept = append(kept, info)
			total += info.Size()
		}
	}
	slices.SortFunc(kept, func(a, b fs.FileInfo) int {
		if (a.Name() == newest) != (b.Name() == newest) { // the newest is removed last, even if the clock was set back
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

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) { // another instance has removed it
		return nil
	}
	return err
}
