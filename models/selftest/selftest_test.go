package selftest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/stickers"
)

// A fakeJudge is a judge that recognises every image by its bytes.
type fakeJudge struct {
	scale float32
	names map[string]int // by an image's bytes
	wrong int            // number of plain images that get the vector of the next one
	same  bool           // whether all vectors are the same
}

func newFakeJudge(t *testing.T) *fakeJudge {
	t.Helper()
	f := &fakeJudge{scale: 100, names: map[string]int{}}
	for i, name := range stickers.Concepts() {
		for _, paled := range []bool{false, true} {
			img, err := draw(name, f.InputSize(), backgrounds[i%len(backgrounds)], paled)
			if err != nil {
				t.Fatal(err)
			}
			f.names[string(img.Pix)] = i
		}
	}
	return f
}

func (f *fakeJudge) InputSize() int      { return 32 }
func (f *fakeJudge) PatchSize() int      { return 8 }
func (f *fakeJudge) LogitScale() float32 { return f.scale }

// vector returns the unit vector of a name: one axis per name.
func (f *fakeJudge) vector(i int) []float32 {
	v := make([]float32, len(stickers.Concepts()))
	if f.same {
		i = 0
	}
	v[i%len(v)] = 1
	return v
}

func (f *fakeJudge) EncodeTexts(_ context.Context, texts []string) (out [][]float32, err error) {
	for i, text := range texts {
		if want := "a photo of a " + strings.ToUpper(stickers.Concepts()[i]) + "."; text != want {
			return nil, fmt.Errorf("the text is %q, want %q", text, want)
		}
		out = append(out, f.vector(i))
	}
	return out, nil
}

func (f *fakeJudge) EncodeImages(_ context.Context, images []*car.Image) (out [][]float32, err error) {
	for k, img := range images {
		i, ok := f.names[string(img.Pix)]
		if !ok {
			return nil, fmt.Errorf("image %d is not a sticker", k)
		}
		if k < f.wrong && len(images) == 64 {
			i++
		}
		out = append(out, f.vector(i))
	}
	return out, nil
}

func TestMeasure(t *testing.T) {
	for name, c := range map[string]struct {
		change      func(f *fakeJudge)
		plain, pale int
		doubt       string // part of the doubts; empty for none
	}{
		"right":            {func(*fakeJudge) {}, 64, 32, ""},
		"just enough":      {func(f *fakeJudge) { f.wrong = 8 }, 56, 32, ""},
		"too few":          {func(f *fakeJudge) { f.wrong = 9 }, 55, 32, "names 55 of 64 stickers right, and at least 56"},
		"always the same":  {func(f *fakeJudge) { f.same = true }, 0, 0, "names 0 of 64 stickers right, and at least 56"},
		"a scale too low":  {func(f *fakeJudge) { f.scale = 1 }, 64, 32, "sure of 0.0"},
		"a scale too high": {func(f *fakeJudge) { f.scale = 200 }, 64, 32, "its scale is 200"},
	} {
		judge := newFakeJudge(t)
		c.change(judge)
		f, err := Measure(t.Context(), judge)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if f.Plain.Right != c.plain || f.Pale.Right != c.pale || f.Plain.Images != 64 || f.Pale.Images != 32 {
			t.Errorf("%s: %+v", name, f)
		}
		doubts := strings.Join(f.Doubts(), "; ")
		if (doubts == "") != (c.doubt == "") || !strings.Contains(doubts, c.doubt) {
			t.Errorf("%s: doubts %q, want %q", name, doubts, c.doubt)
		}
		if n := 96 - c.plain - c.pale; len(f.Confusions) != n {
			t.Errorf("%s: %d confusions, want %d", name, len(f.Confusions), n)
		}
		if name == "too few" && (f.Confusions[0].Shown != "dog" || f.Confusions[0].Named != "cat" || f.Confusions[0].By != 100) {
			t.Errorf("%s: %+v", name, f.Confusions[0])
		}
	}
}

// TestPale: a pale sticker has half the contrast, and the background is unchanged.
func TestPale(t *testing.T) {
	ground := backgrounds[2]
	full, err := draw("dog", 48, ground, false)
	if err != nil {
		t.Fatal(err)
	}
	half, err := draw("dog", 48, ground, true)
	if err != nil {
		t.Fatal(err)
	}
	corner := []uint8{ground.R, ground.G, ground.B}
	if !bytes.Equal(full.Pix[:3], corner) || !bytes.Equal(half.Pix[:3], corner) {
		t.Errorf("the corner is %v and %v, want %v", full.Pix[:3], half.Pix[:3], corner)
	}
	changed := 0
	for i, v := range full.Pix {
		want := (float64(corner[i%3]) + float64(v)) / 2
		if d := float64(half.Pix[i]) - want; d < -0.5 || d > 0.5 {
			t.Fatalf("pixel %d is %d, want %.1f", i, half.Pix[i], want)
		}
		if v != corner[i%3] {
			changed++
		}
	}
	if changed < len(full.Pix)/10 {
		t.Errorf("the sticker has %d of %d samples", changed, len(full.Pix))
	}
	for _, c := range []struct {
		name string
		side int
	}{{"nothing", 48}, {"dog", 0}, {"dog", 1 << 20}} {
		if _, err := draw(c.name, c.side, ground, false); err == nil {
			t.Errorf("drew %q at %d", c.name, c.side)
		}
	}
}
