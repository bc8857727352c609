package models

import "github.com/carve-video/carve/internal/bpe"

// Wrong changes how an open model computes, before its roles are made: for the tests
// that show which mistakes in loading a model are noticed.
type Wrong struct{ m *Model }

// rebuild builds the graphs anew, which are of what the model was when it was opened.
func (w Wrong) rebuild() {
	text, err := w.m.build()
	if err != nil {
		panic(err) // the tensors are those that were there before
	}
	w.m.text.graph = text
}

// Wrong is for m to be changed.
func (m *Model) Wrong() Wrong { return Wrong{m} }

// Activation changes those of both towers.
func (w Wrong) Activation(vision, text string) {
	w.m.config.Vision.Act, w.m.config.Text.Act = vision, text
	w.rebuild()
}

// Epsilon changes that of every layer norm.
func (w Wrong) Epsilon(v float32) {
	w.m.config.Vision.Eps, w.m.config.Text.Eps = v, v
	w.rebuild()
}

// Heads changes those of both towers.
func (w Wrong) Heads(vision, text int) {
	w.m.config.Vision.Heads, w.m.config.Text.Heads = vision, text
	w.rebuild()
}

// Pixels changes their mean and deviation.
func (w Wrong) Pixels(mean, std float32) {
	w.PixelsOf([3]float32{mean, mean, mean}, [3]float32{std, std, std})
}

// PixelsOf is Pixels by channel.
func (w Wrong) PixelsOf(mean, std [3]float32) {
	w.m.config.pixels = pixels{mean: mean, std: std}
	w.rebuild()
}

// Scale changes what cosines are multiplied by.
func (w Wrong) Scale(change func(float64) float64) {
	w.m.text.scale = float32(change(float64(w.m.text.scale)))
}

// Positions puts row from(i) of the n rows of the table of positions in the place of
// row i; row 0 is that of the class. A negative one is cleared.
func (w Wrong) Positions(from func(i, n int) int) {
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
func (w Wrong) Tokens(change func(text string, ids []int32) []int32) {
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
