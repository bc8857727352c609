package models_test

import (
	"os"
	"slices"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/democlip"
	"github.com/carve-video/carve/internal/golden"
	"github.com/carve-video/carve/models"
)

// TestAgreement compares the label maps of lower precisions with those of float32: the
// mean over the images of the mean IoU of the queries that either found, and the number of
// images in which the same queries are kept. With CARVE_AGREEMENT it uses all golden cases,
// whose models are random, so that scores are close together, and every eighth frame of the
// demo clip; without it, five frames of the clip.
//
// The thresholds are slightly below the measured values (docs/performance.md).
func TestAgreement(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	all := os.Getenv("CARVE_AGREEMENT") != ""
	for _, precision := range []string{models.Float16, models.Int8} {
		t.Run(precision, func(t *testing.T) {
			if all {
				a := agreementOnGoldens(t, precision)
				t.Logf("%s: golden cases: foreground mIoU %.4f, same queries in %d of %d", precision, a.iou(), a.same, a.images)
			}
			step := 24
			if all {
				step = 8
			}
			a := agreementOnClip(t, precision, step)
			t.Logf("%s: demo clip: foreground mIoU %.4f, same queries in %d of %d", precision, a.iou(), a.same, a.images)
			if a.iou() < .99 || a.same < a.images {
				t.Error("want a mIoU of 0.99 and the same queries everywhere")
			}
		})
	}
}

// An agreement accumulates the agreement of results with those of float32.
type agreement struct {
	sum          float64 // of mean IoUs
	same, images int
}

func (a *agreement) iou() float64 { return a.sum / float64(a.images) }

func (a *agreement) add(exact, other *car.Result) {
	a.images++
	if slices.Equal(kept(exact), kept(other)) {
		a.same++
	}
	both, either := map[uint16]int{}, map[uint16]int{}
	for i, l := range exact.Labels {
		m := other.Labels[i]
		either[l]++
		if l == m {
			both[l]++
		} else {
			either[m]++
		}
	}
	delete(either, 0)
	if len(either) == 0 {
		a.sum++
		return
	}
	sum := 0.0
	for l, n := range either {
		sum += float64(both[l]) / float64(n)
	}
	a.sum += sum / float64(len(either))
}

func kept(r *car.Result) (queries []int) {
	for _, f := range r.Found {
		queries = append(queries, f.Query)
	}
	return queries
}

func agreementOnGoldens(t *testing.T, precision string) *agreement {
	var a agreement
	for _, c := range golden.Cases(t) {
		var results [2][]*car.Result
		for i, p := range []string{models.Float32, precision} {
			o := models.Options{Precision: p, SkipLastBlock: true}
			f, g := openRoles(t, golden.Dir(t, "models", c.Models.F), golden.Dir(t, "models", c.Models.G), o)
			for _, run := range runsOf(c) {
				seg, err := car.New(f, g, run.preset(t))
				if err != nil {
					t.Fatal(err)
				}
				pix, w, h := golden.RGB(t, c.Path(c.Image.File))
				res, err := seg.Segment(t.Context(), &car.Image{Pix: pix, W: w, H: h}, run.queries())
				if err != nil {
					t.Fatal(err)
				}
				results[i] = append(results[i], res)
			}
		}
		for i, exact := range results[0] {
			a.add(exact, results[1][i])
		}
	}
	return &a
}

func agreementOnClip(t *testing.T, precision string, step int) *agreement {
	clip, err := democlip.Script()
	if err != nil {
		t.Fatal(err)
	}
	clip.Width, clip.Height = 320, 180
	if err := clip.Initialize(); err != nil {
		t.Fatal(err)
	}
	preset, err := car.PresetNamed("stickers")
	if err != nil {
		t.Fatal(err)
	}
	var segs [2]*car.Segmenter
	for i, p := range []string{models.Float32, precision} {
		f, g := openRoles(t, "demo", "demo", models.Options{Precision: p})
		if segs[i], err = car.New(f, g, preset); err != nil {
			t.Fatal(err)
		}
	}
	var queries []car.Query
	for _, name := range democlip.Queries {
		queries = append(queries, car.Named(name))
	}
	var a agreement
	for n := 0; n < clip.Frames; n += step {
		frame, _ := clip.Frame(n)
		img := car.FromImage(frame)
		exact, err := segs[0].Segment(t.Context(), img, queries)
		if err != nil {
			t.Fatal(err)
		}
		other, err := segs[1].Segment(t.Context(), img, queries)
		if err != nil {
			t.Fatal(err)
		}
		a.add(exact, other)
	}
	return &a
}

// openRoles opens a pair, which is closed with the test.
func openRoles(t *testing.T, proposer, judge string, o models.Options) (car.Proposer, car.Judge) {
	t.Helper()
	if device := os.Getenv("CARVE_TEST_DEVICE"); models.CheckDevice(device, nil, o.Precision) == nil {
		o.Device = device
	}
	open := func(name string) *models.Model {
		m, err := models.Open(t.Context(), name, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		return m
	}
	f, err := open(proposer).Proposer()
	if err != nil {
		t.Fatal(err)
	}
	g, err := open(judge).Judge()
	if err != nil {
		t.Fatal(err)
	}
	return f, g
}
