package score

import (
	"context"
	"fmt"
	"math"

	"github.com/carve-video/carve/internal/annotation"
)

// A Track has the measurements of one object in every frame. All slices have one value
// a frame.
type Track struct {
	Pair

	Ignored []bool // the frame does not count for this object

	// Compared with the truth, without void pixels; empty if there is no truth.
	Intersection, Union []int
	F                   []float64 // agreement of outlines
	TruthArea           []int     // in pixels
	Found               []bool    // whether the result has anything

	// Area is the area of the result's mask in pixels, including void.
	Area []int

	// Overlap (J) of a mask with the same object's in the frame before; NaN for the
	// first frame. TruthStability is empty if there is no truth.
	Stability, TruthStability []float64
}

// Tracks are the tracks of all objects of a video.
type Tracks struct {
	W, H, Frames int
	HasTruth     bool
	Objects      []*Track
}

// chunk is the number of consecutive frames that one goroutine measures. It also
// decodes the frame before, to compare the first one with: an eighth more work, but
// short clips have enough chunks.
const chunk = 8

// Follow measures all pairs in all frames. truth may be nil. workers is the number of
// goroutines, 0 for one for each CPU; each of them holds two frames of each sequence.
func Follow(ctx context.Context, truth, result *annotation.Sequence, pairs []Pair, workers int) (*Tracks, error) {
	n := result.Len()
	t := &Tracks{W: result.W, H: result.H, Frames: n, HasTruth: truth != nil}
	for _, p := range pairs {
		o := &Track{Pair: p, Ignored: make([]bool, n), Area: make([]int, n), Stability: make([]float64, n)}
		if truth != nil {
			o.Intersection, o.Union, o.TruthArea = make([]int, n), make([]int, n), make([]int, n)
			o.F, o.TruthStability = make([]float64, n), make([]float64, n)
			o.Found = make([]bool, n)
		}
		t.Objects = append(t.Objects, o)
	}
	err := annotation.Each(ctx, (n+chunk-1)/chunk, workers, func(c int) error {
		f := &follower{tracks: t, truth: truth, result: result, boundaries: NewBoundaries(t.W, t.H)}
		return f.frames(ctx, c*chunk, min(c*chunk+chunk, n))
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// A follower measures some consecutive frames.
type follower struct {
	tracks        *Tracks
	truth, result *annotation.Sequence
	boundaries    *Boundaries
}

// A view is one frame of both sequences.
type view struct{ truth, result *annotation.Frame }

func (f *follower) frames(ctx context.Context, from, to int) error {
	var before *view
	for i := max(from-1, 0); i < to; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		now, err := f.view(i)
		if err != nil {
			return err
		}
		if i >= from {
			for _, o := range f.tracks.Objects {
				f.measure(o, i, now, before)
			}
		}
		before = now
	}
	return nil
}

func (f *follower) view(i int) (v *view, err error) {
	v = &view{}
	if f.truth != nil {
		if v.truth, err = frame(f.truth, i); err != nil {
			return nil, err
		}
	}
	v.result, err = frame(f.result, i)
	return v, err
}

// frame decodes a frame and checks that its masks can be compared.
func frame(s *annotation.Sequence, i int) (*annotation.Frame, error) {
	f, err := s.Frame(i)
	if err != nil {
		return nil, err
	}
	if f.W != s.W || f.H != s.H {
		return nil, fmt.Errorf("frame %s of %s is %dx%d, not %dx%d", s.FrameName(i), s.Path, f.W, f.H, s.W, s.H)
	}
	return f, nil
}

// mask returns the mask of an object in a frame, or nil if there is none.
func mask(f *annotation.Frame, object int) *annotation.Mask {
	if f == nil || object < 0 {
		return nil
	}
	return f.Masks[object]
}

func (f *follower) measure(o *Track, i int, now, before *view) {
	result := mask(now.result, o.Result)
	o.Area[i] = result.Area()
	o.Stability[i] = math.NaN()
	if before != nil {
		o.Stability[i] = Jaccard(mask(before.result, o.Result), result, nil)
	}
	if now.truth == nil {
		return
	}
	truth, void := mask(now.truth, o.Truth), now.truth.Void
	if o.Truth >= 0 && now.truth.Ignored != nil {
		o.Ignored[i] = now.truth.Ignored[o.Truth]
	}
	o.Intersection[i], o.Union[i] = Overlap(result, truth, void)
	o.F[i] = f.boundaries.Compare(result, truth, void).F()
	o.TruthArea[i] = truth.Area()
	_, judged := Overlap(result, nil, void)
	o.Found[i] = judged > 0
	o.TruthStability[i] = math.NaN()
	if before != nil {
		o.TruthStability[i] = Jaccard(mask(before.truth, o.Truth), truth, nil)
	}
}

// J returns the overlap of truth and result in frame i.
func (t *Track) J(i int) float64 { return jaccard(t.Intersection[i], t.Union[i]) }

// InTruth tells whether the truth has the object in any frame.
func (t *Track) InTruth() bool {
	for i, n := range t.TruthArea {
		if n > 0 && !t.Ignored[i] {
			return true
		}
	}
	return false
}
