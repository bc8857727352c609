package torch

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/golden"
	"github.com/carve-video/carve/internal/pickle"
	"github.com/carve-video/carve/internal/safetensors"
	"github.com/carve-video/carve/internal/tensor"
)

// A writer makes archives for tests, including invalid ones.
type writer struct {
	pickle  []byte
	entries []entry
}

type entry struct {
	name     string
	data     []byte
	compress bool
}

func (w *writer) text(s string) {
	w.pickle = append(binary.LittleEndian.AppendUint32(append(w.pickle, 'X'), uint32(len(s))), s...)
}

func (w *writer) op(s string) { w.pickle = append(w.pickle, s...) }

func (w *writer) number(n int64) {
	w.pickle = binary.LittleEndian.AppendUint64(append(w.pickle, 0x8a, 8), uint64(n))
}

func (w *writer) tuple(n []int64) {
	w.op("(")
	for _, v := range n {
		w.number(v)
	}
	w.op("t")
}

// A call describes a tensor.
type call struct {
	class          string // of the storage
	key            string
	count, offset  int64
	shape, strides []int64
}

func (w *writer) tensor(name string, c call) {
	if name != "" {
		w.text(name)
	}
	w.op("ctorch._utils\n_rebuild_tensor_v2\n((")
	w.text("storage")
	w.op("ctorch\n" + c.class + "\n")
	w.text(c.key)
	w.text("cuda:0")
	w.number(c.count)
	w.op("tQ")
	w.number(c.offset)
	w.tuple(c.shape)
	w.tuple(c.strides)
	w.op("\x89ccollections\nOrderedDict\n)RtR")
}

func (w *writer) bytes(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range append([]entry{{name: "m/data.pkl", data: w.pickle}}, w.entries...) {
		method := zip.Store
		if e.compress {
			method = zip.Deflate
		}
		out, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: method})
		if err == nil {
			_, err = out.Write(e.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// one is an archive with one tensor.
func one(c call, entries ...entry) *writer {
	w := &writer{entries: entries}
	w.op("\x80\x02}(")
	w.tensor("w", c)
	w.op("u.")
	return w
}

func counted(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// PyTorch's files, in either form, hold the same as Hugging Face's file of the same
// model.
func TestReferenceFiles(t *testing.T) {
	dir := golden.Dir(t, "models", "micro-g")
	saved, err := Open(filepath.Join(dir, "micro-g.openai.pt"))
	if err != nil {
		t.Fatal(err)
	}
	defer saved.Close()
	script, err := Open(filepath.Join(dir, "micro-g.torchscript.pt"))
	if err != nil {
		t.Fatal(err)
	}
	defer script.Close()
	if saved.TorchScript() || !script.TorchScript() {
		t.Error("the two forms are taken for one another")
	}
	classes := script.Classes()
	for at, want := range map[string]string{
		"": "clip.model.CLIP", "visual": "clip.model.VisionTransformer", "visual.conv1": "torch.nn.modules.conv.Conv2d",
		"visual.transformer.resblocks.5.mlp.gelu": "clip.model.QuickGELU", "transformer.resblocks.0.mlp.gelu": "clip.model.QuickGELU",
	} {
		if classes[at] != want {
			t.Errorf("the class of %q is %q, want %q", at, classes[at], want)
		}
	}
	if len(saved.Classes()) != 0 {
		t.Error("a state dict has classes")
	}
	hf, err := safetensors.Open(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer hf.Close()
	floats := func(x tensor.Tensor, err error) []float32 {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		v, err := x.Float32()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for ours, theirs := range map[string]string{
		"visual.conv1.weight":                            "vision_model.embeddings.patch_embedding.weight",
		"visual.class_embedding":                         "vision_model.embeddings.class_embedding",
		"visual.transformer.resblocks.5.mlp.c_fc.weight": "vision_model.encoder.layers.5.mlp.fc1.weight",
		"visual.ln_post.bias":                            "vision_model.post_layernorm.bias",
		"token_embedding.weight":                         "text_model.embeddings.token_embedding.weight",
	} {
		want := floats(hf.Tensor(theirs))
		for _, f := range []*File{saved, script} {
			if !slices.Equal(floats(f.Tensor(ours)), want) {
				t.Errorf("%s: %s differs", f.path, ours)
			}
		}
	}
	q, k := floats(hf.Tensor("vision_model.encoder.layers.0.self_attn.q_proj.weight")), floats(hf.Tensor("vision_model.encoder.layers.0.self_attn.k_proj.weight"))
	if got := floats(saved.Tensor("visual.transformer.resblocks.0.attn.in_proj_weight")); !slices.Equal(got[:len(q)+len(k)], slices.Concat(q, k)) {
		t.Error("in_proj_weight is not queries, keys, values")
	}

	// Both have the same tensors, except for sizes that only one has, and every tensor
	// is at its stated position in the file.
	for _, f := range []*File{saved, script} {
		b, err := os.ReadFile(f.path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range f.Names() {
			x, err := f.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			if width, _ := x.DType.Size(); len(x.Data) != width*x.Len() || x.Path != f.path || x.Name != name {
				t.Errorf("%s: %d bytes for %v of %s", name, len(x.Data), x.Shape, x.DType)
			}
			if x.Offset == tensor.Nowhere || !bytes.Equal(b[x.Offset:][:len(x.Data)], x.Data) {
				t.Errorf("%s is not at %d of the file", name, x.Offset)
			}
		}
	}
	for _, name := range script.Names() {
		if a, b := floats(script.Tensor(name)), floats(saved.Tensor(name)); !slices.Equal(a, b) {
			t.Errorf("%s differs between the two", name)
		}
	}
	var missing *tensor.MissingError
	if _, err := saved.Tensor("nope"); !errors.As(err, &missing) || missing.Name != "nope" || missing.Path != saved.path {
		t.Errorf("missing: %v", err)
	}
}

func TestTensors(t *testing.T) {
	storage := entry{name: "m/data/0", data: counted(48)}
	for name, c := range map[string]struct {
		call  call
		shape []int
		dtype tensor.DType
		data  []byte
		there bool // a view into the file
	}{
		"matrix":        {call{"FloatStorage", "0", 12, 0, []int64{3, 4}, []int64{4, 1}}, []int{3, 4}, tensor.F32, counted(48), true},
		"part":          {call{"HalfStorage", "0", 24, 4, []int64{5}, []int64{1}}, []int{5}, tensor.F16, counted(48)[8:18], true},
		"scalar":        {call{"BFloat16Storage", "0", 24, 23, nil, nil}, nil, tensor.BF16, []byte{46, 47}, true},
		"side of one":   {call{"LongStorage", "0", 6, 0, []int64{1, 6}, []int64{999, 1}}, []int{1, 6}, tensor.I64, counted(48), true},
		"no elements":   {call{"ByteStorage", "0", 48, 48, []int64{0, 1 << 40}, []int64{1, 1}}, []int{0, 1 << 40}, tensor.U8, nil, true},
		"turned":        {call{"ByteStorage", "0", 48, 1, []int64{3, 2}, []int64{1, 3}}, []int{3, 2}, tensor.U8, []byte{1, 4, 2, 5, 3, 6}, false},
		"every other":   {call{"ShortStorage", "0", 24, 0, []int64{3}, []int64{2}}, []int{3}, tensor.I16, []byte{0, 1, 4, 5, 8, 9}, false},
		"spread":        {call{"CharStorage", "0", 48, 7, []int64{2, 2}, []int64{0, 0}}, []int{2, 2}, tensor.I8, []byte{7, 7, 7, 7}, false},
		"three turned":  {call{"BoolStorage", "0", 48, 0, []int64{2, 2, 2}, []int64{1, 4, 2}}, []int{2, 2, 2}, tensor.BOOL, []byte{0, 2, 4, 6, 1, 3, 5, 7}, false},
		"integer":       {call{"IntStorage", "0", 12, 0, []int64{12}, []int64{1}}, []int{12}, tensor.I32, counted(48), true},
		"double, a row": {call{"DoubleStorage", "0", 6, 2, []int64{2}, []int64{1}}, []int{2}, tensor.F64, counted(48)[16:32], true},
	} {
		b := one(c.call, storage, entry{name: "m/byteorder", data: []byte("little")}, entry{name: "m/version", data: []byte("3\n")}).bytes(t)
		f, err := Parse("x.pt", b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		x, err := f.Tensor("w")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(x.Shape, c.shape) || x.DType != c.dtype || !bytes.Equal(x.Data, c.data) {
			t.Errorf("%s: %v of %s, % x", name, x.Shape, x.DType, x.Data)
		}
		if there := x.Offset != tensor.Nowhere; there != c.there || there && !bytes.Equal(b[x.Offset:][:len(x.Data)], x.Data) {
			t.Errorf("%s: at %d", name, x.Offset)
		}
	}
}

func TestForms(t *testing.T) {
	c := call{"ByteStorage", "0", 48, 0, []int64{48}, []int64{1}}
	storage := entry{name: "m/data/0", data: counted(48)}
	for name, c := range map[string]struct {
		build func(w *writer)
		names []string
	}{
		"beside other things": {func(w *writer) {
			w.op("}(")
			w.text("epoch")
			w.number(3)
			w.tensor("a", c)
			w.tensor("b", c) // shares its bytes, as tied weights do
			w.op("u.")
		}, []string{"a", "b"}},
		"in a checkpoint": {func(w *writer) {
			w.op("}(")
			w.text("optimizer")
			w.op("N")
			w.text("state_dict")
			w.op("ccollections\nOrderedDict\n)R(")
			w.tensor("x.y", c)
			w.op("uu.")
		}, []string{"x.y"}},
		"as a parameter": {func(w *writer) {
			w.op("}(")
			w.text("p")
			w.op("ctorch._utils\n_rebuild_parameter\n(")
			w.tensor("", c)
			w.op("\x88ccollections\nOrderedDict\n)RtRu.")
		}, []string{"p"}},
		"TorchScript": {func(w *writer) {
			w.op("c__torch__.M\nModel\n)\x81}(")
			w.text("training")
			w.op("\x89")
			w.tensor("scale", c)
			w.text("visual")
			w.op("c__torch__.M.___torch_mangle_1\nViT\n)\x81}(")
			w.tensor("proj", c)
			w.text("heads")
			w.number(12)
			w.op("ubub.")
		}, []string{"scale", "visual.proj"}},
	} {
		w := &writer{entries: []entry{storage}}
		w.op("\x80\x02")
		c.build(w)
		f, err := Parse("x.pt", w.bytes(t))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !slices.Equal(f.Names(), c.names) || f.TorchScript() != (name == "TorchScript") {
			t.Errorf("%s: tensors %q", name, f.Names())
		}
	}
}

func TestRefuses(t *testing.T) {
	good := call{"ByteStorage", "0", 48, 0, []int64{48}, []int64{1}}
	storage := entry{name: "m/data/0", data: counted(48)}
	with := func(change func(c *call)) *writer {
		c := good
		change(&c)
		return one(c, storage)
	}
	raw := func(p string) *writer {
		w := &writer{entries: []entry{storage}}
		w.op(p)
		return w
	}
	script := func(p string) *writer { return raw("\x80\x02c__torch__\nM\n)\x81" + p) }
	many := &writer{entries: []entry{storage}}
	many.op("\x80\x02}(")
	for i := range 200 {
		many.tensor(fmt.Sprint(i), call{"ByteStorage", "0", 4800, 0, []int64{2400}, []int64{2}})
	}
	many.op("u.")
	many.entries = []entry{{name: "m/data/0", data: counted(4800)}}
	for name, c := range map[string]struct {
		w    *writer
		want string
	}{
		"count":               {with(func(c *call) { c.count = 49 }), "48 bytes, which are not 49"},
		"count of a type":     {with(func(c *call) { c.class = "FloatStorage" }), "not 48 elements of F32"},
		"huge count":          {with(func(c *call) { c.count = 1 << 62; c.class = "DoubleStorage" }), "which are not"},
		"negative count":      {with(func(c *call) { c.count = -1 }), "describes a storage wrongly"},
		"behind the end":      {with(func(c *call) { c.offset = 1 }), "leaves the 48 elements"},
		"far behind":          {with(func(c *call) { c.offset = 1 << 62 }), "leaves"},
		"negative offset":     {with(func(c *call) { c.offset = -1 }), "described wrongly"},
		"negative shape":      {with(func(c *call) { c.shape = []int64{-1} }), "negative"},
		"negative stride":     {with(func(c *call) { c.strides = []int64{-1} }), "negative"},
		"large":               {with(func(c *call) { c.shape = []int64{49} }), "does not fit"},
		"expanded":            {with(func(c *call) { c.shape = []int64{1 << 40}; c.strides = []int64{0} }), "does not fit"},
		"overflow":            {with(func(c *call) { c.shape = []int64{1 << 62, 1 << 62}; c.strides = []int64{0, 0} }), "does not fit"},
		"overflowing reach":   {with(func(c *call) { c.shape = []int64{2, 2}; c.strides = []int64{1 << 62, 1 << 62} }), "leaves"},
		"strides for shape":   {with(func(c *call) { c.strides = nil }), "described wrongly"},
		"missing storage":     {with(func(c *call) { c.key = "7" }), "m/data/7, are missing"},
		"way out":             {with(func(c *call) { c.key = "../../etc/passwd" }), "missing"},
		"unknown storage":     {with(func(c *call) { c.class = "QInt8Storage" }), "torch.QInt8Storage is not allowed"},
		"big-endian":          {one(good, storage, entry{name: "m/byteorder", data: []byte("big")}), "byte order"},
		"twice":               {one(good, storage, storage), "twice"},
		"evil class":          {raw("\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R."), "posix.system is not allowed"},
		"evil class in torch": {raw("\x80\x02ctorch.serialization\nload\nX\x02\x00\x00\x00ls\x85R."), "torch.serialization.load is not allowed"},
		"a number":            {raw("\x80\x02K\x01."), "no state dict"},
		"no tensors":          {raw("\x80\x02}."), "no tensors"},
		"a tensor alone":      {one(good, storage), ""},
		"cut pickle":          {raw("\x80\x02}("), "cut off"},
		"no tensor maker":     {raw("\x80\x02}(X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n)Ru."), "makes no tensor"},
		"made of nothing":     {raw("\x80\x02}(X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(NNNNtRu."), "described wrongly"},
		"empty parameter":     {raw("\x80\x02}(X\x01\x00\x00\x00wctorch._utils\n_rebuild_parameter\n(NtRu."), "without a tensor"},
		"no storage":          {raw("\x80\x02NQ."), "no storage"},
		"itself inside":       {script("q\x00}X\x01\x00\x00\x00ah\x00sb."), "too deep"},
		"nameless attribute":  {script("}K\x01Nsb."), "name of kind"},
		"many in strides":     {many, "more memory than the file"},
	} {
		_, err := Parse("some.pt", c.w.bytes(t))
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "some.pt: ") {
			t.Errorf("%s: %v; want an error with %q", name, err, c.want)
		}
	}
	var class *pickle.ClassError
	if _, err := Parse("x", raw("\x80\x02cposix\nsystem\n.").bytes(t)); !errors.As(err, &class) || class.Class.Module != "posix" {
		t.Errorf("class: %v", err)
	}

	whole := one(good, storage).bytes(t)
	path := filepath.Join(t.TempDir(), "some.pt")
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"empty":      {nil, "empty"},
		"cut":        {whole[:len(whole)-30], "cut off"},
		"text":       {[]byte("not a checkpoint"), "not a PyTorch checkpoint"},
		"before 1.6": {append(bytes.Clone(beforeArchives), "more"...), "before 1.6"},
		"other archive": {func() []byte {
			w := writer{}
			b := w.bytes(t)
			return bytes.ReplaceAll(b, []byte("data.pkl"), []byte("data.txt"))
		}(), "no data.pkl"},
	} {
		if err := os.WriteFile(path, c.b, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
	}
	if _, err := Open(filepath.Dir(path)); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
}

// A pickle that would unpack to more than the limit is not unpacked.
func TestBomb(t *testing.T) {
	w := &writer{}
	w.pickle = make([]byte, maxPickle+1)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	out, err := z.Create("m/data.pkl")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Write(w.pickle); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Parse("bomb.pt", b.Bytes()); err == nil || !strings.Contains(err.Error(), "claims") {
		t.Errorf("%d bytes that become %d: %v", b.Len(), len(w.pickle), err)
	}
}

// FuzzParse: no input causes a panic, and all tensors are consistent.
func FuzzParse(f *testing.F) {
	storage := entry{name: "m/data/0", data: counted(48)}
	for _, c := range []call{
		{"ByteStorage", "0", 48, 0, []int64{48}, []int64{1}},
		{"FloatStorage", "0", 12, 0, []int64{3, 4}, []int64{1, 3}},
		{"HalfStorage", "0", 24, 4, []int64{5}, []int64{1}},
	} {
		f.Add(one(c, storage).pickle, counted(48), true)
	}
	f.Add([]byte("\x80\x02c__torch__\nM\n)\x81q\x00}X\x01\x00\x00\x00ah\x00sb."), []byte{}, false)
	f.Add([]byte(nil), one(call{"ByteStorage", "0", 48, 0, []int64{48}, []int64{1}}, storage).bytes(f), false)
	f.Fuzz(func(t *testing.T, p, data []byte, order bool) {
		b := data // as a whole file, or as the pickle's storage
		if len(p) > 0 {
			w := &writer{pickle: p, entries: []entry{{name: "m/data/0", data: data}}}
			if order {
				w.entries = append(w.entries, entry{name: "m/byteorder", data: []byte("little")})
			}
			b = w.bytes(t)
		}
		file, err := Parse("x", b)
		if err != nil {
			return
		}
		for _, name := range file.Names() {
			x, err := file.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			if width, _ := x.DType.Size(); len(x.Data) != width*x.Len() {
				t.Fatalf("%d bytes for %v of %s", len(x.Data), x.Shape, x.DType)
			}
			if x.Offset != tensor.Nowhere && !bytes.Equal(b[x.Offset:][:len(x.Data)], x.Data) {
				t.Fatalf("%q is not at %d", name, x.Offset)
			}
		}
	})
}
