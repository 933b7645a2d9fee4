// Package client sends files of people to POST /useradd of a Rollcall server, and prints the results.
package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"rollcall/ports"
)

// ErrReported is returned when at least one file registered no one. Each reason has been printed.
var ErrReported = errors.New("a file registered no one")

// Config holds what a Client needs. Every field without a default is required.
type Config struct {
	Options

	Secret func() ([]byte, error) // returns the user's secret, from which idempotency keys are derived
	Spools ports.SpoolStore       // hold input that can be read only once, and results until they are complete

	Stdin  io.Reader
	Stdout io.Writer // receives the results
	Stderr io.Writer // receives errors and, if it is a terminal, progress

	Now   func() time.Time                           // defaults to time.Now
	Pause func(context.Context, time.Duration) error // waits between attempts; defaults to a timer
}

// A Client sends files to a server.
type Client struct {
	Config

	http       *http.Client
	server     *url.URL
	address    string // of /useradd
	registered int
}

// New returns a client.
func New(cfg Config) *Client {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Pause == nil {
		cfg.Pause = pause
	}
	return &Client{Config: cfg}
}

// Send sends the files in order and prints the result of each. A file that fails does not stop the rest. Send returns
// ErrReported if a file registered no one, the error of ctx if it ended, and any other error if an option is invalid.
func (c *Client) Send(ctx context.Context) error {
	err := c.Validate()
	if err != nil {
		return err
	}
	outs, err := c.credentialsFiles()
	if err != nil {
		return err
	}
	c.http, err = newHTTPClient(c.CAFile)
	if err != nil {
		return err
	}
	c.server, err = url.Parse(c.Server)
	if err != nil {
		return fmt.Errorf("--server: %w", err)
	}
	c.address = c.server.JoinPath("useradd").String()
	defer c.explainPasswords()
	var failed error
	for i, name := range c.Files {
		err := c.sendFile(ctx, name, outs[i])
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failed = ErrReported
		}
		if err != nil && !errors.Is(err, ErrReported) {
			c.report(name, err)
		}
	}
	return failed
}

// sendFile sends a file and prints the result once it is complete. It returns ErrReported if the printed result says that
// no one was registered.
func (c *Client) sendFile(ctx context.Context, name string, credentials *credentialsFile) error {
	file, err := c.openInput(ctx, name)
	if err != nil {
		return err
	}
	defer file.Close()
	err = credentials.create()
	if err != nil {
		return err
	}
	defer credentials.discard()
	key, err := c.key(file)
	if err != nil {
		return err
	}
	var got *result
	defer func() { got.close() }()
	err = c.retry(ctx, name, func() error {
		got.close()
		got, err = c.post(ctx, name, file, key, credentials)
		return err
	})
	if err != nil {
		return err
	}
	if got.replayed {
		c.report(name, "already imported; showing the original result (use --key to import again)")
	}
	return c.print(name, got, credentials)
}

// print prints a complete result.
func (c *Client) print(name string, got *result, credentials *credentialsFile) error {
	if got.registered > 0 {
		err := credentials.publish()
		if err != nil {
			return fmt.Errorf("write logins and passwords: %w", err)
		}
	}
	fmt.Fprintf(c.Stdout, "%s: %d %s\n", name, got.status, http.StatusText(got.status))
	_, err := io.Copy(c.Stdout, got.text.Reader())
	if err == nil {
		_, err = io.WriteString(c.Stdout, got.summary(c.DryRun, credentials))
	}
	if err != nil {
		return fmt.Errorf("print result: %w", err)
	}
	if got.registered == 0 {
		return ErrReported
	}
	c.registered += got.registered
	return nil
}

// report prints a message about a file.
func (c *Client) report(name string, message any) { fmt.Fprintf(c.Stderr, "%s: %v\n", name, message) }

// explainPasswords tells a person at a terminal how the passwords work. Scripts would take the line for an error.
func (c *Client) explainPasswords() {
	if c.registered > 0 && !c.DryRun && isTerminal(c.Stderr) {
		fmt.Fprintln(c.Stderr, "These passwords are temporary: users choose their own at the first sign-in.")
	}
}
