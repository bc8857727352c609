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

// A mistake is a way of loading a model wrongly.
type mistake struct {
	name  string
	told  bool               // whether the self-test notices it in the demo model
	set   func(models.Wrong) // before the model runs
	judge func(t *testing.T, m *models.Model, j car.Judge) car.Judge
	blind bool // whether pictures are seen as they should be
	skip  bool // whether the last block is left out
	rare  bool // only tried with -all-mistakes
}

var allMistakes = flag.Bool("all-mistakes", false, "TestWrongSettings tries all that docs/selftest.md lists, in a minute or two")

// swapped is a judge that takes red for blue.
type swapped struct{ car.Judge }

func (s swapped) EncodeImages(ctx context.Context, images []*car.Image) ([][]float32, error) {
	for _, img := range images {
		for i := 0; i < len(img.Pix); i += 3 {
			img.Pix[i], img.Pix[i+2] = img.Pix[i+2], img.Pix[i]
		}
	}
	return s.Judge.EncodeImages(ctx, images)
}

// pooled is a judge that takes the mean of the patches for the class.
type pooled struct {
	car.Judge
	proposer car.Proposer
}

func (p pooled) EncodeImages(ctx context.Context, images []*car.Image) (out [][]float32, err error) {
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

// remembering is a judge that has seen the pictures before.
type remembering struct {
	car.Judge
	seen *[][][]float32 // by call
	next int
}

func (r *remembering) EncodeImages(ctx context.Context, images []*car.Image) ([][]float32, error) {
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

// side of the square of patches of a table of n rows.
func side(n int) int { return int(math.Sqrt(float64(n-1)) + 0.5) }

// tokens changes the ids of texts.
func tokens(change func(ids []int32) []int32) func(models.Wrong) {
	return func(w models.Wrong) {
		w.Tokens(func(_ string, ids []int32) []int32 { return change(slices.Clone(ids)) })
	}
}

func positions(from func(i, n int) int) func(models.Wrong) {
	return func(w models.Wrong) {
		w.Positions(func(i, n int) int {
			if i == 0 {
				return 0
			}
			return from(i, n)
		})
	}
}

func mistakes(t *testing.T) []mistake {
	const contextLength = 77
	pixels := func(mean, std float32) func(models.Wrong) { return func(w models.Wrong) { w.Pixels(mean, std) } }
	epsilon := func(v float32) func(models.Wrong) { return func(w models.Wrong) { w.Epsilon(v) } }
	scale := func(f func(float64) float64) func(models.Wrong) { return func(w models.Wrong) { w.Scale(f) } }
	return []mistake{
		{name: "none", blind: true},

		{name: "gelu instead of quick_gelu", set: func(w models.Wrong) { w.Activation("gelu", "gelu") }},
		{name: "ImageNet's mean and deviation", rare: true, set: func(w models.Wrong) {
			w.PixelsOf([3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225})
		}},
		{name: "mean 0.5, deviation 0.5", told: true, set: pixels(0.5, 0.5)},
		{name: "pixels from 0 to 1 as they are", told: true, set: pixels(0, 1)},
		{name: "pixels from 0 to 255 as they are", rare: true, told: true, set: pixels(0, 1./255)},
		{name: "red and blue swapped", told: true, judge: func(_ *testing.T, _ *models.Model, j car.Judge) car.Judge { return swapped{j} }},

		{name: "names not lowered", told: true, blind: true, set: func(w models.Wrong) {
			w.Tokens(func(text string, _ []int32) []int32 { return unloweredIDs(t, text) })
		}},
		{name: "ids shifted by one", told: true, blind: true, set: tokens(func(ids []int32) []int32 {
			for i := 1; i < len(ids)-1; i++ {
				ids[i]++
			}
			return ids
		})},
		{name: "no end of text", told: true, blind: true, set: tokens(func(ids []int32) []int32 { return ids[:len(ids)-1] })},
		{name: "no start of text", blind: true, set: tokens(func(ids []int32) []int32 { return ids[1:] })},
		{name: "text read one token late", blind: true, set: tokens(func(ids []int32) []int32 { return append(ids, 0) })},
		{name: "text read at the end of the padding", told: true, blind: true, set: tokens(func(ids []int32) []int32 {
			return append(ids, make([]int32, contextLength-len(ids))...)
		})},
		{name: "text read at its start", told: true, blind: true, set: tokens(func(ids []int32) []int32 { return ids[:1] })},
		{name: "padded with ends, read at the last", blind: true, set: tokens(func(ids []int32) []int32 {
			return append(ids, slices.Repeat(ids[len(ids)-1:], contextLength-len(ids))...)
		})},

		{name: "positions shuffled", told: true, set: positions(func(i, n int) int { return 1 + i*37%(n-1) })},
		{name: "positions shifted by a row", rare: true, told: true, set: func(w models.Wrong) { w.Positions(func(i, n int) int { return min(i+1, n-1) }) }},
		{name: "no positions", rare: true, told: true, set: positions(func(_, _ int) int { return -1 })},
		{name: "positions transposed", rare: true, set: positions(func(i, n int) int { return 1 + (i-1)%side(n)*side(n) + (i-1)/side(n) })},
		{name: "positions upside down", rare: true, set: positions(func(i, n int) int { return n - i })},

		{name: "half of the heads", rare: true, told: true, set: func(w models.Wrong) { w.Heads(1, 1) }},
		{name: "twice the heads", rare: true, set: func(w models.Wrong) { w.Heads(4, 4) }},
		{name: "epsilon 1e-6", rare: true, set: epsilon(1e-6)},
		{name: "epsilon 1e-3", rare: true, set: epsilon(1e-3)},
		{name: "epsilon 0.1", rare: true, set: epsilon(0.1)},
		{name: "mean of the patches instead of the class", rare: true, judge: func(t *testing.T, m *models.Model, j car.Judge) car.Judge {
			p, err := m.Proposer()
			if err != nil {
				t.Fatal(err)
			}
			return pooled{j, p}
		}},
		{name: "last block left out", rare: true, skip: true},

		{name: "scale left as a logarithm", told: true, blind: true, set: scale(math.Log)},
		{name: "scale of 1", told: true, blind: true, set: scale(func(float64) float64 { return 1 })},
		{name: "half of the scale", told: true, blind: true, set: scale(func(v float64) float64 { return v / 2 })},
		{name: "twice the scale", blind: true, set: scale(func(v float64) float64 { return 2 * v })},
		{name: "scale squared", told: true, blind: true, set: scale(func(v float64) float64 { return v * v })},
	}
}

// What the self-test tells of a model that was loaded wrongly, and what it does not.
// The table of docs/selftest.md is what this prints with -v.
func TestWrongSettings(t *testing.T) {
	if testing.Short() {
		t.Skip("many models, and no goroutine of its own")
	}
	var seen [][][]float32
	for _, c := range mistakes(t) {
		if c.rare && !*allMistakes {
			continue
		}
		f := try(t, demo.Name, c, &seen)
		noticed := ""
		doubts := f.Doubts()
		if len(doubts) > 0 {
			noticed = "noticed"
		}
		t.Logf("| %s | %d of %d | %d of %d | %.2f | %.2f | %s |", c.name, f.Plain.Right, f.Plain.Pictures, f.Pale.Right, f.Pale.Pictures, f.Confidence, f.Loss, noticed)
		if (len(doubts) > 0) != c.told {
			t.Errorf("%s: doubts %q, told %v", c.name, doubts, c.told)
		}
	}
}

// Networks that were never trained name nothing.
func TestUntrained(t *testing.T) {
	if testing.Short() {
		t.Skip("large pictures, and no goroutine of its own")
	}
	for _, name := range []string{"micro-f", "micro-g"} {
		dir := golden.Dir(t, "models", name)
		for _, c := range mistakes(t) {
			if c.name != "none" && (c.rare || c.blind || !*allMistakes) {
				continue
			}
			var seen [][][]float32
			f := try(t, dir, c, &seen)
			t.Logf("| %s, %s | %d of %d | %d of %d | %.2f | %.2f |", name, c.name, f.Plain.Right, f.Plain.Pictures, f.Pale.Right, f.Pale.Pictures, f.Confidence, f.Loss)
			if len(f.Doubts()) == 0 || f.Plain.Right > 8 {
				t.Errorf("%s, %s: %d right, doubts %q", name, c.name, f.Plain.Right, f.Doubts())
			}
		}
	}
}

// try tests a model with a mistake. seen are the vectors of pictures that were seen
// as they should be.
func try(t *testing.T, model string, c mistake, seen *[][][]float32) *selftest.Figures {
	t.Helper()
	m, err := models.Open(t.Context(), model, models.Options{Device: "cpu", InMemory: true, SkipLastBlock: c.skip})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if c.set != nil {
		c.set(m.Wrong())
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
		judge = &remembering{Judge: judge, seen: seen}
	}
	f, err := selftest.Measure(t.Context(), judge)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// unloweredIDs are the ids of an ASCII text that a tokenizer without lower case makes.
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
