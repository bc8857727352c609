package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/carve-video/carve"
)

// TestSoakPipeline runs the whole program over thousands of frames, and checks that memory
// does not grow with the length of the video.
func TestSoakPipeline(t *testing.T) {
	if os.Getenv("CARVE_SOAK") == "" {
		t.Skip("minutes long: CARVE_SOAK=1, or make soak")
	}
	const frames = 3000
	dir := t.TempDir()
	in := filepath.Join(dir, "in.mkv")
	ff := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x96:r=25", "-f", "lavfi", "-i", "sine",
		"-frames:v", strconv.Itoa(frames), "-shortest", in)
	if out, err := ff.CombinedOutput(); err != nil {
		t.Fatalf("making a video: %v\n%s", err, out)
	}
	var o segmentOptions
	if err := newSegmentFlags(&o).Parse([]string{"-i", in, "-o", filepath.Join(dir, "out.mp4"), "-m", "demo",
		"-q", "dog", "-q", "pizza", "-q", "car", "--quiet", "--max-side", "96"}); err != nil {
		t.Fatal(err)
	}
	var early, late int64
	o.observers = []carve.Sink{carve.SinkFunc(func(_ context.Context, f *carve.Frame) error {
		switch f.Index {
		case frames / 4:
			early = resident(t)
		case frames - 50:
			late = resident(t)
		}
		return nil
	})}
	var out bytes.Buffer
	if _, err := segment(&o, &out, &out); err != nil {
		t.Fatal(err, out.String())
	}
	t.Logf("resident: %d MB at a quarter, %d MB at the end", early>>20, late>>20)
	if late-early > 32<<20 {
		t.Errorf("memory grew from %d to %d MB", early>>20, late>>20)
	}
}

// resident returns the process's resident memory in bytes.
func resident(t *testing.T) int64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(data))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
