package tracking

import (
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking/flow"
)

// An Explanation is what was decided in one frame, and why.
type Explanation struct {
	Moment
	// Key is why the frame is a key frame, empty if it is none: "new shot", "new queries",
	// "interval", "abrupt", "fade-in", "miss", "occluded" or "memory off".
	Key string `json:"key,omitempty"`
	// NewShot, Blank and OccludedShare are those of the [Analysis].
	NewShot       bool    `json:"new_shot,omitempty"`
	Blank         bool    `json:"blank,omitempty"`
	OccludedShare float32 `json:"occluded"`
	// CarriedIoU is set in key frames. It is the IoU of propagated and new masks at the key
	// frame before, of the mask that fitted worst, or 1 if there was none.
	CarriedIoU float64 `json:"carried_iou,omitempty"`
	// KeySpacing is the number of frames to the next key frame, if nothing happens before.
	KeySpacing float64            `json:"key_spacing"`
	Queries    []QueryExplanation `json:"queries"`
}

// A Verdict is what was decided in a key frame about a query that was evaluated.
type Verdict string

// The verdicts.
const (
	Judged   Verdict = "judged"   // the judge saw its proposal
	Reused   Verdict = "reused"   // its mask only moved, so the last judgement counts again
	Missed   Verdict = "missed"   // it failed the judge and stays for now
	Retained Verdict = "retained" // it failed the judge and stays because it matches its template
	Dropped  Verdict = "dropped"  // it left the set
)

// A QueryExplanation is about one query in one frame.
type QueryExplanation struct {
	Label string `json:"label"`
	// State is "present" or "absent" after the frame.
	State string `json:"state"`
	// Evaluated is why a mask was proposed for it, empty if none was: "all", "new",
	// "present", "abrupt", "fade-in", "tentative", "dropped", "similarity" or "probe".
	Evaluated string `json:"evaluated,omitempty"`
	// Verdict is what was decided about it, empty if it was not evaluated.
	Verdict Verdict `json:"verdict,omitempty"`
	// TemplateMatch is the correlation, -1..1, of the frame with the query's template inside
	// its propagated mask; 0 if they were not compared.
	TemplateMatch float64 `json:"template_match,omitempty"`
	// TemplateStrength is the strength of the template's pattern in the frame; 1 if it is as
	// strong as in the template.
	TemplateStrength float64 `json:"template_strength,omitempty"`
	// Occupied is the share of the proposal of an absent query that lies on others which
	// match their templates.
	Occupied float64 `json:"occupied,omitempty"`
	// Score and Presence are the last judgement.
	Score    float32 `json:"score"`
	Presence float32 `json:"presence"`
	// Shown says whether the query has a mask in the final result. A [Tracker] leaves it
	// nil, because the [Propagator] still adds what was found late and removes what vanished.
	Shown *bool `json:"shown,omitempty"`
}

// begin resets the explanation for a frame.
func (e *Explanation) begin(a *Analysis, queries []car.Query) {
	*e = Explanation{Moment: a.Moment, NewShot: a.NewShot, Blank: a.Blank, Queries: e.Queries}
	if a.Motion.W > 0 {
		e.OccludedShare = a.Motion.OccludedShare
	}
	if len(e.Queries) != len(queries) {
		e.Queries = make([]QueryExplanation, len(queries))
	}
	for i, q := range queries {
		e.Queries[i] = QueryExplanation{Label: q.Label, State: "absent"}
	}
}

func (e *Explanation) setEvaluated(q int, reason string) { e.Queries[q].Evaluated = reason }
func (e *Explanation) setVerdict(q int, v Verdict)       { e.Queries[q].Verdict = v }
func (e *Explanation) setOccupied(q int, share float64)  { e.Queries[q].Occupied = share }
func (e *Explanation) setTemplateMatch(q int, m templateMatch) {
	e.Queries[q].TemplateMatch, e.Queries[q].TemplateStrength = m.correlation, m.strength
}

// end fills in what is known after the frame.
func (e *Explanation) end(step *Step, reason string, s *State) {
	e.KeySpacing = s.KeySpacing
	if !step.Blank {
		e.Key = reason
	}
	for q := range s.Queries {
		e.Queries[q].Score, e.Queries[q].Presence = s.Queries[q].Score, s.Queries[q].Presence
	}
	for _, q := range step.Present {
		e.Queries[q].State = "present"
	}
}

// flowSize is the resolution of the flow, and so of the masks of a [State].
func flowSize(a *Analysis) (w, h, factor int) { return flow.Size(a.Image.W, a.Image.H) }
