package densecrf

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// A crew is a fixed number of goroutines that do the steps of one call
// together. It exists between start and stop, which waits for all of them, and
// allocates nothing in between.
//
// A step takes tens of microseconds, about as long as it takes to wake a
// goroutine that sleeps. A goroutine that has nothing to do therefore looks out for
// the next step, or for the end of this one, for a while before it sleeps.
type crew struct {
	threads int

	// ctx is that of the current call. Once it has ended no further chunk is
	// begun, and what the call was to make is not made.
	ctx context.Context

	// The current step. work and chunks change only while no chunk is left
	// and none is undone.
	work         func(chunk int)
	chunks       int64
	left, undone atomic.Int64

	waiting  atomic.Bool   // run waits for finish, and has not been sent it yet
	finish   chan struct{} // that the step is over
	over     atomic.Bool
	sleeping atomic.Int64  // goroutines that wait for wake and have not been sent it yet
	wake     chan struct{} // as many as have left sleeping
	home     sync.WaitGroup
	helper   func()
}

// patience is how often a goroutine looks before it sleeps: some tens of microseconds.
// Where other programs want the processor too, it is better used than watched.
const patience = 1 << 12

func newCrew(threads int) *crew {
	c := &crew{threads: threads, wake: make(chan struct{}, threads), finish: make(chan struct{}, 1)}
	c.helper = c.follow
	return c
}

func (c *crew) start(ctx context.Context) {
	c.ctx = ctx
	c.over.Store(false)
	c.home.Add(c.threads - 1)
	for range c.threads - 1 {
		go c.helper()
	}
}

func (c *crew) stop() {
	c.over.Store(true)
	c.rouse()
	c.home.Wait()
	c.ctx = nil
}

// stopped tells whether the call has been cancelled. A chunk that takes long asks
// now and then.
func (c *crew) stopped() bool { return c.ctx.Err() != nil }

// run calls work once for every chunk number below chunks and returns when all
// calls have, or at once when the context ends.
func (c *crew) run(chunks int, work func(chunk int)) {
	c.work, c.chunks = work, int64(chunks)
	c.undone.Store(c.chunks)
	c.left.Store(c.chunks)
	if chunks > 1 {
		c.rouse()
	}
	c.take()
	for i := 1; c.undone.Load() > 0; i++ {
		switch {
		case i == patience:
			c.waiting.Store(true)
			if c.undone.Load() > 0 || !c.waiting.CompareAndSwap(true, false) {
				// A goroutine that was held up behind the last chunk of the step before
				// may have sent this: only the count says that the step is over.
				<-c.finish
			}
			i = 0
		case i%64 == 0:
			runtime.Gosched()
		}
	}
}

func (c *crew) rouse() {
	for range c.sleeping.Swap(0) {
		c.wake <- struct{}{}
	}
}

// take does chunks until none is left. A goroutine that has one
// may look at the step: it cannot end before.
func (c *crew) take() {
	for c.left.Load() > 0 {
		if i := c.left.Add(-1); i >= 0 {
			if !c.stopped() {
				c.work(int(c.chunks - 1 - i))
			}
			if c.undone.Add(-1) == 0 && c.waiting.CompareAndSwap(true, false) {
				c.finish <- struct{}{}
			}
		}
	}
}

func (c *crew) follow() {
	defer c.home.Done()
	for i := 1; !c.over.Load(); i++ {
		switch {
		case c.left.Load() > 0:
			c.take()
			i = 0
		case i == patience:
			c.sleep()
			i = 0
		case i%64 == 0:
			runtime.Gosched()
		}
	}
}

// sleep waits to be roused, unless there is something to do by now.
func (c *crew) sleep() {
	n := c.sleeping.Add(1)
	for (c.left.Load() > 0 || c.over.Load()) && n > 0 {
		if c.sleeping.CompareAndSwap(n, n-1) {
			return
		}
		n = c.sleeping.Load()
	}
	<-c.wake
}
