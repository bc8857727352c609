package densecrf

// meanBGR is the mean colour that the reference subtracts, in its channel order.
var meanBGR = [3]float64{104.008, 116.669, 122.675}

// WrapImage computes the image that the reference gives to the bilateral kernel:
// channels reversed to B, G, R, the mean colour subtracted, and the result cast to
// 8 bits without clipping, so that values wrap around (docs/algorithm.md 6.1). A dark pixel and a
// bright one may thus become equal, and two neighbouring levels 255 apart. It exists
// for parity with published numbers; the unchanged image is the better choice.
//
// rgb holds interleaved triples; dst has the same length and may be rgb.
func WrapImage(rgb, dst []uint8) {
	dst = dst[:len(rgb)]
	for i := 0; i+2 < len(rgb); i += 3 {
		r, g, b := rgb[i], rgb[i+1], rgb[i+2]
		dst[i], dst[i+1], dst[i+2] = wrapTable[0][b], wrapTable[1][g], wrapTable[2][r]
	}
}

var wrapTable = func() (t [3][256]uint8) {
	for c, mean := range meanBGR {
		for v := range t[c] {
			// Truncation toward zero first, then modulo 256.
			t[c][v] = uint8(int(float64(v) - mean))
		}
	}
	return t
}()
