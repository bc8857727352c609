package models

import (
	"fmt"
	"io/fs"

	"github.com/carve-video/carve/internal/tensor"
)

// weights are the tensors of a checkpoint under Hugging Face's names.
type weights struct {
	*checkpoint
	naming naming
	used   map[string]bool // by the checkpoint's names, while it is being opened
	inline bool            // whether graphs hold all constants themselves, and nothing is kept of them on disk
}

// openWeights opens the checkpoint of a folder, see [openCheckpoint].
func openWeights(fsys fs.FS, dir, only string) (*weights, error) {
	c, err := openCheckpoint(fsys, dir, only)
	if err != nil {
		return nil, err
	}
	n, err := namingOf(c)
	if err != nil {
		c.Close() // was only read
		return nil, err
	}
	return &weights{checkpoint: c, naming: n, used: map[string]bool{}}, nil
}

// floats reads a small tensor into Go.
func (w *weights) floats(name string, shape ...int) ([]float32, error) {
	t, _, err := w.tensor(name, shape...)
	if err != nil {
		return nil, err
	}
	return t.Float32()
}

// tensor looks a floating-point tensor up and checks its shape. It is
// transposed when the checkpoint has it the other way round.
func (w *weights) tensor(name string, shape ...int) (t tensor.Tensor, transposed bool, err error) {
	p := w.naming.place(name)
	if w.used != nil {
		w.used[p.name] = true
	}
	t, err = p.find(w.checkpoint, shape)
	if err != nil {
		return t, false, err
	}
	if !isFloat(t.DType) {
		return t, false, fmt.Errorf("%s: tensor %q holds %s, want floating-point numbers", t.Path, p.name, t.DType)
	}
	return t, p.transposed, nil
}

// checkUnknown refuses a checkpoint with tensors that nobody asked for: it
// would be another architecture, of which a part happens to look like a CLIP.
func (w *weights) checkUnknown() error {
	for _, name := range w.Names() {
		if !w.used[name] && !buffers.MatchString(name) {
			t, err := w.Tensor(name)
			if err != nil {
				return err
			}
			return fmt.Errorf("%s: tensor %q, shape %v, is not a part of a CLIP of these sizes", t.Path, name, t.Shape)
		}
	}
	return nil
}

// isFloat tells the element types that weights come in.
func isFloat(d tensor.DType) bool {
	switch d {
	case tensor.F64, tensor.F32, tensor.F16, tensor.BF16:
		return true
	}
	return false
}

// count is the number of parameters, and the type most of them are stored in.
func (w *weights) count() (params int64, dtype string) {
	by := map[tensor.DType]int64{}
	for _, name := range w.Names() {
		t, err := w.Tensor(name)
		if err != nil || !isFloat(t.DType) || buffers.MatchString(name) {
			continue
		}
		params += int64(t.Len())
		by[t.DType] += int64(t.Len())
		if by[t.DType] > by[tensor.DType(dtype)] {
			dtype = string(t.DType)
		}
	}
	return params, dtype
}
