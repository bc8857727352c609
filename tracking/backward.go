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
func (c *Carrier) amend(ctx context.Context, step *Step, right float64) {
	if len(c.pending) == 0 || step.Fresh {
		return
	}
	var gone []int
	for i := range c.source {
		if q := c.source[i].query; !step.Sudden && step.Result.Lookup(q) == nil {
			gone = append(gone, q)
		}
	}
	var found []*car.Found
	anew := false
	for i := range step.Result.Found {
		f := &step.Result.Found[i]
		known := c.lookup(f.Query) >= 0
		if f.Area > 0 && (known && right < goodEnough || !known && !step.Sudden) {
			found = append(found, f)
			anew = anew || !known
		}
	}
	if len(gone) == 0 && len(found) == 0 {
		return
	}
	c.carryBack(ctx, step, found, len(gone) > 0 || anew)
	if len(gone) > 0 && ctx.Err() == nil {
		c.takeAway(gone, false)
	}
}

// blacken takes away from the frames that are held what has faded into a blank
// picture: the nothing that it shows is what is there without anything.
func (c *Carrier) blacken(step *Step) {
	if len(c.pending) == 0 || len(c.source) == 0 || step.Fresh {
		return
	}
	c.newest = bytesOf(step.picture.Luma(), c.newest)
	c.growBehind()
	for i := range c.pending {
		c.behind[i] = append(c.behind[i][:0], c.newest...)
	}
	var gone []int
	for i := range c.source {
		gone = append(gone, c.source[i].query)
	}
	c.takeAway(gone, true)
}

func (c *Carrier) growBehind() {
	for len(c.behind) < len(c.pending) {
		c.behind = append(c.behind, nil)
	}
}

// carryBack takes masks from the key frame back through the held ones, and where
// that is asked for its look. A mask that is there already, carried from the key frame
// before, is mixed with it, each by how near its key frame is and by how sure it is:
// what came into view between the two is known from behind. One that is new ends
// where it is not to be seen.
func (c *Carrier) carryBack(ctx context.Context, step *Step, found []*car.Found, look bool) {
	w, h, factor := flowSize(step.Sight)
	c.back.begin(w, h, factor)
	c.flow.Threads = threads(c.Threads)
	n := step.Image.W * step.Image.H
	c.sure = sized(c.sure, n)
	for len(c.planes) < len(found) {
		c.planes = append(c.planes, nil)
	}
	var from [][]float32
	for k, f := range found {
		from = append(from, f.Probability)
		c.planes[k] = sized(c.planes[k], n)
	}
	if look {
		c.newest = bytesOf(step.picture.Luma(), c.newest)
		c.growBehind()
	}
	ended := make([]bool, len(found))
	later := step.Sight
	for i := len(c.pending) - 1; i >= 0 && ctx.Err() == nil; i-- {
		p := c.pending[i]
		c.flow.Between(&p.picture, &later.picture, factor, &c.next)
		c.back.step(&c.next)
		later = p.Sight
		if look {
			c.behind[i] = c.back.between(c.newest, c.behind[i])
		}
		if len(found) == 0 {
			continue
		}
		c.back.carry(ctx, from, c.planes, c.sure, p.Image.W, p.Image.H, threads(c.Threads))
		near := float32(i+1) / float32(len(c.pending)+1)
		for k, f := range found {
			if ctx.Err() != nil {
				return
			}
			if g := p.Result.Lookup(f.Query); g != nil {
				blend(g.Probability, p.sure, 1-near, c.planes[k], c.sure, near)
				continue
			}
			if ended[k] = ended[k] || c.lookup(f.Query) >= 0 || c.unseen(i, c.planes[k]); !ended[k] {
				g := add(p.Result, c.Bank, f.Query, f.Judgement)
				g.Probability = append(g.Probability[:0], c.planes[k]...)
			}
		}
		c.settle(p.Result)
	}
}

// unseen tells whether a mask that was carried back to a held frame is of what is not
// to be seen there yet.
func (c *Carrier) unseen(i int, mask []float32) bool {
	p := c.pending[i]
	c.small = rough(p.Sight, mask, .5, c.small)
	if share, known := visible(c.small, p.picture.Luma(), c.behind[i], p.before); known {
		return share < half
	}
	return mean(c.sure, mask) < unsure
}

// blend mixes a second mask into a first one.
func blend(a, sureA []float32, shareA float32, b, sureB []float32, shareB float32) {
	const least = 0.01
	for i := range a {
		wa, wb := shareA*(sureA[i]+least), shareB*(sureB[i]+least)
		a[i] = (wa*a[i] + wb*b[i]) / (wa + wb)
	}
}
