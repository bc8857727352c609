package video

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asticode/go-astiav"
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

// Release gives the frame's memory back to its source. Everything got from the
// frame (planes, prepared picture, luma) ends with it. Releasing twice panics:
// the memory would already be another frame's.
func (f *Frame) Release() {
	if !f.released.CompareAndSwap(false, true) {
		panic(fmt.Sprintf("video: frame %d released twice", f.Index))
	}
	f.slot.pool.put(f.slot)
}

// A slot is the memory of one frame in flight. Frames are handed out afresh
// around recycled slots, so that a stale frame is never mistaken for the next.
type slot struct {
	pool *pool
	// decoded is the decoder's picture; after detach it is empty and own holds
	// the samples.
	decoded *astiav.Frame
	own     *astiav.Frame // kept from frame to frame, see detach
	useOwn  bool
	rgb     []byte // prepared picture
	luma    []byte
}

func (s *slot) picture() *astiav.Frame {
	if s.useOwn {
		return s.own
	}
	return s.decoded
}

// detach makes the picture writable: alone in holding its samples, rows top
// down. A decoder keeps pictures to predict later ones from, and those must
// never be drawn into.
func (s *slot) detach() error {
	p := s.picture()
	if p.IsWritable() && !frameUpsideDown(p) {
		return nil
	}
	// The own buffer is used again unless an encoder still looks at it, so in
	// steady state nothing is allocated.
	o := s.own
	if o.Width() != p.Width() || o.Height() != p.Height() || o.PixelFormat() != p.PixelFormat() || !o.IsWritable() {
		o.Unref()
		o.SetWidth(p.Width())
		o.SetHeight(p.Height())
		o.SetPixelFormat(p.PixelFormat())
		if err := o.AllocBuffer(0); err != nil {
			return fmt.Errorf("allocating a picture of %dx%d: %w", p.Width(), p.Height(), err)
		}
	}
	if err := p.Copy(o); err != nil {
		return fmt.Errorf("copying a picture of %dx%d: %w", p.Width(), p.Height(), err)
	}
	if err := frameCopyProperties(o, p); err != nil {
		return fmt.Errorf("copying a picture's properties: %w", err)
	}
	s.decoded.Unref()
	s.useOwn = true
	return nil
}

// A pool holds a fixed number of slots. Its size is what bounds the memory of
// everything between the decoder and the encoder.
type pool struct {
	free chan *slot // slots without a frame; Release sends, Read receives

	mu     sync.Mutex
	closed bool
}

func newPool(n int) *pool {
	p := &pool{free: make(chan *slot, n)}
	for range n {
		p.free <- &slot{pool: p, decoded: astiav.AllocFrame(), own: astiav.AllocFrame()}
	}
	return p
}

func (p *pool) get(ctx context.Context) (*slot, error) {
	select {
	case s := <-p.free:
		return s, nil
	default:
	}
	select {
	case s := <-p.free:
		return s, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (p *pool) put(s *slot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.decoded.Unref()
	s.useOwn = false
	if p.closed {
		s.free()
		return
	}
	p.free <- s // never blocks: there are as many places as slots
}

// close frees the slots that are in the pool; those in flight follow when they
// are released.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for {
		select {
		case s := <-p.free:
			s.free()
		default:
			return
		}
	}
}

func (s *slot) free() {
	s.decoded.Free()
	s.own.Free()
	s.rgb, s.luma = nil, nil
}
