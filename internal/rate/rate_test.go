package rate

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
)

func TestMerge(t *testing.T) {
	p := models.Product{Batch: 1, M: 2, K: 3, N: 4, Weight: true, Count: 5}
	other, never := p, p
	other.Weight, other.Count = false, 1
	never.Count = 0
	want := p
	want.Count = 10
	if got := merge([]models.Product{p, other, never, p}); !slices.Equal(got, []models.Product{want, other}) {
		t.Errorf("merged to %+v", got)
	}
}

func TestMedian(t *testing.T) {
	times := []time.Duration{5, 1, 3}
	if m := Median(times); m != 3 {
		t.Errorf("the median is %d, want 3", m)
	}
	if !slices.Equal(times, []time.Duration{5, 1, 3}) {
		t.Errorf("the times were sorted: %v", times)
	}
}

// skipWithout skips the test if there is no ONNX Runtime.
func skipWithout(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, models.ErrNoRuntime) {
		t.Skip("no ONNX Runtime: run with scripts/env.sh")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestComparison: the first round does not count, operations are those of all products,
// and the share is their time over that of the whole.
func TestComparison(t *testing.T) {
	c, err := New([]models.Product{
		{Batch: 1, M: 8, K: 16, N: 4, Weight: true, Count: 3},
		{Batch: 2, M: 8, K: 16, N: 4, Count: 1},
	}, 1)
	skipWithout(t, err)
	defer c.Close()
	n := 0
	for range 3 {
		if err := c.Round(t.Context(), func(context.Context) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	r := c.Result()
	if n != 3 || len(c.whole) != 2 {
		t.Errorf("%d runs of which %d count, want 3 and 2", n, len(c.whole))
	}
	if want := 2.0 * 8 * 16 * 4 * (3 + 2); r.Operations != want {
		t.Errorf("%.0f operations, want %.0f", r.Operations, want)
	}
	if want := 3*r.Parts[0].Seconds + r.Parts[1].Seconds; r.Bare != want || r.Bare <= 0 {
		t.Errorf("the products took %g s, want %g", r.Bare, want)
	}
	broken := errors.New("broken")
	if err := c.Round(t.Context(), func(context.Context) error { return broken }); err != broken {
		t.Errorf("error %v, want %v", err, broken)
	}
}

// TestLoop: in the mode of the published code, the loop runs the trunk, a CAM of all
// queries, a CAM of the remaining ones, and judges an image for each mask.
func TestLoop(t *testing.T) {
	m, err := models.Open(t.Context(), demo.Name, models.Options{Device: "cpu", SkipLastBlock: true})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, err = m.Proposer()
	skipWithout(t, err)
	preset, err := car.PresetNamed("stickers")
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewLoop(t.Context(), m, m, preset.Compat(), noise(150, 100, 1), 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := m.Info().Patch
	w, h := (150+p-1)/p*p, (100+p-1)/p*p
	got := l.Products()
	for _, part := range [][]models.Product{m.TrunkProducts(w, h), m.JudgeProducts(m.Info().Resolution, m.Info().Resolution, int(l.Judged()))} {
		for _, q := range part {
			if q.Count > 0 && !slices.Contains(got, q) {
				t.Errorf("%+v is missing", q)
			}
		}
	}
	if l.Judged() < 1 || l.Judged() > 3 {
		t.Errorf("%g pictures were judged, want 1 to 3", l.Judged())
	}
	if o := l.Outside(); o <= 0 || o >= 1 {
		t.Errorf("%g of the time is outside the models", o)
	}
}
