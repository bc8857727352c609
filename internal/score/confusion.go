package score

import (
	"context"
	"fmt"
	"math"

	"github.com/carve-video/carve/internal/annotation"
)

// A Confusion counts the pixels of a whole set by true class and predicted class. Class
// 0 is the background, class k is Objects[k-1].
type Confusion struct {
	Objects []annotation.Object
	Pixels  [][]int64 // [truth][result]
}

// NewConfusion returns an empty confusion matrix.
func NewConfusion(objects []annotation.Object) *Confusion {
	c := &Confusion{Objects: objects}
	for range len(objects) + 1 {
		c.Pixels = append(c.Pixels, make([]int64, len(objects)+1))
	}
	return c
}

// Confuse counts all frames. Void pixels are left out, and so are the truth's pixels of
// objects that are ignored in a frame. A pixel has one class: overlapping masks within
// the truth or the result are an error.
func Confuse(ctx context.Context, truth, result *annotation.Sequence, pairs []Pair, workers int) (*Confusion, error) {
	var objects []annotation.Object
	for _, p := range pairs {
		objects = append(objects, p.Object)
	}
	n := (result.Len() + chunk - 1) / chunk
	parts := make([]*Confusion, n)
	err := annotation.Each(ctx, n, workers, func(k int) error {
		parts[k] = NewConfusion(objects)
		for i := k * chunk; i < min(k*chunk+chunk, result.Len()); i++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			t, err := frame(truth, i)
			if err != nil {
				return err
			}
			r, err := frame(result, i)
			if err != nil {
				return err
			}
			if err := checkExclusive(truth, i, t); err != nil {
				return err
			}
			if err := checkExclusive(result, i, r); err != nil {
				return err
			}
			parts[k].count(t, r, pairs)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := NewConfusion(objects)
	for _, c := range parts {
		all.Add(c)
	}
	return all, nil
}

// checkExclusive returns an error if a pixel is in two masks.
func checkExclusive(s *annotation.Sequence, i int, f *annotation.Frame) error {
	var all *annotation.Mask
	for k, m := range f.Masks {
		if m == nil {
			continue
		}
		if all == nil {
			all = annotation.NewMask(f.W, f.H)
		}
		if shared, _ := Overlap(all, m, nil); shared > 0 {
			return &OverlapError{Path: s.Path, Frame: s.FrameName(i), Object: s.Objects[k].String(), Pixels: shared}
		}
		all.Add(m)
	}
	return nil
}

// An OverlapError says that masks overlap where each pixel must have one class.
type OverlapError struct {
	Path, Frame, Object string
	Pixels              int
}

func (e *OverlapError) Error() string {
	return fmt.Sprintf("in frame %s of %s the mask of %s shares %d pixels with others; a confusion matrix needs one class a pixel", e.Frame, e.Path, e.Object, e.Pixels)
}

// count adds a frame. It intersects only masks that are not empty; the rest of each row
// and column is background.
func (c *Confusion) count(truth, result *annotation.Frame, pairs []Pair) {
	void := annotation.NewMask(truth.W, truth.H)
	void.Add(truth.Void)
	for k, m := range truth.Masks {
		if truth.Ignored != nil && truth.Ignored[k] {
			void.Add(m)
		}
	}
	background := int64(truth.W*truth.H - void.Area())
	for r, q := range pairs {
		if m := mask(result, q.Result); m != nil {
			_, n := Overlap(m, nil, void)
			c.Pixels[0][r+1] += int64(n)
			background -= int64(n)
		}
	}
	for t, p := range pairs {
		m := mask(truth, p.Truth)
		if m == nil {
			continue
		}
		_, rest := Overlap(m, nil, void)
		for r, q := range pairs {
			both, _ := Overlap(m, mask(result, q.Result), void)
			c.Pixels[t+1][r+1] += int64(both)
			c.Pixels[0][r+1] -= int64(both)
			rest -= both
		}
		c.Pixels[t+1][0] += int64(rest)
		background -= int64(rest)
	}
	c.Pixels[0][0] += background
}

// Add adds the counts of another set with the same classes.
func (c *Confusion) Add(other *Confusion) {
	for t, row := range other.Pixels {
		for r, n := range row {
			c.Pixels[t][r] += n
		}
	}
}

// A Background says how the mean IoU treats class 0.
type Background int

const (
	// WithBackground treats it like the other classes.
	WithBackground Background = iota

	// WithoutBackground leaves out the pixels that are background in the truth, and
	// class 0 from the mean. A pixel of an object predicted as background counts as
	// missed.
	WithoutBackground

	// AsReference is the "without background" of the released CaR code: it also leaves
	// out the pixels predicted as background, so that a result is scored only where it
	// has a mask. It is generous, and only for comparison with figures made the same
	// way.
	AsReference
)

// IoU returns the IoU of class k, or NaN if the truth never has it.
func (c *Confusion) IoU(k int, b Background) float64 {
	there, union := int64(0), int64(0)
	for t, row := range c.Pixels {
		for r, n := range row {
			if t == 0 && b != WithBackground || r == 0 && b == AsReference {
				continue
			}
			if t == k {
				there += n
			}
			if t == k || r == k {
				union += n
			}
		}
	}
	if there == 0 {
		return math.NaN()
	}
	return float64(c.Pixels[k][k]) / float64(union)
}

// MeanIoU returns the mean over the classes that the truth has.
func (c *Confusion) MeanIoU(b Background) float64 {
	var ious []float64
	for k := range c.Pixels {
		if k > 0 || b == WithBackground {
			ious = append(ious, c.IoU(k, b))
		}
	}
	return Mean(ious)
}
