package models

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	_ "image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/bpe"
	"github.com/carve-video/carve/internal/golden"
	"github.com/carve-video/carve/internal/safetensors"
)

// A goldenCase is the part of a case's manifest that this package needs.
type goldenCase struct {
	dir    string
	Case   string
	Preset string
	Image  struct{ File string }
	FInput struct{ H, W int } `json:"f_input"`
	Models struct{ F, G string }
	Config struct {
		Template  string   `json:"cam_text_template"`
		Templates []string `json:"semantic_templates"`
	}
	Passes []struct {
		Name       string
		Tensors    string
		Prefix     string `json:"image_prefix"`
		Background []string
		Stages     []struct {
			CamTexts []string `json:"cam_texts"`
		}
	}
	Noise map[string]struct {
		Diff map[string]float64 `json:"max_abs_diff"`
	} `json:"noise_fp32_vs_fp64_models"` // by pass
}

// tolerance returns the tolerance of a pass's tensors: the table's, or four times the noise
// of the case if that is larger (goldens/README.md).
type tolerance func(name string, table float64) float64

func (c goldenCase) tolerance(pass string) tolerance {
	return func(name string, table float64) float64 { return max(table, 4*c.Noise[pass].Diff[name]) }
}

// goldenCases reads every case of the golden data.
func goldenCases(t *testing.T) []goldenCase {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(golden.Dir(t, "cases"), "*", "manifest.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var cases []goldenCase
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		c := goldenCase{dir: filepath.Dir(f)}
		if err := json.Unmarshal(b, &c); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		cases = append(cases, c)
	}
	return cases
}

// openGolden opens each model of the golden data once in a test.
type openGolden struct {
	t      *testing.T // the top-level test, at whose end the models are closed
	models map[string]*Model
	forms  map[string]form // of the models; for other names the golden data's own folder is used
}

func (o openGolden) model(t *testing.T, name string) *Model {
	t.Helper()
	if m := o.models[name]; m != nil {
		return m
	}
	f, ok := o.forms[name]
	if !ok {
		f = form{path: golden.Dir(t, "models", name)}
	}
	f.options.Threads, f.options.Device, f.options.SkipLastBlock = 2, testDevice(Float32), true
	m, err := Open(o.t.Context(), f.path, f.options)
	if err != nil {
		t.Fatal(err)
	}
	o.t.Cleanup(func() {
		if err := m.Close(); err != nil {
			o.t.Error(err)
		}
	})
	o.models[name] = m
	return m
}

func readImage(t *testing.T, path string) *car.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	src, _, err := image.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	b := src.Bounds()
	img := car.NewImage(b.Dx(), b.Dy())
	for y := range img.H {
		for x := range img.W {
			r, g, bl, _ := src.At(b.Min.X+x, b.Min.Y+y).RGBA()
			copy(img.Pix[3*(y*img.W+x):], []uint8{uint8(r >> 8), uint8(g >> 8), uint8(bl >> 8)})
		}
	}
	return img
}

func floats(t *testing.T, f *safetensors.File, name string) []float32 {
	t.Helper()
	tensor, err := f.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	v, err := tensor.Float32()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// near fails unless got is within tolerance of want everywhere.
func near(t *testing.T, what string, got, want []float32, allowed float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d numbers, want %d", what, len(got), len(want))
		return
	}
	worst, at := 0.0, 0
	for i := range got {
		d := math.Abs(float64(got[i]) - float64(want[i]))
		if !(d <= worst) { // not a number counts as worst
			worst, at = d, i
		}
	}
	if !(worst <= allowed) {
		t.Errorf("%s: element %d is %g, want %g (off by %.3g, allowed %.3g)", what, at, got[at], want[at], worst, allowed)
	}
	if testing.Verbose() {
		t.Logf("%-28s off by %.2g of %.2g", what, worst, allowed)
	}
}

func concat(rows [][]float32) []float32 { return slices.Concat(rows...) }

// TestGoldenCases: everything that a model computes in a case equals the reference, stage
// by stage: token ids, text vectors, trunk, probabilities, gradients, maps, and the
// judge's image vectors. This holds for all formats of the models.
func TestGoldenCases(t *testing.T) {
	cases := goldenCases(t)
	if testing.Short() {
		cases = cases[1:2] // a small image; the race detector sees the same code in all
	} else {
		t.Run("as they lie", func(t *testing.T) { checkCases(t, cases, nil) })
	}

	// Heads and activation are those of the two config.json.
	f := forms(t, golden.Dir(t, "models", "micro-f"), 2, 1, quickGELU)
	g := forms(t, golden.Dir(t, "models", "micro-g"), 2, 1, quickGELU)
	// Files written by PyTorch itself.
	said := Options{Heads: 2, TextHeads: 1}
	g["TorchScript"] = form{golden.Dir(t, "models", "micro-g", "micro-g.torchscript.pt"), said}
	said.Activation, said.Mean, said.Std = quickGELU, CLIPMean[:], CLIPStd[:]
	g["OpenAI's state dict"] = form{golden.Dir(t, "models", "micro-g", "micro-g.openai.pt"), said}
	f["TorchScript"] = f["OpenAI's state dict"]
	// They differ in how weights are read, which a few images show.
	cases = cases[:min(3, len(cases))]
	for _, name := range sortedForms(g) {
		if testing.Short() && name != "TorchScript" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			checkCases(t, cases, map[string]form{"micro-f": f[name], "micro-g": g[name]})
		})
	}
}

func checkCases(t *testing.T, cases []goldenCase, forms map[string]form) {
	opened := openGolden{t, map[string]*Model{}, forms}
	for _, c := range cases {
		t.Run(c.Case, func(t *testing.T) { c.check(t, opened) })
	}
}

func (c goldenCase) check(t *testing.T, opened openGolden) {
	f, g := opened.model(t, c.Models.F), opened.model(t, c.Models.G)
	input := filepath.Join(c.dir, "resized.png")
	if _, err := os.Stat(input); err != nil { // only stored if it differs
		input = filepath.Join(c.dir, c.Image.File)
	}
	img := readImage(t, input)
	if img.W != c.FInput.W || img.H != c.FInput.H {
		t.Fatalf("%s is %dx%d, want %dx%d", input, img.W, img.H, c.FInput.W, c.FInput.H)
	}
	proposer, err := f.Proposer()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Judge(); err != nil {
		t.Fatal(err)
	}
	v, err := proposer.Encode(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for _, p := range c.Passes {
		file, err := safetensors.Open(filepath.Join(c.dir, p.Tensors))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		within := c.tolerance(p.Name)
		checkTrunk(t, f, img, v.(*imageFeatures), file, within)
		bg := checkTexts(t, f, file, within, p.Background, c.Config.Template)
		for i, stage := range p.Stages {
			checkStage(t, f, v.(*imageFeatures), file, within, fmt.Sprintf("s%d/", i+1), stage.CamTexts, bg)
			checkJudge(t, g.judge, c.dir, file, within, p.Prefix, fmt.Sprintf("s%d", i+1))
		}
	}
}

func checkTrunk(t *testing.T, m *Model, img *car.Image, v *imageFeatures, file *safetensors.File, within tolerance) {
	rows, cols := v.Grid()
	N, D := rows*cols, m.config.Vision.Width
	if file.Has("pos") {
		near(t, "pos", positions(m.table, D, rows, cols), floats(t, file, "pos"), 0)
	}
	if file.Has("X") || file.Has("Y") {
		x, y := debugTrunk(t, m, img)
		if file.Has("X") {
			near(t, "X", x, floats(t, file, "X"), within("X", 5e-3))
		}
		if file.Has("Y") {
			near(t, "Y", y, floats(t, file, "Y"), within("X", 5e-3))
		}
	}
	d := v.Attention()
	if file.Has("Dbar") {
		near(t, "Dbar", d, floats(t, file, "Dbar"), within("Dbar", 1e-4))
	}
	if !file.Has("Dbar_rows") {
		return
	}
	tensor, err := file.Tensor("Dbar_row_idx")
	if err != nil {
		t.Fatal(err)
	}
	idx, err := tensor.Int32()
	if err != nil {
		t.Fatal(err)
	}
	var picked [][]float32
	for _, r := range idx {
		picked = append(picked, d[int(r)*N:][:N])
	}
	near(t, "Dbar rows", concat(picked), floats(t, file, "Dbar_rows"), within("Dbar", 1e-4))
	rowsum, colsum := make([]float32, N), make([]float32, N)
	for i := range N {
		for j := range N {
			rowsum[i] += d[i*N+j]
			colsum[j] += d[i*N+j]
		}
	}
	near(t, "Dbar row sums", rowsum, floats(t, file, "Dbar_rowsum"), within("Dbar", 1e-4))
	near(t, "Dbar column sums", colsum, floats(t, file, "Dbar_colsum"), within("Dbar", 1e-4))
}

// debugTrunk runs the trunk with X as an additional output.
func debugTrunk(t *testing.T, m *Model, img *car.Image) (x, y []float32) {
	t.Helper()
	n, err := trunkGraph(m.config, m.weights, Float32)
	if err != nil {
		t.Fatal(err)
	}
	n.Output("x", n.x, 1)
	s, err := m.session(n)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	g, err := gridOf(img, m.config.Vision.PatchSize)
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.Proposer()
	if err != nil {
		t.Fatal(err)
	}
	v, err := newBatch(p.(*proposer), g, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer v.destroy()
	extractPatches(v.patches, img, m.config.Vision.PatchSize)
	D := m.config.Vision.Width
	x, y = make([]float32, (g.patches()+1)*D), make([]float32, (g.patches()+1)*D)
	out := append(slices.Clone(v.out), add(&v.tensors, x, 1, g.patches()+1, D))
	out[slices.Index(n.Outputs(), cacheY)] = add(&v.tensors, y, 1, g.patches()+1, D)
	if err := s.Run(context.Background(), v.in, out); err != nil {
		t.Fatal(err)
	}
	return x, y
}

func checkTexts(t *testing.T, m *Model, file *safetensors.File, within tolerance, background []string, template string) (bg [][]float32) {
	var texts []string
	for _, b := range background {
		texts = append(texts, strings.Replace(template, "{}", b, 1))
	}
	bg = encode(t, m, texts)
	if file.Has("f_bg") { // otherwise another pass of the case has it
		checkIDs(t, m, file, "bg_ids", texts)
		near(t, "f_bg", concat(bg), floats(t, file, "f_bg"), within("s1/f_fg", 1e-4))
	}
	return bg
}

func encode(t *testing.T, m *Model, texts []string) [][]float32 {
	t.Helper()
	v, err := m.text.EncodeTexts(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// checkIDs compares the tokens of texts with zero-padded rows.
func checkIDs(t *testing.T, m *Model, file *safetensors.File, name string, texts []string) {
	t.Helper()
	tensor, err := file.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	want, err := tensor.Int32()
	if err != nil {
		t.Fatal(err)
	}
	width := tensor.Shape[len(tensor.Shape)-1]
	for i, text := range texts {
		row := make([]int32, width)
		copy(row, m.text.tokenizer.Encode(text))
		if !slices.Equal(row, want[i*width:][:width]) {
			t.Errorf("%s: ids of %q are %v, want %v", name, text, row, want[i*width:][:width])
		}
	}
}

func checkStage(t *testing.T, m *Model, v *imageFeatures, file *safetensors.File, within tolerance, stage string, texts []string, bg [][]float32) {
	if !file.Has(stage + "f_fg") {
		return // a stage without trace
	}
	checkIDs(t, m, file, stage+"cam_ids", texts)
	fg := encode(t, m, texts)
	near(t, stage+"f_fg", concat(fg), floats(t, file, stage+"f_fg"), within(stage+"f_fg", 1e-4))

	want, err := file.Tensor(stage + "logits")
	if err != nil {
		t.Fatal(err)
	}
	// One row: all texts against each other and the background. As many rows
	// as texts: each alone against the background.
	alone := want.Shape[0] > 1
	tensor, err := file.Tensor(stage + "cam_fgonly")
	if err != nil {
		t.Fatal(err)
	}
	fgOnly, err := tensor.Uint8()
	if err != nil {
		t.Fatal(err)
	}
	var logits, probs []float32
	var directions [][]float32
	for k := range texts {
		set, self := append(slices.Clone(fg), bg...), k
		if want.Shape[1] == 1+len(bg) {
			set, self, alone = append([][]float32{fg[k]}, bg...), 0, true
		}
		l, p := scores(m, v, set)
		if k == 0 || alone {
			logits, probs = append(logits, l...), append(probs, p...)
		}
		if fgOnly[k] == 1 {
			set = fg
			if alone {
				set = fg[k : k+1]
			}
			_, p = scores(m, v, set)
		}
		// dp_c/df̂ = tau p_c (t_c - sum_j p_j t_j)   (docs/algorithm.md 11.3)
		u := make([]float32, len(fg[k]))
		for j := range u {
			mean := 0.0
			for i, text := range set {
				mean += float64(p[i]) * float64(text[j])
			}
			u[j] = m.text.scale * p[self] * (set[self][j] - float32(mean))
		}
		directions = append(directions, u)
	}
	near(t, stage+"logits", logits, floats(t, file, stage+"logits"), within(stage+"logits", 1e-3))
	near(t, stage+"p", probs, floats(t, file, stage+"p"), within(stage+"p", 1e-4))

	maps, gradients, err := v.cam(t.Context(), directions)
	if err != nil {
		t.Fatal(err)
	}
	rows, cols := v.Grid()
	relative := within(stage+"cam_raw (relative to its max)", 1e-3)
	wantW, wantM := floats(t, file, stage+"cam_w"), floats(t, file, stage+"cam_raw")
	for k := range texts {
		w, c := wantW[k*m.config.Vision.Width:][:m.config.Vision.Width], wantM[k*rows*cols:][:rows*cols]
		near(t, fmt.Sprintf("%scam_w[%d]", stage, k), gradients[k], w, relative*largest(w))
		near(t, fmt.Sprintf("%scam_raw[%d]", stage, k), maps[k], c, relative*largest(c))
	}
}

func largest(v []float32) float64 {
	m := 0.0
	for _, f := range v {
		m = max(m, math.Abs(float64(f)))
	}
	return m
}

// scores returns the logits of texts for an image feature, and their softmax.
func scores(m *Model, v *imageFeatures, texts [][]float32) (logits, p []float32) {
	for _, text := range texts {
		dot := 0.0
		for i, f := range v.Feature() {
			dot += float64(f) * float64(text[i])
		}
		logits = append(logits, float32(dot*float64(m.text.scale)))
	}
	top, sum := float64(slices.Max(logits)), 0.0
	for _, l := range logits {
		sum += math.Exp(float64(l) - top)
	}
	for _, l := range logits {
		p = append(p, float32(math.Exp(float64(l)-top)/sum))
	}
	return logits, p
}

// checkJudge encodes the crops that the case has as images, and the stage's texts in all
// templates.
func checkJudge(t *testing.T, j *judge, dir string, file *safetensors.File, within tolerance, prefix, stage string) {
	t.Helper()
	m := j.model
	E := m.config.Projection
	if file.Has(stage + "/g_img") {
		want := floats(t, file, stage+"/g_img")
		for k := 0; (k+1)*E <= len(want); k++ {
			path := filepath.Join(dir, fmt.Sprintf("%s%s_crop%d.png", prefix, stage, k))
			if _, err := os.Stat(path); err != nil {
				continue
			}
			v, err := j.EncodeImages(t.Context(), []*car.Image{readImage(t, path)})
			if err != nil {
				t.Fatal(err)
			}
			near(t, fmt.Sprintf("%s/g_img[%d]", stage, k), v[0], want[k*E:][:E], within(stage+"/g_img", 1e-3))
		}
	}
	// The ids give the texts; encoding them checks the text tower.
	if file.Has(stage + "/sem_ids") {
		tensor, err := file.Tensor(stage + "/sem_ids")
		if err != nil {
			t.Fatal(err)
		}
		ids, err := tensor.Int32()
		if err != nil {
			t.Fatal(err)
		}
		var batch [][]int32
		for row := range slices.Chunk(ids, tensor.Shape[len(tensor.Shape)-1]) {
			batch = append(batch, row[:slices.Index(row, m.text.tokenizer.(*bpe.Tokenizer).End())+1])
		}
		m.text.mu.Lock()
		v, err := m.text.run(t.Context(), batch)
		m.text.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		near(t, stage+"/g_txt", concat(v), floats(t, file, stage+"/g_txt"), within(stage+"/f_fg", 1e-4))
	}
}

// TestGoldenPositions: the table of positions equals PyTorch's bit by bit, for every grid
// of the units' manifest.
func TestGoldenPositions(t *testing.T) {
	var manifest struct {
		Tables []struct {
			File, Input, Output string
			HW                  [2]int
		} `json:"positional_table"`
	}
	b, err := os.ReadFile(golden.Dir(t, "units", "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest.Tables) == 0 {
		t.Fatal("no tables")
	}
	for _, u := range manifest.Tables {
		file, err := safetensors.Open(golden.Dir(t, "units", u.File))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		in, err := file.Tensor(u.Input)
		if err != nil {
			t.Fatal(err)
		}
		table, err := in.Float32()
		if err != nil {
			t.Fatal(err)
		}
		got := positions(table, in.Shape[len(in.Shape)-1], u.HW[0], u.HW[1])
		near(t, fmt.Sprintf("%s to %v", u.Input, u.HW), got, floats(t, file, u.Output), 0)
	}
}
