package models

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/tensor"
)

// TestMissingSettings: settings that a checkpoint does not have must be given and are not
// guessed: the same tensors compute other results with other heads.
func TestMissingSettings(t *testing.T) {
	dir := tiny.write(t, tensor.F32, 1)
	alone := filepath.Join(t.TempDir(), "some.safetensors")
	all := readTensors(t, dir)
	for i, x := range all { // the embedded vocabulary must fit
		if x.Name == "text_model.embeddings.token_embedding.weight" {
			all[i].Shape = []int{49408, tiny.textWidth}
			all[i].Data = make([]byte, 4*49408*tiny.textWidth)
		}
	}
	writeSafetensors(t, alone, all)
	half := []float32{0.5, 0.5, 0.5}
	for _, c := range []struct {
		o    Options
		want []string
	}{
		{Options{}, []string{SettingHeads, SettingTextHeads, SettingActivation, SettingPixels}},
		{Options{Heads: 3}, []string{SettingTextHeads, SettingActivation, SettingPixels}},
		{Options{Heads: 3, TextHeads: 2}, []string{SettingActivation, SettingPixels}},
		{Options{Heads: 3, TextHeads: 2, Activation: gelu}, []string{SettingPixels}},
		{Options{Heads: 3, TextHeads: 2, Mean: half, Std: half}, []string{SettingActivation}},
	} {
		_, err := Open(t.Context(), alone, c.o)
		var missing *MissingSettingsError
		if !errors.As(err, &missing) || !slices.Equal(missing.Missing, c.want) || !missing.Standalone || !strings.Contains(err.Error(), alone) {
			t.Errorf("%+v: %v", c.o, err)
			continue
		}
		for what, flag := range map[string]string{
			SettingHeads: "--heads N", SettingTextHeads: "--text-heads N", SettingActivation: "--activation quick_gelu", SettingPixels: "--mean clip --std clip"} {
			if strings.Contains(missing.Hint(), flag) != slices.Contains(c.want, what) {
				t.Errorf("%+v: hint %q", c.o, missing.Hint())
			}
		}
	}
	for _, o := range []Options{
		{Heads: 5, TextHeads: 2, Activation: gelu, Mean: half, Std: half}, // 12 is not a multiple
		{Heads: 3, TextHeads: 2, Activation: "relu", Mean: half, Std: half},
		{Heads: 3, TextHeads: 2, Activation: gelu, Mean: half, Std: half, Precision: "fp8"},
		{Heads: 3, TextHeads: 2, Activation: gelu, Mean: half},
		{Heads: 3, TextHeads: 2, Activation: gelu, Mean: half, Std: half[:2]},
		{Heads: 3, TextHeads: 2, Activation: gelu, Mean: half, Std: []float32{1, 1, 0}},
	} {
		if _, err := Open(t.Context(), alone, o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
	m := openTest(t, alone, Options{Heads: 3, TextHeads: 2, Activation: quickGELU, Mean: half, Std: half})
	i := m.Info()
	if i.Width != 12 || i.Layers != 3 || i.Heads != 3 || i.Patch != 4 || i.Resolution != 16 || i.Projection != 7 || i.TextWidth != 8 ||
		i.TextLayers != 2 || i.TextHeads != 2 || i.Context != 77 || i.Vocabulary != 49408 || i.Activation != quickGELU || i.Mean != [3]float32(half) || i.Std != [3]float32(half) || i.DType != "F32" {
		t.Errorf("sizes of the tensors: %+v", i)
	}

	// A vocabulary of another size cannot be CLIP's.
	writeSafetensors(t, alone, readTensors(t, dir))
	if _, err := Open(t.Context(), alone, Options{Heads: 3, TextHeads: 2, Activation: gelu, Mean: half, Std: half}); err == nil || !strings.Contains(err.Error(), "vocab.json") {
		t.Errorf("a vocabulary of another size: %v", err)
	}
}

// TestKnownSizes: models of published sizes are recognised by their tensors. Settings that
// differ between models of the same size are not set.
func TestKnownSizes(t *testing.T) {
	for _, c := range []struct {
		config           config
		heads, textHeads int
	}{
		{config{Projection: 512, Vision: tower{Width: 768, Layers: 12, PatchSize: 16}, Text: tower{Width: 512, Layers: 12}}, 12, 8},
		{config{Projection: 768, Vision: tower{Width: 1024, Layers: 24, PatchSize: 14}, Text: tower{Width: 768, Layers: 12}}, 16, 12},
		{config{Projection: 1024, Vision: tower{Width: 1280, Layers: 32, PatchSize: 14}, Text: tower{Width: 1024, Layers: 24}}, 16, 16},
		{config{Projection: 768, Vision: tower{Width: 1024, Layers: 24, PatchSize: 16}, Text: tower{Width: 768, Layers: 12}}, 0, 0},
	} {
		got := c.config
		got.fillKnown(&weights{checkpoint: &checkpoint{}, naming: openAI})
		if got.Vision.Heads != c.heads || got.Text.Heads != c.textHeads || got.Vision.Act != "" || got.Text.Act != "" {
			t.Errorf("%+v: %d and %d heads, %q", c.config, got.Vision.Heads, got.Text.Heads, got.Vision.Act)
		}
	}
}

// TestArchives: the class names in a TorchScript archive show its publisher. Archives of
// others than OpenAI may show the activation, but not the pixels.
func TestArchives(t *testing.T) {
	const vision, text = "visual.transformer.resblocks.0.mlp.gelu", "transformer.resblocks.0.mlp.gelu"
	for name, c := range map[string]struct {
		naming  naming
		classes map[string]string
		act     string
		pixels  bool
	}{
		"no archive": {openAI, nil, "", false},
		"OpenAI's": {openAI, map[string]string{"": "multimodal.model.multimodal_transformer.Multimodal",
			vision: "multimodal.model.multimodal_transformer.QuickGELU", text: "multimodal.model.multimodal_transformer.QuickGELU"}, quickGELU, true},
		"OpenAI's package": {openAI, map[string]string{"": "clip.model.CLIP"}, quickGELU, true},
		"OpenCLIP's": {openAI, map[string]string{"": "open_clip.model.CLIP",
			vision: "torch.nn.modules.activation.GELU", text: "torch.nn.modules.activation.GELU"}, gelu, false},
		"OpenCLIP's, QuickGELU": {openAI, map[string]string{"": "open_clip.model.CLIP",
			vision: "open_clip.transformer.QuickGELU", text: "open_clip.transformer.QuickGELU"}, quickGELU, false},
		"OpenCLIP's, text apart": {openCLIPText, map[string]string{"": "open_clip.model.CustomTextCLIP",
			vision: "torch.nn.modules.activation.GELU", "text." + text: "torch.nn.modules.activation.GELU"}, gelu, false},
		"of an unknown activation": {openAI, map[string]string{"": "open_clip.model.CLIP", vision: "mine.Swish", text: "mine.Swish"}, "", false},
		"a user's":                 {openAI, map[string]string{"": "mine.CLIP"}, "", false},
		"other names":              {huggingFace, map[string]string{"": "clip.model.CLIP"}, "", false},
	} {
		w := &weights{checkpoint: &checkpoint{classes: c.classes}, naming: c.naming}
		var got config
		got.fillKnown(w)
		if err := got.choosePixels(Options{}, []pixels{{}, {}}, w); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got.Vision.Act != c.act || got.Text.Act != c.act {
			t.Errorf("%s: activations %q and %q, want %q", name, got.Vision.Act, got.Text.Act, c.act)
		}
		if known := got.pixels.from != ""; known != c.pixels || known && (got.pixels.mean != CLIPMean || got.pixels.std != CLIPStd) {
			t.Errorf("%s: pixels %+v", name, got.pixels)
		}
	}
}

// TestPixels: mean and deviation come from the files next to the weights. Both must be
// given, and files that contradict each other are an error.
func TestPixels(t *testing.T) {
	const (
		hf   = `{"image_mean":[0.1,0.2,0.3],"image_std":[1,2,3]}`
		open = `{"preprocess_cfg":{"mean":[0.1,0.2,0.3],"std":[1,2,3]}}`
	)
	for name, c := range map[string]struct {
		preprocessor, openCLIP string
		o                      Options
		want                   float32 // of red's mean; 0 is a MissingSettingsError
		wrong                  string
	}{
		"Hugging Face":   {hf, "", Options{}, 0.1, ""},
		"OpenCLIP":       {"", open, Options{}, 0.1, ""},
		"both":           {hf, open, Options{}, 0.1, ""},
		"one of them":    {`{"size":224}`, open, Options{}, 0.1, ""},
		"none":           {"", "", Options{}, 0, ""},
		"an empty one":   {"{}", "", Options{}, 0, ""},
		"only the mean":  {`{"image_mean":[0.1,0.2,0.3]}`, "", Options{}, 0, ""},
		"other means":    {hf, `{"preprocess_cfg":{"mean":[0.5,0.5,0.5],"std":[1,2,3]}}`, Options{}, 0, "open_clip_config.json that it is [0.5 0.5 0.5]"},
		"other spreads":  {hf, `{"preprocess_cfg":{"mean":[0.1,0.2,0.3],"std":[1,2,1]}}`, Options{}, 0, "standard deviation of its pixels"},
		"the user's":     {hf, open, Options{Mean: []float32{0.7, 0, 0}, Std: []float32{1, 1, 1}}, 0.7, ""},
		"the user alone": {"", "", Options{Mean: []float32{0.7, 0, 0}, Std: []float32{1, 1, 1}}, 0.7, ""},
		"too few":        {`{"image_mean":[0.1],"image_std":[1,2,3]}`, "", Options{}, 0, "image_mean has 1 numbers"},
		"no spread":      {`{"image_mean":[0,0,0],"image_std":[1,0,3]}`, "", Options{}, 0, "image_std [1 0 3] is out of range"},
		"too large":      {"", `{"preprocess_cfg":{"mean":[0,2000,0],"std":[1,1,1]}}`, Options{}, 0, "mean [0 2000 0] is out of range"},
	} {
		dir := tiny.write(t, tensor.F32, 1)
		for file, text := range map[string]string{preprocessorFile: c.preprocessor, openCLIPFile: c.openCLIP} {
			path := filepath.Join(dir, file)
			os.Remove(path)
			if text == "" {
				continue
			}
			if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		m, err := Open(t.Context(), dir, c.o)
		var missing *MissingSettingsError
		switch {
		case err == nil:
			if m.Info().Mean[0] != c.want {
				t.Errorf("%s: mean %v", name, m.Info().Mean)
			}
			m.Close()
		case c.wrong != "":
			if !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%s: %v", name, err)
			}
		case c.want != 0 || !errors.As(err, &missing) || !slices.Equal(missing.Missing, []string{SettingPixels}) || !strings.Contains(missing.Hint(), preprocessorFile):
			t.Errorf("%s: %v", name, err)
		}
		var disagree *ConflictError
		if errors.As(err, &disagree) != strings.HasPrefix(name, "other ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
