package video

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The ffmpeg program of the build under test makes the test files, and its ffprobe
// checks the results. They share only FFmpeg with this package.

func program(t testing.TB, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing: run through scripts/env.sh", name)
		}
		t.Skipf("%s is missing: run through scripts/env.sh", name)
	}
	return p
}

// ffmpeg makes a file in a temporary folder. args are those before the output.
func ffmpeg(t testing.TB, name string, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), name)
	args = append([]string{"-nostdin", "-hide_banner", "-loglevel", "error", "-y"}, args...)
	cmd := exec.Command(program(t, "ffmpeg"), append(args, out)...)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, b)
	}
	return out
}

func output(t testing.TB, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program(t, name), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	b, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, stderr.String())
	}
	return string(b)
}

// probe asks ffprobe for everything about a file.
type probe struct {
	Streams []struct {
		Index      int    `json:"index"`
		Codec      string `json:"codec_name"`
		Kind       string `json:"codec_type"`
		Tag        string `json:"codec_tag_string"`
		Width      int    `json:"width"`
		Height     int    `json:"height"`
		PixFmt     string `json:"pix_fmt"`
		SAR        string `json:"sample_aspect_ratio"`
		Range      string `json:"color_range"`
		Space      string `json:"color_space"`
		Transfer   string `json:"color_transfer"`
		Primaries  string `json:"color_primaries"`
		Chroma     string `json:"chroma_location"`
		FieldOrder string `json:"field_order"`
		RRate      string `json:"r_frame_rate"`
		AvgRate    string `json:"avg_frame_rate"`
		TimeBase   string `json:"time_base"`
		StartPTS   int64  `json:"start_pts"`
		DurationTS int64  `json:"duration_ts"`
		Duration   string `json:"duration"`
		Frames     string `json:"nb_read_frames"`
		Side       []struct {
			Type     string  `json:"side_data_type"`
			Matrix   string  `json:"displaymatrix"`
			Rotation float64 `json:"rotation"`
		} `json:"side_data_list"`
		Disposition map[string]int    `json:"disposition"`
		Tags        map[string]string `json:"tags"`
	} `json:"streams"`
	Format struct {
		Name     string            `json:"format_name"`
		Duration string            `json:"duration"`
		Tags     map[string]string `json:"tags"`
	} `json:"format"`
	Chapters []struct {
		Start string            `json:"start_time"`
		End   string            `json:"end_time"`
		Tags  map[string]string `json:"tags"`
	} `json:"chapters"`
}

func ffprobe(t testing.TB, path string) (p probe) {
	t.Helper()
	out := output(t, "ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format", "-show_chapters", "-count_frames", path)
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// timestamps lists the presentation times of the frames, in seconds as ffprobe prints
// them or in ticks.
func timestamps(t testing.TB, path, entry string) []string {
	t.Helper()
	out := output(t, "ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame="+entry, "-of", "csv=p=0", path)
	var l []string
	for line := range strings.Lines(out) {
		if line = strings.Trim(line, ", \n\r"); line != "" {
			l = append(l, line)
		}
	}
	return l
}

// packets lists time, size and hash of every packet of a kind of stream.
func packets(t testing.TB, path, selector, entries string) []string {
	t.Helper()
	out := output(t, "ffprobe", "-v", "error", "-select_streams", selector, "-show_packets", "-show_data_hash", "md5",
		"-show_entries", "packet="+entries, "-of", "csv=p=0", path)
	var l []string
	for line := range strings.Lines(out) {
		// Side data follows in further columns and lines, which are ignored.
		if f := strings.Split(strings.TrimSpace(line), ","); len(f) > strings.Count(entries, ",") {
			l = append(l, strings.Join(f[:strings.Count(entries, ",")+1], ","))
		}
	}
	return l
}

// frameHashes hashes the decoded frames, without their times and without rotation.
func frameHashes(t testing.TB, path string, args ...string) []string {
	t.Helper()
	a := append([]string{"-v", "error", "-noautorotate", "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough"}, args...)
	out := output(t, "ffmpeg", append(a, "-f", "framemd5", "-")...)
	var l []string
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSpace(line), ",")
		l = append(l, strings.TrimSpace(f[len(f)-1]))
	}
	return l
}

// A journal records what is logged.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: level}))
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, strings.TrimSpace(string(b)))
	return len(b), nil
}

func (j *journal) all() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.lines, "\n")
}

func (j *journal) count(part string) (n int) {
	for line := range strings.SplitSeq(j.all(), "\n") {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}

// A run is a file converted by the package.
type run struct {
	in, out string
	info    Info
	damage  Damage
	lost    []Loss
	frames  int64
	log     journal
}

// transcode reads in and writes name in the same folder. Reading and encoding run in
// separate goroutines, as in a real pipeline.
func transcode(t testing.TB, in, name string, set ...func(*Source, *Sink)) *run {
	t.Helper()
	r := &run{in: in, out: filepath.Join(t.TempDir(), name)}
	if err := r.do(context.Background(), func(*Frame) error { return nil }, set...); err != nil {
		t.Fatalf("%s to %s: %v\n%s", in, name, err, r.log.all())
	}
	return r
}

func lossless(_ *Source, s *Sink) { s.Lossless, s.Preset = true, "ultrafast" }
func quick(_ *Source, s *Sink)    { s.Preset = "veryfast" }

func (r *run) do(ctx context.Context, touch func(*Frame) error, set ...func(*Source, *Sink)) error {
	src := &Source{Path: r.in, Log: r.log.logger(slog.LevelInfo)}
	sink := &Sink{Path: r.out, Source: src, Log: r.log.logger(slog.LevelInfo), Preset: "veryfast"}
	for _, f := range set {
		f(src, sink)
	}
	if err := src.Initialize(); err != nil {
		return err
	}
	defer src.Close()
	r.info = src.Info()
	if err := sink.Initialize(); err != nil {
		return err
	}
	defer sink.Abort()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ch := make(chan *Frame, 4)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(ch)
		for {
			f, err := src.Read(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				cancel(err)
				return
			}
			ch <- f
		}
	})
	for f := range ch {
		if ctx.Err() == nil {
			err := touch(f)
			if err == nil {
				err = sink.Encode(ctx, f)
			}
			if err != nil {
				cancel(err)
			}
		}
		f.Release()
	}
	wg.Wait()
	r.damage = src.Damage()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	r.frames = sink.Frames()
	if err := sink.Finish(); err != nil {
		return err
	}
	r.lost = sink.Lost()
	return nil
}

func sameList(t testing.TB, what string, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	for i := range max(len(got), len(want)) {
		g, w := "(none)", "(none)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("%s: %d against %d wanted; first difference at %d: %s, want %s", what, len(got), len(want), i, g, w)
			return
		}
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// sameTime checks that the video of both files has the same times, in ticks if the time
// bases are equal, and in seconds.
func sameTime(t testing.TB, in, out string) {
	t.Helper()
	sameList(t, "pts", timestamps(t, out, "pts_time"), timestamps(t, in, "pts_time"))
}

var _ = fmt.Sprint
