package golden

import (
	"encoding/json"
	"image"
	_ "image/jpeg" // the frames of the clips
	_ "image/png"  // the images of the data are PNGs
	"os"
	"path/filepath"
	"testing"
)

// A Case is one whole run of the reference, as described by its manifest.
type Case struct {
	Name   string `json:"case"`
	Preset string `json:"preset"`
	Mode   string `json:"seg_mode"` // "semantic" or "refer"
	Image  struct {
		File   string `json:"file"`
		Width  int    `json:"width"`
		Height int    `json:"height"`
	} `json:"image"`
	Models struct {
		F string `json:"f"`
		G string `json:"g"`
	} `json:"models"`
	Config struct {
		Eta          float32  `json:"mask_threshold_eta"`
		Theta        float32  `json:"confidence_threshold_theta"`
		Lambda       float32  `json:"clipes_threshold_lambda"`
		Prompts      []string `json:"visual_prompt_type"`
		StuffPrompts []string `json:"stuff_visual_prompt_type"`
		CAMTemplate  string   `json:"cam_text_template"`
		Templates    []string `json:"semantic_templates"`
		Background   []string `json:"bg_cls"`
		CRF          struct {
			Iterations int `json:"iter"`
			Gauss      struct {
				SXY    float32 `json:"sxy"`
				Compat float32 `json:"compat"`
			} `json:"gauss"`
			Bilateral struct {
				SXY    float32 `json:"sxy"`
				SRGB   float32 `json:"srgb"`
				Compat float32 `json:"compat"`
			} `json:"bilateral"`
		} `json:"crf"`
	} `json:"config"`
	Passes []Pass `json:"passes"`
	Noise  map[string]struct {
		MaxAbsDiff map[string]float64 `json:"max_abs_diff"`
	} `json:"noise_fp32_vs_fp64_models"`
	Labels json.RawMessage `json:"label_map_ids"` // label → id, or pass → label → id

	Dir string `json:"-"`
}

// A Pass is one run of the loop within a case.
type Pass struct {
	Name       string   `json:"name"`
	Tensors    string   `json:"tensors"`
	Prefix     string   `json:"image_prefix"`
	Texts      []string `json:"texts"`
	Background []string `json:"background"`
	Prompts    []string `json:"visual_prompt_type"`
	Fixed      *bool    `json:"refer_filter_fixed"`
	Stages     []struct {
		Texts  []string  `json:"cam_texts"`
		Kept   []string  `json:"kept"`
		Keep   []int     `json:"keep"`
		Scores []float64 `json:"scores"`
	} `json:"stages"`
	Margins []struct {
		NearEta []int `json:"pixels_with_abs_Y_minus_eta_below_1e_4"`
	} `json:"margins"`
	Final struct {
		Scores []float64 `json:"scores"`
		Found  []string  `json:"found"`
	} `json:"final"`
}

// AsReleased tells whether the pass reproduces the released code's slip in
// refer mode, which filters characters instead of sentences
// (docs/algorithm.md 12, row 2). carve filters sentences.
func (p *Pass) AsReleased() bool { return p.Fixed != nil && !*p.Fixed }

// Path returns the path of one of the case's files.
func (c *Case) Path(name string) string { return filepath.Join(c.Dir, name) }

// Cases reads the manifests of all cases.
func Cases(t testing.TB) []*Case {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(Dir(t, "cases"), "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no golden cases: %v", err)
	}
	var cases []*Case
	for _, dir := range dirs {
		c := &Case{Dir: dir}
		Manifest(t, filepath.Join(dir, "manifest.json"), c)
		cases = append(cases, c)
	}
	return cases
}

// Manifest reads a manifest into v.
func Manifest(t testing.TB, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("reading %s: %v", path, err)
	}
}

// RGB reads an image as interleaved RGB.
func RGB(t testing.TB, path string) (pix []uint8, w, h int) {
	t.Helper()
	img := readImage(t, path)
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := img.At(x, y).RGBA()
			pix = append(pix, uint8(r>>8), uint8(g>>8), uint8(bl>>8))
		}
	}
	return pix, b.Dx(), b.Dy()
}

// Gray reads a grey image; in a bitmap, white is 255.
func Gray(t testing.TB, path string) (pix []uint8, w, h int) {
	t.Helper()
	img := readImage(t, path)
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, _, _, _ := img.At(x, y).RGBA()
			pix = append(pix, uint8(r>>8))
		}
	}
	return pix, b.Dx(), b.Dy()
}

func readImage(t testing.TB, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		t.Fatalf("decoding %s: %v", path, err)
	}
	return img
}

// Photo cuts w×h pixels out of a frame of real footage, as interleaved triples. It is
// for benchmarks, since the cost of an image depends on its content.
func Photo(t testing.TB, w, h int) []uint8 {
	t.Helper()
	frames, _ := filepath.Glob(filepath.Join(Shared(t, "clips"), "*", "frames", "*.jpg"))
	if len(frames) == 0 {
		t.Skip(Missing + ": no clip with frames")
	}
	pix, width, height := RGB(t, frames[0])
	if width < w || height < h {
		t.Skipf("%s is smaller than %d×%d", frames[0], w, h)
	}
	var out []uint8
	for y := range h {
		out = append(out, pix[3*width*y:][:3*w]...)
	}
	return out
}
