package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

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

	// from preprocessor_config.json
	mean, std [3]float32
}

// The means and deviations of OpenAI's training images, which nearly every
// CLIP uses (car.md 3.1); preprocessor_config.json overrides them.
var (
	clipMean = [3]float32{0.48145466, 0.4578275, 0.40821073}
	clipStd  = [3]float32{0.26862954, 0.26130258, 0.27577711}
)

// readConfig reads config.json, and preprocessor_config.json where there is
// one. The defaults are those of Hugging Face's CLIPConfig, which files leave
// out where they agree.
func readConfig(fsys fs.FS) (config, error) {
	c := config{
		Projection: 512,
		Text:       tower{Width: 512, MLP: 2048, Heads: 8, Layers: 12, Act: "quick_gelu", Eps: 1e-5, Context: 77, Vocab: 49408},
		Vision:     tower{Width: 768, MLP: 3072, Heads: 12, Layers: 12, Act: "quick_gelu", Eps: 1e-5, ImageSize: 224, PatchSize: 32, Channels: 3},
		mean:       clipMean,
		std:        clipStd,
	}
	b, err := bounded.ReadFS(fsys, "config.json", maxConfig)
	if err != nil {
		return c, err
	}
	var kind struct {
		ModelType string `json:"model_type"`
	}
	if err := json.Unmarshal(b, &kind); err != nil {
		return c, fmt.Errorf("config.json: %w", err)
	}
	if kind.ModelType != "" && kind.ModelType != "clip" {
		return c, fmt.Errorf("config.json: this is a %q model, not a clip", kind.ModelType)
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, fmt.Errorf("config.json: %w", err)
	}
	if err := c.check(); err != nil {
		return c, fmt.Errorf("config.json: %w", err)
	}

	return c, c.readPreprocessor(fsys)
}

// readPreprocessor takes means and deviations from preprocessor_config.json
// where there is one.
func (c *config) readPreprocessor(fsys fs.FS) error {
	b, err := bounded.ReadFS(fsys, "preprocessor_config.json", maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var pre struct {
		Mean []float32 `json:"image_mean"`
		Std  []float32 `json:"image_std"`
	}
	if err := json.Unmarshal(b, &pre); err != nil {
		return fmt.Errorf("preprocessor_config.json: %w", err)
	}
	if err := c.setMeanStd("image_mean", pre.Mean, "image_std", pre.Std); err != nil {
		return fmt.Errorf("preprocessor_config.json: %w", err)
	}
	return nil
}

// setMeanStd sets what is given; nil leaves the default.
func (c *config) setMeanStd(meanName string, mean []float32, stdName string, std []float32) error {
	for _, v := range []struct {
		name string
		from []float32
		to   *[3]float32
	}{{meanName, mean, &c.mean}, {stdName, std, &c.std}} {
		switch {
		case v.from == nil:
		case len(v.from) != 3:
			return fmt.Errorf("%s has %d numbers, want 3", v.name, len(v.from))
		default:
			*v.to = [3]float32(v.from)
		}
	}
	for _, s := range c.std {
		if !(s > 0) {
			return fmt.Errorf("%s %v is not positive", stdName, c.std)
		}
	}
	return nil
}

// limit bounds every number of config.json: far above any CLIP, and small
// enough that their products do not overflow.
const limit = 1 << 20

func (c config) check() error {
	type number struct {
		name string
		v    int
	}
	numbers := []number{{"projection_dim", c.Projection},
		{"vision_config.image_size", c.Vision.ImageSize},
		{"vision_config.patch_size", c.Vision.PatchSize},
		{"text_config.max_position_embeddings", c.Text.Context},
		{"text_config.vocab_size", c.Text.Vocab},
	}
	for name, t := range map[string]tower{"vision_config": c.Vision, "text_config": c.Text} {
		numbers = append(numbers,
			number{name + ".hidden_size", t.Width},
			number{name + ".intermediate_size", t.MLP},
			number{name + ".num_attention_heads", t.Heads},
			number{name + ".num_hidden_layers", t.Layers})
		if t.Heads > 0 && t.Width%t.Heads != 0 {
			return fmt.Errorf("%s: hidden_size %d is not a multiple of num_attention_heads %d", name, t.Width, t.Heads)
		}
		if t.Act != quickGELU && t.Act != gelu {
			return fmt.Errorf("%s: hidden_act %q is not supported: want %s or %s", name, t.Act, quickGELU, gelu)
		}
		if !(t.Eps > 0) {
			return fmt.Errorf("%s: layer_norm_eps %v is not positive", name, t.Eps)
		}
	}
	for _, n := range numbers {
		if n.v < 1 || n.v > limit {
			return fmt.Errorf("%s is %d", n.name, n.v)
		}
	}
	if c.Vision.Channels != 3 {
		return fmt.Errorf("vision_config: num_channels is %d, want 3", c.Vision.Channels)
	}
	if c.Vision.Layers < 2 {
		return errors.New("vision_config: CaR needs at least 2 blocks: it looks before the last one")
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
