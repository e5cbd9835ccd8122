package postgres

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/cost-agent/cost-agent/shared/fault"
)

// process is a running postmaster.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once it has ended
}

// spawn starts cmd so that it dies with this process. The kernel sends the parent-death signal when the creating
// *thread* ends, so a goroutine keeps that thread for itself until the child is gone.
func spawn(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = cmd.Wait() // how it ended stands in its log
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// end asks for a fast shutdown (SIGINT), which cuts sessions and writes a checkpoint, and insists when that takes long.
func (p *process) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	for _, step := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGINT, 20 * time.Second}, {syscall.SIGQUIT, 5 * time.Second}, {syscall.SIGKILL, 5 * time.Second}} {
		if err := p.cmd.Process.Signal(step.signal); errors.Is(err, os.ErrProcessDone) {
			<-p.done
			return nil
		}
		patience := time.NewTimer(step.wait)
		select {
		case <-p.done:
			patience.Stop()
			return nil
		case <-ctx.Done():
			patience.Stop()
			return fault.Wrap(ctx.Err(), fault.Unavailable, "PostgreSQL did not stop.")
		case <-patience.C:
		}
	}
	return fault.New(fault.Unavailable, "PostgreSQL did not stop.")
}

// stopLeftover ends what an earlier run left behind in the data folder: a postmaster that survived its parent, or
// backends that survived their postmaster. Only when none is left may stale lock files be removed, for two servers on
// the same data would ruin it.
func (c cluster) stopLeftover(ctx context.Context) error {
	data := c.data()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		left := leftovers(data)
		for _, pid := range left {
			_ = syscall.Kill(pid, signal)          // gone meanwhile is as good
			_ = syscall.Kill(pid, syscall.SIGCONT) // a suspended one must run to end
		}
		if len(left) == 0 || gone(ctx, data) {
			err := errors.Join(os.RemoveAll(lockFile(data)), os.RemoveAll(c.run()))
			return fault.Wrap(err, fault.Unavailable, "The lock files of a server that is gone cannot be removed from %s.", c.dir)
		}
	}
	return fault.New(fault.Conflict, "A PostgreSQL from an earlier run still uses %s and cannot be stopped.", data)
}

func gone(ctx context.Context, data string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for len(leftovers(data)) > 0 {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}
