package models_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/car/densecrf"
	"github.com/carve-video/carve/internal/golden"
	"github.com/carve-video/carve/models"
)

var updateGuard = flag.Bool("update-guard", false, "TestGuard makes testdata/goldens anew, once the reference's goldens have passed")

const guardAbout = "A guard, not the reference: what carve itself computed, with random weights on a drawn image, " +
	"after every golden of the reference had passed. See CONTRIBUTING.md."

// Tolerances of the guard. ONNX Runtime's kernels differ by processor and by number of
// threads in the last bits of a sum, and the loop passes that on: with four threads
// instead of two, heat moves by 3e-5, scores by 4e-5 and marginals by 1.4e-3. The
// tolerances are those of the reference's goldens, ten to thirty times that. All that is
// decided stays as it is while heat moves by less than 1e-4: no box, no centre and no
// extent of a mask changes, and no score is within 0.02 of its theta.
const (
	guardHeat        = 1e-3  // of 0..1, at every pixel stored
	guardScore       = 1e-3  // of scores and presences
	guardProbability = 2e-2  // of the CRF's marginals, but for guardPixels
	guardPixels      = 0.005 // the share of pixels that may be off in masks and marginals
)

// guardStep is the distance of the pixels of heat and marginals that are stored.
const guardStep = 3

// A guardManifest is testdata/goldens/manifest.json. Cases are read from it; what a
// case gives is written to it by -update-guard.
type guardManifest struct {
	About  string       `json:"about"`
	Image  string       `json:"image"`
	Models guardPair    `json:"models"`
	Cases  []*guardCase `json:"cases"`
}

type guardPair struct {
	F string `json:"f"`
	G string `json:"g"`
}

// A guardCase is a run of the whole loop.
type guardCase struct {
	Name     string   `json:"name"`
	About    string   `json:"about"`
	Preset   string   `json:"preset"`
	Compat   bool     `json:"compat"`
	Overlap  bool     `json:"overlap,omitempty"`
	Theta    *float32 `json:"theta,omitempty"`    // instead of the preset's
	Presence *float32 `json:"presence,omitempty"` // instead of the preset's
	Queries  []string `json:"queries"`

	guardOutcome
}

// A guardOutcome is what the run gives, but for the planes that lie beside the
// manifest: NAME.heat.png, the proposals of all stages one under the other;
// NAME.marginals.png, and NAME.masks.png, of all that was found.
type guardOutcome struct {
	Settings guardSettings `json:"settings"`
	Stages   []guardStage  `json:"stages"`
	Found    []guardFound  `json:"found"`

	heat, marginals plane
	masks           plane
}

// guardSettings are what the preset sets, so that a value that moves no decision here is
// seen to have changed as well.
type guardSettings struct {
	Eta          float32         `json:"eta"`
	Theta        float32         `json:"theta"`
	Lambda       float32         `json:"lambda"`
	Presence     float32         `json:"presence"`
	Prompts      [][]car.Prompt  `json:"prompts"`
	StuffPrompts [][]car.Prompt  `json:"stuff_prompts,omitempty"`
	View         string          `json:"view"`
	Background   string          `json:"background"`
	Templates    string          `json:"templates"`
	CRF          densecrf.Params `json:"crf"`
}

type guardStage struct {
	Pass      string    `json:"pass"`
	Evaluated []string  `json:"evaluated"`
	Scores    []float32 `json:"scores"`
	Presences []float32 `json:"presences"`
	Kept      []string  `json:"kept"`
}

type guardFound struct {
	Query    string  `json:"query"`
	Score    float32 `json:"score"`
	Presence float32 `json:"presence"`
	Area     int     `json:"area"`
}

// A plane is values in 0..1, row by row, stored as a grey PNG of 16 bits.
type plane struct {
	w      int
	values []float32
}

// append adds every step-th pixel of a map w wide.
func (p *plane) append(v []float32, w, step int) {
	p.w = (w + step - 1) / step
	for y := 0; y < len(v)/w; y += step {
		for x := 0; x < w; x += step {
			p.values = append(p.values, v[y*w+x])
		}
	}
}

// TestGuard holds the whole loop against numbers in this repository, for a clone that
// has no goldens of the reference.
func TestGuard(t *testing.T) {
	if testing.Short() {
		t.Skip("the golden runs are enough for the race detector")
	}
	dir := filepath.Join("..", "testdata", "goldens")
	path := filepath.Join(dir, "manifest.json")
	var m guardManifest
	golden.Manifest(t, path, &m)
	if *updateGuard {
		makeGuard(t, dir, &m)
	}
	if len(m.Cases) == 0 {
		t.Fatalf("%s has no cases", path)
	}
	pix, w, h := golden.RGB(t, filepath.Join(dir, m.Image))
	open := opener(t, dir)
	for _, c := range m.Cases {
		t.Run(c.Name, func(t *testing.T) {
			got := c.run(t, open, m.Models, &car.Image{Pix: pix, W: w, H: h})
			if *updateGuard {
				c.guardOutcome = got
				c.write(t, dir)
				return
			}
			c.read(t, dir)
			c.compare(t, &got)
		})
	}
	if *updateGuard && !t.Failed() {
		writeJSON(t, path, m)
	}
}

// opener returns a function that opens the models in a folder, each once.
func opener(t *testing.T, dir string) func(name string, skip bool) *models.Model {
	open := make(map[string]*models.Model)
	return func(name string, skip bool) *models.Model {
		key := fmt.Sprint(name, skip)
		if open[key] == nil {
			m, err := models.Open(t.Context(), filepath.Join(dir, name), models.Options{Device: "cpu", Threads: 2, SkipLastBlock: skip, InMemory: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { m.Close() })
			open[key] = m
		}
		return open[key]
	}
}

func (c *guardCase) run(t *testing.T, open func(name string, skip bool) *models.Model, pair guardPair, img *car.Image) (out guardOutcome) {
	preset, err := car.PresetNamed(c.Preset)
	if err != nil {
		t.Fatal(err)
	}
	if c.Compat {
		preset = preset.Compat()
	}
	preset.Overlap = c.Overlap
	if c.Theta != nil {
		preset.Theta = *c.Theta
	}
	if c.Presence != nil {
		preset.Presence = *c.Presence
	}
	out.Settings = guardSettings{
		Eta: preset.Eta, Theta: preset.Theta, Lambda: preset.Lambda, Presence: preset.Presence,
		Prompts: preset.Prompts, StuffPrompts: preset.StuffPrompts, View: preset.View.String(), CRF: preset.CRF,
		Background: strings.Join(preset.Background, ", "), Templates: strings.Join(append(preset.JudgeTemplates, preset.CAMTemplate), " | "),
	}
	f, err := open(pair.F, false).Proposer()
	if err != nil {
		t.Fatal(err)
	}
	g, err := open(pair.G, preset.Quirks.SkipLastBlock).Judge()
	if err != nil {
		t.Fatal(err)
	}
	seg, err := car.New(f, g, preset)
	if err != nil {
		t.Fatal(err)
	}
	seg.Trace = func(tr *car.Trace) {
		for _, p := range tr.Proposals {
			out.heat.append(p.Heat, img.W, guardStep)
		}
	}
	var queries []car.Query
	for _, text := range c.Queries {
		queries = append(queries, car.Named(text))
	}
	res, err := seg.Segment(t.Context(), img, queries)
	if err != nil {
		t.Fatal(err)
	}
	names := func(list []int) (out []string) {
		for _, q := range list {
			out = append(out, c.Queries[q])
		}
		return out
	}
	for _, s := range res.Stages {
		out.Stages = append(out.Stages, guardStage{Pass: s.Pass, Evaluated: names(s.Evaluated), Scores: s.Scores, Presences: s.Presences, Kept: names(s.Kept)})
	}
	for _, f := range res.Found {
		out.Found = append(out.Found, guardFound{Query: f.Label, Score: f.Score, Presence: f.Presence, Area: f.Area})
		out.marginals.append(f.Probability, img.W, guardStep)
		mask := make([]float32, len(f.Mask))
		for i, v := range f.Mask {
			mask[i] = float32(v)
		}
		out.masks.append(mask, img.W, 1)
	}
	return out
}

// compare holds what was computed against what the case says.
func (c *guardCase) compare(t *testing.T, got *guardOutcome) {
	if g, w := fmt.Sprintf("%+v", got.Settings), fmt.Sprintf("%+v", c.Settings); g != w {
		t.Errorf("preset %s is %s, want %s", c.Preset, g, w)
	}
	if len(got.Stages) != len(c.Stages) {
		t.Errorf("%d stages, want %d", len(got.Stages), len(c.Stages))
	}
	for i := range min(len(got.Stages), len(c.Stages)) {
		g, w := got.Stages[i], c.Stages[i]
		where := fmt.Sprintf("%s, stage %d", w.Pass, i+1)
		if g.Pass != w.Pass || !slices.Equal(g.Evaluated, w.Evaluated) {
			t.Errorf("%s evaluates %q in %s, want %q", where, g.Evaluated, g.Pass, w.Evaluated)
			return
		}
		if !slices.Equal(g.Kept, w.Kept) {
			t.Errorf("%s keeps %q, want %q", where, g.Kept, w.Kept)
		}
		nearValues(t, where+" scores", g.Scores, w.Scores, guardScore)
		nearValues(t, where+" presences", g.Presences, w.Presences, guardScore)
	}
	for i, g := range got.Found {
		if i >= len(c.Found) || g.Query != c.Found[i].Query {
			t.Errorf("found %q, and should not", g.Query)
			return
		}
		if w := c.Found[i]; math.Abs(float64(g.Score-w.Score)) > guardScore || math.Abs(float64(g.Presence-w.Presence)) > guardScore {
			t.Errorf("%q has the score %g and the presence %g, want %g and %g", g.Query, g.Score, g.Presence, w.Score, w.Presence)
		}
	}
	if len(got.Found) < len(c.Found) {
		t.Errorf("found %d queries, want %d", len(got.Found), len(c.Found))
		return
	}
	nearValues(t, "heat", got.heat.values, c.heat.values, guardHeat)
	most := func(what string, got, want plane, tolerance float64) {
		off := 0
		for i := range min(len(got.values), len(want.values)) {
			if math.Abs(float64(got.values[i]-want.values[i])) > tolerance {
				off++
			}
		}
		if n := len(want.values); len(got.values) != n || float64(off) > guardPixels*float64(n) {
			t.Errorf("%s: %d of %d pixels are off", what, off, n)
		}
	}
	most("marginals", got.marginals, c.marginals, guardProbability)
	most("masks", got.masks, c.masks, 0.5)
}

func (c *guardCase) planes() map[string]*plane {
	return map[string]*plane{"heat": &c.heat, "marginals": &c.marginals, "masks": &c.masks}
}

func (c *guardCase) read(t *testing.T, dir string) {
	for name, p := range c.planes() {
		f, err := os.Open(filepath.Join(dir, c.Name+"."+name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		img, err := png.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		gray, ok := img.(*image.Gray16)
		if !ok {
			t.Fatalf("%s is not a grey image of 16 bits", f.Name())
		}
		p.w, p.values = gray.Rect.Dx(), nil
		for y := range gray.Rect.Dy() {
			for x := range p.w {
				p.values = append(p.values, float32(gray.Gray16At(x, y).Y)/math.MaxUint16)
			}
		}
	}
}

func (c *guardCase) write(t *testing.T, dir string) {
	for name, p := range c.planes() {
		img := image.NewGray16(image.Rect(0, 0, p.w, len(p.values)/p.w))
		for i, v := range p.values {
			img.SetGray16(i%p.w, i/p.w, color.Gray16{Y: uint16(math.Round(float64(v) * math.MaxUint16))})
		}
		writePNG(t, filepath.Join(dir, c.Name+"."+name+".png"), img)
	}
}

func writePNG(t *testing.T, path string, img image.Image) {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(f, img); err != nil {
		t.Fatal(err)
	}
}

func writeJSON(t *testing.T, path string, v any) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o666); err != nil {
		t.Fatal(err)
	}
}

// makeGuard writes image and models, after the goldens of the reference have passed.
func makeGuard(t *testing.T, dir string, m *guardManifest) {
	t.Setenv("CI", "true") // goldens that are missing fail instead of being skipped
	if !t.Run("reference", TestGoldenRuns) {
		t.Fatal("the goldens of the reference do not pass: the guard stays as it was")
	}
	m.About = guardAbout
	files, err := models.MakeGuardModels()
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	writePNG(t, filepath.Join(dir, m.Image), drawGuard())
}

// drawGuard draws a disc, a striped box and a bar on a slope of brightness. Neither side
// is a whole number of patches, and two shapes touch the edge.
func drawGuard() image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 150, 102))
	for y := range 102 {
		for x := range 150 {
			grain := (x*7 + y*13 + x*y) % 9
			c := color.RGBA{uint8(60 + x/2 + grain), uint8(120 + y/3 + grain), uint8(190 - y + grain), 255}
			switch {
			case (x-44)*(x-44)+(y-40)*(y-40) < 26*26:
				c = color.RGBA{uint8(210 + grain), uint8(70 + y/4), uint8(40 + grain), 255}
			case x >= 96 && y >= 52 && (x+y)%12 < 6:
				c = color.RGBA{uint8(30 + grain), uint8(40 + grain), uint8(50 + x/6), 255}
			case x >= 96 && y >= 52:
				c = color.RGBA{240, uint8(230 + grain), uint8(120 + grain), 255}
			case y >= 84 && y < 98 && x < 80:
				c = color.RGBA{uint8(90 + grain), uint8(50 + x/3), uint8(140 + grain), 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}
