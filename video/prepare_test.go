package video

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/carve-video/carve/internal/light"
)

var orientations = []Orientation{
	{}, {FlipX: true}, {FlipY: true}, {FlipX: true, FlipY: true},
	{Transpose: true}, {Transpose: true, FlipX: true}, {Transpose: true, FlipY: true}, {Transpose: true, FlipX: true, FlipY: true},
}

func TestToCoded(t *testing.T) {
	const w, h = 5, 3
	for _, o := range orientations {
		src, dst := make([]float32, w*h), make([]float32, w*h)
		for i := range src {
			src[i] = rand.Float32()
		}
		cw, ch := ToCoded(o, dst, src, w, h)
		if uw, uh := o.Upright(cw, ch); uw != w || uh != h {
			t.Errorf("%+v: %dx%d is upright %dx%d", o, cw, ch, uw, uh)
		}
		for y := range h {
			for x := range w {
				if cx, cy := o.Point(x, y, w, h); dst[cy*cw+cx] != src[y*w+x] {
					t.Fatalf("%+v: (%d,%d) is not at (%d,%d)", o, x, y, cx, cy)
				}
			}
		}
	}
}

func rawRGB(t *testing.T, path string, w, h int, args ...string) []byte {
	t.Helper()
	// The link avoids a percent sign, which the ffmpeg program takes for a series.
	link := filepath.Join(t.TempDir(), "x"+filepath.Ext(path))
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	a := append([]string{"-v", "error", "-i", link}, args...)
	cmd := exec.Command(program(t, "ffmpeg"), append(a, "-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo", "-")...)
	cmd.Stderr = os.Stderr
	b, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if len(b) != 3*w*h {
		t.Fatalf("%v: %d bytes for %dx%d", cmd.Args, len(b), w, h)
	}
	return b
}

func difference(a, b []byte) float64 {
	sum := 0
	for i := range a {
		sum += max(int(a[i])-int(b[i]), int(b[i])-int(a[i]))
	}
	return float64(sum) / float64(len(a))
}

func prepared(t *testing.T, path string, maxSide int) (Picture, Info) {
	t.Helper()
	s := &Source{Path: path}
	if err := s.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p := &Preparer{Info: s.Info(), MaxSide: maxSide}
	if err := p.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	f, err := s.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	pic, err := p.Prepare(f)
	if err != nil {
		t.Fatal(err)
	}
	pic.Pix = slices.Clone(pic.Pix)
	return pic, s.Info()
}

// TestUpright compares with FFmpeg's own automatic rotation, for all eight
// orientations.
func TestUpright(t *testing.T) {
	plain := ffmpeg(t, "p.mp4", "-f", "lavfi", "-i", "testsrc2=size=128x80:rate=5:duration=0.4", "-c:v", "libx264", "-qp", "0")
	for _, turn := range []int{0, 90, 180, 270} {
		for _, flip := range []bool{false, true} {
			t.Run(fmt.Sprint(turn, flip), func(t *testing.T) {
				args := []string{"-display_rotation", fmt.Sprint(turn)}
				if flip {
					args = append(args, "-display_hflip")
				}
				path := ffmpeg(t, "r.mp4", append(args, "-i", plain, "-c", "copy")...)
				pic, info := prepared(t, path, 0)
				w, h := 128, 80
				if turn%180 != 0 {
					w, h = h, w
				}
				equal(t, "size", [2]int{pic.W, pic.H}, [2]int{w, h})
				want := rawRGB(t, path, w, h, "-sws_flags", "bicubic+accurate_rnd+full_chroma_int")
				if d := difference(pic.Pix, want); d > 2 {
					t.Errorf("%+v: mean difference %.2f from FFmpeg's rotation", info.Orientation, d)
				}
				// The output is shown in the same way.
				r := transcode(t, path, "o.mp4", lossless)
				got := rawRGB(t, r.out, w, h, "-sws_flags", "bicubic+accurate_rnd+full_chroma_int")
				if d := difference(got, want); d != 0 {
					t.Errorf("output is shown otherwise: mean difference %.2f", d)
				}
				sameSide(t, path, r.out)
				// If the container cannot store a rotation the frames themselves are
				// turned.
				r = transcode(t, path, "o.nut")
				got = rawRGB(t, r.out, w, h, "-sws_flags", "bicubic+accurate_rnd+full_chroma_int")
				if d := difference(got, want); d != 0 {
					t.Errorf("turned output is shown otherwise: mean difference %.2f", d)
				}
			})
		}
	}
}

func sameSide(t *testing.T, in, out string) {
	t.Helper()
	a, b := ffprobe(t, in), ffprobe(t, out)
	matrix := func(p probe) string {
		for _, s := range p.Streams[0].Side {
			if s.Type == "Display Matrix" {
				return s.Matrix
			}
		}
		return ""
	}
	equal(t, "display matrix", matrix(b), matrix(a))
}

func TestModelSize(t *testing.T) {
	for _, c := range []struct {
		info       Info
		side, w, h int
	}{
		{Info{Width: 1920, Height: 1080}, 640, 640, 360},
		{Info{Width: 320, Height: 180}, 640, 320, 180}, // never enlarged
		{Info{Width: 1920, Height: 1080}, 0, 1920, 1080},
		{Info{Width: 1920, Height: 1080, Orientation: Orientation{Transpose: true}}, 640, 360, 640},
		{Info{Width: 720, Height: 576, SampleAspect: Rational{16, 11}}, 0, 1047, 576},
		{Info{Width: 720, Height: 576, SampleAspect: Rational{16, 11}}, 512, 512, 282},
		{Info{Width: 720, Height: 480, SampleAspect: Rational{8, 9}}, 0, 720, 540},
		{Info{Width: 4000, Height: 2}, 100, 100, 1},
	} {
		w, h := ModelSize(c.info, c.side)
		equal(t, fmt.Sprintf("%dx%d at %d", c.info.Width, c.info.Height, c.side), [2]int{w, h}, [2]int{c.w, c.h})
	}
}

// TestColours checks that a red clip is red in every format.
func TestColours(t *testing.T) {
	for _, c := range []struct{ matrix, rng, format, codec string }{
		{"bt709", "tv", "yuv420p", "libx264"},
		{"smpte170m", "tv", "yuv420p", "libx264"},
		{"bt709", "pc", "yuv420p", "libx264"},
		{"bt2020nc", "tv", "yuv420p10le", "libx264"},
		{"smpte170m", "pc", "yuvj420p", "mjpeg"},
		{"rgb", "pc", "gbrp", "ffv1"},
	} {
		t.Run(c.matrix+c.rng+c.format, func(t *testing.T) {
			out := map[string]string{"bt2020nc": "bt2020", "rgb": "bt709"}[c.matrix]
			if out == "" {
				out = c.matrix
			}
			path := ffmpeg(t, "c.mkv", "-f", "lavfi", "-i", "color=red:size=64x64:rate=5:duration=0.4",
				"-vf", fmt.Sprintf("scale=out_color_matrix=%s:out_range=%s,format=%s", out, c.rng, c.format),
				"-c:v", c.codec, "-colorspace", c.matrix, "-color_range", c.rng)
			pic, _ := prepared(t, path, 32)
			want := make([]byte, 3*32*32)
			for i := 0; i < len(want); i += 3 {
				want[i] = 255
			}
			if d := difference(pic.Pix, want); d > 2.5 {
				t.Errorf("mean difference from red %.2f: first pixel %v", d, pic.Pix[:3])
			}
		})
	}
}

// TestHDR: the model sees an HDR clip as an SDR display would show it.
func TestHDR(t *testing.T) {
	const w, h = 64, 48
	matrix, _ := light.FromBT709("bt2020")
	for _, transfer := range []string{"smpte2084", "arib-std-b67"} {
		curve, _ := light.CurveOf(transfer, "bt2020")
		var sdr, hdr []byte
		for p := range w * h {
			x, y := p%w, p/w
			c := [3]uint8{byte(x * 3), byte(y * 4), byte(x + y)}
			sdr = append(sdr, c[:]...)
			e := curve.Encode(matrix.Apply(light.SDR.Decode([3]float64{float64(c[0]) / 255, float64(c[1]) / 255, float64(c[2]) / 255})))
			for _, v := range e {
				hdr = binary.LittleEndian.AppendUint16(hdr, uint16(v*65535+.5))
			}
		}
		raw := filepath.Join(t.TempDir(), "hdr.raw")
		if err := os.WriteFile(raw, hdr, 0o644); err != nil {
			t.Fatal(err)
		}
		path := ffmpeg(t, "c.mkv", "-f", "rawvideo", "-pix_fmt", "rgb48le", "-s", "64x48", "-r", "5", "-i", raw, "-vf", "scale=out_color_matrix=bt2020:out_range=tv,format=yuv444p10le,"+
			"setparams=range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc="+transfer, "-c:v", "ffv1")
		pic, _ := prepared(t, path, 64)
		if d := difference(pic.Pix, sdr); d > 3 {
			t.Errorf("%s: mean difference from SDR %.2f", transfer, d)
		}
	}
}

// TestLuma compares with FFmpeg's gray for formats that every build has.
func TestLuma(t *testing.T) {
	for _, format := range []string{"yuv420p", "nv12", "yuyv422", "yuv422p10le", "yuv444p16be", "p010le", "gray", "gray12le", "gbrp", "gbrp10le", "rgb24", "bgra", "rgb48be", "pal8", "rgb565le"} {
		t.Run(format, func(t *testing.T) {
			path := ffmpeg(t, "l.nut", "-f", "lavfi", "-i", "testsrc2=size=66x40:rate=5:duration=0.2", "-c:v", "rawvideo", "-pix_fmt", format)
			s := &Source{Path: path}
			if err := s.Initialize(); err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			f, err := s.Read(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			defer f.Release()
			luma, err := f.Luma(nil)
			if err != nil {
				t.Fatal(err)
			}
			view, ok := f.LumaView()
			if bytes := format == "yuv420p" || format == "nv12" || format == "gray"; ok != bytes {
				t.Errorf("that the samples are bytes beside each other is %v", ok)
			}
			for y := 0; ok && y < 40; y++ {
				if got, want := view.Data[y*view.Stride:][:66], luma[y*66:(y+1)*66]; !slices.Equal(got, want) {
					t.Fatalf("row %d of the view is %v, want %v", y, got, want)
				}
			}
			rgb := rawRGB(t, path, 66, 40)
			gray := make([]byte, 66*40)
			for i := range gray {
				gray[i] = byte((77*int(rgb[3*i]) + 150*int(rgb[3*i+1]) + 29*int(rgb[3*i+2])) >> 8)
			}
			// Limited range differs by up to 16 levels; apart from that the image must
			// be the same.
			if d := difference(luma, gray); d > 14 {
				t.Errorf("mean difference %.1f from grey", d)
			}
		})
	}
}
