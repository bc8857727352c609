package light

import (
	"math"
	"testing"
)

// TestInverse: decoding is the inverse of encoding, and matrices of each other.
func TestInverse(t *testing.T) {
	for _, transfer := range []string{"bt709", "smpte2084", "arib-std-b67", "linear"} {
		c, _ := CurveOf(transfer, "bt2020")
		for _, v := range [][3]float64{{0, 0, 0}, {1, 1, 1}, {.5, .01, .2}, {0, 0, .7}, {.001, .3, 1}} {
			got := c.Decode(c.Encode(v))
			for i := range v {
				if math.Abs(got[i]-v[i]) > 1e-6 {
					t.Errorf("%s: %v comes back as %v", transfer, v, got)
				}
			}
		}
	}
	for name := range primariesOf {
		to, _ := FromBT709(name)
		back, _ := ToBT709(name)
		v := [3]float64{.2, .7, .4}
		got := back.Apply(to.Apply(v))
		for i := range v {
			if math.Abs(got[i]-v[i]) > 1e-9 {
				t.Errorf("%s: %v comes back as %v", name, v, got)
			}
		}
	}
}

// TestBT2087: the matrix from BT.709 to BT.2020 is that of BT.2087-0, M2.
func TestBT2087(t *testing.T) {
	want := Matrix{{.6274, .3293, .0433}, {.0691, .9195, .0114}, {.0164, .0880, .8956}}
	got, ok := FromBT709("bt2020")
	for i := range want {
		for k := range want {
			if !ok || math.Abs(got[i][k]-want[i][k]) > 6e-5 {
				t.Fatalf("%v, want %v", got, want)
			}
		}
	}
}

// TestToSDR: an SDR image that was made PQ or HLG comes back, up to the knee; brighter light
// is white at most, and still differs.
func TestToSDR(t *testing.T) {
	for _, transfer := range []string{"smpte2084", "arib-std-b67"} {
		m := NewToSDR(transfer, "bt2020")
		c, _ := CurveOf(transfer, "bt2020")
		to2020, _ := FromBT709("bt2020")
		for _, rgb := range [][3]uint8{{0, 0, 0}, {128, 128, 128}, {220, 220, 220}, {200, 60, 40}, {30, 90, 200}, {60, 180, 80}} {
			signal := c.Encode(to2020.Apply(SDR.Decode([3]float64{float64(rgb[0]) / 255, float64(rgb[1]) / 255, float64(rgb[2]) / 255})))
			var pix [3]byte
			for i, v := range signal {
				pix[i] = byte(v*255 + .5)
			}
			m.Map(pix[:])
			for i := range pix { // eight bits of PQ are coarser than those of SDR
				if d := int(pix[i]) - int(rgb[i]); d < -6 || d > 6 {
					t.Errorf("%s: %v comes back as %v", transfer, rgb, pix)
					break
				}
			}
		}
		last := byte(0)
		for _, v := range []float64{.9, 1.2, 1.5, 1.9} {
			var pix [3]byte
			for i, e := range c.Encode([3]float64{v, v, v}) {
				pix[i] = byte(e*255 + .5)
			}
			m.Map(pix[:])
			if pix[0] <= last || pix[0] != pix[1] || pix[1] != pix[2] {
				t.Errorf("%s: light of %g is %v, after %d", transfer, v, pix, last)
			}
			last = pix[0]
		}
	}
	if NewToSDR("bt709", "bt709") != nil || NewToSDR("bt2020-10", "bt2020") != nil {
		t.Error("SDR is mapped")
	}
}

func BenchmarkToSDR(b *testing.B) {
	m := NewToSDR("arib-std-b67", "bt2020")
	pix := make([]byte, 3*640*360)
	for i := range pix {
		pix[i] = byte(i * 7)
	}
	for b.Loop() {
		m.Map(pix)
	}
}
