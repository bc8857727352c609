package densecrf

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// A workerPool is a fixed number of goroutines that compute the steps of one call
// together. They run between start and stop, which waits for all of them. In between
// nothing is allocated.
//
// A step takes tens of microseconds, about as long as waking a sleeping goroutine. An
// idle goroutine therefore polls for the next step, or for the end of this one, for a
// while before it sleeps.
type workerPool struct {
	threads int

	// ctx is the context of the current call. Once it has ended no further chunk is
	// begun, and the result of the call is not valid.
	ctx context.Context

	// The current step. work and chunks change only while no chunk is remaining
	// and none is unfinished.
	work                  func(chunk int)
	chunks                int64
	remaining, unfinished atomic.Int64

	waiting  atomic.Bool   // run waits for finish, and nothing has been sent yet
	finish   chan struct{} // receives once when the step has ended
	ended    atomic.Bool
	sleeping atomic.Int64  // goroutines that wait for wake and to which nothing has been sent yet
	wake     chan struct{} // receives once for each goroutine subtracted from sleeping
	running  sync.WaitGroup
	worker   func()
}

// spinLimit is the number of polls before a goroutine sleeps: some tens of
// microseconds, so that the processor is not kept from other programs for long.
const spinLimit = 1 << 12

func newWorkerPool(threads int) *workerPool {
	c := &workerPool{threads: threads, wake: make(chan struct{}, threads), finish: make(chan struct{}, 1)}
	c.worker = c.workerLoop
	return c
}

func (c *workerPool) start(ctx context.Context) {
	c.ctx = ctx
	c.ended.Store(false)
	c.running.Add(c.threads - 1)
	for range c.threads - 1 {
		go c.worker()
	}
}

func (c *workerPool) stop() {
	c.ended.Store(true)
	c.wakeAll()
	c.running.Wait()
	c.ctx = nil
}

// cancelled reports whether the call has been cancelled. Chunks that take long check it
// from time to time.
func (c *workerPool) cancelled() bool { return c.ctx.Err() != nil }

// run calls work once for every chunk number below chunks and returns when all calls
// have returned. Once the context has ended, the remaining chunks are skipped.
func (c *workerPool) run(chunks int, work func(chunk int)) {
	c.work, c.chunks = work, int64(chunks)
	c.unfinished.Store(c.chunks)
	c.remaining.Store(c.chunks)
	if chunks > 1 {
		c.wakeAll()
	}
	c.runChunks()
	for i := 1; c.unfinished.Load() > 0; i++ {
		switch {
		case i == spinLimit:
			c.waiting.Store(true)
			if c.unfinished.Load() > 0 || !c.waiting.CompareAndSwap(true, false) {
				// This may have been sent by a goroutine that was delayed after the last
				// chunk of the previous step: only the count says that this step has ended.
				<-c.finish
			}
			i = 0
		case i%64 == 0:
			runtime.Gosched()
		}
	}
}

func (c *workerPool) wakeAll() {
	for range c.sleeping.Swap(0) {
		c.wake <- struct{}{}
	}
}

// runChunks runs chunks until none is left. A goroutine that has taken a chunk may read
// the fields of the step: the step cannot end before the chunk is finished.
func (c *workerPool) runChunks() {
	for c.remaining.Load() > 0 {
		if i := c.remaining.Add(-1); i >= 0 {
			if !c.cancelled() {
				c.work(int(c.chunks - 1 - i))
			}
			if c.unfinished.Add(-1) == 0 && c.waiting.CompareAndSwap(true, false) {
				c.finish <- struct{}{}
			}
		}
	}
}

func (c *workerPool) workerLoop() {
	defer c.running.Done()
	for i := 1; !c.ended.Load(); i++ {
		switch {
		case c.remaining.Load() > 0:
			c.runChunks()
			i = 0
		case i == spinLimit:
			c.sleep()
			i = 0
		case i%64 == 0:
			runtime.Gosched()
		}
	}
}

// sleep waits for wake, unless there is work again or the pool has ended.
func (c *workerPool) sleep() {
	n := c.sleeping.Add(1)
	for (c.remaining.Load() > 0 || c.ended.Load()) && n > 0 {
		if c.sleeping.CompareAndSwap(n, n-1) {
			return
		}
		n = c.sleeping.Load()
	}
	<-c.wake
}
