package densecrf

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// noise returns an image and unary energies, random with the given seed.
func noise(seed uint64, w, h, labels int) (rgb []uint8, unary []float32) {
	r := rand.New(rand.NewPCG(seed, 1))
	for range 3 * w * h {
		rgb = append(rgb, uint8(r.IntN(40)))
	}
	for range labels * w * h {
		unary = append(unary, r.Float32())
	}
	Unary(unary, unary)
	return rgb, unary
}

func params(threads int) Params {
	p := Reference()
	p.Threads = threads
	return p
}

func TestUnary(t *testing.T) {
	for _, l := range []loops{plain, inner} {
		worst := 0.0
		var prob, got []float32
		for p := float32(1e-6); p < 2; p *= 1.0001 {
			prob = append(prob, p)
		}
		got = make([]float32, len(prob))
		l.unary(prob, got)
		for i, p := range prob {
			want := -math.Log(min(max(float64(p), float64(float32(1e-5))), 1))
			worst = max(worst, math.Abs(float64(got[i])-want))
		}
		t.Logf("worst error %.2g", worst)
		if worst > 1e-6 {
			t.Errorf("worst error %.2g", worst)
		}
	}
	// Out of range, and in place.
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	got := []float32{1, 2, inf, 1e-5, 0, -3, nan, -inf, -nan}
	Unary(got, got)
	for i, e := range got {
		if i < 3 && math.Float32bits(e) != 0 {
			t.Errorf("energy %d is %v, want 0", i, e)
		}
		if i > 3 && e != got[3] {
			t.Errorf("energy %d is %v, want that of the smallest probability, %v", i, e, got[3])
		}
	}
}

func TestExp(t *testing.T) {
	for v := float32(0); v > -100; v -= 0.00137 {
		want := math.Exp(float64(v))
		if got := float64(exp(v)); math.Abs(got-want) > 3e-7*want+1e-37 {
			t.Fatalf("exp(%v) = %v, want %v", v, got, want)
		}
	}
	if exp(0) != 1 || exp(paddingLabel) != 0 {
		t.Errorf("exp(0) = %v, exp(%v) = %v", exp(0), paddingLabel, exp(paddingLabel))
	}
}

// TestThreads: the number of threads must not change a single bit.
func TestThreads(t *testing.T) {
	const w, h = 131, 97 // several chunks, strips of unequal height
	for _, labels := range []int{2, 4, 7, 11} {
		rgb, unary := noise(3, w, h, labels)
		want := make([]float32, len(unary))
		field(w, h, rgb, params(1)).Infer(background, unary, labels, want)
		for _, threads := range []int{2, 3, 5} {
			got := make([]float32, len(unary))
			field(w, h, rgb, params(threads)).Infer(background, unary, labels, got)
			if !slices.Equal(got, want) {
				t.Errorf("%d labels: %d threads give another result than one", labels, threads)
			}
		}
	}
}

// TestReset: the result does not depend on earlier images and numbers of labels.
func TestReset(t *testing.T) {
	const w, h = 41, 23
	c := field(w, h, make([]uint8, 3*w*h), params(2))
	for seed, labels := range []int{5, 2, 13, 3, 2} {
		rgb, unary := noise(uint64(seed), w, h, labels)
		want := make([]float32, len(unary))
		field(w, h, rgb, params(2)).Infer(background, unary, labels, want)
		c.Reset(background, rgb)
		c.Infer(background, unary, labels, unary) // in place
		if !slices.Equal(unary, want) {
			t.Errorf("%d labels: a field that was reset differs from a new one", labels)
		}
	}
}

// TestLabels: marginals sum to one, and the order of the labels does not matter, not
// even for label 0, which is never filtered.
func TestLabels(t *testing.T) {
	const w, h = 37, 29
	const n = w * h
	for labels := 2; labels <= 18; labels++ {
		rgb, unary := noise(7, w, h, labels)
		p := params(1)
		p.Iterations = 3
		c := field(w, h, rgb, p)
		q := make([]float32, len(unary))
		c.Infer(background, unary, labels, q)

		turned := slices.Concat(unary[(labels-1)*n:], unary[:(labels-1)*n])
		c.Infer(background, turned, labels, turned)
		turned = slices.Concat(turned[n:], turned[:n])
		for p := range n {
			var sum float32
			for l := range labels {
				sum += q[l*n+p]
			}
			if abs(sum-1) > 1e-5 {
				t.Fatalf("%d labels: marginals of pixel %d sum to %v", labels, p, sum)
			}
		}
		for i := range q {
			if abs(q[i]-turned[i]) > 1e-4 {
				t.Fatalf("%d labels: turning the labels moves a marginal from %v to %v", labels, q[i], turned[i])
			}
		}
	}
}

// TestSegments: a filter with any number of segments gives the same result as one
// without.
func TestSegments(t *testing.T) {
	const w, h, labels = 23, 400, 6
	rgb, unary := noise(12, w, h, labels)
	var want []float32
	for segments := range 9 {
		c := field(w, h, rgb, params(2))
		if most := c.gaussian.vertices / (8 * 3 * c.gaussian.reach); segments > most {
			t.Fatalf("%d segments are not possible, only %d", segments, most)
		}
		c.gaussian.segments = segments
		got := make([]float32, len(unary))
		c.Infer(background, unary, labels, got)
		if segments == 0 {
			want = got
		} else if !slices.Equal(got, want) {
			t.Errorf("%d segments give another result than none", segments)
		}
	}
}

// TestNotFinite: energies that are not finite give NaN and do not affect later calls.
func TestNotFinite(t *testing.T) {
	const w, h = 17, 11
	rgb, unary := noise(13, w, h, 10)
	for _, v := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		for _, labels := range []int{2, 5, 10} {
			bad := slices.Clone(unary)
			bad[40] = v
			c := field(w, h, rgb, params(2))
			c.Infer(background, bad, labels, bad)
			for _, q := range bad[:labels*w*h] {
				if q < 0 || q > 1 {
					t.Fatalf("energy %v: marginal %v", v, q)
				}
			}
			c.Infer(background, unary, labels, bad)
			for _, q := range bad[:labels*w*h] {
				if !(q >= 0 && q <= 1) {
					t.Fatalf("after energy %v: marginal %v", v, q)
				}
			}
		}
	}
}

// TestInferEach: fields that are solved together have the same results as alone.
func TestInferEach(t *testing.T) {
	const w, h = 61, 33
	const size = 2 * w * h
	for _, fields := range []int{1, 2, 3, 4, 5, 8, 9, 13, 17, 20, 37} {
		rgb, unary := noise(uint64(fields), w, h, 2*fields)
		c := field(w, h, rgb, params(2))
		want := make([]float32, len(unary))
		for f := 0; f < len(unary); f += size {
			c.Infer(background, unary[f:f+size], 2, want[f:f+size])
		}
		got := make([]float32, len(unary))
		c.InferEach(background, unary, fields, got)
		if !slices.Equal(got, want) {
			t.Errorf("%d fields together differ from each alone", fields)
		}
		c.InferEach(background, unary, fields, unary) // in place
		if !slices.Equal(unary, want) {
			t.Errorf("%d fields in place differ from each alone", fields)
		}
	}
}

// TestEdge: on an image of two flat halves, specks within a half vanish and the edge
// stays.
func TestEdge(t *testing.T) {
	const w, h = 40, 30
	rgb, prob := make([]uint8, 3*w*h), make([]float32, 2*w*h)
	r := rand.New(rand.NewPCG(4, 5))
	for p := range w * h {
		right := p%w >= w/2
		if right {
			rgb[3*p], rgb[3*p+1], rgb[3*p+2] = 200, 180, 20
		}
		fg := float32(0.35)
		if right != (r.IntN(5) == 0) { // one in five is wrong
			fg = 0.65
		}
		prob[p], prob[w*h+p] = 1-fg, fg
	}
	Unary(prob, prob)
	field(w, h, rgb, Reference()).Infer(background, prob, 2, prob)
	for p := range w * h {
		if got, want := prob[w*h+p] > 0.5, p%w >= w/2; got != want {
			t.Fatalf("pixel (%d, %d) is labelled %v", p%w, p/w, got)
		}
	}
}

func TestSmallest(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 7}, {5, 1}, {2, 2}} {
		w, h := size[0], size[1]
		rgb, unary := noise(9, w, h, 3)
		field(w, h, rgb, params(4)).Infer(background, unary, 3, unary)
		for _, q := range unary {
			if !(q >= 0 && q <= 1) {
				t.Errorf("%d×%d: marginal %v", w, h, q)
			}
		}
	}
}

func TestNoAllocation(t *testing.T) {
	const w, h = 64, 48
	rgb, unary := noise(2, w, h, 6)
	q := make([]float32, len(unary))
	p := params(1)
	p.Settled = 1e-3
	c := field(w, h, rgb, p)
	work := func() {
		c.Reset(background, rgb)
		c.Infer(background, unary, 6, q)
		c.Infer(background, unary, 2, q)
		c.InferEach(background, unary, 3, q)
	}
	work()
	if n := testing.AllocsPerRun(5, work); n > 1 {
		t.Errorf("%v allocations per image", n)
	}
}

// soft makes unary energies of blobs with noise, and an image. Its colours follow the blobs
// roughly.
func soft(seed uint64, w, h, labels int) (rgb []uint8, unary []float32) {
	r := rand.New(rand.NewPCG(seed, 9))
	rgb, unary = make([]uint8, 3*w*h), make([]float32, labels*w*h)
	for p := range w * h {
		x, y := p%w, p/w
		in := (x*labels/w + y*2/h) % labels
		for l := range labels {
			unary[l*w*h+p] = 0.2 + 0.3*r.Float32()
		}
		unary[in*w*h+p] += 0.25
		for k := range 3 {
			rgb[3*p+k] = uint8(40*in + 60*k + r.IntN(12))
		}
	}
	for p := range w * h {
		sum := float32(0)
		for l := range labels {
			sum += unary[l*w*h+p]
		}
		for l := range labels {
			unary[l*w*h+p] /= sum
		}
	}
	Unary(unary, unary)
	return rgb, unary
}

// TestSettled: a field that ends early has the result of so many iterations, bit by bit, and
// the labels of all of them but for the share that was allowed. It does not matter which other
// fields there are, nor how many goroutines.
func TestSettled(t *testing.T) {
	const w, h, share = 90, 70, 0.01
	label := func(q []float32, p int) (best int) {
		for l := range len(q) / (w * h) {
			if q[l*w*h+p] > q[best*w*h+p] {
				best = l
			}
		}
		return best
	}
	infer := func(p Params, labels int, rgb []uint8, unary []float32) []float32 {
		q := make([]float32, len(unary))
		field(w, h, rgb, p).Infer(background, unary, labels, q)
		return q
	}
	var pairs, results []float32
	var image []uint8
	early := 0
	for _, labels := range []int{2, 2, 2, 3, 6, 20} {
		rgb, unary := soft(uint64(len(pairs)), w, h, labels)
		if image == nil {
			image = rgb
		}
		if labels == 2 {
			rgb = image // of fields that are solved together
		}
		p := params(2)
		p.Iterations, p.Settled = 10, share
		got := infer(p, labels, rgb, unary)
		p.Threads = 1
		if !slices.Equal(infer(p, labels, rgb, unary), got) {
			t.Errorf("%d labels: one goroutine gives another result than two", labels)
		}
		p.Settled = 0
		full := infer(p, labels, rgb, unary)
		n := p.Iterations
		for ; n > 1; n-- {
			q := p
			q.Iterations = n
			if slices.Equal(infer(q, labels, rgb, unary), got) {
				break
			}
		}
		if n == 1 {
			t.Errorf("%d labels: the result is that of no number of iterations", labels)
		}
		if n < p.Iterations {
			early++
		}
		differ, inside := 0, 0
		for i := range w * h {
			if a := label(full, i); a != label(got, i) {
				differ++
			} else if a != 0 {
				inside++
			}
		}
		// Labels go on to change a little, so that some more than in one iteration differ.
		if float64(differ) > 3*share*float64(inside) {
			t.Errorf("%d labels: %d pixels have other labels than after all iterations, of %d inside", labels, differ, inside)
		}
		if labels == 2 {
			pairs, results = append(pairs, unary...), append(results, got...)
		}
	}
	if early < 3 {
		t.Errorf("%d of 6 fields ended early", early)
	}
	p := params(2)
	p.Iterations, p.Settled = 10, share
	c := field(w, h, image, p)
	for range 2 { // the second time with the labels of the first
		q := make([]float32, len(pairs))
		c.InferEach(background, pairs, 3, q)
		if !slices.Equal(q, results) {
			t.Error("fields that are solved together differ from each alone")
		}
	}
}
