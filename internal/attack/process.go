//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A process is one run of carve.
type process struct {
	cmd       *exec.Cmd
	ended     chan struct{} // closed at the end
	took      time.Duration // set before ended is closed
	killed    bool          // by us, for taking too long
	signalled time.Time     // time of the last signal sent to it
}

// signal sends a signal, unless the process has ended.
func (p *process) signal(s syscall.Signal) {
	p.signalled = time.Now()
	p.cmd.Process.Signal(s)
}

// wait waits for a duration, or until the process or the context ends.
func (p *process) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.ended:
	case <-ctx.Done():
	}
}

// over tells whether the process or the context has ended.
func (p *process) over(ctx context.Context) bool {
	select {
	case <-p.ended:
		return true
	default:
		return ctx.Err() != nil
	}
}

// run runs carve in the lab, confined, and returns the outcome. An error means that it
// could not be run.
func (l *lab) run(ctx context.Context, x *experiment) (*outcome, error) {
	limits := l.bench.limits
	o := &outcome{}
	conn, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer unix.Close(conn)
	hup := "-"
	if x.nohup {
		hup = "nohup"
	}
	args := append([]string{confineVerb, strconv.FormatInt(limits.space, 10), hup, l.bench.binary}, x.args...)
	p := &process{cmd: exec.Command("/proc/self/exe", args...), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = filepath.Join(l.root, workDir), l.environment()
	p.cmd.ExtraFiles = []*os.File{theirs}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	outputs, readers, err := x.pipes(p.cmd, o)
	if err != nil {
		theirs.Close()
		return nil, err
	}
	began := time.Now()
	err = p.cmd.Start()
	theirs.Close()
	for _, f := range outputs {
		f.Close()
	}
	if err != nil {
		readers.Wait()
		return nil, err
	}
	listener, err := receiveListener(conn)
	if err != nil {
		p.cmd.Wait()
		readers.Wait()
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(o.stderr))
	}
	var helpers sync.WaitGroup
	helpers.Go(func() { o.sockets = refuseSockets(listener) })
	helpers.Go(func() { p.watch(ctx, limits.time) })
	if x.during != nil {
		helpers.Go(func() { x.during(ctx, p) })
	}
	err = p.cmd.Wait()
	p.took = time.Since(began)
	close(p.ended)
	helpers.Wait()
	readers.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	o.ended(p)
	return o, ctx.Err()
}

// watch kills the process at the time limit or when the context ends.
func (p *process) watch(ctx context.Context, limit time.Duration) {
	p.wait(ctx, limit)
	select {
	case <-p.ended:
	default:
		p.killed = ctx.Err() == nil
		unix.Kill(-p.cmd.Process.Pid, unix.SIGKILL)
	}
}

// printLimit bounds how much of a run's output is kept.
const printLimit = 1 << 20

// pipes connects the output of the run. Close the files once it has started; the
// readers end with the run.
func (x *experiment) pipes(cmd *exec.Cmd, o *outcome) (files []*os.File, readers *sync.WaitGroup, err error) {
	readers = new(sync.WaitGroup)
	connect := func(to *[]byte, lines int, closed bool) (*os.File, error) {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		files = append(files, w)
		if closed {
			r.Close()
			return w, nil
		}
		readers.Go(func() {
			defer r.Close()
			*to = readLines(r, lines)
		})
		return w, nil
	}
	stdout, err := connect(&o.stdout, x.stdout, false)
	if err == nil {
		cmd.Stdout = stdout
		var stderr *os.File
		if stderr, err = connect(&o.stderr, 0, x.closed); err == nil {
			cmd.Stderr = stderr
		}
	}
	if err != nil {
		for _, f := range files {
			f.Close()
		}
		readers.Wait()
	}
	return files, readers, err
}

// readLines reads to the end, or the given number of lines. It keeps the first part and
// discards the rest.
func readLines(r io.Reader, lines int) []byte {
	var kept bytes.Buffer
	b := make([]byte, 32<<10)
	if lines > 0 {
		b = b[:1]
	}
	for {
		n, err := r.Read(b)
		kept.Write(b[:min(n, printLimit-kept.Len())])
		if lines > 0 && bytes.Count(kept.Bytes(), []byte("\n")) >= lines || err != nil {
			return kept.Bytes()
		}
	}
}
