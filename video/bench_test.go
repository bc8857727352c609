package video

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func hd(b testing.TB) string {
	return ffmpeg(b, "hd.mp4", "-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=30:duration=4", "-c:v", "libx264", "-preset", "veryfast")
}

// BenchmarkTranscode reads and writes 1080p, and runs the ffmpeg program for
// comparison.
func BenchmarkTranscode(b *testing.B) {
	in := hd(b)
	perFrame := func(b *testing.B, frames int) {
		b.ReportMetric(float64(frames)*float64(b.N)/b.Elapsed().Seconds(), "frames/s")
	}
	b.Run("carve", func(b *testing.B) {
		for b.Loop() {
			r := &run{in: in, out: filepath.Join(b.TempDir(), "o.mp4")}
			if err := r.do(context.Background(), func(*Frame) error { return nil }, quick); err != nil {
				b.Fatal(err)
			}
		}
		perFrame(b, 120)
	})
	b.Run("program", func(b *testing.B) {
		for b.Loop() {
			out := filepath.Join(b.TempDir(), "o.mp4")
			cmd := exec.Command(program(b, "ffmpeg"), "-nostdin", "-v", "error", "-i", in, "-c:v", "libx264", "-crf", "18", "-preset", "veryfast", out)
			if err := cmd.Run(); err != nil {
				b.Fatal(err)
			}
		}
		perFrame(b, 120)
	})
}

// BenchmarkFrame measures the work on each 1080p frame between decoder and encoder.
func BenchmarkFrame(b *testing.B) {
	s := &Source{Path: hd(b)}
	if err := s.Initialize(); err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	f, err := s.Read(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	defer f.Release()
	p := &Preparer{Info: s.Info(), MaxSide: 512}
	if err := p.Initialize(); err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	b.Run("prepare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := p.Prepare(f); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("luma", func(b *testing.B) {
		b.ReportAllocs()
		var luma []byte
		for b.Loop() {
			var err error
			if luma, err = f.Luma(luma); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("planes", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := f.Planes(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func resident(t testing.TB) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// TestSoakMemory reads, prepares, draws on and writes thousands of frames. The memory
// after a quarter of them must not grow until the end.
func TestSoakMemory(t *testing.T) {
	frames := int64(3000)
	if os.Getenv("CARVE_SOAK") == "" {
		frames = 600
	}
	in := ffmpeg(t, "long.mkv", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30:duration="+strconv.FormatInt(frames/30, 10),
		"-f", "lavfi", "-i", "sine=duration="+strconv.FormatInt(frames/30, 10), "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "flac")
	r := &run{in: in, out: filepath.Join(t.TempDir(), "o.mp4")}
	var p *Preparer
	var luma []byte
	var early int64
	err := r.do(context.Background(), func(f *Frame) error {
		if _, err := p.Prepare(f); err != nil {
			return err
		}
		var err error
		if luma, err = f.Luma(luma); err != nil {
			return err
		}
		planes, err := f.Planes()
		if err != nil {
			return err
		}
		clear(planes[0].Data[:1000])
		if f.Index == frames/4 {
			early = resident(t)
		}
		return nil
	}, func(src *Source, s *Sink) {
		s.Preset = "ultrafast"
		p = &Preparer{MaxSide: 256}
		// The preparer needs the size of the frames before Initialize.
		probe := &Source{Path: in}
		if err := probe.Initialize(); err != nil {
			t.Fatal(err)
		}
		defer probe.Close()
		p.Info = probe.Info()
		if err := p.Initialize(); err != nil {
			t.Fatal(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	late := resident(t)
	t.Logf("%d frames: %d MB after a quarter, %d MB at the end", frames, early>>20, late>>20)
	if grown := late - early; grown > 24<<20 {
		t.Errorf("memory grew by %d MB over %d frames", grown>>20, frames*3/4)
	}
}

// TestOpenAndClose checks that files which are opened and closed leave no handles or
// memory behind.
func TestOpenAndClose(t *testing.T) {
	in := clip(t, "c.mp4", "-c:v", "libx264")
	open := func() {
		s := &Source{Path: in}
		if err := s.Initialize(); err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		sink := &Sink{Path: filepath.Join(t.TempDir(), "o.mp4"), Source: s}
		if err := sink.Initialize(); err != nil {
			t.Fatal(err)
		}
		f, err := s.Read(context.Background())
		if err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		f.Release()
		sink.Abort()
	}
	for range 10 {
		open()
	}
	before := resident(t)
	for range 60 {
		open()
	}
	if grown := resident(t) - before; grown > 24<<20 {
		t.Errorf("memory grew by %d MB over 60 files", grown>>20)
	}
	if fds, err := os.ReadDir("/proc/self/fd"); err == nil && len(fds) > 60 {
		t.Errorf("%d open files", len(fds))
	}
}
