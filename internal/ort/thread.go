package ort

import "runtime"

// A thread runs functions one after the other on one thread of the operating system.
//
// Goroutines move between threads, which is expensive with the CUDA provider: its
// libraries initialise again on every new thread. On one H200, an image that takes the
// judge 5 ms took it 126 ms on a new thread each time.
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

// do runs f and returns when it has ended.
func (t *thread) do(f func()) {
	done := make(chan struct{})
	t.work <- func() {
		defer close(done)
		f()
	}
	<-done
}

// close ends the thread and waits for it. It cannot be used afterwards.
func (t *thread) close() {
	close(t.work)
	<-t.gone
}
