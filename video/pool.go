package video

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/asticode/go-astiav"
)

// A slot is the memory of one frame in flight. Slots are reused, and each use gets a
// new Frame, so that a stale frame is never mistaken for the next one.
type slot struct {
	pool   *pool
	shares bool // the samples also belong to another slot
	// decoded is the decoder's frame; after detach it is empty and own holds the
	// samples.
	decoded *astiav.Frame
	own     *astiav.Frame // nil until detach makes a copy
	rgb     []byte        // prepared image
}

func (s *slot) frame() *astiav.Frame {
	if s.own != nil {
		return s.own
	}
	return s.decoded
}

// detach makes the frame writable: it alone holds its samples, and rows run top down. A
// decoder keeps frames to predict later ones from, and those must never be drawn into.
func (s *slot) detach() error {
	p := s.frame()
	if p.IsWritable() && !frameUpsideDown(p) {
		return nil
	}
	o, err := s.pool.blank(p)
	if err != nil {
		return err
	}
	if s.own != nil { // an encoder still reads it
		s.pool.putSpare(s.own)
	}
	s.own = o // put gives it back to the pool
	if err := p.Copy(o); err != nil {
		return fmt.Errorf("copying a frame of %dx%d: %w", p.Width(), p.Height(), err)
	}
	if err := frameCopyProperties(o, p); err != nil {
		return fmt.Errorf("copying a frame's properties: %w", err)
	}
	s.decoded.Unref()
	return nil
}

// A pool holds a limited number of slots. Its size bounds the memory of everything
// between the decoder and the encoder.
type pool struct {
	freed chan struct{} // signals that a slot was freed since the last wait

	mu     sync.Mutex
	closed bool
	free   []*slot // unused slots
	size   int     // maximum number of slots
	made   int     // number of slots allocated
	// sharing holds unused slots for shared frames, which do not count towards size.
	sharing []*slot
	// spares are frames that detach copied into, for reuse. They belong to the pool and
	// not to a slot: only frames between drawing and encoding need one, far fewer than
	// are in flight.
	spares []*astiav.Frame
}

func newPool(n int) *pool {
	return &pool{freed: make(chan struct{}, 1), size: n}
}

// reserve raises the size to at least n slots.
func (p *pool) reserve(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.size = max(p.size, n)
}

// get returns a slot. If all of them are in use it waits for one, or fails with
// [ErrFramesInUse]. It is called by one goroutine at a time.
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

// take returns a free slot or allocates one; nil if the limit is reached.
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

// share returns a new slot that refers to the samples of frame.
func (p *pool) share(frame *astiav.Frame) (*slot, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var s *slot
	if n := len(p.sharing); n > 0 {
		s, p.sharing = p.sharing[n-1], p.sharing[:n-1]
	} else if s = (&slot{pool: p, shares: true, decoded: astiav.AllocFrame()}); s.decoded == nil {
		return nil, fmt.Errorf("sharing a frame: %w", errOutOfMemory)
	}
	if err := s.decoded.Ref(frame); err != nil {
		p.sharing = append(p.sharing, s)
		return nil, fmt.Errorf("sharing a frame: %w", err)
	}
	return s, nil
}

func (p *pool) put(s *slot) {
	if s.own != nil {
		p.putSpare(s.own)
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
	default: // a signal is pending already
	}
}

// putSpare takes back a frame that getSpare returned.
func (p *pool) putSpare(o *astiav.Frame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		o.Free()
		return
	}
	p.spares = append(p.spares, o)
}

// getSpare returns a frame of the same size and format that is no longer used, or an
// empty one, so that in steady state nothing is allocated. An encoder may still hold
// the latest spares, so all are checked. Those of another size or format are freed,
// since they will not be needed again.
func (p *pool) getSpare(like *astiav.Frame) *astiav.Frame {
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

// blank returns a frame of that size and format, with memory for samples of its own. Give it
// to a slot, or to putSpare.
func (p *pool) blank(like *astiav.Frame) (*astiav.Frame, error) {
	o := p.getSpare(like)
	if o == nil {
		return nil, fmt.Errorf("making room for a frame: %w", errOutOfMemory)
	}
	if o.Width() > 0 {
		return o, nil
	}
	o.SetWidth(like.Width())
	o.SetHeight(like.Height())
	o.SetPixelFormat(like.PixelFormat())
	if err := o.AllocBuffer(0); err != nil {
		o.Free() // and is no spare, which would be taken for one with samples
		return nil, fmt.Errorf("allocating a frame of %dx%d: %w", like.Width(), like.Height(), err)
	}
	return o, nil
}

// shapedFrame returns a frame of the size and the format of info, without samples.
func shapedFrame(info Info) (*astiav.Frame, error) {
	o := astiav.AllocFrame()
	if o == nil {
		return nil, fmt.Errorf("making room for a frame: %w", errOutOfMemory)
	}
	o.SetWidth(info.Width)
	o.SetHeight(info.Height)
	o.SetPixelFormat(info.format)
	return o, nil
}

// close frees the unused slots. Those in flight are freed when they are released.
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
