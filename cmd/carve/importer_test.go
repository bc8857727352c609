package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/democlip"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
	"github.com/carve-video/carve/video"
)

// TestImporter: a job of package carve with default options produces the same pixels and
// decisions as the program without flags.
func TestImporter(t *testing.T) {
	if testing.Short() {
		t.Skip("the same code twice, and slow under the race detector")
	}
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(in("clip.mp4"), democlip.Clip, 0o644); err != nil {
		t.Fatal(err)
	}
	const frames = 40

	o := defaultOptions()
	o.input, o.output, o.explain, o.limit = in("clip.mp4"), in("program.mkv"), in("program.jsonl"), frames
	o.model, o.queries, o.quiet, o.progress = demo.Name, []string{"dog", "car", "pizza"}, true, "none"
	_, err := segment(o, io.Discard, io.Discard)
	needsRuntime(t, err)
	if err != nil {
		t.Fatal(err)
	}

	preset, err := car.PresetNamed("stickers")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := models.OpenPair(t.Context(), demo.Name, "", models.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pair.Close()
	segmenter, err := pair.Segmenter(preset)
	if err != nil {
		t.Fatal(err)
	}
	src := &video.Source{Path: in("clip.mp4")}
	if err := src.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	_, err = carve.Run(t.Context(), carve.Job{Source: src, Segmenter: segmenter, Limit: frames,
		Queries: []car.Query{car.Named("dog"), car.Named("car"), car.Named("pizza")},
		Sinks:   []carve.Sink{&carve.Overlay{Output: video.Sink{Path: in("package.mkv")}}, &carve.Decisions{Path: in("package.jsonl")}},
	})
	if err != nil {
		t.Fatal(err)
	}

	read := func(name string) []byte {
		t.Helper()
		data, err := os.ReadFile(in(name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	if a, b := read("program.jsonl"), read("package.jsonl"); len(a) == 0 || !bytes.Equal(a, b) {
		t.Error("the decisions differ")
	}
	if a, b := frameChecksums(t, in("program.mkv")), frameChecksums(t, in("package.mkv")); bytes.Count(a, []byte("\n")) < frames || !bytes.Equal(a, b) {
		t.Error("the pixels differ")
	}
}

// frameChecksums returns the checksums of a video's decoded frames.
func frameChecksums(t *testing.T, path string) []byte {
	t.Helper()
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", path, "-map", "0:v", "-f", "framemd5", "-").Output()
	if err != nil {
		t.Fatalf("decoding %s: %v", path, err)
	}
	return out
}
