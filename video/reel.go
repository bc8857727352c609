package video

import (
	"context"
	"fmt"
	"image"

	"github.com/asticode/go-astiav"
)

// A Reel makes frames of pictures in memory, for a [Sink] of a film that comes
// from no file. It is used by one goroutine at a time.
type Reel struct {
	Width, Height int // of all pictures; even, as the usual encoders want them
	TimeBase      Rational
	Rate          Rational // frames a second, on average

	pool  *pool
	graph graph
	rgb   *astiav.Frame
	index int64
}

// reelFrames is how many frames of a reel are in flight, unless more are reserved: one
// that is made and one that is encoded.
const reelFrames = 2

// reelColour is how pictures of a reel are stored: by BT.709, the range of
// video, and said so, since players guess otherwise.
var reelColour = colour{matrix: 1, colourRange: 1, primaries: 1, transfer: 1, chroma: 1}

const reelChain = "scale=flags=bicubic+accurate_rnd+full_chroma_int:out_color_matrix=bt709:out_range=tv,format=yuv420p"

// Initialize checks the size and makes room for frames.
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
		return fmt.Errorf("allocating a picture: %w", errOutOfMemory)
	}
	r.rgb.SetWidth(r.Width)
	r.rgb.SetHeight(r.Height)
	r.rgb.SetPixelFormat(astiav.PixelFormatRgba)
	if err := r.rgb.AllocBuffer(0); err != nil {
		r.Close()
		return fmt.Errorf("allocating a picture of %dx%d: %w", r.Width, r.Height, err)
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

// Reserve makes room for at least so many frames in flight, see [Source.Reserve].
func (r *Reel) Reserve(frames int) { r.pool.reserve(frames) }

// Frame makes a frame of an opaque picture, at a time and for a while in ticks
// of the time base. It waits until a frame made earlier is released.
func (r *Reel) Frame(ctx context.Context, img *image.RGBA, pts, duration int64) (*Frame, error) {
	if img.Rect.Dx() != r.Width || img.Rect.Dy() != r.Height {
		return nil, fmt.Errorf("making frame %d: the picture is %dx%d, not %dx%d", r.index, img.Rect.Dx(), img.Rect.Dy(), r.Width, r.Height)
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

// Close frees what the reel holds; frames that are not yet released live on
// until they are.
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
