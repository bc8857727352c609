package pipeline

import (
	"sync/atomic"
	"time"
)

// A Stage measures the time of one stage of the line, so that a run can report the
// bottleneck. Its methods may be called at any time.
type Stage struct {
	name   string
	items  atomic.Int64
	taken  atomic.Int64 // items received
	queued atomic.Int64 // items still queued at each receive, summed

	busy, waiting, blocked atomic.Int64 // ns
}

// Name returns the name of the stage.
func (s *Stage) Name() string { return s.name }

// Items returns how many items it has processed.
func (s *Stage) Items() int64 { return s.items.Load() }

// Busy returns the time spent in its own work.
func (s *Stage) Busy() time.Duration { return time.Duration(s.busy.Load()) }

// Waiting returns the time spent waiting for input.
func (s *Stage) Waiting() time.Duration { return time.Duration(s.waiting.Load()) }

// Blocked returns the time spent waiting for room in the next stage.
func (s *Stage) Blocked() time.Duration { return time.Duration(s.blocked.Load()) }

// Queue returns how many items wait for the stage on average, counted whenever it takes
// one. Near 0 the stage is faster than the one before it; near the depth of its input
// it is the slower one.
func (s *Stage) Queue() float64 {
	return float64(s.queued.Load()) / float64(max(s.taken.Load(), 1))
}
