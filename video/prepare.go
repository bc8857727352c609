package video

import (
	"fmt"
	"math"
	"strings"

	"github.com/asticode/go-astiav"

	"github.com/carve-video/carve/internal/light"
)

// A Picture is the image of a frame for the model: upright, square pixels, RGB with 8
// bits per component, rows of 3·W bytes without padding. It is valid until its frame is
// released.
type Picture struct {
	Pix  []byte
	W, H int
}

// A Preparer turns frames into images for the model. It keeps one chain of filters and
// is used by one goroutine at a time. HDR becomes what an SDR display would show, because
// models have learned from such images.
type Preparer struct {
	// MaxSide bounds the longer side of the image: a larger one is scaled down, a
	// smaller one keeps its size. 0 means no bound.
	MaxSide int
	// Info describes the frames, as returned by their source.
	Info Info

	graph graph
	toSDR *light.ToSDR // nil for SDR
	out   *astiav.Frame
	w, h  int // of the upright image
	chain string
}

// Initialize computes the size of the images.
func (p *Preparer) Initialize() error {
	info := p.Info
	p.w, p.h = ModelSize(info, p.MaxSide)
	cw, ch := info.Orientation.Upright(p.w, p.h) // its own inverse: from upright to coded
	chain := []string{
		fmt.Sprintf("scale=%d:%d:flags=bicubic+accurate_rnd+full_chroma_int:in_color_matrix=%s:out_range=pc",
			cw, ch, info.scaleMatrix()),
		"format=rgb24",
	}
	p.chain = strings.Join(append(chain, info.Orientation.filters()...), ",")
	p.toSDR = light.NewToSDR(info.ColourCurve, info.ColourPrimaries)
	if p.out = astiav.AllocFrame(); p.out == nil {
		return errOutOfMemory
	}
	return nil
}

// Size returns the size of every prepared image.
func (p *Preparer) Size() (w, h int) { return p.w, p.h }

// Prepare makes the image of f, in memory that belongs to f.
func (p *Preparer) Prepare(f *Frame) (Picture, error) {
	in := f.slot.frame()
	if err := p.graph.fit(shapeOf(in), p.chain); err != nil {
		return Picture{}, err
	}
	if err := p.graph.run(in, p.out); err != nil {
		return Picture{}, err
	}
	n := 3 * p.w * p.h
	if cap(f.slot.rgb) < n {
		f.slot.rgb = make([]byte, n)
	}
	pix := f.slot.rgb[:n]
	_, err := p.out.ImageCopyToBuffer(pix, 1)
	p.out.Unref()
	if err != nil {
		return Picture{}, fmt.Errorf("copying the image of frame %d: %w", f.Index, err)
	}
	if p.toSDR != nil {
		p.toSDR.Map(pix)
	}
	return Picture{pix, p.w, p.h}, nil
}

// Close frees the filters.
func (p *Preparer) Close() {
	p.graph.close()
	if p.out != nil {
		p.out.Free()
		p.out = nil
	}
}

// ModelSize returns the size of the upright image with square pixels whose longer side
// is at most maxSide (0: no bound). Pixels that are not square are stretched along
// their shorter side, so that no detail is lost. Nothing else is enlarged.
func ModelSize(info Info, maxSide int) (w, h int) {
	fw, fh := float64(info.Width), float64(info.Height)
	if a := info.SampleAspect; a.Known() {
		if r := a.Float(); r > 1 {
			fw *= r
		} else {
			fh /= r
		}
	}
	if info.Orientation.Transpose {
		fw, fh = fh, fw
	}
	if long := max(fw, fh); maxSide > 0 && long > float64(maxSide) {
		fw *= float64(maxSide) / long
		fh *= float64(maxSide) / long
	}
	return max(1, int(math.Round(fw))), max(1, int(math.Round(fh)))
}
