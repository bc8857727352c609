package torch

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/tensor"
)

// wholeStorage is the call for a tensor that covers a storage of 48 bytes.
var wholeStorage = call{"ByteStorage", "0", 48, 0, []int64{48}, []int64{1}}

func TestCompressed(t *testing.T) {
	zeros := make([]byte, 1<<20)
	for name, c := range map[string]struct {
		call call
		data []byte
		want []byte
	}{
		"matrix": {call{"FloatStorage", "0", 12, 0, []int64{3, 4}, []int64{4, 1}}, counted(48), counted(48)},
		"part":   {call{"BFloat16Storage", "0", 24, 4, []int64{5}, []int64{1}}, counted(48), counted(48)[8:18]},
		"turned": {call{"ByteStorage", "0", 48, 1, []int64{3, 2}, []int64{1, 3}}, counted(48), []byte{1, 4, 2, 5, 3, 6}},
		"zeros":  {call{"ByteStorage", "0", 1 << 20, 0, []int64{1 << 20}, []int64{1}}, zeros, zeros},
	} {
		f, err := Parse("x.pt", one(c.call, entry{"m/data/0", c.data, true}).bytes(t))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		x, err := f.Tensor("w")
		if err != nil || !bytes.Equal(x.Data, c.want) || x.Offset != tensor.Nowhere || x.Path != "x.pt" {
			t.Errorf("%s: %d bytes at %d of %q, %v", name, len(x.Data), x.Offset, x.Path, err)
		}
	}
}

// forge rewrites the directory's record of an entry.
func forge(t *testing.T, b []byte, name string, change func(record []byte)) []byte {
	t.Helper()
	const sizeOfRecord = 46
	at := bytes.LastIndex(b, []byte(name))
	if at < sizeOfRecord || string(b[at-sizeOfRecord:][:4]) != "PK\x01\x02" {
		t.Fatalf("%s has no record", name)
	}
	b = bytes.Clone(b)
	change(b[at-sizeOfRecord:][:sizeOfRecord])
	return b
}

func TestForgedArchives(t *testing.T) {
	const sum, packed, size = 16, 20, 24 // positions in a record
	set := func(at int, v uint32) func([]byte) {
		return func(r []byte) { binary.LittleEndian.PutUint32(r[at:], v) }
	}
	stored := one(wholeStorage, entry{name: "m/data/0", data: counted(48)}).bytes(t)
	deflated := one(wholeStorage, entry{"m/data/0", counted(48), true}).bytes(t)
	of := func(n int64) []byte { // a valid stream, for a tensor that claims n bytes
		c := call{"ByteStorage", "0", n, 0, []int64{n}, []int64{1}}
		return one(c, entry{"m/data/0", counted(48), true}).bytes(t)
	}
	for name, c := range map[string]struct {
		b    []byte
		want string // empty if valid
	}{
		"sum of what is only mapped": {forge(t, stored, "m/data/0", set(sum, 1)), ""},
		"sum":                        {forge(t, deflated, "m/data/0", set(sum, crc32.ChecksumIEEE(nil)+1)), "checksum"},
		"shorter than it unpacks":    {forge(t, of(47), "m/data/0", set(size, 47)), "m/data/0"},
		"longer than it unpacks":     {forge(t, of(49), "m/data/0", set(size, 49)), "m/data/0"},
		"bomb":                       {forge(t, of(1<<30), "m/data/0", set(size, 1<<30)), "no compression"},
		"two lengths":                {forge(t, stored, "m/data/0", set(packed, 40)), "two lengths"},
		"outside":                    {forge(t, stored, "m/data/0", set(packed, 1<<30)), "outside the file"},
		"method":                     {forge(t, stored, "m/data/0", func(r []byte) { r[10] = 99 }), "not read"},
		"encrypted":                  {forge(t, stored, "m/data/0", func(r []byte) { r[8] |= 1 }), "encrypted"},
		"no such place":              {forge(t, stored, "m/data/0", set(42, 1)), "failed to find"},
		"cut in the middle":          {stored[:len(stored)/2], "cut off"},
		"two checkpoints":            {one(wholeStorage, entry{name: "m/data/0", data: counted(48)}, entry{name: "n/data.pkl"}).bytes(t), "n/data.pkl"},
		"long byte order":            {one(wholeStorage, entry{name: "m/byteorder", data: counted(48)}).bytes(t), "byteorder"},
		"before 1.6, protocol 4":     {append([]byte("\x80\x04\x95\x0d\x00\x00\x00\x00\x00\x00\x00"), beforeArchives...), "take the safetensors file"},
	} {
		f, err := Parse("some.pt", c.b)
		switch {
		case c.want != "":
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "some.pt: ") {
				t.Errorf("%s: %v; want an error with %q", name, err, c.want)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		default:
			if x, err := f.Tensor("w"); err != nil || !bytes.Equal(x.Data, counted(48)) {
				t.Errorf("%s: % x, %v", name, x.Data, err)
			}
		}
	}
}

// A directory can name one part of the file many times, each time as another storage.
func TestEntriesOnOneAnother(t *testing.T) {
	const n = 20
	w := &writer{}
	w.op("\x80\x02}(")
	for i := range n {
		c := call{"ByteStorage", string(rune('a' + i)), 4800, 0, []int64{4800}, []int64{1}}
		w.tensor(c.key, c)
		w.entries = append(w.entries, entry{name: "m/data/" + c.key})
	}
	w.op("u.")
	w.entries[0].data = counted(4800)
	b := w.bytes(t)
	var first []byte
	for i := range n {
		b = forge(t, b, w.entries[i].name, func(r []byte) {
			if i == 0 {
				first = bytes.Clone(r)
			} else {
				copy(r[16:28], first[16:28]) // sum and sizes
				copy(r[42:], first[42:])     // position
			}
		})
	}
	if _, err := Parse("x.pt", b); err == nil || !strings.Contains(err.Error(), "other entries") {
		t.Errorf("%d storages in one: %v", n, err)
	}
}

func TestValues(t *testing.T) {
	w := &writer{entries: []entry{{name: "m/data/0", data: counted(48)}}}
	w.op("\x80\x02c__torch__.M\nModel\n)\x81}(")
	w.text("training")
	w.op("\x89")
	w.text("visual")
	w.op("c__torch__.M\nViT\n)\x81}(")
	w.text("heads")
	w.number(12)
	w.text("name")
	w.text("ViT")
	w.text("sizes")
	w.op("ctorch.jit._pickle\nbuild_intlist\n](K\x01e\x85R")
	w.tensor("proj", wholeStorage)
	w.op("ubub.")
	f, err := Parse("x.pt", w.bytes(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]any{"training": false, "visual.heads": int64(12), "visual.name": "ViT"}; !maps.Equal(f.Values(), want) {
		t.Errorf("values %v, want %v", f.Values(), want)
	}
	if !slices.Equal(f.Names(), []string{"visual.proj"}) {
		t.Errorf("tensors %q", f.Names())
	}
}

// Objects that each hold the next one twice have too many paths to walk, and names that
// grow with each step.
func TestWalkIsBounded(t *testing.T) {
	double := &writer{}
	double.op("\x80\x02c__torch__\nM\nq\x00)\x81q\x01")
	for range 40 {
		double.op("0h\x00)\x81}(X\x01\x00\x00\x00ah\x01X\x01\x00\x00\x00bh\x01ubq\x01")
	}
	double.op(".")
	long := &writer{}
	long.op("\x80\x02c__torch__\nM\n)\x81}")
	long.text(strings.Repeat("n", maxName+1))
	long.op("Nsb.")
	for name, c := range map[string]struct {
		w    *writer
		want string
	}{
		"twice over": {double, "too many"},
		"long name":  {long, "name of 1025 bytes"},
	} {
		if _, err := Parse("x.pt", c.w.bytes(t)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want an error with %q", name, err, c.want)
		}
	}
}

// Sides whose product overflows are refused even if another side is 0.
func TestEmptyTensorsAreBounded(t *testing.T) {
	storage := entry{name: "m/data/0", data: counted(48)}
	for _, shape := range [][]int64{{0, 1 << 40, 1 << 40}, {1 << 62, 4, 0}, make([]int64, 65)} {
		c := call{"ByteStorage", "0", 48, 0, shape, make([]int64, len(shape))}
		if _, err := Parse("x.pt", one(c, storage).bytes(t)); err == nil {
			t.Errorf("shape %v was taken", shape)
		}
	}
}
