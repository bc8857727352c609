package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"

	"github.com/carve-video/carve/internal/bounded"
)

// A tower is one of the two transformers, as config.json describes it.
type tower struct {
	Width  int     `json:"hidden_size"`
	MLP    int     `json:"intermediate_size"`
	Heads  int     `json:"num_attention_heads"`
	Layers int     `json:"num_hidden_layers"`
	Act    string  `json:"hidden_act"`
	Eps    float32 `json:"layer_norm_eps"`

	// vision
	ImageSize int `json:"image_size"`
	PatchSize int `json:"patch_size"`
	Channels  int `json:"num_channels"`

	// text
	Context int `json:"max_position_embeddings"`
	Vocab   int `json:"vocab_size"`
}

// headDim is the width of one head.
func (t tower) headDim() int { return t.Width / t.Heads }

type config struct {
	Projection int   `json:"projection_dim"`
	Text       tower `json:"text_config"`
	Vision     tower `json:"vision_config"`

	pixels pixels // not in config.json
}

// unspecified is the value of a size that config.json omits.
const unspecified = math.MinInt

// readConfig reads config.json. Sizes that it omits are unspecified. Heads, activation
// and epsilon, which cannot be read from tensors, are then the defaults of Hugging Face's
// CLIPConfig, which omits defaults from the file. The numbers are not checked yet: see
// [config.mergeSizes] and [config.check].
func readConfig(fsys fs.FS) (config, error) {
	sizes := tower{Width: unspecified, MLP: unspecified, Layers: unspecified, Act: quickGELU, Eps: 1e-5,
		ImageSize: unspecified, PatchSize: unspecified, Channels: 3, Context: unspecified, Vocab: unspecified}
	c := config{Projection: unspecified, Text: sizes, Vision: sizes}
	c.Text.Heads, c.Vision.Heads = 8, 12
	b, err := bounded.ReadFS(fsys, configFile, maxConfig)
	if err != nil {
		return c, err
	}
	var kind struct {
		ModelType string `json:"model_type"`
	}
	if err := json.Unmarshal(b, &kind); err != nil {
		return c, fmt.Errorf("%s: %w", configFile, err)
	}
	if kind.ModelType != "" && kind.ModelType != "clip" {
		return c, fmt.Errorf("%s: this is a %.40q model, not a clip", configFile, kind.ModelType)
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, fmt.Errorf("%s: %w", configFile, err)
	}
	return c, nil
}

// Limits of sizes. They are far above any published CLIP (the largest is 1664 wide and
// 48 blocks deep), and small enough for what is allocated without reading tensors: the
// causal mask is context × context, an image of the judge image × image.
const (
	maxWidth   = 1 << 14 // also of the projection
	maxMLP     = 1 << 16
	maxHeads   = 256
	maxLayers  = 256
	maxImage   = 4096
	maxPatch   = 256
	maxContext = 2048
	maxVocab   = 1 << 20
)

// check returns an error if the model cannot be computed. It is called after the sizes
// were read from the tensors and before they are used.
func (c config) check() error {
	type number struct {
		name   string
		v, max int
	}
	numbers := []number{
		{"projection_dim", c.Projection, maxWidth},
		{"vision_config.image_size", c.Vision.ImageSize, maxImage},
		{"vision_config.patch_size", c.Vision.PatchSize, maxPatch},
		{"text_config.max_position_embeddings", c.Text.Context, maxContext},
		{"text_config.vocab_size", c.Text.Vocab, maxVocab},
	}
	towers := []struct {
		name string
		tower
	}{{"vision_config", c.Vision}, {"text_config", c.Text}}
	for _, t := range towers {
		numbers = append(numbers,
			number{t.name + ".hidden_size", t.Width, maxWidth},
			number{t.name + ".intermediate_size", t.MLP, maxMLP},
			number{t.name + ".num_attention_heads", t.Heads, maxHeads},
			number{t.name + ".num_hidden_layers", t.Layers, maxLayers})
	}
	for _, n := range numbers {
		if n.v < 1 || n.v > n.max {
			return fmt.Errorf("%s is %d, want 1 to %d", n.name, n.v, n.max)
		}
	}
	for _, t := range towers {
		switch {
		case t.Width%t.Heads != 0:
			return fmt.Errorf("%s: hidden_size %d is not a multiple of num_attention_heads %d", t.name, t.Width, t.Heads)
		case t.Act != quickGELU && t.Act != gelu:
			return fmt.Errorf("%s: hidden_act %.40q is not supported: want %s or %s", t.name, t.Act, quickGELU, gelu)
		case !(t.Eps > 0) || t.Eps > 1:
			return fmt.Errorf("%s: layer_norm_eps %v is not between 0 and 1", t.name, t.Eps)
		}
	}
	if c.Vision.Channels != 3 {
		return fmt.Errorf("vision_config: num_channels is %d, want 3", c.Vision.Channels)
	}
	if c.Vision.Layers < 2 {
		return errors.New("vision_config: CaR needs at least 2 blocks: it takes gradients before the last one")
	}
	if c.Vision.ImageSize%c.Vision.PatchSize != 0 {
		return fmt.Errorf("vision_config: image_size %d is not a multiple of patch_size %d", c.Vision.ImageSize, c.Vision.PatchSize)
	}
	return nil
}

// The activations of the MLPs.
const (
	quickGELU = "quick_gelu" // x sigmoid(1.702 x)
	gelu      = "gelu"       // x Phi(x)
)
