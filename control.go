package carve

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/carve-video/carve/car"
)

// ErrNotRunning is the error of a [Control] whose run has not begun or has ended.
var ErrNotRunning = errors.New("nothing is running")

// A Control changes the queries of a run while it goes on. Its zero value is ready to use,
// as the [Job.Control] of one run. Its methods may be called from any goroutine.
type Control struct {
	mu        sync.Mutex
	segmenter *car.Segmenter
	running   bool
	numbering car.Numbering
	queries   []car.Query

	next atomic.Pointer[car.Bank] // taken by the tracking stage
}

// SetQueries replaces the queries, from the next frame that the tracking stage takes. It
// returns them with their IDs.
//
// A query that was set before keeps its ID, its colour, and what is known about it. It is
// recognised by its ID, whatever its label, or, without an ID, by its label. Other queries
// are new. New queries, and those whose phrases have changed, are evaluated at once.
func (c *Control) SetQueries(ctx context.Context, queries []car.Query) ([]car.Query, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running {
		return nil, fmt.Errorf("setting queries: %w", ErrNotRunning)
	}
	if err := car.CheckQueries(queries); err != nil {
		return nil, err
	}
	if _, err := Colours(queries); err != nil {
		return nil, err
	}
	queries, err := c.numbering.Number(queries)
	if err != nil {
		return nil, err
	}
	// The texts are embedded here, so that the run does not wait for them.
	bank, err := c.segmenter.EmbedQueries(ctx, queries)
	if err != nil {
		return nil, err
	}
	c.next.Store(bank)
	c.queries = queries
	return append([]car.Query(nil), queries...), nil
}

// Queries returns the queries that were set last. It returns none before and after the run.
func (c *Control) Queries() []car.Query {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]car.Query(nil), c.queries...)
}

// copyNumbering returns the IDs so far, for a checkpoint.
func (c *Control) copyNumbering() *car.Numbering {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.numbering.Clone()
	return &n
}

// restoreNumbering goes on with the IDs of a checkpoint.
func (c *Control) restoreNumbering(n *car.Numbering) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n != nil {
		c.numbering = n.Clone()
	}
}

// begin ties the control to a job, and returns the job's queries with their IDs.
func (c *Control) begin(j *Job) ([]car.Query, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.segmenter != nil {
		return nil, errors.New("the control belongs to another run")
	}
	queries, err := c.numbering.Number(j.Queries)
	if err != nil {
		return nil, err
	}
	c.segmenter, c.queries = j.Segmenter, queries
	return queries, nil
}

// setRunning notes whether the run is going on, so that queries can be set.
func (c *Control) setRunning(running bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running = running; !running {
		c.queries = nil
	}
}
