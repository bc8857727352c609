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

// A Job is what a run does. Source, Segmenter and Queries are required. The zero values of
// the other fields are the defaults of the program.
type Job struct {
	// Source gives the frames. It must not have been read from. If it has a method
	// Begun() bool that returns true, Run returns [ErrBegun].
	Source Source
	// Segmenter has the models and the preset. It can be used by one run at a time: a
	// second run gets [ErrBusy]. For runs at the same time, make several segmenters from
	// the same models.
	Segmenter *car.Segmenter
	// Queries name the objects to find.
	Queries []car.Query
	// Sinks take the results. A sink is used in one run only.
	Sinks []Sink

	// Tracking says what is propagated from frame to frame. The default is
	// [DefaultTracking].
	Tracking *Tracking
	// MaxSide bounds the long side of the image that the model sees, in pixels. The default
	// is that of the preset, or [DefaultMaxSide] if the preset has none.
	MaxSide int
	// Threads bounds the goroutines of the work on pixels. The default is
	// runtime.GOMAXPROCS.
	Threads int
	// Limit is the number of frames to read; 0 stands for all.
	Limit int64
	// Checkpoint, if not nil, is called with checkpoints of the run, from which another run
	// can go on. A checkpoint is taken at the first key frame after each CheckpointEvery of
	// the video. Checkpoint is called once all sinks have that frame, except those that may
	// drop frames. An error ends the run.
	Checkpoint func(*tracking.Checkpoint) error
	// CheckpointEvery is the time between checkpoints. The default is
	// [DefaultCheckpointEvery].
	CheckpointEvery tracking.Interval
	// Restore, if not nil, makes the run go on after the last frame of a checkpoint. The
	// frames up to that one are read and dropped. If the source, the queries, the models or
	// the settings are not those of the checkpoint, Run returns a [tracking.MismatchError].
	Restore *tracking.Checkpoint
	// Control, if not nil, can change the queries while the run goes on.
	Control *Control
	// Stop, if not nil, ends the run when it is closed, as the end of the source would:
	// frames that were read are finished, and outputs are committed. If the source has a
	// method Interrupt, it is called then, so that a Next that waits for input returns.
	Stop <-chan struct{}
	// Commit, if not nil, is called when every output is complete under its temporary name.
	// It calls name once, which renames all outputs, or it returns an error, and no output
	// remains. It is for last checks, and for programs that must not be ended between two
	// renames.
	Commit func(name func() error) error
}

// Tracking says what is propagated from frame to frame; see package tracking. Start from
// [DefaultTracking] and change fields of it.
type Tracking struct {
	// Stateless segments every frame as an image of its own. Nothing is propagated, and of
	// the other fields only Batch has an effect.
	Stateless bool
	// Every is the number of frames from one key frame to the next. With 0 the spacing is
	// adapted to how well propagated masks fit.
	Every int
	// Probe is the time within which every absent query is evaluated again, and JudgeEvery
	// the time within which a present query is judged again.
	Probe, JudgeEvery tracking.Interval
	// Lookahead is the number of frames that are held back, so that an object that is found
	// late is shown from where it appeared. Use 0 for live sources.
	Lookahead int
	// Steady is the weight of the propagated mask in that of a key frame, from 0 to below 1.
	// More weight makes edges flicker less.
	Steady float64
	// Instances tells the instances of each query apart and numbers them.
	Instances bool
	// Batch is the number of frames that are encoded in one batch if every frame is a key
	// frame; 0 stands for 1. It is for devices that one image does not fill.
	Batch int
}

// DefaultTracking returns what the program uses without flags.
func DefaultTracking() Tracking {
	return Tracking{
		Probe: tracking.DefaultProbe, JudgeEvery: tracking.DefaultJudgeEvery,
		Lookahead: tracking.DefaultMaxEvery, Steady: DefaultSteady,
	}
}

// DefaultCheckpointEvery is the default time between checkpoints.
var DefaultCheckpointEvery = tracking.Interval{Time: 10e9}

// DefaultSteady is the default of [Tracking.Steady].
const DefaultSteady = 0.6

// DefaultMaxSide is the default long side of the image that the model sees, in pixels. It
// is that of most images in Pascal VOC and COCO, on which the published figures were
// measured (docs/algorithm.md 15). CLIP's B/16 was trained on 224 pixels. The cost of a ViT
// grows faster than the square of the side: with 1280 pixels the trunk has four times the
// work, and its attention sixteen times.
const DefaultMaxSide = 640

const minMaxSide = 16

// check returns an error if the job is invalid. It opens nothing.
func (j *Job) check() error {
	switch {
	case j.Source == nil:
		return errors.New("the job has no source")
	case j.Segmenter == nil:
		return errors.New("the job has no segmenter")
	case j.Threads < 0 || j.Limit < 0:
		return fmt.Errorf("the job has a negative bound: threads %d, frames %d", j.Threads, j.Limit)
	case j.MaxSide != 0 && (j.MaxSide < minMaxSide || j.MaxSide > car.MaxMaxSide):
		return fmt.Errorf("the long side of the job is %d; it is from %d pixels, below which an image shows a model nothing, to %d", j.MaxSide, minMaxSide, car.MaxMaxSide)
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

// begun reports whether a source says that it has been read from.
func begun(s Source) bool {
	b, ok := s.(interface{ Begun() bool })
	return ok && b.Begun()
}

// checkSinks returns an error if sinks would overwrite each other or the input.
func checkSinks(sinks []Sink, input string) error {
	var plan atomicfile.Plan
	plan.Overwrite = true // each sink checks for existing files itself
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
		return errors.New("instances are told apart along the motion, which a stateless run does not compute")
	}
	return nil
}

// everyFrame reports whether every frame is a key frame.
func (t Tracking) everyFrame() bool { return t.Stateless || t.Every == 1 }

// Held returns the number of frames that a run holds back, for the look-ahead and until a
// batch is full. A source must allow one frame more to be in use.
func (t Tracking) Held() (n int) {
	if !t.Stateless {
		n = t.Lookahead
	}
	if t.everyFrame() {
		n += max(t.Batch, 1) - 1
	}
	return n
}

// Session returns a session with these settings. Initialize has not been called on it.
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

// prefetcher returns a prefetcher with the settings of the session's tracker.
func (t Tracking) prefetcher(segmenter *car.Segmenter) *tracking.Prefetcher {
	l := &tracking.Prefetcher{Segmenter: segmenter, Stateless: t.Stateless, Every: t.Every}
	if t.everyFrame() {
		l.Batch = t.Batch
	}
	return l
}

// atLeastOne returns one frame for the zero interval, which would be the default in a
// [tracking.Tracker].
func atLeastOne(i tracking.Interval) tracking.Interval {
	if i == (tracking.Interval{}) {
		return tracking.Frames(1)
	}
	return i
}
