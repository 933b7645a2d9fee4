package bootstrap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

type sendCommand struct {
	Server string   `env:"ROLLCALL_SERVER" default:"http://127.0.0.1:5000" placeholder:"URL" help:"Server to post to (${default})."`
	Files  []string `arg:"" name:"file" help:"JSON files; - is the standard input."`
}

// Run posts the files one after another. A file that registers nobody does not keep the rest from being sent.
func (cmd *sendCommand) Run(ctx context.Context, std streams) error {
	address, err := url.JoinPath(cmd.Server, "useradd")
	if err != nil {
		return fmt.Errorf("--server: %w", err)
	}
	var failed error
	for _, name := range cmd.Files {
		err := sendFile(ctx, std, address, name)
		if err != nil && !errors.Is(err, errSilent) {
			fmt.Fprintf(std.err, "%s: %v\n", name, err)
		}
		if err != nil {
			failed = errSilent
		}
	}
	return failed
}

// sendFile posts a file and prints what came of it. It returns errSilent for an answer that says nobody was registered.
func sendFile(ctx context.Context, std streams, address, name string) error {
	file, size, err := openFile(std, name)
	if err != nil {
		return err
	}
	defer file.Close()
	body, answered := withProgress(file, size, name, std.err)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, body)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	request.ContentLength = size
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, application/problem+json")
	response, err := http.DefaultClient.Do(request)
	answered()
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	defer response.Body.Close()
	fmt.Fprintf(std.out, "%s: %s\n", name, response.Status)
	if response.StatusCode == http.StatusOK {
		return printCredentials(std.out, response.Body)
	}
	err = printProblem(std.out, response)
	if err != nil {
		return err
	}
	return errSilent
}

// openFile returns a size of -1 where it is not known beforehand.
func openFile(std streams, name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(std.in), -1, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	if !info.Mode().IsRegular() {
		return file, -1, nil
	}
	return file, info.Size(), nil
}

// withProgress shows on a terminal how much of a file was read, and from its end until answered is called that the server
// is at work.
func withProgress(file io.Reader, size int64, name string, w io.Writer) (body io.Reader, answered func()) {
	terminal, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		return file, func() {}
	}
	bar := progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(terminal), progressbar.OptionSetDescription(name), progressbar.OptionShowBytes(true),
		progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true))
	reader := progressbar.NewReader(file, bar)
	return &waitingReader{&reader, terminal, name}, func() { fmt.Fprint(terminal, "\r\x1b[K") }
}

// waitingReader says at the end of a file that it was sent.
type waitingReader struct {
	io.Reader

	terminal io.Writer
	name     string
}

func (r *waitingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		fmt.Fprintf(r.terminal, "\r\x1b[K%s: sent, waiting for the answer", r.name)
	}
	return n, err
}

// printCredentials prints the contract's array as it comes: it may have a million elements.
func printCredentials(w io.Writer, body io.Reader) error {
	decoder := json.NewDecoder(body)
	_, err := decoder.Token()
	for err == nil && decoder.More() {
		var credential struct{ Login, Password string }
		err = decoder.Decode(&credential)
		if err == nil {
			_, err = fmt.Fprintf(w, "  %-30s %s\n", credential.Login, credential.Password)
		}
	}
	if err == nil {
		_, err = decoder.Token()
	}
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return nil
}

// printProblem prints why nobody was registered.
func printProblem(w io.Writer, response *http.Response) error {
	var problem struct {
		Detail     string
		Rejections []struct {
			Object     int `json:"object_id"`
			Login      string
			Violations []struct{ Message string }
		}
	}
	if !strings.HasPrefix(response.Header.Get("Content-Type"), "application/problem+json") {
		return errors.New("the answer is not Rollcall's; is --server right?")
	}
	err := json.NewDecoder(response.Body).Decode(&problem)
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	fmt.Fprintf(w, "  %s\n", problem.Detail)
	for _, r := range problem.Rejections {
		fmt.Fprintf(w, "  object %d", r.Object)
		if r.Login != "" {
			fmt.Fprintf(w, " (%s)", r.Login)
		}
		fmt.Fprint(w, ":")
		for _, v := range r.Violations {
			fmt.Fprint(w, " ", v.Message)
		}
		fmt.Fprintln(w)
	}
	return nil
}
