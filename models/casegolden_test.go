package models_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/car/densecrf"
	"github.com/carve-video/carve/internal/golden"
	"github.com/carve-video/carve/internal/safetensors"
	"github.com/carve-video/carve/models"
)

// TestGoldenRuns runs every golden case from the image to the label map and compares each
// stage with the reference code: decisions, heat maps, boxes, prompts, scores, the refined
// labels (docs/algorithm.md section 16).
func TestGoldenRuns(t *testing.T) {
	open := map[string]*models.Model{}
	model := func(t *testing.T, name string) *models.Model {
		if open[name] == nil {
			m, err := models.Open(t.Context(), golden.Dir(t, "models", name), models.Options{Device: os.Getenv("CARVE_TEST_DEVICE"), SkipLastBlock: true})
			if err != nil {
				t.Fatal(err)
			}
			open[name] = m
		}
		return open[name]
	}
	defer func() {
		for _, m := range open {
			m.Close()
		}
	}()
	for _, c := range golden.Cases(t) {
		t.Run(c.Name, func(t *testing.T) {
			f, err := model(t, c.Models.F).Proposer()
			if err != nil {
				t.Fatal(err)
			}
			g, err := model(t, c.Models.G).Judge()
			if err != nil {
				t.Fatal(err)
			}
			for _, run := range runsOf(c) {
				run.check(t, f, g)
			}
		})
	}
}

// A run is the part of a case that one call of Segment covers: a single pass, or the two of
// things and stuff.
type run struct {
	c      *golden.Case
	passes []golden.Pass
	traces []trace
}

// A trace is a copy of those parts of a car.Trace that the test needs.
type trace struct {
	car.Trace
	heats [][]float32
}

func runsOf(c *golden.Case) []*run {
	if len(c.Config.StuffPrompts) > 0 {
		return []*run{{c: c, passes: c.Passes}}
	}
	var runs []*run
	for _, p := range c.Passes {
		if !p.AsReleased() {
			runs = append(runs, &run{c: c, passes: []golden.Pass{p}})
		}
	}
	return runs
}

// preset returns a preset with the settings of the case. If carve has one of that name, it
// must be the same, except for settings that the reference does not have.
func (r *run) preset(t *testing.T) car.Preset {
	cfg := r.c.Config
	prompts := func(names []string) (rows [][]car.Prompt) {
		var list []car.Prompt
		for _, n := range names {
			p, err := car.ParsePrompt(n)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, p)
		}
		if list != nil {
			rows = append(rows, list)
		}
		return rows
	}
	p := car.Preset{
		Name: r.c.Preset, Eta: cfg.Eta, Theta: cfg.Theta, Lambda: cfg.Lambda,
		Prompts: prompts(cfg.Prompts), StuffPrompts: prompts(cfg.StuffPrompts),
		CAMTemplate: cfg.CAMTemplate, JudgeTemplates: cfg.Templates, Background: cfg.Background,
		CRF: densecrf.Params{
			Iterations:  cfg.CRF.Iterations,
			GaussianSXY: cfg.CRF.Gauss.SXY, GaussianCompat: cfg.CRF.Gauss.Compat,
			BilateralSXY: cfg.CRF.Bilateral.SXY, BilateralSRGB: cfg.CRF.Bilateral.SRGB, BilateralCompat: cfg.CRF.Bilateral.Compat,
		},
	}
	p = p.Compat()
	if r.c.Mode == "refer" {
		p.Mode = car.Refer
	}
	if len(r.passes) > 1 {
		p.Stuff = r.passes[1].Texts
	}
	ours, err := car.PresetNamed(r.c.Preset)
	if err != nil {
		t.Logf("the case's settings are compared with no preset: %v", err)
		return p
	}
	ours = ours.Compat()
	ours.About, ours.Stuff, ours.Contrast = "", p.Stuff, nil
	a, b := fmt.Sprintf("%+v", normalise(ours)), fmt.Sprintf("%+v", normalise(p))
	if a != b {
		t.Errorf("preset %s is not the case's:\n%s\n%s", r.c.Preset, a, b)
	}
	return p
}

// normalise sorts the lists whose order does not matter.
func normalise(p car.Preset) car.Preset {
	for _, rows := range []*[][]car.Prompt{&p.Prompts, &p.StuffPrompts} {
		*rows = copies(*rows)
		for _, row := range *rows {
			slices.Sort(row)
		}
	}
	return p
}

func (r *run) check(t *testing.T, f car.Proposer, g car.Judge) {
	seg, err := car.New(f, g, r.preset(t))
	if err != nil {
		t.Fatal(err)
	}
	seg.Trace = func(tr *car.Trace) {
		kept := trace{Trace: car.Trace{Pass: tr.Pass, Stage: tr.Stage, Evaluated: slices.Clone(tr.Evaluated), Retried: tr.Retried,
			Logits: tr.Logits, Probabilities: tr.Probabilities, Raw: tr.Raw, Maps: copies(tr.Maps), Inside: copies(tr.Inside),
			Affine: copies(tr.Affine), Refined: copies(tr.Refined), Areas: tr.Areas, Prompted: tr.Prompted, Inputs: tr.Inputs,
			Vectors: tr.Vectors, ByTemplate: tr.ByTemplate, Shares: tr.Shares}}
		for _, p := range tr.Proposals {
			kept.heats = append(kept.heats, slices.Clone(p.Heat))
		}
		r.traces = append(r.traces, kept)
	}
	pix, w, h := golden.RGB(t, r.c.Path(r.c.Image.File))
	res, err := seg.Segment(t.Context(), &car.Image{Pix: pix, W: w, H: h}, r.queries())
	if err != nil {
		t.Fatal(err)
	}
	first := 0
	for i, p := range r.passes {
		name := "things"
		if i > 0 {
			name = "stuff"
		}
		r.checkPass(t, p, name, first, res)
		first += len(p.Texts)
	}
	r.checkLabels(t, res)
}

func (r *run) queries() (queries []car.Query) {
	for _, p := range r.passes {
		for _, text := range p.Texts {
			queries = append(queries, car.Named(text))
		}
	}
	return queries
}

func copies[T any](v [][]T) [][]T {
	out := make([][]T, len(v))
	for i := range v {
		out[i] = slices.Clone(v[i])
	}
	return out
}

func (r *run) checkPass(t *testing.T, p golden.Pass, name string, first int, res *car.Result) {
	tensors, err := safetensors.Open(r.c.Path(p.Tensors))
	if err != nil {
		t.Fatal(err)
	}
	defer tensors.Close()
	noise := r.c.Noise[p.Name].MaxAbsDiff
	seen := 0
	for _, st := range res.Stages {
		if st.Pass != name {
			continue
		}
		seen = st.Number
		if st.Number > len(p.Stages) {
			t.Fatalf("%s: stage %d, the reference stopped after %d", p.Name, st.Number, len(p.Stages))
		}
		want := p.Stages[st.Number-1]
		var keep []int
		for _, q := range st.Kept {
			keep = append(keep, slices.Index(st.Evaluated, q))
		}
		if !slices.Equal(keep, want.Keep) {
			t.Errorf("%s, stage %d: kept %v, want %v", p.Name, st.Number, keep, want.Keep)
		}
		for i, s := range st.Scores {
			if math.Abs(float64(s)-want.Scores[i]) > max(1e-3, 4*noise[fmt.Sprintf("s%d/S", st.Number)]) {
				t.Errorf("%s, stage %d: score of %q is %g, want %g", p.Name, st.Number, want.Texts[i], s, want.Scores[i])
			}
		}
		for _, tr := range r.traces {
			if tr.Pass == name && tr.Stage == st.Number {
				r.checkStage(t, p, &tr, tensors, noise)
			}
		}
	}
	if seen != len(p.Stages) {
		t.Errorf("%s: %d stages, want %d", p.Name, seen, len(p.Stages))
	}
	var found []string
	for i, text := range p.Texts {
		f := res.Lookup(first + i)
		if f == nil {
			continue
		}
		found = append(found, text)
		if math.Abs(float64(f.Score)-p.Final.Scores[i]) > max(1e-3, 4*noise[fmt.Sprintf("s%d/S", seen)]) {
			t.Errorf("%s: final score of %q is %g, want %g", p.Name, text, f.Score, p.Final.Scores[i])
		}
	}
	if !slices.Equal(found, p.Final.Found) {
		t.Errorf("%s: found %q, want %q", p.Name, found, p.Final.Found)
	}
	r.checkRefined(t, p, name, first, res, tensors, noise)
}

func (r *run) checkStage(t *testing.T, p golden.Pass, tr *trace, tensors *safetensors.File, noise map[string]float64) {
	stage := fmt.Sprintf("s%d/", tr.Stage)
	get := func(name string) []float32 {
		tensor, err := tensors.Tensor(stage + name)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := tensor.Uint8(); err == nil {
			v := make([]float32, len(b))
			for i := range b {
				v[i] = float32(b[i])
			}
			return v
		}
		if b, err := tensor.Int32(); err == nil {
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
	tolerance := func(name string, listed float64) float64 { return max(listed, 4*noise[stage+name]) }
	where := fmt.Sprintf("%s, stage %d", p.Name, tr.Stage)

	for i := range tr.Evaluated {
		for _, v := range []struct {
			name   string
			rows   [][]float64
			listed float64
		}{{"logits", tr.Logits, 1e-3}, {"p", tr.Probabilities, 1e-4}} {
			all, got := get(v.name), v.rows[i]
			var want []float32
			if r.c.Mode == "refer" {
				want = all[i*len(got) : (i+1)*len(got)]
			} else { // one row for all; the trace has the text itself in front
				want = slices.Concat(all[i:i+1], all[:i], all[i+1:])
			}
			nearValues(t, where+" "+v.name, narrow(got), want, tolerance(v.name, v.listed))
		}
	}

	// Heat.
	nearValues(t, where+" m", flat(tr.Maps), get("cam_m"), tolerance("cam_m", 1e-3))
	nearValues(t, where+" boxes", flat(tr.Inside), get("box_mask"), 0)
	nearValues(t, where+" refined", flat(tr.Refined), get("ref"), tolerance("ref", 1e-3))
	for i := range tr.Evaluated {
		for _, v := range []struct {
			name, noise string
			rows        [][]float32
		}{{"cam_raw", "cam_raw (relative to its max)", tr.Raw}, {"ref_raw", "ref", tr.Affine}} {
			got := v.rows[i]
			want := get(v.name)[i*len(got) : (i+1)*len(got)]
			nearValues(t, where+" "+v.name, got, want, peak(want)*tolerance(v.noise, 1e-3))
		}
	}
	for i, retried := range get("cam_fgonly") {
		if tr.Retried[i] != (retried != 0) {
			t.Errorf("%s: text %d retried: %v, want %v", where, i, tr.Retried[i], retried != 0)
		}
	}
	w, h := r.c.Image.Width, r.c.Image.Height
	want := get("Y_s8")
	tops, sums := get("Y_max"), get("Y_sum")
	for i, heat := range tr.heats {
		top, sum := float32(0), 0.0
		for _, v := range heat {
			top, sum = max(top, v), sum+float64(v)
		}
		nearValues(t, where+" max Y", []float32{top}, tops[i:i+1], tolerance("Y", 1e-3))
		mean := []float32{float32(sum / float64(w*h))}
		nearValues(t, where+" mean Y", mean, []float32{sums[i] / float32(w*h)}, tolerance("Y", 1e-3))
		var sample []float32
		for y := 3; y < h; y += 8 {
			for x := 3; x < w; x += 8 {
				sample = append(sample, heat[y*w+x])
			}
		}
		nearValues(t, where+" Y", sample, want[:len(sample)], tolerance("Y", 1e-3))
		want = want[len(sample):]
	}

	// The judge. A single text is not judged: its score is 1.
	if len(tr.Vectors) == 0 {
		if len(tr.Evaluated) != 1 {
			t.Errorf("%s: %d texts and no judgement", where, len(tr.Evaluated))
		}
		return
	}
	for i, area := range get("M_area") {
		off := 0
		if i < len(p.Margins[tr.Stage-1].NearEta) {
			off = p.Margins[tr.Stage-1].NearEta[i] // these may be on either side
		}
		if tr.Prompted[i] != (get("prompted")[i] != 0) {
			t.Errorf("%s: text %d prompted: %v", where, i, tr.Prompted[i])
		}
		if d := tr.Areas[i] - int(area); tr.Prompted[i] && max(d, -d) > off {
			t.Errorf("%s: mask %d has %d pixels, want %g ± %d", where, i, tr.Areas[i], area, off)
		}
	}
	nearValues(t, where+" image vectors", flat(tr.Vectors), get("g_img"), tolerance("g_img", 1e-3))
	var byTemplate, shares []float32
	for a := range tr.ByTemplate[0] { // the reference's order is template, image, text
		for i := range tr.ByTemplate {
			byTemplate = append(byTemplate, narrow(tr.ByTemplate[i][a])...)
		}
	}
	for _, row := range tr.Shares {
		shares = append(shares, narrow(row)...)
	}
	nearValues(t, where+" P", byTemplate, get("P"), tolerance("P", 4e-3))
	nearValues(t, where+" S", shares, get("S"), tolerance("S", 1e-3))
	for i, shown := range tr.Inputs {
		if shown.Input == nil {
			continue
		}
		// The bytes are equal, with two exceptions: a pixel whose heat is within the
		// noise of eta may be on either side, which moves an outline by one pixel; and
		// one pixel of the outline of an ellipse may differ (goldens/README.md).
		allowed := 0
		if i < len(p.Margins[tr.Stage-1].NearEta) && p.Margins[tr.Stage-1].NearEta[i] > 0 {
			allowed = len(shown.Prompted.Pix) / 3 / 200
		} else if slices.Contains(p.Prompts, string(car.Circle)) {
			allowed = 1
		}
		prefix := fmt.Sprintf("%ss%d_", p.Prefix, tr.Stage)
		off := r.compareImage(t, where, fmt.Sprintf("%sprompted%d.png", prefix, i), shown.Prompted, allowed)
		if off > 0 {
			allowed = len(shown.Input.Pix) / 3 / 200 // the difference is also in the crop
		} else {
			allowed = 0
		}
		r.compareImage(t, where, fmt.Sprintf("%scrop%d.png", prefix, i), shown.Input, allowed)
	}
}

// compareImage returns the number of pixels of an image that differ from the stored one; 0
// if it is not stored: only the first few are.
func (r *run) compareImage(t *testing.T, where, name string, img *car.Image, allowed int) int {
	path := r.c.Path(name)
	if _, err := os.Stat(path); err != nil {
		return 0
	}
	pix, w, h := golden.RGB(t, path)
	if img.W != w || img.H != h {
		t.Errorf("%s: %s is %dx%d, want %dx%d", where, name, img.W, img.H, w, h)
		return 0
	}
	off := 0
	for j := 0; j < len(pix); j += 3 {
		if [3]uint8(pix[j:]) != [3]uint8(img.Pix[j:]) {
			off++
		}
	}
	if off > allowed {
		t.Errorf("%s: %s differs in %d pixels of %d, %d allowed", where, name, off, w*h, allowed)
	}
	return off
}

// checkRefined compares the CRF's marginals, sampled, with the reference's.
func (r *run) checkRefined(t *testing.T, p golden.Pass, name string, first int, res *car.Result, tensors *safetensors.File, noise map[string]float64) {
	n := 0
	for i := range p.Texts {
		f := res.Lookup(first + i)
		if f == nil {
			continue
		}
		field, label := "crf", n+1
		if r.c.Mode == "refer" {
			field, label = fmt.Sprintf("crf%d", n), 1
		}
		n++
		tensor, err := tensors.Tensor(field + "/q10_s4")
		if err != nil {
			continue // not stored for every sentence
		}
		q, err := tensor.Float32()
		if err != nil {
			t.Fatal(err)
		}
		var sample []float32
		for y := 0; y < res.H; y += 4 {
			for x := 0; x < res.W; x += 4 {
				sample = append(sample, f.Probability[y*res.W+x])
			}
		}
		// The input is our own heat, so single pixels on an edge may get another label;
		// 99.5 % must agree (goldens/README.md).
		want := q[label*len(sample) : (label+1)*len(sample)]
		off := 0
		for j := range want {
			if math.Abs(float64(sample[j])-float64(want[j])) > max(2e-2, 4*noise["crf0/q10"]) {
				off++
			}
		}
		if float64(off) > 0.005*float64(len(want)) {
			t.Errorf("%s %s: %d of %d marginals of %q are off", p.Name, name, off, len(want), f.Label)
		}
	}
}

// checkLabels compares the final label map, or the merged mask of sentences.
func (r *run) checkLabels(t *testing.T, res *car.Result) {
	if r.c.Mode == "refer" {
		want, _, _ := golden.Gray(t, r.c.Path("merged_"+r.passes[0].Name+".png"))
		got := res.Merge(res.W, res.H)
		off := 0
		for i := range want {
			if (want[i] > 0) != (got[i] > 0) {
				off++
			}
		}
		agree(t, "merged mask", off, len(want))
		return
	}
	ids := make(map[string]int)
	if json.Unmarshal(r.c.Labels, &ids) != nil {
		var byPass map[string]map[string]int
		if err := json.Unmarshal(r.c.Labels, &byPass); err != nil {
			t.Fatal(err)
		}
		clear(ids)
		for _, m := range byPass {
			for label, id := range m {
				ids[label] = id
			}
		}
	}
	var texts []string
	for _, p := range r.passes {
		texts = append(texts, p.Texts...)
	}
	want, _, _ := golden.Gray(t, r.c.Path("label_map.png"))
	off := 0
	for i, l := range res.Labels {
		id := 0
		if l > 0 {
			id = ids[texts[l-1]]
		}
		if int(want[i]) != id {
			off++
		}
	}
	agree(t, "label map", off, len(want))
}

func agree(t *testing.T, what string, off, of int) {
	t.Helper()
	if float64(off) > 0.005*float64(of) {
		t.Errorf("%s differs in %d of %d pixels", what, off, of)
	}
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}

func peak(v []float32) float64 {
	top := 0.0
	for _, x := range v {
		top = max(top, math.Abs(float64(x)))
	}
	return top
}

func flat(v [][]float32) (out []float32) {
	for _, row := range v {
		out = append(out, row...)
	}
	return out
}

func nearValues(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	worst, at := 0.0, 0
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); d > worst || math.IsNaN(d) {
			worst, at = d, i
		}
	}
	if !(worst <= tolerance) {
		t.Errorf("%s: value %d is %g, want %g: off by %.2g, %.2g allowed", what, at, got[at], want[at], worst, tolerance)
	}
}
