package carve

import (
	"image"
	"math"

	"github.com/carve-video/carve/video"
)

// A toneMapper makes pictures of HDR video look on an ordinary screen as they do on an HDR
// one, except that highlights are darker. Its input has 8 bits, which is enough for small
// pictures.
type toneMapper struct {
	light [256]float64 // in cd/m², of a component
	hlg   bool
	wide  bool // the primaries are those of BT.2020
	tone  [toneSteps + 1]float64
}

const (
	// whiteLight is the luminance of diffuse white in HDR (ITU-R BT.2408), and that of an
	// ordinary screen here.
	whiteLight = 203.0
	// peakLight is that of the brightest highlight that is told from others: the nominal
	// peak of HLG, and what most PQ is mastered for.
	peakLight = 1000.0
	toneSteps = 1024
)

// newToneMapper returns nil for video that is no HDR.
func newToneMapper(info video.Info) *toneMapper {
	t := &toneMapper{hlg: info.ColourCurve == "arib-std-b67", wide: info.ColourPrimaries == "bt2020"}
	if !t.hlg && info.ColourCurve != "smpte2084" {
		return nil
	}
	for i := range t.light {
		v := float64(i) / 255
		if t.hlg {
			t.light[i] = hlgScene(v)
		} else {
			t.light[i] = pqLight(v)
		}
	}
	top := pqSignal(peakLight)
	for i := range t.tone {
		e := float64(i) / toneSteps
		t.tone[i] = pqLight(rollOff(e, pqSignal(whiteLight)/top)*top) / whiteLight
	}
	return t
}

// apply maps a picture in place.
func (t *toneMapper) apply(p *image.RGBA) {
	if t == nil {
		return
	}
	top := pqSignal(peakLight)
	for i := 0; i < len(p.Pix); i += 4 {
		c := p.Pix[i : i+3]
		r, g, b := t.light[c[0]], t.light[c[1]], t.light[c[2]]
		if t.hlg {
			// The system gamma of BT.2100 for a screen of 1000 cd/m².
			const gamma = 1.2
			y := 0.2627*r + 0.6780*g + 0.0593*b
			scale := peakLight * math.Pow(max(y, 1e-6), gamma-1)
			r, g, b = r*scale, g*scale, b*scale
		}
		// The brightest component decides, so that hues stay.
		if most := max(r, g, b); most > 0 {
			at := min(pqSignal(most)/top, 1) * toneSteps
			k := min(int(at), toneSteps-1)
			to := t.tone[k] + (t.tone[k+1]-t.tone[k])*(at-float64(k))
			r, g, b = r*to/most, g*to/most, b*to/most
		}
		if t.wide { // from BT.2020 to BT.709 (ITU-R BT.2087)
			r, g, b = 1.6605*r-0.5876*g-0.0728*b, -0.1246*r+1.1329*g-0.0083*b, -0.0182*r-0.1006*g+1.1187*b
		}
		c[0], c[1], c[2] = screen(r), screen(g), screen(b)
	}
}

// screen encodes light of 0..1 for sRGB.
func screen(v float64) uint8 {
	v = min(max(v, 0), 1)
	if v <= 0.0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - 0.055
	}
	return uint8(v*255 + 0.5)
}

// Constants of SMPTE ST 2084.
const (
	pqM1, pqM2       = 2610.0 / 16384, 2523.0 / 4096 * 128
	pqC1, pqC2, pqC3 = 3424.0 / 4096, 2413.0 / 4096 * 32, 2392.0 / 4096 * 32
)

// pqLight returns the luminance of a signal of 0..1, in cd/m².
func pqLight(v float64) float64 {
	e := math.Pow(v, 1/pqM2)
	return 10000 * math.Pow(max(e-pqC1, 0)/(pqC2-pqC3*e), 1/pqM1)
}

// pqSignal is the inverse of pqLight.
func pqSignal(light float64) float64 {
	y := math.Pow(light/10000, pqM1)
	return math.Pow((pqC1+pqC2*y)/(1+pqC3*y), pqM2)
}

// hlgScene returns the light of the scene of an HLG signal (ITU-R BT.2100), 0..1.
func hlgScene(v float64) float64 {
	const a, b, c = 0.17883277, 0.28466892, 0.55991073
	if v <= 0.5 {
		return v * v / 3
	}
	return (math.Exp((v-c)/a) + b) / 12
}

// rollOff compresses a PQ signal, 0..1 up to the peak, to at most most: the curve of ITU-R
// BT.2390 for a display of a lower peak, which leaves dark tones as they are.
func rollOff(e, most float64) float64 {
	knee := 1.5*most - 0.5
	if e < knee {
		return e
	}
	t := (e - knee) / (1 - knee)
	t2, t3 := t*t, t*t*t
	return (2*t3-3*t2+1)*knee + (t3-2*t2+t)*(1-knee) + (-2*t3+3*t2)*most
}
