package score

import (
	"context"
	"fmt"
	"math"

	"github.com/carve-video/carve/internal/annotation"
)

// A Confusion counts the pixels of a whole set by what they are and what they
// were taken for. Class 0 is the background, class k is Objects[k-1].
type Confusion struct {
	Objects []annotation.Object
	Pixels  [][]int64 // [truth][result]
}

// NewConfusion returns an empty one.
func NewConfusion(objects []annotation.Object) *Confusion {
	c := &Confusion{Objects: objects}
	for range len(objects) + 1 {
		c.Pixels = append(c.Pixels, make([]int64, len(objects)+1))
	}
	return c
}

// Confuse counts all frames. Void pixels are left out, and so are a truth's
// pixels of what should not count in a frame. A pixel has one class: masks of
// one side that cover each other are an error.
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
			if err := exclusive(truth, i, t); err != nil {
				return err
			}
			if err := exclusive(result, i, r); err != nil {
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

// exclusive makes sure that no pixel is in two masks.
func exclusive(s *annotation.Sequence, i int, f *annotation.Frame) error {
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

// OverlapError says that masks cover each other where each pixel has one class.
type OverlapError struct {
	Path, Frame, Object string
	Pixels              int
}

func (e *OverlapError) Error() string {
	return fmt.Sprintf("in frame %s of %s the mask of %s shares %d pixels with others; a confusion matrix needs one class a pixel", e.Frame, e.Path, e.Object, e.Pixels)
}

// count adds a frame. Only masks that are there are held against each other; what
// is left of rows and columns is background.
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

// Add joins the counts of two sets of the same classes.
func (c *Confusion) Add(other *Confusion) {
	for t, row := range other.Pixels {
		for r, n := range row {
			c.Pixels[t][r] += n
		}
	}
}

// A Background says what the mean IoU makes of class 0.
type Background int

const (
	// WithBackground treats it as a class among the others.
	WithBackground Background = iota

	// WithoutBackground leaves out the pixels that are background in truth, and
	// class 0 out of the mean. An object's pixel that is taken for background
	// is a pixel missed.
	WithoutBackground

	// AsReference is what the released CaR code calls "without background": it
	// leaves out the pixels taken for background as well, so that a result is
	// only asked about where it said something. It is generous, and only for
	// comparing with figures that were made like that.
	AsReference
)

// IoU is that of class k; NaN if the truth never has it.
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

// MeanIoU is the mean over the classes that the truth has.
func (c *Confusion) MeanIoU(b Background) float64 {
	var ious []float64
	for k := range c.Pixels {
		if k > 0 || b == WithBackground {
			ious = append(ious, c.IoU(k, b))
		}
	}
	return Mean(ious)
}
