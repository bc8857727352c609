package models

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/tensor"
)

// guardModels are the networks of testdata/goldens: the layout and the patches of the
// published pair at a fiftieth of its width, with random weights. scale is
// exp(logit_scale), low enough that scores are neither 0 nor 1. The seeds were picked so
// that every case drops queries, three of them in two stages, and no score comes within
// 0.02 of its theta, nor a presence within 0.004 of its threshold.
var guardModels = map[string]struct {
	shape
	seed  uint64
	scale float64
}{
	"f": {shape{width: 16, layers: 12, heads: 2, patch: 16, resolution: 224, projection: 12, textWidth: 12, textLayers: 2, textHeads: 2, act: quickGELU, eps: 1e-5}, 20, 30},
	"g": {shape{width: 20, layers: 4, heads: 2, patch: 14, resolution: 224, projection: 10, textWidth: 12, textLayers: 2, textHeads: 2, act: quickGELU, eps: 1e-5}, 1020, 25},
}

// MakeGuardModels returns the files of the models of testdata/goldens, by their path.
func MakeGuardModels() (map[string][]byte, error) {
	files := make(map[string][]byte)
	vocab, merges := guardVocabulary()
	for name, m := range guardModels {
		config := bytes.ReplaceAll(m.config(), []byte(`"vocab_size":2560`), fmt.Appendf(nil, `"vocab_size":%d`, len(vocab)))
		ids, err := json.Marshal(vocab)
		if err != nil {
			return nil, err
		}
		pixels, err := json.Marshal(map[string]any{"image_mean": CLIPMean, "image_std": CLIPStd})
		if err != nil {
			return nil, err
		}
		weights, err := guardWeights(m.shape, len(vocab), m.seed, m.scale)
		if err != nil {
			return nil, err
		}
		for file, b := range map[string][]byte{configFile: config, preprocessorFile: pixels, "vocab.json": ids, "merges.txt": merges, weightsFile: weights} {
			files[filepath.Join("models", name, file)] = b
		}
	}
	return files, nil
}

// guardVocabulary has a token for every byte, alone and at the end of a word, and four
// merges: CLIP's own list would be larger than all the weights.
func guardVocabulary() (ids map[string]int, merges []byte) {
	ids = make(map[string]int)
	add := func(token string) { ids[token] = len(ids) }
	next := rune(256)
	var chars []string
	for b := range rune(256) { // GPT-2's table: what prints stands for itself
		c := b
		if !(b >= '!' && b <= '~' || b >= '¡' && b <= '¬' || b >= '®') {
			c, next = next, next+1
		}
		chars = append(chars, string(c))
	}
	for _, end := range []string{"", "</w>"} {
		for _, c := range chars {
			add(c + end)
		}
	}
	list := []string{"i n", "t h", "th e</w>", "in g</w>"}
	for _, pair := range list {
		add(strings.ReplaceAll(pair, " ", ""))
	}
	add("<|startoftext|>")
	add("<|endoftext|>") // the largest id
	return ids, []byte("#version: 0.2\n" + strings.Join(list, "\n") + "\n")
}

// guardWeights makes up weights as float16.
func guardWeights(s shape, vocab int, seed uint64, scale float64) ([]byte, error) {
	rng := rand.New(rand.NewPCG(seed, 1))
	names, shapes := s.tensorShapes()
	shapes["text_model.embeddings.token_embedding.weight"][0] = vocab
	header := make(map[string]any)
	var data []byte
	for _, name := range names {
		sides := shapes[name]
		mean, spread := 0.0, 0.3
		switch {
		case name == "logit_scale":
			mean, spread = math.Log(scale), 0
		case strings.Contains(name, "norm") && strings.HasSuffix(name, ".weight"):
			mean, spread = 1, 0.2
		case strings.HasSuffix(name, ".bias"):
			spread = 0.1
		case len(sides) > 1: // keeps activations in range at any width
			spread = 1 / math.Sqrt(float64(elements(sides[1:])))
		}
		start := len(data)
		for range elements(sides) {
			data = binary.LittleEndian.AppendUint16(data, tensor.ToFloat16(float32(mean+spread*rng.NormFloat64())))
		}
		header[name] = map[string]any{"dtype": tensor.F16, "shape": append([]int{}, sides...), "data_offsets": []int{start, len(data)}}
	}
	head, err := json.Marshal(header)
	if err != nil {
		return nil, err
	}
	head = append(head, strings.Repeat(" ", (8-len(head)%8)%8)...)
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head, data), nil
}

// TestGuardModels: the weights in the repository are those that the generator makes.
func TestGuardModels(t *testing.T) {
	files, err := MakeGuardModels()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", "testdata", "goldens", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what MakeGuardModels makes", name)
		}
	}
}
