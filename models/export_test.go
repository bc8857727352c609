package models

import "github.com/carve-video/carve/internal/bpe"

// A Modifier changes settings of an open model, before its roles are created. Tests show
// with it which mistakes in loading a model are noticed.
type Modifier struct{ m *Model }

// rebuild builds the graphs again, with the changed settings.
func (w Modifier) rebuild() {
	text, err := w.m.build()
	if err != nil {
		panic(err) // the tensors are the same
	}
	w.m.text.graph = text
}

// Modify returns the Modifier of the model.
func (m *Model) Modify() Modifier { return Modifier{m} }

// Activation changes the activations of both towers.
func (w Modifier) Activation(vision, text string) {
	w.m.config.Vision.Act, w.m.config.Text.Act = vision, text
	w.rebuild()
}

// Epsilon changes the epsilon of every layer norm.
func (w Modifier) Epsilon(v float32) {
	w.m.config.Vision.Eps, w.m.config.Text.Eps = v, v
	w.rebuild()
}

// Heads changes the number of heads of both towers.
func (w Modifier) Heads(vision, text int) {
	w.m.config.Vision.Heads, w.m.config.Text.Heads = vision, text
	w.rebuild()
}

// Pixels changes mean and standard deviation of the pixels.
func (w Modifier) Pixels(mean, std float32) {
	w.PixelsOf([3]float32{mean, mean, mean}, [3]float32{std, std, std})
}

// PixelsOf is Pixels by channel.
func (w Modifier) PixelsOf(mean, std [3]float32) {
	w.m.config.pixels = pixels{mean: mean, std: std}
	w.rebuild()
}

// Scale changes the logit scale.
func (w Modifier) Scale(change func(float64) float64) {
	w.m.text.scale = float32(change(float64(w.m.text.scale)))
}

// Positions replaces row i of the n rows of the table of positions by row from(i), or by
// zeros if that is negative. Row 0 is that of CLS.
func (w Modifier) Positions(from func(i, n int) int) {
	width := w.m.config.Vision.Width
	table := make([]float32, len(w.m.table))
	n := len(table) / width
	for i := range n {
		if j := from(i, n); j >= 0 {
			copy(table[i*width:][:width], w.m.table[j*width:])
		}
	}
	w.m.table = table
}

// Tokens changes the ids of texts.
func (w Modifier) Tokens(change func(text string, ids []int32) []int32) {
	w.m.text.tokenizer = changedTokenizer{w.m.text.tokenizer.(*bpe.Tokenizer), change}
}

type changedTokenizer struct {
	*bpe.Tokenizer
	change func(text string, ids []int32) []int32
}

func (t changedTokenizer) EncodeMax(text string, max int) ([]int32, error) {
	ids, err := t.Tokenizer.EncodeMax(text, max)
	if err != nil {
		return nil, err
	}
	return t.change(text, ids), nil
}
