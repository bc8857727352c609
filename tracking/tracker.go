// Package tracking carries what was found from frame to frame.
//
// CaR calls CLIP like an RNN: y_t = f(x_t, h_{t-1}), h_t = the queries that the
// judge let stand. On a still image every step sees the same x. On a video the
// frame is the time step: [State] is h, and one recurrent step a frame takes the
// place of a loop that starts from nothing.
//
// # The parts
//
// They may run one behind the other on goroutines of their own, and [Session] runs
// them in one:
//
//   - [Watcher] sees what no query is needed for: the motion since the last frame,
//     cuts, gaps, blank pictures.
//   - [Looker], where the parts run at the same time, looks with the model ahead of
//     the Tracker at frames for which that is certain.
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
	"context"
	"fmt"

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

	bank        *car.Bank
	state       State
	unevaluated []bool // queries that were not asked yet since they were set
	explanation Explanation
	reportDue   bool // there will be a report of the last key frame
	carriedIoU  float64
	maskScratch []byte // of the proposal in hand
	path        path   // from the frame at hand to the last key frame
	now         Moment // at hand
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
	*Analysis
	// Bank has the queries that were asked for; all that counts queries below counts
	// these.
	Bank *car.Bank
	// Key says that the model looked at the frame; encoded image and Outcome are nil where it
	// did not.
	Key     bool
	Encoded *car.EncodedImage
	Outcome *car.Outcome
	// Present are the queries of the set, in ascending order, and Judgements what is
	// known of each.
	Present    []int
	Judgements []car.Judgement
	// Standing are those of them that did not pass, but look as they did when they
	// last passed. Where they are is where motion brought them.
	Retained []int
	// Result is what the Carrier makes of the step, and Instances what its Roster does.
	Result    *car.Result
	Instances []Instance

	// Sudden says that what came or went in this key frame did so at once.
	Sudden bool

	stateless   bool // of a Tracker that is
	confidences []maskConfidence
	confidence  []float32 // of the picture's pixels, how sure what is carried is
	keyLuma     []byte    // how the key frame before it looks from here
}

// Close gives the step's memory back. A second Close does nothing.
func (s *Step) Close() {
	s.closeEncoded()
	if s.Analysis != nil {
		s.Analysis.Close()
		s.Analysis = nil
	}
}

// closeScene gives back what the model needed, which is most of it.
func (s *Step) closeEncoded() {
	if s.Encoded != nil {
		s.Encoded.Close()
		s.Encoded, s.Outcome = nil, nil
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
	var numbering car.Numbering
	queries, err := numbering.Number(t.Queries)
	if err != nil {
		return err
	}
	bank, err := t.Segmenter.EmbedQueries(ctx, queries)
	if err != nil {
		return err
	}
	t.Queries, t.unevaluated = queries, nil
	t.bank, t.carriedIoU = bank, 1
	t.state = State{Queries: make([]QueryState, len(t.Queries))}
	return nil
}

// Bank returns the queries as they were embedded.
func (t *Tracker) Bank() *car.Bank { return t.bank }

// State returns a copy of what is known so far.
func (t *Tracker) State() State {
	s := t.state
	s.U, s.V = t.path.u, t.path.v
	return s.clone()
}

// Resume goes on from a state, of the same queries. The frame that comes next is
// taken for the one behind the last that the state knows.
func (t *Tracker) Resume(s State) error {
	if len(s.Queries) != len(t.Queries) {
		return fmt.Errorf("resuming: the state is of %d queries, and there are %d", len(s.Queries), len(t.Queries))
	}
	for i, q := range s.Queries {
		for _, plane := range [][]byte{q.Mask, q.Template} {
			if len(plane) != 0 && len(plane) != s.W*s.H {
				return fmt.Errorf("resuming: the mask or look of query %d has %d pixels of %dx%d", i, len(plane), s.W, s.H)
			}
		}
	}
	if len(s.U) != s.W*s.H || len(s.V) != len(s.U) {
		return fmt.Errorf("resuming: the motion has %d and %d pixels of %dx%d", len(s.U), len(s.V), s.W, s.H)
	}
	t.state = s.clone()
	t.path.reset(s.W, s.H, 1)
	copy(t.path.u, s.U)
	copy(t.path.v, s.V)
	for i := range t.state.Queries {
		if q := &t.state.Queries[i]; len(q.Mask) > 0 {
			q.propagated = t.path.warpMask(q.Mask, q.propagated)
		}
	}
	return nil
}

// Step takes the next frame.
//
//	move the masks of h along                     what is there, if nothing happened
//	if this frame is no key frame: done
//	x = look                                      the trunk
//	y = propose and judge(h + some absent ones)   all of them in a new shot
//	h = those that stand
func (t *Tracker) Step(ctx context.Context, s *Analysis) (*Step, error) {
	step := &Step{Analysis: s, Bank: t.bank, stateless: t.Stateless}
	t.now = s.Moment
	t.explanation.begin(s, t.Queries)
	t.propagateMasks(s)
	why := t.keyReason(s)
	if why == "" || s.Blank && !t.Stateless {
		s.closeEncoded()
		t.finish(step, why)
		return step, nil
	}
	encoded, err := t.encode(ctx, s)
	if err != nil {
		return nil, err
	}
	step.Key, step.Encoded, step.Sudden = true, encoded, why == keyAbrupt || why == keyOccluded
	right, err := t.readReport(ctx)
	if err != nil {
		step.closeEncoded()
		return nil, err
	}
	var asked []int
	if s.NewShot || t.Stateless {
		t.noteAll(s)
		step.Outcome, err = t.Segmenter.Loop(ctx, encoded, t.bank)
	} else {
		t.matchTemplates(s)
		asked = t.selectQueries(s, t.Segmenter.Similarity(encoded, t.bank))
		step.Outcome, err = t.Segmenter.Step(ctx, encoded, t.bank, car.Ask{Queries: asked, Known: t.reuseJudgement(s), Keep: t.stays})
	}
	if err != nil {
		step.closeEncoded()
		return nil, err
	}
	t.reportDue = true
	if s.NewShot || t.Stateless {
		t.unevaluated = nil // all were asked
	}
	for _, q := range asked {
		if t.unevaluated != nil {
			t.unevaluated[q] = false
		}
	}
	step.Retained = t.update(s, step.Outcome, right)
	step.Outcome.Exclude(step.Retained)
	t.finish(step, why)
	return step, nil
}

// look runs the trunk, if nobody has yet. The encoded image is the caller's.
func (t *Tracker) encode(ctx context.Context, s *Analysis) (*car.EncodedImage, error) {
	if encoded := s.encoded; encoded != nil {
		s.encoded = nil
		return encoded, nil
	}
	return t.Segmenter.EncodeImage(ctx, s.Image)
}

// report is how right the masks were that were carried to the key frame before this
// one; 1 where nobody knows.
func (t *Tracker) readReport(ctx context.Context) (float64, error) {
	if t.Reports == nil || t.Stateless {
		return 1, nil
	}
	if t.reportDue { // not if the step that read it failed
		select {
		case t.carriedIoU = <-t.Reports:
			t.reportDue = false
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return t.carriedIoU, nil
}

// follow takes the masks of the state along the motion, or forgets them all where
// nothing goes on.
func (t *Tracker) propagateMasks(s *Analysis) {
	if s.NewShot || s.Blank || t.Stateless {
		// Nothing of what was goes on.
		for i := range t.state.Queries {
			t.state.Queries[i].reset()
		}
		t.state.ProbeDebt = 0
	}
	if t.Stateless {
		return
	}
	if s.Motion.W == 0 {
		return
	}
	t.path.extend(&s.Motion)
	for i := range t.state.Queries {
		if q := &t.state.Queries[i]; len(q.Mask) > 0 {
			before := area(q.propagated)
			q.propagated = t.path.warpMask(q.Mask, q.propagated)
			q.Shrunk = float32(area(q.propagated)) < shrunkShare*float32(before)
		}
	}
}

func area(mask []byte) (n int) {
	for _, m := range mask {
		n += int(m)
	}
	return n
}

func clampRound(v float32, n int) int { return min(max(int(v+.5), 0), n-1) }

// close fills in the step, and tells.
func (t *Tracker) finish(step *Step, why string) {
	t.state.NextFrame = step.Frame + 1
	for q := range t.state.Queries {
		if m := &t.state.Queries[q]; m.Present {
			step.Present = append(step.Present, q)
			step.Judgements = append(step.Judgements, m.Judgement)
		}
	}
	if t.Explain != nil {
		t.explanation.end(step, why, t.state.KeySpacing)
		t.Explain(&t.explanation)
	}
}
