package main

import (
	"runtime"

	"github.com/carve-video/carve/internal/matte"
	"github.com/carve-video/carve/video"
	"github.com/carve-video/carve/video/overlay"
)

// A painter brings masks to the size of the film and draws them into frames.
type painter struct {
	*overlay.Painter
	info     video.Info
	enlarger *matte.Enlarger
	lw, lh   int  // size of the masks, as coded
	overlap  bool // masks may cover each other

	luma   []byte // of the frame at hand
	turned []float32
	alphas [][]uint8
	layers []overlay.Layer
}

func newPainter(info video.Info, overlap bool, threads int) (*painter, error) {
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	p := &painter{Painter: info.Painter(), info: info, overlap: overlap}
	p.Threads = threads
	return p, p.Initialize()
}

// draw lays what was found over the frame.
func (p *painter) draw(frame *video.Frame, found []part, w, h int) error {
	if len(found) == 0 {
		return nil
	}
	var err error
	if p.luma, err = frame.Luma(p.luma); err != nil {
		return err
	}
	lw, lh := p.info.Orientation.Upright(w, h)
	if p.enlarger == nil || p.lw != lw || p.lh != lh {
		p.enlarger, p.lw, p.lh = matte.New(p.Width, p.Height, lw, lh), lw, lh
		p.enlarger.Threads = p.Threads
		p.turned = make([]float32, w*h)
	}
	p.enlarger.Guide(p.luma)
	for len(p.alphas) < len(found) {
		p.alphas = append(p.alphas, make([]uint8, p.Width*p.Height))
	}
	alphas := p.alphas[:len(found)]
	p.layers = p.layers[:0]
	for i := range found {
		f := &found[i]
		video.ToCoded(p.info.Orientation, p.turned, f.probability, w, h)
		p.enlarger.Enlarge(p.turned, alphas[i])
		p.layers = append(p.layers, overlay.Layer{Alpha: alphas[i], Colour: f.colour, Label: f.label, Score: f.score})
	}
	if !p.overlap {
		matte.Share(alphas, p.Threads)
	}
	return frame.Draw(p.Painter, p.layers)
}
