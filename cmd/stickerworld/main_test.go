package main

import (
	"encoding/json"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/carve-video/carve/internal/stickers"
)

const script = `{"width": 64, "height": 48, "rate": 25, "frames": 3, "seed": 1, "grain": 0,
 "tracks": [{"concept": "dog", "keys": [{"t": 0, "x": 0.5, "y": 0.5, "size": 0.8}, {"t": 1, "x": 0.6, "y": 0.5, "size": 0.8}]}], "absent": ["car"]}`

func scriptFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "script.yaml")
	if err := os.WriteFile(name, []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func readAlbum(t *testing.T, name string) (a stickers.Album) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func readPNG(t *testing.T, name string) image.Image {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestClipFolder(t *testing.T) {
	dir := t.TempDir()
	strip := filepath.Join(t.TempDir(), "strip.png")
	if err := run([]string{"clip", "--script", scriptFile(t), "--strip", strip, "-o", dir}); err != nil {
		t.Fatal(err)
	}
	a := readAlbum(t, filepath.Join(dir, "truth.json"))
	if len(a.Frames) != 3 || len(a.Absent) != 1 || len(a.Frames[2].Present) != 1 || a.Frames[2].Present[0] != "dog" {
		t.Errorf("truth.json: %+v", a)
	}
	if size := readPNG(t, filepath.Join(dir, "frames", "00002.png")).Bounds().Size(); size != image.Pt(64, 48) {
		t.Errorf("frame of %v", size)
	}
	labels := readPNG(t, filepath.Join(dir, "annotations", "00002.png")).(*image.Paletted)
	if labels.ColorIndexAt(32, 24) != 1 || labels.ColorIndexAt(0, 0) != 0 {
		t.Error("the dog is not in the middle of its annotation")
	}
	if wav, err := os.Stat(filepath.Join(dir, "audio.wav")); err != nil || wav.Size() != 44+4*3*stickers.SoundRate/25 {
		t.Errorf("sound: %v, %v", wav, err)
	}
	if size := readPNG(t, strip).Bounds().Size(); size != image.Pt(3*64, 48) {
		t.Errorf("strip of %v", size)
	}
}

func TestClipVideo(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("no program ffmpeg: run with scripts/env.sh")
	}
	out := filepath.Join(t.TempDir(), "clip.mp4")
	if err := run([]string{"clip", "--script", scriptFile(t), "-o", out}); err != nil {
		t.Fatal(err)
	}
	if s, err := os.Stat(out); err != nil || s.Size() < 1000 {
		t.Errorf("%v, %v", s, err)
	}
}

func TestScenes(t *testing.T) {
	dir := t.TempDir()
	if err := run([]string{"scenes", "--seed", "9", "--count", "2", "--training", "96x64", "-o", dir}); err != nil {
		t.Fatal(err)
	}
	if a := readAlbum(t, filepath.Join(dir, "truth.json")); len(a.Frames) != 2 {
		t.Errorf("%d scenes, want 2", len(a.Frames))
	}
	if size := readPNG(t, filepath.Join(dir, "frames", "00001.png")).Bounds().Size(); size != image.Pt(96, 64) {
		t.Errorf("scene of %v", size)
	}
}

func TestRefuses(t *testing.T) {
	for _, args := range [][]string{
		nil, {"film"}, {"clip", "-o", "x"}, {"clip", "--script", "missing.yaml", "-o", t.TempDir()},
		{"clip", "--script", "main.go", "-o", t.TempDir()}, {"scenes"}, {"scenes", "--training", "big", "-o", t.TempDir()}, {"scenes", "--nonsense"},
	} {
		if err := run(args); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
