package carve

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/carve-video/carve/car"
)

// ErrNotRunning says that a run has not begun, or has ended.
var ErrNotRunning = errors.New("nothing is running")

// A Control changes a run while it goes on. The zero value is ready. It is for one run,
// as [Job.Control]; its methods may be called from any goroutine.
type Control struct {
	mu        sync.Mutex
	segmenter *car.Segmenter
	running   bool
	numbering car.Numbering
	queries   []car.Query

	next atomic.Pointer[car.Bank] // for the tracker to take
}

// SetQueries makes these queries what is looked for, from the next frame on that the
// model stage takes. It returns them with their IDs.
//
// A query keeps its ID, its colour, and what is known of it: one with an ID is that
// query, under whatever label; one without is the one that had its label, or else new. A
// query that means something else than before is asked again at once, as is a new one.
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
	// This goroutine waits for the texts, and not the run.
	bank, err := c.segmenter.EmbedQueries(ctx, queries)
	if err != nil {
		return nil, err
	}
	c.next.Store(bank)
	c.queries = queries
	return append([]car.Query(nil), queries...), nil
}

// Queries are those that were set last; none while nothing is running.
func (c *Control) Queries() []car.Query {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]car.Query(nil), c.queries...)
}

// begin returns the queries of a job with their IDs.
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

// run says whether changes can be taken.
func (c *Control) run(yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running = yes; !yes {
		c.queries = nil
	}
}
