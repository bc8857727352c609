//go:build cgo

package car_test

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/stickers"
	"github.com/carve-video/carve/models"
)

// wasteful says which savings are disabled.
type wasteful struct {
	templates int  // encode every prompted image this often, as if once for each template
	trunk     bool // run the trunk again for every text, as the reference does
	single    bool // compute the texts' gradients one by one
	maps      bool // forget maps between stages
	vectors   bool // forget the judge's vectors between stages
}

// wastefulProposer and wastefulFeatures disable the savings of the proposer.
type wastefulProposer struct {
	car.Proposer
	*wasteful
}

func (p wastefulProposer) Encode(ctx context.Context, img *car.Image) (car.Features, error) {
	v, err := p.Proposer.Encode(ctx, img)
	if err != nil {
		return nil, err
	}
	copied := &car.Image{Pix: slices.Clone(img.Pix), W: img.W, H: img.H}
	return wastefulFeatures{v, p, copied}, nil
}

type wastefulFeatures struct {
	car.Features
	p   wastefulProposer
	img *car.Image
}

func (v wastefulFeatures) CAM(ctx context.Context, directions [][]float32) ([][]float32, error) {
	if !v.p.trunk && !v.p.single {
		return v.Features.CAM(ctx, directions)
	}
	var maps [][]float32
	for _, d := range directions {
		features := v.Features
		if v.p.trunk {
			again, err := v.p.Proposer.Encode(ctx, v.img)
			if err != nil {
				return nil, err
			}
			defer again.Close()
			features = again
		}
		m, err := features.CAM(ctx, [][]float32{d})
		if err != nil {
			return nil, err
		}
		maps = append(maps, m...)
	}
	return maps, nil
}

type wastefulJudge struct {
	car.Judge
	*wasteful
	judged *int
}

func (j wastefulJudge) EncodeImages(ctx context.Context, images []*car.Image) ([][]float32, error) {
	for range j.templates - 1 {
		if _, err := j.Judge.EncodeImages(ctx, images); err != nil {
			return nil, err
		}
	}
	*j.judged += len(images) * max(j.templates, 1)
	return j.Judge.EncodeImages(ctx, images)
}

// A shrinkingLoop is a loop in which the test decides how many queries stay after
// each stage, whatever the models' scores are.
type shrinkingLoop struct {
	segmenter *car.Segmenter
	queries   []car.Query
	setSizes  []int // after each stage
	judged    int
	heat      []float32 // of the first query in the last stage
}

func newShrinkingLoop(tb testing.TB, f car.Proposer, g car.Judge, preset car.Preset, w *wasteful, stays []int) *shrinkingLoop {
	tb.Helper()
	l := &shrinkingLoop{setSizes: stays}
	for i := range stays[0] {
		name := stickers.Concepts()[i]
		l.queries = append(l.queries, car.Query{Label: name, Phrases: []string{name}, Theta: new(float32)})
	}
	var err error
	if l.segmenter, err = car.New(wastefulProposer{f, w}, wastefulJudge{g, w, &l.judged}, preset); err != nil {
		tb.Fatal(err)
	}
	return l
}

func (l *shrinkingLoop) run(tb testing.TB, img *car.Image, w *wasteful) (*car.Result, int) {
	tb.Helper()
	ctx := context.Background()
	bank, err := l.segmenter.EmbedQueries(ctx, l.queries)
	if err != nil {
		tb.Fatal(err)
	}
	encoded, err := l.segmenter.EncodeImage(ctx, img)
	if err != nil {
		tb.Fatal(err)
	}
	defer encoded.Close()
	// Trace is called after a stage is judged and before the filter reads thresholds.
	stage := 0
	l.segmenter.Trace = func(tr *car.Trace) {
		stage++
		l.heat = append(l.heat[:0], tr.Proposals[0].Heat...)
		for i := range l.queries {
			*l.queries[i].Theta = 0
			if i >= l.setSizes[min(stage, len(l.setSizes)-1)] {
				*l.queries[i].Theta = 1
			}
		}
		encoded.Forget(w.maps, w.vectors)
	}
	out, err := l.segmenter.Loop(ctx, encoded, bank)
	if err != nil {
		tb.Fatal(err)
	}
	res, err := l.segmenter.Refine(ctx, encoded, out)
	if err != nil {
		tb.Fatal(err)
	}
	return res, stage
}

// sameResult returns the share of pixels with another label and the largest
// difference of a score, and fails if the two did not find the same.
func sameResult(tb testing.TB, a, b *car.Result) (labels, score float64) {
	tb.Helper()
	if len(a.Found) != len(b.Found) || len(a.Stages) != len(b.Stages) {
		tb.Fatalf("found %d in %d stages, want %d in %d", len(b.Found), len(b.Stages), len(a.Found), len(a.Stages))
	}
	for i := range a.Found {
		if a.Found[i].Query != b.Found[i].Query {
			tb.Fatalf("found query %d, want %d", b.Found[i].Query, a.Found[i].Query)
		}
	}
	for i, l := range a.Labels {
		if b.Labels[i] != l {
			labels += 1 / float64(len(a.Labels))
		}
	}
	for i, st := range a.Stages {
		for j, s := range st.Scores {
			score = max(score, math.Abs(float64(s-b.Stages[i].Scores[j])))
		}
	}
	return labels, score
}

func largestDifference(a, b []float32) (d float64) {
	for i, v := range a {
		d = max(d, math.Abs(float64(v-b[i])))
	}
	return d
}

var ablations = []struct {
	name string
	wasteful
}{
	{"nothing", wasteful{}},
	{"an image a template", wasteful{templates: 15}},
	{"a trunk a text", wasteful{trunk: true}},
	{"a gradient a text", wasteful{single: true}},
	{"maps forgotten", wasteful{maps: true}},
	{"vectors forgotten", wasteful{vectors: true}},
}

// TestSavings: the savings change no result in any image.
func TestSavings(t *testing.T) {
	f, g := openPair(t, "demo", "demo", false)
	preset := presetNamed(t, "stickers")
	for i := range 6 {
		scene := stickers.NewScene(31000+uint64(i), stickers.MeasureOptions(i))
		img := car.FromImage(scene.Image)
		var want *car.Result
		var heat []float32
		judged := 0
		for _, a := range ablations {
			l := newShrinkingLoop(t, f, g, preset, &a.wasteful, []int{8, 5, 3, 1})
			got, stages := l.run(t, img, &a.wasteful)
			if want == nil {
				want, heat, judged = got, l.heat, l.judged
				if stages != 4 {
					t.Fatalf("%d stages", stages)
				}
				continue
			}
			labels, score := sameResult(t, want, got)
			if h := largestDifference(heat, l.heat); h > 1e-3 || score > 1e-3 || labels > 1e-3 {
				t.Errorf("scene %d, %s: heat differs by %g, scores by %g, %.2g of the labels", i, a.name, h, score, labels)
			}
			if a.vectors && l.judged < judged {
				t.Errorf("scene %d: %d images judged without reused vectors, %d with them", i, l.judged, judged)
			}
		}
	}
}

// BenchmarkSavings measures the loop at the published sizes, with all savings and
// with each of them disabled, over stages of 5, 3, 2 and 1 texts. It also reports how
// far the result is from the one with all savings.
func BenchmarkSavings(b *testing.B) {
	root := os.Getenv("CARVE_BENCH")
	if root == "" {
		b.Skip("set CARVE_BENCH to a folder with models of real size: go test -bench RateLoop ./models makes them")
	}
	b.Setenv("CARVE_CACHE", filepath.Join(root, "cache"))
	f, g := openPair(b, filepath.Join(root, "B16"), filepath.Join(root, "L14"), true)
	preset := presetNamed(b, "voc").Compat()
	d := rand.New(rand.NewPCG(5, 5))
	scene := stickers.NewScene(d.Uint64(), stickers.SceneOptions{Width: 500, Height: 375, Smallest: 60, Largest: 0.6, Counts: []float64{0, 0, 0, 0, 1}})
	img := car.FromImage(scene.Image)
	var want *car.Result
	var heat []float32
	for _, a := range ablations {
		b.Run(a.name, func(b *testing.B) {
			l := newShrinkingLoop(b, f, g, preset, &a.wasteful, []int{5, 3, 2, 1})
			got, _ := l.run(b, img, &wasteful{}) // sessions, memory
			for b.Loop() {
				l.judged = 0
				got, _ = l.run(b, img, &a.wasteful)
			}
			if want == nil {
				want, heat = got, l.heat
			}
			labels, score := sameResult(b, want, got)
			b.ReportMetric(100*labels, "%-labels-off")
			b.ReportMetric(score, "score-off")
			b.ReportMetric(largestDifference(heat, l.heat), "heat-off")
			b.ReportMetric(float64(l.judged), "judged")
		})
	}
}

func presetNamed(tb testing.TB, name string) car.Preset {
	tb.Helper()
	p, err := car.PresetNamed(name)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func openPair(tb testing.TB, f, g string, skipLastBlock bool) (car.Proposer, car.Judge) {
	tb.Helper()
	open := func(name string) *models.Model {
		m, err := models.Open(tb.Context(), name, models.Options{SkipLastBlock: skipLastBlock})
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { m.Close() })
		return m
	}
	p, err := open(f).Proposer()
	if err != nil {
		tb.Fatal(err)
	}
	j, err := open(g).Judge()
	if err != nil {
		tb.Fatal(err)
	}
	return p, j
}
