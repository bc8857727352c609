package carve

import (
	"image"
	"math"
	"path/filepath"
	"testing"

	"github.com/carve-video/carve/video"
)

// TestHDRCurves compares with values of ITU-R BT.2408: diffuse white is at 58 % of PQ and at
// 75 % of HLG, and 18 % grey, of 26 cd/m², at 38 %.
func TestHDRCurves(t *testing.T) {
	for light, want := range map[float64]float64{203: .58, 26: .38, 1000: .75, 10000: 1, 0: 0} {
		if got := pqSignal(light); math.Abs(got-want) > .005 || math.Abs(pqLight(got)-light) > 1e-6*10000 {
			t.Errorf("%g cd/m² are at %.3f, which is %g cd/m²", light, got, pqLight(got))
		}
	}
	if got := peakLight * math.Pow(hlgScene(.75), 1.2); math.Abs(got-203) > 3 {
		t.Errorf("75 %% of HLG are %g cd/m²", got)
	}
}

// TestToneMapping: of the same light, PQ and HLG look the same; grey stays grey; dark tones
// stay and highlights still differ; colours become those of the screen. SDR is not touched.
func TestToneMapping(t *testing.T) {
	mapped := func(info video.Info, c [3]uint8) [3]uint8 {
		p := image.NewRGBA(image.Rect(0, 0, 1, 1))
		copy(p.Pix, c[:])
		newToneMapper(info).apply(p)
		return [3]uint8(p.Pix[:3])
	}
	grey := func(signal float64) [3]uint8 {
		v := uint8(signal*255 + .5)
		return [3]uint8{v, v, v}
	}
	pq := video.Info{ColourCurve: "smpte2084", ColourPrimaries: "bt2020"}
	hlg := video.Info{ColourCurve: "arib-std-b67", ColourPrimaries: "bt2020"}
	for _, c := range []struct {
		info     video.Info
		signal   float64
		low, top uint8
	}{
		{pq, 0, 0, 0}, {pq, .38, 96, 108}, {pq, pqSignal(203), 215, 235}, {pq, pqSignal(450), 240, 253}, {pq, .76, 254, 255}, {pq, 1, 252, 255},
		{hlg, 0, 0, 0}, {hlg, .75, 215, 235}, {hlg, 1, 254, 255},
	} {
		got := mapped(c.info, grey(c.signal))
		if int(got[0])-int(got[2]) > 1 || int(got[2])-int(got[0]) > 1 || got[1] < c.low || got[1] > c.top {
			t.Errorf("%s at %.2f is %v, not %d to %d", c.info.ColourCurve, c.signal, got, c.low, c.top)
		}
	}
	// The red of BT.709 at 100 cd/m², in BT.2020.
	var red [3]uint8
	for i, part := range []float64{.6274, .0691, .0164} {
		red[i] = uint8(pqSignal(100*part)*255 + .5)
	}
	if got := mapped(pq, red); got[0] < 150 || got[1] > 40 || got[2] > 40 {
		t.Errorf("red is %v", got)
	}
	if newToneMapper(video.Info{ColourCurve: "bt709", ColourPrimaries: "bt2020"}) != nil {
		t.Error("SDR is mapped")
	}
}

// TestSheetOfHDR: a sheet shows diffuse white as white.
func TestSheetOfHDR(t *testing.T) {
	shot := newSheetShot(t, 64, 36, "dog")
	shot.stream.Info.ColourCurve = "smpte2084"
	path := filepath.Join(t.TempDir(), "sheet.png")
	s := &Sheet{Path: path, Columns: 1, Rows: 1, Width: 64}
	if err := s.Open(t.Context(), shot.stream); err != nil {
		t.Fatal(err)
	}
	shot.write(t, s, 0, 0, 148)
	img := finish(t, s, path)
	if r, g, b, _ := img.At(6+32, 34+18).RGBA(); min(r, g, b)>>8 < 215 || max(r, g, b)>>8 > 240 {
		t.Errorf("white is %d %d %d", r>>8, g>>8, b>>8)
	}
}
