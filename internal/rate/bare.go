// Package rate measures how much of the machine carve's models use. It compares their
// time with that of the matrix products they need, run on their own in the same
// runtime.
package rate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/carve-video/carve/internal/onnx"
	"github.com/carve-video/carve/internal/ort"
	"github.com/carve-video/carve/models"
)

// A bare is one MatMul in its own session.
type bare struct {
	models.Product
	session *ort.Session
	in, out []ort.Tensor
}

func newBare(p models.Product, threads int) (_ *bare, err error) {
	r := &bare{Product: p}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("making the product %+v: %w", p, err), r.close())
		}
	}()
	rng := rand.New(rand.NewPCG(1, 1))
	random := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = rng.Float32() - 0.5
		}
		return v
	}
	add := func(to *[]ort.Tensor, data []float32, shape ...int) {
		if err != nil {
			return
		}
		var t ort.Tensor
		if t, err = ort.NewTensor(data, shape...); err == nil {
			*to = append(*to, t)
		}
	}
	if err := ort.Start(); err != nil { // tensors need it too
		return nil, err
	}
	g := onnx.NewGraph("product")
	x := g.Input("x", onnx.Float32, onnx.Fixed(p.Batch), onnx.Fixed(p.M), onnx.Fixed(p.K))
	add(&r.in, random(p.Batch*p.M*p.K), p.Batch, p.M, p.K)
	var w onnx.Value
	if p.Weight {
		w = g.Floats(random(p.K*p.N), p.K, p.N)
	} else {
		w = g.Input("w", onnx.Float32, onnx.Fixed(p.Batch), onnx.Fixed(p.K), onnx.Fixed(p.N))
		add(&r.in, random(p.Batch*p.K*p.N), p.Batch, p.K, p.N)
	}
	g.Output("y", g.MatMul(x, w), onnx.Float32)
	add(&r.out, make([]float32, p.Batch*p.M*p.N), p.Batch, p.M, p.N)
	if err != nil {
		return nil, err
	}
	model, err := g.Marshal()
	if err != nil {
		return nil, err
	}
	r.session, err = ort.NewSession("product", model, g.Inputs(), g.Outputs(), ort.Options{Device: ort.CPU, Threads: threads})
	return r, err
}

func (r *bare) run(ctx context.Context) error { return r.session.Run(ctx, r.in, r.out) }

func (r *bare) close() error {
	var err error
	for _, t := range append(r.in, r.out...) {
		err = errors.Join(err, t.Destroy())
	}
	return errors.Join(err, r.session.Close())
}
