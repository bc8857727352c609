package carve

import (
	"fmt"
	"image/color"
	"time"

	"github.com/carve-video/carve/video/overlay"
)

// presenceBins bounds the memory of a timeline. A sheet is not wider than some pixels.
const presenceBins = 2048

// A timeline counts in how many frames each concept was seen, and how surely, along the time
// of a run.
type timeline struct {
	grid     timeGrid
	frames   []int32          // in each bin
	concepts map[int]*moments // by ID
	order    []*moments
}

// moments are those of one concept.
type moments struct {
	id     int
	label  string
	place  int // index of the query
	colour color.RGBA
	frames int64 // with pixels
	best   float32
	first  time.Duration // when it was seen first and last
	latest time.Duration
	bins   []seen
}

// seen says in how many frames of a bin a concept was seen.
type seen struct {
	frames int32
	sure   float32 // sum of the confidence
}

func newTimeline() *timeline {
	return &timeline{grid: timeGrid{room: presenceBins}, frames: make([]int32, presenceBins), concepts: make(map[int]*moments)}
}

// concept returns the moments of a concept, which may be a new one.
func (t *timeline) concept(id int) (m *moments, known bool) {
	m = t.concepts[id]
	if known = m != nil; !known {
		m = &moments{id: id, bins: make([]seen, presenceBins)}
		t.concepts[id], t.order = m, append(t.order, m)
	}
	return m, known
}

// name is the label as far as it can be drawn.
func (m *moments) name() string { return overlay.Drawable(m.label, fmt.Sprintf("query %d", m.place+1)) }

// advance goes on to a frame.
func (t *timeline) advance(at time.Duration) {
	for range t.grid.advance(at) {
		t.frames = halve(t.frames, func(a, b int32) int32 { return a + b })
		for _, m := range t.order {
			m.bins = halve(m.bins, func(a, b seen) seen { return seen{a.frames + b.frames, a.sure + b.sure} })
		}
	}
	t.frames[t.grid.cell()]++
}

// add notes that a concept is seen in the frame.
func (t *timeline) add(m *moments, sure float32) {
	if m.frames == 0 {
		m.first = t.grid.last
	}
	m.latest = t.grid.last
	m.frames++
	m.best = max(m.best, sure)
	b := &m.bins[t.grid.cell()]
	b.frames, b.sure = b.frames+1, b.sure+sure
}

// halve merges neighbours in place. The second half is empty then.
func halve[T any](list []T, merge func(a, b T) T) []T {
	n := len(list) / 2
	for i := range n {
		list[i] = merge(list[2*i], list[2*i+1])
	}
	clear(list[n:])
	return list
}

// A level is what a bar shows at one place.
type level struct {
	part float64 // of the frames that have the concept
	sure float64 // mean confidence in those
}

// bar returns the levels of a concept at n places from the begin to the end of the run. A
// frame is shown until the next one.
func (t *timeline) bar(m *moments, n int) []level {
	bar := make([]level, n)
	bins := float64(t.grid.length()) / float64(t.grid.step)
	shown := level{}
	next := 0 // bin
	for i := range bar {
		var all, with int32
		sure := float32(0)
		end := min(int(float64(i+1)*bins/float64(n)), len(t.frames))
		// Where a bin is longer than a place, it is shown at all of its places.
		for ; next < max(end, min(int(float64(i)*bins/float64(n))+1, len(t.frames))); next++ {
			all, with, sure = all+t.frames[next], with+m.bins[next].frames, sure+m.bins[next].sure
		}
		if all > 0 {
			shown = level{part: float64(with) / float64(all)}
			if with > 0 {
				shown.sure = float64(sure) / float64(with)
			}
		}
		bar[i] = shown
	}
	return bar
}

// total is the number of frames.
func (t *timeline) total() (n int64) {
	for _, f := range t.frames {
		n += int64(f)
	}
	return n
}
