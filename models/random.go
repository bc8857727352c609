package models

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/embedded"
	"github.com/carve-video/carve/internal/tensor"
)

// RandomPair are the names of two models with random weights and the sizes of carve's
// default pair: ViT-B/16 as proposer, ViT-L/14 as judge. They find nothing, but speed does
// not depend on the weights. [MakeRandom] creates them.
var RandomPair = [2]string{"random-b16", "random-l14"}

// RandomBytes is the approximate size of both on disk: 1 GB of weights in float16, and 2 GB
// of graphs built from them in float32.
const RandomBytes = 3 << 30

// MakeRandom writes a model of [RandomPair] to the cache, unless it is there.
func MakeRandom(ctx context.Context, name string) (err error) {
	s, ok := map[string]shape{RandomPair[0]: vitBase16, RandomPair[1]: vitLarge14}[name]
	switch {
	case !ok:
		return &UnknownModelError{Name: name, Known: RandomPair[:]}
	case Dir() == "":
		return errors.New("there is no folder to keep models in: set CARVE_CACHE")
	case installed(name):
		return writePixels(modelDir(name)) // older versions did not write it
	}
	if err := os.MkdirAll(Dir(), 0o777); err != nil {
		return fmt.Errorf("failed to make the folder of models: %w", err)
	}
	sweep(Dir())
	part, err := atomicfile.CreateFolder(modelDir(name), atomicfile.Options{})
	if err != nil {
		return fmt.Errorf("failed to make the folder of model %s: %w", name, err)
	}
	defer part.Abort()
	err = s.writeTo(ctx, part.Path(), tensor.F16, 1)
	if err == nil {
		err = part.Commit()
	}
	if err != nil {
		return fmt.Errorf("failed to write model %s: %w", name, err)
	}
	return nil
}

// A shape is the size of a random CLIP.
type shape struct {
	width, layers, heads, patch, resolution int
	projection                              int
	textWidth, textLayers, textHeads        int
	act                                     string
	eps                                     float64
}

// The published sizes of the default pair.
var (
	vitBase16  = shape{width: 768, layers: 12, heads: 12, patch: 16, resolution: 224, projection: 512, textWidth: 512, textLayers: 12, textHeads: 8, act: quickGELU, eps: 1e-5}
	vitLarge14 = shape{width: 1024, layers: 24, heads: 16, patch: 14, resolution: 224, projection: 768, textWidth: 768, textLayers: 12, textHeads: 12, act: quickGELU, eps: 1e-5}
)

// tensorShapes returns the tensors of a checkpoint, in the order in which they are stored.
func (s shape) tensorShapes() (names []string, shapes map[string][]int) {
	shapes = map[string][]int{}
	put := func(name string, sides ...int) {
		names = append(names, name)
		shapes[name] = sides
	}
	put("logit_scale")
	put("visual_projection.weight", s.projection, s.width)
	put("text_projection.weight", s.projection, s.textWidth)
	side := s.resolution / s.patch
	put("vision_model.embeddings.class_embedding", s.width)
	put("vision_model.embeddings.patch_embedding.weight", s.width, 3, s.patch, s.patch)
	put("vision_model.embeddings.position_embedding.weight", 1+side*side, s.width)
	put("text_model.embeddings.token_embedding.weight", 2560, s.textWidth)
	put("text_model.embeddings.position_embedding.weight", 77, s.textWidth)
	norm := func(name string, width int) {
		put(name+".weight", width)
		put(name+".bias", width)
	}
	norm("vision_model.pre_layrnorm", s.width)
	norm("vision_model.post_layernorm", s.width)
	norm("text_model.final_layer_norm", s.textWidth)
	for _, tower := range []struct {
		name          string
		width, layers int
	}{{"vision_model", s.width, s.layers}, {"text_model", s.textWidth, s.textLayers}} {
		for i := range tower.layers {
			p := fmt.Sprintf("%s.encoder.layers.%d", tower.name, i)
			norm(p+".layer_norm1", tower.width)
			norm(p+".layer_norm2", tower.width)
			for _, m := range []string{"q_proj", "k_proj", "v_proj", "out_proj"} {
				put(p+".self_attn."+m+".weight", tower.width, tower.width)
				put(p+".self_attn."+m+".bias", tower.width)
			}
			put(p+".mlp.fc1.weight", 4*tower.width, tower.width)
			put(p+".mlp.fc1.bias", 4*tower.width)
			put(p+".mlp.fc2.weight", tower.width, 4*tower.width)
			put(p+".mlp.fc2.bias", tower.width)
		}
	}
	return names, shapes
}

func (s shape) config() []byte {
	tower := func(width, layers, heads int) map[string]any {
		return map[string]any{
			"hidden_size": width, "intermediate_size": 4 * width, "num_hidden_layers": layers, "num_attention_heads": heads,
			"hidden_act": s.act, "layer_norm_eps": s.eps,
		}
	}
	vision, text := tower(s.width, s.layers, s.heads), tower(s.textWidth, s.textLayers, s.textHeads)
	vision["image_size"], vision["patch_size"] = s.resolution, s.patch
	text["vocab_size"] = 2560
	b, err := json.Marshal(map[string]any{"model_type": "clip", "projection_dim": s.projection, "vision_config": vision, "text_config": text})
	if err != nil {
		panic(err)
	}
	return b
}

// writeTo writes a model folder with random weights, stored as dtype. They depend on the
// seed only, up to the precision of dtype. The vocabulary is the demo model's.
func (s shape) writeTo(ctx context.Context, dir string, dtype tensor.DType, seed uint64) error {
	size := map[tensor.DType]int{tensor.F32: 4, tensor.F16: 2, tensor.BF16: 2}[dtype]
	rng := rand.New(rand.NewPCG(seed, 1))
	names, shapes := s.tensorShapes()
	header, offset := map[string]any{}, 0
	for _, name := range names {
		n := elements(shapes[name])
		header[name] = map[string]any{"dtype": dtype, "shape": append([]int{}, shapes[name]...), "data_offsets": []int{offset, offset + n*size}}
		offset += n * size
	}
	head, err := json.Marshal(header)
	if err != nil {
		return err
	}
	head = append(head, strings.Repeat(" ", (8-len(head)%8)%8)...)
	file, err := os.Create(filepath.Join(dir, weightsFile))
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head...)); err != nil {
		return err
	}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		sides := shapes[name]
		mean, spread := 0.0, 0.3
		switch {
		case name == "logit_scale":
			mean, spread = math.Log(100), 0
		case strings.Contains(name, "norm") && strings.HasSuffix(name, ".weight"):
			mean, spread = 1, 0.2
		case strings.HasSuffix(name, ".bias"):
			spread = 0.1
		case len(sides) > 1: // keeps activations in range at any width
			spread = 1 / math.Sqrt(float64(elements(sides[1:])))
		}
		out := make([]byte, 0, elements(sides)*size)
		for range elements(sides) {
			v := float32(mean + spread*rng.NormFloat64())
			switch dtype {
			case tensor.F32:
				out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
			case tensor.F16:
				out = binary.LittleEndian.AppendUint16(out, tensor.ToFloat16(v))
			case tensor.BF16:
				out = binary.LittleEndian.AppendUint16(out, uint16(math.Float32bits(v)>>16))
			}
		}
		if _, err := file.Write(out); err != nil {
			return err
		}
	}
	words, ok := embedded.Lookup(demoName)
	if !ok {
		return notLinkedError(demoName)
	}
	for _, name := range []string{"vocab.json", "merges.txt"} {
		b, err := fs.ReadFile(words, name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, configFile), s.config(), 0o666); err != nil {
		return err
	}
	return errors.Join(writePixels(dir), file.Close())
}

// writePixels writes CLIP's mean and standard deviation to the folder of a model, unless
// they are there.
func writePixels(dir string) error {
	path := filepath.Join(dir, preprocessorFile)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	b, err := json.Marshal(map[string]any{"image_mean": CLIPMean, "image_std": CLIPStd})
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o666)
}
