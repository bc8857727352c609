package car

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/carve-video/carve/car/densecrf"
	"github.com/carve-video/carve/internal/golden"
	"github.com/carve-video/carve/internal/safetensors"
)

// units is the part of the manifest of golden units that this package needs.
type units struct {
	Bicubic []struct {
		Input, Output string
		W             int `json:"out_w"`
		H             int `json:"out_h"`
	} `json:"pil_bicubic"`
	Crop    []struct{ Input, Output string } `json:"clip_preprocess_bytes"`
	Blur    []struct{ Input, Output string } `json:"gaussian_blur_15"`
	Gray    []struct{ Input, Output string } `json:"bgr2gray_on_rgb"`
	Ellipse []tiles                          `json:"ellipse"`
	Rect    []tiles                          `json:"rectangle"`
	Prompts []struct {
		Base, Masks, Output string
		Types               []string
	} `json:"apply_visual_prompts"`
	Extent []struct {
		Mask    int
		CenterX int `json:"center_x"`
		CenterY int `json:"center_y"`
		Width   int
		Height  int
	} `json:"mask2chw"`
	Bilinear []struct {
		Input, Output, File string
		In                  [2]int `json:"in_hw"`
		Out                 [2]int `json:"out_hw"`
	} `json:"cv2_resize_bilinear_f32"`
	Boxes struct {
		File  string
		Cases []struct {
			Map, Mask string
			Threshold float32
		}
	} `json:"scoremap2bbox"`
	CAA    []struct{ File, D, A, M, Box, R string } `json:"caa"`
	Scaled []struct{ Input, Output, File string }   `json:"scale_cam_image"`
	Labels struct{ File, Note string }              `json:"assign_label_and_merge"`
	Empty  struct {
		Image, Y string
		Results  map[string]struct{ Areas []float64 }
	} `json:"crf_empty_mask"`
}

type tiles struct {
	Output     string
	H          int      `json:"tile_h"`
	W          int      `json:"tile_w"`
	Background uint8    `json:"background"`
	Ellipses   [][4]int `json:"params_cx_cy_ax_ay"`
	Rectangles [][4]int `json:"params_x0_y0_x1_y1"`
}

func readUnits(t *testing.T) units {
	var u units
	golden.Manifest(t, golden.Dir(t, "units", "manifest.json"), &u)
	return u
}

func unitImage(t *testing.T, name string) *Image {
	pix, w, h := golden.RGB(t, golden.Dir(t, "units", name))
	return &Image{Pix: pix, W: w, H: h}
}

func unitTensors(t *testing.T, name string) func(string) []float32 {
	f, err := safetensors.Open(golden.Dir(t, "units", name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return func(name string) []float32 { return floats(t, f, name) }
}

func floats(t *testing.T, f *safetensors.File, name string) []float32 {
	t.Helper()
	tensor, err := f.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	if tensor.DType == "U8" {
		b, err := tensor.Uint8()
		if err != nil {
			t.Fatal(err)
		}
		v := make([]float32, len(b))
		for i := range b {
			v[i] = float32(b[i])
		}
		return v
	}
	if tensor.DType == "I32" {
		b, err := tensor.Int32()
		if err != nil {
			t.Fatal(err)
		}
		v := make([]float32, len(b))
		for i := range b {
			v[i] = float32(b[i])
		}
		return v
	}
	v, err := tensor.Float32()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// samePixels fails if more than the allowed number of pixels differ.
func samePixels(t *testing.T, got, want *Image, allowed int) {
	t.Helper()
	if got.W != want.W || got.H != want.H {
		t.Fatalf("size %dx%d, want %dx%d", got.W, got.H, want.W, want.H)
	}
	differ, at := 0, 0
	for i := 0; i < len(want.Pix); i += 3 {
		if got.Pix[i] != want.Pix[i] || got.Pix[i+1] != want.Pix[i+1] || got.Pix[i+2] != want.Pix[i+2] {
			differ, at = differ+1, i/3
		}
	}
	if differ > allowed {
		t.Errorf("%d pixels differ (%d allowed), one at %d,%d: %v, want %v", differ, allowed,
			at%want.W, at/want.W, got.Pix[3*at:3*at+3], want.Pix[3*at:3*at+3])
	}
}

func TestGoldenBicubic(t *testing.T) {
	for _, u := range readUnits(t).Bicubic {
		got := new(resizer).resize(unitImage(t, u.Input), u.W, u.H, new(Image), 2)
		samePixels(t, got, unitImage(t, u.Output), 0)
	}
}

func TestGoldenCrop(t *testing.T) {
	for _, u := range readUnits(t).Crop {
		var dst Image
		var w workerScratch
		want := unitImage(t, u.Output)
		centreCrop(unitImage(t, u.Input), want.W, &dst, &w)
		samePixels(t, &dst, want, 0)
	}
}

func TestGoldenBlurAndGray(t *testing.T) {
	u := readUnits(t)
	for _, u := range u.Blur {
		in, dst := unitImage(t, u.Input), Image{}
		renderBackdrop(in, promptSet([]Prompt{Blur}), swappedWeights, &dst, new([]uint16), 2)
		samePixels(t, &dst, unitImage(t, u.Output), 0)
	}
	for _, u := range u.Gray {
		in, dst := unitImage(t, u.Input), Image{}
		renderBackdrop(in, promptSet([]Prompt{Gray}), swappedWeights, &dst, new([]uint16), 2)
		samePixels(t, &dst, unitImage(t, u.Output), 0)
	}
}

func TestGoldenOutlines(t *testing.T) {
	u := readUnits(t)
	for _, u := range append(u.Ellipse, u.Rect...) {
		all := unitImage(t, u.Output)
		draw := append(u.Ellipses, u.Rectangles...)
		for i, p := range draw {
			got := NewImage(u.W, u.H)
			for j := range got.Pix {
				got.Pix[j] = u.Background
			}
			allowed := 0
			if len(u.Ellipses) > 0 {
				drawEllipse(got, p[0], p[1], p[2], p[3])
				allowed = 1 // goldens/README.md: one pixel of an outline
			} else {
				drawRectangle(got, p[0], p[1], p[2], p[3])
			}
			t.Run(fmt.Sprint(u.Output, p), func(t *testing.T) {
				samePixels(t, got, tile(all, i, u.W, u.H), allowed)
			})
		}
	}
}

// tile returns the i-th tile of w×h of a sheet, counted row by row.
func tile(all *Image, i, w, h int) *Image {
	out := NewImage(w, h)
	across := all.W / w
	x0, y0 := i%across*w, i/across*h
	for y := range h {
		copy(out.Pix[3*w*y:3*w*(y+1)], all.Pix[3*((y0+y)*all.W+x0):])
	}
	return out
}

func promptMasks(t *testing.T, name string, w, h int) [][]uint8 {
	pix, _, height := golden.Gray(t, golden.Dir(t, "units", name))
	var masks [][]uint8
	for i := range height / h {
		masks = append(masks, pix[i*w*h:(i+1)*w*h])
	}
	return masks
}

func TestGoldenPrompts(t *testing.T) {
	for _, u := range readUnits(t).Prompts {
		base := unitImage(t, u.Base)
		all := unitImage(t, u.Output)
		var set []Prompt
		for _, name := range u.Types {
			p, err := ParsePrompt(name)
			if err != nil {
				t.Fatal(err)
			}
			set = append(set, p)
		}
		file, _, _ := strings.Cut(u.Masks, " ")
		for i, mask := range promptMasks(t, file, base.W, base.H) {
			t.Run(fmt.Sprint(strings.Join(u.Types, "+"), " ", i), func(t *testing.T) {
				var around, got Image
				renderBackdrop(base, promptSet(set), swappedWeights, &around, new([]uint16), 2)
				renderPrompt(base, &around, mask, promptSet(set), &got, &outliner{})
				allowed := 0
				if promptSet(set).has(Circle) {
					allowed = 1
				}
				samePixels(t, &got, tile(all, i, base.W, base.H), allowed)
			})
		}
	}
}

func TestGoldenExtent(t *testing.T) {
	u := readUnits(t)
	base := unitImage(t, u.Prompts[0].Base)
	file, _, _ := strings.Cut(u.Prompts[0].Masks, " ")
	masks := promptMasks(t, file, base.W, base.H)
	for _, u := range u.Extent {
		cx, cy, w, h := extent(masks[u.Mask], base.W)
		if cx != u.CenterX || cy != u.CenterY || w != u.Width || h != u.Height {
			t.Errorf("mask %d: centre %d,%d, size %dx%d; want %d,%d, %dx%d", u.Mask, cx, cy, w, h, u.CenterX, u.CenterY, u.Width, u.Height)
		}
	}
}

func TestGoldenBilinear(t *testing.T) {
	for _, u := range readUnits(t).Bilinear {
		get := unitTensors(t, u.File)
		dst := make([]float32, u.Out[0]*u.Out[1])
		resizeBilinear(get(u.Input), u.In[1], u.In[0], dst, u.Out[1], u.Out[0], &bilinearScratch{})
		near(t, u.Output, dst, get(u.Output), 1e-6)
	}
}

func near(t *testing.T, name string, got, want []float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", name, len(got), len(want))
	}
	worst, at := 0.0, 0
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); d > worst || math.IsNaN(d) {
			worst, at = d, i
		}
	}
	if !(worst <= tolerance) {
		t.Errorf("%s: value %d is %g, want %g: off by %g, %g allowed", name, at, got[at], want[at], worst, tolerance)
	}
}

func TestGoldenBoxes(t *testing.T) {
	u := readUnits(t).Boxes
	f, err := safetensors.Open(golden.Dir(t, "units", u.File))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, c := range u.Cases {
		m, err := f.Tensor(c.Map)
		if err != nil {
			t.Fatal(err)
		}
		heat := floats(t, f, c.Map)
		got := make([]float32, len(heat))
		new(boxFinder).mark(heat, m.Shape[0], m.Shape[1], c.Threshold, true, got)
		near(t, c.Mask, got, floats(t, f, c.Mask), 0)
	}
}

func TestGoldenAffinity(t *testing.T) {
	for _, u := range readUnits(t).CAA {
		get := unitTensors(t, u.File)
		d, m, box := get(u.D), get(u.M), get(u.Box)
		n := len(m)
		for threads := 1; threads <= 3; threads++ {
			var a affinity
			a.build(t.Context(), d, n, threads)
			// A, column by column.
			full := make([]float32, n*n)
			for i := range n {
				full[i*n+i] = 1
			}
			a.apply(t.Context(), full, n)
			near(t, u.A, full, get(u.A), 1e-6)
			x := make([]float32, n)
			for i := range x {
				x[i] = m[i] * box[i]
			}
			a.apply(t.Context(), x, 1)
			near(t, u.R, x, get(u.R), 1e-6)
		}
	}
}

// TestGoldenLabels checks the label map and the merged mask.
func TestGoldenLabels(t *testing.T) {
	u := readUnits(t).Labels
	f, err := safetensors.Open(golden.Dir(t, "units", u.File))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// In the case with stuff, the masks are those of a few classes among many; only
	// the note names them.
	var ids [2][]int
	for i, list := range regexp.MustCompile(`\[([0-9, ]+)\]`).FindAllStringSubmatch(u.Note, 2) {
		for id := range strings.SplitSeq(list[1], ",") {
			n, err := strconv.Atoi(strings.TrimSpace(id))
			if err != nil {
				t.Fatal(err)
			}
			ids[i] = append(ids[i], n)
		}
	}
	cases := 0
	for j := 0; f.Has(fmt.Sprint("masks", j)); j++ {
		masks, err := f.Tensor(fmt.Sprint("masks", j))
		if err != nil {
			t.Fatal(err)
		}
		res := &Result{W: masks.Shape[2], H: masks.Shape[1]}
		if f.Has(fmt.Sprint("labels", j)) {
			cases++
			out := &Outcome{}
			things := []int(nil)
			if f.Has(fmt.Sprint("stuff", j)) {
				things = ids[0]
			}
			unitPass(t, f, res, out, fmt.Sprint("masks", j), fmt.Sprint("scores", j), things)
			if things != nil {
				unitPass(t, f, res, out, fmt.Sprint("stuff", j), fmt.Sprint("stuff_scores", j), ids[1])
			}
			res.Labels = make([]uint16, res.W*res.H)
			res.paintLabels(out)
			want := floats(t, f, fmt.Sprint("labels", j))
			for i := range want {
				if float32(res.Labels[i]) != want[i] {
					t.Errorf("labels%d: pixel %d is %d, want %g", j, i, res.Labels[i], want[i])
					break
				}
			}
		}
		if merged := fmt.Sprint("merged", j); f.Has(merged) {
			cases++
			res.Found = nil
			unitPass(t, f, res, &Outcome{}, fmt.Sprint("masks", j), fmt.Sprint("merge_scores", j), nil)
			tensor, err := f.Tensor(merged)
			if err != nil {
				t.Fatal(err)
			}
			got := res.Merge(tensor.Shape[1], tensor.Shape[0])
			for i, v := range floats(t, f, merged) {
				if float32(got[i]) != v {
					t.Errorf("%s: pixel %d is %d, want %g", merged, i, got[i], v)
					break
				}
			}
		}
	}
	if cases == 0 {
		t.Error("no case in " + f.Path())
	}
}

// unitPass adds a unit's masks to a result, as those of a pass whose k-th query
// is ids[k], or k. A score of 0 means that the query was not found.
func unitPass(t *testing.T, f *safetensors.File, res *Result, out *Outcome, masks, scores string, ids []int) {
	t.Helper()
	n := res.W * res.H
	heat := floats(t, f, masks)
	var kept []Proposal
	for k, score := range floats(t, f, scores) {
		if score <= 0 {
			continue
		}
		found := Found{Query: k, Judgement: Judgement{Score: score}, Mask: make([]uint8, n)}
		if ids != nil {
			found.Query = ids[k]
		}
		for i, v := range heat[k*n : (k+1)*n] {
			if v > 0.5 {
				found.Mask[i] = 1
			}
		}
		kept = append(kept, Proposal{Query: found.Query, Judgement: found.Judgement})
		res.Found = append(res.Found, found)
	}
	out.kept = append(out.kept, kept)
}

// TestGoldenScaled checks min-max normalisation and the resizing after it.
func TestGoldenScaled(t *testing.T) {
	u := readUnits(t)
	size := make(map[string][4]int)
	for _, b := range u.Bilinear {
		size[b.Input] = [4]int{b.In[1], b.In[0], b.Out[1], b.Out[0]}
	}
	for _, c := range u.Scaled {
		var name string
		var factor, offset float32
		if _, err := fmt.Sscanf(c.Input, "%s * %g - %g", &name, &factor, &offset); err != nil {
			t.Fatalf("input %q: %v", c.Input, err)
		}
		s, ok := size[name]
		if !ok {
			t.Fatalf("the size of %s is not known", name)
		}
		get := unitTensors(t, c.File)
		in := slices.Clone(get(name))
		for i := range in {
			in[i] = in[i]*factor - offset
		}
		stretch(in)
		got := make([]float32, s[2]*s[3])
		resizeBilinear(in, s[0], s[1], got, s[2], s[3], &bilinearScratch{})
		near(t, c.Output, got, get(c.Output), 1e-6)
	}
}

// TestGoldenEmptyMask: a query that wins no pixel stays in the result, whether it is
// refined with the others or alone.
func TestGoldenEmptyMask(t *testing.T) {
	u := readUnits(t).Empty
	var h, w, y0, y1, x0, x1 int
	var first, second, high float32
	if _, err := fmt.Sscanf(u.Y, "two maps %dx%d: all %g; %g with %g in [%d:%d, %d:%d]", &h, &w, &first, &second, &high, &y0, &y1, &x0, &x1); err != nil {
		t.Fatalf("maps %q: %v", u.Y, err)
	}
	img := unitImage(t, u.Image)
	maps := [2][]float32{slices.Repeat([]float32{first}, w*h), slices.Repeat([]float32{second}, w*h)}
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			maps[1][y*w+x] = high
		}
	}
	for mode, name := range map[Mode]string{Semantic: "fixed separate=False", Refer: "fixed separate=True"} {
		preset := Preset{Mode: mode, CRF: densecrf.Reference(), Quirks: Quirks{WrapColours: true}}
		s := &Segmenter{preset: preset}
		bank := &Bank{queries: []Query{Named("a"), Named("b")}, canonical: []int{0, 1}}
		out := &Outcome{bank: bank, kept: [][]Proposal{{{Query: 0, Heat: maps[0], Judgement: Judgement{Score: 1}}, {Query: 1, Heat: maps[1], Judgement: Judgement{Score: 1}}}}}
		res, err := s.Refine(t.Context(), &EncodedImage{img: img}, out)
		if err != nil {
			t.Fatal(err)
		}
		want := u.Results[name].Areas
		if len(res.Found) != len(want) {
			t.Fatalf("%s: %d masks, want %d", name, len(res.Found), len(want))
		}
		for i := range want {
			if got := float64(res.Found[i].Area); got != want[i] {
				t.Errorf("%s: mask %d has %g pixels, want %g", name, i, got, want[i])
			}
		}
	}
}
