package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"path/filepath"
	"strings"

	"rollcall/adapters/spool"
)

// stdinName is the name of the standard input among those of files.
const stdinName = "-"

// mediaTypes are those of files, by the ending of their names.
var mediaTypes = map[string]string{
	".json":   "application/json",
	".ndjson": mimeLines,
	".jsonl":  mimeLines,
	".csv":    "text/csv",
	".xlsx":   "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

// encodings are those of compressed files, by what their names end in.
var encodings = map[string]string{".gz": "gzip", ".zst": "zstd"}

// input is a file to be sent, as often as it takes.
type input struct {
	io.Closer

	format

	content io.ReaderAt
	size    int64
}

func (f *input) reader() *io.SectionReader { return io.NewSectionReader(f.content, 0, f.size) }

// openInput opens a file. What can be read only once is spooled.
func openInput(ctx context.Context, stdin io.Reader, name, said string) (*input, error) {
	format, err := formatOf(said, name)
	if err != nil {
		return nil, err
	}
	if name == stdinName {
		return spoolInput(ctx, io.NopCloser(stdin), format)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, errors.Join(err, file.Close())
	case info.IsDir():
		return nil, errors.Join(errors.New("is a folder"), file.Close())
	case !info.Mode().IsRegular():
		return spoolInput(ctx, file, format)
	}
	return &input{file, format, file, info.Size()}, nil
}

func spoolInput(ctx context.Context, r io.ReadCloser, format format) (*input, error) {
	spooled := spool.New("").New()
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(spooled, r)
		done <- errors.Join(err, r.Close())
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err() // a read from a terminal cannot be ended, and the spool is the reader's until then
	case err := <-done:
		if err != nil {
			return nil, errors.Join(fmt.Errorf("read: %w", err), spooled.Close())
		}
	}
	return &input{spooled, format, spooled.Reader(), spooled.Size()}, nil
}

// format is what a file is.
type format struct{ mediaType, encoding string }

// formatOf tells what a file is from what was said, an ending or a media type, or else from its name.
func formatOf(said, name string) (format, error) {
	if strings.Contains(said, "/") {
		_, _, err := mime.ParseMediaType(said)
		if err != nil {
			return format{}, fmt.Errorf("%q: %w", said, err)
		}
		return format{said, encodings[ending(name)]}, nil
	}
	if said != "" {
		name = "x." + said
	}
	encoding, packed := encodings[ending(name)]
	if packed {
		name = name[:strings.LastIndexByte(name, '.')]
	}
	mediaType, known := mediaTypes[ending(name)]
	if !known && said != "" {
		return format{}, fmt.Errorf("%q is none of json, ndjson, jsonl, csv, xlsx, and is no media type", said)
	}
	if !known {
		mediaType = "application/octet-stream" // the server finds out
	}
	return format{mediaType, encoding}, nil
}

func ending(name string) string { return strings.ToLower(filepath.Ext(name)) }
