package tracking

import (
	"slices"
	"testing"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking/flow"
)

// A stage plays masks to a roster: squares of one concept that move as they are
// told, and a motion that is right everywhere. Colour tells them apart.
type stage struct {
	t      *testing.T
	roster InstanceTracker
	frame  int64
	last   []square // in order, with names
}

// who numbers the squares that a frame shows, in order; 0 where one is hidden. hide
// is what stands before them.
func (s *stage) who(squares []square, hide *square, fresh bool) []int {
	s.t.Helper()
	const w, h = 80, 60
	img := car.NewImage(w, h)
	res := &car.Result{W: w, H: h, Found: []car.Found{{Query: 0, Mask: make([]uint8, w*h)}}}
	step := &Step{Analysis: &Analysis{Moment: Moment{s.frame, time.Duration(s.frame) * 100 * time.Millisecond}, Image: img, NewShot: fresh || s.frame == 0}, Result: res}
	f := &res.Found[0]
	step.Motion = flow.Field{W: w, H: h, Factor: 1, U: make([]float32, w*h), V: make([]float32, w*h), Occlusion: make([]float32, w*h)}
	in := func(q square, x, y int) bool { return x >= q.x && x < q.x+q.side && y >= q.y && y < q.y+q.side }
	for y := range h {
		for x := range w {
			if hide != nil && in(*hide, x, y) {
				continue
			}
			for i, q := range squares {
				if q.side == 0 || !in(q, x, y) {
					continue
				}
				p := y*w + x
				f.Mask[p] = 1
				copy(img.Pix[3*p:], colours[q.k][:])
				if i < len(s.last) && s.last[i].side > 0 {
					step.Motion.U[p], step.Motion.V[p] = float32(s.last[i].x-q.x), float32(s.last[i].y-q.y)
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
	s.roster.Track(step)
	s.frame++
	s.last = slices.Clone(squares)
	total := 0
	for _, in := range step.Instances {
		n := 0
		for _, m := range in.Mask {
			n += int(m)
		}
		if n != in.Area || n == 0 {
			s.t.Errorf("frame %d: %d pixels, and an area of %d", s.frame-1, n, in.Area)
		}
		total += n
	}
	if total > f.Area {
		s.t.Errorf("frame %d: instances have %d pixels of %d", s.frame-1, total, f.Area)
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

func (s *stage) want(name string, got []int, want ...int) {
	s.t.Helper()
	if !slices.Equal(got, want) {
		s.t.Errorf("%s, frame %d: numbers %v, want %v", name, s.frame-1, got, want)
	}
}

// Two of a kind move towards each other, touch, and part again.
func TestTouching(t *testing.T) {
	s := &stage{t: t}
	for i := range 30 {
		gap := max(20-2*i, 0)
		if i > 15 {
			gap = 2 * (i - 15)
		}
		s.want("touching", s.who([]square{{0, 20 - gap/2, 20, 18}, {0, 38 + gap/2, 20, 18}}, nil, false), 1, 2)
	}
}

// Two that look the same pass each other, one behind the other, wholly or in part,
// and go on as they went; or meet, and go back.
func TestPassing(t *testing.T) {
	for name, c := range map[string]struct {
		y, side int // of the one behind
		colour  int
		back    bool
	}{
		"wholly hidden":                 {16, 12, 0, false},
		"hidden in part":                {6, 16, 0, false},
		"met, and gone back":            {16, 12, 0, true},
		"hidden, and of another colour": {16, 12, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := &stage{t: t}
			var first, got []int
			for i := range 26 {
				x := 4 + 2*i
				if c.back && i > 12 {
					x = 4 + 2*(24-i)
				}
				behind, before := square{c.colour, x, c.y, c.side}, square{0, 60 - x, 14, 16}
				if got = s.who([]square{behind, before}, nil, false); i == 0 {
					if first = got; got[0] == got[1] {
						t.Fatalf("both are %v", got)
					}
				}
			}
			s.want(name, got, first...)
		})
	}
}

// An island that breaks off the one before is not the one behind who comes out, and
// others who meet and part meanwhile are told by themselves.
func TestPassingAmongOthers(t *testing.T) {
	s := &stage{t: t}
	var first, got []int
	for i := range 31 {
		x := 4 + 2*i
		behind, before := square{0, x, 16, 12}, square{0, 66 - x, 14, 16}
		gap := max(6-i, i-14, 0) // they touch, and go back where they came from
		up, down := square{0, 20 - gap, 44, 10}, square{0, 30 + gap, 44, 10}
		all := []square{behind, before, up, down}
		if i == 15 { // four by four of the one before, somewhere else
			s.last = append(s.last, square{0, before.x + 6, 20, 4})
			all = append(all, square{0, 70, 4, 4})
		}
		if got = s.who(all, nil, false); i == 0 {
			first = got
		}
	}
	s.want("among others", got, first...)
}

// One goes behind something, is cut in two by it, is hidden, and comes out again.
func TestOcclusion(t *testing.T) {
	s := &stage{t: t}
	hide := square{0, 30, 0, 26} // higher than what passes
	hide.side = 26
	for i := range 45 {
		q := square{1, i * 2, 4, 12}
		if q.x+q.side > 80 {
			break
		}
		got := s.who([]square{q}, &hide, false)
		if q.x >= hide.x && q.x+q.side <= hide.x+hide.side {
			continue // not to be seen
		}
		s.want("behind", got, 1)
	}
	// A narrow thing before a wide one makes two parts of it for a while.
	s = &stage{t: t}
	for i := range 8 {
		s.want("cut in two", s.who([]square{{1, 10, 10, 40}}, &square{0, 20 + i, 0, 60}, false), 1)
		if i == 0 {
			s.last = []square{{1, 10, 10, 40}}
		}
	}
}

// Who comes back in time and looks the same has the same number; who looks
// different or comes too late has a new one.
func TestReturns(t *testing.T) {
	for name, c := range map[string]struct {
		away   int
		colour int
		want   int
	}{"soon": {5, 1, 1}, "another": {5, 2, 2}, "late": {30, 1, 2}} {
		s := &stage{t: t}
		for range 3 {
			s.want(name, s.who([]square{{1, 10, 10, 12}}, nil, false), 1)
		}
		for range c.away {
			s.who(nil, nil, false)
		}
		s.want(name, s.who([]square{{c.colour, 50, 30, 12}}, nil, false), c.want)
	}
}

// A new shot knows nobody, and no number is given twice.
func TestNewShot(t *testing.T) {
	s := &stage{t: t}
	s.want("first", s.who([]square{{1, 10, 10, 12}, {2, 40, 10, 12}}, nil, false), 1, 2)
	s.want("second", s.who([]square{{1, 10, 10, 12}}, nil, true), 3)
}

// Two that stood together and part for good become two.
func TestParting(t *testing.T) {
	s := &stage{t: t}
	var got []int
	for i := range 30 {
		x := 30 + min(i, 20)
		got = s.who([]square{{0, 16, 20, 14}, {0, x, 20, 14}}, nil, false)
		if i == 0 && got[0] != got[1] {
			t.Fatalf("what is one region has numbers %v", got)
		}
	}
	s.want("parted", got, 1, 2)
}

// Crumbs are nobody.
func TestCrumbs(t *testing.T) {
	s := &stage{t: t}
	s.want("crumb", s.who([]square{{0, 10, 10, 30}, {0, 60, 50, 3}}, nil, false), 1, 0)
	s.want("small, but alone", (&stage{t: t}).who([]square{{0, 60, 50, 3}}, nil, false), 1)
}
