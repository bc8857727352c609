package ort

import "runtime"

// A thread does work in turn, on one thread of the operating system.
//
// Goroutines wander over threads. The CUDA provider does not like that: what its
// libraries need is made anew for a thread that it has not met, and on one H200 a
// picture that takes the judge 5 ms took it 126 ms on a thread of its own each time.
type thread struct {
	work chan func()
	gone chan struct{}
}

func newThread() *thread {
	t := &thread{work: make(chan func()), gone: make(chan struct{})}
	go func() {
		defer close(t.gone)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for f := range t.work {
			f()
		}
	}()
	return t
}

// do returns when f has.
func (t *thread) do(f func()) {
	done := make(chan struct{})
	t.work <- func() {
		defer close(done)
		f()
	}
	<-done
}

// close ends the thread, and waits for it. Nothing may be done with it any more.
func (t *thread) close() {
	close(t.work)
	<-t.gone
}
