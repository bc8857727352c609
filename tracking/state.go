package tracking

import (
	"slices"

	"github.com/carve-video/carve/car"
)

// A State is the hidden state of the recurrence, h of the paper: what is known of
// every query when the next frame comes. It is plain data, and can be kept as JSON
// and given to another [Tracker].
type State struct {
	// Next is the number of frames so far.
	NextFrame int64 `json:"next"`
	// Key is the last frame that was looked at with the model.
	LastKey Moment `json:"key"`
	// All is the last frame in which every absent query was asked.
	FullProbe Moment `json:"all"`
	// Spacing is how many frames lie from one key frame to the next.
	KeySpacing float64 `json:"spacing"`
	// Owed is the part of a question that the probes are behind.
	ProbeDebt float64 `json:"owed"`

	Queries []QueryState `json:"queries"`

	// W and H are the size of masks and looks, that of the flow.
	W int `json:"w"`
	H int `json:"h"`
	// U and V lead from every pixel of the last frame to where it was in the last key
	// frame, whose masks and looks these are.
	U []float32 `json:"u,omitempty"`
	V []float32 `json:"v,omitempty"`
}

// A QueryState is what is known of one query.
type QueryState struct {
	// Present says that the query is of the set: it is taken to be there.
	Present bool `json:"present"`
	// Judgement is the last one.
	car.Judgement
	// Doubts are the judgements in a row that it did not pass, although it is of the
	// set.
	Misses int `json:"doubts,omitempty"`
	// Hopes are those it passed while it is not yet of the set, Hoped the first of them.
	Confirmations  int    `json:"hopes,omitempty"`
	FirstConfirmed Moment `json:"hoped"`
	// Asked, Judged and Seen are when it was last asked, judged, and passed.
	LastEvaluated Moment `json:"asked"`
	LastJudged    Moment `json:"judged"`
	LastSeen      Moment `json:"seen"`
	// Sank says that the last judgement left less than half of the presence that it had.
	PresenceFell bool `json:"sank,omitempty"`
	// Since is when it came into the set, and Clear when it last passed there.
	Entered    Moment `json:"since"`
	LastPassed Moment `json:"clear"`
	// Left is when it was last dropped from the set.
	Dropped Moment `json:"left"`
	// Likeness is the mean of how well the whole picture fitted it, in key frames of
	// the shot in which it was absent; Known counts those.
	MeanSimilarity float32 `json:"likeness"`
	Similarities   int     `json:"known"`
	// Mask is where it was in the last key frame, a byte a pixel at the flow's
	// resolution; nil where it is not.
	Mask []byte `json:"mask,omitempty"`
	// Look is the brightness of the picture in which it last passed, as motion has
	// brought it to the last key frame.
	Template []byte `json:"look,omitempty"`
	// Area is how many pixels its mask had when it last passed.
	TemplateArea int `json:"area,omitempty"`
	// Shrunk says that much of the mask was lost in the last frame.
	Shrunk bool `json:"shrunk,omitempty"`

	// What is known of it in the frame at hand: mask and look as motion brings them,
	// whether it still looks like that or is no longer to be seen, whether it stays for
	// that reason only, how much of its proposal overlaps with its mask, and how much of
	// it lies on others.
	propagated, templateNow []byte
	matches, mismatches     bool
	retained                bool
	carriedIoU, occupied    float64
}

// forget makes a query absent, and what is remembered of it void.
func (q *QueryState) reset() {
	*q = QueryState{
		Judgement: q.Judgement, LastEvaluated: q.LastEvaluated, LastJudged: q.LastJudged, LastSeen: q.LastSeen,
		Mask: q.Mask[:0], Template: q.Template[:0], propagated: q.propagated[:0], templateNow: q.templateNow[:0],
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
		q.propagated, q.templateNow = nil, nil
	}
	return c
}
