//go:build linux

package main

import (
	"syscall"
	"time"
)

// An outcome is everything known about a finished run.
type outcome struct {
	code   int            // exit code, if no signal ended it
	signal syscall.Signal // the signal that ended it, or 0
	late   bool           // it was killed for taking too long

	stdout, stderr []byte

	memory     int64 // peak main memory in bytes; 0 if less than this program's own
	sockets    []string
	took       time.Duration
	endedAfter time.Duration // from the last signal sent to the end, or 0

	before, after snapshot // of the lab
	output        *reading // of the output, if it is there and is media
}

func (o *outcome) ended(p *process) {
	status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	o.code = status.ExitStatus()
	if status.Signaled() {
		o.signal = status.Signal()
	}
	o.late, o.took = p.killed, p.took
	// The peak includes this program's own memory from the start of the run. If the run
	// used less, its peak is unknown.
	var own syscall.Rusage
	usage, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); ok && err == nil && usage.Maxrss > own.Maxrss {
		o.memory = usage.Maxrss << 10
	}
	if !p.signalled.IsZero() {
		o.endedAfter = time.Since(p.signalled)
	}
}
