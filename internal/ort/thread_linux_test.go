package ort

import (
	"slices"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Functions from all goroutines run on one thread, one after the other.
func TestThread(t *testing.T) {
	one := newThread()
	var ids []int // written by that thread only
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			one.do(func() { ids = append(ids, unix.Gettid()) })
		})
	}
	all.Wait()
	one.close()
	if len(ids) != 50 {
		t.Errorf("%d of 50 pieces of work were done", len(ids))
	}
	if slices.Min(ids) != slices.Max(ids) {
		t.Errorf("work was done on several threads: %v", slices.Compact(ids))
	}
}
