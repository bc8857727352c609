package tracking

import (
	"context"
	"fmt"
	"slices"

	"github.com/carve-video/carve/car"
)

// A Tracker decides which queries are present, frame by frame. Its exported fields are
// its settings; set them before Initialize. It is for one goroutine, except that the
// [car.Segmenter]'s Refine may run on another.
type Tracker struct {
	// Segmenter proposes and judges.
	Segmenter *car.Segmenter
	// Queries name the objects to find.
	Queries []car.Query
	// Params tunes it; nil stands for [DefaultParams].
	Params *Params

	// Stateless runs the whole image loop on every frame and keeps no state.
	Stateless bool
	// Every is the number of frames from one key frame to the next. With 0 the number is
	// adapted to how well propagated masks fit.
	Every int
	// MaxEvery bounds the adapted number; 0 stands for DefaultMaxEvery.
	MaxEvery int
	// Probe is the time within which every absent query is evaluated again.
	Probe Interval
	// JudgeEvery is the time within which a present query is judged again even if its mask
	// only moved.
	JudgeEvery Interval
	// Explain, if not nil, is called for every frame with what was decided and why. The
	// Explanation is valid until the call returns.
	Explain func(*Explanation)

	bank        *car.Bank
	state       State
	observed    []observation // by query, of the frame in hand
	path        path          // from the frame in hand back to the last key frame
	explanation Explanation
	scratch     []byte // a mask at the flow's resolution
	snapshotDue bool
	settings    Settings
}

// The default settings.
var (
	DefaultProbe      = Interval{Time: 2e9}
	DefaultJudgeEvery = Interval{Time: 1e9}
)

// DefaultMaxEvery is the default of [Tracker].MaxEvery.
const DefaultMaxEvery = 8

// Feedback returns how well propagated masks fitted at the last key frame: what
// [Propagator.Refine] returned for it. The Tracker calls it at most once for each key frame,
// and only when it works on the next one, so that decisions do not depend on whether the
// Tracker or the Propagator is faster.
type Feedback func(ctx context.Context) (carriedIoU float64, err error)

// A Step is the result of one frame.
type Step struct {
	*Analysis
	// Bank has the queries of the frame. All indices of queries below refer to it.
	Bank *car.Bank
	// Key says that this is a key frame. Encoded and Outcome are nil in other frames.
	Key     bool
	Encoded *car.EncodedImage
	Outcome *car.Outcome
	// Sudden says that this key frame was caused by an abrupt change or by occlusion.
	// Objects that appear or vanish in it are taken to do so in this frame, not before.
	Sudden bool
	// Present are the queries of the active set, in ascending order, and Judgements the
	// last judgement of each.
	Present    []int
	Judgements []car.Judgement
	// Retained are the present queries that missed and stay because they match their
	// templates. Their masks are the propagated ones.
	Retained []int

	// Result is filled in by the Propagator, and Instances by its InstanceTracker.
	Result    *car.Result
	Instances []Instance
	// Checkpoint, if not nil, is the state of the whole session after this frame. The
	// Propagator fills it in, see [Analysis].Checkpoint.
	Checkpoint *Checkpoint

	stateless   bool             // Tracker.Stateless
	snapshot    *State           // of the Tracker, for a checkpoint
	settings    Settings         // of the Tracker, for a checkpoint
	begun       bool             // Propagator.Refine has been called
	err         error            // from Propagator.Refine
	carriedIoU  float64          // in a key frame, see Propagator.measureCarried
	confidences []maskConfidence // of the propagated masks
	confidence  []float32        // of the motion, by pixel, 0..1
	keyLuma     []byte           // luma of the last key frame, moved to this frame
}

// Close frees the memory of the step. A second Close does nothing.
func (s *Step) Close() {
	s.closeEncoded()
	if s.Analysis != nil {
		s.Analysis.Close()
		s.Analysis = nil
	}
}

// closeEncoded frees the memory of the encoded image, which is most of it.
func (s *Step) closeEncoded() {
	if s.Encoded != nil {
		s.Encoded.Close()
		s.Encoded, s.Outcome = nil, nil
	}
}

// Initialize checks the settings and embeds the queries.
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
	t.Params = t.Params.orDefault()
	if err := t.Params.Check(); err != nil {
		return err
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
	t.Queries, t.bank = queries, bank
	t.state = State{CarriedIoU: 1, Queries: make([]QueryState, len(queries))}
	t.observed = make([]observation, len(queries))
	t.settings, err = t.currentSettings()
	return err
}

// Bank returns the embedded queries.
func (t *Tracker) Bank() *car.Bank { return t.bank }

// State returns a copy of the state.
func (t *Tracker) State() State {
	s := t.state
	s.U, s.V = t.path.u, t.path.v
	return s.clone()
}

// restore makes the Tracker go on from a state of the same queries.
func (t *Tracker) restore(s *State, w, h int) error {
	if len(s.Queries) != len(t.Queries) {
		return fmt.Errorf("it has %d queries, and there are %d", len(s.Queries), len(t.Queries))
	}
	if err := s.check(w, h); err != nil {
		return err
	}
	t.state = s.clone()
	t.path.reset(s.W, s.H, 1)
	copy(t.path.u, s.U)
	copy(t.path.v, s.V)
	t.observed = make([]observation, len(s.Queries))
	for i := range t.state.Queries {
		t.moveMask(i)
	}
	return nil
}

// Step takes the next frame. feedback may be nil.
//
//	move the masks of h along the motion
//	if this is no key frame: done
//	x = encode the image                          the trunk
//	propose masks for the queries of h, and for some absent ones
//	judge them, except those of h that only moved
//	decide which queries stay
//	h = those, with the masks that were proposed
//
// The first frame of a shot runs the loop over all queries instead.
func (t *Tracker) Step(ctx context.Context, a *Analysis, feedback Feedback) (*Step, error) {
	step := &Step{Analysis: a, Bank: t.bank, stateless: t.Stateless}
	t.snapshotDue = t.snapshotDue || a.Checkpoint
	t.explanation.begin(a, t.Queries)
	t.moveState(a)
	reason := t.keyReason(a)
	if reason == "" || a.Blank && !t.Stateless {
		a.closeEncoded()
		t.finish(step, reason)
		return step, nil
	}
	step.Key, step.Sudden = true, reason == keyAbrupt || reason == keyOccluded
	if err := t.keyStep(ctx, step, feedback); err != nil {
		step.closeEncoded()
		return nil, err
	}
	t.finish(step, reason)
	if t.snapshotDue {
		s := t.State()
		step.snapshot, step.settings, t.snapshotDue = &s, t.settings, false
	}
	return step, nil
}

// keyStep runs the model on a key frame, and updates the state.
func (t *Tracker) keyStep(ctx context.Context, step *Step, feedback Feedback) (err error) {
	a := step.Analysis
	if step.Encoded, err = t.encode(ctx, a); err != nil {
		return err
	}
	if err := t.takeFeedback(ctx, feedback); err != nil {
		return err
	}
	var evaluated []int
	if a.NewShot || t.Stateless {
		evaluated = t.selectAll(a)
		step.Outcome, err = t.Segmenter.Loop(ctx, step.Encoded, t.bank)
	} else {
		t.matchTemplates(a)
		evaluated = t.selectQueries(a, t.Segmenter.Similarity(step.Encoded, t.bank))
		step.Outcome, err = t.round(ctx, a, step.Encoded, evaluated)
	}
	if err != nil {
		return err
	}
	for _, q := range evaluated {
		t.state.Queries[q].Unevaluated = false
	}
	step.Retained = t.update(a, step.Outcome)
	step.Outcome.Exclude(step.Retained)
	return nil
}

// round is one recurrent step of CaR over some of the queries.
func (t *Tracker) round(ctx context.Context, a *Analysis, encoded *car.EncodedImage, queries []int) (*car.Outcome, error) {
	round, err := t.Segmenter.Propose(ctx, encoded, t.bank, queries)
	if err != nil {
		return nil, err
	}
	t.compareProposals(a, round)
	if err := t.Segmenter.Judge(ctx, round, t.reusable(a, round)); err != nil {
		return nil, err
	}
	return t.Segmenter.Conclude(ctx, round, t.decide(a, round))
}

// encode runs the trunk over the frame, unless a Prefetcher has. The result is the
// caller's.
func (t *Tracker) encode(ctx context.Context, a *Analysis) (*car.EncodedImage, error) {
	if encoded := a.encoded; encoded != nil {
		a.encoded = nil
		return encoded, nil
	}
	return t.Segmenter.EncodeImage(ctx, a.Image)
}

// takeFeedback reads how well propagated masks fitted in the last key frame. It is read once,
// even if the step fails later.
func (t *Tracker) takeFeedback(ctx context.Context, feedback Feedback) (err error) {
	if !t.state.FeedbackDue || feedback == nil || t.Stateless {
		return nil
	}
	carriedIoU, err := feedback(ctx)
	if err != nil {
		return err
	}
	t.state.CarriedIoU, t.state.FeedbackDue = carriedIoU, false
	return nil
}

// moveState moves the masks of the state along the motion to the frame. In the first frame
// of a shot and in a blank frame, all queries become absent instead.
func (t *Tracker) moveState(a *Analysis) {
	if a.NewShot || a.Blank || t.Stateless {
		for i := range t.state.Queries {
			t.forget(i)
		}
		t.state.ProbeDebt = 0
	}
	if t.Stateless || a.Motion.W == 0 {
		return
	}
	t.path.extend(&a.Motion)
	for i := range t.state.Queries {
		q := &t.state.Queries[i]
		if len(q.Mask) == 0 {
			continue
		}
		before := area(t.observed[i].mask)
		t.moveMask(i)
		q.Shrunk = float64(area(t.observed[i].mask)) < t.Params.ShrunkShare*float64(before)
	}
}

// moveMask moves the mask of a query along the path to the frame in hand.
func (t *Tracker) moveMask(query int) {
	o := &t.observed[query]
	if mask := t.state.Queries[query].Mask; len(mask) > 0 {
		o.mask = t.path.warpMask(mask, o.mask)
	} else {
		o.mask = o.mask[:0]
	}
}

// forget makes a query absent.
func (t *Tracker) forget(query int) {
	t.state.Queries[query].reset()
	o := &t.observed[query]
	*o = observation{mask: o.mask[:0], template: o.template[:0]}
}

// finish fills in the step and explains it.
func (t *Tracker) finish(step *Step, reason string) {
	t.state.NextFrame = step.Frame + 1
	for q := range t.state.Queries {
		if s := &t.state.Queries[q]; s.Present {
			step.Present = append(step.Present, q)
			step.Judgements = append(step.Judgements, s.Judgement)
		}
	}
	if t.Explain != nil {
		t.explanation.end(step, reason, &t.state)
		t.Explain(&t.explanation)
	}
}

// area is the number of pixels of a mask of zeros and ones.
func area(mask []byte) (n int) {
	for _, m := range mask {
		n += int(m)
	}
	return n
}

// clampRound rounds to the nearest of the indices 0..n-1.
func clampRound(v float32, n int) int { return min(max(int(v+.5), 0), n-1) }

// hasUnevaluated reports whether a query was set since the last key frame.
func (t *Tracker) hasUnevaluated() bool {
	return slices.ContainsFunc(t.state.Queries, func(q QueryState) bool { return q.Unevaluated })
}
