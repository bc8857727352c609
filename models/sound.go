package models

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/ort"
	"github.com/carve-video/carve/internal/tensor"
)

// An UnsoundError says that a model computes nothing that can be used: its
// weights were damaged, or never were a CLIP's.
type UnsoundError struct {
	Model     string
	What      string // what came out, and how it is not right
	Cause     string // what is wrong with the weights; empty where they look well
	Precision string
}

func (e *UnsoundError) Error() string {
	s := fmt.Sprintf("model %s: %s", e.Model, e.What)
	switch {
	case e.Cause != "":
		return s + ": " + e.Cause
	case e.Precision != Float32:
		return fmt.Sprintf("%s: its numbers may be too large for %s", s, e.Precision)
	}
	return s + ": its weights cannot be those of a trained CLIP"
}

// Hint says what to do about it.
func (e *UnsoundError) Hint() string {
	if e.Cause == "" && e.Precision != Float32 {
		return "try --precision " + Float32
	}
	return "the weights are damaged: fetch or copy them again, and compare their checksum with the publisher's"
}

// unsound is the error for what came out of the model. It looks for the cause in
// the weights, which takes reading all of them.
func (m *Model) unsound(what string) error {
	e := &UnsoundError{Model: m.name, What: what, Precision: m.options.Precision}
	if err := m.weights.scan(context.Background()); err != nil {
		e.Cause = err.Error()
	}
	return e
}

// check looks at a model before it comes into the cache: at every number of its
// weights, and, where ONNX Runtime is there, at what it makes of pictures and
// texts in its roles, "proposer" and "classifier".
func (m *Model) check(ctx context.Context, roles string) error {
	if err := m.weights.scan(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &UnsoundError{Model: m.name, What: "its weights are not usable", Cause: err.Error(), Precision: Float32}
	}
	if err := ort.Start(); err != nil {
		m.options.Log.Warn("the model was not run, so it is not known whether its weights make sense", "model", m.name, "err", err)
		return nil
	}
	err := m.try(ctx, roles)
	var unsound *UnsoundError
	if errors.As(err, &unsound) {
		// What was built from such weights is of no use.
		if sum, e := m.fingerprint(); e == nil {
			removeBuilt(sum) // what stays costs room, nothing else
		}
	}
	return err
}

// try runs the model once. What it makes of two texts, or of two pictures, has
// to be numbers, and not the same.
func (m *Model) try(ctx context.Context, roles string) error {
	texts, err := m.text.EncodeTexts(ctx, []string{"a dog", "two red cars in the rain"})
	if err != nil {
		return err
	}
	if alike(texts[0], texts[1]) {
		return m.unsound("it says the same of every text")
	}
	v := m.config.Vision
	side := min(4*v.PatchSize, v.ImageSize)
	images := []*car.Image{pattern(side, 5), pattern(side, 11)}
	if strings.Contains(roles, "proposer") {
		p, err := m.Proposer()
		if err != nil {
			return err
		}
		views, err := p.(car.BatchProposer).EncodeBatch(ctx, images)
		if err != nil {
			return err
		}
		defer views[0].Close()
		defer views[1].Close()
		if alike(views[0].Feature(), views[1].Feature()) {
			return m.unsound("it sees the same in every picture")
		}
		if _, err := views[0].CAM(ctx, texts); err != nil {
			return err
		}
	}
	if strings.Contains(roles, "classifier") {
		j, err := m.Judge()
		if err != nil {
			return err
		}
		vectors, err := j.EncodeImages(ctx, images)
		if err != nil {
			return err
		}
		if alike(vectors[0], vectors[1]) {
			return m.unsound("it says the same of every picture")
		}
	}
	return nil
}

// pattern is a square picture of coloured blocks; step makes it one or another.
func pattern(side, step int) *car.Image {
	img := car.NewImage(side, side)
	for i := range img.Pix {
		x, y, c := i/3%side, i/3/side, i%3
		img.Pix[i] = uint8((x/step*61 + y/step*97 + c*85) % 256)
	}
	return img
}

// alike tells whether two unit vectors are the same but for rounding.
func alike(a, b []float32) bool {
	for i := range a {
		if d := a[i] - b[i]; d > 1e-6 || d < -1e-6 {
			return false
		}
	}
	return true
}

// wrong says what is wrong with a vector that is to have length 1; empty is
// nothing.
func wrong(v []float32) string {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	switch {
	case !finite(v):
		return "is not a number"
	case sum < 0.9 || sum > 1.1: // what has overflowed is divided by infinity
		return "has no direction"
	}
	return ""
}

// finite tells whether all of v are numbers, none of them infinite.
func finite(v []float32) bool {
	for _, x := range v {
		if math.Float32bits(x)&0x7f800000 == 0x7f800000 {
			return false
		}
	}
	return true
}

// scan looks at every number of the weights. It finds those that are none or are
// infinite, and says where, and weights that are 0 throughout.
func (w *weights) scan(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	names := w.Names()
	something := make([]bool, len(names)) // that is not 0, in a matrix
	for i, name := range names {
		t, err := w.Tensor(name)
		if err != nil {
			return err
		}
		if !isFloat(t.DType) || buffers.MatchString(name) { // a mask may well be infinite
			continue
		}
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			at, all0 := scanFloats(t)
			if at >= 0 {
				return fmt.Errorf("%s: tensor %q holds what is not a finite number, first at element %d of %d", t.Path, t.Name, at, t.Len())
			}
			something[i] = len(t.Shape) > 1 && !all0
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, s := range something {
		if s {
			return nil
		}
	}
	return fmt.Errorf("%s: all weights are 0", w.checkpoint.name)
}

// scanFloats finds the first element that is not a finite float32, or -1, and
// tells whether all are 0.
func scanFloats(t tensor.Tensor) (at int, all0 bool) {
	b, any := t.Data, uint64(0)
	switch t.DType {
	case tensor.F64:
		for i := 0; i+8 <= len(b); i += 8 {
			v := math.Float64frombits(binary.LittleEndian.Uint64(b[i:]))
			if f := float32(v); f-f != 0 { // infinite and not a number are not 0 away from themselves
				return i / 8, false
			} else if f != 0 {
				any = 1
			}
		}
	case tensor.F32:
		for i := 0; i+4 <= len(b); i += 4 {
			v := binary.LittleEndian.Uint32(b[i:])
			if v&0x7f800000 == 0x7f800000 {
				return i / 4, false
			}
			any |= uint64(v & 0x7fffffff)
		}
	case tensor.F16, tensor.BF16:
		infinite := uint16(0x7c00)
		if t.DType == tensor.BF16 {
			infinite = 0x7f80
		}
		for i := 0; i+2 <= len(b); i += 2 {
			v := binary.LittleEndian.Uint16(b[i:])
			if v&infinite == infinite {
				return i / 2, false
			}
			any |= uint64(v & 0x7fff)
		}
	}
	return -1, any == 0
}
