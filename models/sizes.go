package models

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/carve-video/carve/internal/tensor"
)

// configOf determines the config of a checkpoint. The sizes are those of the tensors. The
// number of heads and the activation come from config.json, else from
// open_clip_config.json, the archive itself, or the table of known models. Mean and
// deviation of the pixels come from preprocessor_config.json or open_clip_config.json.
// Options take precedence. A setting that is given nowhere is not guessed, it is a
// [MissingSettingsError]. standalone says that the checkpoint was given by its path.
func configOf(fsys fs.FS, alone bool, w *weights, o Options) (config, error) {
	c, err := sizesOf(w)
	if err != nil {
		return c, err
	}
	from := w.name
	described, err := readConfig(fsys)
	switch {
	case err == nil:
		if c, err = described.mergeSizes(c, w, o.Log); err != nil {
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
		c.fillKnown(w)
	}
	if err := c.choosePixels(o, []pixels{hf, oc.pixels}, w); err != nil {
		return c, err
	}
	if err := o.applyTo(&c, w.name, alone); err != nil {
		return c, err
	}
	if err := c.check(); err != nil {
		return c, fmt.Errorf("%s: %w", from, err)
	}
	return c, nil
}

// mergeSizes returns the config of config.json with the sizes of the tensors. A config that
// contradicts the tensors belongs to another model, so that its heads and activation are
// not reliable: it is an error. Two contradictions are only logged: the length of texts, on
// which nothing else depends; and any contradiction in a config next to OpenAI's own file,
// which a user has written to describe it.
func (c config) mergeSizes(sizes config, w *weights, log *slog.Logger) (config, error) {
	for _, s := range []struct {
		name     string // in config.json
		said, is int
		tensor   string // that has this size; empty for a number of blocks
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
		if s.said == unspecified || s.said == s.is {
			continue
		}
		var evidence string
		if s.tensor != "" {
			evidence = w.sizeEvidence(s.tensor)
		} else {
			evidence = w.blocksEvidence(s.prefix, s.is, s.said)
		}
		if w.naming == huggingFace && s.name != "text_config.max_position_embeddings" {
			return c, fmt.Errorf("%s says that %s is %d, but %s", configFile, s.name, s.said, evidence)
		}
		log.Warn("config.json contradicts the weights, which are used", "size", s.name, "said", s.said, "taken", s.is, "because", evidence)
	}
	sizes.Vision.Heads, sizes.Vision.Act, sizes.Vision.Eps, sizes.Vision.Channels = c.Vision.Heads, c.Vision.Act, c.Vision.Eps, c.Vision.Channels
	sizes.Text.Heads, sizes.Text.Act, sizes.Text.Eps = c.Text.Heads, c.Text.Act, c.Text.Eps
	return sizes, nil
}

// sizeEvidence describes the tensor that has a size.
func (w *weights) sizeEvidence(name string) string {
	t, err := w.Tensor(w.naming.locate(name).name)
	if err != nil {
		return err.Error() // sizesOf has found it
	}
	return fmt.Sprintf("%s: tensor %q has shape %v", t.Path, t.Name, t.Shape)
}

// blocksEvidence describes why a tower has so many blocks, and not as many as the config
// says.
func (w *weights) blocksEvidence(prefix string, is, said int) string {
	if said > is {
		return (&tensor.MissingError{Path: w.checkpoint.name, Name: w.normName(prefix, is)}).Error()
	}
	return fmt.Sprintf("%s has %d blocks", w.checkpoint.name, is)
}

// sizesOf reads all sizes from the tensors. A checkpoint that is not a CLIP fails here or
// when the graphs are built, with the name of the tensor.
func sizesOf(w *weights) (config, error) {
	var c config
	c.Vision.Eps, c.Text.Eps, c.Vision.Channels = 1e-5, 1e-5, 3
	var err error
	// side returns a side of a tensor in Hugging Face's layout.
	side := func(name string, axis, sides int) int {
		p := w.naming.locate(name)
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
		return c, fmt.Errorf("%s: the table of positions has %d rows, which is not a square plus one", w.name, rows)
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

// normName is the checkpoint's name of the tensor that shows that a block exists.
func (w *weights) normName(prefix string, block int) string {
	return w.naming.locate(layerName(prefix, block) + ".layer_norm1.weight").name
}

// knownModels are the sizes of published CLIPs and their numbers of heads. They do not
// include the activation: models of the same sizes were trained with either.
var knownModels = []struct {
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

// fillKnown sets missing heads and activations, for models of known sizes and for archives.
func (c *config) fillKnown(w *weights) {
	v, t := &c.Vision, &c.Text
	for _, k := range knownModels {
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
