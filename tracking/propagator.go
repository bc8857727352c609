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
type Propagator struct {
	// Segmenter refines.
	Segmenter *car.Segmenter
	// Bank has the queries of the last step.
	Bank *car.Bank

	// Steady is how much of a key frame's mask comes from the frames before, 0..1:
	// edges that are found anew each time boil.
	Smoothing float64
	// Lookahead is how many frames are held back at most, so that what a key frame
	// shows for the first time can be carried back to where it began, and what it
	// shows no more be taken away from where it ended. 0 is for live streams.
	Lookahead int
	// Roster, if not nil, numbers the things of each concept.
	InstanceTracker *InstanceTracker
	// Reports, if not nil, is told of every key frame how right what was carried to it
	// was: the overlap of the mask that was wrong most.
	Reports chan<- float64
	// Threads bounds the goroutines of what is computed here; 0 stands for
	// runtime.GOMAXPROCS.
	Threads int

	sources    []source // what is carried, by query
	path       path     // from the frame at hand to the key frame of the source
	pending    []*Step
	freePlanes [][]float32 // planes of steps that are done

	backPath       path // the same the other way round
	flow           flow.Estimator
	backFlow       flow.Field
	backPlanes     [][]float32
	backConfidence []float32

	// Looks at the flow's resolution, see dissolve.go: of the last key frame, of the one
	// behind the held frames, and of that as seen from each of them.
	keyLuma, nextLuma []byte
	nextLumaAt        [][]byte
	freeLumas         [][]byte
	maskScratch       []byte // a mask

	mu          sync.Mutex
	freeResults []*car.Result
}

// A source is the mask of a query in the last key frame.
type source struct {
	query   int
	mask    []float32
	carried []float32 // to the frame at hand
	iou     float64   // overlap with what is found there
}

// Next takes the next step, and returns those that are done, in order: none while
// they are held back. Their results are the caller's, until it gives them to
// Recycle; so is the step that it was given, if it fails. When the context ends it
// returns soon, whatever the size and the number of queries, and what it made until
// then is of no use.
func (c *Propagator) Next(ctx context.Context, step *Step) (done []*Step, err error) {
	step.Result = c.takeResult()
	step.Result.W, step.Result.H = step.Image.W, step.Image.H
	if step.Bank != c.Bank { // other queries
		done = c.Flush()
		c.setBank(step.Bank)
	}
	if step.NewShot || step.Blank {
		if step.Blank {
			c.endAtBlank(step)
		}
		done = append(done, c.Flush()...)
		c.sources, c.keyLuma = c.sources[:0], c.keyLuma[:0]
	} else {
		c.propagate(ctx, step)
	}
	if !step.Key {
		c.assemble(step)
		if err := ctx.Err(); err != nil {
			return done, err
		}
		c.pending = append(c.pending, step)
		return append(done, c.emit(max(len(c.pending)-c.Lookahead, 0))...), nil
	}
	if err := c.Segmenter.RefineInto(ctx, step.Encoded, step.Outcome, step.Result); err != nil {
		// Whoever goes on in spite of it waits for a report of this key frame.
		return done, errors.Join(err, c.report(context.WithoutCancel(ctx), 1))
	}
	step.closeEncoded()
	c.addRetained(step)
	right := c.measureCarried(step)
	if err := c.report(ctx, right); err != nil {
		return done, err
	}
	c.smooth(step)
	c.correctPending(ctx, step, right)
	if err := ctx.Err(); err != nil {
		return done, err
	}
	c.setSources(step)
	c.pending = append(c.pending, step)
	return append(done, c.Flush()...), nil
}

// report tells how right what was carried to a key frame was.
func (c *Propagator) report(ctx context.Context, right float64) error {
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
func (c *Propagator) Flush() []*Step { return c.emit(len(c.pending)) }

// let gives the first n of the steps that are held.
func (c *Propagator) emit(n int) []*Step {
	done := slices.Clone(c.pending[:n])
	c.pending = slices.Delete(c.pending, 0, n)
	for _, s := range done {
		if !s.stateless {
			removeSpecks(s.Result)
		}
		if s.confidence != nil {
			c.freePlanes = append(c.freePlanes, s.confidence)
			s.confidence = nil
		}
		if s.keyLuma != nil {
			c.freeLumas = append(c.freeLumas, s.keyLuma)
			s.keyLuma = nil
		}
		if c.InstanceTracker != nil {
			c.InstanceTracker.Track(s)
		}
	}
	return done
}

// speck is the area, over the picture's, below which a mask is no thing that could
// have been seen: a third of a patch's side. Such are what motion leaves at the
// picture's edge, and what loses against all others nearly everywhere.
const speck = 1. / 4000

// sweep empties masks that are specks.
func removeSpecks(res *car.Result) {
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
func (c *Propagator) Recycle(r *car.Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.freeResults = append(c.freeResults, r)
}

func (c *Propagator) takeResult() *car.Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.freeResults); n > 0 {
		r := c.freeResults[n-1]
		c.freeResults = c.freeResults[:n-1]
		r.Found, r.Verdicts, r.Stages = r.Found[:0], r.Verdicts[:0], nil
		return r
	}
	return new(car.Result)
}

// carry takes the masks of the source to the frame, and the look of its key frame.
func (c *Propagator) propagate(ctx context.Context, step *Step) {
	if len(c.keyLuma) == 0 {
		return // there has been none in this shot
	}
	c.path.extend(&step.Motion)
	if n := len(c.freeLumas); n > 0 {
		step.keyLuma, c.freeLumas = c.freeLumas[n-1], c.freeLumas[:n-1]
	}
	step.keyLuma = c.path.warpLuma(c.keyLuma, step.keyLuma)
	if len(c.sources) == 0 {
		return
	}
	n := step.Image.W * step.Image.H
	var from, to [][]float32
	for i := range c.sources {
		s := &c.sources[i]
		s.carried = resizedPlane(s.carried, n)
		from, to = append(from, s.mask), append(to, s.carried)
	}
	step.confidence = c.takePlane(n)
	c.path.warpPlanes(ctx, from, to, step.confidence, step.Image.W, step.Image.H, threads(c.Threads))
}

// find makes what was carried the result of the frame.
func (c *Propagator) assemble(step *Step) {
	res := step.Result
	for i := range c.sources {
		s := &c.sources[i]
		at := slices.Index(step.Present, s.query)
		if at < 0 {
			continue
		}
		f := addFound(res, c.Bank, s.query, step.Judgements[at])
		f.Probability = append(f.Probability[:0], s.carried...)
		step.confidences = append(step.confidences, maskConfidence{s.query, meanInside(step.confidence, f.Probability)})
	}
	c.Segmenter.AssignPixels(c.Bank, res)
}

// support is how sure the mask of a query is, on average.
type maskConfidence struct {
	query int
	share float32
}

// mean is that of what is sure inside a mask.
func meanInside(sure, mask []float32) float32 {
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
func addFound(res *car.Result, bank *car.Bank, query int, j car.Judgement) *car.Found {
	if len(res.Found) < cap(res.Found) {
		res.Found = res.Found[:len(res.Found)+1]
	} else {
		res.Found = append(res.Found, car.Found{})
	}
	f := &res.Found[len(res.Found)-1]
	f.Query, f.Label, f.Judgement = query, bank.Queries()[query].Label, j
	return f
}

func resizedPlane(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

// stand puts those who stand without having passed where motion brought them.
func (c *Propagator) addRetained(step *Step) {
	res := step.Result
	for _, q := range step.Retained {
		at := c.sourceOf(q)
		if at < 0 {
			continue
		}
		j := step.Judgements[slices.Index(step.Present, q)]
		f := addFound(res, c.Bank, q, j)
		f.Probability = append(f.Probability[:0], c.sources[at].carried...)
	}
	if len(step.Retained) > 0 {
		c.assignPixels(res)
	}
}

// fuse lets the carried masks of the queries that go on have their say, where they
// are sure, and the more the better they fit: it is for edges that boil, not for
// masks that went elsewhere.
func (c *Propagator) smooth(step *Step) {
	if c.Smoothing <= 0 || len(c.sources) == 0 {
		return
	}
	for i := range step.Result.Found {
		f := &step.Result.Found[i]
		at := c.sourceOf(f.Query)
		if at < 0 || slices.Contains(step.Retained, f.Query) {
			continue
		}
		steady := float32(c.Smoothing * min(max((c.sources[at].iou-misfit)/(wellFit-misfit), 0), 1))
		for k, p := range c.sources[at].carried {
			f.Probability[k] += steady * step.confidence[k] * (p - f.Probability[k])
		}
	}
	c.Segmenter.AssignPixels(c.Bank, step.Result)
}

func (c *Propagator) sourceOf(query int) int {
	return slices.IndexFunc(c.sources, func(s source) bool { return s.query == query })
}

// keep makes the result of a key frame what is carried from now on.
func (c *Propagator) setSources(step *Step) {
	res := step.Result
	for len(c.sources) < len(res.Found) {
		if len(c.sources) < cap(c.sources) {
			c.sources = c.sources[:len(c.sources)+1]
		} else {
			c.sources = append(c.sources, source{})
		}
	}
	c.sources = c.sources[:len(res.Found)]
	for i := range res.Found {
		s := &c.sources[i]
		s.query, s.mask = res.Found[i].Query, append(s.mask[:0], res.Found[i].Probability...)
	}
	c.path.reset(flowSize(step.Analysis))
	if !step.stateless {
		c.keyLuma = quantize(step.pyramid.Luma(), c.keyLuma)
	}
}

// right is the overlap of the carried masks with those that are found in a key
// frame, of the one that is wrong most; 1 where there is none.
func (c *Propagator) measureCarried(step *Step) float64 {
	worst := 1.0
	for i := range c.sources {
		s := &c.sources[i]
		s.iou = 1
		f := step.Result.Lookup(s.query)
		if f == nil || slices.Contains(step.Retained, s.query) {
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
			s.iou = float64(both) / float64(either)
		}
		worst = min(worst, s.iou)
	}
	return worst
}

// remove takes a query out of a result. Its memory stays, behind the others.
func removeFound(r *car.Result, query int) {
	if k := slices.IndexFunc(r.Found, func(f car.Found) bool { return f.Query == query }); k >= 0 {
		last := len(r.Found) - 1
		r.Found[k], r.Found[last] = r.Found[last], r.Found[k]
		r.Found = r.Found[:last]
	}
}

func (c *Propagator) assignPixels(r *car.Result) {
	r.Verdicts = r.Verdicts[:0]
	c.Segmenter.AssignPixels(c.Bank, r)
}

// plane returns memory for one value a pixel.
func (c *Propagator) takePlane(n int) []float32 {
	if last := len(c.freePlanes) - 1; last >= 0 && cap(c.freePlanes[last]) >= n {
		p := c.freePlanes[last][:n]
		c.freePlanes = c.freePlanes[:last]
		return p
	}
	return make([]float32, n)
}
