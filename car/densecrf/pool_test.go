package densecrf

import (
	"sync/atomic"
	"testing"
	"time"
)

// TestLateFinish: run returns only when every chunk is done, even if a goroutine that
// was delayed after the previous step sends to finish only now.
func TestLateFinish(t *testing.T) {
	c := newWorkerPool(2)
	c.start(t.Context())
	defer c.stop()
	for range 1000 {
		var begun, done atomic.Int64
		late := false
		c.run(2, func(chunk int) {
			defer done.Add(1)
			for begun.Add(1); begun.Load() < 2; { // one for each goroutine
				time.Sleep(time.Microsecond)
			}
			if chunk == 0 {
				return
			}
			for from := time.Now(); time.Since(from) < 20*time.Millisecond; time.Sleep(time.Microsecond) {
				if c.waiting.CompareAndSwap(true, false) { // run waits, so this is not its goroutine
					late = true
					c.finish <- struct{}{}
					time.Sleep(20 * time.Millisecond)
					return
				}
			}
		})
		if n := done.Load(); n != 2 {
			t.Fatalf("run returned when %d of 2 chunks were done", n)
		}
		if late {
			return
		}
	}
	t.Error("run never waited")
}
