package video

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// patches is a raw frame of flat patches of 32 × 32 pixels in the colours of colour.
func patches(planes int, deep bool, sub [2]int, w, h int, sample func(patch, plane int) int) []byte {
	var b []byte
	for p := range planes {
		sx, sy := 0, 0
		if p > 0 {
			sx, sy = sub[0], sub[1]
		}
		for y := range h >> sy {
			for x := range w >> sx {
				v := sample((y<<sy)/32*(w/32)+(x<<sx)/32, p)
				if b = append(b, byte(v)); deep {
					b = append(b, byte(v>>8))
				}
			}
		}
	}
	return b
}

// TestMatteColour: a ProRes matte has the colours of its source, to one value of 10 bits,
// and says what they are.
func TestMatteColour(t *testing.T) {
	if testing.Short() {
		t.Skip("it has no goroutines of its own")
	}
	const w, h = 128, 96
	noise := func(patch, plane, low, high int) int {
		return low + (patch*7919+plane*104729+patch*patch*31)%(high-low+1)
	}
	for _, c := range []struct {
		format                     string
		planes                     int
		deep                       bool
		sub                        [2]int
		matrix, primaries, curve   string
		full                       bool
		low, high                  int
		wantMatrix, wantP, wantTRC string
	}{
		{"yuv420p", 3, false, [2]int{1, 1}, "bt709", "bt709", "bt709", false, 16, 235, "bt709", "bt709", "bt709"},
		{"yuv420p", 3, false, [2]int{1, 1}, "smpte170m", "smpte170m", "smpte170m", false, 16, 235, "smpte170m", "smpte170m", "smpte170m"},
		{"yuvj420p", 3, false, [2]int{1, 1}, "bt470bg", "bt470bg", "bt709", true, 0, 255, "smpte170m", "bt470bg", "bt709"},
		{"yuv422p10le", 3, true, [2]int{1, 0}, "bt2020nc", "bt2020", "smpte2084", false, 64, 940, "bt2020nc", "bt2020", "smpte2084"},
		{"yuv444p10le", 3, true, [2]int{0, 0}, "bt2020nc", "bt2020", "arib-std-b67", false, 64, 940, "bt2020nc", "bt2020", "arib-std-b67"},
		{"gbrp", 3, false, [2]int{0, 0}, "gbr", "bt709", "bt709", true, 0, 255, "bt709", "bt709", "bt709"},
		{"yuv420p", 3, false, [2]int{1, 1}, "bt709", "unknown", "unknown", false, 16, 235, "bt709", "bt709", "bt709"},
		{"yuv420p", 3, false, [2]int{1, 1}, "unknown", "unknown", "unknown", false, 16, 235, "", "", ""},
		{"yuv444p10le", 3, true, [2]int{0, 0}, "bt2020nc", "unknown", "unknown", false, 64, 940, "bt2020nc", "bt2020", "bt709"},
		{"gbrp", 3, false, [2]int{0, 0}, "gbr", "unknown", "unknown", true, 0, 255, "bt709", "bt709", "bt709"},
		{"gray", 1, false, [2]int{0, 0}, "bt709", "bt709", "bt709", true, 0, 255, "bt709", "bt709", "bt709"},
	} {
		t.Run(c.format+c.matrix+c.primaries, func(t *testing.T) {
			t.Parallel()
			sample := func(patch, plane int) int { return noise(patch, plane, c.low, c.high) }
			frame := patches(c.planes, c.deep, c.sub, w, h, sample)
			file := filepath.Join(t.TempDir(), "in.raw")
			if err := os.WriteFile(file, bytes.Repeat(frame, 2), 0o666); err != nil {
				t.Fatal(err)
			}
			encode := []string{"-c:v", "ffv1"}
			if strings.HasPrefix(c.format, "yuvj") { // FFV1 does not have it
				encode = []string{"-c:v", "libx264", "-qp", "0"}
			}
			in := ffmpeg(t, "in.mkv", slices.Concat([]string{"-f", "rawvideo", "-pix_fmt", c.format, "-s", fmt.Sprintf("%dx%d", w, h), "-r", "25", "-i", file,
				"-vf", "setparams=colorspace=" + c.matrix + ":color_primaries=" + c.primaries + ":color_trc=" + c.curve}, encode)...)
			r := matteOf(t, in, "o.mov", MatteOptions{})
			p := ffprobe(t, r.out).Streams[0]
			equal(t, "tags", fmt.Sprint(p.Space, p.Primaries, p.Transfer), fmt.Sprint(c.wantMatrix, c.wantP, c.wantTRC))
			b := raw(t, r.out, "yuv444p12le", "")
			for y := 16; y < h; y += 32 {
				for x := 16; x < w; x += 32 {
					var got, want [3]float64
					patch := y/32*(w/32) + x/32
					for i := range got {
						got[i] = float64(binary.LittleEndian.Uint16(b[2*(i*w*h+y*w+x):])) / 4
					}
					want = wantColour(c.format, c.full, patch, sample)
					for i := range got {
						if math.Abs(got[i]-want[i]) > 1 {
							t.Errorf("patch %d, component %d: %.2f, want %.2f", patch, i, got[i], want[i])
						}
					}
				}
			}
		})
	}
}

// wantColour computes a colour of TestMatteColour in 10 bits, limited range.
func wantColour(format string, full bool, patch int, sample func(patch, plane int) int) (want [3]float64) {
	of := func(plane int) float64 { return float64(sample(patch, plane)) }
	switch {
	case format == "gbrp": // ITU-R BT.709
		const kr, kb = .2126, .0722
		g, b, r := of(0)/255, of(1)/255, of(2)/255
		y := kr*r + (1-kr-kb)*g + kb*b
		return [3]float64{64 + 876*y, 512 + 896*(b-y)/(2*(1-kb)), 512 + 896*(r-y)/(2*(1-kr))}
	case format == "gray":
		return [3]float64{64 + of(0)*876/255, 512, 512}
	}
	for i := range want {
		switch v := of(i); {
		case strings.Contains(format, "10"):
			want[i] = v
		case !full:
			want[i] = 4 * v
		case i == 0:
			want[i] = 64 + v*876/255
		default:
			want[i] = 512 + (v-128)*896/255
		}
	}
	return want
}

// TestMatteChroma: colours stay where they are, wherever the source has its chroma
// samples. In the source they are ramps across and down, of 4 values a sample.
func TestMatteChroma(t *testing.T) {
	if testing.Short() {
		t.Skip("it has no goroutines of its own")
	}
	for place, c := range map[string]struct {
		number string
		want   [2]int // across and down, in 10 bits
	}{"left": {"0", [2]int{320, 316}}, "center": {"1", [2]int{316, 316}}, "topleft": {"2", [2]int{320, 320}}} {
		in := ffmpeg(t, "in.mkv", "-f", "lavfi", "-i", "nullsrc=s=64x64:r=25:d=0.04,format=yuv420p,geq=lum=128:cb='40+4*X':cr='40+4*Y'",
			"-c:v", "libx264", "-qp", "0", "-chroma_sample_location", place, "-x264-params", "chromaloc="+c.number)
		r := matteOf(t, in, "o.mov", MatteOptions{})
		b := raw(t, r.out, "yuv444p10le", "")
		for i, want := range c.want {
			if got := int(binary.LittleEndian.Uint16(b[2*((1+i)*64*64+20*64+20):])); got < want-1 || got > want+1 {
				t.Errorf("%s: component %d is %d, want %d", place, 1+i, got, want)
			}
		}
		// As many samples as in the source: they are not touched.
		r = matteOf(t, in, "o.webm", MatteOptions{}, func(s *Sink) { s.Lossless = true })
		equal(t, place+": chroma", ffprobe(t, r.out).Streams[0].Chroma, place)
		equal(t, place+": samples", strings.Join(frameHashes(t, r.out), ""), strings.Join(frameHashes(t, in), ""))
	}
}
