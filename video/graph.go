package video

import (
	"fmt"

	"github.com/asticode/go-astiav"
)

// A graph is a chain of FFmpeg filters that takes single frames. Scaling uses the scale
// filter and not swscale's own context, because only the filter accepts matrix and
// range.
type graph struct {
	filters *astiav.FilterGraph
	src     *astiav.BuffersrcFilterContext
	sink    *astiav.BuffersinkFilterContext
	shape   shape
	chain   string
}

// A shape is everything that a configured chain of filters depends on.
type shape struct {
	w, h   int
	format astiav.PixelFormat
	matrix astiav.ColorSpace
	rng    astiav.ColorRange
}

func shapeOf(f *astiav.Frame) shape {
	return shape{f.Width(), f.Height(), f.PixelFormat(), f.ColorSpace(), f.ColorRange()}
}

// fit (re)builds the graph unless it already has that shape and chain.
func (g *graph) fit(s shape, chain string) (err error) {
	if g.filters != nil && g.shape == s && g.chain == chain {
		return nil
	}
	g.close()
	defer func() {
		if err != nil {
			g.close()
			err = fmt.Errorf("setting up the filters %q for %dx%d %s: %w", chain, s.w, s.h, s.format.Name(), err)
		}
	}()
	g.filters = astiav.AllocFilterGraph()
	if g.filters == nil {
		return errOutOfMemory
	}
	if g.src, err = g.filters.NewBuffersrcFilterContext(astiav.FindFilterByName("buffer"), "in"); err != nil {
		return err
	}
	p := astiav.AllocBuffersrcFilterContextParameters()
	if p == nil {
		return errOutOfMemory
	}
	defer p.Free()
	p.SetWidth(s.w)
	p.SetHeight(s.h)
	p.SetPixelFormat(s.format)
	p.SetColorSpace(s.matrix)
	p.SetColorRange(s.rng)
	p.SetTimeBase(astiav.NewRational(1, 1))
	if err = g.src.SetParameters(p); err != nil {
		return err
	}
	if err = g.src.Initialize(nil); err != nil {
		return err
	}
	if g.sink, err = g.filters.NewBuffersinkFilterContext(astiav.FindFilterByName("buffersink"), "out"); err != nil {
		return err
	}
	in, out := astiav.AllocFilterInOut(), astiav.AllocFilterInOut()
	if in == nil || out == nil {
		return errOutOfMemory
	}
	defer in.Free()
	defer out.Free()
	// Seen from the chain: its open input is fed by src, its open output by sink.
	out.SetName("in")
	out.SetFilterContext(g.src.FilterContext())
	out.SetPadIdx(0)
	in.SetName("out")
	in.SetFilterContext(g.sink.FilterContext())
	in.SetPadIdx(0)
	if err = g.filters.Parse(chain, in, out); err != nil {
		return err
	}
	if err = g.filters.Configure(); err != nil {
		return err
	}
	g.shape, g.chain = s, chain
	return nil
}

// run sends in through the chain. The result replaces the content of out.
func (g *graph) run(in, out *astiav.Frame) error {
	if err := g.src.AddFrame(in, astiav.NewBuffersrcFlags(astiav.BuffersrcFlagKeepRef)); err != nil {
		return fmt.Errorf("filtering a frame: %w", err)
	}
	out.Unref()
	if err := g.sink.GetFrame(out, astiav.NewBuffersinkFlags()); err != nil {
		return fmt.Errorf("filtering a frame: %w", err)
	}
	return nil
}

func (g *graph) close() {
	if g.filters != nil {
		g.filters.Free()
	}
	*g = graph{}
}
