// Package parallel splits work over goroutines so that who does what does not
// show in the result.
package parallel

import "sync"

// Do splits n items into one run for each thread, in order, and waits for all of
// them. work is told which run it does, and from which item to which.
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
