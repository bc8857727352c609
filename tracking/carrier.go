package tracking

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking/flow"
)

// A Carrier makes the masks of every frame: in key frames by refining what the
// model proposed, in the others by carrying those along the motion and fitting them
// to the picture. It is for one goroutine, but for Recycle.
type Carrier struct {
	// Segmenter refines.
	Segmenter *car.Segmenter
	// Bank has the queries of the last step.
	Bank *car.Bank

	// Steady is how much of a key frame's mask comes from the frames before, 0..1:
	// edges that are found anew each time boil.
	Steady float64
	// Lookahead is how many frames are held back at most, so that what a key frame
	// shows for the first time can be carried back to where it began, and what it
	// shows no more be taken away from where it ended. 0 is for live streams.
	Lookahead int
	// Roster, if not nil, numbers the things of each concept.
	Roster *Roster
	// Reports, if not nil, is told of every key frame how right what was carried to it
	// was: the overlap of the mask that was wrong most.
	Reports chan<- float64
	// Threads bounds the goroutines of what is computed here; 0 stands for
	// runtime.GOMAXPROCS.
	Threads int

	source  []source // what is carried, by query
	path    path     // from the frame at hand to the key frame of the source
	pending []*Step
	spares  [][]float32 // planes of steps that are done

	back   path // the same the other way round
	flow   flow.Estimator
	next   flow.Field
	planes [][]float32
	sure   []float32

	// Looks at the flow's resolution, see dissolve.go: of the last key frame, of the one
	// behind the held frames, and of that as seen from each of them.
	look, newest []byte
	behind       [][]byte
	spareLooks   [][]byte
	small        []byte // a mask

	mu    sync.Mutex
	spare []*car.Result
}

// A source is the mask of a query in the last key frame.
type source struct {
	query   int
	mask    []float32
	carried []float32 // to the frame at hand
	right   float64   // overlap with what is found there
}

// Next takes the next step, and returns those that are done, in order: none while
// they are held back. Their results are the caller's, until it gives them to
// Recycle; so is the step that it was given, if it fails. When the context ends it
// returns soon, whatever the size and the number of queries, and what it made until
// then is of no use.
func (c *Carrier) Next(ctx context.Context, step *Step) (done []*Step, err error) {
	step.Result = c.take()
	step.Result.W, step.Result.H = step.Image.W, step.Image.H
	if step.Bank != c.Bank { // other queries
		done = c.Flush()
		c.adopt(step.Bank)
	}
	if step.Fresh || step.Blank {
		if step.Blank {
			c.blacken(step)
		}
		done = append(done, c.Flush()...)
		c.source, c.look = c.source[:0], c.look[:0]
	} else {
		c.carry(ctx, step)
	}
	if !step.Key {
		c.find(step)
		if err := ctx.Err(); err != nil {
			return done, err
		}
		c.pending = append(c.pending, step)
		return append(done, c.let(max(len(c.pending)-c.Lookahead, 0))...), nil
	}
	if err := c.Segmenter.RefineInto(ctx, step.Scene, step.Outcome, step.Result); err != nil {
		// Whoever goes on in spite of it waits for a report of this key frame.
		return done, errors.Join(err, c.report(context.WithoutCancel(ctx), 1))
	}
	step.closeScene()
	c.stand(step)
	right := c.right(step)
	if err := c.report(ctx, right); err != nil {
		return done, err
	}
	c.fuse(step)
	c.amend(ctx, step, right)
	if err := ctx.Err(); err != nil {
		return done, err
	}
	c.keep(step)
	c.pending = append(c.pending, step)
	return append(done, c.Flush()...), nil
}

// report tells how right what was carried to a key frame was.
func (c *Carrier) report(ctx context.Context, right float64) error {
	if c.Reports == nil {
		return nil
	}
	select {
	case c.Reports <- right:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Flush returns what is held back: there is no frame to come that would change it.
func (c *Carrier) Flush() []*Step { return c.let(len(c.pending)) }

// let gives the first n of the steps that are held.
func (c *Carrier) let(n int) []*Step {
	done := slices.Clone(c.pending[:n])
	c.pending = slices.Delete(c.pending, 0, n)
	for _, s := range done {
		if !s.stateless {
			sweep(s.Result)
		}
		if s.sure != nil {
			c.spares = append(c.spares, s.sure)
			s.sure = nil
		}
		if s.before != nil {
			c.spareLooks = append(c.spareLooks, s.before)
			s.before = nil
		}
		if c.Roster != nil {
			c.Roster.Number(s)
		}
	}
	return done
}

// speck is the area, over the picture's, below which a mask is no thing that could
// have been seen: a third of a patch's side. Such are what motion leaves at the
// picture's edge, and what loses against all others nearly everywhere.
const speck = 1. / 4000

// sweep empties masks that are specks.
func sweep(res *car.Result) {
	for i := range res.Found {
		f := &res.Found[i]
		if f.Area == 0 || float64(f.Area) >= speck*float64(res.W*res.H) {
			continue
		}
		for k, m := range f.Mask {
			if m != 0 && int(res.Labels[k]) == f.Query+1 {
				res.Labels[k] = 0
			}
		}
		clear(f.Mask)
		clear(f.Probability)
		f.Stats = car.Stats{}
		if f.Query < len(res.Verdicts) {
			res.Verdicts[f.Query].Reason = car.NoPixels
		}
	}
}

// Recycle takes back the memory of a result.
func (c *Carrier) Recycle(r *car.Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spare = append(c.spare, r)
}

func (c *Carrier) take() *car.Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.spare); n > 0 {
		r := c.spare[n-1]
		c.spare = c.spare[:n-1]
		r.Found, r.Verdicts, r.Stages = r.Found[:0], r.Verdicts[:0], nil
		return r
	}
	return new(car.Result)
}

// carry takes the masks of the source to the frame, and the look of its key frame.
func (c *Carrier) carry(ctx context.Context, step *Step) {
	if len(c.look) == 0 {
		return // there has been none in this shot
	}
	c.path.step(&step.Motion)
	if n := len(c.spareLooks); n > 0 {
		step.before, c.spareLooks = c.spareLooks[n-1], c.spareLooks[:n-1]
	}
	step.before = c.path.between(c.look, step.before)
	if len(c.source) == 0 {
		return
	}
	n := step.Image.W * step.Image.H
	var from, to [][]float32
	for i := range c.source {
		s := &c.source[i]
		s.carried = sized(s.carried, n)
		from, to = append(from, s.mask), append(to, s.carried)
	}
	step.sure = c.plane(n)
	c.path.carry(ctx, from, to, step.sure, step.Image.W, step.Image.H, threads(c.Threads))
}

// find makes what was carried the result of the frame.
func (c *Carrier) find(step *Step) {
	res := step.Result
	for i := range c.source {
		s := &c.source[i]
		at := slices.Index(step.Present, s.query)
		if at < 0 {
			continue
		}
		f := add(res, c.Bank, s.query, step.Judgements[at])
		f.Probability = append(f.Probability[:0], s.carried...)
		step.support = append(step.support, support{s.query, mean(step.sure, f.Probability)})
	}
	c.Segmenter.AssignPixels(c.Bank, res)
}

// support is how sure the mask of a query is, on average.
type support struct {
	query int
	share float32
}

// mean is that of what is sure inside a mask.
func mean(sure, mask []float32) float32 {
	n, sum := 0, float32(0)
	for i, p := range mask {
		if p > .5 {
			n++
			sum += sure[i]
		}
	}
	return sum / float32(max(n, 1))
}

// add appends a part to a result, with the memory of an earlier one.
func add(res *car.Result, bank *car.Bank, query int, j car.Judgement) *car.Found {
	if len(res.Found) < cap(res.Found) {
		res.Found = res.Found[:len(res.Found)+1]
	} else {
		res.Found = append(res.Found, car.Found{})
	}
	f := &res.Found[len(res.Found)-1]
	f.Query, f.Label, f.Judgement = query, bank.Queries()[query].Label, j
	return f
}

func sized(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

// stand puts those who stand without having passed where motion brought them.
func (c *Carrier) stand(step *Step) {
	res := step.Result
	for _, q := range step.Standing {
		at := c.lookup(q)
		if at < 0 {
			continue
		}
		j := step.Judgements[slices.Index(step.Present, q)]
		f := add(res, c.Bank, q, j)
		f.Probability = append(f.Probability[:0], c.source[at].carried...)
	}
	if len(step.Standing) > 0 {
		c.settle(res)
	}
}

// fuse lets the carried masks of the queries that go on have their say, where they
// are sure, and the more the better they fit: it is for edges that boil, not for
// masks that went elsewhere.
func (c *Carrier) fuse(step *Step) {
	if c.Steady <= 0 || len(c.source) == 0 {
		return
	}
	for i := range step.Result.Found {
		f := &step.Result.Found[i]
		at := c.lookup(f.Query)
		if at < 0 || slices.Contains(step.Standing, f.Query) {
			continue
		}
		steady := float32(c.Steady * min(max((c.source[at].right-misfit)/(wellFit-misfit), 0), 1))
		for k, p := range c.source[at].carried {
			f.Probability[k] += steady * step.sure[k] * (p - f.Probability[k])
		}
	}
	c.Segmenter.AssignPixels(c.Bank, step.Result)
}

func (c *Carrier) lookup(query int) int {
	return slices.IndexFunc(c.source, func(s source) bool { return s.query == query })
}

// keep makes the result of a key frame what is carried from now on.
func (c *Carrier) keep(step *Step) {
	res := step.Result
	for len(c.source) < len(res.Found) {
		if len(c.source) < cap(c.source) {
			c.source = c.source[:len(c.source)+1]
		} else {
			c.source = append(c.source, source{})
		}
	}
	c.source = c.source[:len(res.Found)]
	for i := range res.Found {
		s := &c.source[i]
		s.query, s.mask = res.Found[i].Query, append(s.mask[:0], res.Found[i].Probability...)
	}
	c.path.begin(flowSize(step.Sight))
	if !step.stateless {
		c.look = bytesOf(step.picture.Luma(), c.look)
	}
}

// right is the overlap of the carried masks with those that are found in a key
// frame, of the one that is wrong most; 1 where there is none.
func (c *Carrier) right(step *Step) float64 {
	worst := 1.0
	for i := range c.source {
		s := &c.source[i]
		s.right = 1
		f := step.Result.Lookup(s.query)
		if f == nil || slices.Contains(step.Standing, s.query) {
			continue
		}
		both, either := 0, 0
		for k, p := range s.carried {
			a, b := p > .5, f.Mask[k] != 0
			if a && b {
				both++
			}
			if a || b {
				either++
			}
		}
		if either > 0 {
			s.right = float64(both) / float64(either)
		}
		worst = min(worst, s.right)
	}
	return worst
}

// remove takes a query out of a result. Its memory stays, behind the others.
func remove(r *car.Result, query int) {
	if k := slices.IndexFunc(r.Found, func(f car.Found) bool { return f.Query == query }); k >= 0 {
		last := len(r.Found) - 1
		r.Found[k], r.Found[last] = r.Found[last], r.Found[k]
		r.Found = r.Found[:last]
	}
}

func (c *Carrier) settle(r *car.Result) {
	r.Verdicts = r.Verdicts[:0]
	c.Segmenter.AssignPixels(c.Bank, r)
}

// plane returns memory for one value a pixel.
func (c *Carrier) plane(n int) []float32 {
	if last := len(c.spares) - 1; last >= 0 && cap(c.spares[last]) >= n {
		p := c.spares[last][:n]
		c.spares = c.spares[:last]
		return p
	}
	return make([]float32, n)
}
