// Package parallel splits work over goroutines so that the result does not depend on
// their number.
package parallel

import "sync"

// Do splits n items into one consecutive range for each thread and waits for all of
// them. work gets the number of the range, and the items from and up to to.
func Do(threads, n int, work func(worker, from, to int)) {
	workers := min(threads, n)
	if workers <= 1 {
		work(0, 0, n)
		return
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() { work(w, n*w/workers, n*(w+1)/workers) })
	}
	wg.Wait()
}
