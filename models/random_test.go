package models

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/safetensors"
	"github.com/carve-video/carve/internal/tensor"
)

// tiny is the shape of the models of most tests.
var tiny = shape{width: 12, layers: 3, heads: 3, patch: 4, resolution: 16, projection: 7, textWidth: 8, textLayers: 2, textHeads: 2, act: quickGELU, eps: 1e-5}

// write writes a random model to a temporary folder of the test.
func (s shape) write(t testing.TB, dtype tensor.DType, seed uint64) string {
	t.Helper()
	dir := t.TempDir()
	if err := s.writeTo(t.Context(), dir, dtype, seed); err != nil {
		t.Fatal(err)
	}
	return dir
}

// widen copies a folder that write made, its weights stored as float32.
func widen(t testing.TB, dir string, s shape) string {
	t.Helper()
	half, err := safetensors.Open(filepath.Join(dir, weightsFile))
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	out := s.write(t, tensor.F32, 1)
	path := filepath.Join(out, weightsFile)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.Parse(path, b)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range file.Names() {
		from, err := half.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		values, err := from.Float32()
		if err != nil {
			t.Fatal(err)
		}
		to, err := file.Tensor(name) // a view into b
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			binary.LittleEndian.PutUint32(to.Data[4*i:], math.Float32bits(v))
		}
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return out
}

// noise is a random image: blocks of colour, so that patches differ.
func noise(w, h int, seed uint64) *car.Image {
	rng := rand.New(rand.NewPCG(seed, 2))
	img := car.NewImage(w, h)
	for i := range img.Pix {
		img.Pix[i] = uint8(rng.IntN(256))
	}
	return img
}

func openTest(t testing.TB, dir string, o Options) *Model {
	t.Helper()
	if o.Threads == 0 {
		o.Threads = 2
	}
	if o.Device == "" {
		o.Device = testDevice(o.Precision)
	}
	m, err := Open(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// testDevice is the device for tests of this precision: that of a GPU check
// (scripts/gpu-check.sh), or the CPU for precisions that only a CPU supports.
func testDevice(precision string) string {
	device := os.Getenv("CARVE_TEST_DEVICE")
	if device == "" || CheckDevice(device, nil, precision) != nil {
		return "cpu"
	}
	return device
}

// directions are unit vectors in a model's space.
func directions(m *Model, n int) [][]float32 {
	rng := rand.New(rand.NewPCG(3, 4))
	out := make([][]float32, n)
	for i := range out {
		v := make([]float32, m.config.Projection)
		sum := 0.0
		for j := range v {
			v[j] = float32(rng.NormFloat64())
			sum += float64(v[j]) * float64(v[j])
		}
		for j := range v {
			v[j] /= float32(math.Sqrt(sum))
		}
		out[i] = v
	}
	return slices.Clip(out)
}
