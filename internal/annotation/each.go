package annotation

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// Each calls do for 0, 1, … n-1 on the given number of workers (0: one for each CPU)
// and waits for them. Work begins in order, and of several errors the one with the
// lowest number is returned, so that the outcome does not depend on the number of
// workers.
func Each(ctx context.Context, n, workers int, do func(i int) error) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	errs := make([]error, n)
	g, stop := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for i := range n {
		if stop.Err() != nil {
			break
		}
		g.Go(func() error {
			errs[i] = do(i)
			return errs[i]
		})
	}
	failed := g.Wait() // tells that a call failed, but not which one was first
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	if failed == nil {
		return ctx.Err()
	}
	return failed
}
