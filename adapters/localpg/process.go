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

var errEnded = errors.New("postgres has ended by itself")

// process is a child that ends with this program.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// startProcess starts the command on a thread that lives as long as the child does: the kernel tells the child of the
// end of that thread, not of the program.
func startProcess(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd, make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // what it ended with is in its log
			close(p.done)
		}
	}()
	err := <-started
	if err != nil {
		return nil, err
	}
	return p, nil
}

// stop ends the server after a checkpoint, or without when ctx ends first.
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

// kill ends the server and its children without a checkpoint. Children that do not end in 5 seconds, the server kills.
func (p *process) kill() error {
	err := p.cmd.Process.Signal(syscall.SIGQUIT)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end postgres at once: %w", err)
	}
	<-p.done
	return nil
}
