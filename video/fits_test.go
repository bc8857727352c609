package video

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/asticode/go-astiav"
)

// encoders lists the video encoders of this FFmpeg that accept frames in memory.
func encoders(t testing.TB) (names []string) {
	t.Helper()
	for line := range strings.Lines(output(t, "ffmpeg", "-hide_banner", "-encoders")) {
		f := strings.Fields(line)
		if len(f) < 2 || !strings.HasPrefix(line, " V") || f[1] == "=" {
			continue
		}
		if strings.Contains(f[1], "v4l2m2m") || strings.Contains(f[1], "vaapi") || strings.Contains(f[1], "nvenc") {
			continue
		}
		if slices.Contains([]string{"a64multi", "cinepak", "roqvideo"}, f[1]) {
			continue // these are slow
		}
		if f[1] == "libxvid" {
			continue // too few packets for a transport stream (see strip); mpeg4 makes the same
		}
		names = append(names, f[1])
	}
	return names
}

// A strip is a grey frame with a bright bar and noise: FFmpeg does not recognise a
// transport stream of less than ten packets.
const stripWidth, stripHeight, stripFrames = 176, 144, 3

func strip() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, stripWidth, stripHeight))
	for y := range stripHeight {
		for x := range stripWidth {
			v := uint8(50 + (x*x+7*y*y+x*y)%20)
			if x >= 64 && x < 112 {
				v += 160
			}
			img.SetRGBA(x, y, color.RGBA{v, v, v, 255})
		}
	}
	return img
}

// write makes a file of a few strips with an encoder, whether it fits or not. An image
// is made from the file still.
func write(path, encoder, still string) (*Sink, error) {
	ctx := context.Background()
	s := &Sink{Path: path, Encoder: encoder, Preset: "ultrafast", Threads: 1, Overwrite: true, unchecked: true}
	var next func(int64) (*Frame, error)
	if containers[filepath.Ext(path)].image {
		s.Source = &Source{Path: still}
		if err := s.Source.Initialize(); err != nil {
			return nil, err
		}
		defer s.Source.Close()
		next = func(int64) (*Frame, error) { return s.Source.Read(ctx) }
	} else {
		s.Reel = &Reel{Width: stripWidth, Height: stripHeight, TimeBase: Rational{1, 25}, Rate: Rational{25, 1}}
		if err := s.Reel.Initialize(); err != nil {
			return nil, err
		}
		defer s.Reel.Close()
		img := strip()
		next = func(i int64) (*Frame, error) {
			if i == stripFrames {
				return nil, io.EOF
			}
			return s.Reel.Frame(ctx, img, i, 1)
		}
	}
	if err := s.Initialize(); err != nil {
		return nil, err
	}
	defer s.Abort()
	for i := int64(0); ; i++ {
		f, err := next(i)
		if errors.Is(err, io.EOF) {
			return s, s.Finish()
		}
		if err != nil {
			return nil, err
		}
		err = s.Encode(ctx, f)
		f.Release()
		if err != nil {
			return nil, err
		}
	}
}

// readStrips checks the file that write made.
func readStrips(path string, want int) (codec string, err error) {
	s := &Source{Path: path, Strict: true}
	if err := s.Initialize(); err != nil {
		return "", err
	}
	defer s.Close()
	p := &Preparer{Info: s.Info()}
	if err := p.Initialize(); err != nil {
		return "", err
	}
	defer p.Close()
	for n := 0; ; n++ {
		f, err := s.Read(context.Background())
		if err != nil {
			if n != want {
				return "", fmt.Errorf("%d frames, then %w", n, err)
			}
			return s.Info().Codec, nil
		}
		pic, err := p.Prepare(f)
		if err != nil {
			return "", err
		}
		if pic.W != stripWidth || pic.H != stripHeight {
			return "", fmt.Errorf("%dx%d", pic.W, pic.H)
		}
		for x, want := range map[int]int{20: 60, 88: 220, 150: 60} {
			if got := int(pic.Pix[3*(pic.W*pic.H/2+x)+1]); got < want-60 || got > want+60 {
				return "", fmt.Errorf("frame %d has %d at column %d, not %d", n, got, x, want)
			}
		}
		f.Release()
	}
}

// guessed are files that can be read only because a reader guesses well, or, as for smc,
// finds the right palette in memory that nothing has written to. They are refused, because
// another reader may not.
var guessed = []string{"smc.avi", "bmp.avi", "pam.avi", "ppm.avi", "ljpeg.avi", "ljpeg.mkv", "ljpeg.mov", "ljpeg.nut", "ljpeg.jpg"}

// TestFits writes every container with every encoder and reads the file. An encoder has
// to be refused before the work exactly if its file cannot be read, and the check of
// the finished file has to agree.
func TestFits(t *testing.T) {
	dir := t.TempDir()
	still := filepath.Join(dir, "still.png")
	f, err := os.Create(still)
	if err == nil {
		err = errors.Join(png.Encode(f, strip()), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	tried, good := 0, 0
	for _, encoder := range encoders(t) {
		codec := astiav.FindEncoderByName(encoder)
		if onlyDevices(codec) {
			if err := CheckOutput(filepath.Join(dir, "o.mkv"), "", encoder, Info{PixelFormat: "yuv420p"}); !errors.Is(err, ErrNoEncoder) {
				t.Errorf("%s: %v", encoder, err)
			}
			continue
		}
		for _, ext := range []string{".mkv", ".mp4", ".mov", ".webm", ".ts", ".m2ts", ".avi", ".nut", ".png", ".jpg"} {
			c := containers[ext]
			path := filepath.Join(dir, "o"+ext)
			sink, err := write(path, encoder, still)
			if err != nil && strings.Contains(err.Error(), "opening encoder") {
				break // other sizes and formats, which this test is not about
			}
			tried++
			var found, looked error
			codecOf := ""
			if found = err; err == nil {
				want := stripFrames
				if c.image {
					want = 1
				}
				codecOf, found = readStrips(path, want)
				if looked = sink.readBack(path); found != nil && looked == nil {
					// readBack decodes one frame and does not compare it.
					if c.canHold(codec.ID()) {
						t.Errorf("%s in %s passes both looks, but: %v", encoder, ext, found)
					}
				}
				if found == nil && looked != nil {
					t.Errorf("%s in %s can be read, but: %v", encoder, ext, looked)
				}
			}
			reads := found == nil && (!c.image || codecOf == c.codec.Name())
			if reads {
				good++
			}
			refused := CheckOutput(path, "", encoder, Info{Still: c.image, PixelFormat: "yuv420p"})
			if refused != nil && !errors.Is(refused, ErrEncoderMismatch) {
				t.Errorf("%s in %s: %v", encoder, ext, refused)
			}
			if reads != (refused == nil) && !slices.Contains(guessed, encoder+ext) {
				t.Errorf("%s in %s: before work %v, after it %v", encoder, ext, refused, found)
			}
			os.Remove(path)
		}
	}
	t.Logf("%d files, %d of them can be read", tried, good)
	if good < 100 {
		t.Errorf("only %d files can be read", good)
	}
}

// TestRaw does the same for uncompressed frames, whose layout the container has to
// state.
func TestRaw(t *testing.T) {
	for _, format := range []string{"yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv420p10le", "nv12", "rgba", "rgb24", "bgr24", "gbrp", "gray", "gray16le", "yuva420p"} {
		in := ffmpeg(t, "in.nut", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=0.08", "-pix_fmt", format, "-c:v", "rawvideo")
		want := frameHashes(t, in, "-pix_fmt", "rgb24")
		for _, ext := range []string{"mkv", "mov", "avi", "nut"} {
			r := &run{in: in, out: filepath.Join(t.TempDir(), "o."+ext)}
			err := r.do(t.Context(), func(*Frame) error { return nil }, func(_ *Source, s *Sink) { s.Encoder, s.unchecked = "rawvideo", true })
			if err != nil {
				t.Fatal(err)
			}
			n, err := read(t, r.out, true)
			reads := err == nil && n == len(want) && slices.Equal(frameHashes(t, r.out, "-pix_fmt", "rgb24"), want)
			if refused := CheckOutput(r.out, "", "rawvideo", r.info); reads != (refused == nil) {
				t.Errorf("%s in %s: before work %v, after it %d frames, %v", format, ext, refused, n, err)
			}
		}
	}
}
