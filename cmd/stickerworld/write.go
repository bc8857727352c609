package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/carve-video/carve/internal/stickers"
)

// writeScenes renders scenes with the seeds seed, seed+1, …
func writeScenes(seed uint64, count int, training, dir string) error {
	w, h := 0, 0
	if training != "" {
		if _, err := fmt.Sscanf(training, "%dx%d", &w, &h); err != nil || w < 16 || h < 16 {
			return fmt.Errorf("%q is not a size like 144x96", training)
		}
	}
	folder := stickers.Folder{Dir: dir, Pictures: true}
	for i := range count {
		o := stickers.MeasureOptions(i)
		if training != "" {
			o = stickers.TrainingOptions(w, h)
		}
		s := stickers.NewScene(seed+uint64(i), o)
		if err := folder.Add(s.Image, s.Truth); err != nil {
			return err
		}
	}
	return folder.Finish(&stickers.Album{Frames: folder.Frames()})
}

func writeClip(script, out, strip string) error {
	clip, err := readScript(script)
	if err != nil {
		return err
	}
	dir := out
	encoded := strings.HasSuffix(out, ".mp4")
	if encoded {
		if dir, err = os.MkdirTemp("", "stickerworld-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	folder := stickers.Folder{Dir: dir, Pictures: true}
	var truths []*stickers.Truth
	for n := range clip.Len() {
		img, truth := clip.Frame(n)
		if err := folder.Add(img, truth); err != nil {
			return err
		}
		truths = append(truths, truth)
	}
	if err := folder.Finish(clip.Album(folder.Frames())); err != nil {
		return err
	}
	if strip != "" {
		all, err := stickers.Strip(truths)
		if err != nil {
			return err
		}
		if err := stickers.WritePNG(strip, all); err != nil {
			return err
		}
		// This truth.json is read at every start, so it has only what is needed there.
		album := stickers.Album{Absent: clip.Absent, Frames: folder.Frames()}
		if err := album.Write(filepath.Join(filepath.Dir(strip), "truth.json")); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "audio.wav"), clip.Sound(), 0o644); err != nil {
		return fmt.Errorf("writing the sound: %w", err)
	}
	if encoded {
		return encode(dir, clip.Rate.String(), out)
	}
	return nil
}

func readScript(name string) (*stickers.Clip, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	clip, err := stickers.ReadClip(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return clip, nil
}

// encode makes a video of the frames and the sound in dir. Colours are tagged, because
// players would guess otherwise. One thread and no encoder's signature make the same build
// of FFmpeg write the same bytes again.
func encode(dir, rate, out string) error {
	cmd := exec.Command("ffmpeg", "-loglevel", "error", "-y",
		"-framerate", rate, "-i", filepath.Join(dir, "frames", "%05d.png"),
		"-i", filepath.Join(dir, "audio.wav"),
		"-map", "0:v", "-map", "1:a",
		"-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p",
		"-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv",
		"-c:v", "libx264", "-preset", "veryslow", "-crf", "21", "-threads", "1",
		"-c:a", "aac", "-b:a", "64k",
		"-map_metadata", "-1", "-fflags", "+bitexact", "-flags", "+bitexact",
		"-movflags", "+faststart", out)
	if b, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("encoding %s with ffmpeg: %w: %s", out, err, bytes.TrimSpace(b))
	}
	return nil
}
