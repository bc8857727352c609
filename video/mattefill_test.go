package video

import (
	"math"
	"strings"
	"testing"

	"github.com/asticode/go-astiav"
)

// TestMatteValues: a value of a mask becomes the nearest sample of each depth.
func TestMatteValues(t *testing.T) {
	for _, c := range []struct {
		format    string
		limited   bool
		low, high float64
	}{
		{"gray", false, 0, 255}, {"gray16le", false, 0, 65535}, {"yuva420p", true, 0, 255}, {"argb", false, 0, 255},
		{"yuva444p10le", true, 0, 1023}, {"yuva444p12le", true, 0, 4095}, {"rgba64be", false, 0, 65535}, {"yuv420p", true, 16, 235},
	} {
		d, ok := describe(astiav.FindPixelFormatByName(c.format))
		if !ok {
			t.Fatalf("there is no %s", c.format)
		}
		f := newMatteFill(d, c.limited, false, false, 1)
		for v, got := range f.values {
			if want := math.Round(c.low + float64(v)*(c.high-c.low)/255); float64(got) != want {
				t.Errorf("%s: %d becomes %d, want %v", c.format, v, got, want)
			}
		}
	}
}

// TestScaled: the product is rounded to the nearest, on both sides of zero.
func TestScaled(t *testing.T) {
	for _, most := range []int{255, 1023, 4095} {
		for a := 0; a <= most; a += 17 {
			for v := -most; v <= most; v += 13 {
				want := math.Round(float64(v) * float64(a) / float64(most))
				if got := scaled(v, a, most); float64(got) != want {
					t.Fatalf("%d·%d/%d is %d, want %v", v, a, most, got, want)
				}
			}
		}
	}
}

// TestPremultiply: pixels are multiplied by alpha as R'G'B' would be: luma from its black
// and chroma from grey, in both ranges; alpha that was there is multiplied by the mask.
func TestPremultiply(t *testing.T) {
	d, _ := describe(astiav.FindPixelFormatByName("yuva444p10le"))
	plane := func(v uint16) Plane { return Plane{Data: []byte{byte(v), byte(v >> 8)}, Stride: 2} }
	at := func(p Plane) int { return int(p.Data[0]) | int(p.Data[1])<<8 }
	for _, c := range []struct {
		limited, multiply bool
		mask              uint8
		in, want          [4]uint16
	}{
		{true, false, 0, [4]uint16{940, 100, 900, 7}, [4]uint16{64, 512, 512, 0}},
		{true, false, 255, [4]uint16{940, 100, 900, 7}, [4]uint16{940, 100, 900, 1023}},
		{true, false, 51, [4]uint16{564, 112, 812, 7}, [4]uint16{164, 432, 572, 205}}, // 205/1023 is a little more than 1/5
		{true, false, 51, [4]uint16{24, 512, 512, 7}, [4]uint16{56, 512, 512, 205}},   // blacker than black
		{false, false, 51, [4]uint16{500, 112, 812, 7}, [4]uint16{100, 432, 572, 205}},
		{true, true, 255, [4]uint16{564, 112, 812, 205}, [4]uint16{164, 432, 572, 205}},
		{true, true, 51, [4]uint16{64, 512, 512, 512}, [4]uint16{64, 512, 512, 103}},
	} {
		f := newMatteFill(d, c.limited, true, c.multiply, 1)
		planes := []Plane{plane(c.in[0]), plane(c.in[1]), plane(c.in[2]), plane(c.in[3])}
		f.draw(planes, []uint8{c.mask}, 1, 1)
		for i, want := range c.want {
			if got := at(planes[i]); got != int(want) {
				t.Errorf("%+v: component %d is %d, want %d", c, i, got, want)
			}
		}
	}
	// Packed, one byte a sample: argb.
	d, _ = describe(astiav.FindPixelFormatByName("argb"))
	f := newMatteFill(d, false, true, false, 1)
	px := []byte{9, 200, 100, 50, 9, 200, 100, 50}
	f.draw([]Plane{{Data: px, Stride: 8}}, []uint8{51, 0}, 2, 1)
	if want := [8]byte{51, 40, 20, 10, 0, 0, 0, 0}; [8]byte(px) != want {
		t.Errorf("argb: %v, want %v", px, want)
	}
	// Two bytes, the high one first: rgba64be, whose own alpha is 1/5.
	d, _ = describe(astiav.FindPixelFormatByName("rgba64be"))
	f = newMatteFill(d, false, true, true, 1)
	px = []byte{0x50, 0x00, 0x0a, 0x05, 0x00, 0x00, 0x33, 0x33}
	f.draw([]Plane{{Data: px, Stride: 8}}, []uint8{255}, 1, 1)
	if want := [8]byte{0x10, 0x00, 0x02, 0x01, 0x00, 0x00, 0x33, 0x33}; [8]byte(px) != want {
		t.Errorf("rgba64be: % x, want % x", px, want)
	}
}

// TestMatteThreads: rows are shared among threads without a gap, also if there are fewer
// rows than threads.
func TestMatteThreads(t *testing.T) {
	d, _ := describe(astiav.FindPixelFormatByName("gray16le"))
	for _, h := range []int{1, 2, 7, 64} {
		const w = 3
		mask := make([]uint8, w*h)
		for i := range mask {
			mask[i] = uint8(1 + i)
		}
		f := newMatteFill(d, false, false, false, 5)
		p := Plane{Data: make([]byte, 2*w*h), Stride: 2 * w}
		f.draw([]Plane{p}, mask, w, h)
		for i, v := range mask {
			if got := int(p.Data[2*i]) | int(p.Data[2*i+1])<<8; got != int(v)*257 {
				t.Fatalf("%d rows: pixel %d is %d, want %d", h, i, got, int(v)*257)
			}
		}
	}
}

// TestMatteOptions: what does not go together is an error that says what does.
func TestMatteOptions(t *testing.T) {
	for _, c := range []struct {
		path   string
		o      MatteOptions
		pixels string // or part of the error
	}{
		{"a.mov", MatteOptions{}, "yuva444p10le"}, {"a.MOV", MatteOptions{Codec: "qtrle", Alpha: "premultiplied"}, "argb"},
		{"a.mov", MatteOptions{Codec: "png", Bits: 16}, "rgba64be"}, {"a.png", MatteOptions{}, "rgba"},
		{"a.mov", MatteOptions{Codec: "h264"}, "yuv420p"}, {"a.mp4", MatteOptions{}, "yuv420p"},
		{"a.webm", MatteOptions{}, "yuva420p"}, {"a.mkv", MatteOptions{}, "gray"}, {"a.mkv", MatteOptions{Bits: 16}, "gray16le"},
		{"a.mkv", MatteOptions{Codec: "prores", Profile: "4444xq"}, "yuva444p10le"},
		{"a.avi", MatteOptions{}, "a.avi: a matte is .mov, .webm, .mkv or .mp4"},
		{"a.mp4", MatteOptions{Codec: "prores"}, "a matte of the codec prores is .mov or .mkv"},
		{"a.webm", MatteOptions{Codec: "ffv1"}, "a matte of the codec ffv1 is .mkv"},
		{"a.mov", MatteOptions{Codec: "prores5"}, `codec is "prores5"; it is one of prores, vp9, ffv1, h264, png, qtrle`},
		{"a.mkv", MatteOptions{Bits: 10}, "bits is 10; the encoder ffv1 of this FFmpeg has 8 or 16"},
		{"a.mov", MatteOptions{Bits: 8}, "bits is 8; the encoder prores_ks of this FFmpeg has 10"},
		{"a.mkv", MatteOptions{Alpha: "straight"}, `alpha is "straight", and ffv1 holds the mask alone, in grey`},
		{"a.mov", MatteOptions{Alpha: "both"}, `alpha is "both"; it is straight or premultiplied`},
		{"a.webm", MatteOptions{Alpha: "premultiplied"}, "players take that of vp9 for straight"},
		{"a.mov", MatteOptions{Profile: "422"}, `profile is "422"; it is 4444 or 4444xq`},
		{"a.webm", MatteOptions{Profile: "4444"}, "vp9 has none"},
	} {
		f, err := c.o.Format(c.path)
		if got := f.Pixels; err == nil && got != c.pixels {
			t.Errorf("%s %+v: %s, want %s", c.path, c.o, got, c.pixels)
		} else if err != nil && !strings.Contains(err.Error(), c.pixels) {
			t.Errorf("%s %+v: %v, want %s", c.path, c.o, err, c.pixels)
		}
	}
}
