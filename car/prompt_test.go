package car

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestPromptNames(t *testing.T) {
	for _, p := range promptOrder {
		if got, err := ParsePrompt(string(p)); err != nil || got != p {
			t.Errorf("%s: %s, %v", p, got, err)
		}
	}
	if _, err := ParsePrompt("glow"); err == nil || !strings.Contains(err.Error(), "blur, gray, black, circle, rectangle, contour") {
		t.Errorf("error %v does not list the prompts", err)
	}
	// The order in which prompts are given makes no difference.
	if promptSet([]Prompt{Circle, Blur}) != promptSet([]Prompt{Blur, Circle, Blur}) {
		t.Error("the order matters")
	}
}

// TestBlurReflects compares the fast path in the middle with the plain definition at
// all sizes around that of the kernel.
func TestBlurReflects(t *testing.T) {
	d := rand.New(rand.NewPCG(1, 2))
	for i, size := range [][2]int{{1, 1}, {2, 3}, {7, 8}, {14, 15}, {15, 14}, {16, 31}, {31, 16}, {40, 9}} {
		img, got := NewImage(size[0], size[1]), NewImage(size[0], size[1])
		for i := range img.Pix {
			img.Pix[i] = uint8(d.IntN(256))
		}
		blur15(img, got, new([]uint16), 1+i%3)
		for y := range img.H {
			for x := range img.W {
				for c := range 3 {
					sum := uint32(32768)
					for j, a := range gaussian15 {
						for i, b := range gaussian15 {
							sum += a * b * uint32(img.Pix[3*(reflect101(y+j-7, img.H)*img.W+reflect101(x+i-7, img.W))+c])
						}
					}
					if want := uint8(sum >> 16); got.Pix[3*(y*img.W+x)+c] != want {
						t.Fatalf("%v: sample %d,%d is %d, want %d", size, x, y, got.Pix[3*(y*img.W+x)+c], want)
					}
				}
			}
		}
	}
	for i, want := range []int{3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1} {
		if got := reflect101(i-3, 4); got != want {
			t.Errorf("reflect101(%d, 4) is %d, want %d", i-3, got, want)
		}
	}
}

// TestOutlinesStayInside: outlines that leave the image do not write outside it and do
// not wrap into the next row.
func TestOutlinesStayInside(t *testing.T) {
	d := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		img := NewImage(1+d.IntN(20), 1+d.IntN(20))
		v := func() int { return d.IntN(200) - 90 }
		drawEllipse(img, v(), v(), d.IntN(100), d.IntN(100))
		drawRectangle(img, v(), v(), v(), v())
		for i := 0; i < len(img.Pix); i += 3 {
			if c := [3]uint8(img.Pix[i:]); c != red && c != [3]uint8{} {
				t.Fatalf("pixel %d is %v", i/3, c)
			}
		}
	}
}

// TestBicubicPlain compares the fast rows and columns with the plain definition:
// weighted sums along one side, clipped to 8 bits, then along the other.
func TestBicubicPlain(t *testing.T) {
	d := rand.New(rand.NewPCG(15, 6))
	for range 40 {
		img := NewImage(1+d.IntN(60), 1+d.IntN(60))
		for i := range img.Pix {
			img.Pix[i] = uint8(d.IntN(256))
		}
		var got Image
		w, h := 1+d.IntN(80), 1+d.IntN(80)
		new(resizer).resize(img, w, h, &got, 1+d.IntN(3))
		across := NewImage(w, img.H)
		for i := range across.Pix {
			sum := int32(1 << 21)
			for k, t := 0, bicubicTaps(img.W, w); k < t.count[i/3%w]; k++ {
				sum += t.weights[t.size*(i/3%w)+k] * int32(img.Pix[3*(i/3/w*img.W+t.from[i/3%w]+k)+i%3])
			}
			across.Pix[i] = clip22(sum)
		}
		for i := range got.Pix {
			sum := int32(1 << 21)
			for k, t := 0, bicubicTaps(img.H, h); k < t.count[i/(3*w)]; k++ {
				sum += t.weights[t.size*(i/(3*w))+k] * int32(across.Pix[3*w*(t.from[i/(3*w)]+k)+i%(3*w)])
			}
			if want := clip22(sum); got.Pix[i] != want {
				t.Fatalf("%dx%d to %dx%d: sample %d is %d, want %d", img.W, img.H, w, h, i, got.Pix[i], want)
			}
		}
	}
}

func TestBicubic(t *testing.T) {
	d := rand.New(rand.NewPCG(5, 6))
	for range 60 {
		img := NewImage(1+d.IntN(40), 1+d.IntN(40))
		flat := [3]uint8{uint8(d.IntN(256)), uint8(d.IntN(256)), uint8(d.IntN(256))}
		for i := range img.Pix {
			img.Pix[i] = flat[i%3]
		}
		var dst Image
		w, h := 1+d.IntN(80), 1+d.IntN(80)
		new(resizer).resize(img, w, h, &dst, 1+d.IntN(3))
		if dst.W != w || dst.H != h || len(dst.Pix) != 3*w*h {
			t.Fatalf("size %dx%d, want %dx%d", dst.W, dst.H, w, h)
		}
		for i, v := range dst.Pix {
			if v != flat[i%3] {
				t.Fatalf("%dx%d to %dx%d: an even colour of %d becomes %d", img.W, img.H, w, h, flat[i%3], v)
			}
		}
	}
}

// TestNativeSize: the short side becomes the judge's input size, in whole patches.
func TestNativeSize(t *testing.T) {
	for _, c := range [][6]int{ // width, height, size, patch, want
		{320, 180, 96, 8, 168, 96},
		{180, 320, 96, 8, 96, 168},
		{96, 96, 96, 8, 96, 96},
		{500, 375, 224, 14, 294, 224},
		{4000, 1, 96, 8, 384000, 96},
		{5, 4, 96, 8, 120, 96},
	} {
		if w, h := nativeSize(c[0], c[1], c[2], c[3]); w != c[4] || h != c[5] {
			t.Errorf("%dx%d: %dx%d, want %dx%d", c[0], c[1], w, h, c[4], c[5])
		}
	}
}

// TestAffinityIsBalanced: the Sinkhorn rounds end with the rows, so that the rows of S
// sum to 1 up to the remaining error of the columns.
func TestAffinityIsBalanced(t *testing.T) {
	d := rand.New(rand.NewPCG(7, 8))
	for _, n := range []int{1, 2, 7, 64, 100, 131} {
		attention := make([]float32, n*n)
		for i := range attention {
			attention[i] = 1 + d.Float32()
		}
		var one, many affinity
		one.build(t.Context(), attention, n, 1)
		many.build(t.Context(), attention, n, 4)
		x := make([]float32, 3*n)
		for i := range x {
			x[i] = d.Float32()
		}
		y := slices.Clone(x)
		one.apply(t.Context(), x, 3)
		many.apply(t.Context(), y, 3)
		near(t, "four threads", y, x, 1e-5)
		ones := slices.Repeat([]float32{1}, n)
		one.apply(t.Context(), ones, 1)
		near(t, "A·1", ones, slices.Repeat([]float32{1}, n), 1e-3)
		for i := range n {
			for j := range i {
				if one.s[i*n+j] != one.s[j*n+i] {
					t.Fatalf("S[%d,%d] is not S[%d,%d]", i, j, j, i)
				}
			}
		}
	}
}

func TestPresets(t *testing.T) {
	seen := make(map[string]bool)
	for _, p := range Presets() {
		if err := p.Check(); err != nil {
			t.Error(err)
		}
		if seen[p.Name] || p.About == "" {
			t.Errorf("preset %q is a duplicate or has no About", p.Name)
		}
		seen[p.Name] = true
		if got, err := PresetNamed(p.Name); err != nil || got.About != p.About {
			t.Errorf("preset %q is not found by its name: %v", p.Name, err)
		}
	}
	// Presets are copies: a change of one does not affect later callers.
	p := Presets()[0]
	p.Background[0], p.JudgeTemplates[0], p.Prompts[0][0], p.Contrast[0][0] = "x", "x", "x", "x"
	if err := Presets()[0].Check(); err != nil || Presets()[0].Background[0] == "x" {
		t.Errorf("a caller changed a preset for all: %v", err)
	}
	_, err := PresetNamed("vox")
	if u, ok := err.(*UnknownPresetError); !ok || !strings.Contains(u.Hint(), "voc, coco, context, demo, stickers, refcoco, refcoco+, refcocog, gres") {
		t.Errorf("error %v", err)
	}
	for want, change := range map[string]func(*Preset){
		"eta is 1.5":       func(p *Preset) { p.Eta = 1.5 },
		"theta is NaN":     func(p *Preset) { p.Theta = float32(math.NaN()) },
		"lambda is -1":     func(p *Preset) { p.Lambda = -1 },
		`template "a dog"`: func(p *Preset) { p.JudgeTemplates = []string{"a dog"} },
		`template ""`:      func(p *Preset) { p.CAMTemplate = "" },
		`no prompt "glow"`: func(p *Preset) { p.Prompts = [][]Prompt{{Blur}, {Circle, "glow"}} },
		"iterations is -1": func(p *Preset) { p.CRF.Iterations = -1 },
	} {
		p := worldPreset()
		change(&p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestMentionedIn(t *testing.T) {
	words := []string{"wall", "sea", "railway", "Sky"}
	for phrase, want := range map[string][]bool{
		"wall":                {true, false, false, false},
		"brick wall":          {true, false, false, false},
		"Brick-Wall, painted": {true, false, false, false},
		"seagull":             nil,
		"wallpaper":           nil,
		"the sky by the sea.": {false, true, false, true},
	} {
		q := Named(phrase)
		if got := mentionedIn(&q, words); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", phrase, got, want)
		}
	}
	q := Query{Label: "x", Phrases: []string{"brick wall"}, Background: []string{"wall"}}
	if got := mentionedIn(&q, words); got != nil {
		t.Errorf("the query's own background word is marked: %v", got)
	}
}
