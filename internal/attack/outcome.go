//go:build linux

package main

import (
	"syscall"
	"time"
)

// An outcome is everything that is known of a run when it is over.
type outcome struct {
	code   int            // exit code, where no signal ended it
	signal syscall.Signal // that ended it, or 0
	late   bool           // it was killed for taking too long

	stdout, stderr []byte

	memory  int64 // bytes of main memory at most; 0 if it is less than this program took
	sockets []string
	took    time.Duration
	heeded  time.Duration // from the last signal sent to the end, or 0

	before, after snapshot // of the lab
	output        *reading // of the file that was asked for, if it is there and media
}

func (o *outcome) ended(p *process) {
	status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	o.code = status.ExitStatus()
	if status.Signaled() {
		o.signal = status.Signal()
	}
	o.late, o.took = p.killed, p.took
	// What this program itself took when it began the run is counted as the
	// run's: of a run that took less it is only known that it did.
	var own syscall.Rusage
	usage, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); ok && err == nil && usage.Maxrss > own.Maxrss {
		o.memory = usage.Maxrss << 10
	}
	if !p.told.IsZero() {
		o.heeded = time.Since(p.told)
	}
}
