package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"os"
	"path/filepath"
	"strings"
)

const (
	mimeJSON    = "application/json"
	mimeLines   = "application/x-ndjson"
	mimeProblem = "application/problem+json"
)

// stdinName is the file name that stands for standard input.
const stdinName = "-"

// mediaTypes maps file extensions to media types.
var mediaTypes = map[string]string{
	".json":   mimeJSON,
	".ndjson": mimeLines,
	".jsonl":  mimeLines,
	".csv":    "text/csv",
	".xlsx":   "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

// encodings maps extensions of compressed files to content encodings.
var encodings = map[string]string{".gz": "gzip", ".zst": "zstd"}

// An input is a file to send. It can be read any number of times.
type input struct {
	io.Closer

	format

	content io.ReaderAt
	size    int64 // bytes
}

func (f *input) reader() *io.SectionReader { return io.NewSectionReader(f.content, 0, f.size) }

// openInput opens a file. It copies standard input, pipes and devices to a spool, because they can be read only once.
func (c *Client) openInput(ctx context.Context, name string) (*input, error) {
	format, err := formatOf(c.Type, name)
	if err != nil {
		return nil, err
	}
	if name == stdinName {
		return c.spoolInput(ctx, io.NopCloser(c.Stdin), format)
	}
	file, err := os.Open(name)
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, failed.Err // the name is printed before each error of a file
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, errors.Join(err, file.Close())
	case info.IsDir():
		return nil, errors.Join(fmt.Errorf("a folder cannot be sent: name the files in it, such as %s", filepath.Join(name, "*.csv")), file.Close())
	case !info.Mode().IsRegular():
		return c.spoolInput(ctx, file, format)
	}
	return &input{file, format, file, info.Size()}, nil
}

func (c *Client) spoolInput(ctx context.Context, r io.ReadCloser, format format) (*input, error) {
	spooled := c.Spools.New()
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(spooled, r)
		done <- errors.Join(err, r.Close())
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err() // the goroutine keeps the spool: a read from a terminal cannot be interrupted
	case err := <-done:
		if err != nil {
			return nil, errors.Join(fmt.Errorf("read: %w", err), spooled.Close())
		}
	}
	return &input{spooled, format, spooled.Reader(), spooled.Size()}, nil
}

// A format is the type of a file.
type format struct{ mediaType, encoding string }

// formatOf returns the format of a file: that of --type, which is an extension or a media type, or else that of the file's name.
func formatOf(option, name string) (format, error) {
	if strings.Contains(option, "/") {
		_, _, err := mime.ParseMediaType(option)
		if err != nil {
			return format{}, fmt.Errorf("invalid --type %q: %w", option, err)
		}
		return format{option, encodings[extension(name)]}, nil
	}
	if option != "" {
		name = "x." + option
	}
	encoding, compressed := encodings[extension(name)]
	if compressed {
		name = name[:strings.LastIndexByte(name, '.')]
	}
	mediaType, known := mediaTypes[extension(name)]
	if !known && option != "" {
		return format{}, fmt.Errorf("invalid --type %q: expected json, ndjson, jsonl, csv, xlsx or a media type", option)
	}
	if !known {
		mediaType = "application/octet-stream" // the server detects the type
	}
	return format{mediaType, encoding}, nil
}

// extension returns the last extension of a file name in lower case, with its dot.
func extension(name string) string { return strings.ToLower(filepath.Ext(name)) }
