package video

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/asticode/go-astiav"
)

// A slot is the memory of one frame in flight. Frames are handed out afresh
// around recycled slots, so that a stale frame is never mistaken for the next.
type slot struct {
	pool   *pool
	shares bool // the picture is another slot's as well
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

// A pool holds a number of slots. Its size is what bounds the memory of everything
// between the decoder and the encoder.
type pool struct {
	freed chan struct{} // that a slot has come back since somebody looked

	mu     sync.Mutex
	closed bool
	free   []*slot // slots without a frame
	size   int     // slots there may be
	made   int     // slots there are
	// sharing are those without a frame that stand beside the free ones: slots of
	// pictures that others have.
	sharing []*slot
	// spares are the pictures that detach copied into, for the next that it copies. They
	// are the pool's and not the slots': only what is between drawing and encoding needs
	// one, which is far less than what is in flight.
	spares []*astiav.Frame
}

func newPool(n int) *pool {
	return &pool{freed: make(chan struct{}, 1), size: n}
}

// reserve makes room for n slots, if there is less.
func (p *pool) reserve(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.size = max(p.size, n)
}

// get returns a slot. Where all of them are in use it waits for one, or fails with
// [ErrFramesInUse]. It is for one goroutine at a time.
func (p *pool) get(ctx context.Context, wait bool) (*slot, error) {
	for {
		if s, err := p.take(); s != nil || err != nil {
			return s, err
		}
		if !wait {
			return nil, fmt.Errorf("reading a frame: %w (%d of them)", ErrFramesInUse, p.size)
		}
		select {
		case <-p.freed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// take returns a slot that is free or may be made; nil if there is none.
func (p *pool) take() (*slot, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		s := p.free[n-1]
		p.free = p.free[:n-1]
		return s, nil
	}
	if p.made >= p.size {
		return nil, nil
	}
	decoded := astiav.AllocFrame()
	if decoded == nil {
		return nil, fmt.Errorf("making room for a frame: %w", errOutOfMemory)
	}
	p.made++
	return &slot{pool: p, decoded: decoded}, nil
}

// share returns a slot of its own for a picture that another one has.
func (p *pool) share(picture *astiav.Frame) (*slot, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var s *slot
	if n := len(p.sharing); n > 0 {
		s, p.sharing = p.sharing[n-1], p.sharing[:n-1]
	} else if s = (&slot{pool: p, shares: true, decoded: astiav.AllocFrame()}); s.decoded == nil {
		return nil, fmt.Errorf("sharing a picture: %w", errOutOfMemory)
	}
	if err := s.decoded.Ref(picture); err != nil {
		p.sharing = append(p.sharing, s)
		return nil, fmt.Errorf("sharing a picture: %w", err)
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
	if s.shares {
		p.sharing = append(p.sharing, s)
		return
	}
	p.free = append(p.free, s)
	select {
	case p.freed <- struct{}{}:
	default: // the reader will look anyway
	}
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
	for _, s := range p.free {
		s.free()
	}
	for _, s := range p.sharing {
		s.free()
	}
	p.free, p.sharing = nil, nil
}

func (s *slot) free() {
	if s.decoded != nil {
		s.decoded.Free()
	}
	s.rgb = nil
}
