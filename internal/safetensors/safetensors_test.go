package safetensors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/golden"
	"github.com/carve-video/carve/internal/tensor"
)

func build(header string, data ...byte) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(out, header...), data...)
}

func TestParse(t *testing.T) {
	b := build(`{"__metadata__":{"format":"pt"},
		"b":{"dtype":"I16","shape":[2],"data_offsets":[8,12]},
		"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},
		"empty":{"dtype":"F32","shape":[0,3],"data_offsets":[8,8]},
		"s":{"dtype":"BOOL","shape":[],"data_offsets":[12,13]}}`,
		0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0xff, 0xff, 2, 0, 1)
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	mem, err := Parse("mem", b)
	if err != nil {
		t.Fatal(err)
	}
	disk, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	if mem.Mapped() || !disk.Mapped() {
		t.Error("Mapped tells memory and disk apart wrongly")
	}
	for _, f := range []*File{mem, disk} {
		if got := f.Names(); !slices.Equal(got, []string{"a", "empty", "b", "s"}) {
			t.Errorf("names %v", got)
		}
		if f.Metadata()["format"] != "pt" {
			t.Errorf("metadata %v", f.Metadata())
		}
		a, _ := f.Tensor("a")
		if v, err := a.Float32(); err != nil || !slices.Equal(v, []float32{1, -2}) {
			t.Errorf("a = %v, %v", v, err)
		}
		if string(b[a.Offset:a.Offset+8]) != string(a.Data) {
			t.Error("Offset does not point at the bytes")
		}
		if err := a.CheckShape(1, 2); err != nil {
			t.Error(err)
		}
		if err := a.CheckShape(2); err == nil || !strings.Contains(err.Error(), f.Path()) || !strings.Contains(err.Error(), `"a"`) {
			t.Errorf("shape error %v does not name file and tensor", err)
		}
		bt, _ := f.Tensor("b")
		if v, err := bt.Int32(); err != nil || !slices.Equal(v, []int32{-1, 2}) {
			t.Errorf("b = %v, %v", v, err)
		}
		if _, err := bt.Float32(); err == nil {
			t.Error("integers passed as floats")
		}
		if _, err := a.Int64(); err == nil {
			t.Error("floats passed as integers")
		}
		_, err := f.Tensor("nope")
		var missing *tensor.MissingError
		if !errors.As(err, &missing) || missing.Name != "nope" || missing.Path != f.Path() {
			t.Errorf("missing tensor: %v", err)
		}
	}
}

func TestParseRejects(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":         {nil, "0 bytes"},
		"short":         {[]byte{1, 2, 3}, "3 bytes"},
		"header length": {binary.LittleEndian.AppendUint64(nil, 1<<63), "header claims"},
		"header beyond": {build(`{}`)[:9], "header claims"},
		"not json":      {build(`hello`), "not a JSON object"},
		"cut json":      {build(`{"a":`), "header"},
		"list":          {build(`[]`), "not a JSON object"},
		"tail":          {build(`{} {}`), "follows"},
		"dtype":         {build(`{"a":{"dtype":"C64","shape":[],"data_offsets":[0,8]}}`, make([]byte, 8)...), "element type"},
		"no offsets":    {build(`{"a":{"dtype":"U8","shape":[1]}}`, 0), "data_offsets"},
		"outside":       {build(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 0), "cut off"},
		"backwards":     {build(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}`, 0), "outside"},
		"negative":      {build(`{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}`, 0), "negative"},
		"product":       {build(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 0, 0, 0, 0), "does not fill"},
		"wrap":          {build(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`), "too large"},
		"wrap bytes":    {build(`{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}`), "does not fill"},
		"twice":         {build(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 0, 0), "twice"},
		"long name":     {build(`{"`+strings.Repeat("n", 1025)+`":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 0), "1025 bytes"},
		"many sides":    {build(`{"a":{"dtype":"U8","shape":[1`+strings.Repeat(",1", 64)+`],"data_offsets":[0,1]}}`, 0), "65 sides"},
		"long header":   {build(`{` + strings.Repeat(" ", maxHeader) + `}`), "more than"},
		"overlap":       {build(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 0, 0, 0), "share"},
	} {
		f, err := Parse("weights.st", c.data)
		if err == nil || f != nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "weights.st") {
			t.Errorf("%s: error %q, want %q and the file in it", name, err, c.want)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a folder was opened")
	}
}

// Files written by the reference writer can be read.
func TestReferenceFiles(t *testing.T) {
	var files []string
	for _, pattern := range []string{"cases/*/*.safetensors", "units/*.safetensors", "models/*/*.safetensors"} {
		m, err := filepath.Glob(golden.Dir(t, pattern[:strings.IndexByte(pattern, '*')]) + pattern[strings.IndexByte(pattern, '*')-1:])
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, m...)
	}
	if len(files) == 0 {
		t.Fatal("no safetensors files in the golden data")
	}
	for _, path := range files {
		f, err := Open(path)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, name := range f.Names() {
			x, _ := f.Tensor(name)
			if size, _ := x.DType.Size(); len(x.Data) != size*x.Len() {
				t.Errorf("%s: %s: %d bytes for %v of %s", path, name, len(x.Data), x.Shape, x.DType)
			}
		}
		f.Close()
	}
}

// A header of many empty tensors takes memory in proportion to its length.
func TestMemory(t *testing.T) {
	var many strings.Builder
	for i := 0; many.Len() < 1<<20; i++ {
		fmt.Fprintf(&many, `,"%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`, i)
	}
	for name, header := range map[string]string{
		"many tensors": "{" + many.String()[1:] + "}",
		"a long shape": `{"a":{"dtype":"U8","data_offsets":[0,0],"shape":[` + strings.Repeat("0,", 1<<19) + `0]}}`,
		"deep":         `{"a":{"x":` + strings.Repeat(`[`, 1<<20) + `}}`,
	} {
		b := build(header)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Parse("x", b)
		runtime.ReadMemStats(&after)
		n := (after.TotalAlloc - before.TotalAlloc) / uint64(len(b))
		if n > 40 {
			t.Errorf("%s: %d bytes of memory for each of the header", name, n)
		}
		t.Logf("%s: %d bytes of memory for each of the header, %v", name, n, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(build(`{"a":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]},"__metadata__":{"k":"v"}}`, 1, 2, 3, 4))
	f.Add(build(`{"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}`, make([]byte, 8)...))
	f.Add(build(`{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse("fuzz", data)
		if err != nil {
			return
		}
		total := 0
		for _, name := range file.Names() {
			x, err := file.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			total += len(x.Data)
			if got := data[x.Offset:][:len(x.Data)]; string(got) != string(x.Data) {
				t.Fatal("offset and bytes disagree")
			}
			if _, err := x.Float32(); err != nil {
				if _, err := x.Int64(); err != nil {
					t.Fatalf("%s reads as nothing", x.DType)
				}
			}
		}
		if total > len(data) {
			t.Fatal("tensors are longer than the file")
		}
	})
}
