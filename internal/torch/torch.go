// Package torch reads tensors from files written by PyTorch.
//
// # Layout
//
// A file is a zip archive with one folder at its top. In it data.pkl is a pickle, and
// data/0, data/1 and so on are storages: the bytes of tensors, little-endian, not
// compressed. In the pickle a tensor is a call of torch._utils._rebuild_tensor_v2 with
// a reference to a storage, an offset into it, a shape and strides.
//
// torch.save writes a dict of tensors, or a dict that holds one under "state_dict" or
// "model" beside an optimizer's state and the like. torch.jit.save writes a TorchScript
// archive: an object of a class of its own, whose attributes are tensors, plain values
// and further such objects. Its tensors are named by their path, "visual.conv1.weight".
// The code in such an archive is ignored.
//
// # Trust
//
// Nothing in a file is run (package pickle), and other classes than those above are
// refused. Every storage must lie inside the file and have its stated length, and every
// tensor must lie inside its storage. Tensors may share a storage, as tied weights do.
// Errors name the file and the tensor.
//
// A file on disk is mapped, and a tensor whose elements are contiguous is a view into
// it. A tensor with other strides, or in a compressed entry, is copied into memory. The
// copies take no more memory than the storages.
//
// Files of PyTorch before 1.6, which are not archives, are recognised and refused.
package torch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/carve-video/carve/internal/pickle"
	"github.com/carve-video/carve/internal/tensor"
	"github.com/edsrzf/mmap-go"
)

// A File is an open checkpoint, on disk or in memory. It may be read from
// several goroutines.
type File struct {
	path        string
	archive     *archive
	mapped      mmap.MMap
	torchScript bool
	tensors     map[string]tensor.Tensor
	names       []string
	values      map[string]any
	classes     map[string]string
}

// Open maps the file at path and finds its tensors. Their bytes are valid until Close.
func Open(path string) (*File, error) {
	m, err := tensor.Map(path)
	if err != nil {
		return nil, err
	}
	file, err := Parse(path, m)
	if err != nil {
		return nil, errors.Join(err, m.Unmap())
	}
	file.mapped = m
	return file, nil
}

// Parse reads a checkpoint in memory. Errors call it name. The tensors refer to data.
func Parse(name string, data []byte) (*File, error) {
	f := &File{path: name, tensors: map[string]tensor.Tensor{}, values: map[string]any{}, classes: map[string]string{}}
	if err := f.parse(data); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// Close releases the mapping. Tensor bytes must not be used afterwards.
func (f *File) Close() error {
	f.tensors, f.archive = nil, nil
	if f.mapped == nil {
		return nil
	}
	m := f.mapped
	f.mapped = nil
	return m.Unmap()
}

// TorchScript reports whether the file was written by torch.jit.save.
func (f *File) TorchScript() bool { return f.torchScript }

// Names returns the names of the tensors in the order of the file.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Tensor returns the tensor with this name.
func (f *File) Tensor(name string) (tensor.Tensor, error) {
	t, ok := f.tensors[name]
	if !ok {
		return tensor.Tensor{}, &tensor.MissingError{Path: f.path, Name: name}
	}
	return t, nil
}

// Values returns the attributes of a TorchScript archive that are a bool, int64,
// float64 or string, by their path; none for a state dict.
func (f *File) Values() map[string]any { return maps.Clone(f.values) }

// Classes returns the class names of a TorchScript archive's objects, by their path;
// the object at the top has an empty path. They are the names in Python, such as
// "torch.nn.modules.activation.GELU", without the numbers that PyTorch inserts to
// distinguish classes with the same name. There are none for a state dict.
func (f *File) Classes() map[string]string { return maps.Clone(f.classes) }

// CheckSums compares the bytes of all entries of the archive with their CRC-32. Unlike
// Open it reads the whole file; ctx ends it. An entry with a sum of 0 was written
// without one, and is skipped.
func (f *File) CheckSums(ctx context.Context) error {
	if err := f.archive.checkSums(ctx); err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	return nil
}

func (f *File) parse(data []byte) error {
	a, err := openArchive(data)
	if err != nil {
		return err
	}
	b, err := a.small("data.pkl", maxPickle)
	if err != nil {
		return err
	}
	top, err := pickle.Load(b, pickle.Options{Allow: allowed, Persistent: storageOf, Memory: maxValues})
	if err != nil {
		return fmt.Errorf("data.pkl: %w", err)
	}
	f.archive = a
	w := walk{file: f, builder: builder{archive: a, met: map[string]bool{}}, classes: map[pickle.Class]string{}}
	switch v := top.(type) {
	case *pickle.Dict:
		return w.stateDict(v)
	case *pickle.Object:
		if isScript(v.Class) {
			f.torchScript = true
			return w.object("", v, 0)
		}
	}
	return fmt.Errorf("data.pkl holds no state dict but a value of kind %T", top)
}
