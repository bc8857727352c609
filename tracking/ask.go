package tracking

import (
	"cmp"
	"slices"

	"github.com/carve-video/carve/car"
)

// askAll notes that every query is asked.
func (t *Tracker) askAll(s *Sight) {
	t.state.All = s.Moment
	for q := range t.Queries {
		t.why.asked(q, "all")
	}
}

// ask chooses the queries of a key frame, in ascending order: those of the set,
// those that the picture begins to speak for, and of the others as many as it takes
// for each to have its turn in time, those first that have waited longest. What
// startles asks for all, if that was not done a moment ago.
func (t *Tracker) ask(s *Sight, likeness []float32) []int {
	all := s.Brighter || s.Startled && allAgain.over(t.state.All, s.Moment)
	if all {
		t.state.All = s.Moment
	}
	// What the picture says of all absent queries alike is about none of them.
	common, absent := float32(0), 0
	for q := range t.state.Queries {
		if !t.state.Queries[q].Present {
			common, absent = common+likeness[q], absent+1
		}
	}
	common /= float32(max(absent, 1))
	var asked, waiting []int
	for q := range t.state.Queries {
		m := &t.state.Queries[q]
		like := likeness[q] - common
		switch {
		case !m.Present && t.anew != nil && t.anew[q]:
			asked = append(asked, q)
			t.why.asked(q, "new")
		case m.Present:
			asked = append(asked, q)
			t.why.asked(q, "present")
			continue
		case all:
			asked = append(asked, q)
			t.why.asked(q, map[bool]string{true: whyBrighter, false: whyStartled}[s.Brighter])
		case m.Hopes > 0:
			asked = append(asked, q)
			t.why.asked(q, "hoped")
		case m.Left.Frame > 0 && s.Frame-m.Asked.Frame > m.Asked.Frame-m.Left.Frame:
			// Who was dropped a moment ago may only be hidden. The question comes back
			// after twice the time, until it is no more than a probe.
			asked = append(asked, q)
			t.why.asked(q, "dropped")
		case m.Known > 0 && like > m.Likeness+likelier:
			asked = append(asked, q)
			t.why.asked(q, "likelier")
		default:
			waiting = append(waiting, q)
		}
		m.Known++
		m.Likeness += (like - m.Likeness) / float32(min(m.Known, likenessOver))
	}
	slices.SortStableFunc(waiting, func(a, b int) int {
		return cmp.Compare(t.state.Queries[a].Asked.Frame, t.state.Queries[b].Asked.Frame)
	})
	t.state.Owed += float64(len(waiting)) * t.Probe.share(t.state.Key, s.Moment)
	turn := min(int(t.state.Owed), len(waiting))
	t.state.Owed = min(t.state.Owed-float64(turn), 1)
	for _, q := range waiting[:turn] {
		asked = append(asked, q)
		t.why.asked(q, "probe")
	}
	slices.Sort(asked)
	return asked
}

// allAgain is the time between two key frames that ask for everything, unless a
// shot begins: a flickering lamp startles all the time.
var allAgain = Interval{Time: 250e6}

const (
	// likelier is by how much the picture must speak for a query more than it has
	// done so far in the shot for it to be asked out of turn, in logits.
	likelier = 1.5
	// likenessOver is over how many key frames that mean goes.
	likenessOver = 8
)

// known spares the judge a query whose mask only moved, unless little is left of its
// look, or its last judgement is too old, was not passed, or was passed by less.
func (t *Tracker) known(s *Sight) func(*car.Proposal) (car.Judgement, bool) {
	return func(p *car.Proposal) (car.Judgement, bool) {
		q := &t.state.Queries[p.Query]
		if !q.Present {
			q.taken = t.takenShare(s, p)
			t.why.taken(p.Query, q.taken)
			return car.Judgement{}, false
		}
		q.same = t.likeCarried(s, q, p)
		failed := q.Clear.Frame < q.Judged.Frame
		if q.same < sameMask || failed || q.changed || q.Sank || q.Doubts > 0 || s.Startled || t.JudgeEvery.over(q.Judged, s.Moment) {
			return car.Judgement{}, false
		}
		return q.Judgement, true
	}
}

// sameMask is the overlap with the carried mask above which a proposal has only
// moved. Heat is coarse, and its outline is never quite the same.
const sameMask = 0.7

// likeCarried is the overlap of a proposal with what was carried to this frame.
func (t *Tracker) likeCarried(s *Sight, q *QueryState, p *car.Proposal) float64 {
	t.rough = t.roughMask(s, p, t.rough)
	return overlap(q.now, t.rough)
}

// roughMask is where a proposal is shown to the judge, at the flow's resolution.
func (t *Tracker) roughMask(s *Sight, p *car.Proposal, dst []byte) []byte {
	return rough(s, p.Heat, t.Segmenter.Preset().Eta, dst)
}

// rough is where a plane of the picture's size is above a value, at the flow's
// resolution, in the memory of dst.
func rough(s *Sight, plane []float32, above float32, dst []byte) []byte {
	w, h, f := flowSize(s)
	dst = resized(dst, w*h)
	for y := range h {
		row := min(y*f+f/2, s.Image.H-1) * s.Image.W
		for x := range w {
			dst[y*w+x] = 0
			if plane[row+min(x*f+f/2, s.Image.W-1)] > above {
				dst[y*w+x] = 1
			}
		}
	}
	return dst
}

// overlap is the intersection of two masks over their union: 1 if both are empty.
func overlap(a, b []byte) float64 {
	if len(a) != len(b) {
		return 0
	}
	both, either := 0, 0
	for i, v := range a {
		both += int(v & b[i])
		either += int(v | b[i])
	}
	if either == 0 {
		return 1
	}
	return float64(both) / float64(either)
}
