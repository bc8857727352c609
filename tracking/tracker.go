// Package tracking carries what was found from frame to frame.
//
// CaR calls CLIP like an RNN: y_t = f(x_t, h_{t-1}), h_t = the queries that the
// judge let stand. On a still image every step sees the same x. On a video the
// frame is the time step: [State] is h, and one recurrent step a frame takes the
// place of a loop that starts from nothing.
//
// # Three parts
//
// They may run one behind the other on goroutines of their own, and [Session] runs
// them in one:
//
//   - [Watcher] sees what no query is needed for: the motion since the last frame,
//     cuts, gaps, blank pictures.
//   - [Tracker] knows what is there. It looks at key frames with the model, asks
//     for the queries of its set and for some of the absent ones, and moves rough
//     masks along in between.
//   - [Carrier] knows where it is: the exact masks of key frames, fitted to the
//     picture, carried along the motion to the others, and fused over time.
//
// # What is not done
//
// A still thing needs no second look. Between key frames the model does not run at
// all; at a key frame a query whose mask only moved is not judged again for
// [Tracker.JudgeEvery]; a query that is absent is asked in turn with the others,
// each once in [Tracker.Probe], unless the picture itself begins to speak for it.
// How far key frames are apart depends on how wrong the carried masks turn out to
// be, and what startles the watcher makes a key frame at once.
//
// # The same again
//
// What comes out depends on the frames, their times and the parameters, and not on
// the number of threads or on how the parts are joined.
package tracking

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/carve-video/carve/car"
)

// A Tracker decides what is there, frame by frame. Its exported fields are its
// parameters; set them before Initialize. It is for one goroutine, except that the
// [car.Segmenter]'s Refine may run on another.
type Tracker struct {
	// Segmenter does the work.
	Segmenter *car.Segmenter
	// Queries are what to look for.
	Queries []car.Query

	// Stateless runs the whole image loop on every frame instead of carrying
	// state.
	Stateless bool
	// Every is how many frames lie from one key frame to the next; 0 lets how wrong
	// the carried masks are decide, up to MaxEvery.
	Every int
	// MaxEvery bounds what is decided; 0 stands for DefaultMaxEvery.
	MaxEvery int
	// Probe is the time within which every absent query is asked again.
	Probe Interval
	// JudgeEvery is the time within which a query of the set is judged again even if
	// its mask only moved.
	JudgeEvery Interval
	// Reports, if not nil, tell how right what was carried to a key frame turned out to
	// be, one for each key frame in turn, from [Carrier.Reports]. They are read one
	// key frame later, so that what is decided does not depend on who is quicker.
	Reports <-chan float64
	// Explain, if not nil, is told of every frame what was decided and why. What it is
	// given is valid until it returns.
	Explain func(*Explanation)

	bank   *car.Bank
	state  State
	why    Explanation
	looked bool   // a key frame has been, of which there will be a report
	rough  []byte // masks on their way
}

// The usual parameters.
var (
	DefaultProbe      = Interval{Time: 2e9}
	DefaultJudgeEvery = Interval{Time: 1e9}
)

// DefaultMaxEvery is how many frames key frames are apart at most, where that is
// decided by the Tracker.
const DefaultMaxEvery = 8

// A Step is what one frame came to.
type Step struct {
	*Sight
	// Key says that the model looked at the frame; Scene and Outcome are nil where it
	// did not.
	Key     bool
	Scene   *car.Scene
	Outcome *car.Outcome
	// Present are the queries of the set, in ascending order, and Judgements what is
	// known of each.
	Present    []int
	Judgements []car.Judgement
	// Result is what the Carrier makes of the step, and Instances what its Roster does.
	Result    *car.Result
	Instances []Instance

	// Sudden says that what came or went in this key frame did so at once.
	Sudden bool

	support []support
	sure    []float32 // of the picture's pixels, how sure what is carried is
}

// Close gives the step's memory back. A second Close does nothing.
func (s *Step) Close() {
	s.closeScene()
	if s.Sight != nil {
		s.Sight.Close()
		s.Sight = nil
	}
}

// closeScene gives back what the model needed, which is most of it.
func (s *Step) closeScene() {
	if s.Scene != nil {
		s.Scene.Close()
		s.Scene, s.Outcome = nil, nil
	}
}

// Initialize embeds the queries.
func (t *Tracker) Initialize(ctx context.Context) error {
	for _, i := range []Interval{t.Probe, t.JudgeEvery} {
		if i.Time < 0 || i.Frames < 0 {
			return fmt.Errorf("the interval %v is negative", i)
		}
	}
	if t.Every < 0 || t.MaxEvery < 0 {
		return fmt.Errorf("key frames cannot be %d or %d frames apart", t.Every, t.MaxEvery)
	}
	if t.Probe == (Interval{}) {
		t.Probe = DefaultProbe
	}
	if t.JudgeEvery == (Interval{}) {
		t.JudgeEvery = DefaultJudgeEvery
	}
	if t.MaxEvery == 0 {
		t.MaxEvery = DefaultMaxEvery
	}
	bank, err := t.Segmenter.Encode(ctx, t.Queries)
	if err != nil {
		return err
	}
	t.bank = bank
	t.state = State{Queries: make([]QueryState, len(t.Queries))}
	return nil
}

// Bank returns the queries as they were embedded.
func (t *Tracker) Bank() *car.Bank { return t.bank }

// State returns a copy of what is known so far.
func (t *Tracker) State() State { return t.state.clone() }

// Resume goes on from a state, of the same queries. The frame that comes next is
// taken for the one behind the last that the state knows.
func (t *Tracker) Resume(s State) error {
	if len(s.Queries) != len(t.Queries) {
		return fmt.Errorf("resuming: the state is of %d queries, and there are %d", len(s.Queries), len(t.Queries))
	}
	for i, q := range s.Queries {
		if len(q.Mask) != 0 && len(q.Mask) != s.W*s.H {
			return fmt.Errorf("resuming: the mask of query %d has %d pixels of %dx%d", i, len(q.Mask), s.W, s.H)
		}
	}
	t.state = s.clone()
	return nil
}

// Step takes the next frame.
//
//	move the masks of h along                     what is there, if nothing happened
//	if this frame is no key frame: done
//	x = look                                      the trunk
//	y = propose and judge(h + some absent ones)   all of them in a new shot
//	h = those that stand
func (t *Tracker) Step(ctx context.Context, s *Sight) (*Step, error) {
	step := &Step{Sight: s}
	t.why.begin(s, t.Queries)
	t.follow(s)
	why := t.key(s)
	if why == "" || s.Blank && !t.Stateless {
		t.close(step, why)
		return step, nil
	}
	scene, err := t.Segmenter.Look(ctx, s.Image)
	if err != nil {
		return nil, err
	}
	step.Key, step.Scene, step.Sudden = true, scene, why == whyStartled || why == whyLost
	right, err := t.report(ctx)
	if err != nil {
		step.closeScene()
		return nil, err
	}
	if s.Fresh || t.Stateless {
		t.askAll(s)
		step.Outcome, err = t.Segmenter.Loop(ctx, scene, t.bank)
	} else {
		asked := t.ask(s, t.Segmenter.Likeness(scene, t.bank))
		step.Outcome, err = t.Segmenter.Step(ctx, scene, t.bank, car.Ask{Queries: asked, Known: t.known(s), Keep: t.keep})
	}
	if err != nil {
		step.closeScene()
		return nil, err
	}
	t.remember(s, step.Outcome, right)
	t.close(step, why)
	return step, nil
}

// report is how right the masks were that were carried to the key frame before this
// one; 1 where nobody knows.
func (t *Tracker) report(ctx context.Context) (float64, error) {
	if t.Reports == nil || t.Stateless || !t.looked {
		t.looked = true
		return 1, nil
	}
	select {
	case right := <-t.Reports:
		return right, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// follow takes the masks of the state along the motion, or forgets them all where
// nothing goes on.
func (t *Tracker) follow(s *Sight) {
	if s.Fresh || s.Blank || t.Stateless {
		// Nothing of what was goes on.
		for i := range t.state.Queries {
			t.state.Queries[i].forget()
		}
		t.state.Owed = 0
	}
	if t.Stateless {
		return
	}
	m := &s.Motion
	for i := range t.state.Queries {
		if q := &t.state.Queries[i]; len(q.Mask) > 0 {
			t.rough = append(t.rough[:0], q.Mask...)
			q.Shrunk = false
			before, after := 0, 0
			for y := range m.H {
				for x := range m.W {
					k := y*m.W + x
					fx, fy := clampRound(float32(x)+m.U[k], m.W), clampRound(float32(y)+m.V[k], m.H)
					q.Mask[k] = t.rough[fy*m.W+fx]
					before, after = before+int(t.rough[k]), after+int(q.Mask[k])
				}
			}
			q.Shrunk = float32(after) < shrunkShare*float32(before)
		}
	}
}

func clampRound(v float32, n int) int { return min(max(int(v+.5), 0), n-1) }

// Why a frame is a key frame.
const (
	whyFresh    = "fresh"    // a new shot begins
	whyEvery    = "every"    // it is time
	whyStartled = "startled" // something came, went or changed
	whyBrighter = "brighter" // it fades in
	whyDoubt    = "doubt"    // a query did not pass last time
	whyLost     = "lost"     // what a mask lies on is not what it was
	whyOff      = "memory off"
)

// key says why a frame is to be looked at with the model; empty, it is not.
func (t *Tracker) key(s *Sight) string {
	since := s.Frame - t.state.Key.Frame
	doubt, lost := false, false
	for i := range t.state.Queries {
		q := &t.state.Queries[i]
		doubt = doubt || q.Doubts > 0 || q.Hopes > 0
		lost = lost || len(q.Mask) > 0 && (q.Shrunk || t.hidden(s, q.Mask) > lostShare)
	}
	switch {
	case t.Stateless:
		return whyOff
	case s.Fresh:
		return whyFresh
	case t.Every > 0:
		if since >= int64(t.Every) {
			return whyEvery
		}
		return ""
	case s.Startled:
		return whyStartled
	case s.Brighter && since >= first:
		return whyBrighter
	case doubt && since >= doubtAfter:
		return whyDoubt
	case lost && since >= lostAfter:
		return whyLost
	case float64(since) >= t.spacing():
		return whyEvery
	}
	return ""
}

// When to look again before it is time.
const (
	doubtAfter = 2  // frames after a judgement that was not passed
	lostAfter  = 2  // frames after the last look
	lostShare  = .5 // of a mask that lies on what nothing explains
	// shrunkShare is what is left of a mask after one frame when the motion no longer
	// leads to it: what was there is gone.
	shrunkShare = .75
)

// hidden is the share of a mask that lies on what the frame before does not
// explain.
func (t *Tracker) hidden(s *Sight, mask []byte) float32 {
	if len(s.Motion.Unknown) != len(mask) {
		return 0
	}
	n, sum := 0, float32(0)
	for i, m := range mask {
		if m != 0 {
			n++
			sum += s.Motion.Unknown[i]
		}
	}
	return sum / float32(max(n, 1))
}

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

// known spares the judge a query whose mask only moved, if its last judgement is
// not too old.
func (t *Tracker) known(s *Sight) func(*car.Proposal) (car.Judgement, bool) {
	return func(p *car.Proposal) (car.Judgement, bool) {
		q := &t.state.Queries[p.Query]
		if !q.Present {
			return car.Judgement{}, false
		}
		q.same = t.likeCarried(s, q, p)
		if q.same < sameMask || q.Doubts > 0 || s.Startled || t.JudgeEvery.over(q.Judged, s.Moment) {
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
	return overlap(q.Mask, t.rough)
}

// roughMask is where a proposal is shown to the judge, at the flow's resolution.
func (t *Tracker) roughMask(s *Sight, p *car.Proposal, dst []byte) []byte {
	w, h, f := flowSize(s)
	if cap(dst) < w*h {
		dst = make([]byte, w*h)
	}
	dst = dst[:w*h]
	eta := t.Segmenter.Preset().Eta
	for y := range h {
		row := min(y*f+f/2, s.Image.H-1) * s.Image.W
		for x := range w {
			dst[y*w+x] = 0
			if p.Heat[row+min(x*f+f/2, s.Image.W-1)] > eta {
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

// keep has the last word on who stays. Who is not of the set has to pass, and twice
// if it is a near thing. Who is of it has been there: a blurred frame, or a light
// that the judge has never seen, does not make it vanish. It is dropped after some
// failures in a row: many, while its mask goes where the motion leads; few, if the
// mask is elsewhere; and at once, if it is and next to nothing speaks for it.
func (t *Tracker) keep(query int, j car.Judgement, fits bool) bool {
	q := &t.state.Queries[query]
	switch {
	case !q.Present:
		if fits && j.Presence < certain && q.Hopes == 0 && t.Segmenter.Preset().Presence > 0 {
			q.Hopes++
			return false
		}
		q.Hopes = 0
		return fits
	case fits:
		return true
	case q.same > goesOn:
		return q.Doubts+1 < doubtsToDropMoved
	}
	return q.Doubts+1 < doubtsToDrop && !t.hopeless(query, j)
}

const (
	// certain is the presence above which one judgement is enough to be let in.
	certain = 0.5
	// goesOn is the overlap with the carried mask above which a thing is where it has
	// to be.
	goesOn            = 0.5
	doubtsToDrop      = 2
	doubtsToDropMoved = 4
	// hopelessShare is how much of the threshold of presence must be left.
	hopelessShare = 0.25
)

// hopeless tells whether a judgement needs no second one.
func (t *Tracker) hopeless(query int, j car.Judgement) bool {
	presence := t.Segmenter.Preset().Presence
	if own := t.Queries[query].Presence; own != nil {
		presence = *own
	}
	return j.Presence < hopelessShare*presence
}

// remember makes what stood in this frame the state that the next begins with.
func (t *Tracker) remember(s *Sight, out *car.Outcome, right float64) {
	w, h, _ := flowSize(s)
	t.state.W, t.state.H = w, h
	var carried []float64
	was := make([]bool, len(t.Queries))
	for q := range t.state.Queries {
		was[q] = t.state.Queries[q].Present
		t.state.Queries[q].Present = false
	}
	for n, st := range out.Stages {
		for i, q := range st.Asked {
			m := &t.state.Queries[q]
			m.Asked = s.Moment
			if slices.Contains(st.Spared, q) {
				if n == 0 {
					t.why.spared(q)
				}
				continue
			}
			m.Judged, m.Judgement = s.Moment, car.Judgement{Score: st.Scores[i], Presence: st.Presences[i]}
			t.why.judged(q, m.Judgement)
		}
	}
	for p := range out.Proposals() {
		m := &t.state.Queries[p.Query]
		m.Present, m.Known = true, 0
		switch spared := m.Judged.Frame != s.Frame; {
		case s.Fresh && m.Presence < certain && t.Segmenter.Preset().Presence > 0:
			m.Doubts, m.Seen = 1, s.Moment // let in at once, and on probation
		case spared || t.Segmenter.Fits(t.bank, p.Query, m.Judgement):
			m.Doubts, m.Seen = 0, s.Moment
		default:
			m.Doubts++
			t.why.doubted(p.Query)
		}
		if t.Stateless {
			continue
		}
		if was[p.Query] && !s.Fresh {
			carried = append(carried, t.likeCarried(s, m, p))
		}
		m.Mask = t.roughMask(s, p, m.Mask)
	}
	changed := false
	for q := range t.state.Queries {
		m := &t.state.Queries[q]
		changed = changed || m.Present != was[q]
		if was[q] && !m.Present {
			m.forget()
			m.Left = s.Moment
			t.why.dropped(q)
		}
	}
	t.space(s, carried, right, changed)
	t.state.Key = s.Moment
}

// The spacing of key frames: wider by a factor while what was carried is right,
// and half as wide where it was not.
const (
	widen      = 1.5
	rightAbove = 0.88 // overlap of what was carried with what was found
	wrongBelow = 0.78
	lostBelow  = 0.4 // the same of rough masks, of which so much is to be expected
	first      = 2   // frames to the second key frame of a shot
)

// space adapts the spacing of key frames to how right the carried masks were: the
// exact ones at the key frame before this, and the rough ones at this.
func (t *Tracker) space(s *Sight, carried []float64, right float64, changed bool) {
	worst := 1.0
	for _, c := range carried {
		worst = min(worst, c)
	}
	switch {
	case s.Fresh, changed: // nobody knows yet how what is new moves
		t.state.Spacing = first
	case right < wrongBelow || worst < lostBelow:
		t.state.Spacing = max(t.state.Spacing/2, first)
	case right > rightAbove:
		t.state.Spacing *= widen
	}
	t.state.Spacing = min(max(t.state.Spacing, 1), float64(t.MaxEvery))
	t.why.Carried = right
}

func (t *Tracker) spacing() float64 { return float64(int(t.state.Spacing)) }

// close fills in the step, and tells.
func (t *Tracker) close(step *Step, why string) {
	t.state.Next = step.Frame + 1
	for q := range t.state.Queries {
		if m := &t.state.Queries[q]; m.Present {
			step.Present = append(step.Present, q)
			step.Judgements = append(step.Judgements, m.Judgement)
		}
	}
	if t.Explain != nil {
		t.why.end(step, why, t.state.Spacing)
		t.Explain(&t.why)
	}
}
