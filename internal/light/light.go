// Package light turns signals of video into light and back, for the transfer functions and
// primaries that video has. Light is relative: 1 is the white of text and drawings.
//
// SDR signals are taken to be for a display of BT.1886, whatever curve a camera used
// (ITU-R BT.2087-0, section 2). In HDR that white is graphics white, 203 cd/m² (ITU-R
// BT.2408-7, table 1): 58 % of a PQ signal and 75 % of an HLG signal.
package light

import "math"

const (
	graphicsWhite = 203.   // cd/m²
	pqPeak        = 10000. // cd/m² of a full PQ signal
	hlgPeak       = 1000.  // cd/m² of a full HLG signal on the display of BT.2100, table 5
	hlgGamma      = 1.2    // of the OOTF of that display
	displayGamma  = 2.4    // of BT.1886, for a black of 0
)

// A Curve is a transfer function. Signals are from 0 to 1. Where Encode gets light that is
// brighter than the signal can say, it returns more than 1.
type Curve struct {
	Encode, Decode func([3]float64) [3]float64
}

// SDR is the curve of all transfer functions that are not named elsewhere.
var SDR = Curve{
	Encode: func(light [3]float64) [3]float64 { return each(light, encodeSDR) },
	Decode: func(signal [3]float64) [3]float64 { return each(signal, decodeSDR) },
}

func encodeSDR(v float64) float64 { return math.Pow(max(v, 0), 1/displayGamma) }
func decodeSDR(e float64) float64 { return math.Pow(max(e, 0), displayGamma) }

// CurveOf returns the curve of a transfer function by FFmpeg's name, in frames of these
// primaries. hdr says that it is none of an SDR display.
func CurveOf(transfer, primaries string) (c Curve, hdr bool) {
	switch transfer {
	case "smpte2084":
		return Curve{
			Encode: func(light [3]float64) [3]float64 { return each(light, encodePQ) },
			Decode: func(signal [3]float64) [3]float64 { return each(signal, decodePQ) },
		}, true
	case "arib-std-b67":
		weights := luminance(primaries)
		return Curve{
			Encode: func(light [3]float64) [3]float64 { return encodeHLG(light, weights) },
			Decode: func(signal [3]float64) [3]float64 { return decodeHLG(signal, weights) },
		}, true
	case "linear":
		same := func(v [3]float64) [3]float64 { return v }
		return Curve{same, same}, true
	}
	return SDR, false
}

// PQ (ITU-R BT.2100-3, table 4).
const (
	pqM1 = 2610. / 16384
	pqM2 = 2523. / 4096 * 128
	pqC1 = 3424. / 4096
	pqC2 = 2413. / 4096 * 32
	pqC3 = 2392. / 4096 * 32
)

func encodePQ(v float64) float64 {
	y := math.Pow(max(v, 0)*graphicsWhite/pqPeak, pqM1)
	return math.Pow((pqC1+pqC2*y)/(1+pqC3*y), pqM2)
}

func decodePQ(e float64) float64 {
	p := math.Pow(max(e, 0), 1/pqM2)
	return pqPeak / graphicsWhite * math.Pow(max(p-pqC1, 0)/(pqC2-pqC3*p), 1/pqM1)
}

// HLG (ITU-R BT.2100-3, table 5).
const (
	hlgA = 0.17883277
	hlgB = 1 - 4*hlgA
	hlgC = 0.55991073 // 0.5 - a·ln(4a)
)

// encodeHLG is the inverse of the OOTF, followed by the OETF. weights are those of red,
// green and blue in the luminance.
func encodeHLG(light, weights [3]float64) [3]float64 {
	light = each(light, func(v float64) float64 { return max(v, 0) * graphicsWhite / hlgPeak })
	y := dot(weights, light)
	if y == 0 {
		return light
	}
	scene := math.Pow(y, (1-hlgGamma)/hlgGamma)
	return each(light, func(v float64) float64 {
		if v *= scene; v <= 1./12 {
			return math.Sqrt(3 * v)
		}
		return hlgA*math.Log(12*v-hlgB) + hlgC
	})
}

func decodeHLG(signal, weights [3]float64) [3]float64 {
	scene := each(signal, sceneHLG)
	ootf := ootfHLG(dot(weights, scene))
	return each(scene, func(v float64) float64 { return v * ootf })
}

// sceneHLG is the inverse OETF.
func sceneHLG(e float64) float64 {
	if e = max(e, 0); e <= .5 {
		return e * e / 3
	}
	return (math.Exp((e-hlgC)/hlgA) + hlgB) / 12
}

// ootfHLG is the factor from the light of a scene to that of the display, for a luminance.
func ootfHLG(y float64) float64 {
	return math.Pow(max(y, 0), hlgGamma-1) * hlgPeak / graphicsWhite
}

func each(v [3]float64, do func(float64) float64) [3]float64 {
	return [3]float64{do(v[0]), do(v[1]), do(v[2])}
}

func dot(a, b [3]float64) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }
