package carve

import (
	"fmt"
	"image"
	"math"

	"golang.org/x/image/draw"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
	"github.com/carve-video/carve/video/overlay"
)

// A thumbnailer makes small pictures of frames, upright with square pixels, with masks drawn
// on them. Masks are made at that size, so that a frame without a picture costs nothing.
type thumbnailer struct {
	w, h    int // of a picture
	shaper  *maskShaper
	painter *overlay.Painter
	colours recolouring

	prep      *video.Preparer // makes images zoom times as large, if the source has the pixels
	full      *image.RGBA     // the last of them
	fullOf    int64           // the frame that it is of, -1 for none
	upsampler *Upsampler
	luma      []byte
}

// thumbnailArea is the number of pixels of a picture if no width is asked for: 320×180.
const thumbnailArea = 320 * 180

// maxThumbnail bounds a side of a picture.
const maxThumbnail = 4096

// thumbnailSize returns the size of pictures for frames that are w×h upright. width may be 0.
func thumbnailSize(w, h, width, area int) (int, int) {
	aspect := float64(w) / float64(h)
	tw := float64(width)
	if width == 0 {
		tw = math.Sqrt(float64(area) * aspect)
	}
	return max(int(math.Round(tw)), 1), max(int(math.Round(tw/aspect)), 1)
}

// newThumbnailer makes pictures of w×h. Views of up to 1/zoom of a frame will be asked for.
func newThumbnailer(s *Stream, w, h int, zoom float64, style overlay.Style, shaping *Shaping) (*thumbnailer, error) {
	t := &thumbnailer{w: w, h: h, fullOf: -1}
	if w > maxThumbnail || h > maxThumbnail {
		return nil, fmt.Errorf("pictures of %dx%d are too large; a side is at most %d", w, h, maxThumbnail)
	}
	t.prep = &video.Preparer{Info: s.Info, MaxSide: int(math.Ceil(float64(max(w, h)) * zoom))}
	if err := t.prep.Initialize(); err != nil {
		return nil, err
	}
	fw, fh := video.ModelSize(s.Info, 0)
	var err error
	if t.shaper, err = newMaskShaper(shaping.scaled(math.Sqrt(float64(w*h)/float64(fw*fh))), w, h, s.Threads); err != nil {
		return nil, err
	}
	component := func(i int) overlay.Component { return overlay.Component{Step: 4, Offset: i, Depth: 8} }
	t.painter = &overlay.Painter{Width: w, Height: h, Threads: s.Threads, Style: &style,
		Format: overlay.Format{RGB: true, Components: []overlay.Component{component(0), component(1), component(2), component(3)}}}
	if err := t.painter.Initialize(); err != nil {
		return nil, err
	}
	// That masks do not overlap is so at the model's size already.
	t.upsampler = &Upsampler{Info: video.Info{Width: w, Height: h}, Overlap: true, Threads: s.Threads}
	return t, nil
}

func (t *thumbnailer) close() {
	if t != nil && t.prep != nil {
		t.prep.Close()
		t.prep = nil
	}
}

// picture makes the picture of a view of a frame: a rectangle of its result, all of it or a
// part of the same shape. Only queries for which only is true are drawn.
func (t *thumbnailer) picture(f *Frame, view image.Rectangle, only func(query int) bool) (*image.RGBA, error) {
	if err := t.prepare(f); err != nil {
		return nil, err
	}
	out := image.NewRGBA(image.Rect(0, 0, t.w, t.h))
	size := t.full.Rect.Size()
	from := image.Rect(view.Min.X*size.X/f.Result.W, view.Min.Y*size.Y/f.Result.H, view.Max.X*size.X/f.Result.W, view.Max.Y*size.Y/f.Result.H)
	if from.Size() == out.Rect.Size() {
		draw.Copy(out, image.Point{}, t.full, from, draw.Src, nil)
	} else {
		draw.CatmullRom.Scale(out, out.Rect, t.full, from, draw.Src, nil)
	}
	layers, err := t.layers(f, view, out, only)
	if err != nil {
		return nil, err
	}
	return out, t.painter.Draw([]overlay.Plane{{Data: out.Pix, Stride: out.Stride}}, layers)
}

// prepare makes the upright image of a frame, once.
func (t *thumbnailer) prepare(f *Frame) error {
	if t.fullOf == f.Index && t.full != nil {
		return nil
	}
	// The shared frame has room for an image of its own: that of f belongs to the model.
	shared, err := f.Decoded.Share()
	if err != nil {
		return err
	}
	defer shared.Release()
	p, err := t.prep.Prepare(shared)
	if err != nil {
		return err
	}
	if t.full == nil || t.full.Rect.Dx() != p.W || t.full.Rect.Dy() != p.H {
		t.full = image.NewRGBA(image.Rect(0, 0, p.W, p.H))
	}
	for i := range p.W * p.H {
		copy(t.full.Pix[4*i:4*i+3], p.Pix[3*i:3*i+3])
		t.full.Pix[4*i+3] = 255
	}
	t.fullOf = f.Index
	return nil
}

// layers returns what is drawn on a picture.
func (t *thumbnailer) layers(f *Frame, view image.Rectangle, picture *image.RGBA, only func(query int) bool) ([]overlay.Layer, error) {
	colours, err := Colours(f.Queries)
	if err != nil {
		return nil, err
	}
	result, instances := viewOf(f.Result, f.Instances, view, t.w, t.h, only)
	layers := Layers(result, instances, colours)
	t.luma = lumaOf(t.luma, picture)
	t.upsampler.MasksAlong(t.luma, layers, result.W, result.H)
	t.shaper.begin()
	t.colours.set(f.Queries)
	var drawn []overlay.Layer
	for i := range layers {
		l := &layers[i]
		q := &f.Queries[l.Query]
		drawn = append(drawn, overlay.Layer{Alpha: t.shaper.shape(l.Mask), Colour: t.colours.colour(q, l.Query, l.Colour, l.Instance), Query: l.Query,
			Label: q.Label, Number: l.Instance, Score: confidence(f, l)})
	}
	return drawn, nil
}

// lumaOf returns the brightness of a picture (ITU-R BT.601), which masks follow.
func lumaOf(dst []byte, p *image.RGBA) []byte {
	n := p.Rect.Dx() * p.Rect.Dy()
	if cap(dst) < n {
		dst = make([]byte, n)
	}
	dst = dst[:n]
	for i := range dst {
		c := p.Pix[4*i : 4*i+3]
		dst[i] = uint8((77*int(c[0]) + 150*int(c[1]) + 29*int(c[2]) + 128) >> 8)
	}
	return dst
}

// viewOf returns the part of a result in a view, with only some of its queries. It is made
// smaller if it has more pixels than a picture of w×h.
func viewOf(result *car.Result, instances []tracking.Instance, view image.Rectangle, w, h int, only func(query int) bool) (*car.Result, []tracking.Instance) {
	part := &car.Result{W: min(view.Dx(), w), H: min(view.Dy(), h)}
	for _, f := range result.Found {
		if only(f.Query) {
			f.Probability = shrink(crop(f.Probability, result.W, view), view.Dx(), view.Dy(), part.W, part.H)
			part.Found = append(part.Found, f)
		}
	}
	var own []tracking.Instance
	for _, in := range instances {
		if !only(in.Query) {
			continue
		}
		mask := make([]float32, 0, view.Dx()*view.Dy())
		for _, v := range crop(in.Mask, result.W, view) {
			mask = append(mask, float32(v))
		}
		mask = shrink(mask, view.Dx(), view.Dy(), part.W, part.H)
		in.Mask = make([]uint8, len(mask))
		for i, v := range mask {
			if v >= 0.5 {
				in.Mask[i] = 1
			}
		}
		own = append(own, in)
	}
	return part, own
}

// crop copies a rectangle of a plane.
func crop[T any](plane []T, w int, r image.Rectangle) []T {
	out := make([]T, 0, r.Dx()*r.Dy())
	for y := r.Min.Y; y < r.Max.Y; y++ {
		out = append(out, plane[y*w+r.Min.X:y*w+r.Max.X]...)
	}
	return out
}

// shrink averages a plane of w×h over the areas of ow×oh pixels, which are not more.
func shrink(plane []float32, w, h, ow, oh int) []float32 {
	if ow != w {
		out := make([]float32, ow*h)
		for y := range h {
			averageLine(out[y*ow:], 1, ow, plane[y*w:], 1, w)
		}
		plane = out
	}
	if oh != h {
		out := make([]float32, ow*oh)
		for x := range ow {
			averageLine(out[x:], ow, oh, plane[x:], ow, h)
		}
		plane = out
	}
	return plane
}

// averageLine averages n samples of a line over m areas. Samples lie a step apart.
func averageLine(dst []float32, step, m int, src []float32, from, n int) {
	scale := float64(n) / float64(m)
	for i := range m {
		a, b := float64(i)*scale, float64(i+1)*scale
		sum := 0.0
		for k := int(a); k < n && float64(k) < b; k++ {
			sum += float64(src[k*from]) * (min(float64(k+1), b) - max(float64(k), a))
		}
		dst[i*step] = float32(sum / scale)
	}
}
