package client

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"sync"
)

// key returns the Idempotency-Key of a file: the same for the same user, server, file and options. The user's secret goes into
// it, so that another user who has the file cannot fetch the passwords. A dry run has no key.
func (c *Client) key(file *input) (string, error) {
	if c.DryRun || c.Key != "" {
		return c.Key, nil
	}
	secret, err := c.Secret()
	if err != nil {
		return "", fmt.Errorf("derive idempotency key: %w; choose a --key, and use it again to retry", err)
	}
	hash := hmac.New(sha256.New, secret)
	fmt.Fprintf(hash, "%q %q %q %t\n", c.address, file.mediaType, file.encoding, c.Strict)
	if choices := c.choices(); len(choices) > 0 {
		fmt.Fprintf(hash, "%s\n", choices.Encode())
	}
	_, err = io.Copy(hash, file.reader())
	if err != nil {
		return "", fmt.Errorf("read: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// choices returns the parameters that say how to read the files.
func (c *Client) choices() url.Values {
	choices := url.Values{}
	if c.Charset != "" {
		choices.Set("charset", c.Charset)
	}
	if c.Dates != "" {
		choices.Set("dates", c.Dates)
	}
	for _, name := range c.Sheet {
		choices.Add("sheet", name)
	}
	return choices
}

// post sends a file once. It returns a temporaryError if a retry can succeed.
func (c *Client) post(ctx context.Context, name string, file *input, key string, credentials *credentialsFile) (*result, error) {
	bar := newProgress(c.Stderr, name, file.size, c.Now)
	defer bar.end()
	body := &requestBody{file: &progressReader{file.reader(), bar}}
	defer body.end()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address, body)
	if err != nil {
		return nil, fmt.Errorf("create request: %w", err)
	}
	request.ContentLength = file.size
	request.Header.Set("Accept", mimeLines+", "+mimeProblem+";q=0.9, "+mimeJSON+";q=0.5")
	request.Header.Set("Content-Type", file.mediaType)
	if file.encoding != "" {
		request.Header.Set("Content-Encoding", file.encoding)
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if c.Strict {
		request.Header.Add("Prefer", "handling=strict")
	}
	if credentials != nil {
		request.Header.Add("Prefer", "return=representation") // with names and groups
	}
	query := c.choices()
	if c.DryRun {
		query.Set("dry_run", "true")
	} else {
		request.Header.Set("Idempotency-Key", key)
	}
	request.URL.RawQuery = query.Encode()
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	defer response.Body.Close()
	err = credentials.restart()
	if err != nil {
		return nil, err
	}
	got := newResult(response, c.Spools.New())
	err = got.read(response, credentials, bar)
	if temporary, ok := errors.AsType[*temporaryError](err); ok {
		temporary.after = retryAfter(response.Header.Get("Retry-After"), c.Now())
	}
	return got, c.explainResponse(ctx, response, err)
}

// A requestBody is the file as the body of one request. The transport may still read it after an early response; end stops that,
// so that the file can be closed.
type requestBody struct {
	mu   sync.Mutex
	file io.Reader // nil after end
}

// Read implements io.Reader.
func (b *requestBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file == nil {
		return 0, fs.ErrClosed
	}
	return b.file.Read(p)
}

func (b *requestBody) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.file = nil
}
