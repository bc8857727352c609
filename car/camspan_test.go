package car

import (
	"context"
	"math/rand/v2"
	"testing"
)

// TestCAMSpan: the map of a combination of known directions is the combination of
// their maps; no map is found for other directions.
func TestCAMSpan(t *testing.T) {
	d := rand.New(rand.NewPCG(1, 9))
	const dims, patches = 40, 60
	vector := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(d.NormFloat64())
		}
		return v
	}
	cam := make([][]float32, patches) // patches × dims
	for i := range cam {
		cam[i] = vector(dims)
	}
	mapOf := func(u []float32) []float32 {
		m := make([]float32, patches)
		for i := range m {
			m[i] = dot(cam[i], u)
		}
		return m
	}
	var s camSpan
	if _, ok := s.find(vector(dims)); ok {
		t.Error("an empty span finds a map")
	}
	var known [][]float32
	for range 6 {
		known = append(known, vector(dims))
	}
	// One that adds nothing to the span, and one that adds almost nothing.
	known = append(known, known[2])
	almost := append([]float32(nil), known[1]...)
	almost[3] += 1e-3
	known = append(known, almost)
	for _, u := range known {
		s.add(u, mapOf(u))
	}
	combine := func(weights ...float32) []float32 {
		u := make([]float32, dims)
		for k, w := range weights {
			for i, v := range known[k] {
				u[i] += w * v
			}
		}
		return u
	}
	for _, u := range [][]float32{combine(1), combine(0, 0, 0, 0, 0, 2), combine(0.3, -1, 0.01, 2, 4, -0.5), combine(1e-4, 1)} {
		got, ok := s.find(u)
		if !ok {
			t.Fatal("a combination is not found")
		}
		want := mapOf(u)
		top := 0.0
		for _, v := range want {
			top = max(top, float64(v), -float64(v))
		}
		near(t, "combination", got, want, 1e-5*top)
	}
	other := combine(1, 1)
	other[0] += 0.01
	for name, u := range map[string][]float32{"a new direction": vector(dims), "one a little beside": other, "nothing": make([]float32, dims)} {
		if _, ok := s.find(u); ok {
			t.Errorf("a map of %s is found", name)
		}
	}
	s.reset()
	if _, ok := s.find(known[0]); ok {
		t.Error("a direction is known after reset")
	}
}

// TestLaterStages: from the third stage on, and for the retry without background, the
// model is not run again, and the maps are those that it would compute.
func TestLaterStages(t *testing.T) {
	ctx := context.Background()
	wd := newWorld()
	preset := worldPreset()
	preset.Background = []string{"wall", "sky"}
	s := wd.segmenter(t, preset)
	bank, err := s.EmbedQueries(ctx, named("dog", "cat", "cow", "pig"))
	if err != nil {
		t.Fatal(err)
	}
	img := wd.image()
	encoded, err := s.EncodeImage(ctx, img)
	if err != nil {
		t.Fatal(err)
	}
	defer encoded.Close()
	p := &bank.passes[0]
	for _, set := range [][]int{{0, 1, 2, 3}, {0, 1, 2}, {0, 1}, {1}} {
		calls := len(wd.directions)
		got, err := s.propose(ctx, encoded, bank, p, set, bank.cam, nil)
		if err != nil {
			t.Fatal(err)
		}
		if called := len(wd.directions) > calls; called != (len(set) == 4) {
			t.Errorf("%d queries: the model was called: %v", len(set), called)
		}
		fresh, err := s.EncodeImage(ctx, img)
		if err != nil {
			t.Fatal(err)
		}
		want, err := s.propose(ctx, fresh, bank, p, set, bank.cam, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			near(t, bank.queries[want[i].Query].Label, got[i].Heat, want[i].Heat, 1e-4)
		}
		fresh.Close()
	}
}
