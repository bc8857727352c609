package pipeline

import (
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
