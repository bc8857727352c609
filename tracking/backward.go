package tracking

import (
	"context"

	"github.com/carve-video/carve/car"
)

// correctPending corrects the pending frames by the key frame after them. Queries that the
// key frame no longer shows are removed from the frames in which they are not visible.
// Masks of the key frame are propagated back: those of known queries if carriedIoU, the IoU
// of the propagated mask that fitted worst, is low, and those of new queries as far as they
// are visible.
func (c *Propagator) correctPending(ctx context.Context, step *Step, carriedIoU float64) {
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
	anyNew := false
	for i := range step.Result.Found {
		f := &step.Result.Found[i]
		known := c.sourceOf(f.Query) >= 0
		if f.Area > 0 && (known && carriedIoU < c.Params.orDefault().CorrectBelow || !known && !step.Sudden) {
			found = append(found, f)
			anyNew = anyNew || !known
		}
	}
	if len(gone) == 0 && len(found) == 0 {
		return
	}
	c.propagateBack(ctx, step, found, len(gone) > 0 || anyNew)
	if len(gone) > 0 && ctx.Err() == nil {
		c.removeGone(gone, false)
	}
}

// endAtBlank removes objects that faded into a blank frame from the pending frames in which
// they are no longer visible. The blank frame is the template without the object.
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

// growNextLumaAt makes nextLumaAt as long as pending.
func (c *Propagator) growNextLumaAt() {
	for len(c.nextLumaAt) < len(c.pending) {
		c.nextLumaAt = append(c.nextLumaAt, nil)
	}
}

// propagateBack propagates masks of the key frame back through the pending frames, and the
// key frame's luma too if withLuma is set. Where a query also has a mask from the key frame
// before, the two are blended. Each weighs by its confidence and by how near its key frame
// is, so that what came into view between the key frames comes from the later one. The mask
// of a new query ends where the query is hidden.
func (c *Propagator) propagateBack(ctx context.Context, step *Step, found []*car.Found, withLuma bool) {
	w, h, factor := flowSize(step.Analysis)
	c.backPath.reset(w, h, factor)
	c.flow.Threads = threads(c.Threads)
	n := step.Image.W * step.Image.H
	c.backConfidence = resizedPlane(c.backConfidence, n)
	for len(c.backPlanes) < len(found) {
		c.backPlanes = append(c.backPlanes, nil)
	}
	var masks [][]float32
	for k, f := range found {
		masks = append(masks, f.Probability)
		c.backPlanes[k] = resizedPlane(c.backPlanes[k], n)
	}
	if withLuma {
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
		if withLuma {
			c.nextLumaAt[i] = c.backPath.warpLuma(c.nextLuma, c.nextLumaAt[i])
		}
		if len(found) == 0 {
			continue
		}
		c.backPath.warpPlanes(ctx, masks, c.backPlanes, c.backConfidence, p.Image.W, p.Image.H, threads(c.Threads))
		weight := float32(i+1) / float32(len(c.pending)+1)
		for k, f := range found {
			if ctx.Err() != nil {
				return
			}
			if g := p.Result.Lookup(f.Query); g != nil {
				blend(g.Probability, p.confidence, 1-weight, c.backPlanes[k], c.backConfidence, weight)
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

// isHidden reports whether the object of a mask that was propagated back to pending frame i
// is not visible there yet.
func (c *Propagator) isHidden(i int, mask []float32) bool {
	p := c.pending[i]
	c.maskScratch = maskAtFlowSize(p.Analysis, mask, .5, c.maskScratch)
	params := c.Params.orDefault()
	if share, known := visibleShare(c.maskScratch, p.pyramid.Luma(), c.nextLumaAt[i], p.keyLuma, params); known {
		return share < params.VisibleShare
	}
	return float64(meanInside(c.backConfidence, mask)) < params.MinConfidence
}

// blend blends mask b into mask a. Each pixel of a mask weighs by the mask's weight and
// the pixel's confidence.
func blend(a, confidenceA []float32, weightA float32, b, confidenceB []float32, weightB float32) {
	const floor = 0.01 // added to confidences, so that the weights are never all 0
	for i := range a {
		wa, wb := weightA*(confidenceA[i]+floor), weightB*(confidenceB[i]+floor)
		a[i] = (wa*a[i] + wb*b[i]) / (wa + wb)
	}
}
