package models_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/golden"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
	"github.com/carve-video/carve/models/selftest"
)

// A loadingMistake is a way of loading a model wrongly.
type loadingMistake struct {
	name    string
	noticed bool                  // whether the self-test notices it in the demo model
	set     func(models.Modifier) // before the model runs
	judge   func(t *testing.T, m *models.Model, j car.Judge) car.Judge
	blind   bool // whether the image vectors are not affected
	skip    bool // whether the last block is left out
	rare    bool // only tested with -all-mistakes
}

var allMistakes = flag.Bool("all-mistakes", false, "TestWrongSettings tries all that docs/selftest.md lists, in a minute or two")

// swappedChannels is a judge that exchanges red and blue.
type swappedChannels struct{ car.Judge }

func (s swappedChannels) EncodeImages(ctx context.Context, images []*car.Image) ([][]float32, error) {
	for _, img := range images {
		for i := 0; i < len(img.Pix); i += 3 {
			img.Pix[i], img.Pix[i+2] = img.Pix[i+2], img.Pix[i]
		}
	}
	return s.Judge.EncodeImages(ctx, images)
}

// pooledPatches is a judge that uses the mean of the patches instead of CLS.
type pooledPatches struct {
	car.Judge
	proposer car.Proposer
}

func (p pooledPatches) EncodeImages(ctx context.Context, images []*car.Image) (out [][]float32, err error) {
	for _, img := range images {
		v, err := p.proposer.Encode(ctx, img)
		if err != nil {
			return nil, err
		}
		out = append(out, slices.Clone(v.Feature()))
		v.Close()
	}
	return out, nil
}

// recordingJudge is a judge that reuses the image vectors of earlier tests.
type recordingJudge struct {
	car.Judge
	seen *[][][]float32 // by call
	next int
}

func (r *recordingJudge) EncodeImages(ctx context.Context, images []*car.Image) ([][]float32, error) {
	if r.next == len(*r.seen) {
		v, err := r.Judge.EncodeImages(ctx, images)
		if err != nil {
			return nil, err
		}
		*r.seen = append(*r.seen, v)
	}
	r.next++
	return (*r.seen)[r.next-1], nil
}

// side is the side of the square of patches in a table of n rows.
func side(n int) int { return int(math.Sqrt(float64(n-1)) + 0.5) }

// tokens changes the ids of texts.
func tokens(change func(ids []int32) []int32) func(models.Modifier) {
	return func(w models.Modifier) {
		w.Tokens(func(_ string, ids []int32) []int32 { return change(slices.Clone(ids)) })
	}
}

func positions(from func(i, n int) int) func(models.Modifier) {
	return func(w models.Modifier) {
		w.Positions(func(i, n int) int {
			if i == 0 {
				return 0
			}
			return from(i, n)
		})
	}
}

func mistakes(t *testing.T) []loadingMistake {
	const contextLength = 77
	pixels := func(mean, std float32) func(models.Modifier) { return func(w models.Modifier) { w.Pixels(mean, std) } }
	epsilon := func(v float32) func(models.Modifier) { return func(w models.Modifier) { w.Epsilon(v) } }
	scale := func(f func(float64) float64) func(models.Modifier) { return func(w models.Modifier) { w.Scale(f) } }
	return []loadingMistake{
		{name: "none", blind: true},

		{name: "gelu instead of quick_gelu", set: func(w models.Modifier) { w.Activation("gelu", "gelu") }},
		{name: "ImageNet's mean and deviation", rare: true, set: func(w models.Modifier) {
			w.PixelsOf([3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225})
		}},
		{name: "mean 0.5, deviation 0.5", noticed: true, set: pixels(0.5, 0.5)},
		{name: "pixels from 0 to 1 as they are", noticed: true, set: pixels(0, 1)},
		{name: "pixels from 0 to 255 as they are", rare: true, noticed: true, set: pixels(0, 1./255)},
		{name: "red and blue swapped", noticed: true, judge: func(_ *testing.T, _ *models.Model, j car.Judge) car.Judge { return swappedChannels{j} }},

		{name: "names not lowered", noticed: true, blind: true, set: func(w models.Modifier) {
			w.Tokens(func(text string, _ []int32) []int32 { return unloweredIDs(t, text) })
		}},
		{name: "ids shifted by one", noticed: true, blind: true, set: tokens(func(ids []int32) []int32 {
			for i := 1; i < len(ids)-1; i++ {
				ids[i]++
			}
			return ids
		})},
		{name: "no end of text", noticed: true, blind: true, set: tokens(func(ids []int32) []int32 { return ids[:len(ids)-1] })},
		{name: "no start of text", blind: true, set: tokens(func(ids []int32) []int32 { return ids[1:] })},
		{name: "text read one token late", blind: true, set: tokens(func(ids []int32) []int32 { return append(ids, 0) })},
		{name: "text read at the end of the padding", noticed: true, blind: true, set: tokens(func(ids []int32) []int32 {
			return append(ids, make([]int32, contextLength-len(ids))...)
		})},
		{name: "text read at its start", noticed: true, blind: true, set: tokens(func(ids []int32) []int32 { return ids[:1] })},
		{name: "padded with ends, read at the last", blind: true, set: tokens(func(ids []int32) []int32 {
			return append(ids, slices.Repeat(ids[len(ids)-1:], contextLength-len(ids))...)
		})},

		{name: "positions shuffled", noticed: true, set: positions(func(i, n int) int { return 1 + i*37%(n-1) })},
		{name: "positions shifted by a row", rare: true, noticed: true, set: func(w models.Modifier) { w.Positions(func(i, n int) int { return min(i+1, n-1) }) }},
		{name: "no positions", rare: true, noticed: true, set: positions(func(_, _ int) int { return -1 })},
		{name: "positions transposed", rare: true, set: positions(func(i, n int) int { return 1 + (i-1)%side(n)*side(n) + (i-1)/side(n) })},
		{name: "positions upside down", rare: true, set: positions(func(i, n int) int { return n - i })},

		{name: "half of the heads", rare: true, noticed: true, set: func(w models.Modifier) { w.Heads(1, 1) }},
		{name: "twice the heads", rare: true, set: func(w models.Modifier) { w.Heads(4, 4) }},
		{name: "epsilon 1e-6", rare: true, set: epsilon(1e-6)},
		{name: "epsilon 1e-3", rare: true, set: epsilon(1e-3)},
		{name: "epsilon 0.1", rare: true, set: epsilon(0.1)},
		{name: "mean of the patches instead of the class", rare: true, judge: func(t *testing.T, m *models.Model, j car.Judge) car.Judge {
			p, err := m.Proposer()
			if err != nil {
				t.Fatal(err)
			}
			return pooledPatches{j, p}
		}},
		{name: "last block left out", rare: true, skip: true},

		{name: "scale left as a logarithm", noticed: true, blind: true, set: scale(math.Log)},
		{name: "scale of 1", noticed: true, blind: true, set: scale(func(float64) float64 { return 1 })},
		{name: "half of the scale", noticed: true, blind: true, set: scale(func(v float64) float64 { return v / 2 })},
		{name: "twice the scale", blind: true, set: scale(func(v float64) float64 { return 2 * v })},
		{name: "scale squared", noticed: true, blind: true, set: scale(func(v float64) float64 { return v * v })},
	}
}

// TestWrongSettings shows which mistakes in loading a model the self-test notices. With -v
// it prints the table of docs/selftest.md.
func TestWrongSettings(t *testing.T) {
	if testing.Short() {
		t.Skip("many models, and no goroutine of its own")
	}
	var seen [][][]float32
	for _, c := range mistakes(t) {
		if c.rare && !*allMistakes {
			continue
		}
		f := runSelfTest(t, demo.Name, c, &seen)
		noticed := ""
		doubts := f.Doubts()
		if len(doubts) > 0 {
			noticed = "noticed"
		}
		t.Logf("| %s | %d of %d | %d of %d | %.2f | %.2f | %s |", c.name, f.Plain.Right, f.Plain.Images, f.Pale.Right, f.Pale.Images, f.Confidence, f.Loss, noticed)
		if (len(doubts) > 0) != c.noticed {
			t.Errorf("%s: doubts %q, noticed %v", c.name, doubts, c.noticed)
		}
	}
}

// TestUntrained: untrained networks name hardly any sticker right.
func TestUntrained(t *testing.T) {
	if testing.Short() {
		t.Skip("large images, and no goroutine of its own")
	}
	for _, name := range []string{"micro-f", "micro-g"} {
		dir := golden.Dir(t, "models", name)
		for _, c := range mistakes(t) {
			if c.name != "none" && (c.rare || c.blind || !*allMistakes) {
				continue
			}
			var seen [][][]float32
			f := runSelfTest(t, dir, c, &seen)
			t.Logf("| %s, %s | %d of %d | %d of %d | %.2f | %.2f |", name, c.name, f.Plain.Right, f.Plain.Images, f.Pale.Right, f.Pale.Images, f.Confidence, f.Loss)
			if len(f.Doubts()) == 0 || f.Plain.Right > 8 {
				t.Errorf("%s, %s: %d right, doubts %q", name, c.name, f.Plain.Right, f.Doubts())
			}
		}
	}
}

// runSelfTest tests a model with a mistake. imageVectors are those of the unaffected
// images, see recordingJudge.
func runSelfTest(t *testing.T, model string, c loadingMistake, imageVectors *[][][]float32) *selftest.Measurements {
	t.Helper()
	m, err := models.Open(t.Context(), model, models.Options{Device: "cpu", InMemory: true, SkipLastBlock: c.skip})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if c.set != nil {
		c.set(m.Modify())
	}
	judge, err := m.Judge()
	if errors.Is(err, models.ErrNoRuntime) && os.Getenv("CI") != "true" {
		t.Skip("no ONNX Runtime: run with scripts/env.sh")
	}
	if err != nil {
		t.Fatal(err)
	}
	if c.judge != nil {
		judge = c.judge(t, m, judge)
	}
	if c.blind {
		judge = &recordingJudge{Judge: judge, seen: imageVectors}
	}
	f, err := selftest.Measure(t.Context(), judge)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// unloweredIDs returns the ids of an ASCII text by a tokenizer that does not convert to
// lower case.
func unloweredIDs(t *testing.T, text string) []int32 {
	t.Helper()
	var ids map[string]int32
	vocab, err := demo.FS.ReadFile("vocab.json")
	if err == nil {
		err = json.Unmarshal(vocab, &ids)
	}
	merges, err2 := demo.FS.ReadFile("merges.txt")
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	rank := map[string]int{}
	for i, pair := range strings.Split(string(merges), "\n") {
		rank[pair] = i
	}
	out := []int32{ids["<|startoftext|>"]}
	for _, word := range strings.Fields(strings.ReplaceAll(text, ".", " .")) {
		parts := strings.Split(word, "")
		parts[len(parts)-1] += "</w>"
		for {
			at, best := -1, len(rank)
			for i := range len(parts) - 1 {
				if r, ok := rank[parts[i]+" "+parts[i+1]]; ok && r < best {
					at, best = i, r
				}
			}
			if at < 0 {
				break
			}
			parts = slices.Replace(parts, at, at+2, parts[at]+parts[at+1])
		}
		for _, p := range parts {
			out = append(out, ids[p])
		}
	}
	return append(out, ids["<|endoftext|>"])
}
