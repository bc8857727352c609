package models

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/golden"
	"github.com/carve-video/carve/internal/tensor"
)

// rewrite changes tensors of a folder, element by element.
func rewrite(t *testing.T, dir string, change func(name string, i int, v float32) float32) {
	t.Helper()
	all := readTensors(t, dir)
	for _, x := range all {
		for i := range x.Len() {
			v := math.Float32frombits(binary.LittleEndian.Uint32(x.Data[4*i:]))
			binary.LittleEndian.PutUint32(x.Data[4*i:], math.Float32bits(change(x.Name, i, v)))
		}
	}
	writeSafetensors(t, filepath.Join(dir, weightsFile), all)
}

const someWeights = "vision_model.encoder.layers.1.mlp.fc1.weight"

// invalidWeights are ways in which weights can be unusable, with part of the error of each.
var invalidWeights = map[string]struct {
	change func(name string, i int, v float32) float32
	want   string
}{
	"a NaN": {func(name string, i int, v float32) float32 {
		if name == someWeights && i == 17 {
			return float32(math.NaN())
		}
		return v
	}, `"` + someWeights + `" has numbers that are not finite, first at element 17`},
	"an infinity": {func(name string, i int, v float32) float32 {
		if strings.HasPrefix(name, "text_model.final") && i == 0 {
			return float32(math.Inf(-1))
		}
		return v
	}, "text_model.final_layer_norm"},
	"all NaN":  {func(string, int, float32) float32 { return float32(math.NaN()) }, "numbers that are not finite"},
	"all zero": {func(string, int, float32) float32 { return 0 }, "all weights are 0"},
	"too large": {func(name string, i int, v float32) float32 {
		if strings.HasSuffix(name, "_projection.weight") {
			return v * 1e38
		}
		return v
	}, "has no direction"},
	"too large to tell": {func(name string, i int, v float32) float32 {
		if strings.HasSuffix(name, "fc2.weight") {
			return v * 1e37 // the next normalisation divides by infinity
		}
		return v
	}, "its vectors of all texts are the same"},
	"a scale of e^50": {func(name string, i int, v float32) float32 {
		if name == "logit_scale" {
			return 50
		}
		return v
	}, "its logit_scale is 50"},
	"zero patch embedding": {func(name string, i int, v float32) float32 {
		if strings.Contains(name, "patch_embedding") {
			return 0
		}
		return v
	}, "its features of all images are the same"},
	"zero text norm": {func(name string, i int, v float32) float32 {
		if name == "text_model.final_layer_norm.weight" {
			return 0
		}
		return v
	}, "its vectors of all texts are the same"},
}

// TestImportRefusesInvalid: unusable models are not imported, and leave no files behind.
func TestImportRefusesInvalid(t *testing.T) {
	cache := useBuiltCache(t)
	for name, c := range invalidWeights {
		dir := tiny.write(t, tensor.F32, 1)
		rewrite(t, dir, c.change)
		_, err := Import(t.Context(), dir, "bad", Options{})
		var invalid *InvalidModelError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), c.want) || invalid.Hint() == "" {
			t.Errorf("%s: %v; want an InvalidModelError with %q", name, err, c.want)
		}
	}
	if left := entries(t, Dir()); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
	if left := builtGraphs(t, cache); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestFirstUseOfInvalid: the weights of a model that is opened by its path are not checked,
// which would mean reading all of them. Its first use gives the error.
func TestFirstUseOfInvalid(t *testing.T) {
	for name, c := range invalidWeights {
		if strings.HasSuffix(c.want, "are the same") {
			continue // computes numbers
		}
		dir := tiny.write(t, tensor.F32, 1)
		rewrite(t, dir, c.change)
		m, err := Open(t.Context(), dir, Options{Threads: 2, Device: testDevice("")})
		if err != nil {
			if !strings.Contains(err.Error(), "logit_scale") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		_, texts := m.text.EncodeTexts(t.Context(), []string{"a dog"})
		j, err := m.Judge()
		if err != nil {
			t.Fatal(err)
		}
		_, judged := j.EncodeImages(t.Context(), []*car.Image{noise(16, 16, 1)})
		p, err := m.Proposer()
		if err != nil {
			t.Fatal(err)
		}
		_, encoded := p.Encode(t.Context(), noise(16, 16, 1))
		found := false
		for _, err := range []error{texts, judged, encoded} {
			var invalid *InvalidModelError
			if errors.As(err, &invalid) {
				found = found || strings.Contains(err.Error(), c.want)
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if !found {
			t.Errorf("%s: %v; %v; %v; want %q", name, texts, judged, encoded, c.want)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestInvalidMaps: activation maps with NaN are an error too.
func TestInvalidMaps(t *testing.T) {
	p, err := openTest(t, tiny.write(t, tensor.F32, 1), Options{}).Proposer()
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.Encode(t.Context(), noise(16, 16, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	direction := make([]float32, len(v.Feature()))
	direction[0] = float32(math.NaN())
	var invalid *InvalidModelError
	if _, err := v.CAM(t.Context(), [][]float32{v.Feature(), direction}); !errors.As(err, &invalid) {
		t.Errorf("error %v, want an InvalidModelError", err)
	}
}

// TestImportChecksSums: changed bytes of an archive are detected by its checksums.
func TestImportChecksSums(t *testing.T) {
	useBuiltCache(t)
	b, err := os.ReadFile(golden.Dir(t, "models", "micro-g", "micro-g.openai.pt"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		b[len(b)/2+2*i] ^= 1 // the last bits of numbers, which stay finite
	}
	path := filepath.Join(t.TempDir(), "some.pt")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	found := Options{Heads: 2, TextHeads: 1, Activation: quickGELU, Mean: CLIPMean[:], Std: CLIPStd[:]}
	if _, err := Import(t.Context(), path, "", found); err == nil || !strings.Contains(err.Error(), "/data/") || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("2000 changed bytes: %v", err)
	}
	if left := entries(t, Dir()); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestScan: every type is scanned, and the masks in archives may be infinite.
func TestScan(t *testing.T) {
	for dtype, c := range map[tensor.DType]struct{ good, bad [][]byte }{
		tensor.F64:  {[][]byte{f64(1e38), f64(-1e-300), f64(0)}, [][]byte{f64(math.NaN()), f64(math.Inf(-1)), f64(1e39)}},
		tensor.F32:  {[][]byte{f32(3e38), f32(-1), f32(0)}, [][]byte{f32(math.NaN()), f32(math.Inf(1))}},
		tensor.F16:  {[][]byte{{0xff, 0x7b}, {0xff, 0xfb}, {0, 0}}, [][]byte{{0, 0x7c}, {0, 0xfc}, {1, 0x7e}}},
		tensor.BF16: {[][]byte{{0x7f, 0x7f}, {0x7f, 0xff}, {0, 0}}, [][]byte{{0x80, 0x7f}, {0x80, 0xff}, {0xc0, 0x7f}}},
	} {
		data := slices.Concat(c.good...)
		x := tensor.Tensor{DType: dtype, Shape: []int{1, len(c.good)}, Data: data}
		if at, all0 := scanFloats(x); at != -1 || all0 {
			t.Errorf("%s: element %d, all 0: %v", dtype, at, all0)
		}
		for _, bad := range c.bad {
			x.Data = append(slices.Clone(data), bad...)
			if at, _ := scanFloats(x); at != len(c.good) {
				t.Errorf("%s: % x is accepted", dtype, bad)
			}
		}
		x.Data = make([]byte, len(data))
		if at, all0 := scanFloats(x); at != -1 || !all0 {
			t.Errorf("%s, zeros: element %d, all 0: %v", dtype, at, all0)
		}
	}
}

func f64(v float64) []byte { return binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)) }
func f32(v float64) []byte {
	return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(v)))
}
