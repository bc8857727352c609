package models

// Info describes a model.
type Info struct {
	Name       string
	Width      int // of the vision transformer
	Layers     int // blocks of the vision transformer
	Heads      int
	Patch      int        // side of a patch, pixels
	Resolution int        // side of the training images, pixels
	Projection int        // dimension of image and text vectors
	Activation string     // of the MLPs
	Mean, Std  [3]float32 // of the pixels of the training images
	LogitScale float32    // factor from a cosine to a logit
	TextWidth  int
	TextLayers int
	TextHeads  int
	Context    int   // tokens of a text
	Vocabulary int   // ids
	Params     int64 // parameters, without buffers
	DType      string
	Bytes      int64 // of all tensors, as stored
}

// Info describes the model.
func (m *Model) Info() Info {
	v, t := m.config.Vision, m.config.Text
	params, dtype := m.weights.count()
	return Info{
		Name: m.name, Width: v.Width, Layers: v.Layers, Heads: v.Heads, Patch: v.PatchSize, Resolution: v.ImageSize,
		Projection: m.config.Projection, Activation: v.Act,
		Mean: m.config.pixels.mean, Std: m.config.pixels.std, LogitScale: m.text.scale,
		TextWidth: t.Width, TextLayers: t.Layers, TextHeads: t.Heads, Context: t.Context, Vocabulary: t.Vocab,
		Params: params, DType: dtype, Bytes: m.weights.size(),
	}
}
