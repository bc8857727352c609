package carve_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/democlip"
	"github.com/carve-video/carve/internal/stickers"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
)

// segmenter opens the demo model.
func segmenter(t testing.TB) *car.Segmenter {
	t.Helper()
	preset, err := car.PresetNamed("stickers")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := models.OpenPair(context.Background(), demo.Name, "", models.Options{})
	if errors.Is(err, models.ErrNoRuntime) && os.Getenv("CI") != "true" {
		t.Skip("no ONNX Runtime: run with scripts/env.sh")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pair.Close() })
	s, err := pair.Segmenter(preset)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// demoClip writes the demo clip to a file, and returns its path.
func demoClip(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.mp4")
	if err := os.WriteFile(path, democlip.Clip, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// open opens a video.
func open(t testing.TB, path string) *video.Source {
	t.Helper()
	src := &video.Source{Path: path}
	if err := src.Initialize(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(src.Close)
	return src
}

// job returns a short job on small images.
func job(t testing.TB, s *car.Segmenter) carve.Job {
	j := carve.Job{Source: open(t, demoClip(t)), Segmenter: s, MaxSide: 160, Limit: 20,
		Queries: []car.Query{car.Named("dog"), car.Named("car")}}
	if testing.Short() { // under the race detector
		j.MaxSide, j.Limit = 96, 10
	}
	return j
}

// each returns a sink that calls a function for each frame.
func each(do func(*carve.Frame)) carve.Sink {
	return carve.SinkFunc(func(_ context.Context, f *carve.Frame) error {
		do(f)
		return nil
	})
}

// listing returns the names of the files in a folder.
func listing(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// samples returns the checksum of the samples of a frame.
func samples(t testing.TB, f *video.Frame, info video.Info) [32]byte {
	planes, err := f.View()
	if err != nil {
		t.Error(err)
		return [32]byte{}
	}
	h := sha256.New()
	for i, p := range planes {
		w, rows := info.Width, info.Height
		if i > 0 { // yuv420p
			w, rows = w/2, rows/2
		}
		for y := 0; y < rows && p.Data != nil; y++ {
			h.Write(p.Data[y*p.Stride:][:w])
		}
	}
	return [32]byte(h.Sum(nil))
}

// TestSeveralSinks: one run writes two videos and a file of decisions, and calls a function.
// Each output is complete, both videos have sound, and no sink sees what an overlay draws.
func TestSeveralSinks(t *testing.T) {
	s := segmenter(t)
	j := job(t, s)
	info := j.Source.Info()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	var seen, want [][32]byte // checksums of frames
	layers, shown := 0, int64(0)
	inspect := each(func(f *carve.Frame) {
		seen = append(seen, samples(t, f.Decoded, info))
		layers += len(f.Layers)
		for _, l := range f.Layers {
			if l.Label == "dog" {
				shown++
			}
			if len(l.Mask) != info.Width*info.Height || l.Box.Empty() {
				t.Errorf("frame %d: %s has a mask of %d bytes and the box %v", f.Index, l.Label, len(l.Mask), l.Box)
			}
		}
	})
	j.Sinks = []carve.Sink{
		&carve.Overlay{Output: video.Sink{Path: in("a.mp4")}}, inspect,
		&carve.Overlay{Output: video.Sink{Path: in("b.mkv"), Preset: "ultrafast"}},
		&carve.Decisions{Path: in("why.jsonl")},
	}
	report, err := carve.Run(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	if got := listing(t, dir); !slices.Equal(got, []string{"a.mp4", "b.mkv", "why.jsonl"}) {
		t.Errorf("there are %v", got)
	}
	if report.Frames != j.Limit || len(seen) != int(j.Limit) || layers == 0 || report.KeyFrames == 0 {
		t.Errorf("%d frames in the report, %d seen, %d layers, %d key frames", report.Frames, len(seen), layers, report.KeyFrames)
	}
	if q := report.Queries[0]; q.Label != "dog" || q.Frames != shown || q.Judged == 0 || q.Presence == 0 {
		t.Errorf("%+v, and the dog has a mask in %d frames", q, shown)
	}
	plain := open(t, j.Source.(*video.Source).Path)
	for f, err := range plain.Each(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if want = append(want, samples(t, f.Frame, info)); len(want) == int(j.Limit) {
			break
		}
	}
	if !slices.Equal(seen, want) {
		t.Error("a sink sees other frames than the source gives")
	}
	for _, name := range []string{"a.mp4", "b.mkv"} {
		if n := probe(t, in(name), "v"); n != int(j.Limit) {
			t.Errorf("%s has %d frames", name, n)
		}
		if n := probe(t, in(name), "a"); n == 0 {
			t.Errorf("%s has no sound", name)
		}
	}
	f, err := os.Open(in("why.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	dogs, n := int64(0), int64(0)
	for ; lines.Scan(); n++ {
		var e tracking.Explanation
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.Frame != n || len(e.Queries) != 2 || e.Queries[0].Shown == nil {
			t.Fatalf("line %d: %s, %v", n, lines.Text(), err)
		}
		if *e.Queries[0].Shown {
			dogs++
		}
	}
	if n != j.Limit || dogs != shown {
		t.Errorf("%d decisions; the dog is shown in %d, and has a mask in %d", n, dogs, shown)
	}
}

// probe returns the number of packets of a stream.
func probe(t testing.TB, path, stream string) int {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-select_streams", stream, "-show_entries", "packet=pts", "-of", "csv=p=0", path).Output()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return len(strings.Fields(string(out)))
}

// TestFailures: whatever fails, no output remains, the files that were there before are
// restored, and every goroutine of the run has ended.
func TestFailures(t *testing.T) {
	s := segmenter(t)
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		set  func(j *carve.Job, cancel func())
		want error
	}{
		{"a sink fails to open", func(j *carve.Job, _ func()) { j.Sinks = append(j.Sinks, &failing{open: broken}) }, broken},
		{"a sink fails to write", func(j *carve.Job, _ func()) { j.Sinks = append(j.Sinks, &failing{write: broken}) }, broken},
		{"a stream fails to close", func(j *carve.Job, _ func()) { j.Sinks = append(j.Sinks, &failing{close: broken}) }, broken},
		{"the last check fails", func(j *carve.Job, _ func()) { j.Commit = func(func() error) error { return broken } }, broken},
		{"the context ends", func(j *carve.Job, cancel func()) {
			j.Sinks = append(j.Sinks, each(func(f *carve.Frame) {
				if f.Index == 7 {
					cancel()
				}
			}))
		}, context.Canceled},
		{"the context ends with the last frame", func(j *carve.Job, cancel func()) {
			j.Sinks = append(j.Sinks, each(func(f *carve.Frame) {
				if f.Index == j.Limit-1 {
					cancel()
				}
			}))
		}, context.Canceled},
		{"it is stopped before it begins", func(j *carve.Job, _ func()) {
			stop := make(chan struct{})
			close(stop)
			j.Stop = stop
		}, carve.ErrStopped},
		{"a sink panics", func(j *carve.Job, _ func()) { j.Sinks = append(j.Sinks, each(func(*carve.Frame) { panic(broken) })) }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := job(t, s)
			dir := t.TempDir()
			before := filepath.Join(dir, "why.jsonl")
			if err := os.WriteFile(before, []byte("before"), 0o644); err != nil {
				t.Fatal(err)
			}
			j.Sinks = []carve.Sink{&carve.Overlay{Output: video.Sink{Path: filepath.Join(dir, "a.mp4")}}, &carve.Decisions{Path: before, Overwrite: true}}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c.set(&j, cancel)
			_, err := carve.Run(ctx, j)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if text, _ := os.ReadFile(before); string(text) != "before" || len(listing(t, dir)) != 1 {
				t.Errorf("there are %v, and what was there is %q", listing(t, dir), text)
			}
		})
	}
}

// A failing sink returns these errors.
type failing struct{ open, write, close error }

func (s *failing) Open(context.Context, *carve.Stream) error { return s.open }
func (s *failing) Write(context.Context, *carve.Frame) error { return s.write }
func (s *failing) Close() error                              { return s.close }

// A lossy sink drops the frames that come while it is busy.
type lossy struct {
	carve.SinkFunc
}

func (lossy) Traits() carve.Traits { return carve.Traits{Name: "slow", Drop: true} }

// TestDrop: a sink that drops frames does not delay the others.
func TestDrop(t *testing.T) {
	j := job(t, segmenter(t))
	gate := make(chan struct{})
	var seen atomic.Int64
	all := 0
	j.Sinks = []carve.Sink{
		lossy{func(context.Context, *carve.Frame) error {
			seen.Add(1)
			<-gate
			return nil
		}},
		each(func(*carve.Frame) {
			if all++; int64(all) == j.Limit {
				close(gate)
			}
		}),
	}
	report, err := carve.Run(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	slow := report.Sinks[0]
	if slow.Name != "slow" || slow.Written != seen.Load() || slow.Written > 2 || slow.Dropped != j.Limit-slow.Written || report.Sinks[1].Written != j.Limit {
		t.Errorf("%+v, %d seen", report.Sinks, seen.Load())
	}
}

// TestStop: after Stop, the frames that were read are finished, and the output committed.
func TestStop(t *testing.T) {
	j := job(t, segmenter(t))
	j.Limit = 0
	stop := make(chan struct{})
	j.Stop = stop
	path := filepath.Join(t.TempDir(), "a.mp4")
	j.Sinks = []carve.Sink{&carve.Overlay{Output: video.Sink{Path: path}}, each(func(f *carve.Frame) {
		if f.Index == 5 {
			close(stop)
		}
	})}
	report, err := carve.Run(t.Context(), j)
	if err != nil || !report.Stopped || report.Frames < 6 || report.Frames > 60 {
		t.Fatalf("%+v, %v", report, err)
	}
	if n := probe(t, path, "v"); int64(n) != report.Frames {
		t.Errorf("%d frames are written, %d in the report", n, report.Frames)
	}
}

// TestAllHeldBack: a run with any look-ahead and batch ends, even if the source allows only
// one frame in use.
func TestAllHeldBack(t *testing.T) {
	s := segmenter(t)
	for _, tr := range []carve.Tracking{{Lookahead: 30, Every: 40}, {Every: 1, Batch: 9, Lookahead: 3}, {Stateless: true, Batch: 50}} {
		j := job(t, s)
		j.MaxSide = 64
		j.Source = &video.Source{Path: demoClip(t), Frames: 1}
		if err := j.Source.(*video.Source).Initialize(); err != nil {
			t.Fatal(err)
		}
		defer j.Source.(*video.Source).Close()
		j.Tracking = &tr
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		report, err := carve.Run(ctx, j)
		cancel()
		if err != nil || report.Frames != j.Limit {
			t.Errorf("%+v: %v, %v", tr, report, err)
		}
	}
}

// TestFrames: a loop gets every frame, and an error last. A loop that is left ends the run.
func TestFrames(t *testing.T) {
	s := segmenter(t)
	j := job(t, s)
	n := int64(0)
	for f, err := range carve.Frames(t.Context(), j) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Index != n {
			t.Errorf("frame %d comes as number %d", f.Index, n)
		}
		n++
	}
	if n != j.Limit {
		t.Errorf("%d frames", n)
	}

	j = job(t, s)
	path := filepath.Join(t.TempDir(), "a.mp4")
	j.Sinks = []carve.Sink{&carve.Overlay{Output: video.Sink{Path: path}}}
	for f := range carve.Frames(t.Context(), j) {
		if f.Index == 3 {
			break
		}
	}
	if got := listing(t, filepath.Dir(path)); len(got) > 0 {
		t.Errorf("a loop that was left has written %v", got)
	}

	func() {
		defer func() {
			if recover() == nil {
				t.Error("a panic in the loop is lost")
			}
		}()
		for range carve.Frames(t.Context(), job(t, s)) {
			panic("in the loop")
		}
	}()

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var failed error
	for f, err := range carve.Frames(ctx, job(t, s)) {
		if failed = err; err == nil && f.Index == 2 {
			cancel()
		}
	}
	if !errors.Is(failed, context.Canceled) {
		t.Errorf("error %v", failed)
	}
}

// TestJobs: an invalid job is an error before any sink is opened.
func TestJobs(t *testing.T) {
	s := segmenter(t)
	opened := false
	for name, spoil := range map[string]func(*carve.Job){
		"no source":     func(j *carve.Job) { j.Source = nil },
		"no segmenter":  func(j *carve.Job) { j.Segmenter = nil },
		"no query":      func(j *carve.Job) { j.Queries = nil },
		"a query twice": func(j *carve.Job) { j.Queries = []car.Query{car.Named("dog"), car.Named("dog")} },
		"no colour": func(j *carve.Job) {
			j.Queries = []car.Query{{Label: "dog", Phrases: []string{"dog"}, Colour: "nonsuch"}}
		},
		"a nil sink": func(j *carve.Job) { j.Sinks = append(j.Sinks, nil) },
		"the input": func(j *carve.Job) {
			j.Sinks = append(j.Sinks, &carve.Decisions{Path: j.Source.Info().Path, Overwrite: true})
		},
		"no open source": func(j *carve.Job) { j.Source = new(video.Source) },
		"a sink twice":   func(j *carve.Job) { j.Sinks = append(j.Sinks, j.Sinks[0]) },
		"a file twice": func(j *carve.Job) {
			path := filepath.Join(t.TempDir(), "a")
			j.Sinks = append(j.Sinks, &carve.Decisions{Path: path}, &carve.Decisions{Path: path, Overwrite: true})
		},
		"steady":     func(j *carve.Job) { j.Tracking = &carve.Tracking{Steady: 1} },
		"look-ahead": func(j *carve.Job) { j.Tracking = &carve.Tracking{Lookahead: -1} },
		"long side":  func(j *carve.Job) { j.MaxSide = -1 },
	} {
		j := job(t, s)
		j.Sinks = []carve.Sink{&opening{&opened}}
		spoil(&j)
		if _, err := carve.Run(t.Context(), j); err == nil || opened {
			t.Errorf("%s: error %v, opened %t", name, err, opened)
		}
	}
}

// An opening sink notes that it was opened, and checks its stream.
type opening struct{ opened *bool }

func (o *opening) Open(_ context.Context, s *carve.Stream) error {
	*o.opened = true
	if s.Source == nil || s.Info.Width == 0 || len(s.Queries) == 0 || s.Width <= 0 || s.Height <= 0 || s.Threads < 1 {
		return fmt.Errorf("a sink gets %+v", s)
	}
	return nil
}
func (*opening) Write(context.Context, *carve.Frame) error { return nil }
func (*opening) Close() error                              { return nil }

// A drawnSource is a source of frames that are drawn.
type drawnSource struct {
	video.Reel
	clip *stickers.Clip
	next int
}

func (p *drawnSource) Next(ctx context.Context) (*video.Frame, error) {
	if p.next == p.clip.Frames {
		return nil, io.EOF
	}
	img, _ := p.clip.Frame(p.next)
	p.next++
	return p.Frame(ctx, img, int64(p.next-1), 1)
}

// TestOwnSource: a run takes a source of another type.
func TestOwnSource(t *testing.T) {
	rate := video.Rational{Num: 25, Den: 1}
	p := &drawnSource{
		Reel: video.Reel{Width: 320, Height: 180, TimeBase: video.Rational{Num: 1, Den: 25}, Rate: rate},
		clip: &stickers.Clip{Width: 320, Height: 180, Rate: stickers.Rate(rate), Frames: 12, Seed: 3,
			Tracks: []stickers.Track{{Concept: "dog", Keys: []stickers.Key{{X: .3, Y: .5, Size: .6}, {T: 1, X: .4, Y: .5, Size: .6}}}}},
	}
	if err := p.clip.Initialize(); err != nil {
		t.Fatal(err)
	}
	if err := p.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	path := filepath.Join(t.TempDir(), "a.mp4")
	report, err := carve.Run(t.Context(), carve.Job{Source: p, Segmenter: segmenter(t), Queries: []car.Query{car.Named("dog"), car.Named("pizza")},
		Sinks: []carve.Sink{&carve.Overlay{Output: video.Sink{Path: path, Reel: &p.Reel}}, &opening{new(bool)}}})
	if err != nil {
		t.Fatal(err)
	}
	if report.Queries[0].Frames != 12 || report.Queries[1].Frames != 0 || report.End != 440*time.Millisecond || probe(t, path, "v") != 12 {
		t.Errorf("%+v", report)
	}
}

// TestSameAsSession: a run, whose stages run at once, has the results of a session in one
// goroutine.
func TestSameAsSession(t *testing.T) {
	s := segmenter(t)
	j := job(t, s)
	j.Limit *= 2
	digest := func(r *car.Result) string {
		text := fmt.Sprint(r.Labels)
		for _, f := range r.Found {
			text += fmt.Sprint(f.Query, f.Score, f.Presence, f.Probability)
		}
		return fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
	}
	var want []string
	session := carve.DefaultTracking().Session(s, j.Queries, 0)
	if err := session.Initialize(t.Context()); err != nil {
		t.Fatal(err)
	}
	take := func(steps []*tracking.Step) {
		for _, step := range steps {
			want = append(want, digest(step.Result))
			step.Close()
		}
	}
	for shot, err := range open(t, j.Source.(*video.Source).Path).Each(t.Context(), j.MaxSide) {
		if err != nil {
			t.Fatal(err)
		}
		if shot.Index == j.Limit {
			break
		}
		p, err := shot.Picture()
		if err != nil {
			t.Fatal(err)
		}
		steps, err := session.Next(t.Context(), &car.Image{Pix: slices.Clone(p.Pix), W: p.W, H: p.H}, shot.Time())
		if err != nil {
			t.Fatal(err)
		}
		take(steps)
	}
	take(session.Flush())
	n := 0
	for f, err := range carve.Frames(t.Context(), j) {
		if err != nil {
			t.Fatal(err)
		}
		if got := digest(f.Result); got != want[n] {
			t.Fatalf("frame %d differs", n)
		}
		n++
	}
	if n != len(want) || n != int(j.Limit) {
		t.Errorf("%d frames, %d of the session", n, len(want))
	}
}

// TestControl: the queries of a run change while it goes on.
func TestControl(t *testing.T) {
	j := job(t, segmenter(t))
	j.Queries = j.Queries[:1] // a dog
	var control carve.Control
	j.Control = &control
	if _, err := control.SetQueries(t.Context(), j.Queries); !errors.Is(err, carve.ErrNotRunning) {
		t.Errorf("before the run: %v", err)
	}
	labels := func(queries []car.Query) (s []string) {
		for _, q := range queries {
			s = append(s, fmt.Sprint(q.ID, " ", q.Label))
		}
		return s
	}
	colour := map[int][3]uint8{}
	changed := int64(-1)
	j.Sinks = []carve.Sink{carve.SinkFunc(func(ctx context.Context, f *carve.Frame) error {
		for _, l := range f.Layers {
			q := f.Queries[l.Query]
			if c, ok := colour[q.ID]; ok && c != l.Colour {
				t.Errorf("frame %d: %s changes its colour", f.Index, q.Label)
			}
			colour[q.ID] = l.Colour
		}
		if len(f.Decision.Queries) != len(f.Queries) {
			t.Errorf("frame %d: %d decisions about %d queries", f.Index, len(f.Decision.Queries), len(f.Queries))
		}
		switch {
		case f.Index == 2:
			set, err := control.SetQueries(ctx, []car.Query{car.Named("car"), {ID: 1, Label: "my dog", Phrases: []string{"dog"}}})
			if err != nil || !slices.Equal(labels(set), []string{"2 car", "1 my dog"}) {
				t.Errorf("%v, %v", labels(set), err)
			}
			for _, bad := range [][]car.Query{nil, {car.Named("a"), car.Named("a")}, {{Label: "a", Phrases: []string{"a"}, Colour: "nonsuch"}}} {
				if _, err := control.SetQueries(ctx, bad); err == nil {
					t.Errorf("%v is accepted", bad)
				}
			}
			if got := labels(control.Queries()); !slices.Equal(got, labels(set)) {
				t.Errorf("%v is set", got)
			}
		case changed < 0 && len(f.Queries) == 2:
			changed = f.Index
		case changed >= 0 && !slices.Equal(labels(f.Queries), []string{"2 car", "1 my dog"}):
			t.Errorf("frame %d has %v", f.Index, labels(f.Queries))
		}
		return nil
	})}
	j.Limit = 40
	report, err := carve.Run(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	if changed < 3 || changed > 30 {
		t.Errorf("the queries changed at frame %d", changed)
	}
	q := report.Queries
	if len(q) != 2 || q[0].ID != 1 || q[0].Label != "my dog" || q[0].Frames != 40 || q[1].ID != 2 || q[1].Evaluated == 0 {
		t.Errorf("%+v", q)
	}
	if _, err := control.SetQueries(t.Context(), j.Queries); !errors.Is(err, carve.ErrNotRunning) {
		t.Errorf("after the run: %v", err)
	}
	j.Source = open(t, demoClip(t))
	if _, err := carve.Run(t.Context(), j); err == nil {
		t.Error("one control is accepted for two runs")
	}
}

// TestOneSegmenter: a segmenter that is in use is refused.
func TestOneSegmenter(t *testing.T) {
	s := segmenter(t)
	for f, err := range carve.Frames(t.Context(), job(t, s)) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := carve.Run(t.Context(), job(t, s)); !errors.Is(err, carve.ErrBusy) {
			t.Errorf("a second run beside frame %d: %v", f.Index, err)
		}
		break
	}
	if _, err := carve.Run(t.Context(), job(t, s)); err != nil {
		t.Errorf("after it: %v", err)
	}
}

// TestReadOnce: a second loop over the same frames, and a closed source, are errors.
func TestReadOnce(t *testing.T) {
	s := segmenter(t)
	j := job(t, s)
	j.Limit = 0
	j.Source = open(t, still(t))
	frames := carve.Frames(t.Context(), j)
	for again := range 2 {
		n := 0
		var failed error
		for _, err := range frames {
			if failed = err; err == nil {
				n++
			}
		}
		if again == 0 && (n != 1 || failed != nil) || again == 1 && (n != 0 || !errors.Is(failed, carve.ErrNoFrames)) {
			t.Errorf("loop %d: %d frames, %v", again, n, failed)
		}
	}
	j.Source.(*video.Source).Close()
	if _, err := carve.Run(t.Context(), j); err == nil || errors.Is(err, carve.ErrNoFrames) {
		t.Errorf("a closed source: %v", err)
	}
}

// TestBegun: a source that has been read from is refused before any sink is opened.
func TestBegun(t *testing.T) {
	j := job(t, segmenter(t))
	f, err := j.Source.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.Release()
	j.Sinks = []carve.Sink{&failing{open: errors.New("opened")}}
	if _, err := carve.Run(t.Context(), j); !errors.Is(err, carve.ErrBegun) {
		t.Errorf("error %v, want %v", err, carve.ErrBegun)
	}
}

// still writes an image, and returns its path.
func still(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "still.png")
	if out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=96x64", "-frames:v", "1", path).CombinedOutput(); err != nil {
		t.Fatalf("making an image: %v: %s", err, out)
	}
	return path
}

// TestCommit: if a job's Commit does not call name once and return nil, Run fails and no
// output remains.
func TestCommit(t *testing.T) {
	s := segmenter(t)
	for name, commit := range map[string]func(name func() error) error{
		"names, and fails": func(name func() error) error { return errors.Join(name(), errors.New("too late")) },
		"names nothing":    func(func() error) error { return nil },
		"names twice":      func(name func() error) error { return errors.Join(name(), name()) },
	} {
		j := job(t, s)
		j.Limit = 3
		dir := t.TempDir()
		j.Sinks = []carve.Sink{&carve.Decisions{Path: filepath.Join(dir, "a")}}
		j.Commit = commit
		if _, err := carve.Run(t.Context(), j); err == nil || len(listing(t, dir)) > 0 {
			t.Errorf("%s: error %v, and there are %v", name, err, listing(t, dir))
		}
	}
}

// A waitingSource gives one frame, and then waits until it is interrupted.
type waitingSource struct {
	*video.Source
	given       bool
	interrupted chan struct{}
}

func (w *waitingSource) Next(ctx context.Context) (*video.Frame, error) {
	if !w.given {
		w.given = true
		return w.Source.Next(ctx)
	}
	select {
	case <-w.interrupted:
		return nil, io.EOF
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (w *waitingSource) Interrupt() { close(w.interrupted) }

// TestStopWaiting: a run that is stopped interrupts a source that waits.
func TestStopWaiting(t *testing.T) {
	j := job(t, segmenter(t))
	tr := carve.DefaultTracking()
	tr.Lookahead = 0
	j.Tracking = &tr
	j.Source = &waitingSource{Source: j.Source.(*video.Source), interrupted: make(chan struct{})}
	stop := make(chan struct{})
	j.Stop = stop
	j.Sinks = []carve.Sink{each(func(*carve.Frame) { close(stop) })}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	report, err := carve.Run(ctx, j)
	if err != nil || report.Frames != 1 || !report.Stopped {
		t.Errorf("%+v, %v", report, err)
	}
}
