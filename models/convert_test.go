package models

import (
	"archive/zip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/safetensors"
	"github.com/carve-video/carve/internal/tensor"
)

// Tests convert a model from Hugging Face's format to every other published format. The
// golden data have files that the publishers' programs wrote; these have the same
// structure.

// readTensors returns copies of all tensors of a Hugging Face folder.
func readTensors(t testing.TB, dir string) []tensor.Tensor {
	t.Helper()
	f, err := safetensors.Open(filepath.Join(dir, weightsFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []tensor.Tensor
	for _, name := range f.Names() {
		x, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		x.Data = slices.Clone(x.Data)
		all = append(all, x)
	}
	return all
}

// asOpenAI renames tensors, stacks queries, keys and values, and transposes the
// projections. prefix is added to the text tower's names.
func asOpenAI(t testing.TB, all []tensor.Tensor, prefix string) []tensor.Tensor {
	t.Helper()
	by := map[string]tensor.Tensor{}
	for _, x := range all {
		by[x.Name] = x
	}
	rename := strings.NewReplacer(
		"vision_model.encoder.layers", "visual.transformer.resblocks", "text_model.encoder.layers", prefix+"transformer.resblocks",
		"layer_norm1", "ln_1", "layer_norm2", "ln_2", "mlp.fc1", "mlp.c_fc", "mlp.fc2", "mlp.c_proj",
		"self_attn.out_proj", "attn.out_proj", "self_attn.q_proj.", "attn.in_proj_",
		"vision_model.embeddings.class_embedding", "visual.class_embedding",
		"vision_model.embeddings.patch_embedding", "visual.conv1",
		"vision_model.embeddings.position_embedding.weight", "visual.positional_embedding",
		"vision_model.pre_layrnorm", "visual.ln_pre", "vision_model.post_layernorm", "visual.ln_post",
		"visual_projection.weight", "visual.proj", "text_projection.weight", prefix+"text_projection",
		"text_model.embeddings.token_embedding", prefix+"token_embedding",
		"text_model.embeddings.position_embedding.weight", prefix+"positional_embedding",
		"text_model.final_layer_norm", prefix+"ln_final",
	)
	var out []tensor.Tensor
	for _, x := range all {
		switch {
		case strings.Contains(x.Name, "k_proj") || strings.Contains(x.Name, "v_proj") || strings.HasSuffix(x.Name, "position_ids"):
			continue
		case strings.Contains(x.Name, "q_proj"):
			k, v := by[strings.Replace(x.Name, "q_proj", "k_proj", 1)], by[strings.Replace(x.Name, "q_proj", "v_proj", 1)]
			x.Data = slices.Concat(x.Data, k.Data, v.Data)
			x.Shape = slices.Clone(x.Shape)
			x.Shape[0] *= 3
		case x.Name == "visual_projection.weight" || x.Name == "text_projection.weight":
			x = turned(t, x)
		}
		x.Name = rename.Replace(x.Name)
		out = append(out, x)
	}
	return out
}

// turned transposes a matrix.
func turned(t testing.TB, x tensor.Tensor) tensor.Tensor {
	t.Helper()
	size, ok := x.DType.Size()
	if !ok || len(x.Shape) != 2 {
		t.Fatalf("%s is not a matrix", x.Name)
	}
	rows, cols := x.Shape[0], x.Shape[1]
	data := make([]byte, len(x.Data))
	for r := range rows {
		for c := range cols {
			copy(data[(c*rows+r)*size:][:size], x.Data[(r*cols+c)*size:])
		}
	}
	x.Data, x.Shape = data, []int{cols, rows}
	return x
}

func writeSafetensors(t testing.TB, path string, all []tensor.Tensor) {
	t.Helper()
	header, offset := map[string]any{"__metadata__": map[string]string{"format": "pt"}}, 0
	for _, x := range all {
		header[x.Name] = map[string]any{"dtype": x.DType, "shape": append([]int{}, x.Shape...), "data_offsets": []int{offset, offset + len(x.Data)}}
		offset += len(x.Data)
	}
	head, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	head = append(head, strings.Repeat(" ", (8-len(head)%8)%8)...)
	b := append(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head...)
	for _, x := range all {
		b = append(b, x.Data...)
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
}

// writeShards writes three files and their index.
func writeShards(t testing.TB, dir string, all []tensor.Tensor) {
	t.Helper()
	of := map[string]string{}
	for i := range 3 {
		name := fmt.Sprintf("model-0000%d-of-00003.safetensors", i+1)
		part := all[i*len(all)/3 : (i+1)*len(all)/3]
		writeSafetensors(t, filepath.Join(dir, name), part)
		for _, x := range part {
			of[x.Name] = name
		}
	}
	b, err := json.Marshal(map[string]any{"metadata": map[string]any{"total_size": 1}, "weight_map": of})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, weightsFile+".index.json"), b, 0o666); err != nil {
		t.Fatal(err)
	}
}

// writeTorch writes tensors like torch.save writes a state dict.
func writeTorch(t testing.TB, path string, all []tensor.Tensor) {
	t.Helper()
	storages := map[tensor.DType]string{tensor.F32: "FloatStorage", tensor.F16: "HalfStorage", tensor.BF16: "BFloat16Storage", tensor.I64: "LongStorage"}
	var p []byte
	text := func(s string) {
		p = append(binary.LittleEndian.AppendUint32(append(p, 'X'), uint32(len(s))), s...)
	}
	number := func(n int) { p = binary.LittleEndian.AppendUint32(append(p, 'J'), uint32(n)) }
	class := func(s string) { p = append(p, "c"+s+"\n"...) }
	tuple := func(n []int) {
		p = append(p, '(')
		for _, v := range n {
			number(v)
		}
		p = append(p, 't')
	}
	p = append(p, 0x80, 2)
	class("collections\nOrderedDict")
	p = append(p, ")R("...)
	for i, x := range all {
		strides := make([]int, len(x.Shape))
		step := 1
		for j := len(x.Shape) - 1; j >= 0; j-- {
			strides[j] = step
			step *= x.Shape[j]
		}
		text(x.Name)
		class("torch._utils\n_rebuild_tensor_v2")
		p = append(p, "(("...)
		text("storage")
		class("torch\n" + storages[x.DType])
		text(fmt.Sprint(i))
		text("cpu")
		number(x.Len())
		p = append(p, "tQ"...)
		number(0)
		tuple(x.Shape)
		tuple(strides)
		p = append(p, 0x89)
		class("collections\nOrderedDict")
		p = append(p, ")RtR"...)
	}
	p = append(p, "u."...)

	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	entry := func(name string, b []byte) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: zip.Store})
		if err == nil {
			_, err = w.Write(b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	entry("data.pkl", p)
	entry("byteorder", []byte("little"))
	for i, x := range all {
		entry(fmt.Sprintf("data/%d", i), x.Data)
	}
	entry("version", []byte("3\n"))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}

// copyFiles copies those of the files that exist in a folder.
func copyFiles(t testing.TB, from, to string, names ...string) {
	t.Helper()
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// A form is a model in one of the published formats.
type form struct {
	path    string // to open
	options Options
}

// forms writes the model of a Hugging Face folder with CLIP's own vocabulary in every
// format; heads are those of the two towers.
func forms(t testing.TB, dir string, heads, textHeads int, act string) map[string]form {
	t.Helper()
	all := readTensors(t, dir)
	root := t.TempDir()
	sub := func(name string) string {
		d := filepath.Join(root, name)
		if err := os.Mkdir(d, 0o777); err != nil {
			t.Fatal(err)
		}
		return d
	}
	said := Options{Heads: heads, TextHeads: textHeads, Activation: act, Mean: CLIPMean[:], Std: CLIPStd[:]}
	out := map[string]form{"safetensors": {path: dir}}

	d := sub("shards")
	copyFiles(t, dir, d, "config.json", "preprocessor_config.json", "vocab.json", "merges.txt")
	writeShards(t, d, all)
	out["shards"] = form{path: d}

	d = sub("bin")
	copyFiles(t, dir, d, "config.json", "preprocessor_config.json", "vocab.json", "merges.txt")
	writeTorch(t, filepath.Join(d, "pytorch_model.bin"), all)
	out["pytorch_model.bin"] = form{path: d}

	d = sub("alone")
	writeSafetensors(t, filepath.Join(d, "some.safetensors"), all)
	out["a file of tensors alone"] = form{filepath.Join(d, "some.safetensors"), said}

	d = sub("openai")
	writeTorch(t, filepath.Join(d, "model.pt"), asOpenAI(t, all, ""))
	out["OpenAI's state dict"] = form{filepath.Join(d, "model.pt"), said}

	for name, prefix := range map[string]string{"open_clip": "", "open_clip, text tower apart": "text."} {
		d = sub(name)
		writeSafetensors(t, filepath.Join(d, "open_clip_model.safetensors"), asOpenAI(t, all, prefix))
		vision := readWidth(t, all, "vision_model.embeddings.class_embedding")
		config := fmt.Sprintf(`{"model_cfg":{"embed_dim":1,"quick_gelu":%v,"vision_cfg":{"head_width":%d},"text_cfg":{"heads":%d}},
			"preprocess_cfg":{"mean":[0.48145466,0.4578275,0.40821073],"std":[0.26862954,0.26130258,0.27577711]}}`, act == quickGELU, vision/heads, textHeads)
		if err := os.WriteFile(filepath.Join(d, openCLIPFile), []byte(config), 0o666); err != nil {
			t.Fatal(err)
		}
		out[name] = form{path: d}
	}
	return out
}

func readWidth(t testing.TB, all []tensor.Tensor, name string) int {
	t.Helper()
	i := slices.IndexFunc(all, func(x tensor.Tensor) bool { return x.Name == name })
	if i < 0 {
		t.Fatalf("no %s", name)
	}
	return all[i].Shape[0]
}

// sortedForms are the sorted names of forms.
func sortedForms(f map[string]form) []string { return slices.Sorted(maps.Keys(f)) }
