package tracking

import (
	"context"
	"slices"
	"sync"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking/flow"
)

// A Propagator makes the masks of every frame. In key frames it refines what the model
// proposed. To the other frames it propagates those masks along the motion, forward from
// the key frame before and backward from the key frame after. Except for Recycle, it is
// for one goroutine.
type Propagator struct {
	// Segmenter refines.
	Segmenter *car.Segmenter
	// Bank has the queries of the last step.
	Bank *car.Bank
	// Params tunes it; nil stands for [DefaultParams].
	Params *Params

	// Smoothing is the weight of the propagated mask in that of a key frame, 0..1. Without
	// it edges flicker, because each key frame finds them anew.
	Smoothing float64
	// Lookahead is the number of frames that are held back at most. An object that a key
	// frame finds is then shown from where it appeared, and one that it no longer finds
	// until it vanished. Use 0 for live streams.
	Lookahead int
	// InstanceTracker, if not nil, numbers the instances of each query.
	InstanceTracker *InstanceTracker
	// Threads bounds the goroutines of what is computed here; 0 stands for
	// runtime.GOMAXPROCS.
	Threads int

	sources []source // the masks that are propagated, by query
	path    path     // from the frame in hand to the key frame of the sources
	pending []*Step  // steps that are held back
	done    []*Step  // steps that are done, until Next returns them

	// Luma at the flow's resolution, see visibility.go: of the last key frame, of the key
	// frame after the pending frames, and of the latter moved to each pending frame.
	keyLuma, nextLuma []byte
	nextLumaAt        [][]byte

	// Reused memory.
	backPath       path
	flow           flow.Estimator
	backFlow       flow.Field
	backPlanes     [][]float32
	backConfidence []float32
	freePlanes     [][]float32
	freeLumas      [][]byte
	maskScratch    []byte

	mu          sync.Mutex
	freeResults []*car.Result
}

// A source is the mask of a query in the last key frame.
type source struct {
	query   int
	mask    []float32 // 0..1, W×H
	carried []float32 // the same propagated to the frame in hand
	iou     float64   // IoU of carried with the new mask, if the frame in hand is a key frame
}

// Refine begins the next step. In a key frame it makes the masks, and returns how well the
// propagated masks fitted, which is the [Feedback] for the Tracker: the IoU of the one that
// fitted worst, or 1 if there was none. In other frames it returns 1. Next calls Refine if
// the caller has not. A pipeline calls it, so that the Tracker need not wait for Next.
func (c *Propagator) Refine(ctx context.Context, step *Step) (carriedIoU float64, err error) {
	c.begin(ctx, step)
	if !step.Key {
		return 1, nil
	}
	if step.err = c.Segmenter.RefineInto(ctx, step.Encoded, step.Outcome, step.Result); step.err != nil {
		return 1, step.err
	}
	step.closeEncoded()
	c.addRetained(step)
	step.carriedIoU = c.measureCarried(step)
	return step.carriedIoU, nil
}

// begin gives a step its result, and moves the masks of the last key frame to it.
func (c *Propagator) begin(ctx context.Context, step *Step) {
	step.begun = true
	step.Result = c.takeResult()
	step.Result.W, step.Result.H = step.Image.W, step.Image.H
	if step.Bank != c.Bank { // the queries have changed
		c.done = append(c.done, c.Flush()...)
		c.setBank(step.Bank)
	}
	if step.NewShot || step.Blank {
		if step.Blank {
			c.endAtBlank(step)
		}
		c.done = append(c.done, c.Flush()...)
		c.sources, c.keyLuma = c.sources[:0], c.keyLuma[:0]
		return
	}
	c.propagate(ctx, step)
}

// Next takes the next step, and returns the steps that are done, in order; none while they
// are held back. Their results belong to the caller until it passes them to Recycle. If Next
// fails, the step that it took belongs to the caller too. When ctx ends Next returns soon,
// with an error, even for large frames and many queries.
func (c *Propagator) Next(ctx context.Context, step *Step) (done []*Step, err error) {
	if !step.begun {
		c.Refine(ctx, step)
	}
	done, c.done = c.done, nil
	if step.err != nil {
		return done, step.err
	}
	if !step.Key {
		c.assemble(step)
		if err := ctx.Err(); err != nil {
			return done, err
		}
		c.pending = append(c.pending, step)
		return append(done, c.emit(max(len(c.pending)-c.Lookahead, 0))...), nil
	}
	c.smooth(step)
	c.correctPending(ctx, step, step.carriedIoU)
	if err := ctx.Err(); err != nil {
		return done, err
	}
	c.setSources(step)
	c.pending = append(c.pending, step)
	done = append(done, c.Flush()...)
	if step.snapshot != nil {
		step.Checkpoint = c.checkpoint(step)
	}
	return done, nil
}

// Flush returns the steps that are held back. No later frame changes them.
func (c *Propagator) Flush() []*Step { return c.emit(len(c.pending)) }

// emit returns the first n of the pending steps, with instances.
func (c *Propagator) emit(n int) []*Step {
	done := slices.Clone(c.pending[:n])
	c.pending = slices.Delete(c.pending, 0, n)
	for _, s := range done {
		if !s.stateless {
			removeSpecks(s.Result, c.Params.orDefault().MinArea)
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

// removeSpecks empties masks whose area, as a share of the frame's, is below minArea.
func removeSpecks(res *car.Result, minArea float64) {
	for i := range res.Found {
		f := &res.Found[i]
		if f.Area == 0 || float64(f.Area) >= minArea*float64(res.W*res.H) {
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

// propagate moves the masks and the luma of the last key frame to the frame.
func (c *Propagator) propagate(ctx context.Context, step *Step) {
	if len(c.keyLuma) == 0 {
		return // no key frame in this shot yet
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

// assemble makes the propagated masks the result of the frame.
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

// A maskConfidence is the mean confidence of the motion inside the mask of a query.
type maskConfidence struct {
	query int
	share float32
}

// meanInside is the mean of values inside a mask.
func meanInside(values, mask []float32) float32 {
	n, sum := 0, float32(0)
	for i, p := range mask {
		if p > .5 {
			n++
			sum += values[i]
		}
	}
	return sum / float32(max(n, 1))
}

// addFound appends a query to a result, and reuses the memory of an earlier one.
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

// addRetained gives retained queries their propagated masks.
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

// smooth mixes propagated masks into those of a key frame, by their confidence and fit.
func (c *Propagator) smooth(step *Step) {
	if c.Smoothing <= 0 || len(c.sources) == 0 {
		return
	}
	params := c.Params.orDefault()
	for i := range step.Result.Found {
		f := &step.Result.Found[i]
		at := c.sourceOf(f.Query)
		if at < 0 || slices.Contains(step.Retained, f.Query) {
			continue
		}
		weight := float32(c.Smoothing * min(max((c.sources[at].iou-params.SmoothFrom)/(params.SmoothFull-params.SmoothFrom), 0), 1))
		for k, p := range c.sources[at].carried {
			f.Probability[k] += weight * step.confidence[k] * (p - f.Probability[k])
		}
	}
	c.Segmenter.AssignPixels(c.Bank, step.Result)
}

// sourceOf returns the index of a query in sources, or -1.
func (c *Propagator) sourceOf(query int) int {
	return slices.IndexFunc(c.sources, func(s source) bool { return s.query == query })
}

// setSources makes the masks of a key frame those that are propagated from now on.
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

// measureCarried sets the IoU of each propagated mask with the new mask of a key frame. It
// returns the lowest, or 1 if there is none.
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

// removeFound removes a query from a result. Its memory stays in the slice's capacity, for
// reuse.
func removeFound(r *car.Result, query int) {
	if k := slices.IndexFunc(r.Found, func(f car.Found) bool { return f.Query == query }); k >= 0 {
		last := len(r.Found) - 1
		r.Found[k], r.Found[last] = r.Found[last], r.Found[k]
		r.Found = r.Found[:last]
	}
}

// assignPixels assigns the pixels of a result anew.
func (c *Propagator) assignPixels(r *car.Result) {
	r.Verdicts = r.Verdicts[:0]
	c.Segmenter.AssignPixels(c.Bank, r)
}

// takePlane returns memory for one value per pixel.
func (c *Propagator) takePlane(n int) []float32 {
	if last := len(c.freePlanes) - 1; last >= 0 && cap(c.freePlanes[last]) >= n {
		p := c.freePlanes[last][:n]
		c.freePlanes = c.freePlanes[:last]
		return p
	}
	return make([]float32, n)
}
