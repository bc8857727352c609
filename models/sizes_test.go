package models

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/tensor"
)

// What a checkpoint does not show has to come from somewhere, and is not made
// up: the same tensors mean other things with other heads.
func TestUnsaid(t *testing.T) {
	dir := tiny.write(t, tensor.F32, 1)
	alone := filepath.Join(t.TempDir(), "some.safetensors")
	all := readTensors(t, dir)
	for i, x := range all { // the embedded vocabulary has to fit
		if x.Name == "text_model.embeddings.token_embedding.weight" {
			all[i].Shape = []int{49408, tiny.textWidth}
			all[i].Data = make([]byte, 4*49408*tiny.textWidth)
		}
	}
	writeSafetensors(t, alone, all)
	for _, c := range []struct {
		o    Options
		what string
	}{
		{Options{}, "heads"},
		{Options{Heads: 3}, "text heads"},
		{Options{Heads: 3, TextHeads: 2}, "activation"},
	} {
		_, err := Open(t.Context(), alone, c.o)
		var unsaid *UnsaidError
		if !errors.As(err, &unsaid) || unsaid.What != c.what || !strings.Contains(unsaid.Hint(), "--"+strings.ReplaceAll(c.what, " ", "-")) || !strings.Contains(err.Error(), alone) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
	for _, o := range []Options{
		{Heads: 5, TextHeads: 2, Activation: gelu}, // 12 is no multiple
		{Heads: 3, TextHeads: 2, Activation: "relu"},
		{Heads: 3, TextHeads: 2, Activation: gelu, Precision: "fp8"},
	} {
		if _, err := Open(t.Context(), alone, o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
	m := openTest(t, alone, Options{Heads: 3, TextHeads: 2, Activation: quickGELU})
	i := m.Info()
	if i.Width != 12 || i.Layers != 3 || i.Heads != 3 || i.Patch != 4 || i.Resolution != 16 || i.Projection != 7 || i.TextWidth != 8 ||
		i.TextLayers != 2 || i.TextHeads != 2 || i.Context != 77 || i.Vocabulary != 49408 || i.Activation != quickGELU || i.DType != "F32" {
		t.Errorf("sizes of the tensors: %+v", i)
	}

	// A vocabulary of another size is not CLIP's.
	writeSafetensors(t, alone, readTensors(t, dir))
	if _, err := Open(t.Context(), alone, Options{Heads: 3, TextHeads: 2, Activation: gelu}); err == nil || !strings.Contains(err.Error(), "vocab.json") {
		t.Errorf("a vocabulary of another size: %v", err)
	}
}

// Published sizes are known by their tensors; what of them is not the same in
// all models of those sizes is not.
func TestKnownSizes(t *testing.T) {
	for _, c := range []struct {
		config           config
		torchScript      bool
		heads, textHeads int
		act              string
	}{
		{config{Projection: 512, Vision: tower{Width: 768, Layers: 12, PatchSize: 16}, Text: tower{Width: 512, Layers: 12}}, true, 12, 8, quickGELU},
		{config{Projection: 512, Vision: tower{Width: 768, Layers: 12, PatchSize: 16}, Text: tower{Width: 512, Layers: 12}}, false, 12, 8, ""},
		{config{Projection: 768, Vision: tower{Width: 1024, Layers: 24, PatchSize: 14}, Text: tower{Width: 768, Layers: 12}}, true, 16, 12, quickGELU},
		{config{Projection: 1024, Vision: tower{Width: 1280, Layers: 32, PatchSize: 14}, Text: tower{Width: 1024, Layers: 24}}, false, 16, 16, ""},
		{config{Projection: 768, Vision: tower{Width: 1024, Layers: 24, PatchSize: 16}, Text: tower{Width: 768, Layers: 12}}, true, 0, 0, quickGELU},
	} {
		got := c.config
		got.recognise(&weights{checkpoint: &checkpoint{torchScript: c.torchScript}, naming: openAI})
		if got.Vision.Heads != c.heads || got.Text.Heads != c.textHeads || got.Vision.Act != c.act || got.Text.Act != c.act {
			t.Errorf("%+v: %d and %d heads, %q", c.config, got.Vision.Heads, got.Text.Heads, got.Vision.Act)
		}
	}
}
