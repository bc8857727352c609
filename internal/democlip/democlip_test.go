package democlip

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"testing"
)

// TestTruthIsTheScripts draws the script again: the truth stored beside the clip must
// be the same.
func TestTruthIsTheScripts(t *testing.T) {
	clip, err := Script()
	if err != nil {
		t.Fatal(err)
	}
	want, err := Truth()
	if err != nil {
		t.Fatal(err)
	}
	if len(want) != clip.Frames {
		t.Fatalf("truth of %d frames for a clip of %d", len(want), clip.Frames)
	}
	for n, w := range want {
		_, got := clip.Frame(n)
		if !slices.Equal(got.Names, w.Names) || !slices.Equal(got.Ignored, w.Ignored) || !slices.Equal(got.Present(), w.Present()) {
			t.Fatalf("frame %d: drawn %v, %v ignored; committed %v, %v ignored", n, got.Present(), got.Ignored, w.Present(), w.Ignored)
		}
		differ := 0
		for i := range w.Labels {
			if got.Labels[i] != w.Labels[i] {
				differ++
			}
		}
		// On other processors Go may fuse a multiplication and an addition, which can
		// change a pixel that is covered exactly by half.
		if differ > 4 {
			t.Errorf("frame %d: %d pixels of the truth differ from what the script gives", n, differ)
		}
	}
}

// TestStory checks what the clip is for: an object leaves and returns, one is covered,
// and one query is absent.
func TestStory(t *testing.T) {
	clip, err := Script()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := sorted(clip.Concepts()), sorted(Present); !slices.Equal(got, want) {
		t.Errorf("the script shows %v, Present is %v", got, want)
	}
	if !slices.Equal(clip.Absent, Absent) {
		t.Errorf("the script misses %v, Absent is %v", clip.Absent, Absent)
	}
	truth, err := Truth()
	if err != nil {
		t.Fatal(err)
	}
	comes := make(map[string]int)
	was := make(map[string]bool)
	area := make(map[string][]int)
	for _, f := range truth {
		for _, name := range Queries {
			m := f.Mask(name)
			n := 0
			for _, in := range m {
				if in {
					n++
				}
			}
			area[name] = append(area[name], n)
			is := n > 0
			if is && !was[name] {
				comes[name]++
			}
			was[name] = is
		}
	}
	if comes["car"] != 2 {
		t.Errorf("the car comes %d times, want 2", comes["car"])
	}
	if comes["pizza"] != 0 {
		t.Error("there is pizza")
	}
	if dog := area["dog"]; float64(slices.Min(dog)) > .7*float64(slices.Max(dog)) {
		t.Errorf("the dog is never well covered: from %d to %d pixels", slices.Min(dog), slices.Max(dog))
	}
}

// TestClipIsTheScript decodes the MP4 and compares every frame with a drawn one. It
// needs the programs ffmpeg and ffprobe.
func TestClipIsTheScript(t *testing.T) {
	ffmpeg, ffprobe := program(t, "ffmpeg"), program(t, "ffprobe")
	file := filepath.Join(t.TempDir(), "clip.mp4")
	if err := os.WriteFile(file, Clip, 0o644); err != nil {
		t.Fatal(err)
	}
	clip, err := Script()
	if err != nil {
		t.Fatal(err)
	}

	var probe struct {
		Streams []struct {
			Codec    string `json:"codec_name"`
			Duration string `json:"duration"`
			Frames   string `json:"nb_frames"`
		} `json:"streams"`
	}
	b, err := exec.Command(ffprobe, "-v", "error", "-of", "json", "-show_entries",
		"stream=codec_name,duration,nb_frames", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &probe); err != nil {
		t.Fatal(err)
	}
	if len(probe.Streams) != 2 || probe.Streams[0].Codec != "h264" || probe.Streams[1].Codec != "aac" {
		t.Fatalf("streams are %+v, want h264 and aac", probe.Streams)
	}
	if got, want := probe.Streams[0].Frames, strconv.Itoa(clip.Frames); got != want {
		t.Errorf("%s frames, want %s", got, want)
	}
	for _, s := range probe.Streams {
		if d, err := strconv.ParseFloat(s.Duration, 64); err != nil || math.Abs(d-clip.Seconds(clip.Len())) > .03 {
			t.Errorf("%s lasts %s s, the script %.3f s", s.Codec, s.Duration, clip.Seconds(clip.Len()))
		}
	}

	cmd := exec.Command(ffmpeg, "-loglevel", "error", "-i", file, "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	raw, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	frame := make([]byte, 3*clip.Width*clip.Height)
	for n := range clip.Frames {
		if _, err := io.ReadFull(raw, frame); err != nil {
			t.Fatalf("frame %d: %v: %s", n, err, stderr.String())
		}
		want, _ := clip.Frame(n)
		var sum float64
		for i := range clip.Width * clip.Height {
			for c := range 3 {
				sum += math.Abs(float64(frame[3*i+c]) - float64(want.Pix[4*i+c]))
			}
		}
		// A moved sticker or a wrong colour matrix differs by more than the codec's
		// losses.
		if mean := sum / float64(len(frame)); mean > 4.5 {
			t.Errorf("frame %d is %.1f levels off what the script gives, on average", n, mean)
		}
	}
	if n, _ := io.Copy(io.Discard, raw); n > 0 {
		t.Errorf("%d bytes more than %d frames", n, clip.Frames)
	}
}

func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no program %s: run with scripts/env.sh", name)
	}
	return path
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	sort.Strings(s)
	return s
}
