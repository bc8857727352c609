package tracking

import "github.com/carve-video/carve/car"

// A State is the hidden state of the recurrence, h of the paper: what is known of
// every query when the next frame comes. It is plain data, and can be kept as JSON
// and given to another [Tracker].
type State struct {
	// Next is the number of frames so far.
	Next int64 `json:"next"`
	// Key is the last frame that was looked at with the model.
	Key Moment `json:"key"`
	// All is the last frame in which every absent query was asked.
	All Moment `json:"all"`
	// Spacing is how many frames lie from one key frame to the next.
	Spacing float64 `json:"spacing"`
	// Owed is the part of a question that the probes are behind.
	Owed float64 `json:"owed"`

	Queries []QueryState `json:"queries"`

	// W and H are the size of the masks, that of the flow.
	W int `json:"w"`
	H int `json:"h"`
}

// A QueryState is what is known of one query.
type QueryState struct {
	// Present says that the query is of the set: it is taken to be there.
	Present bool `json:"present"`
	// Judgement is the last one.
	car.Judgement
	// Doubts are the judgements in a row that it did not pass, although it is of the
	// set.
	Doubts int `json:"doubts,omitempty"`
	// Hopes are those it passed, although not clearly, while it is not yet of the set.
	Hopes int `json:"hopes,omitempty"`
	// Asked, Judged and Seen are when it was last asked, judged, and passed.
	Asked  Moment `json:"asked"`
	Judged Moment `json:"judged"`
	Seen   Moment `json:"seen"`
	// Left is when it was last dropped from the set.
	Left Moment `json:"left"`
	// Likeness is the mean of how well the whole picture fitted it, in key frames of
	// the shot in which it was absent; Known counts those.
	Likeness float32 `json:"likeness"`
	Known    int     `json:"known"`
	// Mask is where it is, a byte a pixel at the flow's resolution, moved along since
	// the last key frame; nil where it is not.
	Mask []byte `json:"mask,omitempty"`
	// Shrunk says that much of it was lost in the last frame.
	Shrunk bool `json:"shrunk,omitempty"`

	same float64 // overlap of the proposal in hand with the mask
}

// forget makes a query absent, and what is remembered of it void.
func (q *QueryState) forget() {
	*q = QueryState{Judgement: q.Judgement, Asked: q.Asked, Judged: q.Judged, Seen: q.Seen, Mask: q.Mask[:0]}
}

// clone copies the state.
func (s *State) clone() State {
	c := *s
	c.Queries = append([]QueryState(nil), s.Queries...)
	for i := range c.Queries {
		c.Queries[i].Mask = append([]byte(nil), s.Queries[i].Mask...)
	}
	return c
}
