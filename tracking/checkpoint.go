package tracking

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking/flow"
)

// CheckpointVersion is the version of the format of checkpoints.
const CheckpointVersion = 1

// A Checkpoint is all that a [Session] knows after a key frame, when no frame is held back.
// Another session can go on from it with [Session.Restore], with the same results as one
// that was not interrupted, to the last bit if the number of threads is the same. To get a
// checkpoint, call [Session.NextCheckpoint] or set [Analysis].Checkpoint; it is then in
// [Step].Checkpoint.
type Checkpoint struct {
	Version int `json:"version"`
	// Frame is the last frame that the session had.
	Frame Moment `json:"frame"`
	// W and H are the size of the images that the model sees.
	W int `json:"w"`
	H int `json:"h"`

	// Queries and Settings must be the same when the checkpoint is restored.
	Queries  []car.Query `json:"queries"`
	Settings Settings    `json:"settings"`
	// Proposer and Judge are the vectors of the queries in each of the two models, by which
	// the models are recognised.
	Proposer []plane `json:"proposer"`
	Judge    []plane `json:"judge"`

	Motion     MotionState     `json:"motion"`
	Tracker    State           `json:"tracker"`
	Propagator PropagatorState `json:"propagator"`
	Instances  *InstanceState  `json:"instances,omitempty"`
	// Numbering has the IDs of all queries so far. A Session leaves it empty.
	Numbering *car.Numbering `json:"numbering,omitempty"`
	// Sinks has the state of the outputs of a run, by their names. A Session leaves it empty.
	Sinks map[string][]byte `json:"sinks,omitempty"`
}

// Settings are what results depend on, besides frames, queries and models.
type Settings struct {
	Stateless  bool     `json:"stateless"`
	Every      int      `json:"every"`
	MaxEvery   int      `json:"max_every"`
	Probe      Interval `json:"probe"`
	JudgeEvery Interval `json:"judge_every"`
	Smoothing  float64  `json:"smoothing"`
	Lookahead  int      `json:"lookahead"`
	Instances  bool     `json:"instances"`
	Params     Params   `json:"params"`
	Preset     string   `json:"preset"` // as YAML
}

// A MotionState is what a MotionAnalyzer knows after a frame.
type MotionState struct {
	Blank         bool    `json:"blank"`
	TypicalChange float32 `json:"typical_change"`
	Luma          plane   `json:"luma"`      // at the flow's resolution
	Histogram     plane   `json:"histogram"` // of colours
}

// A PropagatorState is what a Propagator knows after a key frame.
type PropagatorState struct {
	KeyLuma []byte        `json:"key_luma"` // at the flow's resolution
	Sources []SourceState `json:"sources"`
}

// A SourceState is the mask of a query in a key frame.
type SourceState struct {
	Query int   `json:"query"` // index
	Mask  plane `json:"mask"`  // 0..1, W×H
}

// An InstanceState is what an InstanceTracker knows after a frame.
type InstanceState struct {
	Owners    []byte   `json:"owners"`  // of each pixel, the index in Tracks + 1 as two bytes, the lower first
	Tracks    []*track `json:"tracks"`  // nil where one was dropped
	NextID    []int    `json:"next_id"` // by query
	LastGroup int      `json:"last_group"`
}

// A plane is a list of float32 values. In JSON it is their bytes in base64.
type plane []float32

// MarshalJSON implements json.Marshaler.
func (p plane) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 4*len(p))
	for _, v := range p {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return json.Marshal(b)
}

// UnmarshalJSON implements json.Unmarshaler. Values that are not numbers are refused.
func (p *plane) UnmarshalJSON(data []byte) error {
	var b []byte
	if err := json.Unmarshal(data, &b); err != nil {
		return err
	}
	if len(b)%4 != 0 {
		return fmt.Errorf("%d bytes are no whole number of values", len(b))
	}
	*p = make(plane, len(b)/4)
	for i := range *p {
		v := math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("value %d is not a number", i)
		}
		(*p)[i] = v
	}
	return nil
}

// planes converts the vectors of embeddings.
// within reports whether all values are from 0 to high. Rounding may exceed it a little.
func (p plane) within(high float32) bool {
	return !slices.ContainsFunc(p, func(v float32) bool { return !(v >= -high/1e3 && v <= high*1.001) })
}

func planes(vectors [][]float32) []plane {
	out := make([]plane, len(vectors))
	for i, v := range vectors {
		out[i] = v
	}
	return out
}

// checkpoint returns the checkpoint of a key frame, for which the Tracker has left a
// snapshot in the step. No frame is pending.
func (c *Propagator) checkpoint(step *Step) *Checkpoint {
	s := *step.snapshot
	// The Tracker ran ahead of the Propagator and does not know this yet.
	s.CarriedIoU, s.FeedbackDue = step.carriedIoU, false
	proposer, judge := step.Bank.Embeddings()
	k := &Checkpoint{
		Version: CheckpointVersion, Frame: step.Moment, W: step.Image.W, H: step.Image.H,
		Queries: step.Bank.Queries(), Proposer: planes(proposer), Judge: planes(judge), Settings: step.settings,
		Motion: step.Analysis.state(), Tracker: s, Propagator: PropagatorState{KeyLuma: append([]byte(nil), c.keyLuma...)},
	}
	k.Settings.Smoothing, k.Settings.Lookahead, k.Settings.Instances = c.Smoothing, c.Lookahead, c.InstanceTracker != nil
	if !step.stateless {
		for i := range c.sources {
			k.Propagator.Sources = append(k.Propagator.Sources, SourceState{c.sources[i].query, append(plane(nil), c.sources[i].mask...)})
		}
	}
	if c.InstanceTracker != nil {
		k.Instances = c.InstanceTracker.state()
	}
	return k
}

// currentSettings returns the settings of the Tracker. Those of the Propagator are not set.
func (t *Tracker) currentSettings() (Settings, error) {
	preset, err := t.Segmenter.Preset().YAML()
	return Settings{Stateless: t.Stateless, Every: t.Every, MaxEvery: t.MaxEvery, Probe: t.Probe, JudgeEvery: t.JudgeEvery,
		Params: *t.Params, Preset: string(preset)}, err
}

// state returns the state of the analyzer after this frame.
func (a *Analysis) state() MotionState {
	if a.analyzer.SkipMotion {
		return MotionState{}
	}
	return MotionState{a.Blank, a.typical, append(plane(nil), a.pyramid.Luma()...), append(plane(nil), a.histogram[:]...)}
}

// restore makes the analyzer go on after the last frame of a checkpoint.
func (m *MotionAnalyzer) restore(k *Checkpoint) error {
	m.frame = k.Frame.Frame + 1
	if m.SkipMotion {
		return nil
	}
	a := &Analysis{Moment: k.Frame, analyzer: m, w: k.W, h: k.H, Blank: k.Motion.Blank, typical: k.Motion.TypicalChange, refs: 1}
	if len(k.Motion.Histogram) != len(a.histogram) || !k.Motion.Histogram.within(1) {
		return fmt.Errorf("its histogram has %d values from 0 to 1", len(k.Motion.Histogram))
	}
	if !k.Motion.Luma.within(255) {
		return errors.New("its brightness is not from 0 to 255")
	}
	copy(a.histogram[:], k.Motion.Histogram)
	m.last, m.typicalChange = a, a.typical
	return a.pyramid.SetLuma(k.Motion.Luma, k.W, k.H)
}

// restore makes the Propagator go on after a checkpoint.
func (c *Propagator) restore(k *Checkpoint) error {
	w, h, factor := flow.Size(k.W, k.H)
	if n := len(k.Propagator.KeyLuma); n != 0 && n != w*h {
		return fmt.Errorf("its key frame has %d pixels of %dx%d", n, w, h)
	}
	if len(k.Propagator.KeyLuma) == 0 && len(k.Propagator.Sources) > 0 {
		return errors.New("it has masks of no key frame")
	}
	c.path.reset(w, h, factor)
	c.keyLuma, c.sources = append([]byte(nil), k.Propagator.KeyLuma...), nil
	for _, s := range k.Propagator.Sources {
		if s.Query < 0 || s.Query >= len(k.Queries) || len(s.Mask) != k.W*k.H || !s.Mask.within(1) {
			return fmt.Errorf("the mask of query %d has %d pixels of %dx%d", s.Query, len(s.Mask), k.W, k.H)
		}
		c.sources = append(c.sources, source{query: s.Query, mask: append([]float32(nil), s.Mask...)})
	}
	if c.InstanceTracker != nil {
		return c.InstanceTracker.restore(k)
	}
	return nil
}

// state copies the state of the tracker.
func (r *InstanceTracker) state() *InstanceState {
	s := &InstanceState{NextID: append([]int{}, r.nextID...), LastGroup: r.lastGroup}
	for _, o := range r.previousOwners {
		s.Owners = binary.LittleEndian.AppendUint16(s.Owners, o)
	}
	for _, t := range r.tracks {
		if t != nil {
			copied := *t
			t = &copied
		}
		s.Tracks = append(s.Tracks, t)
	}
	return s
}

// restore makes the tracker go on after a checkpoint.
func (r *InstanceTracker) restore(k *Checkpoint) error {
	s := k.Instances
	n := k.W * k.H
	if s == nil || len(s.Owners) != 2*n || len(s.NextID) > len(k.Queries) || len(s.Tracks) > math.MaxUint16 ||
		slices.ContainsFunc(s.NextID, func(id int) bool { return id < 0 }) {
		return fmt.Errorf("its instances are not those of %d queries in %dx%d pixels", len(k.Queries), k.W, k.H)
	}
	for _, t := range s.Tracks {
		if t != nil && (t.Query < 0 || t.Query >= len(s.NextID) || t.ID < 1) {
			return fmt.Errorf("it has an instance of query %d", t.Query)
		}
	}
	r.w, r.h = k.W, k.H
	r.previousOwners, r.owners = make([]uint16, n), make([]uint16, n)
	r.regionOf, r.queue = make([]int32, n), make([]int32, n)
	for i := range r.previousOwners {
		o := binary.LittleEndian.Uint16(s.Owners[2*i:])
		if int(o) > len(s.Tracks) || o > 0 && s.Tracks[o-1] == nil {
			return fmt.Errorf("pixel %d belongs to instance %d, which it does not have", i, o)
		}
		r.previousOwners[i] = o
	}
	r.tracks, r.nextID, r.lastGroup = nil, append([]int(nil), s.NextID...), s.LastGroup
	for _, t := range s.Tracks {
		if t != nil {
			copied := *t
			t = &copied
		}
		r.tracks = append(r.tracks, t)
	}
	return nil
}
