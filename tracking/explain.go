package tracking

import (
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking/flow"
)

// An Explanation says of one frame what was decided, and why.
type Explanation struct {
	Moment
	// Key is why the model looked at the frame, empty if it did not.
	Key string `json:"key,omitempty"`
	// Fresh, Blank and Surprise are what the watcher saw.
	NewShot       bool    `json:"new_shot,omitempty"`
	Blank         bool    `json:"blank,omitempty"`
	OccludedShare float32 `json:"occluded"`
	// Carried is the overlap of the carried masks with those of the key frame, of the
	// one that was wrong most; 1 where there was none.
	CarriedIoU float64 `json:"carried_iou,omitempty"`
	// Spacing is how many frames off the next key frame is, if nothing happens.
	KeySpacing float64            `json:"key_spacing"`
	Queries    []QueryExplanation `json:"queries"`
}

// A Verdict is what a key frame decided about a query that was evaluated.
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
	// Asked is why it was asked: new (set a moment ago), present, hoped (passed nearly), dropped (lately), likelier
	// (the picture begins to speak for it), probe (its turn), startled, brighter, all;
	// empty if it was not.
	Evaluated string `json:"evaluated,omitempty"`
	// Verdict is what came of it: judged, spared (its mask only moved), doubted (not
	// passed, and kept for now), standing (not passed, and kept because it looks as it
	// did), dropped.
	Verdict Verdict `json:"verdict,omitempty"`
	// Unchanged is how much it looks, where it has to be, as it did when it last passed:
	// a correlation, -1..1; 0 where nobody compared.
	TemplateMatch float64 `json:"template_match,omitempty"`
	// Strength is how strong that look is still, 1 being as strong as it was.
	TemplateStrength float64 `json:"template_strength,omitempty"`
	// Taken is how much of the proposal of an absent query lies on others that look as
	// they did.
	Occupied float64 `json:"occupied,omitempty"`
	// Score and Presence are the last judgement.
	Score    float32 `json:"score"`
	Presence float32 `json:"presence"`
	// Shown is whether the frame shows it in the end, which a [Tracker] does not know: a
	// [Carrier] adds what was found late and takes away what has gone. Nil is unknown.
	Shown *bool `json:"shown,omitempty"`
}

func (e *Explanation) begin(s *Analysis, queries []car.Query) {
	e.Moment, e.Key, e.NewShot, e.Blank, e.OccludedShare, e.CarriedIoU = s.Moment, "", s.NewShot, s.Blank, s.Motion.OccludedShare, 0
	if s.Motion.W == 0 {
		e.OccludedShare = 0
	}
	if len(e.Queries) != len(queries) {
		e.Queries = make([]QueryExplanation, len(queries))
	}
	for i, q := range queries {
		e.Queries[i] = QueryExplanation{Label: q.Label, State: "absent", Score: e.Queries[i].Score, Presence: e.Queries[i].Presence}
	}
}

func (e *Explanation) setEvaluated(q int, why string) { e.Queries[q].Evaluated = why }

func (e *Explanation) setJudged(q int, j car.Judgement) {
	e.Queries[q].Verdict, e.Queries[q].Score, e.Queries[q].Presence = Judged, j.Score, j.Presence
}

func (e *Explanation) setReused(q int)   { e.Queries[q].Verdict = Reused }
func (e *Explanation) setMissed(q int)   { e.Queries[q].Verdict = Missed }
func (e *Explanation) setRetained(q int) { e.Queries[q].Verdict = Retained }
func (e *Explanation) setDropped(q int)  { e.Queries[q].Verdict = Dropped }

func (e *Explanation) setTemplateMatch(q int, r templateMatch) {
	e.Queries[q].TemplateMatch, e.Queries[q].TemplateStrength = r.correlation, r.strength
}

func (e *Explanation) setOccupied(q int, share float64) { e.Queries[q].Occupied = share }

func (e *Explanation) end(step *Step, why string, spacing float64) {
	e.Key, e.KeySpacing = why, spacing
	if step.Blank {
		e.Key = ""
	}
	for _, q := range step.Present {
		e.Queries[q].State = "present"
	}
}

// flowSize is the resolution of the rough masks of a frame.
func flowSize(s *Analysis) (w, h, factor int) { return flow.Size(s.Image.W, s.Image.H) }
