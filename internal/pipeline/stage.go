package pipeline

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// A Stage counts where the time of one link of the line goes, so that a run can say
// which link held up the others. Its methods may be called at any time.
type Stage struct {
	name   string
	items  atomic.Int64
	taken  atomic.Int64 // items received
	queued atomic.Int64 // items that stood behind those when they were received, summed

	busy, waiting, blocked atomic.Int64 // ns
}

// Name is what the stage was called when it was added.
func (s *Stage) Name() string { return s.name }

// Items is how many items it has done.
func (s *Stage) Items() int64 { return s.items.Load() }

// Busy is the time spent in its own work.
func (s *Stage) Busy() time.Duration { return time.Duration(s.busy.Load()) }

// Waiting is the time spent without input.
func (s *Stage) Waiting() time.Duration { return time.Duration(s.waiting.Load()) }

// Blocked is the time spent without room in the next stage.
func (s *Stage) Blocked() time.Duration { return time.Duration(s.blocked.Load()) }

// Queue is how many items wait for the stage on average, counted whenever it takes
// one. Near 0 the stage is quicker than what comes before it; near the depth of its
// input it holds that up.
func (s *Stage) Queue() float64 {
	return float64(s.queued.Load()) / float64(max(s.taken.Load(), 1))
}

// Print writes a table of where the time of the line went.
func (l *Line) Print(w io.Writer) {
	elapsed := max(l.Elapsed(), 1)
	fmt.Fprintf(w, "%-12s %8s %10s %8s %8s %8s %6s\n", "stage", "frames", "ms/frame", "busy", "waiting", "blocked", "queue")
	for _, s := range l.stages {
		share := func(d time.Duration) float64 { return 100 * float64(d) / float64(elapsed) }
		fmt.Fprintf(w, "%-12s %8d %10.2f %6.1f %% %6.1f %% %6.1f %% %6.2f\n", s.name, s.Items(),
			float64(s.Busy())/float64(max(s.Items(), 1))/1e6,
			share(s.Busy()), share(s.Waiting()), share(s.Blocked()), s.Queue())
	}
}
