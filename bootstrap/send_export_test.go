package bootstrap

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/alecthomas/kong"
)

// Send is `rollcall send` by another clock.
func Send(ctx context.Context, now func() time.Time, pause func(context.Context, time.Duration) error, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	cmd := sendCommand{clock: clock{now, pause}}
	parser, err := kong.New(&cmd)
	if err != nil {
		return fmt.Errorf("make parser: %w", err)
	}
	_, err = parser.Parse(args)
	if err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	return cmd.Run(ctx, streams{stdin, stdout, stderr})
}
