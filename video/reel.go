package video

import (
	"context"
	"fmt"
	"image"

	"github.com/asticode/go-astiav"
)

// A Reel turns images in memory into frames, for a [Sink] whose video does not come
// from a file. It is used by one goroutine at a time.
type Reel struct {
	Width, Height int // of all images; even, as the usual encoders require
	TimeBase      Rational
	Rate          Rational // average frames per second

	pool  *pool
	graph graph
	rgb   *astiav.Frame
	index int64
}

// reelFrames is the default number of frames in flight: one that is made and one that
// is encoded.
const reelFrames = 2

// reelColour is the colour description of the frames: BT.709, limited range. It is
// stated in the file, since players would otherwise guess.
var reelColour = colour{matrix: 1, colourRange: 1, primaries: 1, transfer: 1, chroma: 1}

const reelChain = "scale=flags=bicubic+accurate_rnd+full_chroma_int:out_color_matrix=bt709:out_range=tv,format=yuv420p"

// Initialize checks the size and allocates the frames.
func (r *Reel) Initialize() error {
	if r.Width < 2 || r.Height < 2 || r.Width%2 != 0 || r.Height%2 != 0 {
		return fmt.Errorf("making frames of %dx%d: sides must be even", r.Width, r.Height)
	}
	if !r.TimeBase.Known() || !r.Rate.Known() {
		return fmt.Errorf("making frames: time base %v or rate %v is not positive", r.TimeBase, r.Rate)
	}
	r.pool = newPool(reelFrames)
	if r.rgb = astiav.AllocFrame(); r.rgb == nil {
		r.Close()
		return fmt.Errorf("allocating an image: %w", errOutOfMemory)
	}
	r.rgb.SetWidth(r.Width)
	r.rgb.SetHeight(r.Height)
	r.rgb.SetPixelFormat(astiav.PixelFormatRgba)
	if err := r.rgb.AllocBuffer(0); err != nil {
		r.Close()
		return fmt.Errorf("allocating an image of %dx%d: %w", r.Width, r.Height, err)
	}
	return nil
}

// Info describes the frames as that of a file would.
func (r *Reel) Info() Info {
	return Info{
		Codec: "rawvideo", Width: r.Width, Height: r.Height, PixelFormat: astiav.PixelFormatYuv420P.Name(), BitDepth: 8,
		TimeBase: r.TimeBase, AverageRate: r.Rate, RealRate: r.Rate, SampleAspect: Rational{1, 1},
		format: astiav.PixelFormatYuv420P, colour: reelColour,
	}
}

// Reserve makes room for at least that many frames in flight, see [Source.Reserve].
func (r *Reel) Reserve(frames int) { r.pool.reserve(frames) }

// Frame makes a frame of an opaque image. pts and duration are in ticks of the time
// base. If too many frames are in flight it waits until one is released.
func (r *Reel) Frame(ctx context.Context, img *image.RGBA, pts, duration int64) (*Frame, error) {
	if img.Rect.Dx() != r.Width || img.Rect.Dy() != r.Height {
		return nil, fmt.Errorf("making frame %d: the image is %dx%d, not %dx%d", r.index, img.Rect.Dx(), img.Rect.Dy(), r.Width, r.Height)
	}
	s, err := r.pool.get(ctx, true)
	if err != nil {
		return nil, err
	}
	err = r.rgb.MakeWritable()
	if err == nil {
		err = r.rgb.Data().FromImage(img)
	}
	if err == nil {
		err = r.graph.fit(shapeOf(r.rgb), reelChain)
	}
	if err == nil {
		err = r.graph.run(r.rgb, s.decoded)
	}
	if err != nil {
		r.pool.put(s)
		return nil, fmt.Errorf("making frame %d: %w", r.index, err)
	}
	setFrameColour(s.decoded, reelColour)
	f := &Frame{Index: r.index, PTS: pts, Duration: duration, TimeBase: r.TimeBase, slot: s}
	r.index++
	return f, nil
}

// Close frees the reel. Frames in flight live until they are released.
func (r *Reel) Close() {
	if r.pool != nil {
		r.pool.close()
		r.pool = nil
	}
	r.graph.close()
	if r.rgb != nil {
		r.rgb.Free()
		r.rgb = nil
	}
}
