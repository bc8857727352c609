package video

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOutputErrors(t *testing.T) {
	dir := t.TempDir()
	in := clip(t, "in.mp4", "-c:v", "libx264")
	link := filepath.Join(dir, "link.mp4")
	if err := os.Symlink(in, link); err != nil {
		t.Fatal(err)
	}
	taken := filepath.Join(dir, "taken.mp4")
	if err := os.WriteFile(taken, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.mp4"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path      string
		overwrite bool
		encoder   string
		want      error
	}{
		{path: filepath.Join(dir, "o.xyz"), want: ErrUnknownContainer},
		{path: filepath.Join(dir, "noextension"), want: ErrUnknownContainer},
		{path: filepath.Join(dir, "o.png"), want: ErrStillContainer},
		{path: taken, want: ErrExists},
		{path: in, overwrite: true, want: ErrIsInput},
		{path: link, overwrite: true, want: ErrIsInput},
		{path: filepath.Join(dir, "folder.mp4"), overwrite: true, want: ErrIsDirectory},
		{path: filepath.Join(dir, "none", "o.mp4"), want: ErrNoFolder},
		{path: filepath.Join(taken, "o.mp4"), want: errors.New("any")},
		{path: filepath.Join(dir, "o.mp4"), encoder: "nosuch", want: ErrNoEncoder},
		{path: filepath.Join(dir, "o.mp4"), encoder: "aac", want: ErrNoEncoder},
		{path: filepath.Join(dir, "o.webm"), encoder: "libx264", want: errors.New("any")},
	} {
		t.Run(filepath.Base(c.path)+c.encoder, func(t *testing.T) {
			src := &Source{Path: in}
			if err := src.Initialize(); err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			sink := &Sink{Path: c.path, Source: src, Overwrite: c.overwrite, Encoder: c.encoder}
			tried, err := sink.Try(), sink.Initialize()
			if err == nil || c.want.Error() != "any" && !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if tried == nil || tried.Error() != err.Error() {
				t.Errorf("tried it is %v, in earnest %v", tried, err)
			}
			t.Log(err)
		})
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if b, _ := os.ReadFile(taken); string(b) != "precious" {
		t.Error("an existing file was touched")
	}
}

// TestNothingUntilFinished checks that the output's name always refers to a complete
// file or to the older one.
func TestNothingUntilFinished(t *testing.T) {
	in := clip(t, "in.mp4", "-c:v", "libx264")
	real := filepath.Join(t.TempDir(), "real.mp4")
	if err := os.WriteFile(real, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	link := filepath.Join(dir, "o.mp4")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	write := func(finish bool) {
		src := &Source{Path: in}
		if err := src.Initialize(); err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		sink := &Sink{Path: link, Source: src, Overwrite: true, Preset: "ultrafast"}
		if err := sink.Initialize(); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			f, err := src.Read(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if err := sink.Encode(ctx, f); err != nil {
				t.Fatal(err)
			}
			f.Release()
		}
		if b, _ := os.ReadFile(link); string(b) != "old" {
			t.Fatal("the name stands for an unfinished file")
		}
		if finish {
			if err := sink.Finish(); err != nil {
				t.Fatal(err)
			}
			if err := sink.Finish(); err == nil {
				t.Error("finished twice")
			}
		}
		sink.Abort()
		sink.Abort()
	}
	write(false)
	if b, _ := os.ReadFile(link); string(b) != "old" {
		t.Error("aborting changed the file")
	}
	write(true)
	equal(t, "frames", ffprobe(t, link).Streams[0].Frames, "5")
	if fi, err := os.Stat(real); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, it was 0600", fi.Mode())
	}
	if fi, err := os.Lstat(link); err != nil || fi.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
	for _, d := range []string{dir, filepath.Dir(real)} {
		if left, _ := filepath.Glob(filepath.Join(d, ".*")); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

// TestNoFrames checks that a file without frames is no output.
func TestNoFrames(t *testing.T) {
	src := &Source{Path: clip(t, "in.mp4", "-c:v", "libx264")}
	if err := src.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	out := filepath.Join(t.TempDir(), "o.mp4")
	sink := &Sink{Path: out, Source: src}
	if err := sink.Initialize(); err != nil {
		t.Fatal(err)
	}
	if err := sink.Finish(); err == nil {
		t.Error("finished without a frame")
	}
	if left, _ := os.ReadDir(filepath.Dir(out)); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestStills(t *testing.T) {
	for _, c := range []struct{ ext, codec, format, to, want string }{
		{"png", "png", "rgb24", "png", "rgb24"},
		{"png", "png", "rgba", "png", "rgba"},
		{"png", "png", "rgb48be", "png", "rgb48be"},
		{"png", "png", "gray", "png", "gray"},
		{"png", "png", "pal8", "png", "rgba"},
		{"png", "png", "monob", "png", "gray"},
		{"jpg", "mjpeg", "yuvj420p", "jpg", "yuvj420p"},
		{"jpg", "mjpeg", "yuvj444p", "png", "rgb24"},
		{"png", "png", "rgb24", "jpg", "yuvj444p"},
		{"bmp", "bmp", "bgr24", "bmp", "bgr24"},
		{"tiff", "tiff", "rgb24", "tif", "rgb24"},
	} {
		t.Run(c.ext+c.format+" to "+c.to, func(t *testing.T) {
			in := ffmpeg(t, "a%03d b."+c.ext, "-f", "lavfi", "-i", "testsrc=size=61x47:rate=25:duration=0.04", "-frames:v", "1",
				"-update", "1", "-c:v", c.codec, "-pix_fmt", c.format)
			r := transcode(t, in, "o%d."+c.to)
			if !r.info.Still || r.info.Frames != 1 || r.frames != 1 {
				t.Errorf("still is %v, %d frames of %d", r.info.Still, r.frames, r.info.Frames)
			}
			p := ffprobeStill(t, r.out)
			equal(t, "format", p.PixFmt, c.want)
			w, h := 61, 47
			equal(t, "size", [2]int{p.Width, p.Height}, [2]int{w, h})
			if d := difference(rawRGB(t, r.out, w, h), rawRGB(t, in, w, h)); d > 5 && c.format != "monob" {
				t.Errorf("mean difference %.1f", d)
			} else if c.want == c.format && !strings.HasPrefix(c.format, "yuvj") && d != 0 {
				t.Errorf("mean difference %.3f, want none", d)
			}
		})
	}
}

type stillProbe struct {
	PixFmt        string
	Width, Height int
}

func ffprobeStill(t *testing.T, path string) stillProbe {
	t.Helper()
	s := &Source{Path: path}
	if err := s.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	i := s.Info()
	return stillProbe{i.PixelFormat, i.Width, i.Height}
}

// TestUprightPhoto checks that a photo whose EXIF states a rotation is turned, since
// EXIF is not written.
func TestUprightPhoto(t *testing.T) {
	plain := ffmpeg(t, "p.jpg", "-f", "lavfi", "-i", "testsrc2=size=64x40:rate=25:duration=0.04", "-frames:v", "1")
	b, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	// Orientation 6: turn right by 90 degrees (Exif 2.3, 4.6.4 A).
	exif := "\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
	turned := filepath.Join(t.TempDir(), "t.jpg")
	if err := os.WriteFile(turned, append([]byte("\xff\xd8"+exif), b[2:]...), 0o644); err != nil {
		t.Fatal(err)
	}
	pic, info := prepared(t, turned, 0)
	equal(t, "size for the model", [2]int{pic.W, pic.H}, [2]int{40, 64})
	equal(t, "orientation", info.Orientation, Orientation{Transpose: true, FlipX: true})
	r := transcode(t, turned, "o.png")
	s := ffprobeStill(t, r.out)
	equal(t, "size", [2]int{s.Width, s.Height}, [2]int{40, 64})
	if d := difference(rawRGB(t, r.out, 40, 64), pic.Pix); d > 2 {
		t.Errorf("mean difference %.1f between the output and what the model saw", d)
	}
}

// TestTwoVideos checks that the encoded stream is the one that is read back, whichever
// video of the file begins first.
func TestTwoVideos(t *testing.T) {
	in := ffmpeg(t, "two.mp4", "-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=1", "-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=2",
		"-map", "0", "-map", "1", "-c:v", "libx264")
	for _, to := range []string{"o.mp4", "o.mkv"} {
		r := transcode(t, in, to)
		if p := ffprobe(t, r.out); r.frames != 25 || len(p.Streams) != 2 {
			t.Errorf("%s: %d frames, %d streams; want 25, 2", to, r.frames, len(p.Streams))
		}
	}
}

// TestBeforeZero checks frames before zero. The clock of a transport stream restarts
// after 26.5 hours; what comes before that gets negative times, which MP4 players do
// not show.
func TestBeforeZero(t *testing.T) {
	in := ffmpeg(t, "wrap.ts", "-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=4", "-f", "lavfi", "-i", "sine=d=4",
		"-c:v", "libx264", "-c:a", "aac", "-output_ts_offset", "95441")
	for _, to := range []string{"o.mp4", "o.mov", "o.mkv"} {
		r := transcode(t, in, to)
		if r.info.StartPTS >= 0 {
			t.Fatalf("the clip starts at %d: this tests nothing", r.info.StartPTS)
		}
		equal(t, "frames", ffprobe(t, r.out).Streams[0].Frames, "100")
		src := &Source{Path: r.out}
		if err := src.Initialize(); err != nil {
			t.Fatal(err)
		}
		if i := src.Info(); i.StartPTS != 0 {
			t.Errorf("%s starts at %d", to, i.StartPTS)
		}
		src.Close()
	}
}
