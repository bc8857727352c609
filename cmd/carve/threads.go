package main

import (
	"fmt"
	"log/slog"
	"runtime"
	"sync"

	"github.com/carve-video/carve/internal/limits"
	"github.com/carve-video/carve/internal/ui"
)

// maxThreads is the maximum of --threads; more would be a typing mistake.
const maxThreads = 1024

// checkThreads checks a number of threads.
func checkThreads(n int) error {
	if n < 0 || n > maxThreads {
		return ui.Usagef("--threads is %d; it is a number of threads up to %d, or 0 for all cores", n, maxThreads)
	}
	return nil
}

// What a run needs apart from its threads, and what each thread adds: every graph of a
// model has its own thread pool, and every thread has a stack and a part of the heap,
// which are mapped though hardly used. Measured with the demo model, and rounded up for
// larger models, which have more graphs.
const (
	threadsBase   = 24
	threadsEach   = 8
	mappedBase    = 2400 << 20
	mappedEach    = 100 << 20
	mappedThreads = 4 // threads may map one part in mappedThreads of the remaining addresses
)

// A capacity is what the machine and its limits allow a run.
type capacity struct {
	processors int
	threads    limits.Limit // threads that may be started
	mapped     limits.Limit // address space
}

// processCapacity returns the capacity of this process at the first call.
var processCapacity = sync.OnceValue(func() capacity {
	return capacity{processors: runtime.NumCPU(), threads: limits.Threads(), mapped: limits.AddressSpace()}
})

// check reports whether a run can start at all.
func (r capacity) check() error {
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

// usableThreads returns how many threads are useful and can be started, and the reason.
func (r capacity) usableThreads() (n int, by string) {
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

// limitThreads reduces the number of threads to what is useful and possible. More threads
// than processors make nothing faster, and a thread that cannot be started ends the
// process. Masks do not depend on the number.
func (o *resourceOptions) limitThreads(r capacity, log *slog.Logger) error {
	if err := r.check(); err != nil {
		return err
	}
	most, by := r.usableThreads()
	switch {
	case o.threads > most:
		log.Info(fmt.Sprintf("--threads is %d, and %s: using %d", o.threads, by, most))
		o.threads = most
	case o.threads == 0 && most < runtime.GOMAXPROCS(0):
		o.threads = most
	}
	return nil
}
