package models

import (
	"encoding/binary"
	"encoding/json"
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/carve-video/carve/internal/tensor"
)

// FuzzSizes: for any config and tensors, opening a model takes memory in proportion to the
// files, and a model that opens has the sizes of the tensors.
func FuzzSizes(f *testing.F) {
	dir := tiny.write(f, tensor.F32, 1)
	all := readTensors(f, dir)
	heads := []byte(`{"model_cfg":{"vision_cfg":{"head_width":4},"text_cfg":{"heads":2}},"preprocess_cfg":{"mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5]}}`)
	f.Add(tiny.config(), heads, 0, 0, int64(0))
	f.Add([]byte(`{"text_config":{"max_position_embeddings":1048576,"num_attention_heads":2},"vision_config":{"num_attention_heads":3}}`), heads, 0, 0, int64(0))
	f.Add([]byte(`{"vision_config":{"num_hidden_layers":1048576}}`), heads, 0, 0, int64(0))
	f.Add([]byte(`{"projection_dim":null,"vision_config":[]}`), heads, 3, 0, int64(1))
	f.Add([]byte(nil), heads, 7, 0, int64(1)<<40)
	f.Add([]byte(nil), []byte(`{"model_cfg":{"vision_cfg":{"head_width":-9223372036854775808}},"preprocess_cfg":{"std":[0,1,1]}}`), 0, 0, int64(0))
	vocab, merges := demoFile(f, "vocab.json"), demoFile(f, "merges.txt")
	f.Fuzz(func(t *testing.T, config, openCLIP []byte, which, axis int, side int64) {
		// One tensor gets another side, and the right number of bytes if that is small;
		// otherwise none, which is right for a side of 0 only.
		header, data := map[string]any{}, []byte{}
		for i, x := range all {
			shape := make([]int64, len(x.Shape))
			for j, d := range x.Shape {
				shape[j] = int64(d)
			}
			if i == uint8Of(which)%len(all) && len(shape) > 0 {
				shape[uint8Of(axis)%len(shape)] = side
				n := int64(4)
				for _, d := range shape {
					if d < 0 || d > 1<<16 || n > 1<<20 {
						n = 0
						break
					}
					n *= d
				}
				x.Data = make([]byte, min(n, 1<<22))
			}
			header[x.Name] = map[string]any{"dtype": "F32", "shape": shape, "data_offsets": []int{len(data), len(data) + len(x.Data)}}
			data = append(data, x.Data...)
		}
		head, err := json.Marshal(header)
		if err != nil {
			t.Fatal(err)
		}
		file := append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head...), data...)
		fsys := fstest.MapFS{
			weightsFile: {Data: file}, "vocab.json": {Data: vocab}, "merges.txt": {Data: merges},
			openCLIPFile: {Data: openCLIP},
		}
		if len(config) > 0 {
			fsys[configFile] = &fstest.MapFile{Data: config}
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := OpenFS(t.Context(), "fuzz", fsys, Options{})
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20+20*uint64(len(file)+len(config)+len(openCLIP)) {
			t.Fatalf("files of %d bytes took %d MB", len(file), n>>20)
		}
		if err != nil {
			return
		}
		defer m.Close()
		token, err := m.weights.Tensor(textPrefix + "embeddings.token_embedding.weight")
		if err != nil {
			t.Fatal(err)
		}
		if i := m.Info(); i.Vocabulary != token.Shape[0] || i.TextWidth != token.Shape[1] || i.Width%i.Heads != 0 || i.TextWidth%i.TextHeads != 0 {
			t.Fatalf("%+v over tokens %v", i, token.Shape)
		}
	})
}

// uint8Of keeps a fuzzer's number in range.
func uint8Of(n int) int { return int(uint8(n)) }
