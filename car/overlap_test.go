package car

import (
	"context"
	"slices"
	"testing"
)

// TestOverlap: in one field masks do not overlap; with Overlap a part and the whole
// are both found, each as if it were refined alone.
func TestOverlap(t *testing.T) {
	queries := []Query{{Label: "pets", Phrases: []string{"dog", "cat"}}, Named("dog")}
	preset := worldPreset()
	preset.Theta = 0
	wd := newWorld()
	both := wd.truth("dog")
	for i, m := range wd.truth("cat") {
		both[i] |= m
	}
	shared := wd.segment(t, preset, queries...)
	meet := 0
	for i := range shared.Labels {
		sum := float32(0)
		n := uint8(0)
		for _, f := range shared.Found {
			n += f.Mask[i]
			sum += f.Probability[i]
		}
		if n > 1 || sum > 1+1e-4 {
			t.Fatalf("pixel %d: in %d masks, probabilities add up to %g", i, n, sum)
		}
	}
	preset.Overlap = true
	res := wd.segment(t, preset, queries...)
	if v, w := iou(res.Lookup(0).Mask, both), iou(res.Lookup(1).Mask, wd.truth("dog")); v < 0.8 || w < 0.8 {
		t.Errorf("IoU of pets %.2f, of dog %.2f", v, w)
	}
	if v, w := iou(shared.Lookup(0).Mask, both), iou(shared.Lookup(1).Mask, wd.truth("dog")); v > 0.7 && w > 0.7 {
		t.Errorf("without overlap IoU of pets is %.2f and of dog %.2f: they do not compete", v, w)
	}
	for i := range res.Labels {
		if res.Found[0].Mask[i]&res.Found[1].Mask[i] != 0 {
			meet++
		}
	}
	if meet == 0 {
		t.Error("the masks do not overlap")
	}

	// Each is the same as in a field of its own.
	ctx := context.Background()
	s := wd.segmenter(t, preset)
	bank, err := s.EmbedQueries(ctx, queries)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := s.EncodeImage(ctx, wd.image())
	if err != nil {
		t.Fatal(err)
	}
	defer encoded.Close()
	out, err := s.Loop(ctx, encoded, bank)
	if err != nil {
		t.Fatal(err)
	}
	together, err := s.Refine(ctx, encoded, out)
	if err != nil {
		t.Fatal(err)
	}
	kept := out.kept[0]
	for i := range kept {
		alone, err := s.Refine(ctx, encoded, &Outcome{bank: bank, kept: [][]Proposal{kept[i : i+1]}})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(alone.Found[0].Probability, together.Lookup(kept[i].Query).Probability) {
			t.Errorf("query %d differs when it is refined with others", kept[i].Query)
		}
	}
}

// TestStats checks the stats of an empty, a partial and a full mask.
func TestStats(t *testing.T) {
	const w, h = 10, 8
	f := Found{Mask: make([]uint8, w*h), Probability: make([]float32, w*h)}
	f.measure(w)
	if f.Stats != (Stats{}) {
		t.Errorf("an empty mask has %+v", f.Stats)
	}
	for y := 2; y < 5; y++ {
		for x := 6; x < 10; x++ {
			f.Mask[y*w+x], f.Probability[y*w+x] = 1, 0.75
		}
	}
	f.Mask[3*w+6] = 0
	f.measure(w)
	if f.Area != 11 || f.Coverage != 11./80 || f.Box.Min.X != 6 || f.Box.Max.X != 10 || f.Box.Min.Y != 2 || f.Box.Max.Y != 5 ||
		f.Confidence != 0.75 || f.CY != 3 || f.CX <= 7.5 || f.CX > 7.7 {
		t.Errorf("%+v", f.Stats)
	}
	for i := range f.Mask {
		f.Mask[i], f.Probability[i] = 1, 1
	}
	f.measure(w)
	if f.Area != w*h || f.Coverage != 1 || f.Box.Dx() != w || f.Box.Dy() != h || f.CX != 4.5 || f.CY != 3.5 || f.Confidence != 1 {
		t.Errorf("a full mask has %+v", f.Stats)
	}
}

// TestEnsemble: with several rows of prompts every mask is judged once with each, and
// the score is the mean over them.
func TestEnsemble(t *testing.T) {
	queries := named("dog", "cat", "cow")
	scores := func(rows ...[]Prompt) []float32 {
		wd := newWorld()
		preset := worldPreset()
		preset.JudgeTemplates = nil // a second softmax would not average
		preset.Prompts = rows
		s := wd.segmenter(t, preset)
		var out []float32
		s.Trace = func(tr *Trace) {
			if tr.Stage == 1 {
				// The unprompted image, of queries without heat, is the same in all rows.
				want, plain := 0, 0
				for _, prompted := range tr.Prompted {
					if prompted {
						want += len(rows)
					} else {
						plain = 1
					}
				}
				if wd.judged != want+plain {
					t.Errorf("%d images were judged, want %d", wd.judged, want+plain)
				}
				for _, row := range tr.Shares {
					for _, v := range row {
						out = append(out, float32(v))
					}
				}
			}
		}
		if _, err := s.Segment(context.Background(), wd.image(), queries); err != nil {
			t.Fatal(err)
		}
		return out
	}
	black, blur := scores([]Prompt{Black}), scores([]Prompt{Blur, Circle})
	both := scores([]Prompt{Black}, []Prompt{Circle, Blur})
	want := make([]float32, len(black))
	differ := false
	for i := range want {
		want[i] = (black[i] + blur[i]) / 2
		differ = differ || black[i] != blur[i]
	}
	near(t, "mean of two ways", both, want, 1e-6)
	if !differ {
		t.Error("both rows give the same scores")
	}
}

// TestFullAndEmpty: masks of the whole image, of no pixel and of one pixel are judged
// with every prompt and refined.
func TestFullAndEmpty(t *testing.T) {
	ctx := context.Background()
	for _, view := range []JudgeView{CenterCrop, Whole, Window} {
		for _, set := range [][]Prompt{promptOrder, {Circle}, {Contour}, {Black, Rectangle}, nil} {
			wd := newWorld()
			preset := worldPreset()
			preset.View, preset.Prompts = view, [][]Prompt{set}
			s := wd.segmenter(t, preset)
			bank, err := s.EmbedQueries(ctx, named("dog", "cat", "cow"))
			if err != nil {
				t.Fatal(err)
			}
			encoded, err := s.EncodeImage(ctx, wd.image())
			if err != nil {
				t.Fatal(err)
			}
			n := wd.w * wd.h
			full, empty, one := make([]float32, n), make([]float32, n), make([]float32, n)
			for i := range full {
				full[i] = 1
			}
			one[n-1] = 1
			kept := []Proposal{{Query: 0, Heat: full, sum: float64(n)}, {Query: 1, Heat: empty}, {Query: 2, Heat: one, sum: 1.5}}
			vectors, err := s.encodePrompted(ctx, encoded, &bank.passes[0], kept, nil)
			if err != nil || len(vectors) != 3 {
				t.Fatalf("%v %v: %v", view, set, err)
			}
			for _, overlap := range []bool{false, true} {
				s.preset.Overlap = overlap
				res, err := s.Refine(ctx, encoded, &Outcome{bank: bank, kept: [][]Proposal{kept}})
				if err != nil {
					t.Fatal(err)
				}
				if res.Lookup(0).Area < n*9/10 || res.Lookup(1).Area != 0 || res.Verdicts[1].Reason != NoPixels {
					t.Errorf("overlap %v: areas %d of %d and %d, reason %q", overlap, res.Lookup(0).Area, n, res.Lookup(1).Area, res.Verdicts[1].Reason)
				}
			}
			encoded.Close()
		}
	}
}
