package tracking

import (
	"context"

	"github.com/carve-video/carve/car"
)

const (
	// unsure is the support below which a carried mask is not of what is there.
	unsure = 0.5
	// From misfit on a carried mask has a say in the next, and all of it from wellFit on.
	misfit, wellFit = 0.6, 0.95
	// goodEnough is the overlap above which carried masks need no correction from
	// behind.
	goodEnough = 0.93
)

// amend corrects the frames that are held back by what the key frame behind them
// shows: what is gone is taken away from where it ended, and all that is there is
// carried back to them, what is new as far as it is to be seen.
func (c *Propagator) correctPending(ctx context.Context, step *Step, right float64) {
	if len(c.pending) == 0 || step.NewShot {
		return
	}
	var gone []int
	for i := range c.sources {
		if q := c.sources[i].query; !step.Sudden && step.Result.Lookup(q) == nil {
			gone = append(gone, q)
		}
	}
	var found []*car.Found
	anew := false
	for i := range step.Result.Found {
		f := &step.Result.Found[i]
		known := c.sourceOf(f.Query) >= 0
		if f.Area > 0 && (known && right < goodEnough || !known && !step.Sudden) {
			found = append(found, f)
			anew = anew || !known
		}
	}
	if len(gone) == 0 && len(found) == 0 {
		return
	}
	c.propagateBack(ctx, step, found, len(gone) > 0 || anew)
	if len(gone) > 0 && ctx.Err() == nil {
		c.removeGone(gone, false)
	}
}

// blacken takes away from the frames that are held what has faded into a blank
// picture: the nothing that it shows is what is there without anything.
func (c *Propagator) endAtBlank(step *Step) {
	if len(c.pending) == 0 || len(c.sources) == 0 || step.NewShot {
		return
	}
	c.nextLuma = quantize(step.pyramid.Luma(), c.nextLuma)
	c.growNextLumaAt()
	for i := range c.pending {
		c.nextLumaAt[i] = append(c.nextLumaAt[i][:0], c.nextLuma...)
	}
	var gone []int
	for i := range c.sources {
		gone = append(gone, c.sources[i].query)
	}
	c.removeGone(gone, true)
}

func (c *Propagator) growNextLumaAt() {
	for len(c.nextLumaAt) < len(c.pending) {
		c.nextLumaAt = append(c.nextLumaAt, nil)
	}
}

// carryBack takes masks from the key frame back through the held ones, and where
// that is asked for its look. A mask that is there already, carried from the key frame
// before, is mixed with it, each by how near its key frame is and by how sure it is:
// what came into view between the two is known from behind. One that is new ends
// where it is not to be seen.
func (c *Propagator) propagateBack(ctx context.Context, step *Step, found []*car.Found, look bool) {
	w, h, factor := flowSize(step.Analysis)
	c.backPath.reset(w, h, factor)
	c.flow.Threads = threads(c.Threads)
	n := step.Image.W * step.Image.H
	c.backConfidence = resizedPlane(c.backConfidence, n)
	for len(c.backPlanes) < len(found) {
		c.backPlanes = append(c.backPlanes, nil)
	}
	var from [][]float32
	for k, f := range found {
		from = append(from, f.Probability)
		c.backPlanes[k] = resizedPlane(c.backPlanes[k], n)
	}
	if look {
		c.nextLuma = quantize(step.pyramid.Luma(), c.nextLuma)
		c.growNextLumaAt()
	}
	ended := make([]bool, len(found))
	later := step.Analysis
	for i := len(c.pending) - 1; i >= 0 && ctx.Err() == nil; i-- {
		p := c.pending[i]
		c.flow.Between(&p.pyramid, &later.pyramid, factor, &c.backFlow)
		c.backPath.extend(&c.backFlow)
		later = p.Analysis
		if look {
			c.nextLumaAt[i] = c.backPath.warpLuma(c.nextLuma, c.nextLumaAt[i])
		}
		if len(found) == 0 {
			continue
		}
		c.backPath.warpPlanes(ctx, from, c.backPlanes, c.backConfidence, p.Image.W, p.Image.H, threads(c.Threads))
		near := float32(i+1) / float32(len(c.pending)+1)
		for k, f := range found {
			if ctx.Err() != nil {
				return
			}
			if g := p.Result.Lookup(f.Query); g != nil {
				blend(g.Probability, p.confidence, 1-near, c.backPlanes[k], c.backConfidence, near)
				continue
			}
			if ended[k] = ended[k] || c.sourceOf(f.Query) >= 0 || c.isHidden(i, c.backPlanes[k]); !ended[k] {
				g := addFound(p.Result, c.Bank, f.Query, f.Judgement)
				g.Probability = append(g.Probability[:0], c.backPlanes[k]...)
			}
		}
		c.assignPixels(p.Result)
	}
}

// unseen tells whether a mask that was carried back to a held frame is of what is not
// to be seen there yet.
func (c *Propagator) isHidden(i int, mask []float32) bool {
	p := c.pending[i]
	c.maskScratch = maskAtFlowSize(p.Analysis, mask, .5, c.maskScratch)
	if share, known := visibleShare(c.maskScratch, p.pyramid.Luma(), c.nextLumaAt[i], p.keyLuma); known {
		return share < half
	}
	return meanInside(c.backConfidence, mask) < unsure
}

// blend mixes a second mask into a first one.
func blend(a, sureA []float32, shareA float32, b, sureB []float32, shareB float32) {
	const least = 0.01
	for i := range a {
		wa, wb := shareA*(sureA[i]+least), shareB*(sureB[i]+least)
		a[i] = (wa*a[i] + wb*b[i]) / (wa + wb)
	}
}
