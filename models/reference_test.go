package models

import (
	"math"
	"testing"
)

// A referenceBlock is the last block, post_layernorm, pooling and projection of a model in
// plain float64 loops (docs/algorithm.md 11.2): slow and simple.
type referenceBlock struct {
	t     *testing.T
	m     *Model
	cache map[string][]float64
}

type vector []float64

func (v vector) unit() vector {
	sum := 0.0
	for _, f := range v {
		sum += f * f
	}
	out := make(vector, len(v))
	for i, f := range v {
		out[i] = f / math.Sqrt(sum)
	}
	return out
}

func (v vector) dot(u []float32) (sum float64) {
	for i, f := range v {
		sum += f * float64(u[i])
	}
	return sum
}

func newReferenceBlock(t *testing.T, m *Model) *referenceBlock {
	return &referenceBlock{t, m, map[string][]float64{}}
}

func (b *referenceBlock) rows(x []float32) [][]float64 {
	D := b.m.config.Vision.Width
	out := make([][]float64, len(x)/D)
	for i := range out {
		out[i] = make([]float64, D)
		for j := range D {
			out[i][j] = float64(x[i*D+j])
		}
	}
	return out
}

func (b *referenceBlock) param(name string) []float64 {
	if p, ok := b.cache[name]; ok {
		return p
	}
	tensor, err := b.m.weights.Tensor(name)
	if err != nil {
		b.t.Fatal(err)
	}
	p, err := tensor.Float64()
	if err != nil {
		b.t.Fatal(err)
	}
	b.cache[name] = p
	return p
}

func (b *referenceBlock) layer(name string) string {
	return layerName(visionPrefix, b.m.config.Vision.Layers-1) + name
}

// linear is x W^T + b.
func (b *referenceBlock) linear(x []float64, name string) []float64 {
	w, bias := b.param(name+".weight"), b.param(name+".bias")
	out := make([]float64, len(bias))
	for o := range out {
		out[o] = bias[o]
		for i, v := range x {
			out[o] += v * w[o*len(x)+i]
		}
	}
	return out
}

func (b *referenceBlock) layerNorm(x []float64, name string) []float64 {
	mean, variance := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
	}
	scale, bias := b.param(name+".weight"), b.param(name+".bias")
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = (v-mean)/math.Sqrt(variance+float64(b.m.config.Vision.Eps))*scale[i] + bias[i]
	}
	return out
}

func (b *referenceBlock) activation(x float64) float64 {
	if b.m.config.Vision.Act == gelu {
		return x * 0.5 * (1 + math.Erf(x/math.Sqrt2))
	}
	return x / (1 + math.Exp(-1.702*x))
}

// feature is f for the residual X and the normalised Y, L×D each.
func (b *referenceBlock) feature(X, Y [][]float64) vector {
	t := b.m.config.Vision
	var q, k, v [][]float64
	for _, y := range Y {
		q = append(q, b.linear(y, b.layer(".self_attn.q_proj")))
		k = append(k, b.linear(y, b.layer(".self_attn.k_proj")))
		v = append(v, b.linear(y, b.layer(".self_attn.v_proj")))
	}
	pooled := make([]float64, t.Width)
	for n := 1; n < len(X); n++ {
		o := make([]float64, t.Width)
		for h := range t.Heads {
			d := t.headDim()
			weights, sum := make([]float64, len(Y)), 0.0
			for m := range Y {
				s := 0.0
				for i := h * d; i < (h+1)*d; i++ {
					s += q[n][i] * k[m][i]
				}
				weights[m] = math.Exp(s / math.Sqrt(float64(d)))
				sum += weights[m]
			}
			for m := range Y {
				for i := h * d; i < (h+1)*d; i++ {
					o[i] += weights[m] / sum * v[m][i]
				}
			}
		}
		x := b.linear(o, b.layer(".self_attn.out_proj"))
		for i := range x {
			x[i] += X[n][i]
		}
		hidden := b.linear(b.layerNorm(x, b.layer(".layer_norm2")), b.layer(".mlp.fc1"))
		for i := range hidden {
			hidden[i] = b.activation(hidden[i])
		}
		for i, z := range b.linear(hidden, b.layer(".mlp.fc2")) {
			x[i] += z
		}
		for i, z := range b.layerNorm(x, visionPrefix+"post_layernorm") {
			pooled[i] += z / float64(len(X)-1)
		}
	}
	w := b.param("visual_projection.weight")
	f := make(vector, b.m.config.Projection)
	for e := range f {
		for i, z := range pooled {
			f[e] += z * w[e*t.Width+i]
		}
	}
	return f
}
