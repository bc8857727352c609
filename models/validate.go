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

// An InvalidModelError says that the outputs of a model are unusable: its weights are
// damaged or not those of a CLIP.
type InvalidModelError struct {
	Model     string
	What      string // the output, and what is wrong with it
	Cause     string // what is wrong with the weights; empty if nothing was found
	Precision string
}

func (e *InvalidModelError) Error() string {
	s := fmt.Sprintf("model %s: %s", e.Model, e.What)
	switch {
	case e.Cause != "":
		return s + ": " + e.Cause
	case e.Precision != Float32:
		return fmt.Sprintf("%s: its numbers may be too large for %s", s, e.Precision)
	}
	return s + ": its weights cannot be those of a trained CLIP"
}

// Hint says how to solve it.
func (e *InvalidModelError) Hint() string {
	if e.Cause == "" && e.Precision != Float32 {
		return "try --precision " + Float32
	}
	return "the weights are damaged: fetch or copy them again, and compare their checksum with the publisher's"
}

// invalid returns the error for an unusable output. It searches all weights for the cause.
func (m *Model) invalid(what string) error {
	e := &InvalidModelError{Model: m.name, What: what, Precision: m.options.Precision}
	if err := m.weights.scan(context.Background()); err != nil {
		e.Cause = err.Error()
	}
	return e
}

// check checks a model before it is added to the cache: every number of its weights, and,
// if ONNX Runtime is available, its outputs for images and texts in its roles, "proposer"
// and "classifier".
func (m *Model) check(ctx context.Context, roles string) error {
	if err := m.weights.scan(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &InvalidModelError{Model: m.name, What: "its weights are not usable", Cause: err.Error(), Precision: Float32}
	}
	if err := ort.Start(); err != nil {
		m.options.Log.Warn("the model was not run, so its outputs are not checked", "model", m.name, "err", err)
		return nil
	}
	err := m.runOnce(ctx, roles)
	var invalid *InvalidModelError
	if errors.As(err, &invalid) {
		// Graphs built from such weights are useless.
		if sum, e := m.fingerprint(); e == nil {
			removeBuilt(sum) // a failure only costs disk space
		}
	}
	return err
}

// runOnce runs the model. The vectors of two texts, and those of two images, have to be
// finite and different.
func (m *Model) runOnce(ctx context.Context, roles string) error {
	texts, err := m.text.EncodeTexts(ctx, []string{"a dog", "two red cars in the rain"})
	if err != nil {
		return err
	}
	if nearlyEqual(texts[0], texts[1]) {
		return m.invalid("its vectors of all texts are the same")
	}
	v := m.config.Vision
	side := min(4*v.PatchSize, v.ImageSize)
	images := []*car.Image{testImage(side, 5), testImage(side, 11)}
	if strings.Contains(roles, "proposer") {
		p, err := m.Proposer()
		if err != nil {
			return err
		}
		features, err := p.(car.BatchProposer).EncodeBatch(ctx, images)
		if err != nil {
			return err
		}
		defer features[0].Close()
		defer features[1].Close()
		if nearlyEqual(features[0].Feature(), features[1].Feature()) {
			return m.invalid("its features of all images are the same")
		}
		if _, err := features[0].CAM(ctx, texts); err != nil {
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
		if nearlyEqual(vectors[0], vectors[1]) {
			return m.invalid("its vectors of all images are the same")
		}
	}
	return nil
}

// testImage is a square image of coloured blocks; the pattern depends on step.
func testImage(side, step int) *car.Image {
	img := car.NewImage(side, side)
	for i := range img.Pix {
		x, y, c := i/3%side, i/3/side, i%3
		img.Pix[i] = uint8((x/step*61 + y/step*97 + c*85) % 256)
	}
	return img
}

// nearlyEqual reports whether two unit vectors are equal up to rounding.
func nearlyEqual(a, b []float32) bool {
	for i := range a {
		if d := a[i] - b[i]; d > 1e-6 || d < -1e-6 {
			return false
		}
	}
	return true
}

// vectorDefect says what is wrong with a vector that should have length 1; it is empty if
// nothing is.
func vectorDefect(v []float32) string {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	switch {
	case !finite(v):
		return "is not a number"
	case sum < 0.9 || sum > 1.1: // after an overflow the vector is divided by infinity
		return "has no direction"
	}
	return ""
}

// finite reports whether no element of v is NaN or infinite.
func finite(v []float32) bool {
	for _, x := range v {
		if math.Float32bits(x)&0x7f800000 == 0x7f800000 {
			return false
		}
	}
	return true
}

// scan checks every number of the weights. It is an error if one is NaN or infinite, or if
// all weights are 0.
func (w *weights) scan(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	names := w.Names()
	nonzero := make([]bool, len(names)) // matrices with an element that is not 0
	for i, name := range names {
		t, err := w.Tensor(name)
		if err != nil {
			return err
		}
		if !isFloat(t.DType) || buffers.MatchString(name) { // masks may be infinite
			continue
		}
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			at, all0 := scanFloats(t)
			if at >= 0 {
				return fmt.Errorf("%s: tensor %q has numbers that are not finite, first at element %d of %d", t.Path, t.Name, at, t.Len())
			}
			nonzero[i] = len(t.Shape) > 1 && !all0
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, some := range nonzero {
		if some {
			return nil
		}
	}
	return fmt.Errorf("%s: all weights are 0", w.checkpoint.name)
}

// scanFloats returns the index of the first element that is not a finite float32, or -1,
// and whether all are 0.
func scanFloats(t tensor.Tensor) (at int, all0 bool) {
	b, bits := t.Data, uint64(0)
	switch t.DType {
	case tensor.F64:
		for i := 0; i+8 <= len(b); i += 8 {
			v := math.Float64frombits(binary.LittleEndian.Uint64(b[i:]))
			if f := float32(v); f-f != 0 { // NaN or infinite
				return i / 8, false
			} else if f != 0 {
				bits = 1
			}
		}
	case tensor.F32:
		for i := 0; i+4 <= len(b); i += 4 {
			v := binary.LittleEndian.Uint32(b[i:])
			if v&0x7f800000 == 0x7f800000 {
				return i / 4, false
			}
			bits |= uint64(v & 0x7fffffff)
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
			bits |= uint64(v & 0x7fff)
		}
	}
	return -1, bits == 0
}
