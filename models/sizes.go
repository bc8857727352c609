package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/carve-video/carve/internal/bounded"
	"github.com/carve-video/carve/internal/tensor"
)

// configOf finds out what a checkpoint is. Its sizes are those of the tensors,
// whatever is said beside them. What tensors do not show, the number of heads
// and the activation, comes from config.json; else from open_clip_config.json,
// from the table of known models, or from the options.
func configOf(fsys fs.FS, w *weights, o Options) (config, error) {
	c, err := sizesOf(w)
	if err != nil {
		return c, err
	}
	from := w.name
	described, err := readConfig(fsys)
	switch {
	case err == nil:
		if c, err = described.settle(c, w, o.Log); err != nil {
			return c, err
		}
		from = configFile
	case errors.Is(err, fs.ErrNotExist):
		if err := errors.Join(c.readPreprocessor(fsys), c.readOpenCLIP(fsys)); err != nil {
			return c, err
		}
		c.recognise(w)
	default:
		return c, err
	}
	if err := o.assume(&c, w.name); err != nil {
		return c, err
	}
	if err := c.check(); err != nil {
		return c, fmt.Errorf("%s: %w", from, err)
	}
	return c, nil
}

// settle completes what config.json says with the sizes of the tensors. One that
// contradicts them belongs to another model, so that its heads and activation
// cannot be trusted either: it is refused. Two contradictions are mere slips and
// logged: the length of texts, which nothing else depends on; and any of a
// config beside OpenAI's own file, which somebody put there to describe it.
func (c config) settle(sizes config, w *weights, log *slog.Logger) (config, error) {
	for _, s := range []struct {
		name     string // in config.json
		said, is int
		tensor   string // that shows it; empty for a number of blocks
		prefix   string // of the blocks
	}{
		{"projection_dim", c.Projection, sizes.Projection, "visual_projection.weight", ""},
		{"vision_config.hidden_size", c.Vision.Width, sizes.Vision.Width, visionPrefix + "embeddings.class_embedding", ""},
		{"vision_config.intermediate_size", c.Vision.MLP, sizes.Vision.MLP, layerName(visionPrefix, 0) + ".mlp.fc1.weight", ""},
		{"vision_config.num_hidden_layers", c.Vision.Layers, sizes.Vision.Layers, "", visionPrefix},
		{"vision_config.patch_size", c.Vision.PatchSize, sizes.Vision.PatchSize, visionPrefix + "embeddings.patch_embedding.weight", ""},
		{"vision_config.image_size", c.Vision.ImageSize, sizes.Vision.ImageSize, visionPrefix + "embeddings.position_embedding.weight", ""},
		{"text_config.hidden_size", c.Text.Width, sizes.Text.Width, textPrefix + "embeddings.token_embedding.weight", ""},
		{"text_config.intermediate_size", c.Text.MLP, sizes.Text.MLP, layerName(textPrefix, 0) + ".mlp.fc1.weight", ""},
		{"text_config.num_hidden_layers", c.Text.Layers, sizes.Text.Layers, "", textPrefix},
		{"text_config.vocab_size", c.Text.Vocab, sizes.Text.Vocab, textPrefix + "embeddings.token_embedding.weight", ""},
		{"text_config.max_position_embeddings", c.Text.Context, sizes.Text.Context, textPrefix + "embeddings.position_embedding.weight", ""},
	} {
		if s.said == unsaid || s.said == s.is {
			continue
		}
		var shown string
		if s.tensor != "" {
			shown = w.sizeShown(s.tensor)
		} else {
			shown = w.blocksShown(s.prefix, s.is, s.said)
		}
		if w.naming == huggingFace && s.name != "text_config.max_position_embeddings" {
			return c, fmt.Errorf("%s says that %s is %d, but %s", configFile, s.name, s.said, shown)
		}
		log.Warn("config.json contradicts the weights, which count", "size", s.name, "said", s.said, "taken", s.is, "because", shown)
	}
	sizes.mean, sizes.std = c.mean, c.std
	sizes.Vision.Heads, sizes.Vision.Act, sizes.Vision.Eps, sizes.Vision.Channels = c.Vision.Heads, c.Vision.Act, c.Vision.Eps, c.Vision.Channels
	sizes.Text.Heads, sizes.Text.Act, sizes.Text.Eps = c.Text.Heads, c.Text.Act, c.Text.Eps
	return sizes, nil
}

// sizeShown says which tensor shows a size.
func (w *weights) sizeShown(name string) string {
	t, err := w.Tensor(w.naming.place(name).name)
	if err != nil {
		return err.Error() // sizesOf has found it
	}
	return fmt.Sprintf("%s: tensor %q has shape %v", t.Path, t.Name, t.Shape)
}

// blocksShown says what shows that a tower has so many blocks, and not as many
// as was said.
func (w *weights) blocksShown(prefix string, is, said int) string {
	if said > is {
		return (&tensor.MissingError{Path: w.checkpoint.name, Name: w.normName(prefix, is)}).Error()
	}
	return fmt.Sprintf("%s has %d blocks", w.checkpoint.name, is)
}

// An UnsaidError says that a checkpoint does not show how it is to be
// computed, and nothing beside it does.
type UnsaidError struct {
	File  string
	What  string // "heads", "text heads" or "activation"
	Width int    // of the tower, for heads
}

func (e *UnsaidError) Error() string {
	if e.What == "activation" {
		return fmt.Sprintf("%s does not say which activation it was trained with", e.File)
	}
	return fmt.Sprintf("%s does not say how many %s share its width of %d", e.File, e.What, e.Width)
}

// Hint says what to do about it.
func (e *UnsaidError) Hint() string {
	if e.What == "activation" {
		return "import it with --activation quick_gelu (OpenAI, MetaCLIP, DFN) or --activation gelu (LAION and most others), or import a folder that holds it and its config.json"
	}
	flag := "--" + strings.ReplaceAll(e.What, " ", "-")
	return fmt.Sprintf("import it with %s N (usually width / 64 = %d), or import a folder that holds it and its config.json", flag, e.Width/64)
}

// assume puts in what the caller knows, and finds what is still missing.
func (o Options) assume(c *config, file string) error {
	if o.Heads > 0 {
		c.Vision.Heads = o.Heads
	}
	if o.TextHeads > 0 {
		c.Text.Heads = o.TextHeads
	}
	if o.Activation != "" {
		c.Vision.Act, c.Text.Act = o.Activation, o.Activation
	}
	switch {
	case c.Vision.Heads == 0:
		return &UnsaidError{File: file, What: "heads", Width: c.Vision.Width}
	case c.Text.Heads == 0:
		return &UnsaidError{File: file, What: "text heads", Width: c.Text.Width}
	case c.Vision.Act == "":
		return &UnsaidError{File: file, What: "activation"}
	}
	return nil
}

// sizesOf reads all that tensors show. What is not a CLIP fails here or when
// the graphs are built, with the name of the tensor.
func sizesOf(w *weights) (config, error) {
	c := config{mean: clipMean, std: clipStd}
	c.Vision.Eps, c.Text.Eps, c.Vision.Channels = 1e-5, 1e-5, 3
	var err error
	// side is a side of a tensor as Hugging Face lays it out, of so many sides.
	side := func(name string, axis, sides int) int {
		p := w.naming.place(name)
		t, e := w.Tensor(p.name)
		if e != nil || len(t.Shape) != sides {
			if e == nil {
				e = fmt.Errorf("%s: tensor %q has shape %v, want %d sides", t.Path, p.name, t.Shape, sides)
			}
			if err == nil {
				err = e
			}
			return 0
		}
		if p.transposed {
			axis = sides - 1 - axis
		}
		return t.Shape[axis]
	}
	v, t := &c.Vision, &c.Text
	v.Width = side("vision_model.embeddings.class_embedding", 0, 1)
	v.PatchSize = side("vision_model.embeddings.patch_embedding.weight", 3, 4)
	v.MLP = side(layerName(visionPrefix, 0)+".mlp.fc1.weight", 0, 2)
	rows := side("vision_model.embeddings.position_embedding.weight", 0, 2)
	c.Projection = side("visual_projection.weight", 0, 2)
	t.Vocab = side("text_model.embeddings.token_embedding.weight", 0, 2)
	t.Width = side("text_model.embeddings.token_embedding.weight", 1, 2)
	t.Context = side("text_model.embeddings.position_embedding.weight", 0, 2)
	t.MLP = side(layerName(textPrefix, 0)+".mlp.fc1.weight", 0, 2)
	if err != nil {
		return c, err
	}
	n := 0
	for n < maxImage && (n+1)*(n+1) <= rows-1 {
		n++
	}
	if rows-1 != n*n {
		return c, fmt.Errorf("%s: the table of positions has %d rows, which is not a square and one", w.name, rows)
	}
	v.ImageSize = n * min(v.PatchSize, maxPatch+1)
	v.Layers, t.Layers = w.layers(visionPrefix), w.layers(textPrefix)
	return c, nil
}

// layers is the number of blocks of a tower.
func (w *weights) layers(prefix string) int {
	n := 0
	for w.Has(w.normName(prefix, n)) {
		n++
	}
	return n
}

// normName is what the checkpoint calls the tensor that a block is told by.
func (w *weights) normName(prefix string, block int) string {
	return w.naming.place(layerName(prefix, block) + ".layer_norm1.weight").name
}

// readOpenCLIP takes from open_clip_config.json, where there is one, what
// tensors do not show. OpenCLIP's own default for a head is 64 wide, and GELU.
func (c *config) readOpenCLIP(fsys fs.FS) error {
	b, err := bounded.ReadFS(fsys, openCLIPFile, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var file struct {
		Model struct {
			QuickGELU bool `json:"quick_gelu"`
			Vision    struct {
				HeadWidth int `json:"head_width"`
			} `json:"vision_cfg"`
			Text struct {
				Heads int `json:"heads"`
			} `json:"text_cfg"`
		} `json:"model_cfg"`
		Preprocess struct {
			Mean []float32 `json:"mean"`
			Std  []float32 `json:"std"`
		} `json:"preprocess_cfg"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		return fmt.Errorf("%s: %w", openCLIPFile, err)
	}
	if err := c.setMeanStd("mean", file.Preprocess.Mean, "std", file.Preprocess.Std); err != nil {
		return fmt.Errorf("%s: %w", openCLIPFile, err)
	}
	headWidth := file.Model.Vision.HeadWidth
	if headWidth == 0 {
		headWidth = 64
	}
	if headWidth < 0 || c.Vision.Width%headWidth != 0 {
		return fmt.Errorf("%s: head_width %d does not divide the width %d", openCLIPFile, headWidth, c.Vision.Width)
	}
	c.Vision.Heads, c.Text.Heads = c.Vision.Width/headWidth, file.Model.Text.Heads
	if c.Text.Heads == 0 {
		c.Text.Heads = 8
	}
	c.Vision.Act = gelu
	if file.Model.QuickGELU {
		c.Vision.Act = quickGELU
	}
	c.Text.Act = c.Vision.Act
	return nil
}

// known are the sizes of the CLIPs that are published, and their heads. The
// activation is not among them: models of the same sizes were trained with
// either.
var known = []struct {
	name                             string
	width, layers, patch, projection int
	textWidth, textLayers            int
	heads, textHeads                 int
}{
	{"ViT-B/32", 768, 12, 32, 512, 512, 12, 12, 8},
	{"ViT-B/16", 768, 12, 16, 512, 512, 12, 12, 8},
	{"ViT-B/16+", 896, 12, 16, 640, 640, 12, 14, 10},
	{"ViT-L/14", 1024, 24, 14, 768, 768, 12, 16, 12},
	{"ViT-H/14", 1280, 32, 14, 1024, 1024, 24, 16, 16},
	{"ViT-g/14", 1408, 40, 14, 1024, 1024, 24, 16, 16},
	{"ViT-bigG/14", 1664, 48, 14, 1280, 1280, 32, 16, 20},
}

// recognise fills in what nothing said, for models of known sizes. The
// archives that OpenAI ships are TorchScript, and theirs are all QuickGELU.
func (c *config) recognise(w *weights) {
	v, t := &c.Vision, &c.Text
	for _, k := range known {
		if v.Width != k.width || v.Layers != k.layers || v.PatchSize != k.patch || c.Projection != k.projection ||
			t.Width != k.textWidth || t.Layers != k.textLayers {
			continue
		}
		if v.Heads == 0 {
			v.Heads = k.heads
		}
		if t.Heads == 0 {
			t.Heads = k.textHeads
		}
	}
	if v.Act == "" && w.torchScript && w.naming == openAI {
		v.Act, t.Act = quickGELU, quickGELU
	}
}
