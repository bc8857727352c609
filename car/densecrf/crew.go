package densecrf

import (
	"sync"
	"sync/atomic"
)

// A crew is a fixed number of goroutines that do the steps of one call
// together. It exists between start and stop, which waits for all of them, and
// allocates nothing in between.
type crew struct {
	threads int

	work   func(chunk int)
	chunks int64
	next   atomic.Int64

	begin  chan bool      // run and stop send: true for work, false for home
	done   sync.WaitGroup // of the current step
	home   sync.WaitGroup // of the goroutines
	helper func()
}

func newCrew(threads int) *crew {
	c := &crew{threads: threads, begin: make(chan bool, threads)}
	c.helper = c.follow
	return c
}

func (c *crew) start() {
	c.home.Add(c.threads - 1)
	for range c.threads - 1 {
		go c.helper()
	}
}

func (c *crew) stop() {
	for range c.threads - 1 {
		c.begin <- false
	}
	c.home.Wait()
}

// run calls work once for every chunk number below chunks and returns when all
// calls have.
func (c *crew) run(chunks int, work func(chunk int)) {
	c.work, c.chunks = work, int64(chunks)
	c.next.Store(0)
	helpers := min(c.threads, chunks) - 1
	c.done.Add(max(helpers, 0))
	for range helpers {
		c.begin <- true
	}
	c.take()
	c.done.Wait()
}

func (c *crew) follow() {
	defer c.home.Done()
	for <-c.begin {
		c.take()
		c.done.Done()
	}
}

func (c *crew) take() {
	for {
		i := c.next.Add(1) - 1
		if i >= c.chunks {
			return
		}
		c.work(int(i))
	}
}
