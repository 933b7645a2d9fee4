package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

var errEnded = errors.New("postgres ended by itself")

// A process is a child that ends with this program.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// startProcess starts a command on a thread that lives as long as the child. The kernel signals the child when that thread ends, not
// when the program ends.
func startProcess(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd, make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // the log has the reason
			close(p.done)
		}
	}()
	err := <-started
	if err != nil {
		return nil, err
	}
	return p, nil
}

// stop stops the server after a checkpoint, or without one if ctx ends first.
func (p *process) stop(ctx context.Context) error {
	select {
	case <-p.done:
		return errEnded
	default:
	}
	err := p.cmd.Process.Signal(syscall.SIGINT)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop postgres: %w", err)
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("stop postgres: %w", ctx.Err()), p.kill())
	}
}

// kill stops the server and its children without a checkpoint. The server kills children that do not end within 5 seconds.
func (p *process) kill() error {
	err := p.cmd.Process.Signal(syscall.SIGQUIT)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill postgres: %w", err)
	}
	<-p.done
	return nil
}
