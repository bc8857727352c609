package models

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/carve-video/carve/internal/tensor"
)

// configOf finds out what a checkpoint is. Its sizes are those of the tensors,
// whatever is said beside them. What tensors do not show comes from elsewhere: the
// number of heads and the activation from config.json, else from
// open_clip_config.json, the archive itself, or the table of known models; mean and
// deviation of the pixels from preprocessor_config.json or open_clip_config.json.
// What the options say counts more than all of that. What nothing says is not
// guessed: [UnsaidError]. alone tells that the checkpoint was named by itself.
func configOf(fsys fs.FS, alone bool, w *weights, o Options) (config, error) {
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
	case !errors.Is(err, fs.ErrNotExist):
		return c, err
	}
	hf, err1 := readPreprocessor(fsys)
	oc, err2 := readOpenCLIP(fsys)
	if err := errors.Join(err1, err2); err != nil {
		return c, err
	}
	if from != configFile {
		if err := oc.describe(&c); err != nil {
			return c, err
		}
		c.recognise(w)
	}
	if err := c.settlePixels(o, []pixels{hf, oc.pixels}, w); err != nil {
		return c, err
	}
	if err := o.assume(&c, w.name, alone); err != nil {
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

// sizesOf reads all that tensors show. What is not a CLIP fails here or when
// the graphs are built, with the name of the tensor.
func sizesOf(w *weights) (config, error) {
	var c config
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

// recognise fills in what nothing said, for models of known sizes and for archives.
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
	if v.Act == "" && t.Act == "" {
		v.Act, t.Act = w.activationOf(visionPrefix), w.activationOf(textPrefix)
	}
}
