package video

import (
	"fmt"
	"sync/atomic"
	"time"
)

// A Frame is one decoded frame with its time. It has one holder at a time: first the
// caller of [Source.Read], and then the receiver of each channel that it is sent to.
// The last holder calls [Frame.Release] once.
type Frame struct {
	Index    int64    // position in display order, from 0
	PTS      int64    // ticks of TimeBase
	Duration int64    // ticks of TimeBase; 0 if unknown
	TimeBase Rational // seconds per tick

	slot     *slot
	released atomic.Bool
}

// Time returns the presentation time.
func (f *Frame) Time() time.Duration { return f.TimeBase.Duration(f.PTS) }

// Share returns another frame with the same samples. Drawing into it leaves this frame
// as it is; the samples are copied only then. The new frame is released separately and
// does not count among the frames in flight. Several goroutines may share one frame at
// the same time, as long as none draws into it.
func (f *Frame) Share() (*Frame, error) {
	s, err := f.slot.pool.share(f.slot.frame())
	if err != nil {
		return nil, fmt.Errorf("frame %d: %w", f.Index, err)
	}
	return &Frame{Index: f.Index, PTS: f.PTS, Duration: f.Duration, TimeBase: f.TimeBase, slot: s}, nil
}

// Release gives the frame's memory back to its source. Everything that was obtained
// from the frame (planes, prepared image) becomes invalid. Releasing twice panics,
// because the memory may already belong to another frame.
func (f *Frame) Release() {
	if !f.released.CompareAndSwap(false, true) {
		panic(fmt.Sprintf("video: frame %d released twice", f.Index))
	}
	f.slot.pool.put(f.slot)
}
