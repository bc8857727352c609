package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
	"github.com/spf13/pflag"
)

// memoryOptions say what is carried from frame to frame.
type memoryOptions struct {
	memory     string
	every      keySpacing
	probe      tracking.Interval
	judgeEvery tracking.Interval
	lookahead  tracking.Interval
	steady     float64
	instances  bool
	batch      int
}

// defaultSteady is how much of a key frame's mask comes from the frames before.
const defaultSteady = 0.6

func (o *memoryOptions) addMemoryFlags(fs *pflag.FlagSet) {
	o.probe, o.judgeEvery = tracking.DefaultProbe, tracking.DefaultJudgeEvery
	o.lookahead = tracking.Frames(tracking.DefaultMaxEvery)
	fs.StringVar(&o.memory, "memory", "on", "on carries what was found from frame to frame; off runs the whole loop on every frame")
	fs.Var(&o.every, "every", "with memory, run the model on every so many frames; auto looks how wrong masks become in between")
	fs.Var(&o.probe, "probe", "with memory, ask each absent query again within this time: seconds, or frames as in 12f")
	fs.Var(&o.judgeEvery, "judge-every", "with memory, judge each found query again within this time, even if its mask only moved")
	fs.Var(&o.lookahead, "lookahead", "with memory, hold back so many frames: what is found late is shown from where it began; 0f for none")
	fs.BoolVar(&o.instances, "instances", false, "with memory, number the things of each concept and keep the numbers: dog 1, dog 2")
	fs.IntVar(&o.batch, "batch", 0, "with --memory off or --every 1, look at so many frames in one go; 0 stands for 1 on a CPU and 4 elsewhere")
	fs.Float64Var(&o.steady, "steady", defaultSteady, "with memory, how much of a mask comes from the frames before, 0 to 1: more is calmer and slower to follow")
}

func (o *memoryOptions) checkMemory() error {
	if err := oneOf("memory", o.memory, "on", "off"); err != nil {
		return err
	}
	if o.instances && o.memory == "off" {
		return withHint(usagef("--instances needs memory, and --memory is off"), "leave one of them out")
	}
	if !(o.steady >= 0 && o.steady < 1) {
		return usagef("--steady is %g; it is from 0 to below 1", o.steady)
	}
	if o.lookahead.Time == 0 && o.lookahead.Frames > maxLookahead || o.lookahead.Time > maxLookahead*time.Second {
		return usagef("--lookahead is %v; it is up to %d frames, all of which are held in memory", o.lookahead, maxLookahead)
	}
	if o.batch < 0 || o.batch > maxBatch {
		return usagef("--batch is %d; it is from 0 to %d", o.batch, maxBatch)
	}
	return nil
}

// maxBatch bounds how many frames are looked at in one go, and defaultBatch is what a
// GPU is given: one picture does not fill it.
const (
	maxBatch     = 32
	defaultBatch = 4
)

// everyFrame says that the model looks at every frame.
func (o *segmentOptions) everyFrame() bool { return o.stateless() || o.every == 1 }

// stateless says that nothing is carried from frame to frame.
func (o *segmentOptions) stateless() bool { return o.memory == "off" || o.compat }

// looker looks ahead with the model, as the session's tracker would. Frames are held
// back for it only where every one is looked at. room is how many frames there can be
// beside those that the carrier holds: a batch that was not asked for is no larger.
func (o *segmentOptions) looker(s *tracking.Session, device string, room int) *tracking.Looker {
	t := &s.Tracker
	l := &tracking.Looker{Segmenter: t.Segmenter, Stateless: t.Stateless, Every: t.Every}
	if o.everyFrame() {
		if l.Batch = o.batch; l.Batch == 0 && device != "cpu" {
			l.Batch = min(defaultBatch, max(room, 1))
		}
	}
	return l
}

// maxLookahead bounds how many decoded frames are held.
const maxLookahead = 120

// lookaheadFrames is how many frames are held back at a rate.
func (o *memoryOptions) lookaheadFrames(rate video.Rational) int {
	n := float64(o.lookahead.Frames)
	if o.lookahead.Time > 0 {
		n = 0
		if rate.Known() {
			n = o.lookahead.Time.Seconds() * rate.Float()
		}
	}
	return int(min(n, maxLookahead))
}

// framesHeld is how many frames are held back at a rate before any goes on: by the
// carrier, for its look-ahead, and by the looker, which waits for all of a batch but the
// one that completes it. A source needs one more than that, or the run would stand still
// for ever.
func (o *segmentOptions) framesHeld(rate video.Rational) (n int) {
	if !o.stateless() {
		n = o.lookaheadFrames(rate)
	}
	if o.everyFrame() {
		n += max(o.batch, 1) - 1
	}
	return n
}

// session makes the memory of a run.
func (o *segmentOptions) session(segmenter *car.Segmenter, queries []car.Query, lookahead int) *tracking.Session {
	s := &tracking.Session{
		Watcher: tracking.Watcher{Threads: o.threads},
		Tracker: tracking.Tracker{Segmenter: segmenter, Queries: queries, Stateless: o.stateless(),
			Every: int(o.every), Probe: atLeastOne(o.probe), JudgeEvery: atLeastOne(o.judgeEvery)},
		Carrier: tracking.Carrier{Steady: o.steady, Lookahead: lookahead, Threads: o.threads},
	}
	if o.instances {
		s.Carrier.Roster = new(tracking.Roster)
	}
	if s.Tracker.Stateless {
		s.Carrier.Steady, s.Carrier.Lookahead = 0, 0
	}
	return s
}

// atLeastOne makes an interval of nothing one frame: nothing means the default to a
// Tracker.
func atLeastOne(i tracking.Interval) tracking.Interval {
	if i == (tracking.Interval{}) {
		return tracking.Frames(1)
	}
	return i
}

// memoryWords are the settings in words: figures that were made with others are not
// to be mixed.
func (o *segmentOptions) memoryWords() string {
	if o.stateless() {
		return "off"
	}
	return fmt.Sprintf("every %v, probe %v, judge every %v, look-ahead %v, steady %g", &o.every, &o.probe, &o.judgeEvery, &o.lookahead, o.steady)
}

// A keySpacing is how many frames key frames are apart, 0 for auto.
type keySpacing int

func (k *keySpacing) String() string {
	if *k == 0 {
		return "auto"
	}
	return strconv.Itoa(int(*k))
}

// Set implements pflag.Value.
func (k *keySpacing) Set(s string) error {
	if s == "auto" {
		*k = 0
		return nil
	}
	n, err := strconv.Atoi(strings.TrimSuffix(s, "f"))
	if err != nil || n < 1 || n > 10000 {
		return fmt.Errorf("%q is neither auto nor a number of frames", s)
	}
	*k = keySpacing(n)
	return nil
}

// Type implements pflag.Value.
func (k *keySpacing) Type() string { return "auto|frames" }
