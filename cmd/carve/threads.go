package main

import (
	"fmt"
	"log/slog"
	"runtime"
	"sync"

	"github.com/carve-video/carve/internal/limits"
	"github.com/carve-video/carve/internal/ui"
)

// maxThreads is the most that --threads takes: more is a slip of the hand.
const maxThreads = 1024

// checkThreads finds what is wrong with a number of threads.
func checkThreads(n int) error {
	if n < 0 || n > maxThreads {
		return ui.Usagef("--threads is %d; it is a number of threads up to %d, or 0 for all cores", n, maxThreads)
	}
	return nil
}

// What a run needs beside its threads, and what each of those costs: every graph of a
// model has a pool of its own, and every thread a stack and a part of the heap that are
// mapped though hardly used. Measured with the demo model, and rounded up for larger
// ones, which have more graphs.
const (
	threadsBase   = 24
	threadsEach   = 8
	mappedBase    = 2400 << 20
	mappedEach    = 100 << 20
	mappedThreads = 4 // the share of what is left that threads may map is one in so many
)

// room is what the machine and its limits leave to a run.
type room struct {
	processors int
	threads    limits.Limit // that may be started
	mapped     limits.Limit // address space
}

// roomHere is that of this process, as it was when it was asked for first.
var roomHere = sync.OnceValue(func() room {
	return room{processors: runtime.NumCPU(), threads: limits.Threads(), mapped: limits.AddressSpace()}
})

// check finds out whether a run can start at all.
func (r room) check() error {
	if r.threads.Known() && r.threads.N < threadsBase {
		return ui.WithHint(fmt.Errorf("%s lets this process start %d more threads, and it needs about %d", r.threads.By, r.threads.N, threadsBase),
			"allow more threads")
	}
	if r.mapped.Known() && r.mapped.N < mappedBase {
		return ui.WithHint(fmt.Errorf("%s allows %s of addresses, and about %s are needed before the first frame", r.mapped.By, ui.SizeRoundedUp(r.mapped.N), ui.Gigabytes(mappedBase)),
			"raise ulimit -v, or bound the memory itself with --max-memory")
	}
	return nil
}

// most is how many threads are of use and can be had, and what says so.
func (r room) most() (n int, by string) {
	n, by = r.processors, fmt.Sprintf("this machine has %d", r.processors)
	if r.processors == 1 {
		by = "this machine has one processor"
	} else {
		by += " processors"
	}
	for _, l := range []struct {
		limits.Limit
		base, each int64
	}{{r.threads, threadsBase, threadsEach}, {r.mapped, mappedBase, mappedThreads * mappedEach}} {
		if !l.Known() {
			continue
		}
		if allowed := int(max((l.N-l.base)/l.each, 1)); allowed < n {
			n, by = allowed, l.By+" allows no more"
		}
	}
	return n, by
}

// settleThreads brings the number of threads down to what is of use and can be had:
// more than there are processors make nothing faster, and threads that cannot be
// started end a process at once. What comes out does not depend on it.
func (o *resourceOptions) settleThreads(r room, log *slog.Logger) error {
	if err := r.check(); err != nil {
		return err
	}
	most, by := r.most()
	switch {
	case o.threads > most:
		log.Info(fmt.Sprintf("--threads is %d, and %s: %d taken", o.threads, by, most))
		o.threads = most
	case o.threads == 0 && most < runtime.GOMAXPROCS(0):
		o.threads = most
	}
	return nil
}
