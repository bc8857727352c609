package stickers

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/carve-video/carve/models/demo"
)

func TestSheetHasTheModelsConcepts(t *testing.T) {
	if got := Concepts(); !slices.Equal(got, demo.Concepts) {
		t.Fatalf("sheet has %q, the model knows %q", got, demo.Concepts)
	}
	for _, name := range Concepts() {
		for _, cell := range sheet().of[name] {
			for l, tex := range sheet().mips[cell] {
				if tex.side != 128>>l {
					t.Fatalf("%s: level %d is %d px", name, l, tex.side)
				}
				var sum, top float32
				for i, v := range tex.pix {
					a := tex.pix[i|3]
					if v < 0 || v > a+1e-6 {
						t.Fatalf("%s, level %d: colour %v over alpha %v is not premultiplied", name, l, v, a)
					}
					sum += a / 4
					top = max(top, a)
				}
				// Scissors are the thinnest emoji.
				if share := sum / float32(tex.side*tex.side); share < .08 || top < .5 {
					t.Errorf("%s, level %d: covers %.2f of its cell, at most %.2f deep", name, l, share, top)
				}
			}
		}
	}
}

func TestSceneIsAFunctionOfItsSeed(t *testing.T) {
	for seed := range uint64(4) {
		o := TrainingOptions(96, 64)
		o.Blur, o.JPEG = 1, 1
		a, b, c := NewScene(seed, o), NewScene(seed, o), NewScene(seed+1, o)
		if !bytes.Equal(a.Image.Pix, b.Image.Pix) || !bytes.Equal(a.Truth.Labels, b.Truth.Labels) {
			t.Errorf("seed %d gave two scenes", seed)
		}
		if bytes.Equal(a.Image.Pix, c.Image.Pix) {
			t.Errorf("seeds %d and %d gave the same scene", seed, seed+1)
		}
	}
}

// TestScenesAreOfTheModelsWorld compares the statistics of 150 scenes with those of 150
// scenes of evaluate.py's make_set (seed 990001). The tolerance is four standard errors
// of the difference.
func TestScenesAreOfTheModelsWorld(t *testing.T) {
	const n = 150
	stats := []struct {
		name           string
		script, stderr float64
	}{
		{"mean", .5221, .0087},
		{"deviation within a picture", .1628, .0043},
		{"step between neighbours in x", .0577, .0028},
		{"saturation", .3552, .0098},
		{"share of the picture that is sticker", .0905, .0059},
		{"concepts present", 2.3067, .0924},
		{"concepts ignored", .04, .016},
	}
	got := make([]float64, len(stats))
	for i := range n {
		s := NewScene(20001+uint64(i), MeasureOptions(i))
		w, h := s.Truth.W, s.Truth.H
		var mean, dev, step, sat float64
		px := func(x, y, c int) float64 { return float64(s.Image.Pix[4*(y*w+x)+c]) / 255 }
		for c := range 3 {
			var sum, sq float64
			for y := range h {
				for x := range w {
					v := px(x, y, c)
					sum, sq = sum+v, sq+v*v
					if x > 0 {
						step += math.Abs(v-px(x-1, y, c)) / float64(3*h*(w-1))
					}
				}
			}
			m := sum / float64(w*h)
			mean += m / 3
			dev += math.Sqrt(sq/float64(w*h)-m*m) / 3
		}
		labelled := 0
		for i, l := range s.Truth.Labels {
			x, y := i%w, i/w
			sat += (max(px(x, y, 0), px(x, y, 1), px(x, y, 2)) - min(px(x, y, 0), px(x, y, 1), px(x, y, 2))) / float64(w*h)
			if l > 0 {
				labelled++
			}
		}
		for k, v := range []float64{mean, dev, step, sat, float64(labelled) / float64(w*h),
			float64(len(s.Truth.Present())), float64(len(s.Truth.Ignored))} {
			got[k] += v / n
		}
	}
	for k, s := range stats {
		if math.Abs(got[k]-s.script) > 4*math.Sqrt2*s.stderr {
			t.Errorf("%s: %.4f, the script's scenes have %.4f ± %.4f", s.name, got[k], s.script, s.stderr)
		} else {
			t.Logf("%s: %.4f, the script's %.4f", s.name, got[k], s.script)
		}
	}
}

// TestEveryBackground draws each kind. None may be flat by mistake or leave 0..1.
func TestEveryBackground(t *testing.T) {
	for kind, name := range BackgroundKinds {
		for seed := range uint64(5) {
			img := background(60, 40, kind, newDice(seed, 1))
			for c, p := range img.pix {
				for i, v := range p {
					if !(v >= 0 && v <= 1) {
						t.Fatalf("%s: sample %d of channel %d is %v", name, i, c, v)
					}
				}
			}
		}
	}
}

// TestFieldPassesThroughItsGrid: without stretching, cubic interpolation returns the
// grid itself, and the weights sum to one everywhere.
func TestFieldPassesThroughItsGrid(t *testing.T) {
	dst := make([]float32, 7*5)
	newDice(1, 2).addField(dst, 7, 5, 7, 5, 2)
	d := newDice(1, 2)
	for i, v := range dst {
		if want := 2 * d.n(); math.Abs(float64(v-want)) > 1e-5 {
			t.Fatalf("sample %d is %v, want %v", i, v, want)
		}
	}
	for i := range 100 {
		_, k := cubic(i, 100, 7)
		if s := k[0] + k[1] + k[2] + k[3]; math.Abs(float64(s)-1) > 1e-5 {
			t.Fatalf("weights at %d sum to %v", i, s)
		}
	}
}

func grey(w, h int) *stack {
	s := &stack{canvas: newCanvas(w, h)}
	for _, p := range s.pix {
		for i := range p {
			p[i] = .5
		}
	}
	return s
}

// box is the bounding box of the pixels that are more than half covered.
func box(seen []float32, w int) (x0, y0, x1, y1 int) {
	x0, y0 = 1<<30, 1<<30
	for i, a := range seen {
		if a > .5 {
			x, y := i%w, i/w
			x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1)
		}
	}
	return
}

func TestPutSizeAndPlace(t *testing.T) {
	cell := sheet().of["soccer ball"][0] // round: every rotation looks the same
	for _, size := range []float64{16, 30, 64, 120, 200} {
		for _, turn := range []float64{0, .7, 3} {
			s := grey(320, 240)
			s.put("soccer ball", cell, Pose{X: 150, Y: 110, Size: size, Rotation: turn, Aspect: 1}, neutral)
			x0, y0, x1, y1 := box(s.seen[0], s.w)
			tol := 2 + .02*size
			if math.Abs(float64(x1-x0)-size) > tol || math.Abs(float64(y1-y0)-size) > tol {
				t.Errorf("size %v turn %v: %dx%d", size, turn, x1-x0, y1-y0)
			}
			if math.Abs(float64(x0+x1)/2-150) > 2 || math.Abs(float64(y0+y1)/2-110) > 2 {
				t.Errorf("size %v turn %v: centre %v,%v", size, turn, float64(x0+x1)/2, float64(y0+y1)/2)
			}
		}
	}
	s := grey(320, 240)
	s.put("soccer ball", cell, Pose{X: 160, Y: 120, Size: 80, Aspect: 1.44}, neutral)
	x0, y0, x1, y1 := box(s.seen[0], s.w)
	if math.Abs(float64(x1-x0)-96) > 3 || math.Abs(float64(y1-y0)-67) > 3 {
		t.Errorf("aspect 1.44 of 80: %dx%d, want about 96x67", x1-x0, y1-y0)
	}
}

// TestPutTurns: flipped and rotated images are the plain one read in another order.
func TestPutTurns(t *testing.T) {
	draw := func(p Pose) *stack {
		p.X, p.Y, p.Size, p.Aspect = 50, 50, 70, 1
		s := grey(100, 100)
		s.put("car", sheet().of["car"][0], p, neutral)
		return s
	}
	plain, flipped, over := draw(Pose{}), draw(Pose{Flip: true}), draw(Pose{Rotation: math.Pi})
	quarter := draw(Pose{Rotation: math.Pi / 2})
	for y := range 100 {
		for x := range 100 {
			want := plain.pix[0][y*100+x]
			for name, got := range map[string]float32{
				"flip":         flipped.pix[0][y*100+99-x],
				"half turn":    over.pix[0][(99-y)*100+99-x],
				"quarter turn": quarter.pix[0][x*100+99-y], // clockwise: the upper edge goes right
			} {
				if math.Abs(float64(got-want)) > 1e-3 {
					t.Fatalf("%s: %v instead of %v for pixel %d,%d", name, got, want, x, y)
				}
			}
		}
	}
}

func TestTruthOfCoveredStickers(t *testing.T) {
	s := grey(200, 100)
	ball, pizza := sheet().of["soccer ball"][0], sheet().of["pizza"][0]
	s.put("soccer ball", ball, Pose{X: 60, Y: 50, Size: 60, Aspect: 1}, neutral)
	s.put("pizza", pizza, Pose{X: 60, Y: 50, Size: 20, Aspect: 1}, neutral)
	s.put("key", sheet().of["key"][0], Pose{X: -300, Y: 50, Size: 60, Aspect: 1}, neutral)
	names := []string{"pizza", "soccer ball", "key"}
	tr := s.truth(names)
	if tr.Labels[50*200+60] != 1 || tr.Labels[25*200+60] != 2 {
		t.Errorf("labels %d and %d at the pizza and the ball, want 1 and 2", tr.Labels[50*200+60], tr.Labels[25*200+60])
	}
	if !slices.Equal(tr.Present(), []string{"pizza", "soccer ball"}) || tr.Ignored != nil {
		t.Errorf("present %q, ignored %q", tr.Present(), tr.Ignored)
	}
	// A large ball covers everything, so pizza and old ball are hidden. The ball is
	// present, the pizza is ignored, and the key is absent.
	s.put("soccer ball", ball, Pose{X: 60, Y: 50, Size: 90, Aspect: 1}, neutral)
	tr = s.truth(names)
	if !slices.Equal(tr.Present(), []string{"soccer ball"}) || !slices.Equal(tr.Ignored, []string{"pizza"}) {
		t.Errorf("present %q, ignored %q", tr.Present(), tr.Ignored)
	}
	n := 0
	for _, in := range tr.Mask("soccer ball") {
		if in {
			n++
		}
	}
	if want := math.Pi * 45 * 45; math.Abs(float64(n)-want) > .05*want {
		t.Errorf("ball of 90 px has %d pixels, want about %.0f", n, want)
	}
}

func TestBlurAndQuantise(t *testing.T) {
	s := grey(37, 21) // not a whole number of blocks
	s.blur(1.2)
	s.quantise(50)
	for _, p := range s.pix {
		for i, v := range p {
			if math.Abs(float64(v-.5)) > .01 {
				t.Fatalf("plain grey became %v at %d", v, i)
			}
		}
	}
	img := background(64, 48, 1, newDice(9, 0))
	rms := func(quality float32) float64 {
		c := img.clone()
		c.quantise(quality)
		var sum float64
		for k := range c.pix {
			for i, v := range c.pix[k] {
				sum += float64((v - img.pix[k][i]) * (v - img.pix[k][i]))
			}
		}
		return math.Sqrt(sum / float64(3*64*48))
	}
	// At 100 every step is 1: an error of 1/√12 level in an orthonormal basis.
	if got, want := rms(100), 1/math.Sqrt(12)/255; math.Abs(got-want) > .2*want {
		t.Errorf("error at quality 100 is %.5f, want %.5f", got, want)
	}
	if a, b := rms(90), rms(30); a >= b {
		t.Errorf("quality 90 loses %.4f, quality 30 %.4f", a, b)
	}
}
