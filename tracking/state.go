package tracking

import (
	"fmt"
	"slices"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking/flow"
)

// A State is the hidden state of the recurrence, h of the paper: what the [Tracker] knows
// about every query between two frames. It is plain data, and part of a [Checkpoint], which
// also has the state of the other parts, such as the exact masks.
type State struct {
	// NextFrame is the number of frames so far.
	NextFrame int64 `json:"next_frame"`
	// LastKey is the last key frame.
	LastKey Moment `json:"last_key"`
	// FullProbe is the last key frame in which every query was evaluated.
	FullProbe Moment `json:"full_probe"`
	// KeySpacing is the number of frames from one key frame to the next.
	KeySpacing float64 `json:"key_spacing"`
	// ProbeDebt is the number of probes of absent queries that are due and not made, 0..1.
	ProbeDebt float64 `json:"probe_debt"`

	// CarriedIoU is the IoU of propagated and new masks in a key frame, of the mask that
	// fitted worst. That key frame is the last one, or, if FeedbackDue, the one before,
	// because the Propagator has not reported on the last one yet.
	CarriedIoU  float64 `json:"carried_iou"`
	FeedbackDue bool    `json:"feedback_due"`

	Queries []QueryState `json:"queries"`

	// W and H are the size of masks and templates, which is that of the flow.
	W int `json:"w"`
	H int `json:"h"`
	// U and V lead from every pixel of the last frame to where it was in the last key
	// frame, to which masks and templates belong.
	U []float32 `json:"u,omitempty"`
	V []float32 `json:"v,omitempty"`
}

// A QueryState is what is known about one query.
type QueryState struct {
	// Present says that the query is in the active set: its object is taken to be visible.
	Present bool `json:"present"`
	// Judgement is the last one.
	car.Judgement
	// Unevaluated says that the query was set, or got another meaning, after the last key
	// frame.
	Unevaluated bool `json:"unevaluated,omitempty"`
	// Misses is the number of judgements in a row that it failed while in the set.
	Misses int `json:"misses,omitempty"`
	// Confirmations is the number of judgements in a row that it passed while tentative,
	// which is before it is in the set. FirstConfirmed is the time of the first.
	Confirmations  int    `json:"confirmations,omitempty"`
	FirstConfirmed Moment `json:"first_confirmed"`
	// LastEvaluated, LastJudged and LastSeen are when a mask was last proposed for it, when
	// the judge last saw one, and when it last passed.
	LastEvaluated Moment `json:"last_evaluated"`
	LastJudged    Moment `json:"last_judged"`
	LastSeen      Moment `json:"last_seen"`
	// PresenceFell says that the last judgement left little of the presence that it had.
	PresenceFell bool `json:"presence_fell,omitempty"`
	// Entered is when it entered the set, LastPassed when it last passed there, and
	// Dropped when it last left the set.
	Entered    Moment `json:"entered"`
	LastPassed Moment `json:"last_passed"`
	Dropped    Moment `json:"dropped"`
	// MeanSimilarity is the mean similarity of the whole image to the query, over the key
	// frames of the shot in which it was absent. Similarities is the number of those.
	MeanSimilarity float32 `json:"mean_similarity"`
	Similarities   int     `json:"similarities"`
	// Mask is where it was in the last key frame, a byte per pixel at the flow's resolution;
	// empty if it was absent.
	Mask []byte `json:"mask,omitempty"`
	// Template is the luma of the image in which it last passed, moved along the motion to
	// the last key frame. TemplateArea is the area of its mask when it passed, in pixels.
	Template     []byte `json:"template,omitempty"`
	TemplateArea int    `json:"template_area,omitempty"`
	// Shrunk says that the mask lost much of its area in the last frame.
	Shrunk bool `json:"shrunk,omitempty"`
}

// An observation is what one frame shows of a query. Its memory is reused.
type observation struct {
	mask     []byte // the mask of the state, moved along the motion to this frame
	template []byte // the template likewise

	// At key frames:
	matches, mismatches bool    // its template; neither if the template does not tell
	iou                 float64 // overlap of its proposal with mask
	occupied            float64 // share of its proposal on other queries that match their templates
	retained            bool    // it missed, and stays because it matches
}

// reset makes a query absent and forgets what depends on where it was.
func (q *QueryState) reset() {
	*q = QueryState{
		Judgement: q.Judgement, Unevaluated: q.Unevaluated,
		LastEvaluated: q.LastEvaluated, LastJudged: q.LastJudged, LastSeen: q.LastSeen,
		Mask: q.Mask[:0], Template: q.Template[:0],
	}
}

// clone copies the state.
func (s *State) clone() State {
	c := *s
	c.U, c.V = slices.Clone(s.U), slices.Clone(s.V)
	c.Queries = slices.Clone(s.Queries)
	for i := range c.Queries {
		q := &c.Queries[i]
		q.Mask, q.Template = slices.Clone(q.Mask), slices.Clone(q.Template)
	}
	return c
}

// check finds what is wrong with the state of a checkpoint of frames of w×h, which was taken
// at a key frame.
func (s *State) check(w, h int) error {
	fw, fh, _ := flow.Size(w, h)
	if (s.W != 0 || s.H != 0) && (s.W != fw || s.H != fh) {
		return fmt.Errorf("its masks have %dx%d pixels, not %dx%d", s.W, s.H, fw, fh)
	}
	for i, q := range s.Queries {
		for _, plane := range [][]byte{q.Mask, q.Template} {
			if len(plane) != 0 && len(plane) != s.W*s.H {
				return fmt.Errorf("the mask or template of query %d has %d pixels of %dx%d", i, len(plane), s.W, s.H)
			}
		}
	}
	if len(s.U) != s.W*s.H || len(s.V) != len(s.U) {
		return fmt.Errorf("its motion has %d and %d pixels of %dx%d", len(s.U), len(s.V), s.W, s.H)
	}
	for i := range s.U {
		if s.U[i] != 0 || s.V[i] != 0 {
			return fmt.Errorf("it is not of a key frame: pixel %d has moved", i)
		}
	}
	if !(s.ProbeDebt >= 0 && s.ProbeDebt <= 1) || !(s.KeySpacing >= 0 && s.KeySpacing < 1e6) {
		return fmt.Errorf("its probe debt is %g and its key spacing %g", s.ProbeDebt, s.KeySpacing)
	}
	return nil
}
