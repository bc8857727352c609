// Package safetensors reads the safetensors format: a JSON header that describes
// tensors, followed by their bytes.
//
// # Layout
//
// A file is an 8-byte little-endian header length n, n bytes of JSON, and a
// data section. The header maps each tensor's name to its element type, its
// shape and the half-open range of the data section that holds it, row-major
// and little-endian. The key "__metadata__" holds free strings.
//
// # Trust
//
// Weights are not trusted: the header's length is bounded, and every range must lie
// inside the file, have exactly the length for its shape and type, and not overlap
// another. No size claimed by the header alone leads to an allocation. Errors name the
// file and the tensor.
//
// A file on disk is mapped rather than read: opening a checkpoint of gigabytes only
// loads the pages that are used.
package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/carve-video/carve/internal/tensor"
	"github.com/edsrzf/mmap-go"
)

// Limits of the JSON header, which takes about ten times its length when it is decoded.
// The format's own reader allows 100 MB; a CLIP with 600 tensors needs 70 KB.
const (
	maxHeader = 8 << 20
	maxName   = 1024
	maxRank   = 64
)

// A File is an open safetensors file, or one in memory. It may be read from several
// goroutines.
type File struct {
	path     string
	data     []byte // the whole file
	mapped   mmap.MMap
	tensors  map[string]tensor.Tensor
	names    []string
	metadata map[string]string
}

// Open maps the file at path and checks its header. The bytes of the File's
// tensors are valid until Close.
func Open(path string) (*File, error) {
	m, err := tensor.Map(path)
	if err != nil {
		return nil, err
	}
	file, err := parse(path, m)
	if err != nil {
		return nil, errors.Join(err, m.Unmap())
	}
	file.mapped = m
	return file, nil
}

// Parse reads a safetensors file in memory. Errors call it name. The tensors refer to
// data.
func Parse(name string, data []byte) (*File, error) {
	return parse(name, data)
}

// Close releases the mapping. Tensor bytes must not be used afterwards.
func (f *File) Close() error {
	f.data, f.tensors = nil, nil
	if f.mapped == nil {
		return nil
	}
	m := f.mapped
	f.mapped = nil
	return m.Unmap()
}

// Path returns the name under which the File was opened or parsed.
func (f *File) Path() string { return f.path }

// Mapped reports whether the File is on disk, so that Path and a tensor's Offset are
// the position of its bytes.
func (f *File) Mapped() bool { return f.mapped != nil }

// Names returns the names of the tensors in the order of their bytes.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Metadata returns the free strings of the header; it may be empty.
func (f *File) Metadata() map[string]string { return f.metadata }

// Has reports whether there is a tensor with this name.
func (f *File) Has(name string) bool {
	_, ok := f.tensors[name]
	return ok
}

// Tensor returns the tensor with this name.
func (f *File) Tensor(name string) (tensor.Tensor, error) {
	t, ok := f.tensors[name]
	if !ok {
		return tensor.Tensor{}, &tensor.MissingError{Path: f.path, Name: name}
	}
	return t, nil
}

type entry struct {
	DType   tensor.DType `json:"dtype"`
	Shape   []int64      `json:"shape"`
	Offsets []uint64     `json:"data_offsets"`
}

func parse(path string, data []byte) (*File, error) {
	fail := func(format string, args ...any) (*File, error) {
		return nil, fmt.Errorf("%s: not a valid safetensors file: "+format, append([]any{path}, args...)...)
	}
	if len(data) < 8 {
		return fail("only %d bytes", len(data))
	}
	n := binary.LittleEndian.Uint64(data)
	if n > uint64(len(data)-8) {
		return fail("the header claims %d bytes of a file of %d", n, len(data))
	}
	if n > maxHeader {
		return fail("the header has %d bytes, more than the %d that are read", n, maxHeader)
	}
	body := data[8+n:]
	f := &File{path: path, data: data, tensors: map[string]tensor.Tensor{}}

	// The top level is read token by token: decoding it into a map would silently keep
	// only the last of two equal names.
	dec := json.NewDecoder(bytes.NewReader(data[8 : 8+n]))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return fail("the header is not a JSON object")
	}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return fail("header: %w", err)
		}
		name := tok.(string) // an object's keys are strings, or Token fails
		if name == "__metadata__" {
			if f.metadata != nil {
				return fail("the header has two %q", name)
			}
			if err := dec.Decode(&f.metadata); err != nil {
				return fail("header: __metadata__: %w", err)
			}
			continue
		}
		if _, dup := f.tensors[name]; dup {
			return fail("tensor %q is there twice", name)
		}
		if len(name) > maxName {
			return fail("tensor %.40q has a name of %d bytes", name, len(name))
		}
		var e entry
		if err := dec.Decode(&e); err != nil {
			return fail("header: tensor %q: %w", name, err)
		}
		t, err := e.check(name, body)
		if err != nil {
			return fail("tensor %q: %w", name, err)
		}
		t.Path, t.Offset = path, int64(8+n+e.Offsets[0])
		f.tensors[name] = t
		f.names = append(f.names, name)
	}
	if _, err := dec.Token(); err != nil {
		return fail("header: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return fail("something follows the header's object")
	}
	if err := f.checkOverlap(); err != nil {
		return nil, err
	}
	return f, nil
}

// check turns a header entry into a tensor with a valid range.
func (e entry) check(name string, body []byte) (tensor.Tensor, error) {
	size, ok := e.DType.Size()
	if !ok {
		return tensor.Tensor{}, fmt.Errorf("unknown element type %.40q", e.DType)
	}
	if len(e.Offsets) != 2 {
		return tensor.Tensor{}, fmt.Errorf("data_offsets has %d entries, want 2", len(e.Offsets))
	}
	from, to := e.Offsets[0], e.Offsets[1]
	if from > to || to > uint64(len(body)) {
		return tensor.Tensor{}, fmt.Errorf("bytes %d to %d lie outside the %d bytes of data (is the file cut off?)", from, to, len(body))
	}
	if len(e.Shape) > maxRank {
		return tensor.Tensor{}, fmt.Errorf("its shape has %d sides", len(e.Shape))
	}
	count := uint64(1)
	shape := make([]int, 0, len(e.Shape))
	for _, d := range e.Shape {
		if d < 0 {
			return tensor.Tensor{}, fmt.Errorf("shape %v has a negative side", e.Shape)
		}
		// Bounded before multiplying, so that it cannot overflow. A side of 0 makes the
		// tensor empty whatever the others are.
		if d > 0 && count > math.MaxInt64/uint64(d) {
			return tensor.Tensor{}, fmt.Errorf("shape %v is too large", e.Shape)
		}
		count *= uint64(d)
		shape = append(shape, int(d))
	}
	if count > math.MaxInt64/uint64(size) || count*uint64(size) != to-from {
		return tensor.Tensor{}, fmt.Errorf("shape %v of %s does not fill the %d bytes given", e.Shape, e.DType, to-from)
	}
	return tensor.Tensor{Name: name, DType: e.DType, Shape: shape, Data: body[from:to:to]}, nil
}

// checkOverlap sorts the names by the position of their bytes and rejects overlaps.
func (f *File) checkOverlap() error {
	slices.SortFunc(f.names, func(a, b string) int {
		ta, tb := f.tensors[a], f.tensors[b]
		if ta.Offset != tb.Offset {
			return int(min(max(ta.Offset-tb.Offset, -1), 1))
		}
		return len(ta.Data) - len(tb.Data) // empty ones first
	})
	for i := 1; i < len(f.names); i++ {
		a, b := f.tensors[f.names[i-1]], f.tensors[f.names[i]]
		if a.Offset+int64(len(a.Data)) > b.Offset {
			return fmt.Errorf("%s: not a valid safetensors file: tensors %q and %q share bytes", f.path, a.Name, b.Name)
		}
	}
	return nil
}
