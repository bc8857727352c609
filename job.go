package carve

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/tracking"
)

// A Job is what a run has to do. Source, Segmenter and Queries are needed; of the other
// fields the zero value is what the program does by default.
type Job struct {
	// Source gives the frames. It has not been read from: where it has a method Begun that
	// says otherwise the job is refused.
	Source Source
	// Segmenter has the models and the preset. One run has it for itself: a second one at
	// the same time is refused. Models can make any number of segmenters.
	Segmenter *car.Segmenter
	// Queries are what to look for.
	Queries []car.Query
	// Sinks take what is found. A sink is for one run.
	Sinks []Sink

	// Tracking says what is carried from frame to frame; nil stands for
	// [DefaultTracking].
	Tracking *Tracking
	// MaxSide bounds the long side of the picture that the model sees, in pixels; 0
	// stands for that of the preset, or for [DefaultMaxSide] where that has none.
	MaxSide int
	// Threads bounds the goroutines of work on pixels; 0 stands for runtime.GOMAXPROCS.
	Threads int
	// Limit is how many frames are read; 0 is all.
	Limit int64
	// Checkpoint, if not nil, is called with the state of the run, from which another can go
	// on: at the first key frame after each CheckpointEvery of the source, once every sink
	// has that frame, but for those that may drop frames. An error ends the run.
	Checkpoint func(*tracking.Checkpoint) error
	// CheckpointEvery is the time between checkpoints; the zero value stands for
	// [DefaultCheckpointEvery].
	CheckpointEvery tracking.Interval
	// Restore, if not nil, makes the run go on after the last frame of a checkpoint. The
	// frames up to it are read from the source and dropped. Another source, other queries,
	// models or settings are a [tracking.MismatchError].
	Restore *tracking.Checkpoint
	// Control, if not nil, changes the queries while the run goes on.
	Control *Control
	// Stop, if not nil, ends the run when it is closed, as the end of the source would:
	// what was read is finished, and outputs are committed. A source that has a method
	// Interrupt is called by it, so that a Next that waits for bytes returns.
	Stop <-chan struct{}
	// Commit, if not nil, is called when every output is whole and has only its name to
	// get. It calls name once, which gives all of them their names, or returns an error,
	// and none has one. It is for last checks, and for programs that must not be ended
	// between two names.
	Commit func(name func() error) error
}

// Tracking says what is carried from frame to frame; see package tracking. Take
// [DefaultTracking] and change what shall be different.
type Tracking struct {
	// Stateless runs the whole image loop on every frame. Nothing is carried then, and
	// the other fields but Batch mean nothing.
	Stateless bool
	// Every is how many frames lie from one key frame to the next; 0 lets how wrong the
	// carried masks are decide.
	Every int
	// Probe is the time within which every absent query is asked again, and JudgeEvery
	// that within which a present one is judged again.
	Probe, JudgeEvery tracking.Interval
	// Lookahead is how many frames are held back, so that what is found late can be
	// shown from where it began. 0 is for live sources.
	Lookahead int
	// Steady is how much of a key frame's mask comes from the frames before, 0 to below 1.
	Steady float64
	// Instances tells the things of each query apart and numbers them.
	Instances bool
	// Batch is how many frames are looked at in one go where every frame is looked at; 0
	// and 1 stand for one. It is for devices that one picture does not fill.
	Batch int
}

// DefaultTracking is what the program does without any flag.
func DefaultTracking() Tracking {
	return Tracking{
		Probe: tracking.DefaultProbe, JudgeEvery: tracking.DefaultJudgeEvery,
		Lookahead: tracking.DefaultMaxEvery, Steady: DefaultSteady,
	}
}

// DefaultCheckpointEvery is the time between checkpoints.
var DefaultCheckpointEvery = tracking.Interval{Time: 10e9}

// DefaultSteady is how much of a key frame's mask comes from the frames before.
const DefaultSteady = 0.6

// DefaultMaxSide is the long side of the picture that the model sees. A ViT's cost grows
// with more than the square of the side, and CLIP's B/16 was trained on 224 pixels; 640
// is where Pascal VOC and COCO, on which the published figures stand, have their images
// (docs/algorithm.md 15). A picture of 1280 costs four times the trunk and sixteen
// times the attention.
const DefaultMaxSide = 640

const leastMaxSide = 16

// check finds what is wrong with a job alone.
func (j *Job) check() error {
	switch {
	case j.Source == nil:
		return errors.New("the job has no source")
	case j.Segmenter == nil:
		return errors.New("the job has no segmenter")
	case j.Threads < 0 || j.Limit < 0:
		return fmt.Errorf("the job has a negative bound: threads %d, frames %d", j.Threads, j.Limit)
	case j.MaxSide != 0 && (j.MaxSide < leastMaxSide || j.MaxSide > car.MaxMaxSide):
		return fmt.Errorf("the long side of the job is %d; it is from %d pixels, below which a picture shows a model nothing, to %d", j.MaxSide, leastMaxSide, car.MaxMaxSide)
	case j.Source.Info().Width <= 0:
		return errors.New("the source of the job is not initialized")
	case begun(j.Source):
		return ErrBegun
	}
	if err := checkSinks(j.Sinks, j.Source.Info().Path); err != nil {
		return err
	}
	if t := j.Tracking; t != nil {
		if err := t.check(); err != nil {
			return err
		}
	}
	if _, err := tracking.ReadParams(j.Segmenter.Preset().Tracking); err != nil {
		return err
	}
	return car.CheckQueries(j.Queries)
}

// begun reports whether a source says that some of its frames are gone.
func begun(s Source) bool {
	b, ok := s.(interface{ Begun() bool })
	return ok && b.Begun()
}

// checkSinks finds sinks that would write over each other or over the input.
func checkSinks(sinks []Sink, input string) error {
	var plan atomicfile.Plan
	plan.Overwrite = true // what else is there is each sink's own business
	if input != "" {
		plan.Inputs = []string{input}
	}
	for i, s := range sinks {
		if s == nil {
			return fmt.Errorf("sink %d of the job is nil", i+1)
		}
		if reflect.TypeOf(s).Comparable() && slices.Contains(sinks[:i], s) {
			return fmt.Errorf("sink %d of the job is there twice", i+1)
		}
		files, ok := s.(FileSink)
		if !ok {
			continue
		}
		for _, path := range files.Paths() {
			if err := plan.Add(path); errors.Is(err, atomicfile.ErrIsOutput) || errors.Is(err, atomicfile.ErrIsInput) {
				return fmt.Errorf("sink %d of the job: %w", i+1, err)
			}
		}
	}
	return nil
}

func (t Tracking) check() error {
	switch {
	case t.Every < 0 || t.Lookahead < 0 || t.Batch < 0:
		return fmt.Errorf("numbers of frames cannot be negative: every %d, look-ahead %d, batch %d", t.Every, t.Lookahead, t.Batch)
	case !(t.Steady >= 0 && t.Steady < 1):
		return fmt.Errorf("steady is %g; it is from 0 to below 1", t.Steady)
	case t.Stateless && t.Instances:
		return errors.New("things are told apart along the motion, which a stateless run has none of")
	}
	return nil
}

// everyFrame says that the model looks at every frame.
func (t Tracking) everyFrame() bool { return t.Stateless || t.Every == 1 }

// Held is how many frames are held back before any goes on: for the look-ahead, and until
// a batch is whole. A source needs room for one more.
func (t Tracking) Held() (n int) {
	if !t.Stateless {
		n = t.Lookahead
	}
	if t.everyFrame() {
		n += max(t.Batch, 1) - 1
	}
	return n
}

// Session makes the memory of a run, not yet initialized.
func (t Tracking) Session(segmenter *car.Segmenter, queries []car.Query, threads int) *tracking.Session {
	s := &tracking.Session{
		Motion: tracking.MotionAnalyzer{Threads: threads},
		Tracker: tracking.Tracker{Segmenter: segmenter, Queries: queries, Stateless: t.Stateless,
			Every: t.Every, Probe: atLeastOne(t.Probe), JudgeEvery: atLeastOne(t.JudgeEvery)},
		Propagator: tracking.Propagator{Smoothing: t.Steady, Lookahead: t.Lookahead, Threads: threads},
	}
	if t.Instances {
		s.Propagator.InstanceTracker = new(tracking.InstanceTracker)
	}
	if t.Stateless {
		s.Propagator.Smoothing, s.Propagator.Lookahead = 0, 0
	}
	return s
}

// looker looks ahead with the model, as the session's tracker would.
func (t Tracking) prefetcher(segmenter *car.Segmenter) *tracking.Prefetcher {
	l := &tracking.Prefetcher{Segmenter: segmenter, Stateless: t.Stateless, Every: t.Every}
	if t.everyFrame() {
		l.Batch = t.Batch
	}
	return l
}

// atLeastOne makes an interval of nothing one frame: nothing means the default to a
// [tracking.Tracker].
func atLeastOne(i tracking.Interval) tracking.Interval {
	if i == (tracking.Interval{}) {
		return tracking.Frames(1)
	}
	return i
}
