package car

import (
	"bytes"
	"context"
	"testing"
)

// TestJudgeInputs: for the masks of a stage, JudgeInputs returns the images that the
// judge was given in that stage.
func TestJudgeInputs(t *testing.T) {
	for _, view := range []JudgeView{Window, Whole, CenterCrop} {
		wd := newWorld()
		preset := worldPreset()
		preset.View, preset.Prompts = view, [][]Prompt{{Blur, Circle}, {Black}}
		s := wd.segmenter(t, preset)
		img := wd.image()
		var masks [][]uint8
		var want []*Image
		s.Trace = func(tr *Trace) {
			for i, p := range tr.Proposals {
				if tr.Stage > 1 || tr.Inputs[i].Input == nil {
					continue
				}
				mask := make([]uint8, img.W*img.H)
				if !tr.Prompted[i] {
					clear(mask)
				} else {
					threshold(p.Heat, preset.Eta, mask)
				}
				masks, want = append(masks, mask), append(want, tr.Inputs[i].Input)
			}
		}
		if _, err := s.Segment(context.Background(), img, named("dog", "cat", "cow", "pig")); err != nil {
			t.Fatal(err)
		}
		if len(want) == 0 {
			t.Fatal("no image was judged")
		}
		masks = append(masks, make([]uint8, img.W*img.H))
		got := s.JudgeInputs(img, masks)
		if len(got) != 2*len(masks) {
			t.Fatalf("%d images of %d masks with 2 prompt sets", len(got), len(masks))
		}
		for i, w := range want {
			g := got[2*i]
			if g.W != w.W || g.H != w.H || !bytes.Equal(g.Pix, w.Pix) {
				t.Errorf("%v: the image of mask %d is not the judge's", view, i)
			}
		}
		// An empty mask leaves the image unprompted, whatever the prompt set.
		last := got[len(got)-2:]
		if !bytes.Equal(last[0].Pix, last[1].Pix) {
			t.Errorf("%v: an empty mask is prompted", view)
		}
	}
}
