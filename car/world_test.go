package car

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/car/densecrf"
)

// A world is an image of coloured blocks and two models of them: the vector of a patch
// or an image has, for each thing, the share of pixels of the thing's colour. It tests
// the loop without weights.
type world struct {
	things []thing
	w, h   int

	encodes, closes int
	judged          int            // images the judge was given
	proposerTexts   []string       // texts the proposer was given
	directions      [][][]float32  // of every call of CAM
	blind           map[string]int // texts whose direction has no heat, 1 raw, 2 in a template, 3 both
	onEncode        func() error
	nan             string // which value is NaN: "heat", "attention" or "vector"
}

// A thing is a coloured block; one of size 0 is not in the image.
type thing struct {
	name           string
	colour         [3]uint8
	x0, y0, x1, y1 int
}

const (
	worldPatch = 8
	worldTau   = 20
)

func newWorld() *world {
	return &world{w: 96, h: 64, things: []thing{
		{"dog", [3]uint8{250, 0, 0}, 8, 16, 32, 48},
		{"cat", [3]uint8{0, 250, 0}, 56, 10, 82, 40},
		{"sky", [3]uint8{0, 0, 250}, 0, 0, 96, 8},
		{"cow", [3]uint8{250, 250, 0}, 0, 0, 0, 0},
		{"pig", [3]uint8{0, 250, 250}, 0, 0, 0, 0},
		{"wall", [3]uint8{90, 90, 90}, 0, 0, 0, 0}, // every pixel outside the blocks
	}}
}

// image paints the blocks, earlier ones on top.
func (wd *world) image() *Image {
	img := NewImage(wd.w, wd.h)
	for i := range wd.w * wd.h {
		copy(img.Pix[3*i:], wd.things[len(wd.things)-1].colour[:])
	}
	for _, th := range slices.Backward(wd.things) {
		for y := th.y0; y < th.y1; y++ {
			for x := th.x0; x < th.x1; x++ {
				copy(img.Pix[3*(y*wd.w+x):], th.colour[:])
			}
		}
	}
	return img
}

// truth is the mask of a thing in the image.
func (wd *world) truth(name string) []uint8 {
	img := wd.image()
	mask := make([]uint8, wd.w*wd.h)
	for i := range mask {
		if wd.at(img, i) == wd.index(name) {
			mask[i] = 1
		}
	}
	return mask
}

func (wd *world) index(name string) int {
	return slices.IndexFunc(wd.things, func(th thing) bool { return th.name == name })
}

// at returns the thing whose colour a pixel has, or -1.
func (wd *world) at(img *Image, i int) int {
	c := [3]uint8(img.Pix[3*i:])
	return slices.IndexFunc(wd.things, func(th thing) bool { return th.colour == c })
}

// dims is the dimension of the vectors: one axis for each thing, one, bare, for texts
// without a template, and one for everything else.
func (wd *world) dims() int { return len(wd.things) + 2 }
func (wd *world) bare() int { return len(wd.things) }

// embed returns the vector of a text: the axes of the things that it contains.
func (wd *world) embed(text string) []float32 {
	v := make([]float32, wd.dims())
	found := false
	for i, th := range wd.things {
		if slices.Contains(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '.' }), th.name) {
			v[i], found = 1, true
		}
	}
	if !found {
		v[wd.dims()-1] = 1
	}
	if !strings.ContainsAny(text, " .") {
		v[wd.bare()] = 0.25
	}
	return unit(v)
}

func unit(v []float32) []float32 {
	n := math.Sqrt(float64(dot(v, v)))
	for i := range v {
		if n == 0 {
			break
		}
		v[i] /= float32(n)
	}
	return v
}

var nan = float32(math.NaN())

type worldProposer struct{ *world }

func (p worldProposer) LogitScale() float32 { return worldTau }
func (p worldProposer) PatchSize() int      { return worldPatch }

func (p worldProposer) EncodeTexts(_ context.Context, texts []string) ([][]float32, error) {
	p.proposerTexts = append(p.proposerTexts, texts...)
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = p.embed(text)
	}
	return out, nil
}

func (p worldProposer) Encode(ctx context.Context, img *Image) (Features, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if img.W%worldPatch != 0 || img.H%worldPatch != 0 {
		return nil, fmt.Errorf("%dx%d is not a whole number of patches", img.W, img.H)
	}
	p.encodes++
	v := &worldFeatures{world: p.world, rows: img.H / worldPatch, cols: img.W / worldPatch}
	n := v.rows * v.cols
	v.share = make([][]float32, p.dims())
	v.feature = make([]float32, p.dims())
	for i := range v.share {
		v.share[i] = make([]float32, n)
	}
	for i := range img.W * img.H {
		patch := i/img.W/worldPatch*v.cols + i%img.W/worldPatch
		if th := p.at(img, i); th >= 0 {
			v.share[th][patch] += 1. / (worldPatch * worldPatch)
			v.feature[th] += 1
		}
	}
	unit(v.feature)
	return v, nil
}

type worldFeatures struct {
	*world
	rows, cols int
	share      [][]float32 // thing × patch
	feature    []float32
}

func (v *worldFeatures) Grid() (rows, cols int) { return v.rows, v.cols }
func (v *worldFeatures) Feature() []float32     { return v.feature }
func (v *worldFeatures) Close()                 { v.closes++ }

// Attention is high between patches of the same thing.
func (v *worldFeatures) Attention() []float32 {
	n := v.rows * v.cols
	d := make([]float32, n*n)
	for i := range n {
		for j := range n {
			d[i*n+j] = 1e-3
			for _, s := range v.share {
				d[i*n+j] += s[i] * s[j]
			}
		}
	}
	if v.nan == "attention" {
		d[n/2] = nan
	}
	return d
}

func (v *worldFeatures) CAM(_ context.Context, directions [][]float32) ([][]float32, error) {
	v.directions = append(v.directions, clone2(directions))
	maps := make([][]float32, len(directions))
	for k, u := range directions {
		maps[k] = make([]float32, v.rows*v.cols)
		if v.isBlind(u) {
			continue
		}
		for i, s := range v.share {
			for j, x := range s {
				maps[k][j] += u[i] * x
			}
		}
		if v.nan == "heat" {
			maps[k][len(maps[k])/2] = nan
		}
	}
	return maps, nil
}

// isBlind reports whether a direction belongs to a text that blind lists.
func (v *worldFeatures) isBlind(u []float32) bool {
	top := 0
	for i := range v.things {
		if u[i] > u[top] {
			top = i
		}
	}
	bare := 1
	if u[v.bare()] <= 0 {
		bare = 2
	}
	return v.blind[v.things[top].name]&bare != 0
}

type worldJudge struct{ *world }

// LogitScale is low, so that scores are not all 0 or 1.
func (j worldJudge) LogitScale() float32 { return 6 }
func (j worldJudge) InputSize() int      { return 64 }
func (j worldJudge) PatchSize() int      { return worldPatch }

func (j worldJudge) EncodeTexts(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = j.embed(text)
	}
	return out, nil
}

func (j worldJudge) EncodeImages(ctx context.Context, images []*Image) ([][]float32, error) {
	if j.onEncode != nil {
		if err := j.onEncode(); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	j.judged += len(images)
	out := make([][]float32, len(images))
	for k, img := range images {
		out[k] = make([]float32, j.dims())
		for i := range img.W * img.H {
			if th := j.at(img, i); th >= 0 {
				out[k][th]++
			}
		}
		out[k][j.dims()-1] = 300 // lowers the scores of small masks
		unit(out[k])
		if j.nan == "vector" {
			out[k][0] = nan
		}
	}
	return out, nil
}

// worldPreset blackens everything outside the mask for the judge.
func worldPreset() Preset {
	return Preset{
		Name: "world", Eta: 0.5, Theta: 0.55, Lambda: 0.4, Prompts: [][]Prompt{{Black}},
		CAMTemplate: "a clean origami {}.", JudgeTemplates: []string{"a {}.", "the {} in a photo", "one {} of many"},
		Background: []string{"wall"}, View: Whole, CRF: densecrf.Reference(),
		Quirks: Quirks{KeepBest: true, FightBackground: true},
	}
}

func (wd *world) segmenter(t testing.TB, preset Preset) *Segmenter {
	t.Helper()
	s, err := New(worldProposer{wd}, worldJudge{wd}, preset)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (wd *world) segment(t testing.TB, preset Preset, queries ...Query) *Result {
	t.Helper()
	res, err := wd.segmenter(t, preset).Segment(context.Background(), wd.image(), queries)
	if err != nil {
		t.Fatal(err)
	}
	if wd.encodes != wd.closes {
		t.Errorf("%d Features were opened and %d closed", wd.encodes, wd.closes)
	}
	return res
}

func named(names ...string) (queries []Query) {
	for _, n := range names {
		queries = append(queries, Named(n))
	}
	return queries
}

func foundIn(res *Result) (labels []string) {
	for _, f := range res.Found {
		labels = append(labels, f.Label)
	}
	return labels
}

func iou(a, b []uint8) float64 {
	both, either := 0, 0
	for i := range a {
		both += int(a[i] & b[i])
		either += int(a[i] | b[i])
	}
	return float64(both) / float64(max(either, 1))
}

var errWorld = errors.New("the world ends")
