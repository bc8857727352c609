package video

import (
	"context"
	"strings"
	"testing"

	"github.com/asticode/go-astiav"
	"github.com/carve-video/carve/video/overlay"
)

// drawSquare draws a square on all frames of a file, beside the source or on it, without loss.
func drawSquare(t *testing.T, in, out, encoder string, side bool) {
	t.Helper()
	src := openSource(t, in)
	info := src.Info()
	sink := &Sink{Path: out, Source: src, Encoder: encoder, Lossless: true, Preset: "ultrafast"}
	if side {
		wide := info.SideBySide()
		sink.FrameInfo = &wide
	}
	if err := sink.Try(); err != nil {
		t.Fatal(err)
	}
	if err := sink.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer sink.Abort()
	p := info.Painter()
	if err := p.Initialize(); err != nil {
		t.Fatal(err)
	}
	both := &SideBySide{Info: info}
	if err := both.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	mask := make([]uint8, info.Width*info.Height)
	for y := info.Height / 2; y < info.Height*3/4; y++ {
		for x := range info.Width / 2 {
			mask[y*info.Width+x] = 255
		}
	}
	layers := []overlay.Layer{{Alpha: mask, Colour: [3]uint8{230, 159, 0}, Label: "x"}}
	for f, err := range src.Each(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		drawn, err := func() (*Frame, error) {
			if side {
				return both.Join(context.Background(), f.Frame)
			}
			return f.Share()
		}()
		if err != nil {
			t.Fatal(err)
		}
		if side {
			err = both.Draw(drawn, p, layers)
		} else {
			err = drawn.Draw(p, layers)
		}
		if err == nil {
			err = sink.Encode(t.Context(), drawn)
		}
		drawn.Release()
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Finish(); err != nil {
		t.Fatal(err)
	}
}

// displayed returns the samples of all frames as they are displayed.
func displayed(t *testing.T, path, format string) string {
	t.Helper()
	return output(t, "ffmpeg", "-v", "error", "-i", path, "-vf", "format="+format, "-f", "rawvideo", "-")
}

// columns cuts columns out of raw frames of w×h.
func columns(l Layout, frames string, w, h, from, to int) string {
	size := 0
	for i := range 4 {
		if p := l.plane(i); p.step > 0 {
			size += p.columns(w) * p.step * l.rows(i, h)
		}
	}
	var b strings.Builder
	for ; len(frames) >= size; frames = frames[size:] {
		at := 0
		for i := range 4 {
			p := l.plane(i)
			if p.step == 0 {
				continue // there is no such plane
			}
			for range l.rows(i, h) {
				b.WriteString(frames[at+from>>p.sx*p.step:][:p.columns(to-from)*p.step])
				at += p.columns(w) * p.step
			}
		}
	}
	return b.String()
}

// TestSideBySide: as it is displayed, the left half has exactly the samples of the source, and
// the right half those of an overlay, whatever the format, the size and the turn are.
func TestSideBySide(t *testing.T) {
	for _, c := range []struct {
		name, size, in string
		make           []string
		turn           []string
		out, encoder   string
	}{
		{"h264", "64x48", "in.mp4", []string{"-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "2"}, nil, "o.mp4", ""},
		{"quarter turn", "64x48", "in.mp4", []string{"-c:v", "libx264", "-pix_fmt", "yuv420p"}, []string{"-display_rotation", "90"}, "o.mp4", ""},
		{"other turn", "64x48", "in.mp4", []string{"-c:v", "libx264", "-pix_fmt", "yuv420p"}, []string{"-display_rotation", "-90"}, "o.mp4", ""},
		{"half turn", "64x48", "in.mp4", []string{"-c:v", "libx264", "-pix_fmt", "yuv420p"}, []string{"-display_rotation", "180"}, "o.mp4", ""},
		{"turned for a container without", "64x48", "in.mp4", []string{"-c:v", "libx264", "-pix_fmt", "yuv420p"}, []string{"-display_rotation", "90"}, "o.nut", ""},
		{"anamorphic", "64x48", "in.mp4", []string{"-vf", "setsar=16/11", "-c:v", "libx264", "-pix_fmt", "yuv420p"}, []string{"-display_rotation", "90"}, "o.mp4", ""},
		{"odd", "61x47", "in.mkv", []string{"-c:v", "ffv1", "-pix_fmt", "yuv420p"}, nil, "o.mkv", "ffv1"},
		{"odd and turned", "61x47", "in.mkv", []string{"-c:v", "ffv1", "-pix_fmt", "yuv420p"}, []string{"-display_rotation", "90"}, "o.nut", ""},
		{"ten bits", "61x47", "in.mkv", []string{"-c:v", "ffv1", "-pix_fmt", "yuv422p10le"}, nil, "o.mkv", "ffv1"},
		{"4:1:1", "61x47", "in.mkv", []string{"-c:v", "ffv1", "-pix_fmt", "yuv411p"}, nil, "o.mkv", "ffv1"},
		{"alpha", "61x47", "in.mkv", []string{"-c:v", "ffv1", "-pix_fmt", "yuva420p"}, nil, "o.mkv", "ffv1"},
		{"grey", "61x47", "in.mkv", []string{"-c:v", "ffv1", "-pix_fmt", "gray"}, nil, "o.mkv", "ffv1"},
		{"two planes", "64x48", "in.nut", []string{"-c:v", "rawvideo", "-pix_fmt", "nv12"}, nil, "o.nut", "rawvideo"},
		{"packed", "64x48", "in.nut", []string{"-c:v", "rawvideo", "-pix_fmt", "yuyv422"}, nil, "o.nut", "rawvideo"},
		{"RGB", "61x47", "in.mov", []string{"-c:v", "png", "-pix_fmt", "rgb24"}, []string{"-display_rotation", "-90"}, "o.mov", "png"},
		{"planar RGB", "61x47", "in.mkv", []string{"-c:v", "ffv1", "-pix_fmt", "gbrp10le"}, nil, "o.mkv", "ffv1"},
		{"an image", "61x47", "in.png", []string{"-frames:v", "1"}, nil, "o.png", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in := ffmpeg(t, c.in, append([]string{"-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=0.12,scale=" + c.size}, c.make...)...)
			if c.turn != nil {
				in = ffmpeg(t, c.in, append(c.turn, "-i", in, "-c", "copy")...)
			}
			dir := t.TempDir()
			side, over := dir+"/side"+c.out, dir+"/over"+c.out
			drawSquare(t, in, side, c.encoder, true)
			drawSquare(t, in, over, c.encoder, false)
			width, height := 61, 47
			if c.size == "64x48" {
				width, height = 64, 48
			}
			if len(c.turn) > 0 && c.turn[1] != "180" {
				width, height = height, width
			}
			l := openSource(t, in).Info().Layout()
			chroma := l.ChromaX
			if len(c.turn) > 0 && c.turn[1] != "180" {
				chroma = l.ChromaY
			}
			second := roundUp(width, 1<<chroma)
			source, drawn := displayed(t, in, l.Name), displayed(t, over, l.Name)
			both := displayed(t, side, l.Name)
			left := columns(l, both, second+width, height, 0, width)
			right := columns(l, both, second+width, height, second, second+width)
			if left != source {
				t.Errorf("the left half, of %d bytes, is not the source, of %d", len(left), len(source))
			}
			if right != drawn || right == left {
				t.Errorf("the right half, of %d bytes, is not the overlay, of %d", len(right), len(drawn))
			}
			if second > width && l.Components[0].Depth == 8 { // ffmpeg would dither more bits
				// The gap repeats the end of the half that is stored first.
				grey, _ := describe(astiav.PixelFormatGray8)
				lines := displayed(t, side, grey.Name)
				column := func(x int) string { return columns(grey, lines, second+width, height, x, x+1) }
				if gap := column(width); gap != column(width-1) && gap != column(second) {
					t.Error("there is something else in the gap")
				}
			}
			p := ffprobe(t, side)
			if got, want := p.Streams[0].SAR, ffprobe(t, over).Streams[0].SAR; got != want {
				t.Errorf("pixels are %s, not %s", got, want)
			}
		})
	}
}

// TestSideBySideMatrix: a matrix that moves a turned frame back to the origin moves the larger
// one as far as it has to.
func TestSideBySideMatrix(t *testing.T) {
	const one = 1 << 16
	i := Info{Width: 64, Height: 48, PixelFormat: "yuv420p", Orientation: Orientation{Transpose: true, FlipX: true}, hasMatrix: true,
		matrix: [9]int32{0, one, 0, -one, 0, 0, 48 * one, 0, 1 << 30}}
	wide, source, drawn := i.sideBySide()
	if wide.Width != 64 || wide.Height != 96 || wide.matrix[6] != 96*one || wide.matrix[7] != 0 || i.matrix[6] != 48*one {
		t.Errorf("%dx%d with %v", wide.Width, wide.Height, wide.matrix)
	}
	if source.Min.Y != 48 || drawn.Min.Y != 0 {
		t.Errorf("the source is at %v, the overlay at %v", source, drawn)
	}
}

func openSource(t *testing.T, path string) *Source {
	t.Helper()
	src := &Source{Path: path}
	if err := src.Initialize(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(src.Close)
	return src
}
