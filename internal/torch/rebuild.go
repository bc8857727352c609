package torch

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/carve-video/carve/internal/pickle"
	"github.com/carve-video/carve/internal/tensor"
)

// A storage is what a persistent id refers to.
type storage struct {
	dtype tensor.DType
	key   string // name of the entry in the archive
	count int64  // number of elements
}

// maxKey bounds the name of a storage, which is a number in PyTorch's files.
const maxKey = 64

// storageOf parses a persistent id: ("storage", class, key, device, count).
func storageOf(id any) (any, error) {
	t, ok := id.(pickle.Tuple)
	if !ok || len(t) != 5 || t[0] != "storage" {
		return nil, errors.New("the pickle refers to something that is no storage")
	}
	class, ok1 := t[1].(pickle.Class)
	key, ok2 := t[2].(string)
	count, ok3 := t[4].(int64)
	dtype, ok4 := storages[class]
	if !ok1 || !ok2 || !ok3 || !ok4 || count < 0 || len(key) > maxKey {
		return nil, errors.New("the pickle describes a storage wrongly")
	}
	return &storage{dtype, key, count}, nil
}

// A builder makes tensors from the calls that describe them.
type builder struct {
	archive  *archive
	gathered uint64 // bytes copied in memory
	stored   uint64 // bytes of the storages read
	met      map[string]bool
}

// rebuild makes a tensor without its name.
func (b *builder) rebuild(o *pickle.Object) (tensor.Tensor, error) {
	if isParameter(o.Class) && len(o.Args) > 0 {
		inner, ok := o.Args[0].(*pickle.Object)
		if !ok || inner.Class != rebuildTensor {
			return tensor.Tensor{}, errors.New("it is a parameter without a tensor")
		}
		o = inner
	}
	if o.Class != rebuildTensor || len(o.Args) < 4 {
		return tensor.Tensor{}, fmt.Errorf("it is made by a call of %q, which makes no tensor", o.Class)
	}
	s, ok1 := o.Args[0].(*storage)
	offset, ok2 := o.Args[1].(int64)
	shape, ok3 := integers(o.Args[2])
	strides, ok4 := integers(o.Args[3])
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return tensor.Tensor{}, errors.New("it is described wrongly")
	}
	l := layout{offset: offset, shape: shape, strides: strides}
	if err := l.check(s.count); err != nil {
		return tensor.Tensor{}, err
	}
	data, at, err := b.bytes(s)
	if err != nil {
		return tensor.Tensor{}, err
	}
	size, _ := s.dtype.Size()
	width := int64(size)
	t := tensor.Tensor{DType: s.dtype, Shape: make([]int, len(shape)), Offset: tensor.Nowhere}
	for i, d := range shape {
		t.Shape[i] = int(d)
	}
	n := width * l.count
	if l.rowMajor() {
		t.Data = data[offset*width:][:n:n]
		if at != tensor.Nowhere {
			t.Offset = at + offset*width
		}
		return t, nil
	}
	// Each is no longer than its storage, but many may share one.
	if b.gathered += uint64(n); b.gathered > b.stored {
		return tensor.Tensor{}, errors.New("too many tensors lie in strides: they would take more memory than the file")
	}
	t.Data = l.gather(data, width)
	return t, nil
}

// bytes returns the bytes of a storage and their position in the file.
func (b *builder) bytes(s *storage) (data []byte, at int64, err error) {
	name := b.archive.root + "data/" + s.key
	e := b.archive.entries[name]
	if e == nil {
		return nil, 0, fmt.Errorf("its bytes, %s, are missing from the archive", strings.Trim(strconv.Quote(name), `"`))
	}
	size, _ := s.dtype.Size()
	high, want := bits.Mul64(uint64(s.count), uint64(size))
	if high != 0 || e.UncompressedSize64 != want {
		return nil, 0, fmt.Errorf("its storage %q has %d bytes, which are not %d elements of %s", name, e.UncompressedSize64, s.count, s.dtype)
	}
	if data, at, err = b.archive.read(e); err != nil {
		return nil, 0, err
	}
	if !b.met[s.key] {
		b.met[s.key] = true
		b.stored += want
	}
	return data, at, nil
}

// integers parses a shape: a tuple, or torch.Size of one.
func integers(v any) ([]int64, bool) {
	if o, ok := v.(*pickle.Object); ok && o.Class == torchSize && len(o.Args) == 1 {
		v = o.Args[0]
	}
	t, ok := v.(pickle.Tuple)
	if !ok || len(t) > maxRank {
		return nil, false
	}
	out := make([]int64, len(t))
	for i, x := range t {
		if out[i], ok = x.(int64); !ok {
			return nil, false
		}
	}
	return out, true
}
