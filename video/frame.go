package video

import (
	"context"
	"fmt"
	"slices"
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
// frame (planes, prepared picture) ends with it. Releasing twice panics: the
// memory would already be another frame's.
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
	own     *astiav.Frame // nil until detach needs one
	rgb     []byte        // prepared picture
}

func (s *slot) picture() *astiav.Frame {
	if s.own != nil {
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
	o := s.pool.spare(p)
	if o == nil {
		return fmt.Errorf("copying a picture: %w", errOutOfMemory)
	}
	if o.Width() == 0 {
		o.SetWidth(p.Width())
		o.SetHeight(p.Height())
		o.SetPixelFormat(p.PixelFormat())
		if err := o.AllocBuffer(0); err != nil {
			o.Free()
			return fmt.Errorf("allocating a picture of %dx%d: %w", p.Width(), p.Height(), err)
		}
	}
	if s.own != nil { // an encoder looks at it
		s.pool.keep(s.own)
	}
	s.own = o // from here on put looks after it
	if err := p.Copy(o); err != nil {
		return fmt.Errorf("copying a picture of %dx%d: %w", p.Width(), p.Height(), err)
	}
	if err := frameCopyProperties(o, p); err != nil {
		return fmt.Errorf("copying a picture's properties: %w", err)
	}
	s.decoded.Unref()
	return nil
}

// A pool holds a fixed number of slots. Its size is what bounds the memory of
// everything between the decoder and the encoder.
type pool struct {
	free chan *slot // slots without a frame; Release sends, Read receives

	mu     sync.Mutex
	closed bool
	// spares are the pictures that detach copied into, for the next that it copies. They
	// are the pool's and not the slots': only what is between drawing and encoding needs
	// one, which is far less than what is in flight.
	spares []*astiav.Frame
}

func newPool(n int) *pool {
	p := &pool{free: make(chan *slot, n)}
	for range n {
		p.free <- &slot{pool: p, decoded: astiav.AllocFrame()}
	}
	return p
}

func (p *pool) get(ctx context.Context) (*slot, error) {
	select {
	case s := <-p.free:
		return s.whole()
	default:
	}
	select {
	case s := <-p.free:
		return s.whole()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// whole finds a slot that could not be made.
func (s *slot) whole() (*slot, error) {
	if s.decoded == nil {
		return nil, fmt.Errorf("making room for a frame: %w", errOutOfMemory)
	}
	return s, nil
}

func (p *pool) put(s *slot) {
	if s.own != nil {
		p.keep(s.own)
		s.own = nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s.decoded.Unref()
	if p.closed {
		s.free()
		return
	}
	p.free <- s // never blocks: there are as many places as slots
}

// keep takes back a picture that spare gave.
func (p *pool) keep(o *astiav.Frame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		o.Free()
		return
	}
	p.spares = append(p.spares, o)
}

// spare returns a picture of the same shape that nobody looks at any more, or an empty
// one: in steady state nothing is allocated. An encoder may still hold the latest, so
// all are asked; those of another shape will not be needed again.
func (p *pool) spare(like *astiav.Frame) *astiav.Frame {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := 0; i < len(p.spares); i++ {
		o := p.spares[i]
		same := o.Width() == like.Width() && o.Height() == like.Height() && o.PixelFormat() == like.PixelFormat()
		if same && !o.IsWritable() {
			continue
		}
		p.spares = slices.Delete(p.spares, i, i+1)
		if same {
			return o
		}
		o.Free()
		i--
	}
	return astiav.AllocFrame()
}

// close frees the slots that are in the pool; those in flight follow when they
// are released.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, o := range p.spares {
		o.Free()
	}
	p.spares = nil
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
	if s.decoded != nil {
		s.decoded.Free()
	}
	s.rgb = nil
}
