package models

import (
	"fmt"
	"io/fs"

	"github.com/carve-video/carve/internal/tensor"
)

// weights are the tensors of a checkpoint with Hugging Face's names.
type weights struct {
	*checkpoint
	naming naming
	used   map[string]bool // names in the checkpoint, while it is being opened
	inline bool            // whether graphs contain all constants and nothing is cached on disk
}

// openWeights opens the checkpoint of a folder, see [openCheckpoint].
func openWeights(fsys fs.FS, dir, only string) (*weights, error) {
	c, err := openCheckpoint(fsys, dir, only)
	if err != nil {
		return nil, err
	}
	n, err := namingOf(c)
	if err != nil {
		c.Close() // only read, so no error matters
		return nil, err
	}
	return &weights{checkpoint: c, naming: n, used: map[string]bool{}}, nil
}

// floats reads a small tensor.
func (w *weights) floats(name string, shape ...int) ([]float32, error) {
	t, _, err := w.tensor(name, shape...)
	if err != nil {
		return nil, err
	}
	return t.Float32()
}

// tensor looks up a floating-point tensor and checks its shape. transposed says that it is
// stored transposed.
func (w *weights) tensor(name string, shape ...int) (t tensor.Tensor, transposed bool, err error) {
	p := w.naming.locate(name)
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

// checkUnknown returns an error if a checkpoint has tensors that no graph uses: it is
// another architecture with a part that has the tensors of a CLIP.
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

// isFloat reports whether d is an element type of weights.
func isFloat(d tensor.DType) bool {
	switch d {
	case tensor.F64, tensor.F32, tensor.F16, tensor.BF16:
		return true
	}
	return false
}

// count returns the number of parameters, and the type of most of them.
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
