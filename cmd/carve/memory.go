package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
)

// memoryOptions are the flags of the memory across frames.
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

func (o *memoryOptions) addFlags(fs *pflag.FlagSet) {
	o.probe, o.judgeEvery = tracking.DefaultProbe, tracking.DefaultJudgeEvery
	o.lookahead = tracking.Frames(tracking.DefaultMaxEvery)
	fs.StringVar(&o.memory, "memory", "on", "on: keep state from frame to frame; off: run the whole loop on every frame")
	fs.Var(&o.every, "every", "with memory, number of frames from one key frame to the next; auto adapts it to how well propagated masks fit")
	fs.Var(&o.probe, "probe", "with memory, evaluate each absent query again within this time, in seconds, or in frames such as 12f")
	fs.Var(&o.judgeEvery, "judge-every", "with memory, judge each present query again within this time, even if its mask only moved")
	fs.Var(&o.lookahead, "lookahead", "with memory, number of frames to hold back, so that an object that is found late is shown from the frame where it appeared; 0f: none")
	fs.BoolVar(&o.instances, "instances", false, "with memory, number the instances of each concept and track them: dog 1, dog 2")
	fs.IntVar(&o.batch, "batch", 0, "with --memory off or --every 1, number of frames that the model encodes in one batch; 0: 1 on a CPU, 4 elsewhere")
	fs.Float64Var(&o.steady, "steady", carve.DefaultSteady, "with memory, share of a mask that comes from the frames before, 0 to below 1: more means less flicker and more lag")
}

func (o *memoryOptions) check() error {
	if err := oneOf("memory", o.memory, "on", "off"); err != nil {
		return err
	}
	if o.instances && o.memory == "off" {
		return ui.WithHint(ui.Usagef("--instances needs memory, and --memory is off"), "leave one of them out")
	}
	if !(o.steady >= 0 && o.steady < 1) {
		return ui.Usagef("--steady is %g; it is from 0 to below 1", o.steady)
	}
	if o.lookahead.Time == 0 && o.lookahead.Frames > maxLookahead || o.lookahead.Time > maxLookahead*time.Second {
		return ui.Usagef("--lookahead is %v; it is up to %d frames, all of which are held in memory", o.lookahead, maxLookahead)
	}
	if o.batch < 0 || o.batch > maxBatch {
		return ui.Usagef("--batch is %d; it is from 0 to %d", o.batch, maxBatch)
	}
	return nil
}

// maxBatch bounds the number of frames that are encoded in one batch. defaultBatch is the
// number on a GPU, which one image does not fill.
const (
	maxBatch     = 32
	defaultBatch = 4
)

// stateless reports whether no state is kept from frame to frame.
func (o *runOptions) stateless() bool { return o.memory == "off" || o.compat }

// maxLookahead bounds how many decoded frames are held back.
const maxLookahead = 120

// lookaheadFrames returns the look-ahead in frames, at a frame rate.
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

// tracking returns the settings of the flags, for a video of a frame rate.
func (o *runOptions) tracking(rate video.Rational) carve.Tracking {
	return carve.Tracking{Stateless: o.stateless(), Every: int(o.every), Probe: o.probe, JudgeEvery: o.judgeEvery,
		Lookahead: o.lookaheadFrames(rate), Steady: o.steady, Instances: o.instances, Batch: o.batch}
}

// framesHeld returns how many frames are held back at a frame rate before the first
// leaves the pipeline.
func (o *runOptions) framesHeld(rate video.Rational) int { return o.tracking(rate).Held() }

// fitBatch chooses the batch if none was given: several frames on a GPU, as far as enough
// frames are in flight.
func fitBatch(t *carve.Tracking, device string, frames int) {
	if t.Batch == 0 && device != "cpu" {
		t.Batch = min(defaultBatch, max(frames-t.Lookahead, 1))
	}
}

// memoryWords describes the settings, so that results of different settings are not
// mixed.
func (o *runOptions) memoryWords() string {
	if o.stateless() {
		return "off"
	}
	return fmt.Sprintf("every %v, probe %v, judge every %v, look-ahead %v, steady %g", &o.every, &o.probe, &o.judgeEvery, &o.lookahead, o.steady)
}

// A keySpacing is the number of frames between key frames, 0 for auto.
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
