package video

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/asticode/go-astiav"
)

// TestBindingLayout guards pointer, which reads the first word of the binding's types.
func TestBindingLayout(t *testing.T) {
	for _, v := range []any{
		astiav.CodecParameters{}, astiav.Codec{}, astiav.FormatContext{}, astiav.Stream{}, astiav.OutputFormat{}, astiav.Frame{},
	} {
		typ := reflect.TypeOf(v)
		if f := typ.Field(0); f.Name != "c" || f.Offset != 0 || f.Type.Kind() != reflect.Pointer {
			t.Errorf("%v: first field is %s %v: pointer would read something else", typ, f.Name, f.Type)
		}
	}
	f := astiav.AllocFrame()
	defer f.Free()
	if pointer(f) != unsafe.Pointer(cFrame(f)) {
		t.Error("pointer and the binding's own accessor differ")
	}
}

func clip(t testing.TB, name string, args ...string) string {
	t.Helper()
	a := append([]string{"-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=1"}, args...)
	return ffmpeg(t, name, a...)
}

// blankPNG is the beginning of a PNG that states that size.
func blankPNG(w, h int) string {
	b := []byte("\x89PNG\r\n\x1a\n")
	for _, chunk := range []string{"IHDR" + string(be32(w, h)) + "\x08\x02\x00\x00\x00", "IDATx\x9cc\x00\x00\x00\x01\x00\x01", "IEND"} {
		b = slices.Concat(b, be32(len(chunk)-4), []byte(chunk), be32(int(crc32.ChecksumIEEE([]byte(chunk)))))
	}
	return string(b)
}

func TestInputErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	audio := ffmpeg(t, "a.m4a", "-f", "lavfi", "-i", "sine=duration=0.3")
	whole, err := os.ReadFile(clip(t, "v.mkv", "-c:v", "libx264"))
	if err != nil {
		t.Fatal(err)
	}
	mp4, err := os.ReadFile(clip(t, "v.mp4", "-c:v", "libx264"))
	if err != nil {
		t.Fatal(err)
	}
	// A header without anything that can be decoded.
	headless := slices.Clone(mp4)
	if i := strings.Index(string(headless), "mdat"); i > 0 {
		j := i + 4 + strings.Index(string(headless[i:]), "moov") - 8
		clear(headless[i+4 : j])
	}
	for _, c := range []struct {
		path string
		want error
	}{
		{filepath.Join(dir, "missing.mp4"), ErrNotFound},
		{dir, ErrIsDirectory},
		{write("empty.mp4", ""), ErrEmpty},
		{write("text.mp4", "this is not a film\n"), ErrNotMedia},
		{write("text.txt", "this is not a film\n"), ErrNotMedia},
		{write("zeros.mp4", string(make([]byte, 5000))), ErrNotMedia},
		{write("moov.mp4", string(mp4[:len(mp4)/2])), ErrNotMedia}, // its index is at the end
		{audio, ErrNoVideo},
		{write("header.mkv", string(whole[:700])), ErrNoFrame},
		{write("headless.mp4", string(headless)), ErrNoFrame},
		{write("narrow.png", blankPNG(0, 48)), ErrNoPixels},
		{write("flat.png", blankPNG(48, 0)), ErrNoPixels},
		{write("huge.png", blankPNG(100000, 100000)), ErrTooLarge},
		{clip(t, "ictcp.mkv", "-vf", "setparams=colorspace=ictcp", "-c:v", "libx264"), ErrColours},
	} {
		t.Run(filepath.Base(c.path), func(t *testing.T) {
			s := &Source{Path: c.path}
			err := s.Initialize()
			if !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			var pe *PathError
			if !errors.As(err, &pe) || pe.Path != c.path {
				t.Errorf("%v does not carry the path", err)
			}
			t.Log(err)
		})
	}
}

func TestFrameOwnership(t *testing.T) {
	s := &Source{Path: clip(t, "c.mp4", "-c:v", "libx264"), Frames: 2}
	if err := s.Initialize(); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	a, err := s.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	// Two frames are available and in flight: reading a third is an error, or waits.
	if _, err := s.Read(ctx); !errors.Is(err, ErrFramesInUse) {
		t.Fatalf("a third frame of two: %v", err)
	}
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	if _, err := s.Next(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a third frame of two: %v", err)
	}
	cancel()
	a.Release()
	c, err := s.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "index after waiting", c.Index, 2)
	s.Reserve(3)
	d, err := s.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "index of one more", d.Index, 3)
	d.Release()
	// The slot belongs to another frame now; the old handle must notice.
	func() {
		defer func() {
			if recover() == nil {
				t.Error("second release did not panic")
			}
		}()
		a.Release()
	}()
	s.Close()
	// Frames outlive their source.
	planes, err := b.Planes()
	if err != nil || len(planes[0].Data) < 160*120 {
		t.Errorf("planes after Close: %d bytes, %v", len(planes[0].Data), err)
	}
	b.Release()
	c.Release()
}

func readAll(t *testing.T, s *Source) (n int64, err error) {
	t.Helper()
	for {
		f, err := s.Read(context.Background())
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		equal(t, "index", f.Index, n)
		n++
		f.Release()
	}
}

func TestInfo(t *testing.T) {
	path := ffmpeg(t, "i.mkv", "-f", "lavfi", "-i", "testsrc2=size=90x122:rate=30000/1001:duration=0.5",
		"-f", "lavfi", "-i", "sine=duration=0.5", "-vf", "setsar=16/11,setparams=range=tv:color_primaries=bt2020:color_trc=arib-std-b67:colorspace=bt2020nc",
		"-c:v", "ffv1", "-pix_fmt", "yuv420p10le", "-c:a", "flac", "-metadata:s:a", "language=fin")
	s := &Source{Path: path}
	if err := s.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	i := s.Info()
	equal(t, "size", [2]int{i.Width, i.Height}, [2]int{90, 122})
	equal(t, "format", i.PixelFormat, "yuv420p10le")
	equal(t, "depth", i.BitDepth, 10)
	equal(t, "aspect", i.SampleAspect, Rational{16, 11})
	equal(t, "rate", i.Rate(), Rational{30000, 1001})
	equal(t, "colours", [4]string{i.ColourMatrix, i.ColourRange, i.ColourPrimaries, i.ColourCurve},
		[4]string{"bt2020nc", "tv", "bt2020", "arib-std-b67"})
	equal(t, "frames", i.Frames, 15)
	equal(t, "still", i.Still, false)
	if len(i.Streams) != 1 || i.Streams[0] != (StreamInfo{Index: 1, Kind: "audio", Codec: "flac", Language: "fin"}) {
		t.Errorf("streams: %+v", i.Streams)
	}
	n, err := readAll(t, s)
	if err != nil || n != 15 {
		t.Errorf("%d frames, %v", n, err)
	}
	equal(t, "damage", s.Damage(), Damage{})
}

// damagedClips are made from one good clip of two seconds.
func damagedClips(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	flip := func(b []byte, from int) []byte {
		for i := from; i < from+400 && i < len(b); i += 3 {
			b[i] ^= 0x5a
		}
		return b
	}
	paths := make(map[string]string)
	source := []string{"-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=2", "-f", "lavfi", "-i", "sine=duration=2",
		"-c:v", "libx264", "-g", "12", "-c:a", "aac", "-movflags", "+faststart"}
	for _, ext := range []string{"mp4", "mkv", "ts"} {
		good, err := os.ReadFile(ffmpeg(t, "good."+ext, source...))
		if err != nil {
			t.Fatal(err)
		}
		for name, b := range map[string][]byte{
			"flipped": flip(slices.Clone(good), len(good)*3/5),
			"cut":     good[:len(good)*2/5],
		} {
			p := filepath.Join(dir, name+"."+ext)
			if err := os.WriteFile(p, b, 0o644); err != nil {
				t.Fatal(err)
			}
			paths[name+"."+ext] = p
		}
	}
	return paths
}

func TestDamage(t *testing.T) {
	for name, path := range damagedClips(t) {
		t.Run(name, func(t *testing.T) {
			r := transcode(t, path, "o.mp4", lossless)
			if r.damage.Count == 0 || r.damage.Err == nil {
				t.Errorf("no damage found: %+v", r.damage)
			}
			if r.damage.First < 300*time.Millisecond || r.damage.First > 2*time.Second {
				t.Errorf("first damage at %v, it is between 0.3 and 2 s", r.damage.First)
			}
			if n := r.log.count("input is damaged"); n != 1 {
				t.Errorf("%d warnings about damage, want 1:\n%s", n, r.log.all())
			}
			// The number of frames is that of the ffmpeg program, and the file is
			// complete.
			sameTime(t, path, r.out)
			t.Log(r.frames, r.damage)

			strict := &run{in: path, out: filepath.Join(t.TempDir(), "strict.mp4")}
			err := strict.do(context.Background(), func(*Frame) error { return nil }, func(s *Source, _ *Sink) { s.Strict = true })
			var de *DamageError
			if !errors.As(err, &de) {
				t.Errorf("strict: %v, want a DamageError", err)
			}
			if left, _ := os.ReadDir(filepath.Dir(strict.out)); len(left) != 0 {
				t.Errorf("strict left %v", left)
			}
		})
	}
}

func TestChangeOfShape(t *testing.T) {
	a, err := os.ReadFile(clip(t, "a.ts", "-c:v", "libx264"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(ffmpeg(t, "b.ts", "-f", "lavfi", "-i", "testsrc2=size=240x180:rate=25:duration=1", "-c:v", "libx264",
		"-pix_fmt", "yuv444p", "-output_ts_offset", "1"))
	if err != nil {
		t.Fatal(err)
	}
	both := filepath.Join(t.TempDir(), "both.ts")
	if err := os.WriteFile(both, append(a, b...), 0o644); err != nil {
		t.Fatal(err)
	}
	r := transcode(t, both, "o.mp4")
	p := ffprobe(t, r.out)
	equal(t, "frames", p.Streams[0].Frames, "50")
	equal(t, "size", [2]int{p.Streams[0].Width, p.Streams[0].Height}, [2]int{160, 120})
	equal(t, "format", p.Streams[0].PixFmt, "yuv420p")
	equal(t, "warnings", r.log.count("change their size"), 1)
	t.Log(r.damage)
}

// TestStartingAnew joins two recordings that begin at the same time.
func TestStartingAnew(t *testing.T) {
	one, err := os.ReadFile(ffmpeg(t, "a.ts", "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=3", "-f", "lavfi", "-i", "sine=duration=3",
		"-c:v", "libx264", "-c:a", "mp2"))
	if err != nil {
		t.Fatal(err)
	}
	both := filepath.Join(t.TempDir(), "both.ts")
	if err := os.WriteFile(both, append(slices.Clone(one), one...), 0o644); err != nil {
		t.Fatal(err)
	}
	r := transcode(t, both, "o.mp4")
	p := ffprobe(t, r.out)
	equal(t, "frames", p.Streams[0].Frames, "150")
	equal(t, "warnings", r.log.count("timestamps restart"), 1)
	d, _ := strconv.ParseFloat(p.Streams[0].Duration, 64)
	if d < 5.9 || d > 6.4 {
		t.Errorf("%.2f s of two times three", d)
	}
	// Audio and video still end together.
	a, _ := strconv.ParseFloat(p.Streams[1].Duration, 64)
	if a < d-0.3 || a > d+0.3 {
		t.Errorf("%.2f s of video, %.2f s of audio", d, a)
	}
	equal(t, "audio", len(packets(t, r.out, "a", "pts")), len(packets(t, both, "a", "pts")))
}

func TestLogFolds(t *testing.T) {
	var j journal
	f := &logLimiter{to: j.logger(slog.LevelDebug)}
	for i := range 120 {
		f.line(slog.LevelWarn, true, "h264", "error while decoding MB "+strings.Repeat("1", i%7+1))
	}
	f.line(slog.LevelWarn, true, "h264", "something else")
	equal(t, "lines", len(j.lines), 4) // 1st, 10th, 100th, and the different one
	if !strings.Contains(j.lines[2], "times=100") {
		t.Error(j.lines[2])
	}
}

func TestLogGoesToSlog(t *testing.T) {
	var j journal
	SetLog(j.logger(slog.LevelDebug))
	defer SetLog(nil)
	s := &Source{Path: damagedClips(t)["flipped.mkv"]}
	if err := s.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := readAll(t, s); err != nil {
		t.Fatal(err)
	}
	if j.count("ffmpeg: ") == 0 {
		t.Error("nothing of FFmpeg's log came through")
	}
	if j.count("level=WARN") != 0 {
		t.Errorf("a decoder's complaints are not warnings:\n%s", j.all())
	}
	// Much longer than any buffer for a line.
	astiav.Log(nil, astiav.LogLevelError, "%s", strings.Repeat("x", 1<<16))
	if j.count("xxx") != 1 {
		t.Error("a long line is lost")
	}
}

// TestEndWithAllFramesInUse checks that a caller that holds every frame until the end
// sees the end although no frame is free.
func TestEndWithAllFramesInUse(t *testing.T) {
	still := ffmpeg(t, "one.png", "-f", "lavfi", "-i", "testsrc=size=32x32:rate=25:duration=0.04", "-frames:v", "1", "-update", "1")
	for in, frames := range map[string]int{still: 1, clip(t, "in.mp4", "-c:v", "libx264", "-frames:v", "3"): 3} {
		src := &Source{Path: in, Frames: frames}
		if err := src.Initialize(); err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var held []*Frame
		for {
			f, err := src.Read(ctx)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s, after %d of %d frames: %v", in, len(held), frames, err)
			}
			held = append(held, f)
		}
		if len(held) != frames {
			t.Errorf("%s: %d frames, want %d", in, len(held), frames)
		}
		for _, f := range held {
			f.Release()
		}
	}
}
