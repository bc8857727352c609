package video

import (
	"math"
	"testing"
)

// TestChromaOfRGB: where RGB is encoded with half the resolution of colours, a sample has the
// colour of its place, and the file names the place. Blue rises by 16 a pixel.
func TestChromaOfRGB(t *testing.T) {
	in := ffmpeg(t, "in.mkv", "-f", "lavfi", "-i", "nullsrc=s=16x16:r=25:d=0.04,format=gbrp,geq=r=0:g=0:b=16*X", "-c:v", "ffv1")
	r := &run{in: in, out: t.TempDir() + "/o.mp4"}
	if err := r.do(t.Context(), func(*Frame) error { return nil }, func(_ *Source, s *Sink) { s.CRF, s.Preset = 1, "ultrafast" }); err != nil {
		t.Fatal(err)
	}
	if s := ffprobe(t, r.out).Streams[0]; s.Chroma != "left" || s.PixFmt != "yuv420p" {
		t.Fatalf("chroma is %s in %s", s.Chroma, s.PixFmt)
	}
	cb := raw(t, r.out, "yuv420p", "")[16*16:][:8*8]
	for k := 1; k < 7; k++ {
		blue := 16 * float64(2*k)
		want := 128 + 224*(blue-0.0722*blue)/(2*(1-0.0722))/255 // BT.709
		if got := float64(cb[4*8+k]); math.Abs(got-want) > 1.5 {
			t.Errorf("sample %d is %g, want %.1f", k, got, want)
		}
	}
	back := &run{in: r.out, out: t.TempDir() + "/o.mov"}
	if err := back.do(t.Context(), func(*Frame) error { return nil }, func(_ *Source, s *Sink) { s.Encoder = "png" }); err != nil {
		t.Fatal(err)
	}
	rgb := raw(t, back.out, "rgb24", "")
	for x := 3; x < 13; x++ {
		if got := int(rgb[3*(8*16+x)+2]); got < 16*x-6 || got > 16*x+6 {
			t.Errorf("pixel %d is %d, want %d", x, got, 16*x)
		}
	}
}
