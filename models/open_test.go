package models

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/carve-video/carve/internal/tensor"
	"github.com/carve-video/carve/models/demo"
)

func TestOpenErrors(t *testing.T) {
	ctx := t.Context()
	t.Setenv("CARVE_CACHE", t.TempDir())
	_, err := Open(ctx, "nope", Options{})
	var unknown *UnknownModelError
	if !errors.As(err, &unknown) || !slices.Contains(unknown.Known, demo.Name) || unknown.Hint() == "" {
		t.Errorf("unknown name: %v", err)
	}
	if _, err := Open(ctx, "./nope", Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
	if _, err := Open(ctx, filepath.Join(tiny.write(t, tensor.F32, 1), "config.json"), Options{}); err == nil || !strings.Contains(err.Error(), "neither a folder nor a checkpoint") {
		t.Errorf("a file: %v", err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Open(ended, "demo", Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}

	// A named model is found in the cache.
	good := tiny.write(t, tensor.F32, 1)
	if err := os.MkdirAll(Dir(), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(good, filepath.Join(Dir(), "mine")); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(Names(), []string{"demo", "mine"}) {
		t.Errorf("names %v", Names())
	}
	if m, err := Open(ctx, "mine", Options{}); err != nil {
		t.Error(err)
	} else {
		if m.Info().Name != "mine" {
			t.Errorf("name %q", m.Info().Name)
		}
		m.Close()
	}

	edit := func(file, from, to string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, file)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(b), from) {
				t.Fatalf("%s has no %q", file, from)
			}
			if err := os.WriteFile(path, []byte(strings.Replace(string(b), from, to, 1)), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(file string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, file)); err != nil {
				t.Fatal(err)
			}
		}
	}
	shards := func(t *testing.T, dir string) {
		t.Helper()
		all := readTensors(t, dir)
		if err := os.Remove(filepath.Join(dir, weightsFile)); err != nil {
			t.Fatal(err)
		}
		writeShards(t, dir, all)
	}
	const fc1 = "vision_model.encoder.layers.1.mlp.fc1.weight"
	for name, c := range map[string]struct {
		damage func(t *testing.T, dir string)
		want   []string
	}{
		"no config":      {remove("config.json"), []string{weightsFile, "heads", "width of 12"}},
		"no weights":     {remove(weightsFile), []string{weightsFile}},
		"no vocabulary":  {remove("vocab.json"), []string{"vocab.json"}},
		"no merges":      {remove("merges.txt"), []string{"merges.txt"}},
		"broken config":  {edit("config.json", "{", "["), []string{"config.json"}},
		"other model":    {edit("config.json", `"clip"`, `"bert"`), []string{"config.json", "bert"}},
		"activation":     {edit("config.json", quickGELU, "relu"), []string{"hidden_act", "relu"}},
		"heads":          {edit("config.json", `"num_attention_heads":3`, `"num_attention_heads":5`), []string{"num_attention_heads"}},
		"layers":         {edit("config.json", `"num_hidden_layers":3`, `"num_hidden_layers":4`), []string{weightsFile, "layers.3.", "missing"}},
		"width":          {edit("config.json", `"projection_dim":7`, `"projection_dim":8`), []string{weightsFile, "projection.weight", "shape"}},
		"resolution":     {edit("config.json", `"image_size":16`, `"image_size":20`), []string{weightsFile, "position_embedding", "shape"}},
		"missing tensor": {edit(weightsFile, fc1, strings.Replace(fc1, "fc1", "fcx", 1)), []string{weightsFile, fc1, "missing"}},
		"integers":       {edit(weightsFile, `"F32"`, `"I32"`), []string{weightsFile, "I32"}},
		"small vocab":    {edit("config.json", `"vocab_size":2560`, `"vocab_size":2559`), []string{"vocab"}},
		"cut weights": {func(t *testing.T, dir string) {
			path := filepath.Join(dir, weightsFile)
			st, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, st.Size()-4); err != nil {
				t.Fatal(err)
			}
		}, []string{weightsFile, "cut off"}},
		"empty weights": {func(t *testing.T, dir string) {
			if err := os.Truncate(filepath.Join(dir, weightsFile), 0); err != nil {
				t.Fatal(err)
			}
		}, []string{weightsFile}},
		"other form": {func(t *testing.T, dir string) {
			if err := os.Rename(filepath.Join(dir, weightsFile), filepath.Join(dir, "pytorch_model.bin")); err != nil {
				t.Fatal(err)
			}
		}, []string{"pytorch_model.bin", "not a PyTorch checkpoint"}},
		"unknown tensor": {edit(weightsFile, `"logit_scale"`, `"logit_SCALE"`), []string{weightsFile, "logit_scale", "missing"}},
		"extra tensor": {func(t *testing.T, dir string) {
			all := append(readTensors(t, dir), tensor.Tensor{Name: "visual.extra", DType: tensor.F32, Shape: []int{2}, Data: make([]byte, 8)})
			writeSafetensors(t, filepath.Join(dir, weightsFile), all)
		}, []string{weightsFile, "visual.extra", "not a part"}},
		"not a CLIP": {func(t *testing.T, dir string) {
			writeSafetensors(t, filepath.Join(dir, weightsFile), []tensor.Tensor{{Name: "weight", DType: tensor.F32, Shape: []int{2}, Data: make([]byte, 8)}})
		}, []string{weightsFile, "not a CLIP"}},
		"no weights but others": {func(t *testing.T, dir string) {
			all := readTensors(t, dir)
			if err := os.Remove(filepath.Join(dir, weightsFile)); err != nil {
				t.Fatal(err)
			}
			writeSafetensors(t, filepath.Join(dir, "a.safetensors"), all)
			writeSafetensors(t, filepath.Join(dir, "b.safetensors"), all)
		}, []string{"a.safetensors", "b.safetensors", "several"}},
		"shard missing": {func(t *testing.T, dir string) {
			shards(t, dir)
			if err := os.Remove(filepath.Join(dir, "model-00002-of-00003.safetensors")); err != nil {
				t.Fatal(err)
			}
		}, []string{"model-00002-of-00003.safetensors"}},
		"index lies": {func(t *testing.T, dir string) {
			shards(t, dir)
			edit(weightsFile+".index.json", `"logit_scale":"model-00001`, `"logit_scale":"model-00002`)(t, dir)
		}, []string{"index.json", "logit_scale", "model-00002"}},
		"index leads away": {func(t *testing.T, dir string) {
			shards(t, dir)
			edit(weightsFile+".index.json", `"logit_scale":"model`, `"logit_scale":"../model`)(t, dir)
		}, []string{"index.json", "logit_scale", "not a checkpoint beside it"}},
		"empty index": {func(t *testing.T, dir string) {
			shards(t, dir)
			if err := os.WriteFile(filepath.Join(dir, weightsFile+".index.json"), []byte("{}"), 0o666); err != nil {
				t.Fatal(err)
			}
		}, []string{"index.json", "no tensors"}},
		"a manifest that leads away": {func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, manifestFile), []byte(`{"weights":"../x.pt"}`), 0o666); err != nil {
				t.Fatal(err)
			}
		}, []string{manifestFile, "../x.pt"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := tiny.write(t, tensor.F32, 1)
			c.damage(t, dir)
			m, err := Open(t.Context(), dir, Options{})
			if err == nil {
				m.Close()
				t.Fatal("opened")
			}
			for _, w := range append(c.want, dir) {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not have %q", err, w)
				}
			}
		})
	}
	if _, err := OpenFS(ctx, "empty", fstest.MapFS{}, Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("empty file system: %v", err)
	}
}
