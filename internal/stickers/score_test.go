package stickers_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/democlip"
	"github.com/carve-video/carve/internal/stickers"
	"github.com/carve-video/carve/models"
)

var scenesDir = flag.String("scenes", "", "score the scenes in this folder, laid out as cmd/stickerworld does, and demand nothing of the figures")

// newSegmenter returns the demo model with its preset, as the program uses them.
func newSegmenter(tb testing.TB) *car.Segmenter {
	tb.Helper()
	preset, err := car.PresetNamed("stickers")
	if err != nil {
		tb.Fatal(err)
	}
	return newSegmenterOf(tb, preset)
}

func newSegmenterOf(tb testing.TB, preset car.Preset) *car.Segmenter {
	tb.Helper()
	ctx := context.Background()
	model, err := models.Open(ctx, "demo", models.Options{SkipLastBlock: preset.Quirks.SkipLastBlock})
	if errors.Is(err, models.ErrNoRuntime) && os.Getenv("CARVE_BUILD_ONNXRUNTIME") == "" {
		tb.Skip("no ONNX Runtime: run with scripts/env.sh")
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { model.Close() })
	proposer, err := model.Proposer()
	if errors.Is(err, models.ErrNoRuntime) && os.Getenv("CARVE_BUILD_ONNXRUNTIME") == "" {
		tb.Skip("no ONNX Runtime: run with scripts/env.sh")
	}
	if err != nil {
		tb.Fatal(err)
	}
	judge, err := model.Judge()
	if err != nil {
		tb.Fatal(err)
	}
	s, err := car.New(proposer, judge, preset)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// A tally counts as evaluate.py of the demo model does.
type tally struct {
	present, found, absent, kept int
	iou                          float64 // sum over present concepts; 0 for one not found
	spent                        time.Duration
	scenes                       int
}

func (s *tally) add(res *car.Result, queries []string, truth *stickers.Truth) {
	present := truth.Present()
	for i, name := range queries {
		f := res.Lookup(i)
		switch {
		case slices.Contains(present, name):
			s.present++
			if f != nil {
				s.found++
				s.iou += iou(f.Mask, truth.Mask(name))
			}
		case slices.Contains(truth.Ignored, name):
		default:
			s.absent++
			if f != nil {
				s.kept++
			}
		}
	}
	s.scenes++
}

func (s *tally) miou() float64   { return s.iou / float64(max(1, s.present)) }
func (s *tally) recall() float64 { return float64(s.found) / float64(max(1, s.present)) }
func (s *tally) stray() float64  { return float64(s.kept) / float64(max(1, s.absent)) }

func (s *tally) String() string {
	return fmt.Sprintf("%d scenes, %d present: mIoU %.3f (%.3f of those found), recall %.3f; %d absent: %.4f kept; %v a scene",
		s.scenes, s.present, s.miou(), s.iou/float64(max(1, s.found)), s.recall(), s.absent, s.stray(), (s.spent / time.Duration(max(1, s.scenes))).Round(time.Millisecond))
}

// iou is 1 for two empty masks.
func iou(a []uint8, b []bool) float64 {
	var both, either int
	for i := range b {
		if x := a[i] != 0; x && b[i] {
			both++
			either++
		} else if x || b[i] {
			either++
		}
	}
	if either == 0 {
		return 1
	}
	return float64(both) / float64(either)
}

// tenQueries returns up to four of the concepts present, and absent ones.
func tenQueries(truth *stickers.Truth, d *rand.Rand) []string {
	present := truth.Present()
	q := slices.Clone(present[:min(4, len(present))])
	all := stickers.Concepts()
	for _, i := range d.Perm(len(all)) {
		if len(q) < 10 && !slices.Contains(present, all[i]) && !slices.Contains(truth.Ignored, all[i]) {
			q = append(q, all[i])
		}
	}
	d.Shuffle(len(q), func(i, j int) { q[i], q[j] = q[j], q[i] })
	return q
}

func (s *tally) run(t *testing.T, seg *car.Segmenter, img *car.Image, truth *stickers.Truth, names []string) {
	t.Helper()
	queries := make([]car.Query, len(names))
	for i, name := range names {
		queries[i] = car.Named(name)
	}
	start := time.Now()
	res, err := seg.Segment(context.Background(), img, queries)
	if err != nil {
		t.Fatal(err)
	}
	s.spent += time.Since(start)
	s.add(res, names, truth)
}

// TestScore measures the demo model, our pipeline and its preset together: ten queries
// a scene, none to four of them present. The bounds are close to the measured figures.
// The preset's prompts were chosen on other scenes (seeds from 1770000), but among
// variants that were also compared on these. The number of scenes was raised from 48,
// where blur and grey alone kept .039 of the absent, to 120: the error of the mean is
// then about .02 in recall and .005 in the share kept. So this test guards against
// regressions; it is no estimate for unseen scenes. That estimate, from 150 scenes
// (seeds from 5550000) drawn once after all choices were made, is: mIoU .701, recall
// .844, absent kept .025. The model's own figures, with a simpler pipeline and no CRF,
// are .62, .85 and .02 (models/demo/metrics.json).
func TestScore(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	seg := newSegmenter(t)
	d := rand.New(rand.NewPCG(41, 1))
	var s tally
	if *scenesDir != "" {
		scoreFolder(t, seg, *scenesDir, d)
		return
	}
	scenes := 60
	if *many {
		scenes = 500
	}
	for i := range scenes {
		scene := stickers.NewScene(770000+uint64(i), stickers.MeasureOptions(i))
		s.run(t, seg, car.FromImage(scene.Image), scene.Truth, tenQueries(scene.Truth, d))
	}
	t.Log(&s)
	if s.miou() < .65 || s.recall() < .85 || s.stray() > .03 {
		t.Errorf("mIoU %.3f, want at least .65; recall %.3f, want at least .85; absent kept %.4f, want at most .03", s.miou(), s.recall(), s.stray())
	}
}

func scoreFolder(t *testing.T, seg *car.Segmenter, dir string, d *rand.Rand) {
	b, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var album stickers.Album
	if err := json.Unmarshal(b, &album); err != nil {
		t.Fatal(err)
	}
	var s tally
	for i, f := range album.Frames {
		img := readPNG(t, filepath.Join(dir, "frames", fmt.Sprintf("%05d.png", i)))
		labels, ok := readPNG(t, filepath.Join(dir, "annotations", fmt.Sprintf("%05d.png", i))).(*image.Paletted)
		if !ok {
			t.Fatalf("annotation %d is not an indexed picture", i)
		}
		truth := &stickers.Truth{W: img.Bounds().Dx(), H: img.Bounds().Dy(), Names: f.Labels, Ignored: f.Ignored, Labels: labels.Pix}
		s.run(t, seg, car.FromImage(img), truth, tenQueries(truth, d))
	}
	t.Log(&s)
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

// TestScoreDemoClip segments every eighth frame of the demo clip on its own, at the
// size of the preset, and checks the score of every concept. Memory across frames,
// which improves on this, is tested with the program.
func TestScoreDemoClip(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	seg := newSegmenter(t)
	clip, err := democlip.Script()
	if err != nil {
		t.Fatal(err)
	}
	clip.Width, clip.Height = 320, 180
	if err := clip.Initialize(); err != nil {
		t.Fatal(err)
	}
	scores := make(map[string]*tally)
	for _, name := range democlip.Queries {
		scores[name] = new(tally)
	}
	queries := make([]car.Query, len(democlip.Queries))
	for i, name := range democlip.Queries {
		queries[i] = car.Named(name)
	}
	for n := 0; n < clip.Frames; n += 8 {
		img, truth := clip.Frame(n)
		res, err := seg.Segment(context.Background(), car.FromImage(img), queries)
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range democlip.Queries {
			one := &car.Result{}
			if f := res.Lookup(i); f != nil {
				g := *f
				g.Query = 0
				one.Found = append(one.Found, g)
			}
			scores[name].add(one, []string{name}, truth)
		}
	}
	for _, name := range democlip.Present {
		s := scores[name]
		t.Logf("%-10s J %.3f over %d frames, missed in %d; kept in %d of %d frames without it", name, s.miou(), s.present, s.present-s.found, s.kept, s.absent)
		if s.miou() < .7 {
			t.Errorf("%s: J is %.3f, want at least .7", name, s.miou())
		}
	}
	for _, name := range democlip.Absent {
		if s := scores[name]; s.kept > 0 {
			t.Errorf("%s is never there and was found in %d of %d frames", name, s.kept, s.scenes)
		}
	}
}
