package models

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/carve-video/carve/internal/onnx"
	"github.com/carve-video/carve/internal/safetensors"
	"github.com/carve-video/carve/internal/tensor"
)

// weightsFile is the checkpoint of a model folder.
const weightsFile = "model.safetensors"

// weights is a checkpoint, and how graphs refer to it.
//
// A checkpoint on disk is mapped here and again by ONNX Runtime: a graph names
// it and the offsets of its tensors, and no copy passes through Go. One that
// lies in memory (the embedded model) becomes part of the graphs. In either
// case tensors go in as they are stored; the graph widens half precision to
// float32, and brings matrices the way round that products want, by operators
// over constants, which the runtime computes once while it loads.
type weights struct {
	file   *safetensors.File
	folder string // of the checkpoint on disk; empty in memory
	name   string // of the checkpoint in folder
}

// inlineBelow is the size under which a tensor becomes part of a graph even
// though it is on disk: a mapping each for hundreds of biases costs more.
const inlineBelow = 64 << 10

// openWeights opens the checkpoint of a folder: by path where dir is one on
// disk, else through fsys.
func openWeights(fsys fs.FS, dir string) (*weights, error) {
	if dir == "" {
		b, err := fs.ReadFile(fsys, weightsFile)
		if err != nil {
			return nil, err
		}
		f, err := safetensors.Parse(weightsFile, b)
		if err != nil {
			return nil, err
		}
		return &weights{file: f}, nil
	}
	path := filepath.Join(dir, weightsFile)
	f, err := safetensors.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			if other := elsewhere(fsys); other != "" {
				return nil, fmt.Errorf("%w (there is %s, which is not read: save the model as one %s)", err, other, weightsFile)
			}
		}
		return nil, err
	}
	// A download cache keeps the folder full of links to files elsewhere. The
	// runtime refuses external data outside the folder that it was given, so
	// it is given the folder of the file itself.
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("failed to open weights: %w", err), f.Close())
	}
	return &weights{file: f, folder: filepath.Dir(real), name: filepath.Base(real)}, nil
}

// elsewhere is the file of a folder that holds weights in a form not read.
func elsewhere(fsys fs.FS) string {
	for _, name := range []string{"model.safetensors.index.json", "pytorch_model.bin", "open_clip_pytorch_model.bin"} {
		if _, err := fs.Stat(fsys, name); err == nil {
			return name
		}
	}
	return ""
}

func (w *weights) Close() error { return w.file.Close() }

// floats reads a small tensor into Go.
func (w *weights) floats(name string, shape ...int) ([]float32, error) {
	t, err := w.tensor(name, shape...)
	if err != nil {
		return nil, err
	}
	return t.Float32()
}

// tensor looks a floating-point tensor up and checks its shape.
func (w *weights) tensor(name string, shape ...int) (tensor.Tensor, error) {
	t, err := w.file.Tensor(name)
	if err != nil {
		return t, err
	}
	if _, ok := elementTypes[t.DType]; !ok {
		return t, fmt.Errorf("%s: tensor %q holds %s, want floating-point numbers", t.Path, name, t.DType)
	}
	return t, t.CheckShape(shape...)
}

var elementTypes = map[tensor.DType]struct {
	onnx onnx.DataType
	size int64
}{
	tensor.F64:  {onnx.Float64, 8},
	tensor.F32:  {onnx.Float32, 4},
	tensor.F16:  {onnx.Float16, 2},
	tensor.BF16: {onnx.BFloat16, 2},
}

// declare makes the tensor an initializer of g and returns it as float32.
func (w *weights) declare(g *onnx.Graph, name string, shape ...int) (onnx.Value, error) {
	t, err := w.tensor(name, shape...)
	if err != nil {
		return "", err
	}
	e := elementTypes[t.DType]
	var v onnx.Value
	// An offset that is no multiple of the element's size cannot be mapped.
	if w.folder != "" && len(t.Data) >= inlineBelow && t.Offset%e.size == 0 {
		v = g.External(name, e.onnx, onnx.External{File: w.name, Offset: t.Offset, Length: int64(len(t.Data))}, shape...)
	} else {
		v = g.Inline(name, e.onnx, t.Data, shape...)
	}
	if e.onnx != onnx.Float32 {
		v = g.Cast(v, onnx.Float32)
	}
	return v, nil
}

// count is the number of parameters, and the type most of them are stored in.
func (w *weights) count() (params int64, dtype string) {
	by := map[tensor.DType]int64{}
	for _, name := range w.file.Names() {
		t, err := w.file.Tensor(name)
		if _, float := elementTypes[t.DType]; err != nil || !float {
			continue // buffers such as position_ids
		}
		params += int64(t.Len())
		by[t.DType] += int64(t.Len())
		if by[t.DType] > by[tensor.DType(dtype)] {
			dtype = string(t.DType)
		}
	}
	return params, dtype
}
