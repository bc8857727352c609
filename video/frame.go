package video

import (
	"fmt"
	"sync/atomic"
	"time"
)

// A Frame is one decoded picture with its place in time. It belongs to whoever
// holds it: to the caller of [Source.Read] first, and to the receiver once it
// has crossed a channel. Its last holder calls [Frame.Release], once.
type Frame struct {
	Index    int64    // position in display order, from 0
	PTS      int64    // ticks of TimeBase
	Duration int64    // ticks of TimeBase; 0 where nothing is known
	TimeBase Rational // seconds per tick

	slot     *slot
	released atomic.Bool
}

// Time returns the presentation time.
func (f *Frame) Time() time.Duration { return f.TimeBase.Duration(f.PTS) }

// Share returns another frame of the same picture, to be drawn into while this one stays
// as it is: nothing is copied before that. It has a life of its own, does not count among
// the frames in flight, and its holder releases it. Several goroutines may share one
// frame at the same time, as long as none draws into it.
func (f *Frame) Share() (*Frame, error) {
	s, err := f.slot.pool.share(f.slot.picture())
	if err != nil {
		return nil, fmt.Errorf("frame %d: %w", f.Index, err)
	}
	return &Frame{Index: f.Index, PTS: f.PTS, Duration: f.Duration, TimeBase: f.TimeBase, slot: s}, nil
}

// Release gives the frame's memory back to its source. Everything got from the
// frame (planes, prepared picture) ends with it. Releasing twice panics: the
// memory would already be another frame's.
func (f *Frame) Release() {
	if !f.released.CompareAndSwap(false, true) {
		panic(fmt.Sprintf("video: frame %d released twice", f.Index))
	}
	f.slot.pool.put(f.slot)
}
