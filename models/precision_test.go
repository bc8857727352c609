package models

import (
	"math"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/golden"
)

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

func centred(v []float32) []float32 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x)
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = x - float32(sum/float64(len(v)))
	}
	return out
}

// TestPrecisions: the results of a lower precision must be close to those of float32:
// features, attention, maps and the judge's vectors of trained weights and of golden ones.
func TestPrecisions(t *testing.T) {
	if testing.Short() {
		t.Skip("the golden runs are enough for the race detector")
	}
	t.Run(Int8, func(t *testing.T) { testPrecision(t, Int8, 0.99, 0.9) })
	t.Run(Float16, func(t *testing.T) { testPrecision(t, Float16, 0.9999, 0.999) })
	t.Run(BFloat16, func(t *testing.T) {
		if err := CheckDevice("", nil, BFloat16); err != nil {
			t.Skip(err)
		}
		testPrecision(t, BFloat16, 0.999, 0.99)
	})
}

func testPrecision(t *testing.T, precision string, least, leastOfMaps float64) {
	for _, dir := range []string{"demo", golden.Dir(t, "models", "micro-f")} {
		exact, rough := openTest(t, dir, Options{}), openTest(t, dir, Options{Precision: precision})
		img := scene(t, exact)
		var features [2]car.Features
		var vectors [2][][]float32
		for i, m := range []*Model{exact, rough} {
			p, err := m.Proposer()
			if err != nil {
				t.Fatal(err)
			}
			if features[i], err = p.Encode(t.Context(), img); err != nil {
				t.Fatal(err)
			}
			defer features[i].Close()
			j, err := m.Judge()
			if err != nil {
				t.Fatal(err)
			}
			if vectors[i], err = j.EncodeImages(t.Context(), []*car.Image{noise(j.InputSize(), j.InputSize(), 1), noise(j.InputSize(), j.InputSize(), 2)}); err != nil {
				t.Fatal(err)
			}
		}
		check := func(what string, least float64, a, b []float32) {
			t.Helper()
			c := cosine(a, b)
			t.Logf("%s: %s %.7f", exact.Info().Name, what, c)
			if c < least || c == 1 { // equality would mean that it is the same precision
				t.Errorf("%s: %s of %s and of fp32 have a cosine of %.5f, want %.3f", exact.Info().Name, what, precision, c, least)
			}
		}
		check("feature", least, features[0].Feature(), features[1].Feature())
		check("attention", least, features[0].Attention(), features[1].Attention())
		for i := range vectors[0] {
			check("judge", least, vectors[0][i], vectors[1][i])
		}
		u := directions(exact, 4)
		var maps [2][][]float32
		for i, v := range features {
			var err error
			if maps[i], err = v.CAM(t.Context(), u); err != nil {
				t.Fatal(err)
			}
		}
		for i := range u {
			check("map", leastOfMaps, centred(maps[0][i]), centred(maps[1][i]))
		}
	}
}

// scene is noise of several scales, so that attention differs between patches.
func scene(t *testing.T, m *Model) *car.Image {
	t.Helper()
	p := m.config.Vision.PatchSize
	w, h := 12*p, 8*p
	coarse, fine := noise(6, 4, 5), noise(w, h, 6)
	for y := range h {
		for x := range w {
			for c := range 3 {
				i := 3*(y*w+x) + c
				fine.Pix[i] = uint8((3*int(coarse.Pix[3*((y*4/h)*6+x*6/w)+c]) + int(fine.Pix[i])) / 4)
			}
		}
	}
	return fine
}
