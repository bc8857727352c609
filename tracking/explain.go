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
	Fresh    bool    `json:"fresh,omitempty"`
	Blank    bool    `json:"blank,omitempty"`
	Surprise float32 `json:"surprise"`
	// Carried is the overlap of the carried masks with those of the key frame, of the
	// one that was wrong most; 1 where there was none.
	Carried float64 `json:"carried,omitempty"`
	// Spacing is how many frames off the next key frame is, if nothing happens.
	Spacing float64            `json:"spacing"`
	Queries []QueryExplanation `json:"queries"`
}

// A QueryExplanation is about one query in one frame.
type QueryExplanation struct {
	Label string `json:"label"`
	// State is "present" or "absent" after the frame.
	State string `json:"state"`
	// Asked is why it was asked: new (set a moment ago), present, hoped (passed nearly), dropped (lately), likelier
	// (the picture begins to speak for it), probe (its turn), startled, brighter, all;
	// empty if it was not.
	Asked string `json:"asked,omitempty"`
	// Verdict is what came of it: judged, spared (its mask only moved), doubted (not
	// passed, and kept for now), standing (not passed, and kept because it looks as it
	// did), dropped.
	Verdict string `json:"verdict,omitempty"`
	// Unchanged is how much it looks, where it has to be, as it did when it last passed:
	// a correlation, -1..1; 0 where nobody compared.
	Unchanged float64 `json:"unchanged,omitempty"`
	// Strength is how strong that look is still, 1 being as strong as it was.
	Strength float64 `json:"strength,omitempty"`
	// Taken is how much of the proposal of an absent query lies on others that look as
	// they did.
	Taken float64 `json:"taken,omitempty"`
	// Score and Presence are the last judgement.
	Score    float32 `json:"score"`
	Presence float32 `json:"presence"`
	// Shown is whether the frame shows it in the end, which a [Tracker] does not know: a
	// [Carrier] adds what was found late and takes away what has gone. Nil is unknown.
	Shown *bool `json:"shown,omitempty"`
}

func (e *Explanation) begin(s *Sight, queries []car.Query) {
	e.Moment, e.Key, e.Fresh, e.Blank, e.Surprise, e.Carried = s.Moment, "", s.Fresh, s.Blank, s.Motion.Surprise, 0
	if s.Motion.W == 0 {
		e.Surprise = 0
	}
	if len(e.Queries) != len(queries) {
		e.Queries = make([]QueryExplanation, len(queries))
	}
	for i, q := range queries {
		e.Queries[i] = QueryExplanation{Label: q.Label, State: "absent", Score: e.Queries[i].Score, Presence: e.Queries[i].Presence}
	}
}

func (e *Explanation) asked(q int, why string) { e.Queries[q].Asked = why }

func (e *Explanation) judged(q int, j car.Judgement) {
	e.Queries[q].Verdict, e.Queries[q].Score, e.Queries[q].Presence = "judged", j.Score, j.Presence
}

func (e *Explanation) spared(q int)  { e.Queries[q].Verdict = "spared" }
func (e *Explanation) doubted(q int) { e.Queries[q].Verdict = "doubted" }
func (e *Explanation) stands(q int)  { e.Queries[q].Verdict = "standing" }
func (e *Explanation) dropped(q int) { e.Queries[q].Verdict = "dropped" }

func (e *Explanation) looks(q int, r resemblance) {
	e.Queries[q].Unchanged, e.Queries[q].Strength = r.alike, r.strength
}

func (e *Explanation) taken(q int, share float64) { e.Queries[q].Taken = share }

func (e *Explanation) end(step *Step, why string, spacing float64) {
	e.Key, e.Spacing = why, spacing
	if step.Blank {
		e.Key = ""
	}
	for _, q := range step.Present {
		e.Queries[q].State = "present"
	}
}

// flowSize is the resolution of the rough masks of a frame.
func flowSize(s *Sight) (w, h, factor int) { return flow.Size(s.Image.W, s.Image.H) }
