package carve

import "time"

// A timeGrid divides the time of a run into cells of one length. It has a bounded number of
// them: the length doubles when a run that may have any length needs more.
type timeGrid struct {
	room  int           // number of cells
	step  time.Duration // length of a cell
	clock time.Duration // time since the first frame
	last  time.Duration // time of the last frame
	gap   time.Duration // before the last frame
	begun bool
}

// firstStep is shorter than a frame, so that at first each frame has a cell of its own.
const firstStep = time.Millisecond

// advance goes on to a frame, and returns how many times the length of a cell has doubled. A
// clock that goes back, as in a stream that begins again, stands still.
func (g *timeGrid) advance(at time.Duration) (doublings int) {
	if !g.begun {
		g.begun, g.last, g.step = true, at, firstStep
	}
	if d := at - g.last; d > 0 {
		g.clock += d
		g.gap = d
	}
	g.last = at
	return g.fit()
}

// fit doubles the length of a cell until there is room.
func (g *timeGrid) fit() (doublings int) {
	for g.cell() >= g.room {
		g.step *= 2
		doublings++
	}
	return doublings
}

// cell is that of the last frame.
func (g *timeGrid) cell() int {
	if g.step == 0 {
		return 0
	}
	return int(g.clock / g.step)
}

// length is that of all frames. The last one is shown as long as the one before.
func (g *timeGrid) length() time.Duration { return max(g.clock+g.gap, firstStep) }
