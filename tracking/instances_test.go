package tracking

import (
	"slices"
	"testing"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking/flow"
)

// A scene shows an InstanceTracker squares of one concept, with the true motion. Their
// colours are their appearance.
type scene struct {
	t        *testing.T
	tracker  InstanceTracker
	frame    int64
	previous []square // the squares of the frame before
}

// ids tracks a frame and returns the ID of each of its squares, in order; 0 for one that
// is hidden. occluder, which may be nil, covers the squares.
func (s *scene) ids(squares []square, occluder *square, newShot bool) []int {
	s.t.Helper()
	const w, h = 80, 60
	img := car.NewImage(w, h)
	res := &car.Result{W: w, H: h, Found: []car.Found{{Query: 0, Mask: make([]uint8, w*h)}}}
	step := &Step{Analysis: &Analysis{Moment: Moment{s.frame, time.Duration(s.frame) * 100 * time.Millisecond}, Image: img, NewShot: newShot || s.frame == 0}, Result: res}
	f := &res.Found[0]
	step.Motion = flow.Field{W: w, H: h, Factor: 1, U: make([]float32, w*h), V: make([]float32, w*h), Occlusion: make([]float32, w*h)}
	in := func(q square, x, y int) bool { return x >= q.x && x < q.x+q.side && y >= q.y && y < q.y+q.side }
	for y := range h {
		for x := range w {
			if occluder != nil && in(*occluder, x, y) {
				continue
			}
			for i, q := range squares {
				if q.side == 0 || !in(q, x, y) {
					continue
				}
				p := y*w + x
				f.Mask[p] = 1
				copy(img.Pix[3*p:], colours[q.k][:])
				if i < len(s.previous) && s.previous[i].side > 0 {
					step.Motion.U[p], step.Motion.V[p] = float32(s.previous[i].x-q.x), float32(s.previous[i].y-q.y)
				}
			}
		}
	}
	for _, m := range f.Mask {
		f.Area += int(m)
	}
	if step.NewShot {
		step.Motion.W = 0
	}
	s.tracker.Track(step)
	s.frame++
	s.previous = slices.Clone(squares)
	total := 0
	for _, in := range step.Instances {
		n := 0
		for _, m := range in.Mask {
			n += int(m)
		}
		if n != in.Area || n == 0 {
			s.t.Errorf("frame %d: the mask has %d pixels, the area is %d", s.frame-1, n, in.Area)
		}
		total += n
	}
	if total > f.Area {
		s.t.Errorf("frame %d: the instances have %d pixels, the concept has %d", s.frame-1, total, f.Area)
	}
	ids := make([]int, len(squares))
	for i, q := range squares {
		if q.side == 0 {
			continue
		}
		votes := map[int]int{}
		for _, in := range step.Instances {
			for y := q.y; y < q.y+q.side; y++ {
				for x := q.x; x < q.x+q.side; x++ {
					if x >= 0 && y >= 0 && x < w && y < h && in.Mask[y*w+x] != 0 {
						votes[in.ID]++
					}
				}
			}
		}
		for id, n := range votes {
			if n > votes[ids[i]] {
				ids[i] = id
			}
		}
	}
	return ids
}

// want reports IDs that differ from those wanted.
func (s *scene) want(name string, got []int, want ...int) {
	s.t.Helper()
	if !slices.Equal(got, want) {
		s.t.Errorf("%s, frame %d: IDs %v, want %v", name, s.frame-1, got, want)
	}
}

// TestTouching: two squares of a colour move towards each other, touch, and part again.
func TestTouching(t *testing.T) {
	s := &scene{t: t}
	for i := range 30 {
		gap := max(20-2*i, 0)
		if i > 15 {
			gap = 2 * (i - 15)
		}
		s.want("touching", s.ids([]square{{0, 20 - gap/2, 20, 18}, {0, 38 + gap/2, 20, 18}}, nil, false), 1, 2)
	}
}

// TestPassing: of two squares one passes behind the other, hidden wholly or in part, and
// both move on; or they meet, and go back.
func TestPassing(t *testing.T) {
	for name, c := range map[string]struct {
		y, side int // of the square behind
		colour  int
		back    bool
	}{
		"wholly hidden":             {16, 12, 0, false},
		"hidden in part":            {6, 16, 0, false},
		"meets, and goes back":      {16, 12, 0, true},
		"hidden, of another colour": {16, 12, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scene{t: t}
			var first, got []int
			for i := range 26 {
				x := 4 + 2*i
				if c.back && i > 12 {
					x = 4 + 2*(24-i)
				}
				behind, front := square{c.colour, x, c.y, c.side}, square{0, 60 - x, 14, 16}
				if got = s.ids([]square{behind, front}, nil, false); i == 0 {
					if first = got; got[0] == got[1] {
						t.Fatalf("both have the IDs %v", got)
					}
				}
			}
			s.want(name, got, first...)
		})
	}
}

// TestPassingAmongOthers: a fragment that breaks off the square in front is not taken for
// the one behind, and two other squares that meet and part meanwhile are a group of their
// own.
func TestPassingAmongOthers(t *testing.T) {
	s := &scene{t: t}
	var first, got []int
	for i := range 31 {
		x := 4 + 2*i
		behind, front := square{0, x, 16, 12}, square{0, 66 - x, 14, 16}
		gap := max(6-i, i-14, 0) // they touch, and go back
		up, down := square{0, 20 - gap, 44, 10}, square{0, 30 + gap, 44, 10}
		all := []square{behind, front, up, down}
		if i == 15 { // a fragment of the square in front, away from it
			s.previous = append(s.previous, square{0, front.x + 6, 20, 4})
			all = append(all, square{0, 70, 4, 4})
		}
		if got = s.ids(all, nil, false); i == 0 {
			first = got
		}
	}
	s.want("among others", got, first...)
}

// TestOcclusion: a square passes behind an occluder, is cut in two by it, is hidden, and
// reappears.
func TestOcclusion(t *testing.T) {
	s := &scene{t: t}
	occluder := square{0, 30, 0, 26} // taller than the square
	occluder.side = 26
	for i := range 45 {
		q := square{1, i * 2, 4, 12}
		if q.x+q.side > 80 {
			break
		}
		got := s.ids([]square{q}, &occluder, false)
		if q.x >= occluder.x && q.x+q.side <= occluder.x+occluder.side {
			continue // hidden
		}
		s.want("behind", got, 1)
	}
	// A narrow occluder in front of a wide square cuts it in two for a while.
	s = &scene{t: t}
	for i := range 8 {
		s.want("cut in two", s.ids([]square{{1, 10, 10, 40}}, &square{0, 20 + i, 0, 60}, false), 1)
		if i == 0 {
			s.previous = []square{{1, 10, 10, 40}}
		}
	}
}

// TestReidentification: a square that comes back in time with the same appearance has the
// same ID. One with another appearance, or that comes back too late, has a new one.
func TestReidentification(t *testing.T) {
	for name, c := range map[string]struct {
		away   int
		colour int
		want   int
	}{"soon": {5, 1, 1}, "another": {5, 2, 2}, "late": {30, 1, 2}} {
		s := &scene{t: t}
		for range 3 {
			s.want(name, s.ids([]square{{1, 10, 10, 12}}, nil, false), 1)
		}
		for range c.away {
			s.ids(nil, nil, false)
		}
		s.want(name, s.ids([]square{{c.colour, 50, 30, 12}}, nil, false), c.want)
	}
}

// TestTracksEndWithShot: a new shot has no tracks of the one before, and no ID is given
// twice.
func TestTracksEndWithShot(t *testing.T) {
	s := &scene{t: t}
	s.want("first", s.ids([]square{{1, 10, 10, 12}, {2, 40, 10, 12}}, nil, false), 1, 2)
	s.want("second", s.ids([]square{{1, 10, 10, 12}}, nil, true), 3)
}

// TestSplit: two squares that touched at first, and part for good, become two tracks.
func TestSplit(t *testing.T) {
	s := &scene{t: t}
	var got []int
	for i := range 30 {
		x := 30 + min(i, 20)
		got = s.ids([]square{{0, 16, 20, 14}, {0, x, 20, 14}}, nil, false)
		if i == 0 && got[0] != got[1] {
			t.Fatalf("one region has the IDs %v", got)
		}
	}
	s.want("parted", got, 1, 2)
}

// TestSmallRegions: a small region is no instance, unless it is the only one.
func TestSmallRegions(t *testing.T) {
	s := &scene{t: t}
	s.want("small, beside a large one", s.ids([]square{{0, 10, 10, 30}, {0, 60, 50, 3}}, nil, false), 1, 0)
	s.want("small, alone", (&scene{t: t}).ids([]square{{0, 60, 50, 3}}, nil, false), 1)
}
